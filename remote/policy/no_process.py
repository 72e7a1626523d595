"""No process is started from Python: it says in words what the kernel's lock would refuse.

The lock is the wall. This is there for the message. It takes the functions' places, and is no
audit hook: Python asks a hook tens of thousands of times in one turn of the agent.
"""

import functools
import os

from . import install

# All of Python's ways end in one of these.
WAYS = (
    "subprocess:Popen._execute_child",
    "_posixsubprocess:fork_exec",
    "os:execv",
    "os:execve",
    "os:fork",
    "os:forkpty",
    "os:posix_spawn",
    "os:posix_spawnp",
    "os:system",
)
MESSAGE = "the policy lets the gateway start no process"


class NoProcess(PermissionError, FileNotFoundError):
    """Also "not found": what the agent expects where a program is missing, and gets along with."""


def forbid():
    for way in WAYS:
        owner, last = install.find(way)
        there = getattr(owner, last)
        refusal = _refusal(way, there)
        setattr(owner, last, refusal)
        install.replace(there, refusal)


def _refusal(way, real):
    of_popen = way.startswith("subprocess")
    said = "subprocess.Popen" if of_popen else way.replace(":", ".")

    @functools.wraps(real)
    def refuse(*args, **kwargs):
        # `Popen._execute_child` has itself first.
        program = _name(args[1:] if of_popen else args)
        raise NoProcess(1, f"{MESSAGE}: {said} {program}".rstrip())

    return refuse


def _name(args):
    try:
        first = args[0]
        if isinstance(first, (list, tuple)):
            first = first[0]
        return os.fsdecode(first)[:80]
    except (IndexError, TypeError, ValueError):
        return ""
