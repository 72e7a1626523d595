"""What an attacker inside may try on files and on the sockets that have a path."""

import errno
import glob
import os
import time
from typing import Annotated

from .net import unix
from .patience import patience
from .probe import no, outcome_of, yes


def create(path: str):
    """A new file in a folder: one without a name, which nobody sees and which is gone at once."""
    try:
        os.close(os.open(path, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        # The file system has no such files, but it was asked only once the permission was given.
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):
            raise
    return yes(f"could make a file in {path}")


def change(path: str):
    """A file, opened for writing and left as it is."""
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
    return yes(f"could open {path} for writing")


def read(path: str):
    """The first byte of a file, or the names in a folder."""
    if os.path.isdir(path):
        return yes(f"could list {path}: {len(os.listdir(path))} entries")
    with open(path, "rb") as file:
        file.read(1)
    return yes(f"could read {path}")


def replace(path):
    """Something of one's own in the place of a file or a folder, whoever's it is: whoever may write
    to the folder that it is in can rename it, unless something is mounted there. By the kernel's
    own answers; nothing is renamed."""
    if path in mounts():
        raise OSError(errno.EBUSY, "something is mounted there")
    if not os.access(os.path.dirname(path), os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "its folder is not writable")
    return yes(f"could put something in the place of {path}")


def mounts():
    """What kind of file system is where; the last one over a place is the one that is seen."""
    with open("/proc/self/mountinfo") as file:
        lines = [line.split() for line in file]
    return {words[4]: words[words.index("-") + 1] for words in lines}


PATH_CALLS = {"create": create, "change": change, "read": read, "replace": replace, "unix": unix}


def any_of(name: Annotated[str, PATH_CALLS], paths: list[str]):
    """One call on several paths: the first that works counts. A star stands for all names, as in
    the shell."""
    found = set()
    paths = [path for pattern in paths for path in (glob.glob(pattern) or [pattern])]
    for path in paths:
        try:
            return PATH_CALLS[name](path)
        except OSError as error:
            found.add(outcome_of(error))
    details = "; ".join(sorted({details for _, details in found}))
    outcomes = {outcome for outcome, _ in found}
    if outcomes <= {"nothing"}:
        return "nothing", details
    return ("error" if "error" in outcomes else "refused"), details


def others_homes():
    """A look into the homes of the other users."""
    homes = [entry.path for entry in os.scandir("/home") if entry.name != "hermes"]
    return any_of("read", [*homes, "/root"])


def rewrite(path: str):
    """Writing to any file of a tree, by the kernel's own answer on every one of them."""
    count = 0
    for folder, _, files in os.walk(path, followlinks=False):
        for each in [folder, *(os.path.join(folder, name) for name in files)]:
            count += 1
            if not os.path.islink(each) and os.access(each, os.W_OK):
                return yes(f"{each} is writable")
    if count <= 100:
        return "error", f"only {count} files in {path}"
    return no(f"{count} files and folders, none writable")


def room(places: list[list]):
    """Folders for files of a moment that are the host's, or have more room than they are to have: a
    path, bytes, and a number of files."""
    kinds = mounts()
    for path, most, files in places:
        seen = os.statvfs(path)
        has = seen.f_blocks * seen.f_frsize
        if kinds.get(path) != "tmpfs":
            return yes(f"{path} is a part of another file system")
        if not 0 < has <= most or not 0 < seen.f_files <= files:
            return yes(f"{path} has room for {has >> 20} MiB and {seen.f_files} files")
    return no("each is a file system of its own, and has a limit")


# What is the agent's own, or a world of its own: its data, and what its unit has for itself.
ITS_OWN = {
    "/home/hermes/.hermes",
    "/tmp",
    "/var/tmp",
    "/proc",
    "/sys",
    "/dev",
}


def anywhere():
    """A new file in any folder of the host, by the kernel's own answer on every one of them."""
    count, waiting, end = 0, ["/"], time.monotonic() + patience(20)
    while waiting:
        folder = waiting.pop()
        count += 1
        if os.access(folder, os.W_OK | os.X_OK):
            return yes(f"{folder} takes files")
        if time.monotonic() > end:
            return "error", f"it took too long, after {count} folders"
        try:
            with os.scandir(folder) as entries:
                inner = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue
        waiting += [path for path in inner if path not in ITS_OWN]
    return no(f"{count} folders, none takes a file")


def setuid_file():
    """A file of one's own that would run as its owner, whoever starts it."""
    handle = os.open("/tmp", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(handle, 0o4755)
    finally:
        os.close(handle)
    return yes("could make a file setuid")
