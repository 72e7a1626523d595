"""What of the agent's data directory is not the agent's: each such place is covered, read-only, by
its unit. Here that is looked at, before anything of the agent is loaded."""

import os

from .errors import Broken

HOME = "/home/hermes/.hermes"
MOUNTS = "/proc/self/mountinfo"


def check(names, home=HOME, mounts=MOUNTS):
    """
    Raises `Broken` where one is not covered."""
    over = mounted(mounts) if names else {}
    for name in names:
        if not is_covered(name, over, home):
            raise Broken(f"{home}/{name} is not covered: the agent could write what it then obeys")


def is_covered(name, over, home=HOME):
    """What is mounted at the place itself, and not at what a link there leads to."""
    return b"ro" in over.get(os.path.join(home, name), ())


def mounted(mounts):
    """The options of each mount by its place. Where there are several, the last is what is seen."""
    with open(mounts, "rb") as file:
        lines = [line.split(b" ") for line in file.read().splitlines()]
    return {_path(fields[4]): fields[5].split(b",") for fields in lines if len(fields) > 5}


def _path(text):
    """As the kernel writes it: white space and backslashes in octal."""
    first, *others = text.split(b"\\")
    return os.fsdecode(first + b"".join(bytes([int(part[:3], 8)]) + part[3:] for part in others))
