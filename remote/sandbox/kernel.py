"""What Python's own modules cannot ask of the kernel: mounts, capabilities, process trees."""

import ctypes
import os

CLONE_NEWPID = 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND = 32, 4096
MNT_DETACH, UMOUNT_NOFOLLOW = 2, 8
PR_SET_DUMPABLE, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 4, 47, 4
CAPABILITY_VERSION_3 = 0x20080522

# Of /proc, what tells of the whole host and is of no use to a command, and what could change it.
# Root alone may read or write most of it anyway.
HIDDEN = ("kallsyms", "kcore", "key-users", "keys", "kmsg", "modules", "timer_list")
READ_ONLY = ("bus", "fs", "irq", "sys", "sysrq-trigger")

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}: {os.strerror(number)}")


def number(value):
    return ctypes.c_ulong(value)


def text(value):
    return value.encode() if value is not None else None


def mount(source, target, kind, flags, options=None):
    call(libc.mount, text(source), text(target), text(kind), number(flags), text(options))


def bind(source, target, flags=0):
    """Flags of a bind mount count only when it is mounted once more."""
    mount(source, target, None, MS_BIND)
    mount(None, target, None, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | flags)


def read_only(target):
    flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
    mount(None, target, None, MS_REMOUNT | MS_BIND | flags)


def take_away(target):
    """With all that is mounted below it."""
    call(libc.umount2, text(target), MNT_DETACH | UMOUNT_NOFOLLOW)


def new_process_tree():
    """The next child is process 1 of it."""
    call(libc.unshare, CLONE_NEWPID)


def mount_proc():
    """As seen from the caller's own tree. Not a `subset=pid`: without the rest, `ps` and `free` do
    not work, and Node counts no processor."""
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    there = set(os.listdir("/proc"))
    for name in there.intersection(HIDDEN):
        bind("/dev/null", f"/proc/{name}", MS_NOEXEC)
    for name in there.intersection(READ_ONLY):
        bind(f"/proc/{name}", f"/proc/{name}", MS_RDONLY | MS_NOEXEC)


def mount_terminals():
    """The host's would be used up from here, and then nobody logs in."""
    mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "mode=620,ptmxmode=666,max=64")


def prctl(option, value=0):
    call(libc.prctl, option, number(value), number(0), number(0), number(0))


def hide_from_debuggers():
    prctl(PR_SET_DUMPABLE)


def give_up_rights():
    """For good: the unit has NoNewPrivileges=, and this user has nothing else."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    head = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    call(libc.capset, head, (ctypes.c_uint32 * 6)())
