"""This process's memory is its own, and so are the host's secrets, which come as standard input.

systemd opens the file as root; nobody else may read it. First the kernel is told that nobody of
the same user may look into this process (which Yama need not be there for), then the file is read:
there is no moment at which another process of the user finds a secret, neither in this one's
environment nor in its memory.
"""

import ctypes
import os
import re
import stat

from .errors import Broken

PR_GET_DUMPABLE, PR_SET_DUMPABLE = 3, 4
# As `petasos` writes them: nothing that any reader would take otherwise.
LINE = re.compile(r"([A-Z_][A-Z0-9_]*)=([!-~]+)")
MOST = 1 << 20


taken = {}  # name -> value


def take():
    taken.update(read(0))
    ours = os.environ
    for name, value in taken.items():
        # For Python alone: what the C library has, any program that is started inherits.
        ours._data[ours.encodekey(name)] = ours.encodevalue(value)


def hide():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    if not hidden():
        raise Broken("the kernel does not hide this process's memory from others of its user")


def hidden():
    return ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0


def read(fd):
    """The secrets of the file that systemd opened here; none where this is a terminal, a pipe or
    nothing. Afterwards the descriptor leads nowhere."""
    info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode):
        return {}
    text = os.pread(fd, MOST + 1, 0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, fd)
    os.close(nothing)
    found = {}
    for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        pair = LINE.fullmatch(line)
        # The line itself may be a secret.
        if pair is None or len(text) > MOST:
            raise Broken(f"line {number} of the secrets is not of the form NAME=value")
        found[pair[1]] = pair[2]
    return found
