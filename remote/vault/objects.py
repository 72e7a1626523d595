"""What a host's folder in the store may hold: restic's own layout, in which every object but
`config` is named by the SHA-256 of its content. It takes no key to tell what is none of it.
"""

import hashlib
import os
import re
import time

NAME = re.compile(r"[0-9a-f]{64}\Z")
# In these, whatever is wrong keeps restic from opening the repository at all.
OPENED = ("keys", "locks", "snapshots", "index")
KINDS = (*OPENED, "data")
# An upload is no junk because it is not through.
UNFINISHED_SECS = 600
ASIDE = ".aside"


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            sha.update(chunk)
    return sha.hexdigest()


def settled(path, now):
    """Whether nobody has written to it for a while."""
    return now - os.lstat(path).st_mtime > UNFINISHED_SECS


def entries(folder):
    with os.scandir(folder) as found:
        return sorted(found, key=lambda entry: entry.name)


def files_and_folders(entry):
    return entry.is_dir(follow_symlinks=False), entry.is_file(follow_symlinks=False)


def repositories(store):
    """`HOST/FOLDER` of each: a host has one for each key that it has had."""
    for host in entries(store):
        if host.name != ASIDE and host.is_dir(follow_symlinks=False):
            for folder in entries(host.path):
                if folder.is_dir(follow_symlinks=False):
                    yield f"{host.name}/{folder.name}"


def walk(folder):
    """`kind, path` of each object; the kind is empty for what has no place in a repository."""
    for entry in entries(folder):
        is_dir, is_file = files_and_folders(entry)
        if entry.name == "config" and is_file:
            continue
        if entry.name not in KINDS or not is_dir:
            yield "", entry.path
        elif entry.name == "data":
            yield from packs(entry.path)
        else:
            for one in entries(entry.path):
                named = NAME.match(one.name) and one.is_file(follow_symlinks=False)
                yield (entry.name if named else ""), one.path


def packs(folder):
    for part in entries(folder):
        if len(part.name) != 2 or not part.is_dir(follow_symlinks=False):
            yield "", part.path
            continue
        for one in entries(part.path):
            named = NAME.match(one.name) and one.name.startswith(part.name)
            yield ("data" if named and one.is_file(follow_symlinks=False) else ""), one.path


def set_aside(store, repository, path):
    """Out of the repository's way, and not out of the world."""
    name = os.path.relpath(path, os.path.join(store, repository)).replace("/", "-")
    place = os.path.join(store, ASIDE, repository)
    os.makedirs(place, mode=0o700, exist_ok=True)
    to = os.path.join(place, f"{time.time_ns()}-{name}"[:240])
    os.rename(path, to)
    return to


def tidy(store, repository):
    """Sets aside what keeps the repository from being opened, and what is none of it; a line for
    each."""
    now, said = time.time(), []
    folder = os.path.join(store, repository)
    if not os.path.isdir(folder):
        return said
    for kind, path in list(walk(folder)):
        if not settled(path, now):
            continue
        empty = kind == "data" and os.lstat(path).st_size == 0
        wrong = kind in OPENED and digest(path) != os.path.basename(path)
        if not kind or empty or wrong:
            set_aside(store, repository, path)
            name = os.path.relpath(path, folder)
            said.append(f"{repository}: {name!r} is no part of a repository: set aside")
    return said
