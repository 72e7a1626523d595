"""The second half of the evidence: `main` takes the incident, with what came of the first half, as
JSON and prints one line of JSON. Root's, from the operator's machine: nothing of the host's own
programs but the distribution's.

What is on disk is copied. `sealed.json` says what came of all of it, MANIFEST names each file's
digest.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
import time

FOLDER = "/var/lib/petasos/incident"
HOME = "/home/hermes/.hermes"
# Whatever writes here is part of the story; a file is a line. The agent's own comes last.
LISTED = "/root /etc /usr/local /usr/lib/petasos /var/log/hermes /var/spool/cron /tmp /var/tmp"
LISTED += " /dev/shm /home"
COPIED = ("/var/log/hermes", "/var/lib/petasos/history.jsonl", "/etc/petasos", "/etc/hermes")
# They are rotated, not kept.
NEVER = re.compile(r"secrets\.env|/backup/(key|password)$")
JOURNAL = "-14d"
# Bounds, so that nobody can keep it busy or fill the disk: seconds for a program and for all
# digests, bytes of a list and of what a program prints, and what stays free.
PATIENCE, DIGESTS, LIST, OUTPUT, FREE = 60, 600, 64 << 20, 32 << 20, 512 << 20

ON_DISK = {
    "journal.verify": "journalctl --verify",
    "packages": "dpkg -V",
    "setuid": "find / -xdev -perm /6000 -type f",
    "login-keys": "for f in /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys; do"
    ' [ ! -f "$f" ] || ssh-keygen -lf "$f" | sed "s#^#$f #"; done;'
    " for f in /etc/ssh/ssh_host_*.pub; do ssh-keygen -lf $f; done",
}


class CutOff(Exception):
    pass


def quiet(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def shell(script, path):
    """What a script prints, in a file."""
    limited = f"{{ {script}; }} 2>&1 | head -c {OUTPUT}"
    with open(path, "wb") as file:
        subprocess.run(
            ["sh", "-c", limited], stdin=subprocess.DEVNULL, stdout=file, timeout=PATIENCE
        )
    if os.stat(path).st_size >= OUTPUT:
        raise CutOff(f"cut off after {OUTPUT >> 20} MiB")


def walked(place):
    """All below a folder, however deep, as paths with what lstat(2) says; nothing is followed."""
    folders = [place]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    try:
                        seen = entry.stat(follow_symlinks=False)
                    except OSError:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    yield entry.path, seen, entry.is_file(follow_symlinks=False)
        except OSError:
            continue


def listed(path, lines):
    """A list of lines, up to a size."""
    size = 0
    with open(path, "w", errors="surrogateescape") as out:
        for line in lines:
            size += out.write(line + "\n")
            if size > LIST:
                raise CutOff(f"cut off after {LIST >> 20} MiB")


def files():
    """Owner, mode, times and size of each."""
    for place in LISTED.split():
        for path, seen, _ in walked(place):
            when, change = (
                time.strftime("%FT%TZ", time.gmtime(at)) for at in (seen.st_mtime, seen.st_ctime)
            )
            owner = f"{seen.st_mode:06o} {seen.st_uid}:{seen.st_gid}"
            yield f"{when} {change} {owner} {seen.st_size} {path!r}"


def home_digests():
    end = time.monotonic() + DIGESTS
    for path, seen, is_file in walked(HOME):
        if time.monotonic() > end:
            raise CutOff(f"cut off after {DIGESTS} s")
        if not is_file:
            continue
        name = repr(os.path.relpath(path, HOME))
        # To read holes may take days.
        if seen.st_size > (64 << 20) + 4 * 512 * seen.st_blocks:
            yield f"nearly all holes  {name}"
            continue
        try:
            yield f"{digest(path)}  {name}"
        except OSError as error:
            yield f"{error}  {name}"


def copied(place):
    """Logs, records and settings, without what has to be rotated."""
    for path in COPIED:
        below = walked(path) if os.path.isdir(path) else [(path, None, os.path.isfile(path))]
        for source, _, is_file in below:
            if is_file and not NEVER.search(source):
                os.makedirs(os.path.dirname(place + source), exist_ok=True)
                shutil.copyfile(source, place + source)


def packed(name, *argv):
    """What a program prints, compressed."""
    script = 'out=$1; shift; "$@" | gzip -1 >"$out"'
    done = quiet("bash", "-o", "pipefail", "-c", script, "bash", name, *argv)
    if done.returncode != 0:
        raise OSError(f"it may not be whole: {done.stderr.strip()[-300:]}")


def data(here):
    """The agent's data, if there is room for a copy of it."""
    size = int((quiet("du", "-sk", HOME).stdout.split() or ["0"])[0]) << 10
    free = os.statvfs(here)
    if size + FREE > free.f_bavail * free.f_frsize:
        raise OSError(f"no copy: it has {size >> 20} MiB, and there is no room")
    tar = ["tar", "-C", os.path.dirname(HOME), "--sparse", "--xattrs", "--acls"]
    tar += ["--one-file-system", "--warning=no-file-changed", "-cf", "-", ".hermes"]
    packed(f"{here}/home.tar.gz", *tar)


def digest(path):
    seen = hashlib.sha256()
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW)) as file:
        while piece := file.read(1 << 20):
            seen.update(piece)
    return seen.hexdigest()


def jobs(here, place):
    """All that is copied, by name."""
    quiet("journalctl", "--sync")
    journal = ("journalctl", "-o", "export", "--since", JOURNAL)
    scripts = {
        name: lambda name=name, script=script: shell(script, f"{place}/{name}")
        for name, script in ON_DISK.items()
    }
    return {
        **scripts,
        "files": lambda: listed(f"{place}/files", files()),
        "home.sha256": lambda: listed(f"{place}/home.sha256", home_digests()),
        "logs and settings": lambda: copied(place),
        "the journal": lambda: packed(f"{here}/journal.export.gz", *journal),
        "the agent's data": lambda: data(here),
    }


def side_by_side(todo, notes):
    """Whatever goes wrong with one is said, and nothing else is lost."""

    def one(name, job):
        try:
            job()
        except Exception as error:
            notes.append(f"{name}: {error}")

    threads = [threading.Thread(target=one, args=item) for item in todo.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def sealed(asked, here):
    began, place = time.monotonic(), f"{here}/disk"
    before = asked["stopped"]
    laps, notes = list(before["laps"]), list(before["notes"])
    since = laps[-1][1]

    def lap(what):
        laps.append([what, round(since + time.monotonic() - began, 2)])

    # What an earlier try left half done; never the first half.
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    side_by_side(jobs(here, place), notes)
    disk = ("tar", "-C", here, "-cf", "-", "disk")
    side_by_side({"disk.tar.gz": lambda: packed(f"{here}/disk.tar.gz", *disk)}, notes)
    shutil.rmtree(place)
    lap("what is on disk is copied")
    answer = {"laps": laps, "notes": notes, "processes": before["processes"]}
    with open(f"{here}/incident.json", "w") as file:
        json.dump({**asked["incident"], "sealed": int(time.time()), **answer}, file)
    names = sorted(name for name in os.listdir(here) if name.endswith((".gz", "incident.json")))
    lines = [f"{digest(f'{here}/{name}')}  {name}\n" for name in names]
    sizes = [{"name": name, "bytes": os.stat(f"{here}/{name}").st_size} for name in names]
    lap("it is sealed")
    return {**answer, "files": sizes, "manifest": "".join(lines)}


def main(text):
    asked = json.loads(text)
    os.umask(0o077)
    here = os.path.join(FOLDER, os.path.basename(asked["incident"]["id"]))
    lock = os.open(f"{FOLDER}/lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    done = f"{here}/sealed.json"
    if not os.path.exists(done):
        answer = sealed(asked, here)
        with open(f"{done}.new", "w") as file:
            json.dump(answer, file)
        os.replace(f"{done}.new", done)
    with open(done) as file:
        print(file.read())
