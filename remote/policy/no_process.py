"""A Python audit hook against processes: it says in words what the kernel's lock would refuse.

The lock stays the wall. The hook is there for the message, and for fork, which the lock allows.
"""

import os
import sys

EVENTS = frozenset(
    {
        "subprocess.Popen",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pty.spawn",
    }
)
MESSAGE = "the policy lets the gateway start no process"


class NoProcess(PermissionError, FileNotFoundError):
    """Also "not found": what the agent expects where a program is missing, and gets along with."""


_on = False


def forbid():
    global _on
    if not _on:
        sys.addaudithook(_hook)  # It cannot be taken off again.
    _on = True


def forbidden():
    return _on


def _hook(event, args):
    if event in EVENTS:
        raise NoProcess(1, f"{MESSAGE}: {event} {_name(event, args)}".rstrip())


def _name(event, args):
    try:
        first = args[1] if event == "subprocess.Popen" and not args[0] else args[0]
        if isinstance(first, (list, tuple)):
            first = first[0]
        return os.fsdecode(first)[:80]
    except (IndexError, TypeError, ValueError):
        return ""
