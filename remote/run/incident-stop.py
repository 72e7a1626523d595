"""The first half of the evidence: `main` takes the incident as JSON and prints one line of JSON.
Root's, from the operator's machine: nothing of the host's own programs but the distribution's.

The agent is paused, so that its memory, processes and sockets stay to be looked at; what a stop
would lose goes into volatile.tar.gz; then the agent is ended, whatever came of that (a drill lets
it go on later).
"""

import fcntl
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import threading
import time

FOLDER = "/var/lib/petasos/incident"
AGENT = "hermes"
UNITS = ("hermes.service", "petasos-sandbox@*.service", "petasos-sandbox-net@*.service")
STOPPED = (*UNITS, "petasos-proxy.service")
SECRET = re.compile(rb"^([A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|PASS)[A-Z0-9_]*)=.*", re.S)
# Bounds, so that nobody can keep it busy or fill the disk: seconds a program may take, and bytes of
# its output, of a file of /proc, and of all of these.
PATIENCE, OUTPUT, OF_FILE, OF_PROC = 60, 32 << 20, 1 << 20, 128 << 20

VOLATILE = {
    "clock": "date -u +%FT%T.%NZ; uptime",
    "processes": "ps -eo pid,ppid,user:32,lstart,stat,pcpu,rss,args --forest |"
    " sed -E 's/([A-Za-z_]*(key|token|secret|passw)[a-z_]*[= ])[^ ]+/\\1[removed]/Ig'",
    "sockets": "ss -tunapeO",
    "sockets-unix": "ss -xap",
    "nftables.json": "nft -j list ruleset",
    "unit": "systemctl show hermes.service; systemctl cat hermes.service",
    "units": "systemctl list-units --all --no-pager; systemctl list-timers --all --no-pager",
    "unit-files": "systemctl list-unit-files --no-pager",
    "logins": "who -a; last -aFn 200; loginctl list-sessions --no-pager",
    "network": "ip addr; ip route; ip -6 route; ip neigh",
    "modules": "lsmod",
    "mounts": "findmnt -A",
}


def quiet(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def shell(name, script, place, notes):
    """What a script prints, in a file; that this is not all of it is said."""
    limited = f"{{ {script}; }} 2>&1 | head -c {OUTPUT}"
    try:
        with open(f"{place}/{name}", "wb") as file:
            subprocess.run(
                ["sh", "-c", limited], stdin=subprocess.DEVNULL, stdout=file, timeout=PATIENCE
            )
        if os.stat(f"{place}/{name}").st_size >= OUTPUT:
            notes.append(f"{name}: cut off after {OUTPUT >> 20} MiB")
    except (OSError, subprocess.TimeoutExpired) as error:
        notes.append(f"{name}: {error}")


def pause():
    """By the kernel's freezer where there is one; says how."""
    if quiet("systemctl", "freeze", UNITS[0]).returncode == 0:
        for unit in UNITS[1:]:
            quiet("systemctl", "freeze", unit)
        return "frozen"
    for unit in UNITS:
        quiet("systemctl", "kill", "-s", "STOP", unit)
    return "stopped by SIGSTOP"


def processes():
    """The agent's user's own, and those of its units, by number."""
    uid, found = pwd.getpwnam(AGENT).pw_uid, set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cgroup") as file:
                group = file.read()
            of_unit = "/hermes.service" in group or "petasos-sandbox" in group
            if of_unit or os.stat(f"/proc/{name}").st_uid == uid:
                found.add(int(name))
        except OSError:
            pass
    return found


def described(pid, place):
    """What the kernel says of a process; how many bytes that is."""
    os.makedirs(place)
    size = 0
    for name in ("cmdline", "status", "maps", "cgroup", "mountinfo", "limits", "environ"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                text = file.read(OF_FILE)
        except OSError:
            continue
        if name in ("environ", "cmdline"):
            words = text.split(b"\0")
            text = b"\n".join(SECRET.sub(rb"\1=[removed]", word) for word in words)
        with open(f"{place}/{name}", "wb") as file:
            size += file.write(text)
    lines = []
    for name in ("exe", "cwd", "root", *(f"fd/{fd}" for fd in opened(pid))):
        try:
            lines.append(f"{name} -> {os.readlink(f'/proc/{pid}/{name}')}\n")
        except OSError:
            pass
    with open(f"{place}/links", "w", errors="surrogateescape") as file:
        return size + file.write("".join(lines))


def opened(pid):
    try:
        return sorted(os.listdir(f"/proc/{pid}/fd"), key=int)[:4096]
    except OSError:
        return []


def end(notes):
    """The agent and all that its user runs; it does not come back while the incident is open.

    A unit whose frozen processes are killed can stay frozen for systemd with nothing left to thaw,
    and never starts again (systemd's pull request 41842): each is stopped, thawed, then killed.
    """
    for _ in range(50):
        if not signalled(signal.SIGSTOP):
            break
        for unit in UNITS:
            quiet("systemctl", "thaw", unit)
        signalled(signal.SIGKILL)
        quiet("systemctl", "stop", *STOPPED)
        time.sleep(0.05)
    left = processes()
    if left:
        notes.append(f"still there: processes {', '.join(map(str, sorted(left)[:20]))}")


def signalled(which):
    """Sends it to all of the agent's processes; says which they are."""
    found = processes()
    for pid in found:
        try:
            os.kill(pid, which)
        except OSError:
            pass
    return found


def written_down(seen, here, notes):
    """What a stop would lose, in an archive that no later try replaces."""
    place = f"{here}/volatile"
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(f"{place}/proc")
    jobs = [(name, script, place, notes) for name, script in VOLATILE.items()]
    threads = [threading.Thread(target=shell, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    size = 0
    for pid in sorted(seen):
        if size > OF_PROC:
            notes.append(f"of {len(seen)} processes not all are described: {OF_PROC >> 20} MiB")
            break
        try:
            size += described(pid, f"{place}/proc/{pid}")
        except OSError as error:
            notes.append(f"process {pid}: {error}")
    new = f"{here}/volatile.new"
    packed = quiet("tar", "-C", here, "-czf", new, "volatile")
    if packed.returncode != 0:
        raise OSError(packed.stderr.strip()[-300:])
    with open(new, "rb") as file:
        os.fsync(file.fileno())
    os.replace(new, f"{here}/volatile.tar.gz")
    shutil.rmtree(place)


def stopped(asked, here):
    began, laps, notes = time.monotonic(), [], []

    def lap(what):
        laps.append([what, round(time.monotonic() - began, 2)])

    how = pause()
    lap(f"the agent is {how}")
    seen = processes()
    try:
        written_down(seen, here, notes)
    except Exception as error:  # whatever it is, the agent is ended
        notes.append(f"what a stop loses is not written down: {error}")
    lap(f"what a stop would lose is written down: {len(seen)} processes")
    if not asked["drill"]:
        end(notes)
        lap("the agent is ended")
    return {"laps": laps, "notes": notes, "processes": len(seen)}


def older(here):
    """The evidence of an incident that is closed has long been fetched: its room is needed."""
    for entry in os.scandir(FOLDER):
        if entry.is_dir(follow_symlinks=False) and entry.path != here:
            shutil.rmtree(entry.path)


def main(text):
    asked = json.loads(text)
    os.umask(0o077)
    here = os.path.join(FOLDER, os.path.basename(asked["id"]))
    os.makedirs(here, exist_ok=True)
    # A try before this one may be at work still, without anybody who listens.
    lock = os.open(f"{FOLDER}/lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    done = f"{here}/stopped.json"
    if not os.path.exists(done):
        if not asked["drill"]:
            older(here)
        answer = stopped(asked, here)
        with open(f"{done}.new", "w") as file:
            json.dump(answer, file)
        os.replace(f"{done}.new", done)
    elif not asked["drill"]:
        end([])
    with open(done) as file:
        print(file.read())
