"""Files that go into a work directory: what its person sent, and the skills that were opened.

Only what was named to this person's turns, never credential files, never whole folders of others.
Each file is sent again only after it has changed.
"""

import os
import re
import stat
import threading

from . import current, owner
from .sandbox import WORK

MOST_FILES, MOST_BYTES = 200, 8 << 20
INSIDE = ".hermes"  # Below the work directory.
# What must stay outside whatever a skill asks for.
NEVER = re.compile(
    r"(^|/)(\.env[^/]*|auth\.json|\.git|[^/]*\.(pem|key|p12|pfx)|id_[a-z0-9]+"
    r"|[^/]*(credential|secret|token)[^/]*)(/|$)",
    re.IGNORECASE,
)
# Tools whose results may name a file that they kept, and where.
KEPT = {
    "web_extract": ("cache/web", "web_cache"),
    "delegate_task": ("cache/delegation", "delegation_cache"),
}
UPLOADS = ("cache", "document_cache", "image_cache", "audio_cache", "video_cache")

_lock = threading.Lock()
_wanted = {}  # room -> {path below the data directory: None}
_sent = {}  # room -> {path: (mtime, size)}


def offer(paths, room):
    """These files, below the agent's data directory, may be in this work directory."""
    with _lock:
        wanted = _wanted.setdefault(room, {})
        for path in paths:
            below = relative(path)
            if below and not NEVER.search(below):
                wanted.pop(below, None)
                wanted[below] = None
        while len(wanted) > MOST_FILES:
            del wanted[next(iter(wanted))]


def offer_uploads(paths, room):
    offer([p for p in paths if (relative(p) or "").split("/")[0] in UPLOADS], room)


def offer_skill(folder, room):
    """A skill that was opened: its files, as far as they are plain files of a bearable size."""
    if not (relative(folder) or "").startswith("skills/"):
        return
    found = []
    for top, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        found += [os.path.join(top, name) for name in sorted(files)]
    offer(found[:MOST_FILES], room)


def relative(path):
    """The path below the data directory, or None. Links are followed: what counts is the file."""
    home = os.path.realpath(current.home)
    real = os.path.realpath(path)
    return os.path.relpath(real, home) if real.startswith(home + "/") else None


def inside(path):
    """Where a file of the data directory is in the sandbox."""
    return f"{WORK}/{INSIDE}/{relative(path)}"


def due(room):
    """What is to be sent with the next command, as (path, mode, bytes)."""
    with _lock:
        wanted = list(_wanted.get(room, ()))
        sent = _sent.setdefault(room, {})
    files, size = [], 0
    for below in reversed(wanted):
        try:
            file, info = _open(os.path.join(current.home, below))
            with file:
                mark = (info.st_mtime_ns, info.st_size)
                if sent.get(below) == mark or size + info.st_size > MOST_BYTES:
                    continue
                data = file.read(MOST_BYTES)
        except OSError:
            continue
        size += len(data)
        files.append((f"{INSIDE}/{below}", 0o755 if info.st_mode & 0o100 else 0o644, data))
        sent[below] = mark
    return files


def forget(room):
    """The command that brought them did not start: they are sent again."""
    with _lock:
        _sent.pop(room, None)


def rewrite(text, room):
    """The text with the paths of the files in this work directory as they are in the sandbox."""
    with _lock:
        wanted = list(_wanted.get(room, ()))
    for below in wanted:
        text = text.replace(os.path.join(current.home, below), f"{WORK}/{INSIDE}/{below}")
    return text


def skills_in(text, room):
    """Skills whose place stands in a text, such as a skill's own instructions: offered, and the
    text with their place in the sandbox."""
    home = re.escape(os.path.join(current.home, "skills"))
    for found in sorted(set(re.findall(home + r"(?:/[\w.@+-]+)+", text)), key=len):
        folder = found if os.path.isdir(found) else os.path.dirname(found)
        while (relative(folder) or "").startswith("skills/"):
            if os.path.isfile(os.path.join(folder, "SKILL.md")):
                offer_skill(folder, room)
                break
            folder = os.path.dirname(folder)
    return text.replace(os.path.join(current.home, "skills") + "/", f"{WORK}/{INSIDE}/skills/")


def kept_in(text, room, folders, since):
    """The long form of a result, which the agent kept in its cache and names in the short one.

    Others' words stand in the text too: only what was made in that folder during this call (after
    `since`, in seconds of the clock) is meant, and no way out of the folder."""
    for folder in folders:
        prefix = os.path.join(current.home, folder) + "/"
        found = set(re.findall(re.escape(prefix) + r"[\w.@+/-]+", text))
        offer([p for p in found if _is_new(p, folder, since)], room)
        text = rewrite(text, room) if found else text
    return text


def _is_new(path, folder, since):
    try:
        info = os.lstat(path)
    except OSError:
        return False
    below = (relative(path) or "").startswith(folder + "/")
    return below and stat.S_ISREG(info.st_mode) and info.st_mtime >= since - 1


def host_file(path, room=None):
    """The file on the host that stands behind a path in the sandbox, if this person has it."""
    prefix = f"{WORK}/{INSIDE}/"
    below = path[len(prefix) :] if path.startswith(prefix) else relative(path)
    with _lock:
        known = below in _wanted.get(room or owner.room(), ())
    return os.path.join(current.home, below) if known else None


def _open(path):
    """A plain file that is not reached by a link."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode):
        os.close(fd)
        raise OSError("not a plain file")
    return os.fdopen(fd, "rb"), info
