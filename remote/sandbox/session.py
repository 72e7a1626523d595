"""The session's directory becomes /work, and all others go out of sight.

Only keepers see the directory of all sessions, and they make nothing there but directories: no
command can put a link or something else in the place of one.
"""

import os
import stat

import kernel

SESSIONS = "/sessions"
WORK = "/work"
LONGEST = 64
LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-")
# A new one each second would else use up the disk's inodes before the old ones are cleaned away.
MOST = 4096
# No command runs longer, in seconds: RuntimeMaxSec= of its unit.
IN_USE = 5 * 3600


def is_name(name):
    return 0 < len(name) <= LONGEST and all(letter in LETTERS for letter in name)


def end_oldest(mine):
    """Makes place: the directory that was in use longest ago goes. Whether one could."""
    # Only here: it takes a while to load.
    import shutil
    import time

    ages = []
    for entry in os.scandir(SESSIONS):
        if entry.name.encode() != mine:
            ages.append((entry.stat(follow_symlinks=False).st_mtime, entry.path))
    oldest, place = min(ages, default=(time.time(), ""))
    if not place or time.time() - oldest < IN_USE:
        return False
    shutil.rmtree(place, ignore_errors=True)
    return not os.path.lexists(place)


def enter(name):
    """Returns why not, or nothing."""
    if not is_name(name):
        return "a session's name has 1 to 64 of a-z, 0-9 and -"
    place = f"{SESSIONS}/{name.decode('ascii')}"
    try:
        os.mkdir(place, 0o700)
    except FileExistsError:
        pass
    else:
        if len(os.listdir(SESSIONS)) > MOST and not end_oldest(name):
            os.rmdir(place)
            return f"there are {MOST} sessions in use; those of the last hours are kept"
    if not stat.S_ISDIR(os.lstat(place).st_mode):
        return "the session's directory is not one"
    # What is in use is young, for the cleaning by age.
    os.utime(place)
    kernel.bind(place, WORK)
    kernel.take_away(SESSIONS)
    return ""
