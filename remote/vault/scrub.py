"""STORE: whether each object is what its name says. It needs no key, and finds what a disk
lost and what somebody planted. Exit code 1 when something is not, each by a line.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from objects import digest, repositories, settled, tidy, walk  # noqa: E402


def main(store):
    looked, wrong = 0, []
    for host in repositories(store):
        wrong += tidy(store, host)
        folder = os.path.join(store, host)
        for kind, path in walk(folder):
            looked += 1
            try:
                if kind and digest(path) != os.path.basename(path) and settled(path, time.time()):
                    wrong.append(f"{host}: {kind} {os.path.basename(path)} is damaged")
            except OSError as error:
                wrong.append(f"{host}: {os.path.relpath(path, folder)!r}: {error}")
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{looked} objects, {len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
