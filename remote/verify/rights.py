"""What an attacker inside may try on processes, privileges and the kernel."""

import ctypes
import errno
import mmap
import os
import socket
import subprocess
import sys
from typing import Annotated

from .patience import patience
from .probe import ROLE, TOKEN, no, yes


def run(argv: list[str], prints: str):
    """A program: it worked when it ended well and printed this text."""
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patience(8)
        )
    except subprocess.TimeoutExpired:
        return "silent", f"`{' '.join(argv)}` does not end"
    output = done.stderr.strip() or done.stdout.strip() or f"it ended with {done.returncode}"
    details = output.splitlines()[0][:160]
    return yes(details) if done.returncode == 0 and prints in done.stdout else no(details)


def capabilities():
    """Any privilege, a way to more, or no filter on system calls: the kernel's own answer."""
    with open("/proc/self/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    keys = ("Uid", "Groups", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")
    details = ", ".join(f"{key} {status[key]}" for key in keys).replace("\t", " ")
    free = (
        "0" in status["Uid"].split() + status["Gid"].split()
        or int(status["CapBnd"], 16)
        or int(status["CapEff"], 16)
        or status["NoNewPrivs"] != "1"
        or status["Seccomp"] != "2"
    )
    return yes(details) if free else no(details)


def processes():
    """A look at the processes of other users."""
    mine, others = os.getuid(), []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{name}").st_uid != mine or ROLE == "root":
                others.append(name)
        except OSError:
            pass
    if not others:
        return no("sees its own processes only")
    return yes(f"sees {len(others)} processes of others, such as {others[0]}")


def kill(pid: int):
    """A signal to a process: signal 0 asks whether another would be delivered."""
    os.kill(pid, 0)
    return yes(f"could send process {pid} a signal")


LIBC = ctypes.CDLL(None, use_errno=True)
NUMBERS = {
    "x86_64": {
        "bpf": 321,
        "finit_module": 313,
        "io_uring_setup": 425,
        "kcmp": 312,
        "keyctl": 250,
        "mount": 165,
        "perf_event_open": 298,
        "process_vm_readv": 310,
        "reboot": 169,
        "sethostname": 170,
        "userfaultfd": 323,
    },
    "aarch64": {
        "bpf": 280,
        "finit_module": 273,
        "io_uring_setup": 425,
        "kcmp": 272,
        "keyctl": 219,
        "mount": 40,
        "perf_event_open": 241,
        "process_vm_readv": 270,
        "reboot": 142,
        "sethostname": 161,
        "userfaultfd": 282,
    },
}


def system(name: Annotated[str, NUMBERS["x86_64"]], arguments: list[int | str]):
    """A system call with senseless arguments, in the kernel's order: who may not make it at all is
    told so first, others are told what is wrong with it."""
    numbers = NUMBERS.get(os.uname().machine)
    if numbers is None:
        return "error", f"no numbers of system calls for {os.uname().machine}"
    values = [
        value.encode() if isinstance(value, str) else ctypes.c_long(value) for value in arguments
    ]
    done = LIBC.syscall(ctypes.c_long(numbers[name]), *values)
    number = ctypes.get_errno()
    if done < 0 and number in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        # In a container, and where the kernel was told so, this is nobody's to do; that the probe
        # can see success, its other calls show.
        if ROLE == "root":
            return "nothing", f"{name}: not even root may, on this host"
        return no(f"{name}: {os.strerror(number)}")
    if done >= 0:
        return yes(f"{name}: it worked")
    return yes(f"{name}: the kernel looked at its arguments ({os.strerror(number)})")


PTRACE_SEIZE = 0x4206


def trace():
    """A look into a process, be it one's own child."""
    child = subprocess.Popen(["sleep", "5"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        done = LIBC.ptrace(ctypes.c_long(PTRACE_SEIZE), ctypes.c_long(child.pid), None, None)
        if done < 0:
            raise OSError(ctypes.get_errno(), "ptrace")
        return yes("could trace a process")
    finally:
        child.kill()
        child.wait()


def writable_code():
    """Memory that is writable and runs: how most exploits run their own code."""
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
    return yes("could have memory that is writable and executable")


# By number: a Python need not know them all.
FAMILIES = {
    "AF_VSOCK": (40, socket.SOCK_STREAM),
    "AF_ALG": (38, socket.SOCK_SEQPACKET),
    "AF_PACKET": (17, socket.SOCK_RAW),
    "AF_NETLINK": (16, socket.SOCK_RAW),
}


def family(name: Annotated[str, FAMILIES]):
    """A socket of a family that talks to the kernel, the machine below or the wire."""
    socket.socket(*FAMILIES[name], 0).close()
    return yes(f"could make a socket of {name}")


# Runs with no terminal, in a session of its own, its parent gone: it says where it is, tries to
# dial, and stays.
DAEMON = """
import socket, sys, time
print(open("/proc/self/cgroup").read().strip().splitlines()[-1].split(":")[-1], flush=True)
try:
    if not sys.argv[2]:
        raise OSError("nor was anything dialled")
    socket.create_connection((sys.argv[2], int(sys.argv[3])), 4).close()
    print("reached", flush=True)
except OSError as error:
    print(f"not reached ({error})", flush=True)
sys.stdout.close()
time.sleep(float(sys.argv[4]))
"""


def daemon(address: str | None, port: int):
    """A child that nobody waits for any more: it is to stay in its unit, and not to get out. With
    no address it dials nobody."""
    told = [TOKEN, address or "", str(port), str(patience(40))]
    child = subprocess.Popen(
        ["setsid", "-f", sys.executable, "-I", "-c", DAEMON, *told],
        # Whatever else it held open would make this run wait for its end.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    where, reached = child.stdout.readline().strip(), child.stdout.readline().strip()
    child.wait()
    if not reached:
        return "error", "the child did not run"
    with open("/proc/self/cgroup") as file:
        mine = file.read().strip().splitlines()[-1].split(":")[-1]
    details = f"it runs in {where}, {reached}"
    return yes(details) if where != mine or reached == "reached" else no(details)
