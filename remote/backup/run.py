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
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from store import (
    STATE,
    Failed,
    begun,
    ended,
    last_words,
    not_let_in,
    parsed,
    progress,
    read,
    record,
    recorded,
    restic,
    settings,
    summary,
    write,
)  # noqa: E402

LAST, GOOD = "last.json", "good.json"
STAGE = "/var/lib/petasos-backup/stage"
DATA = "/home/hermes/.hermes"
# Restic's exit code for a snapshot without some of the files.
SOME_UNREAD = 3
# Older copies are those of another night.
FRESH_SECS = 3 * 3600


def config():
    """The repository's id; empty where there is none."""
    # Without a lock: a vault without room takes none, and restic would wait for it.
    code, out, said = restic("--no-lock", "cat", "config")
    if code == 0:
        return parsed(out)["id"]
    # Since 0.17 it is 10; before that, every failure is 1.
    if code == 10 or "Is there a repository at the following location" in said:
        return ""
    closed = not_let_in(said)
    if closed:
        raise Failed("not let in", closed)
    raise Failed("unreachable", f"the repository cannot be opened: {last_words(said)}")


def opened():
    """The repository, made where this host has never had one; that of another place is none."""
    store, there = settings(), config()
    known, before, folder = (*read("repository").split(), "", "", "")[:3]
    moved = before not in ("", store["id"])
    if moved and known == there and folder != store.get("folder", folder):
        why = f"{store['name']} lets this host in to the folder of before: its line in"
        asked = f".ssh/authorized_keys of {store['at']} has to be the one that `petasos up` prints"
        raise Failed("not let in", f"{why} {asked}")
    known = "" if moved else known
    if not there:
        if known:
            raise Failed("repository gone", f"there is no repository {known[:8]} any more")
        code, _, said = restic("init")
        if code != 0:
            raise Failed("unreachable", f"no repository could be made: {last_words(said)}")
        there = config()
    if known and known != there:
        why = f"there is repository {there[:8]}, and this host's is {known[:8]}"
        raise Failed("repository differs", why)
    if moved:
        # Records of another place say nothing of this one.
        for name in os.listdir(STATE):
            if name.startswith(("good", "drill.json", "drill-good")):
                os.unlink(os.path.join(STATE, name))
    if not known or not before:
        write("repository", f"{there} {store['id']} {store.get('folder', '')}\n")


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
        digest = hashlib.sha256(file.read()).hexdigest()
    return {"databases": len(report["copied"]), "report": digest}


def excluded():
    """The databases of which there are copies, as restic's patterns have them, in a file of this
    service's own. One that could not be copied goes as it is: that is better than nothing."""
    try:
        with open(os.path.join(STAGE, "databases.json")) as file:
            names = json.load(file)["copied"]
    except (OSError, ValueError, KeyError):
        names = {}
    lines = []
    for name in sorted(names):
        path = os.path.normpath(os.path.join(DATA, name))
        # Whoever wrote the list names nothing but what it is a list of.
        if not path.startswith(DATA + "/") or "\n" in path:
            continue
        plain = "".join(f"[{c}]" if c in "*?[" else "\\\\" if c == "\\" else c for c in path)
        plain = plain.replace("$", "$$")
        lines += [plain + end for end in ("", "-wal", "-shm", "-journal")]
    write("exclude", "\n".join(lines) + "\n")
    return os.path.join(STATE, "exclude")


def unread(said):
    """What could not be read, by restic's own messages; what is gone by now was none of it."""
    found = []
    for line in said.splitlines():
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if message.get("message_type") == "error":
            why = (message.get("error") or {}).get("message") or str(message.get("error"))
            if "no such file or directory" not in why:
                found.append(f"{message.get('item', '')}: {why}")
    return found


def heard(line):
    """Whether it only says how far restic is; that is told at most once a second."""
    if '"message_type":"status"' not in line:
        return False
    try:
        message = json.loads(line)
    except ValueError:
        return False
    if "bytes_done" in message and time.monotonic() - heard.last > 1:
        heard.last = time.monotonic()
        progress(what="backing up", done=message["bytes_done"], of=message.get("total_bytes", 0))
    return True


heard.last = 0


def backup(began):
    opened()
    code, out, said = restic(
        "backup",
        "--json",
        "--host",
        os.environ["PETASOS_NAME"],
        "--tag",
        "nightly",
        "--one-file-system",
        "--exclude-file",
        "/etc/petasos/backup/exclude",
        "--exclude-file",
        excluded(),
        DATA,
        STAGE,
        patience=None,
        heard=heard,
    )
    progress()
    found = summary(out)
    snapshot = found.get("snapshot_id", "")
    more = {
        "snapshot": snapshot,
        "files": found.get("total_files_processed", 0),
        "bytes": found.get("total_bytes_processed", 0),
        "added": found.get("data_added", 0),
    }
    try:
        missing = unread(said)
        if code == SOME_UNREAD and missing:
            some = "; ".join(missing[:3])
            raise Failed("unread", f"{len(missing)} files could not be read: {some}")
        if code not in (0, SOME_UNREAD) or not snapshot:
            raise Failed("restic", f"restic ended with {code}: {last_words(said)}")
        # Afterwards: a snapshot without a sound copy is better than none, and is not good.
        more.update(copied())
    except Failed as failed:
        record(LAST, began, failed.outcome, str(failed), **more)
        raise
    text = record(LAST, began, "good", **more)
    write(GOOD, text)
    # Of this place there is a good one.
    write(f"good-{settings()['id']}", text)
    print(f"snapshot {snapshot[:8]}: {more['files']} files, {more['added']} bytes new")


def main():
    if sys.argv[1:] == ["ended"]:
        ended(LAST)
        return 0
    began = int(time.time())
    begun(LAST, began)
    try:
        backup(began)
    except Failed as failed:
        if not recorded(LAST):
            record(LAST, began, failed.outcome, str(failed))
        print(f"no good backup: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
