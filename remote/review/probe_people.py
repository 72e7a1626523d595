"""Whom a call is for."""

import threading
import types

from probe_common import probe, real


@probe
def a_sub_agent_works_for_the_same_person():
    from gateway.session_context import clear_session_vars, set_session_vars
    from petasos_policy import owner

    tokens = set_session_vars(platform="telegram", user_id="7", chat_id="7", session_key="k7")
    parent = types.SimpleNamespace(session_id="p1")
    token = owner.begin(parent)
    room = owner.room()
    owner.end(token)
    clear_session_vars(tokens)
    found = []

    def child():
        agent = types.SimpleNamespace(session_id="c1", _parent_session_id="p1", platform="telegram")
        token = owner.begin(agent)
        found.append((owner.fields(), owner.room()))
        owner.end(token)

    thread = threading.Thread(target=child)
    thread.start()
    thread.join()
    fields, theirs = found[0]
    assert fields["user"] == "7" and fields["parent"] == "p1" and theirs == room, found
    assert owner.room("unknown") != room


@probe
def the_search_in_chats_finds_ones_own():
    from hermes_state import SessionDB
    from petasos_policy import owner
    from tools import session_search_tool

    db = SessionDB()
    for name, user in (("mine-1", "7"), ("theirs-1", "8")):
        db.create_session(name, "telegram", user_id=user)
        db.append_message(name, "user", f"zebra words of {user}")
    search = session_search_tool.session_search
    control = real("tools.session_search_tool:session_search")
    token = owner._turn.set({"platform": "telegram", "user": "7", "session": "now"})
    try:
        assert "words of 8" in control(query="zebra", db=db, limit=5), "the control"
        assert "words of 8" in control(session_id="theirs-1", db=db), "the control"
        said = search(query="zebra", db=db, limit=5)
        assert "words of 7" in said and "words of 8" not in said, said
        assert "words of 8" not in search(session_id="theirs-1", db=db)
        assert "words of 8" not in search(session_id="default/theirs-1", db=db)
        assert "words of 8" not in search(db=db)
        assert "words of 7" in search(session_id="mine-1", db=db)
    finally:
        owner._turn.reset(token)
