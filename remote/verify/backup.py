"""The host's backups, as root finds them: the records, and what the other side says to the host's
own key."""

import hashlib
import json
import os
import secrets
import struct
import subprocess
import sys
import time

from . import s3
from .host import output_of, properties
from .http2 import ask
from .patience import patience

KEYS = "/etc/petasos/backup"
STATE = "/var/lib/petasos-backup/state"
REPORT = "/var/lib/petasos-backup/stage/databases.json"
SCRUB = "petasos-vault-scrub.service"
WATCH = "/var/lib/petasos-vault/watch.json"
TIMER, UNIT = "petasos-backup.timer", "petasos-backup.service"
SSH = ["/usr/bin/ssh", "-F", f"{KEYS}/ssh_config", "vault"]
LONGEST = patience(30)
NOTICES = ("/etc/petasos/backup/RETENTION", "/etc/petasos/vault/RETENTION")
# No object has this name.
ABSENT = "f" * 64
PROGRAM = "/usr/lib/petasos/backup"
# Of sftp's version 3: what opens a session, and what answers it.
INIT, VERSION = struct.pack(">IBI", 5, 1, 3), 2


def store():
    """The host's own module, which knows where backups go."""
    sys.dont_write_bytecode = True
    os.environ["CREDENTIALS_DIRECTORY"] = KEYS
    sys.path.insert(0, PROGRAM)
    try:
        import store
    finally:
        sys.path.remove(PROGRAM)
    return store


def environment():
    return {**store().environment(), "LANG": "C.UTF-8", "RESTIC_CACHE_DIR": ""}


def record(name):
    try:
        with open(f"{STATE}/{name}") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def restic(password, *words):
    """What it printed, or what it complained about."""
    done = subprocess.run(
        ["timeout", str(LONGEST), *store().command(), "--no-cache", "--no-lock", *words],
        input=b"",
        capture_output=True,
        env={**environment(), "RESTIC_PASSWORD": password},
    )
    return done.returncode, done.stdout, done.stderr.decode(errors="replace").strip()


def sealed():
    """What a wrong password opens: the last line of restic's complaint, or nothing."""
    code, _, said = restic(secrets.token_hex(32), "cat", "config")
    return "" if code == 0 else said.splitlines()[-1] if said else f"restic ended with {code}"


def restored(good):
    """The digest of the list of databases, out of the last good snapshot."""
    if good is None:
        raise ValueError("there was no good backup yet")
    with open(f"{KEYS}/password") as file:
        code, out, said = restic(file.read().strip(), "dump", good["snapshot"], REPORT)
    if code != 0:
        raise OSError(said[-300:] or f"restic ended with {code}")
    return hashlib.sha256(out).hexdigest()


def said(argv, text=b""):
    """The beginning of what a program answers to a text; who ends its input first may get none."""
    program = subprocess.Popen(
        ["timeout", str(LONGEST), *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    with program:
        try:
            program.stdin.write(text)
            program.stdin.flush()
        except BrokenPipeError:
            pass
        found = program.stdout.read(5)
        program.terminate()
    return found


def own_port():
    """The other side's, which may not be the usual one."""
    with open(SSH[2]) as file:
        ports = [line.split()[1] for line in file if line.split()[:1] == ["Port"]]
    return ports[0] if ports else "22"


def beside():
    """What the host's key is let do there, but to run the one command."""
    opened = said([*SSH[:-1], "-s", "vault", "sftp"], INIT)
    ways = {
        "sftp": len(opened) > 4 and opened[4] == VERSION,
        "a shell": said([*SSH, "echo $((6 * 7))x"]).startswith(b"42x"),
        "forwarding": any(
            said([*SSH[:-1], "-W", f"127.0.0.1:{port}", "vault"]).startswith(b"SSH-")
            for port in {"22", own_port()}
        ),
    }
    return [name for name, open_to_it in ways.items() if open_to_it]


def taken(place):
    """Whether what was put there by sftp can be taken away by it."""
    path = f"{place}/petasos-verify"
    batch = f"put /etc/hostname {path}\nrm {path}\n".encode()
    argv = ["timeout", str(LONGEST), "/usr/bin/sftp", "-q", "-F", SSH[2], "-b", "-", "vault"]
    return subprocess.run(argv, input=batch, capture_output=True, env=environment()).returncode == 0


def erased():
    """How the other side answers who would take a snapshot away, which is not there, and a lock,
    which a host may take away; what else it lets the host do; and whether a bucket is locked."""
    known = store().settings()
    kind, found = known["kind"], {"answers": [None, None], "beside": [], "mode": ""}
    found.update(days=0, versions=False)
    if kind in ("vault", "ssh"):
        requests = [("DELETE", f"/snapshots/{ABSENT}"), ("DELETE", f"/locks/{ABSENT}")]
        found["answers"] = ask(SSH, environment(), requests, LONGEST)
        found["beside"] = beside()
    elif kind == "sftp":
        found["beside"] = ["sftp"] if taken(known["repository"].split(":", 2)[2]) else []
    else:
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        keys = [environment().get(name, "") for name in names]
        lock = s3.lock(known["endpoint"], known["bucket"], keys, LONGEST)
        found["mode"], found["days"], found["versions"] = lock
    return {"kind": kind, **found}


def tried(look):
    try:
        return {"found": look()}
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return {"error": f"{type(error).__name__}: {error}"}


def backup():
    good = record("good.json")
    timer = properties(TIMER, ["ActiveState", "UnitFileState"])
    # Nothing can be said yet of one that is at work.
    at_work = properties(UNIT, ["ActiveState"]).get("ActiveState") == "activating"
    age = None if good is None else round(time.time() - good["ended"])
    return {
        "last": good if at_work else record("last.json"),
        "good": good,
        "age": age,
        "timer": f"{timer.get('ActiveState', '')} {timer.get('UnitFileState', '')}".strip(),
        "wrong_password": tried(sealed),
        "restored": tried(lambda: restored(good)),
        "erased": tried(erased),
    }


def drill():
    """The last drill's record, the age of the last good one, and whether there is a next."""
    good = record("drill-good.json")
    timer = properties("petasos-drill.timer", ["ActiveState", "UnitFileState"])
    return {
        "last": record("drill.json"),
        "age": None if good is None else round(time.time() - good["ended"]),
        "timer": f"{timer.get('ActiveState', '')} {timer.get('UnitFileState', '')}".strip(),
    }


def notice():
    """What a colleague reads of how long backups are kept; nothing where there is none."""
    for path in NOTICES:
        try:
            with open(path) as file:
                return file.read(8192)
        except FileNotFoundError:
            continue
    return None


def vault():
    """What the vault's own looks found."""
    with open(WATCH) as file:
        watch = json.load(file)
    scrub = properties(SCRUB, ["Result", "ExecMainExitTimestamp"])
    log = output_of("journalctl", "-q", "-o", "cat", "-n", "3", f"_SYSTEMD_UNIT={SCRUB}")
    return {
        "age": round(time.time() - watch["time"]),
        "hosts": {host: found["stale"] for host, found in watch["hosts"].items()},
        "wrong": watch["wrong"],
        "scrub": scrub.get("Result", ""),
        "scrubbed": bool(scrub.get("ExecMainExitTimestamp", "")),
        "scrub_said": log.strip().splitlines()[-1:],
    }
