"""No execve and no fork in this process, for ever: the kernel's word, whatever runs here.

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
# clone, clone3, and what x86_64 has besides: fork, vfork.
FORKS = {"x86_64": (56, 435, 57, 58), "aarch64": (220, 435)}
CLONE_THREAD = 0x10000
# The bit of x32's system calls, which x86_64's architecture word does not tell from its own.
X32 = 0x40000000
X32_EXECVE = X32 | 520

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_GET_SECCOMP, FILTER = 38, 22, 21, 2
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ERRNO, ALLOW = 0x00050000, 0x7FFF0000
REFUSE = ERRNO | errno.EPERM
NOTHING = b"/nonexistent/petasos"
# Offsets in struct seccomp_data; of the first argument the lower half.
NUMBER, ARCHITECTURE, FIRST = 0, 4, 16


def no_exec(arch, execve, execveat):
    """A filter, as (code, jump if true, jump if false, operand)."""
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


def no_fork(arch, clone, clone3, *forks):
    """A filter that leaves of clone what makes threads. It cannot read clone3's flags, which are in
    memory: without it, the C library takes clone."""
    # Of each line: how many follow it.
    rest = len(forks)
    return [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 0, rest + 6, arch),
        (LOAD, 0, 0, NUMBER),
        (EQUAL, rest + 5, 0, clone3),
        *((EQUAL, rest + 3 - place, 0, fork) for place, fork in enumerate(forks)),
        (EQUAL, 1, 0, clone),
        (RETURN, 0, 0, ALLOW),
        (LOAD, 0, 0, FIRST),
        (ANY_BIT, 2, 0, CLONE_THREAD),
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, ERRNO | errno.ENOSYS),
        (RETURN, 0, 0, ALLOW),
    ]


def take():
    machine = platform.machine()
    if machine not in CALLS:
        raise Broken(f"the lock on execve is not known for {machine}")
    if len(os.listdir("/proc/self/task")) != 1:
        raise Broken("too late for the lock on execve: there is more than one thread")
    arch, execve, execveat = CALLS[machine]
    _install(no_exec(arch, execve, execveat))
    prove_no_exec()
    if machine == "x86_64":
        _prove_x32()
    _install(no_fork(arch, *FORKS[machine]))
    prove_no_fork()


def _install(program):
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    buffer = ctypes.create_string_buffer(code, len(code))
    fprog = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(buffer))
    fprog = ctypes.create_string_buffer(fprog, len(fprog))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise Broken(f"no_new_privs was refused: {os.strerror(ctypes.get_errno())}")
    if libc.prctl(PR_SET_SECCOMP, FILTER, ctypes.addressof(fprog), 0, 0):
        raise Broken(f"seccomp was refused: {os.strerror(ctypes.get_errno())}")


def prove():
    prove_no_exec()
    prove_no_fork()


def prove_no_exec():
    """Asks the kernel itself. Programs that do not exist: should it not hold, nothing starts."""
    _, execve, execveat = CALLS[platform.machine()]
    empty = (ctypes.c_char_p * 1)(None)
    tries = {
        "execve": (execve, NOTHING, empty, empty),
        "execveat": (execveat, -1, NOTHING, empty, empty, 0),
    }
    for name, (number, *args) in tries.items():
        _must_be(errno.EPERM, "execve", name, _errno_of(number, *args))
    if ctypes.CDLL(None).prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != FILTER:
        raise Broken("the lock on execve does not hold: seccomp is not in filter mode")


def prove_no_fork():
    """Not with vfork, whose child would go on in this process's own memory: it is held by the same
    line as fork."""
    clone, clone3, *forks = FORKS[platform.machine()]
    # Of no size, which the kernel itself refuses otherwise.
    _must_be(errno.ENOSYS, "fork", "clone3", _errno_of(clone3, None, 0))
    _must_be(errno.EPERM, "fork", "clone", _errno_of(clone, signal.SIGCHLD, None, None, None, None))
    if forks:
        _must_be(errno.EPERM, "fork", "fork", _errno_of(forks[0]))


def _must_be(wanted, lock, name, found):
    if found != wanted:
        said = errno.errorcode.get(found, "success")
        raise Broken(f"the lock on {lock} does not hold: {name} gave {said}")


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
    me = os.getpid()
    libc.syscall(ctypes.c_long(number), *args)
    if os.getpid() != me:
        os._exit(0)  # A child, where none should be.
    return ctypes.get_errno()
