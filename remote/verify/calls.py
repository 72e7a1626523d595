# What an attacker inside may try on files, processes and the kernel. Each call tries one thing,
# leaves nothing behind, and returns (outcome, words): `allowed`, `refused`, `silent` (nobody said
# no), `nothing` (there is no such thing here).
import ctypes
import errno
import glob
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

ROLE = sys.argv[1] if len(sys.argv) > 1 else "launch"
# A word that no other run has, to find what a run left behind.
TOKEN = sys.argv[2] if len(sys.argv) > 2 else "petasos-verify-" + os.urandom(8).hex()

NO = {
    errno.EPERM, errno.EACCES, errno.EROFS, errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ECONNRESET, errno.ENOSYS,
    errno.ESRCH, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT, errno.ENOENT, errno.ENXIO, errno.ENOTDIR,
    errno.EPIPE,
}
# Root is refused nothing: what it does not find is not there.
ABSENT = {errno.ENOENT, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT, errno.ENOTDIR}


def said(error):
    number = error.errno or 0
    words = f"{errno.errorcode.get(number, number)}: {os.strerror(number)}" if number else str(error)
    if number in (errno.ENETUNREACH, errno.EADDRNOTAVAIL):
        return "nothing", words
    if ROLE == "root" and number in ABSENT:
        return "nothing", words
    return ("refused" if number in NO else "error"), words


def yes(words):
    return "allowed", words


def no(words):
    return "refused", words


def create(folder):
    """A new file in a folder: one without a name, which nobody sees and which is gone at once."""
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        # The file system has no such files, but it was asked only once the permission was given.
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):
            raise
    return yes(f"could make a file in {folder}")


def change(path):
    """Opened for writing, and left as it is."""
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
    return yes(f"could open {path} for writing")


def read(path):
    if os.path.isdir(path):
        return yes(f"could list {path}: {len(os.listdir(path))} entries")
    with open(path, "rb") as file:
        file.read(1)
    return yes(f"could read {path}")


def any_of(name, paths):
    """One call on several paths: the first that works counts. A star stands for all names, as in the shell."""
    found = set()
    paths = [path for pattern in paths for path in (glob.glob(pattern) or [pattern])]
    for path in paths:
        try:
            return CALLS[name](path)
        except OSError as error:
            found.add(said(error))
    words = "; ".join(sorted({words for _, words in found}))
    if all(outcome == "nothing" for outcome, _ in found):
        return "nothing", words
    return ("error" if any(outcome == "error" for outcome, _ in found) else "refused"), words


def homes():
    """The homes of the others."""
    return [entry.path for entry in os.scandir("/home") if entry.name != "hermes"] + ["/root"]


def others_homes():
    return any_of("read", homes())


def rewrite(folder):
    """Whether one file of a tree is writable, by the kernel's own word on every one of them."""
    count = 0
    for place, _, files in os.walk(folder, followlinks=False):
        for path in [place, *(os.path.join(place, name) for name in files)]:
            count += 1
            if not os.path.islink(path) and os.access(path, os.W_OK):
                return yes(f"{path} is writable")
    return no(f"{count} files and folders, none writable") if count > 100 else ("error", f"only {count} files in {folder}")


# What is the agent's own, or a world of its own: its data, and what its unit has for itself.
ITS_OWN = {"/home/hermes/.hermes", "/var/log/hermes", "/tmp", "/var/tmp", "/proc", "/sys", "/dev"}


def anywhere():
    """Whether any folder of the host takes a new file, by the kernel's own word on every one of them."""
    count, waiting, end = 0, ["/"], time.monotonic() + 20
    while waiting:
        place = waiting.pop()
        count += 1
        if os.access(place, os.W_OK | os.X_OK):
            return yes(f"{place} takes files")
        if time.monotonic() > end:
            return "error", f"it took too long, after {count} folders"
        try:
            with os.scandir(place) as entries:
                waiting += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False) and entry.path not in ITS_OWN]
        except OSError:
            pass
    return no(f"{count} folders, none takes a file")


def setuid_file():
    """A file of one's own that would run as its owner, whoever starts it."""
    handle = os.open("/tmp", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(handle, 0o4755)
    finally:
        os.close(handle)
    return yes("could make a file setuid")


def run(argv, word):
    """A program: it worked when it ended well and said the word."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=8)
    except subprocess.TimeoutExpired:
        return "silent", f"`{' '.join(argv)}` does not end"
    words = (done.stderr.strip() or done.stdout.strip() or f"it ended with {done.returncode}").splitlines()[0][:160]
    return yes(words) if done.returncode == 0 and word in done.stdout else no(words)


def capabilities():
    """No privilege, no way to more, and a filter on system calls: the kernel's own word."""
    with open("/proc/self/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    words = ", ".join(f"{key} {status[key]}" for key in ("Uid", "Groups", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")).replace("\t", " ")
    ids = set(status["Uid"].split() + status["Gid"].split())
    free = "0" in ids or int(status["CapBnd"], 16) or int(status["CapEff"], 16) or status["NoNewPrivs"] != "1" or status["Seccomp"] != "2"
    return yes(words) if free else no(words)


def processes():
    """Those of other users."""
    mine, others = os.getuid(), []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{name}").st_uid != mine or ROLE == "root":
                others.append(name)
        except OSError:
            pass
    return yes(f"sees {len(others)} processes of others, such as {others[0]}") if others else no("sees its own processes only")


def kill(pid):
    """Signal 0 asks whether another would be delivered."""
    os.kill(pid, 0)
    return yes(f"could send process {pid} a signal")


LIBC = ctypes.CDLL(None, use_errno=True)
NUMBERS = {
    "x86_64": {"bpf": 321, "perf_event_open": 298, "finit_module": 313, "reboot": 169, "syslog": 103, "mount": 165, "sethostname": 170},
    "aarch64": {"bpf": 280, "perf_event_open": 241, "finit_module": 273, "reboot": 142, "syslog": 116, "mount": 40, "sethostname": 161},
}


def system(name, *arguments):
    """A system call with senseless arguments: who may not make it at all is told so first, others are told what is wrong with it."""
    numbers = NUMBERS.get(os.uname().machine)
    if numbers is None:
        return "error", f"no numbers of system calls for {os.uname().machine}"
    words = [argument.encode() if isinstance(argument, str) else argument for argument in arguments]
    done = LIBC.syscall(ctypes.c_long(numbers[name]), *(word if isinstance(word, bytes) else ctypes.c_long(word) for word in words))
    number = ctypes.get_errno()
    if done < 0 and number in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        # In a container, and where the kernel was told so, this is nobody's to do; that the probe
        # can see success, its other calls show.
        return ("nothing", f"{name}: not even root may, on this host") if ROLE == "root" else no(f"{name}: {os.strerror(number)}")
    return yes(f"{name}: " + ("it worked" if done >= 0 else f"the kernel looked at its arguments ({os.strerror(number)})"))


def trace():
    """To look into a process, be it one's own child."""
    child = subprocess.Popen(["sleep", "5"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        done = LIBC.ptrace(ctypes.c_long(0x4206), ctypes.c_long(child.pid), None, None)  # PTRACE_SEIZE
        if done < 0:
            raise OSError(ctypes.get_errno(), "ptrace")
        return yes("could trace a process")
    finally:
        child.kill()
        child.wait()


def writable_code():
    """Memory that is writable and runs: how most exploits run their own code."""
    import mmap

    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
    return yes("could have memory that is writable and runs")


def family(name):
    number = {"AF_VSOCK": 40, "AF_ALG": 38, "AF_PACKET": 17, "AF_NETLINK": 16}[name]
    kind = socket.SOCK_SEQPACKET if name == "AF_ALG" else socket.SOCK_STREAM if name == "AF_VSOCK" else socket.SOCK_RAW
    socket.socket(number, kind, 0).close()
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
time.sleep(40)
"""


def daemon(address, port):
    """A child that nobody waits for any more is still held, and still cannot get out."""
    child = subprocess.Popen(
        ["setsid", "-f", sys.executable, "-I", "-c", DAEMON, TOKEN, address, str(port)],
        # Whatever else it held open would make this run wait for its end.
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    where, reached = child.stdout.readline().strip(), child.stdout.readline().strip()
    child.wait()
    if not reached:
        return "error", "the child did not run"
    with open("/proc/self/cgroup") as file:
        mine = file.read().strip().splitlines()[-1].split(":")[-1]
    words = f"it runs in {where}, {reached}"
    return yes(words) if where != mine or reached == "reached" else no(words)


def scope(python):
    """What the agent's own code says of its settings, by its own command."""
    done = subprocess.run([python, "-P", "-c", SPEC["scope"]], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=25)
    if not done.stdout.startswith("{"):
        return "error", (done.stderr.strip() or "it said nothing").splitlines()[-1][:200]
    return yes(done.stdout.strip())
