"""A look into the agent's own process from where its commands would run: as its user, and in the
user namespace of its unit, which keeps all others out whatever the process itself does."""

import json
import pwd
import subprocess
import sys

from .patience import patience
from .policy import main_pid

# A process of its own, for the kernel lets in none that has threads. It looks into a neighbour
# too, who hides nothing: that it can see at all.
LOOK = """
import ctypes, json, os, subprocess, sys
pid, uid, gid = map(int, sys.argv[1:])
os.setgroups([])
its = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY)
if not os.path.sameopenfile(its, os.open("/proc/self/ns/user", os.O_RDONLY)):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(its, 0x10000000) < 0:
        raise OSError(ctypes.get_errno(), "setns")
os.setresgid(gid, gid, gid)
os.setresuid(uid, uid, uid)

def seen(pid):
    found = []
    for part in ("environ", "mem", "maps", "fd"):
        place = f"/proc/{pid}/{part}"
        try:
            os.listdir(place) if part == "fd" else os.close(os.open(place, os.O_RDONLY))
            found.append(part)
        except PermissionError:
            pass
    return found

with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as neighbour:
    # Until it answers it may not be what it is going to be.
    neighbour.stdin.write(b"?\\n")
    neighbour.stdin.flush()
    neighbour.stdout.readline()
    print(json.dumps({"agent": seen(pid), "neighbour": seen(neighbour.pid)}))
"""


def beside(unit, account):
    """What of /proc/PID such a process may open."""
    pid, user = main_pid(unit), pwd.getpwnam(account)
    if not pid:
        raise LookupError("the agent does not run")
    words = map(str, (pid, user.pw_uid, user.pw_gid))
    done = subprocess.run(
        [sys.executable, "-I", "-c", LOOK, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience(10),
        cwd="/",
    )
    if done.returncode:
        raise LookupError((done.stderr.strip() or "it said nothing").splitlines()[-1])
    return json.loads(done.stdout)
