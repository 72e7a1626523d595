"""The evidence of an incident: `main` takes what to seal as JSON and prints one line of JSON.
Root's, from the operator's machine: nothing of the host's own programs but the distribution's.

The agent is paused first, so that its memory, processes and sockets stay to be looked at; what a
stop would lose is written down, then it is ended (a drill lets it go on), then what is on disk is
copied. `sealed.json` says what came of it, MANIFEST.sha256 names each file's digest.
"""

import hashlib
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
HOME = "/home/hermes/.hermes"
AGENT = "hermes"
UNITS = ("hermes.service", "petasos-sandbox@*.service", "petasos-sandbox-net@*.service")
STOPPED = (*UNITS, "petasos-proxy.service")
# Whatever writes here is part of the story; a file is a line.
LISTED = "/home /root /etc /usr/local /usr/lib/petasos /var/log/hermes /var/spool/cron".split()
LISTED += ["/tmp", "/var/tmp", "/dev/shm"]
COPIED = ("/var/log/hermes", "/var/lib/petasos/history.jsonl", "/etc/petasos", "/etc/hermes")
# They are rotated, not kept.
NEVER = re.compile(r"secrets\.env|/backup/(key|password)$")
SECRET = re.compile(rb"^([A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|PASS)[A-Z0-9_]*)=.*", re.S)
JOURNAL = "-14d"
# Bounds, so that nobody can keep it busy: of files listed, seconds for a program and for all
# digests, and what stays free on the disk.
LINES, PATIENCE, DIGESTS, FREE = 400_000, 60, 600, 512 << 20

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
ON_DISK = {
    "journal.verify": "journalctl --verify",
    "packages": "dpkg -V",
    "setuid": "find / -xdev -perm /6000 -type f",
    "login-keys": "for f in /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys; do"
    ' [ ! -f "$f" ] || ssh-keygen -lf "$f" | sed "s#^#$f #"; done;'
    " for f in /etc/ssh/ssh_host_*.pub; do ssh-keygen -lf $f; done",
}


def quiet(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def shell(script, path, notes):
    """What a script prints, in a file; that it did not end is said."""
    with open(path, "wb") as file:
        try:
            subprocess.run(
                ["sh", "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            notes.append(f"{os.path.basename(path)}: cut off after {PATIENCE} s")


def side_by_side(jobs):
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


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
    os.makedirs(place)
    for name in ("cmdline", "status", "maps", "cgroup", "mountinfo", "limits", "environ"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                text = file.read()
        except OSError:
            continue
        if name in ("environ", "cmdline"):
            words = text.split(b"\0")
            text = b"\n".join(SECRET.sub(rb"\1=[removed]", word) for word in words)
        with open(f"{place}/{name}", "wb") as file:
            file.write(text)
    lines = []
    for name in ("exe", "cwd", "root", *(f"fd/{fd}" for fd in listed(f"/proc/{pid}/fd"))):
        try:
            lines.append(f"{name} -> {os.readlink(f'/proc/{pid}/{name}')}")
        except OSError:
            pass
    with open(f"{place}/links", "w", errors="surrogateescape") as file:
        file.write("\n".join(lines) + "\n")


def listed(path):
    try:
        return sorted(os.listdir(path), key=lambda name: (len(name), name))
    except OSError:
        return []


def end(notes):
    """The agent and all that its user runs; it does not come back while the incident is open."""
    for _ in range(50):
        left = processes()
        if not left:
            break
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        for unit in UNITS:
            quiet("systemctl", "thaw", unit)
        quiet("systemctl", "stop", *STOPPED)
        time.sleep(0.05)
    left = processes()
    if left:
        notes.append(f"still there: processes {', '.join(map(str, sorted(left)))}")


def files(path):
    """Owner, mode, times and target of each, without following anything."""
    lines = 0
    with open(path, "w", errors="surrogateescape") as out:
        for place in LISTED:
            for folder, names, others in os.walk(place):
                for name in (*names, *others):
                    try:
                        seen = os.lstat(os.path.join(folder, name))
                    except OSError:
                        continue
                    lines += 1
                    if lines > LINES:
                        out.write(f"cut off after {LINES} lines\n")
                        return
                    when = time.strftime("%FT%TZ", time.gmtime(seen.st_mtime))
                    change = time.strftime("%FT%TZ", time.gmtime(seen.st_ctime))
                    out.write(
                        f"{when} {change} {seen.st_mode:06o} {seen.st_uid}:{seen.st_gid}"
                        f" {seen.st_size} {os.path.join(folder, name)!r}\n"
                    )


def copied(place):
    """Logs, records and settings, without what has to be rotated."""
    for path in COPIED:
        for folder, _, names in os.walk(path) if os.path.isdir(path) else [("", (), [path])]:
            for name in names:
                source = os.path.join(folder, name)
                if NEVER.search(source) or os.path.islink(source) or not os.path.isfile(source):
                    continue
                target = place + source
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(source, target)


def packed(name, *argv):
    """What a program prints, compressed; it is none of ours if that is cut off."""
    script = 'out=$1; shift; "$@" | gzip -1 >"$out"'
    done = quiet("bash", "-o", "pipefail", "-c", script, "bash", name, *argv)
    return done.returncode == 0, done.stderr.strip()[-300:]


def data(here, notes):
    """The agent's data, if there is room for a copy of it."""
    size = int((quiet("du", "-sk", HOME).stdout.split() or ["0"])[0]) << 10
    free = os.statvfs(here)
    if size + FREE > free.f_bavail * free.f_frsize:
        notes.append(f"no copy of the agent's data: {size >> 20} MiB, and there is no room")
        return
    argv = (
        "tar",
        "-C",
        os.path.dirname(HOME),
        "--sparse",
        "--xattrs",
        "--acls",
        "--one-file-system",
    )
    good, said = packed(
        f"{here}/home.tar.gz", *argv, "--warning=no-file-changed", "-cf", "-", ".hermes"
    )
    if not good:
        notes.append(f"the copy of the agent's data may not be whole: {said}")


def digest(path):
    seen = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            seen.update(piece)
    return seen.hexdigest()


def hollow(seen):
    """Whether nearly all of a file is holes: to read them all may take days."""
    return seen.st_size > (64 << 20) + 4 * 512 * seen.st_blocks


def home_digests(path):
    end = time.monotonic() + DIGESTS
    with open(path, "w", errors="surrogateescape") as out:
        for folder, _, names in os.walk(HOME):
            for name in names:
                source = os.path.join(folder, name)
                if time.monotonic() > end:
                    out.write(f"cut off after {DIGESTS} s\n")
                    return
                if not os.path.islink(source) and os.path.isfile(source):
                    try:
                        if hollow(os.stat(source)):
                            out.write(f"nearly all holes  {os.path.relpath(source, HOME)!r}\n")
                            continue
                        out.write(f"{digest(source)}  {os.path.relpath(source, HOME)!r}\n")
                    except OSError as error:
                        out.write(f"{error}\n")


def sealed(asked, here):
    began, laps, notes, place = time.monotonic(), [], [], f"{here}/collected"

    def lap(what):
        laps.append([what, round(time.monotonic() - began, 2)])

    os.makedirs(f"{place}/volatile/proc")
    os.makedirs(f"{place}/disk")
    how = pause()
    lap(f"the agent is {how}")
    seen = processes()
    jobs = [
        lambda name=name, script=script: shell(script, f"{place}/volatile/{name}", notes)
        for name, script in VOLATILE.items()
    ]
    side_by_side(jobs)
    for pid in seen:
        described(pid, f"{place}/volatile/proc/{pid}")
    lap(f"what a stop would lose is written down: {len(seen)} processes")
    if not asked["drill"]:
        end(notes)
        lap("the agent is ended")
    quiet("journalctl", "--sync")
    journal = ("journalctl", "-o", "export", "--since", JOURNAL)
    side_by_side(
        [
            *(
                lambda name=name, script=script: shell(script, f"{place}/disk/{name}", notes)
                for name, script in ON_DISK.items()
            ),
            lambda: files(f"{place}/disk/files"),
            lambda: home_digests(f"{place}/disk/home.sha256"),
            lambda: copied(f"{place}/disk"),
            lambda: packed(f"{here}/journal.export.gz", *journal),
            lambda: data(here, notes),
        ]
    )
    packed(f"{here}/collected.tar.gz", "tar", "-C", here, "-cf", "-", "collected")
    shutil.rmtree(place)
    lap("what is on disk is copied")
    answer = {"laps": laps, "notes": notes, "processes": len(seen)}
    with open(f"{here}/incident.json", "w") as file:
        json.dump({**asked, "sealed": int(time.time()), **answer}, file)
    names = [name for name in sorted(os.listdir(here)) if name.endswith((".gz", "incident.json"))]
    lines = [f"{digest(f'{here}/{name}')}  {name}\n" for name in names]
    with open(f"{here}/MANIFEST.sha256", "w") as file:
        file.writelines(lines)
    sizes = [{"name": name, "bytes": os.stat(f"{here}/{name}").st_size} for name in names]
    lap("it is sealed")
    return {**answer, "files": sizes, "manifest": "".join(lines)}


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
    done = f"{here}/sealed.json"
    if not os.path.exists(done):
        if not asked["drill"]:
            older(here)
        # What an earlier try left half done.
        for name in os.listdir(here):
            if name not in ("record.json",):
                path = os.path.join(here, name)
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        answer = sealed(asked, here)
        with open(f"{done}.new", "w") as file:
            json.dump(answer, file)
        os.replace(f"{done}.new", done)
    with open(done) as file:
        print(file.read())
