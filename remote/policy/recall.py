"""What a tool may show of others: the search in past chats finds only those of whoever asks."""

import json

from . import background, current, owner, push

MOST_PARENTS = 50


def visible(tool, result, session="", since=0.0):
    """The result of a call that began at `since`, without what belongs to other people."""
    if tool == "process" and current.sandboxed():
        return _processes(result, owner.room(session))
    if tool == "skill_view" and current.sandboxed() and isinstance(result, str):
        return push.skills_in(result, owner.room(session))
    if tool in push.KEPT and current.sandboxed() and isinstance(result, str):
        return push.kept_in(result, owner.room(session), push.KEPT[tool], since)
    return result


def _processes(result, room):
    said = _read(result)
    if not isinstance(said, dict) or not isinstance(said.get("processes"), list):
        return result
    said["processes"] = [
        p for p in said["processes"] if background.is_of(str(p.get("session_id")), room)
    ]
    return json.dumps(said, ensure_ascii=False)


def wrap_session_search(real):
    def session_search(
        query="",
        role_filter=None,
        limit=3,
        db=None,
        current_session_id=None,
        session_id=None,
        around_message_id=None,
        window=5,
        sort=None,
        profile=None,
    ):
        nothing = json.dumps({"success": False, "error": "there is no such session of yours"})
        asked = str(session_id or "").strip()
        if (profile and str(profile).strip()) or "/" in asked:
            return nothing
        if db is None:
            from hermes_state import SessionDB

            db = SessionDB()
        me = owner.of(str(current_session_id or ""))
        if asked and not may_see(db, asked, me):
            return nothing
        result = real(
            query=query,
            role_filter=role_filter,
            limit=limit,
            db=db,
            current_session_id=current_session_id,
            session_id=session_id,
            around_message_id=around_message_id,
            window=window,
            sort=sort,
        )
        return _only_mine(result, db, me)

    return session_search


def _only_mine(result, db, me):
    said = _read(result)
    if not isinstance(said, dict):
        return result
    for key, found in list(said.items()):
        if isinstance(found, list) and any(isinstance(r, dict) and _ids(r) for r in found):
            mine = [
                r for r in found if isinstance(r, dict) and all(may_see(db, i, me) for i in _ids(r))
            ]
            said[key] = mine
            for count in ("count", "total", "sessions_searched"):
                if count in said:
                    said[count] = len(mine)
    return json.dumps(said, ensure_ascii=False)


def _ids(record):
    return [str(record[k]) for k in ("session_id", "parent_session_id") if record.get(k)]


def may_see(db, session, me):
    """Whether this session, or the one that it came from, is of the same person."""
    for _ in range(MOST_PARENTS):
        row = db.get_session(session)
        if not row:
            return False
        row = dict(row)
        if row.get("user_id") or not row.get("parent_session_id"):
            break
        session = row["parent_session_id"]
    if me.get("platform") in ("local", "cli"):
        return True  # The administrator's own shell, who can read the file itself.
    source, user = str(row.get("source") or ""), str(row.get("user_id") or "")
    return source == me.get("platform") and user == me.get("user", "")


def _read(result):
    try:
        return json.loads(result)
    except (TypeError, ValueError):
        return None
