"""The host's backups, as root finds them: the records, and what the vault says to the host's own
key."""

import hashlib
import json
import os
import secrets
import subprocess
import time

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


def environment():
    return {**os.environ, "CREDENTIALS_DIRECTORY": KEYS, "LANG": "C.UTF-8", "RESTIC_CACHE_DIR": ""}


def record(name):
    try:
        with open(f"{STATE}/{name}") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def restic(password, *words):
    """What it printed, or what it complained about."""
    store = ["-o", f"rclone.program={' '.join(SSH)}", "-o", "rclone.args=petasos", "-r", "rclone:"]
    done = subprocess.run(
        ["timeout", str(LONGEST), "/usr/bin/restic", "--no-cache", "--no-lock", *store, *words],
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


def erased():
    """How the vault answers who would take a snapshot away, which is not there, and a lock, which
    a host may take away."""
    requests = [("DELETE", f"/snapshots/{ABSENT}"), ("DELETE", f"/locks/{ABSENT}")]
    return ask(SSH, environment(), requests, LONGEST)


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
