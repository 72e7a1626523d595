"""Whether the release that runs is the pinned one, to the last file."""

import hashlib
import json
import os
import stat
import subprocess

from .host import output_of
from .patience import patience


def git_object(kind, body):
    return hashlib.sha1(b"%s %d\0" % (kind, len(body)) + body).digest()


def git_entry(path):
    """Mode and id of a file, as git has them."""
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return b"120000", git_object(b"blob", os.fsencode(os.readlink(path)))
    with open(path, "rb") as file:
        return b"100755" if mode & 0o100 else b"100644", git_object(b"blob", file.read())


def git_tree(node):
    entries = []
    for key, value in node.items():
        raw = os.fsencode(key)
        if isinstance(value, dict):
            entries.append((raw + b"/", b"40000 " + raw + b"\0" + git_tree(value)))
        else:
            entries.append((raw, value[0] + b" " + raw + b"\0" + value[1]))
    return git_object(b"tree", b"".join(body for _, body in sorted(entries)))


def checked_out(folder):
    """The files that git has of it, as paths from there."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", folder]
        + ["ls-tree", "-r", "-z", "--name-only", "HEAD"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=patience(20),
    ).stdout
    return [path.decode(errors="surrogateescape") for path in listing.split(b"\0") if path]


def tree_of(folder, paths):
    """The id that git gives to a checked-out tree, computed from the files as they are."""
    top = {}
    for path in paths:
        try:
            entry = git_entry(os.path.join(folder, path))
        except OSError:
            continue  # a missing file makes another tree
        node = top
        *folders, last = path.split("/")
        for part in folders:
            node = node.setdefault(part, {})
        node[last] = entry
    return git_tree(top).hex()


# What is no part of the tree, and is meant to be there.
BUILT = {".git", "venv"}


def extra_of(folder, paths):
    """The files that are no part of the tree."""
    known = {*paths, ".petasos-release"}
    extra = []
    for place, folders, files in os.walk(folder):
        at = os.path.relpath(place, folder)
        skipped = {"__pycache__"} | (BUILT if at == "." else set())
        folders[:] = [part for part in folders if part not in skipped]
        extra += [os.path.normpath(os.path.join(at, file)) for file in files]
    return sorted(path for path in extra if path not in known)


def packages_of(folder, script):
    """What the release's own Python says of its packages."""
    output = output_of(f"{folder}/venv/bin/python", "-I", "-B", "-c", script, folder, timeout=30)
    if not output.startswith("{"):
        return {"error": "its Python gave no answer"}
    return {"found": json.loads(output)}


def loose_in(folder):
    """What is not root's, or open to others."""
    loose = []
    for place, _, files in os.walk(folder):
        for path in [place, *(os.path.join(place, file) for file in files)]:
            seen = os.lstat(path)
            if seen.st_uid != 0 or (seen.st_mode & 0o022 and not os.path.islink(path)):
                loose.append(path)
    return loose


def release(pinned, script):
    """The current release; what is in it, where it is the pinned one."""
    folder = os.path.realpath("/opt/hermes/current")
    if folder != pinned:
        return {"current": folder, "contents": None}
    paths = checked_out(folder)
    contents = {
        "files": len(paths),
        "tree": tree_of(folder, paths),
        "extra": extra_of(folder, paths)[:10],
        "packages": packages_of(folder, script),
        "loose": loose_in("/opt/hermes")[:10],
    }
    return {"current": folder, "contents": contents}
