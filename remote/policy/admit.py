"""Who may speak now: each message is put to the audit writer, which counts it over restarts.

A writer that does not answer admits nobody.
"""

import threading
import time

from . import current, owner
from .calls import complain
from .errors import Refused
from .threats import flags_of

# A way to stop is never rationed.
FREE = frozenset(("stop", "deny"))
# Turns of these are no message, or were counted where they came in.
UNCOUNTED = frozenset(("local", "cli", "cron", "tui", "acp", "api_server", "webhook"))
QUIET = 60
NOT_WELL = "The host's policy is not well, so nothing was done."
MOST = 2000

_lock = threading.Lock()
_told = {}  # (platform, user) that were told already, and have been refused ever since.
_strangers = {}
_uploads = {}  # (platform, chat) -> paths
_last = {}  # (platform, user) -> when a message was admitted last
RECENT = 600


def message(platform, user, text="", chat="", session=""):
    """The writer's answer: `ok`, and `retry` in seconds where it is false. By which limit it counts
    the policy says, to the writer itself."""
    try:
        answer = current.say(
            "message",
            platform=platform,
            user=user,
            chat=chat,
            session=session,
            key=f"{platform} {user}",
            chars=len(text),
            flags=flags_of(text),
        )
    except Exception as error:
        complain("refused a message", error)
        return {"ok": False, "retry": QUIET, "broken": True}
    if answer.get("ok") is True:
        with _lock:
            _told.pop((platform, user), None)
            if len(_last) > MOST:
                _last.clear()
            _last[(platform, user)] = time.monotonic()
    return answer


def recently(platform, user):
    """A message that was merged or queued after it was counted is not counted again."""
    with _lock:
        return time.monotonic() - _last.get((platform, user), -RECENT) < RECENT


def sentence(answer):
    if answer.get("broken"):
        return NOT_WELL
    text = current.the_policy().rate.reply
    minutes = max(1, -(-int(answer.get("retry") or QUIET) // 60))
    return f"{text} ({minutes} min)"


def told(platform, user):
    """True from the second time on: one sentence, then silence."""
    with _lock:
        if len(_told) > MOST:
            _told.clear()
        before = _told.get((platform, user), False)
        _told[(platform, user)] = True
        return before


def stranger(platform, user):
    now = time.monotonic()
    with _lock:
        if now - _strangers.get((platform, user), -QUIET) < QUIET:
            return
        if len(_strangers) > MOST:
            _strangers.clear()
        _strangers[(platform, user)] = now
    try:
        current.say("stranger", verdict="deny", platform=platform, user=user)
    except Exception as error:
        complain("a stranger is not on record", error)


def keep_uploads(platform, chat, paths):
    with _lock:
        if len(_uploads) > MOST:
            _uploads.clear()
        kept = _uploads.setdefault((platform, chat), [])
        kept += [p for p in paths if p not in kept]
        del kept[:-100]


def uploads(who):
    with _lock:
        return list(_uploads.get((who.get("platform", ""), who.get("chat", "")), ()))


def turn(agent):
    """A turn on a platform whose message did not come through the gateway's door, such as a
    comment in a document, is counted here."""
    who = owner.of()
    platform = who.get("platform", "")
    if platform in UNCOUNTED or who.get("user") or who.get("chat") or who.get("parent"):
        return
    answer = message(platform, "unknown", session=who.get("session", ""))
    if answer.get("ok") is not True:
        raise Refused(sentence(answer))
