"""`drill`: the last good backup, into the drill's own directory. `operator`: the
one that an operator names, with the operator's key, and its databases compared. Both as a user who
may write nowhere else. `ended KIND`: what became of one that could not say so itself.
"""

import json
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from compare import databases  # noqa: E402
from store import (
    Failed,
    begun,
    credential,
    emptied,
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
    version,
    write,
)  # noqa: E402

PLACES = {"drill": "/var/lib/petasos-backup/drill", "operator": "/var/lib/petasos-backup/restore"}
# What is left to the host of its disk: a twentieth.
RESERVE = 20
RECORDS = {"drill": "drill.json", "operator": "restore.json"}
# By how much clocks and time zones may differ.
CLOCKS_SECS = 15 * 3600
# For all of it to arrive.
ARRIVED_SECS = 4 * 3600


def merged(tree, home):
    """The data with the copies of its databases where they belong; links of the data's own are
    followed nowhere."""
    os.rename(os.path.join(tree, "home/hermes/.hermes"), home)
    stage = os.path.join(tree, "var/lib/petasos-backup/stage")
    for folder, _, names in os.walk(stage):
        to = os.path.normpath(os.path.join(home, os.path.relpath(folder, stage)))
        if os.path.islink(to) or (os.path.lexists(to) and not os.path.isdir(to)):
            raise Failed("databases", f"`{to}` is in the way of a database")
        os.makedirs(to, exist_ok=True)
        for name in names:
            os.replace(os.path.join(folder, name), os.path.join(to, name))


def newest():
    """By what each says of itself, where nobody else does: none of tomorrow's."""
    code, out, said = restic("--no-lock", "snapshots", "--json", "--tag", "nightly")
    if code != 0:
        raise Failed("unreachable", not_let_in(said) or f"no list of backups: {last_words(said)}")
    found = {entry["time"][:19]: entry["id"] for entry in json.loads(out[out.find("[") :])}
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + CLOCKS_SECS))
    past = [made for made in found if made <= now]
    if not past:
        raise Failed("no backup", "there is none")
    return found[max(past)]


def named(kind):
    """The snapshot's id: which is the newest, the other side could say falsely."""
    if kind == "operator":
        asked = credential("snapshot")
        return newest() if asked == "newest" else asked
    good = json.loads(read("good.json") or "null")
    if good is None:
        raise Failed("no backup", "there was no good backup yet")
    return good["snapshot"]


def room(place, snapshot):
    """A backup is restored only where there is room for all of it: a file's holes may have more
    than the disk."""
    code, out, said = restic("--no-lock", "stats", "--json", "--mode", "restore-size", snapshot)
    if code != 0:
        raise Failed("restore", f"the snapshot cannot be read: {last_words(said)}")
    needed, disk = parsed(out)["total_size"], os.statvfs(place)
    free = disk.f_bavail * disk.f_frsize - disk.f_blocks * disk.f_frsize // RESERVE
    if needed > free:
        why = f"the backup has {needed >> 20} MiB, and {place} has room for {max(0, free) >> 20}"
        raise Failed("no room", why)
    progress(what="restoring", place=place, of=needed)


def restore(kind, began):
    place = PLACES[kind]
    emptied(place)
    if kind == "drill":
        write("drilled.json", "{}")
    snapshot, tree = named(kind), os.path.join(place, "tree")
    room(place, snapshot)
    holes = ["--sparse"] if version() >= (0, 15) else []
    words = ("restore", snapshot, "--target", tree, *holes)
    code, _, said = restic("--no-lock", *words, patience=ARRIVED_SECS)
    if code != 0:
        raise Failed("restore", f"restic ended with {code}: {last_words(said)}")
    progress()
    home = os.path.join(place, "home")
    merged(tree, home)
    shutil.rmtree(tree)
    if kind == "drill":
        # The drill's other half compares them, and starts the agent on them.
        known = {"began": began, "snapshot": snapshot, "place": settings()["id"]}
        write("drilled.json", json.dumps(known))
    else:
        record(RECORDS[kind], began, "good", snapshot=snapshot, databases=databases(home))


def main(kind):
    began, name = int(time.time()), RECORDS[kind]
    begun(name, began)
    try:
        restore(kind, began)
    except (Failed, OSError, ValueError, KeyError) as failed:
        if not recorded(name):
            record(name, began, getattr(failed, "outcome", "restore"), str(failed))
        print(f"nothing restored: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "ended":
        ended(RECORDS[sys.argv[2]])
        sys.exit(0)
    sys.exit(main(sys.argv[1]))
