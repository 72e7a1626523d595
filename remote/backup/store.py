"""The host's repository, by restic and the host's own key; and records, whole or not at all."""

import json
import os
import re
import shutil
import subprocess
import threading
import time

# Systemd lists several directories of a service in an order of its own.
STATE = "/var/lib/petasos-backup/state"
SETTINGS = "/etc/petasos/backup/store.json"
# How long a repository may take to be opened: restic tries for much longer.
OPEN_SECS = 300
UNFINISHED = "unfinished"
# What is kept of a program's words.
WORDS = 2000


class Failed(Exception):
    """Why there is no result, in two words for the record, and in a sentence."""

    def __init__(self, outcome, why):
        super().__init__(why)
        self.outcome = outcome


def write(name, text):
    new = os.path.join(STATE, "." + name)
    with open(new, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, os.path.join(STATE, name))


def read(name):
    try:
        with open(os.path.join(STATE, name)) as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def record(name, began, outcome, why="", **more):
    """The record of this run, as text."""
    entry = {
        "run": os.environ.get("INVOCATION_ID", ""),
        "began": began,
        "ended": int(time.time()),
        "outcome": outcome,
        "why": why[:WORDS],
        **more,
    }
    text = json.dumps(entry) + "\n"
    write(name, text)
    return text


def emptied(place):
    """Nothing that was restored there stays, whatever its owner closed it to."""
    for folder, names, _ in os.walk(place):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                os.chmod(path, 0o700)
    for left in os.listdir(place):
        path = os.path.join(place, left)
        shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)


PROGRESS = "progress.json"


def progress(**known):
    """How far it is, for who waits; nothing where it is over."""
    if known:
        write(PROGRESS, json.dumps(known))
    elif os.path.exists(os.path.join(STATE, PROGRESS)):
        os.unlink(os.path.join(STATE, PROGRESS))


def begun(name, began):
    """Before anything else: who is killed, or whose host loses its power, says no more."""
    progress()
    record(name, began, UNFINISHED, "it is at work, or was ended before it could say more")


def recorded(name):
    """Whether this run has said what became of it."""
    last = json.loads(read(name) or "{}")
    return last.get("run") == os.environ.get("INVOCATION_ID") and last["outcome"] != UNFINISHED


def ended(name):
    """After the service: a run that was killed has no record of its own."""
    result = os.environ.get("SERVICE_RESULT", "")
    if result != "success" and not recorded(name):
        how = f"{os.environ.get('EXIT_CODE', '')} {os.environ.get('EXIT_STATUS', '')}".strip()
        record(name, int(time.time()), "ended early", f"it ended by {result} ({how})")


def version():
    """Restic's, such as (0, 14)."""
    said = subprocess.run(["/usr/bin/restic", "version"], capture_output=True, text=True).stdout
    return tuple(map(int, re.match(r"restic (\d+)\.(\d+)", said).groups()))


def last_words(said):
    """What it said last, without the places in its source that it names: a line, and one that is
    indented below it."""
    lines = [line for line in said.splitlines() if line.strip()]
    named = [at for at, line in enumerate(lines) if line.startswith("\t")]
    places = {*named, *(at - 1 for at in named)}
    words = [plain(line.strip()) for at, line in enumerate(lines) if at not in places]
    return " / ".join(words[-3:])[-WORDS:]


def plain(line):
    """Some of restic's versions say why they end as an object."""
    try:
        return json.loads(line)["message"] if line.startswith("{") else line
    except (ValueError, KeyError):
        return line


def parsed(out):
    """An object that restic prints; before 0.13 it says beside it that it has made a cache."""
    return json.loads(out[out.find("{") :])


def summary(out):
    """Restic's last word of a backup."""
    for line in reversed(out.splitlines()):
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict) and message.get("message_type") == "summary":
            return message
    return {}


def listened(run, heard):
    """All that a program says, but for the lines that `heard` takes."""
    said, out = [], []
    reader = threading.Thread(target=lambda: said.append(run.stderr.read()))
    reader.start()
    for line in run.stdout:
        if not heard(line):
            out.append(line)
    reader.join()
    run.wait()
    return "".join(out), "".join(said)


def credential(name):
    """What systemd hands over, or root finds among the keys; nothing where there is none."""
    try:
        with open(os.path.join(os.environ.get("CREDENTIALS_DIRECTORY", ""), name)) as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def settings():
    """Where backups go, and how; a restore may be out of another repository there."""
    with open(SETTINGS) as file:
        found = json.load(file)
    return {**found, "repository": credential("repository") or found["repository"]}


def command():
    """Restic, for the host's repository."""
    found = settings()
    options = [word for option in found["options"] for word in ("-o", option)]
    return ["/usr/bin/restic", *options, "-r", found["repository"]]


def environment():
    """The keys of a bucket are in no process list."""
    pairs = [line.split("=", 1) for line in credential("secrets.env").splitlines() if "=" in line]
    keys = {name: value.strip("\"'") for name, value in pairs if name.startswith("AWS_")}
    return {**os.environ, **keys}


def password_file():
    return ["--password-file", os.path.join(os.environ["CREDENTIALS_DIRECTORY"], "password")]


def not_let_in(said):
    """What to do where the other side does not know the host's key; nothing where it does."""
    found = settings()
    if not found.get("at"):
        return ""
    where = f".ssh/authorized_keys of {found['at']}"
    if "Permission denied (" in said:
        # A restore may come in by a key of its own.
        whose = "its key" if credential("snapshot") else "this host"
        return f"{found['name']} does not let {whose} in: the line with it has to be in {where}"
    if re.search(r"petasos: (command )?not found", said):
        why = "lets this key do more than it should: its only line there has to be the one"
        return f"{found['name']} {why} that `petasos up` prints, in {where}"
    return ""


def restic(*words, patience=OPEN_SECS, heard=None):
    """Restic's exit code, and what it said; a line that `heard` takes is left out."""
    run = subprocess.Popen(
        [*command(), *password_file(), *words],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if heard:
        out, said = listened(run, heard)
        return run.returncode, out, said.strip()
    try:
        out, said = run.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        run.terminate()
        said = run.communicate()[1]
        why = f"no end within {patience} seconds: {last_words(said)}"
        raise Failed("unreachable", not_let_in(said) or why) from None
    return run.returncode, out, said.strip()
