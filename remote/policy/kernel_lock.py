"""No execve in this process and what comes of it, for ever: the kernel's word, whatever runs here.

It is taken by prctl(2) and not by seccomp(2), which the units of older systemd do not allow, so it
is this thread's and is inherited: it must be taken while there is only one thread.
"""

import ctypes
import errno
import os
import platform
import signal
import struct

from .errors import Broken

# <linux/audit.h>, <asm/unistd.h>: architecture, execve, execveat.
CALLS = {"x86_64": (0xC000003E, 59, 322), "aarch64": (0xC00000B7, 221, 281)}
# The bit of x32's system calls, which x86_64's architecture word does not tell from its own.
X32 = 0x40000000
X32_EXECVE = X32 | 520

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_GET_SECCOMP, FILTER = 38, 22, 21, 2
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
REFUSE, ALLOW = 0x00050000 | errno.EPERM, 0x7FFF0000
NOTHING = b"/nonexistent/petasos"
NUMBER, ARCHITECTURE = 0, 4  # Offsets in struct seccomp_data.


def program(arch, execve, execveat):
    """The filter, as (code, jump if true, jump if false, operand)."""
    return [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 0, 5, arch),  # Another ABI, such as i386's: no system call at all.
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 3, 0, X32),
        (EQUAL, 2, 0, execve),
        (EQUAL, 1, 0, execveat),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    ]


def take():
    machine = platform.machine()
    if machine not in CALLS:
        raise Broken(f"the lock on execve is not known for {machine}")
    if len(os.listdir("/proc/self/task")) != 1:
        raise Broken("too late for the lock on execve: there is more than one thread")
    code = b"".join(struct.pack("HBBI", *line) for line in program(*CALLS[machine]))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    buffer = ctypes.create_string_buffer(code, len(code))
    fprog = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer))
    fprog = ctypes.create_string_buffer(fprog, len(fprog))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise Broken(f"no_new_privs was refused: {os.strerror(ctypes.get_errno())}")
    if libc.prctl(PR_SET_SECCOMP, FILTER, ctypes.addressof(fprog), 0, 0):
        raise Broken(f"seccomp was refused: {os.strerror(ctypes.get_errno())}")
    prove()
    if machine == "x86_64":
        _prove_x32()


def prove():
    """Asks the kernel itself. Programs that do not exist: should it not hold, nothing starts."""
    _, execve, execveat = CALLS[platform.machine()]
    empty = (ctypes.c_char_p * 1)(None)
    tries = {
        "execve": (execve, NOTHING, empty, empty),
        "execveat": (execveat, -1, NOTHING, empty, empty, 0),
    }
    for name, (number, *args) in tries.items():
        found = _errno_of(number, *args)
        if found != errno.EPERM:
            said = errno.errorcode.get(found, "success")
            raise Broken(f"the lock on execve does not hold: {name} gave {said}")
    if ctypes.CDLL(None).prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != FILTER:
        raise Broken("the lock on execve does not hold: seccomp is not in filter mode")


def _prove_x32():
    """In a child, since a unit's own filter may kill whoever asks (SystemCallArchitectures=)."""
    child = os.fork()
    if child == 0:
        os._exit(_errno_of(X32_EXECVE, NOTHING, None, None))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (errno.EPERM, -signal.SIGSYS):
        raise Broken(f"the lock on execve does not hold: x32's execve gave {code}")


def _errno_of(number, *args):
    libc = ctypes.CDLL(None, use_errno=True)
    ctypes.set_errno(0)
    libc.syscall(ctypes.c_long(number), *args)
    return ctypes.get_errno()
