"""An incident on this host: `main` takes a step of it as JSON and prints one line of JSON. Root's.

What it knows is in FOLDER: `open` says that one is open, and ID/ has its evidence and its record.
"""

import hashlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import time

FOLDER = "/var/lib/petasos/incident"
MARKER = f"{FOLDER}/open"
DRILL = f"{FOLDER}/drill.json"
TABLE = ["nft", "list", "table", "inet", "petasos_incident"]
HOME = "/home/hermes/.hermes"
# Where the values of secrets are, and what is made here and known to nobody.
SECRETS = (
    "/etc/hermes/secrets.env",
    "/etc/petasos/alarm/secrets.env",
    "/etc/petasos/backup/secrets.env",
)
MADE_HERE = ("API_SERVER_KEY",)
BACKUP = "/etc/petasos/backup"
BACKUP_KEYS = ("key", "key.pub", "password")
# What tells this host's repository and its last good backup from another's.
BACKUP_STATE = "/var/lib/petasos-backup/state"
PAUSED = ("hermes.service", "petasos-sandbox@*.service", "petasos-sandbox-net@*.service")
PART = 4 << 20
# What is read of the agent's own list of logins, and how many of them.
LOGINS_BYTES, MOST_LOGINS = 1 << 20, 50


def read(path):
    try:
        with open(path) as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def write(path, value):
    new = f"{path}.new"
    mode = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with open(os.open(new, mode, 0o600), "w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


def run(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def folder(identity):
    return os.path.join(FOLDER, os.path.basename(identity))


def record_of(identity):
    return read(f"{folder(identity)}/record.json") or {"fetched": None, "rotated": {}}


def state(_):
    """What is open, whether the quarantine stands, and what is known of it."""
    unit = run("systemctl", "show", "-p", "LoadState", "--value", "petasos-quarantine.service")
    opened = read(MARKER)
    sealed = opened and read(f"{folder(opened['id'])}/sealed.json")
    return {
        "ready": unit.stdout.strip() == "loaded" and os.path.isdir(FOLDER),
        "open": opened,
        "quarantine": run(*TABLE).returncode == 0,
        "sealed": sealed,
        "record": record_of(opened["id"]) if opened else None,
        "drill": read(DRILL),
        "stuck": stuck(),
    }


def stuck():
    """Units that systemd holds for frozen although nothing of them runs: it starts none of them
    before the host's next start."""
    shown = run("systemctl", "show", "-p", "Id,ActiveState,FreezerState", *PAUSED).stdout
    found = [dict(line.split("=", 1) for line in unit.split()) for unit in shown.split("\n\n")]
    return [
        unit["Id"]
        for unit in found
        if unit.get("FreezerState", "running") != "running" and unit["ActiveState"] != "active"
    ]


def update(asked):
    """Adds to the record of the open incident."""
    identity = read(MARKER)["id"]
    record = record_of(identity)
    record["fetched"] = asked.get("fetched") or record["fetched"]
    record["rotated"].update(asked.get("rotated") or {})
    write(f"{folder(identity)}/record.json", record)
    return record


def values(path):
    """NAME=value lines, quoted or not."""
    try:
        with open(path) as file:
            lines = [line.strip() for line in file]
    except FileNotFoundError:
        return {}
    pairs = [line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")]
    return {name: value.strip("\"'") for name, value in pairs}


def logins():
    """Whom the agent is logged in with, by name."""
    try:
        # The agent's own: it may be a link, or anything.
        with open(
            os.open(f"{HOME}/auth.json", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        ) as file:
            if os.fstat(file.fileno()).st_uid == 0:
                # What root's own file is mounted over: this agent logs in nowhere.
                return []
            known = json.loads(file.read(LOGINS_BYTES))
        sections = (known.get(section) or {} for section in ("providers", "credential_pool"))
        found = sorted({str(name)[:80] for section in sections for name in section})
        return found[:MOST_LOGINS] + ["others"] * (len(found) > MOST_LOGINS)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        # Who hides its logins has some.
        return ["unreadable"]


def credentials(asked):
    """Each credential of the host by name, and a digest of its value that only this question has:
    no new value comes here before the host opens again."""
    found = {}
    for path in SECRETS:
        for name, value in values(path).items():
            found[name] = hashlib.sha256((asked["salt"] + value).encode()).hexdigest()
    return {
        "secrets": found,
        "made_here": [name for name in MADE_HERE if name in found],
        "logins": logins(),
        "backup": os.path.exists(f"{BACKUP}/key"),
    }


def without(path, names):
    """The file without these lines, whole or not at all."""
    if not os.path.exists(path):
        return
    kept = [line for line in open(path) if line.split("=", 1)[0].strip() not in names]
    seen, new = os.stat(path), f"{path}.new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(kept)
    os.chown(new, seen.st_uid, seen.st_gid)
    os.chmod(new, seen.st_mode & 0o7777)
    os.replace(new, path)


def forget(asked):
    """Before the host opens again: nothing that is rotated stays here, and if `data` says so,
    nothing of the agent's either."""
    if asked["data"] == "empty":
        emptied(HOME)
    names = {*asked["names"], *MADE_HERE}
    for path in SECRETS:
        without(path, names)
    if asked["backup"]:
        for name in BACKUP_KEYS:
            shutil.rmtree(f"{BACKUP}/{name}", ignore_errors=True)
            if os.path.lexists(f"{BACKUP}/{name}"):
                os.unlink(f"{BACKUP}/{name}")
        # A repository of another key is another one.
        of_before = ("repository", "last.json", "good", "drill.json", "drill-good")
        names = os.listdir(BACKUP_STATE) if os.path.isdir(BACKUP_STATE) else []
        for name in filter(lambda name: name.startswith(of_before), names):
            os.unlink(f"{BACKUP_STATE}/{name}")
    return {}


def emptied(place):
    """Root's own files stay; what was the agent's is removed by the agent's user, who cannot lead
    anybody elsewhere, and by find(1), which no depth stops."""
    as_agent = ["setpriv", "--reuid=hermes", "--regid=hermes", "--clear-groups", "--no-new-privs"]
    find = [*as_agent, "find", place, "-xdev", "-mindepth", "1", "-user", "hermes"]
    # A folder is opened before it is looked into.
    run(*find, "-type", "d", "!", "-perm", "-700", "-exec", "chmod", "u+rwx", "{}", ";")
    run(*find, "-delete")
    uid = pwd.getpwnam("hermes").pw_uid
    left = [one.name for one in os.scandir(place) if one.stat(follow_symlinks=False).st_uid == uid]
    if left:
        raise SystemExit(
            f"the agent's data could not be removed: {left[0]!r} and {len(left) - 1} more"
        )


def drilled(asked):
    """What a drill paused goes on, and nothing of it stays but how long it took. Not of another
    incident, which may have come in between."""
    opened = read(MARKER)
    if opened is None or opened["id"] != asked["id"] or not opened["drill"]:
        raise SystemExit("another incident is open by now: it stays as it is")
    for unit in PAUSED:
        run("systemctl", "thaw", unit)
        run("systemctl", "kill", "-s", "CONT", unit)
    shutil.rmtree(folder(asked["id"]), ignore_errors=True)
    if asked["seconds"]:
        known = {"time": int(time.time()), "seconds": asked["seconds"], "files": asked["files"]}
        write(DRILL, known)
    return {}


def part(asked):
    """A part of a file of the evidence, as it is."""
    name = os.path.basename(asked["name"])
    with open(f"{folder(asked['id'])}/{name}", "rb") as file:
        file.seek(asked["at"])
        sys.stdout.buffer.write(file.read(PART))


STEPS = {
    "state": state,
    "update": update,
    "credentials": credentials,
    "forget": forget,
    "drilled": drilled,
    "part": part,
}


def main(text):
    asked = json.loads(text)
    answer = STEPS[asked["step"]](asked)
    if answer is not None:
        print(json.dumps(answer))
