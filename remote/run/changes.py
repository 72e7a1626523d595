"""What of the agent's data shapes the agent and has changed since it was last accepted: its prompt,
its memories, its skills, its timed jobs; and what was put aside. Run by root.

    python3 -I - (show|accept)

Nothing of the agent's is followed, and no more of it is read than the limits below.
"""

import errno
import hashlib
import json
import os
import stat
import sys
import time

HOME = "/home/hermes/.hermes"
KEPT = "/var/lib/petasos/agent-data.json"
# What a release puts before its model unasked, in the folder that it runs in and the one that its
# commands run in.
HERMES, OTHERS = ("SOUL.md", ".hermes.md", "HERMES.md"), ("CLAUDE.md", "claude.md", ".cursorrules")
TOLD = (*HERMES, *OTHERS, "AGENTS.md", "agents.md")
FILES = (*TOLD, *(f"workspace/{name}" for name in TOLD), "cron/jobs.json")
FOLDERS = ("memories", "skills", "cron/scripts", ".cursor/rules", "workspace/.cursor/rules")
MOST_FILES, MOST_BYTES, MOST_DEPTH = 20_000, 8 << 20, 12
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Full(Exception):
    pass


def note(found, here, path, name):
    if len(found) >= MOST_FILES:
        raise Full
    info = os.stat(name, dir_fd=here, follow_symlinks=False)
    row = {"size": info.st_size, "time": int(info.st_mtime)}
    if stat.S_ISREG(info.st_mode):
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
        with open(file, "rb") as file:
            row["is"] = hashlib.sha256(file.read(MOST_BYTES)).hexdigest()
    else:
        row["is"] = "no plain file"
    found[path] = row


def walk(found, here, path, depth=0):
    with os.scandir(here) as entries:
        names = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    for name, is_folder in names:
        inner = f"{path}/{name}"
        if not is_folder:
            note(found, here, inner, name)
        elif depth < MOST_DEPTH:
            folder = os.open(name, FOLDER, dir_fd=here)
            try:
                walk(found, folder, inner, depth + 1)
            finally:
                os.close(folder)
        else:
            found[inner] = {"is": "too deep", "size": 0, "time": 0}


def opened(here, path):
    """The folder of a path, without a link on the way; None where there is none."""
    at = os.dup(here)
    for name in path.split("/"):
        try:
            inner = os.open(name, FOLDER, dir_fd=at)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                return None
            raise
        finally:
            os.close(at)
        at = inner
    return at


def look():
    found, full = {}, False
    here = os.open(HOME, FOLDER)
    try:
        for path in FILES:
            folder, _, name = path.rpartition("/")
            at = opened(here, folder) if folder else os.dup(here)
            if at is None:
                continue
            try:
                note(found, at, path, name)
            except FileNotFoundError:
                pass
            finally:
                os.close(at)
        for path in FOLDERS:
            at = opened(here, path)
            if at is not None:
                try:
                    walk(found, at, path)
                finally:
                    os.close(at)
        aside = sorted(name for name in os.listdir(here) if name.startswith(".set-aside-"))
    except Full:
        full, aside = True, []
    finally:
        os.close(here)
    return found, full, aside


def main(verb):
    found, full, aside = look()
    try:
        with open(KEPT, "rb") as file:
            kept = json.load(file)
    except FileNotFoundError:
        kept = None
    before = kept["files"] if kept else found
    rows = [
        {"path": path, "change": change, "size": row["size"], "time": row["time"]}
        for path in sorted({*before, *found})
        for change, row in [change_of(before.get(path), found.get(path))]
        if change
    ]
    if verb == "accept" or kept is None:
        with open(f"{KEPT}.new", "w", opener=private) as file:
            json.dump({"time": int(time.time()), "files": found}, file)
            file.flush()
            os.fsync(file.fileno())
        os.rename(f"{KEPT}.new", KEPT)
    print(
        json.dumps(
            {
                "since": kept["time"] if kept else None,
                "files": len(found),
                "full": full,
                "changes": rows[:2000],
                "more": len(rows[2000:]),
                "set_aside": aside[:200],
            }
        )
    )


def private(path, flags):
    return os.open(path, flags, 0o600)


def change_of(before, now):
    if before is None:
        return "new", now
    if now is None:
        return "gone", before
    return ("" if before["is"] == now["is"] else "changed"), now


main(sys.argv[1])
