"""Run by systemd as root before the agent starts (petasos-data.service).

What lies in the agent's data directory where something of root's is to lie over it, and is more
than an empty place for that, is moved out of the agent's reach, into a folder of root's beside it.
Nothing is lost, nothing is obeyed.

    python3 -I -S -B set_aside.py HOME POLICY

Nothing below HOME is followed: the agent's user made it.
"""

import errno
import json
import os
import stat
import sys
import time

# Nothing lies over these, since their being there is enough.
UNWANTED = (".container-mode", ".update_pending.json", ".update_prompt.json")


def main(home, policy):
    covered = names(policy)
    try:
        here = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    moved = planted(here, covered)
    if not moved:
        return
    aside = f".set-aside-{int(time.time())}-{os.urandom(4).hex()}"
    os.mkdir(aside, 0o700, dir_fd=here)
    to = opened(here, aside)
    if os.fstat(to).st_uid != 0:
        raise SystemExit(f"{home}/{aside} is somebody else's")
    for name in moved:
        move(here, name, to)
        print(f"{home}/{name} is not the agent's to write: moved to {home}/{aside}", flush=True)


def move(here, name, to):
    try:
        os.rename(name, name, src_dir_fd=here, dst_dir_fd=to)
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    # A folder of an overlay's lower layer cannot be moved: what is in it can.
    os.mkdir(name, 0o700, dir_fd=to)
    inner, aside = opened(here, name), opened(to, name)
    try:
        with os.scandir(inner) as entries:
            below = [entry.name for entry in entries]
        for entry in below:
            move(inner, entry, aside)
    finally:
        os.close(inner)
        os.close(aside)
    os.rmdir(name, dir_fd=here)


def opened(here, name):
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)


def names(policy):
    try:
        with open(policy, "rb") as file:
            return json.load(file).get("data", {}).get("covered", [])
    except (OSError, ValueError, AttributeError) as error:
        # The launcher, which comes next, starts nothing then, and says so.
        print(f"{policy}: {error}", flush=True)
        return []


def planted(here, covered):
    found = [name for name in UNWANTED if there(here, name)]
    return found + [name for name in covered if there(here, name) and not is_place(here, name)]


def there(here, name):
    try:
        os.stat(name, dir_fd=here, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def is_place(here, name):
    """Whether it is no more than a place to lay something over: an empty file, or a folder with
    nothing in it but empty folders."""
    info = os.stat(name, dir_fd=here, follow_symlinks=False)
    if stat.S_ISREG(info.st_mode):
        return info.st_size == 0
    return stat.S_ISDIR(info.st_mode) and is_empty(here, name)


def is_empty(here, name, depth=0):
    inner = opened(here, name)
    try:
        with os.scandir(inner) as entries:
            return depth < 3 and all(
                entry.is_dir(follow_symlinks=False) and is_empty(inner, entry.name, depth + 1)
                for entry in entries
            )
    finally:
        os.close(inner)


if __name__ == "__main__":
    main(*sys.argv[1:])
