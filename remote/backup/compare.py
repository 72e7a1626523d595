"""Whether restored databases are those that were copied: by digest, rows and SQLite's own check."""

import hashlib
import json
import os
import sqlite3
import urllib.parse

from store import Failed


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            sha.update(chunk)
    return sha.hexdigest()


def compared(path, want):
    """What is wrong with a database; nothing where it is the one that was copied."""
    if digest(path) != want["sha256"]:
        return "another digest"
    source = f"file:{urllib.parse.quote(path)}?mode=ro&immutable=1"
    database = sqlite3.connect(source, uri=True)
    try:
        said = [row[0] for row in database.execute("pragma integrity_check(5)")]
        if said != ["ok"]:
            return "; ".join(map(str, said))[:300]
        for table, count in want["rows"].items():
            quoted = '"' + table.replace('"', '""') + '"'
            found = database.execute(f"select count(*) from {quoted}").fetchone()[0]
            if found != count:
                return f"{table} has {found} rows, not {count}"
    finally:
        database.close()
    return ""


def databases(home):
    with open(os.path.join(home, "databases.json")) as file:
        report = json.load(file)
    if not report["copied"] or report["failed"]:
        raise Failed("databases", "the backup itself says that databases are missing")
    for name, want in sorted(report["copied"].items()):
        try:
            wrong = compared(os.path.join(home, name), want)
        except (OSError, sqlite3.Error) as error:
            wrong = str(error)
        if wrong:
            raise Failed("databases", f"{name} is not what was copied: {wrong}")
    return len(report["copied"])
