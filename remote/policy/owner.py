"""Who a thread works for: platform, user, chat and session.

The agent keeps that in context variables, which the threads of sub-agents, cron and background
work do not always inherit. So each turn says who it is for, and is found again by its session.
"""

import contextvars
import hashlib
import re
import threading

from . import current

MOST = 5000
FIELDS = {
    "platform": "HERMES_SESSION_PLATFORM",
    "user": "HERMES_SESSION_USER_ID",
    "chat": "HERMES_SESSION_CHAT_ID",
    "key": "HERMES_SESSION_KEY",
    "session": "HERMES_SESSION_ID",
}

_turn = contextvars.ContextVar("petasos_turn", default=None)
_by_session = {}
_lock = threading.Lock()


def from_context():
    """What the agent itself says of this thread or task: empty where it says nothing."""
    from gateway.session_context import get_session_env

    found = {name: str(get_session_env(key, "") or "") for name, key in FIELDS.items()}
    # Without a platform the rest may be what an earlier session of this process left behind.
    return {k: v for k, v in found.items() if v} if found["platform"] else {}


def of(session=""):
    """The owner of this call, as far as it can be known. Never empty: somebody is asked for it."""
    turn = _turn.get()
    if turn is not None and (not session or session in (turn.get("session"), turn.get("parent"))):
        return dict(turn)
    with _lock:
        known = _by_session.get(session)
    if known is not None:
        return dict(known)
    found = dict(turn or from_context() or nobody())
    if session:
        found["session"] = session
    return found


def from_agent(agent):
    """What it was made with, for work that goes on outside of its chat's context."""
    names = {
        "platform": "platform",
        "user": "_user_id",
        "chat": "_chat_id",
        "key": "_gateway_session_key",
    }
    found = {name: str(getattr(agent, kept, None) or "") for name, kept in names.items()}
    return {k: v for k, v in found.items() if v} if found["platform"] else {}


def nobody():
    """Whom a call is for that says nothing of it: at a command line, whoever sits there."""
    return {"platform": "unknown" if current.gateway else "local"}


def begin(agent):
    """A turn begins in this thread. Returns what `end` needs."""
    mine = str(getattr(agent, "session_id", "") or "")
    parent = str(
        getattr(agent, "_parent_session_id", None)
        or getattr(agent, "parent_session_id", None)
        or ""
    )
    found = from_context()
    if not found and parent:
        with _lock:
            found = dict(_by_session.get(parent) or {})
    if not found:
        found = dict(_turn.get() or {})
    if not found:
        with _lock:
            found = dict(_by_session.get(mine) or from_agent(agent) or nobody())
    found["session"] = mine
    if parent and parent != mine:
        found["parent"] = parent
    with _lock:
        while len(_by_session) >= MOST:
            del _by_session[next(iter(_by_session))]
        _by_session.pop(mine, None)
        _by_session[mine] = found
    return _turn.set(found)


def end(token):
    _turn.reset(token)


def fields(session=""):
    """For the audit log."""
    found = of(session)
    return {k: found[k] for k in ("platform", "user", "chat", "session", "parent") if k in found}


def person(found):
    """One name for whoever may see the other's files: a person in a chat, else a conversation."""
    parts = [found.get(k, "") for k in ("platform", "user", "chat")]
    if not any(parts[1:]) and parts[0] not in ("local", "cli"):
        parts.append(found.get("key") or found.get("parent") or found.get("session", ""))
    return " ".join(parts)


def room(session=""):
    """The name of the work directory in the sandbox that belongs to whoever is asking."""
    found = of(session)
    platform = re.sub(r"[^a-z0-9]+", "-", found.get("platform", "").lower()).strip("-")[:20]
    digest = hashlib.sha256(person(found).encode("utf-8", "replace")).hexdigest()[:32]
    return f"{platform or 'local'}-{digest}"
