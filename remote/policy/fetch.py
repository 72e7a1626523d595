"""Files that come out of a work directory: what the agent hands to a person, or to a model.

The bytes are read by a command in the sandbox and kept in the agent's cache: nothing that a reply
or a tool call names is ever opened on the host by that name.
"""

import os
import re
import secrets
import shlex

from . import current, owner, push, sandbox

MOST = 48 << 20
# Text that is longer leaves as it is: the patterns would hold up the turn.
LONGEST_TEXT = 2 << 20
FOLDERS = {
    "images": {"png", "jpg", "jpeg", "webp", "gif", "bmp"},
    "audio": {"mp3", "ogg", "opus", "wav", "m4a", "flac"},
    "videos": {"mp4", "mov", "webm", "mkv", "avi"},
}
_names = re.compile(r"[^A-Za-z0-9._-]+")


def to_cache(path, session="", most=MOST):
    """Copies a file of the caller's work directory into the cache: its path there, or None."""
    room = owner.room(session)
    known = push.host_file(path, room)
    if known:
        return known
    if not path.startswith("/"):
        path = f"{sandbox.WORK}/{path}"
    quoted = shlex.quote(path)
    most = min(most, MOST)
    script = f"test -f {quoted} && head -c {most + 1} < {quoted}"
    code, data = sandbox.run(script, room=room, timeout=60, most=most + 1)
    if code or len(data) > most:
        return None
    data = _redacted(data)
    name = _names.sub("_", os.path.basename(path))[-80:] or "file"
    ending = name.rsplit(".", 1)[-1].lower()
    folder = next((f for f, known in FOLDERS.items() if ending in known), "documents")
    folder = os.path.join(current.home, "cache", folder)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    target = os.path.join(folder, f"out_{secrets.token_hex(8)}_{name}")
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
    return target


def _redacted(data):
    """Text as every other result of the agent's: what is no UTF-8, or has NUL, is no text."""
    if len(data) > LONGEST_TEXT or b"\0" in data:
        return data
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    clean = current.clean_text(text)
    return data if clean == text else clean.encode("utf-8", "replace")
