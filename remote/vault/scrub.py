"""STORE HOST…: whether each object is what its name says: restic names all but its `config` and its
locks by the SHA-256 of their content. It needs no key, and finds what a disk lost and what somebody
planted. Exit code 1 when something is not, each by a line.
"""

import hashlib
import os
import sys

NAMELESS = {"config", "locks"}


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            sha.update(chunk)
    return sha.hexdigest()


def objects(folder):
    for place, folders, names in os.walk(folder):
        if place == folder:
            folders[:] = sorted(name for name in folders if name not in NAMELESS)
            names = [name for name in names if name not in NAMELESS]
        for name in sorted(names):
            yield os.path.join(place, name)


def main(store, *hosts):
    wrong = looked = 0
    for host in hosts:
        for path in objects(os.path.join(store, host)):
            looked += 1
            try:
                sound = digest(path) == os.path.basename(path)
            except OSError as error:
                print(f"{path!r}: {error}", file=sys.stderr)
                sound = False
            if not sound:
                wrong += 1
                print(f"{path!r} is not what its name says", file=sys.stderr)
    print(f"{looked} objects, {wrong} of them wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
