"""HOME STAGE MOST: copies of the agent's databases, each as it was at one moment, and
`databases.json`, which says what was copied and what was not.

It runs as the agent's user, without a network: what it reads and writes is the agent's. Exit code 1
when a database could not be copied or its copy is not sound; the others are there all the same.
MOST: how many bytes all copies may have together.
"""

import hashlib
import json
import os
import sqlite3
import stat
import sys
import time
import urllib.parse

# How a file of SQLite's begins (https://www.sqlite.org/fileformat.html, 1.2).
MAGIC = b"SQLite format 3\x00"
# What can be made again, or is none of the data: as templates/backup/exclude.tera has it.
NO_DATA = {"__pycache__", "node_modules", ".venv"}
NO_DATA_ABOVE = {"backups", "cache", "state-snapshots", "lost+found"}
REPLACED = ".before-restore-"
# What other programs need of the stage's file system.
ROOM = 64 << 20


def passed_over(name, at_top):
    return name in NO_DATA or (at_top and (name in NO_DATA_ABOVE or name.startswith(REPLACED)))


def databases(home):
    """The paths of all databases, links not followed."""
    for folder, folders, names in os.walk(home):
        folders[:] = sorted(name for name in folders if not passed_over(name, folder == home))
        for name in sorted(names):
            path = os.path.join(folder, name)
            try:
                if not stat.S_ISREG(os.lstat(path).st_mode):
                    continue
                with open(path, "rb") as file:
                    if file.read(len(MAGIC)) == MAGIC:
                        yield path
            except OSError:
                continue


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            sha.update(chunk)
    return sha.hexdigest()


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def rows(database):
    """How many rows each table has; those that a module keeps elsewhere are not counted."""
    tables = database.execute(
        "select name from sqlite_master where type = 'table' and sql not like 'create virtual%'"
    ).fetchall()
    count = "select count(*) from {}"
    return {name: database.execute(count.format(quoted(name))).fetchone()[0] for (name,) in tables}


def copy(path, to):
    """One moment of a database, checked. In one step: in several, a busy writer starves it."""
    os.makedirs(os.path.dirname(to), mode=0o750, exist_ok=True)
    source = f"file:{urllib.parse.quote(path)}?mode=ro"
    live = sqlite3.connect(source, uri=True, timeout=30)
    into = sqlite3.connect(to)
    try:
        live.backup(into)
        # One file, with nothing beside it.
        into.execute("pragma journal_mode = delete")
        said = [row[0] for row in into.execute("pragma integrity_check(5)")]
        if said != ["ok"]:
            raise sqlite3.DatabaseError("; ".join(map(str, said))[:300])
        return rows(into)
    finally:
        into.close()
        live.close()


def room_for(path, stage, left):
    """What the copy of this one takes of what is left."""
    size = os.stat(path).st_size
    if os.path.exists(path + "-wal"):
        size += os.stat(path + "-wal").st_size
    free = os.statvfs(stage)
    if size > left or size + ROOM > free.f_bavail * free.f_frsize:
        raise OSError(f"its {size >> 20} MiB have no room in {stage}")
    return size


def main(home, stage, most):
    began, left, copied, failed = time.time(), int(most), {}, {}
    for path in databases(home):
        name = os.path.relpath(path, home)
        to = os.path.join(stage, name)
        try:
            left -= room_for(path, stage, left)
            counts = copy(path, to)
            os.chmod(to, 0o640)
            copied[name] = {"sha256": digest(to), "bytes": os.stat(to).st_size, "rows": counts}
        except (sqlite3.Error, OSError, OverflowError) as error:
            failed[name] = f"{type(error).__name__}: {error}"
            print(f"{name}: {failed[name]}", file=sys.stderr)
    report = {
        "began": round(began, 3),
        "seconds": round(time.time() - began, 3),
        "sqlite": sqlite3.sqlite_version,
        "copied": copied,
        "failed": failed,
    }
    new = os.path.join(stage, ".databases.json")
    with open(new, "w") as file:
        json.dump(report, file, indent=1)
    os.chmod(new, 0o640)
    os.replace(new, os.path.join(stage, "databases.json"))
    return 0 if copied and not failed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
