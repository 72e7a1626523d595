"""The agent's audit log: whether its newest lines are chained, and who may touch it."""

import calendar
import hashlib
import json
import os
import pwd
import re
import subprocess
import sys
import time

from .host import access, output_of
from .patience import patience

LOG = "/var/log/hermes"
FULL = re.compile(r"audit-\d{12}\.jsonl", re.ASCII)
# How much of its end is looked at for the chain, in bytes.
WINDOW = 1 << 20


def log_files():
    """The newest first."""
    full = sorted((name for name in os.listdir(LOG) if FULL.fullmatch(name)), reverse=True)
    return [os.path.join(LOG, name) for name in ["audit.jsonl", *full]]


LINE = re.compile(
    rb'\{"seq":(\d{1,18}),"time":"[0-9T:.Z-]{24}","event":"[a-z_]+","uid":'
    rb'[\x01-\x09\x0b-\x7f]*,"prev":"([0-9a-f]{64})"\}\n'
)
HEAD = re.compile(r"head (\d{1,18}) ([0-9a-f]{64})")


def heads():
    """What the writer told the journal; nobody else can write that."""
    unit = "_SYSTEMD_UNIT=petasos-audit.service"
    words = ["journalctl", "-q", "--no-pager", "-n", "2000", "-o", "json"]
    found = []
    for line in output_of(*words, "--output-fields=MESSAGE", unit).splitlines():
        message = json.loads(line).get("MESSAGE")
        head = HEAD.match(message) if isinstance(message, str) else None
        if head:
            found.append((int(head[1]), head[2]))
    return list(dict.fromkeys(found))


def seconds(line):
    """When it was written."""
    stamp = re.search(rb'"time":"([0-9T:-]{19})', line)
    return calendar.timegm(time.strptime(stamp[1].decode(), "%Y-%m-%dT%H:%M:%S")) if stamp else 0


def newest_lines():
    """The last lines of the log, whole ones, with the names of their files."""
    found, room = [], WINDOW
    for path in log_files():
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - room))
            # Where it begins in the middle of a line, that one is left out.
            lines = file.readlines()[1 if size > room else 0 :]
        # What the writer is at work on is no line yet.
        if path.endswith("/audit.jsonl") and lines and not lines[-1].endswith(b"\n"):
            lines.pop()
        name = os.path.basename(path)
        found[:0] = [(name, number, line) for number, line in enumerate(lines, 1)]
        room -= size
        if room <= 0:
            break
    return found


def walk(lines, told):
    """As `remote/run/audit_chain.py` walks along the whole log."""
    breaks, seen = [], {}
    first = last = 0
    before = head = ""
    for at, (name, number, text) in enumerate(lines):
        own, due = LINE.fullmatch(text), last + 1 if at else 0
        seq, kind = int(own[1]) if own else 0, None
        if not text.endswith(b"\n"):
            kind = "cut_off"
        elif not own:
            kind = "form"
        elif not at:
            first, before = seq, own[2].decode()
        elif seq != due:
            kind = "number"
        elif own[2].decode() != head:
            kind = "digest"
        if kind:
            breaks.append({"file": name, "line": number, "kind": kind, "seq": seq, "due": due})
        last, head = seq or last + 1, hashlib.sha256(text).hexdigest()
        if last in told:
            seen[last] = head
    return {
        "lines": len(lines),
        "first": first,
        "before": before,
        "last": last,
        "head": head,
        "breaks": breaks[:20],
        "more": max(0, len(breaks) - 20),
    }, seen


def chain():
    """The newest lines of the log, and what the journal has on record of them."""
    # The journal first: what it has by now is in the files by then.
    told = heads()
    lines = newest_lines()
    found, seen = walk(lines, {seq for seq, _ in told})
    journal = [{"seq": seq, "told": digest, "is": seen.get(seq)} for seq, digest in told]
    age = int(time.time() - seconds(lines[0][2])) if lines else 0
    return {"walk": found, "journal": journal, "age": max(0, age)}


# What is tried on the log, by the kernel's own answer: outside of the agent's unit, which does not
# see the log at all. Nothing is written.
ATTEMPTS = """
import json, os, sys
folder, done = sys.argv[1], []
path = folder + "/audit.jsonl"
for what, place, flags in (
    ("makes files", folder, os.O_TMPFILE | os.O_RDWR),
    ("appends", path, os.O_WRONLY | os.O_APPEND),
    ("changes", path, os.O_RDWR),
    ("reads", path, os.O_RDONLY),
):
    try:
        os.close(os.open(place, flags, 0o600))
        done.append(what)
    except OSError:
        pass
# What removes and renames.
if os.access(folder, os.W_OK | os.X_OK):
    done.append("removes")
print(json.dumps(done))
"""


def may(name):
    """What a user may do with the log."""
    user = pwd.getpwnam(name)
    done = subprocess.run(
        [sys.executable, "-I", "-c", ATTEMPTS, LOG],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience(10),
        check=True,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
    )
    return json.loads(done.stdout)


def log(account):
    """The owners and modes of the log, and what the agent's user and root may do with it."""
    files = {path: access(path) for path in [LOG, *log_files()]}
    return {"files": files, "agent": may(account), "root": may("root")}
