"""One backup, or `ended`: what became of one that could not say so itself.

It runs as a user of its own that may read the agent's data and nothing else of the host. What
restic says of itself decides, never its exit code alone: with an append-only store an exit code of
0 may be a lie.

Records, in the service's state directory: `last.json` of the last run, `good.json` of the last good
one, `repository` the id of the repository, which never becomes another by itself.
"""

import hashlib
import json
import os
import subprocess
import sys
import time

STATE = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
PASSWORD = os.path.join(os.environ.get("CREDENTIALS_DIRECTORY", ""), "password")
STAGE = "/var/lib/petasos-backup/stage"
DATA = "/home/hermes/.hermes"
# How long a repository may take to be opened: restic tries for much longer.
OPEN_SECS = 300
# Older copies are those of another night.
FRESH_SECS = 3 * 3600
# What is kept of a program's words.
WORDS = 2000


class Failed(Exception):
    """Why a backup is none, in two words for the record, and in a sentence."""

    def __init__(self, outcome, why):
        super().__init__(why)
        self.outcome = outcome


def write(name, text):
    """Whole or not at all."""
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


def record(began, outcome, why="", **more):
    entry = {
        "run": os.environ.get("INVOCATION_ID", ""),
        "began": began,
        "ended": int(time.time()),
        "outcome": outcome,
        "why": why[:WORDS],
        **more,
    }
    text = json.dumps(entry) + "\n"
    write("last.json", text)
    if outcome == "good":
        write("good.json", text)


def restic(*words, patience=OPEN_SECS):
    """Restic's exit code, and what it said."""
    ssh = "/usr/bin/ssh -F /etc/petasos/backup/ssh_config vault"
    store = ["-o", f"rclone.program={ssh}", "-o", "rclone.args=petasos", "-r", "rclone:"]
    run = subprocess.Popen(
        ["/usr/bin/restic", "--password-file", PASSWORD, *store, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        out, said = run.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        run.terminate()
        said = run.communicate()[1]
        why = f"no end within {patience} seconds: {last_words(said)}"
        raise Failed("unreachable", why) from None
    return run.returncode, out, said.strip()


def last_words(said):
    """What it said last, without the places in its source that it names: a line, and one that is
    indented below it."""
    lines = [line for line in said.splitlines() if line.strip()]
    named = [at for at, line in enumerate(lines) if line.startswith("\t")]
    places = {*named, *(at - 1 for at in named)}
    words = [line.strip() for at, line in enumerate(lines) if at not in places]
    return " / ".join(words[-3:])[-WORDS:]


def config():
    """The repository's id; empty where there is none."""
    # Without a lock: a vault without room takes none, and restic would wait for it.
    code, out, said = restic("--no-lock", "cat", "config")
    if code == 0:
        return json.loads(out)["id"]
    # Since 0.17 it is 10; before that, every failure is 1.
    if code == 10 or "Is there a repository at the following location" in said:
        return ""
    raise Failed("unreachable", f"the vault's repository cannot be opened: {last_words(said)}")


def opened():
    """The repository, made where this host has never had one."""
    known, there = read("repository"), config()
    if not there:
        if known:
            raise Failed("repository gone", f"the vault has no repository {known[:8]} any more")
        code, _, said = restic("init")
        if code != 0:
            raise Failed("unreachable", f"no repository could be made: {last_words(said)}")
        there = config()
    if known and known != there:
        why = f"the vault shows repository {there[:8]}, and this host's is {known[:8]}"
        raise Failed("repository differs", why)
    if not known:
        write("repository", there + "\n")


def copied():
    """Of how many databases there are copies, all of them sound and of now; and the digest of the
    list of them."""
    path = os.path.join(STAGE, "databases.json")
    try:
        with open(path) as file:
            report = json.load(file)
        age = time.time() - os.stat(path).st_mtime
    except (OSError, ValueError) as error:
        raise Failed("databases", f"no copies of the databases: {error}") from error
    if report["failed"]:
        names = ", ".join(sorted(report["failed"]))
        raise Failed("databases", f"no sound copy of {names}")
    if not report["copied"]:
        raise Failed("databases", "no database was copied")
    if age > FRESH_SECS:
        raise Failed("databases", "the copies of the databases are those of an earlier run")
    with open(path, "rb") as file:
        return {
            "databases": len(report["copied"]),
            "report": hashlib.sha256(file.read()).hexdigest(),
        }


def summary(out):
    for line in reversed(out.splitlines()):
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if message.get("message_type") == "summary":
            return message
    return {}


def backup(began):
    opened()
    code, out, said = restic(
        "backup",
        "--json",
        "--quiet",
        "--host",
        os.environ["PETASOS_NAME"],
        "--tag",
        "nightly",
        "--one-file-system",
        "--exclude-file",
        "/etc/petasos/backup/exclude",
        DATA,
        STAGE,
        patience=None,
    )
    found = summary(out)
    snapshot = found.get("snapshot_id", "")
    more = {
        "snapshot": snapshot,
        "files": found.get("total_files_processed", 0),
        "bytes": found.get("total_bytes_processed", 0),
        "added": found.get("data_added", 0),
    }
    try:
        if code != 0 or not snapshot:
            raise Failed("restic", f"restic ended with {code}: {last_words(said)}")
        # Afterwards: a snapshot without a sound copy is better than none, and is not good.
        more.update(copied())
    except Failed as failed:
        record(began, failed.outcome, str(failed), **more)
        raise
    record(began, "good", **more)
    print(f"snapshot {snapshot[:8]}: {more['files']} files, {more['added']} bytes new")


def ended():
    """After the service: a run that was killed has no record of its own."""
    last = json.loads(read("last.json") or "{}")
    result = os.environ.get("SERVICE_RESULT", "")
    if result != "success" and last.get("run") != os.environ.get("INVOCATION_ID"):
        how = f"{os.environ.get('EXIT_CODE', '')} {os.environ.get('EXIT_STATUS', '')}".strip()
        record(int(time.time()), "ended early", f"it ended by {result} ({how})")


def main():
    if sys.argv[1:] == ["ended"]:
        ended()
        return 0
    began = int(time.time())
    try:
        backup(began)
    except Failed as failed:
        if json.loads(read("last.json") or "{}").get("run") != os.environ.get("INVOCATION_ID"):
            record(began, failed.outcome, str(failed))
        print(f"no good backup: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
