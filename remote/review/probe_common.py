"""What probes have in common."""

import asyncio
import base64
import contextlib
import json
import time
import traceback

PROBES = []
# Made of two parts, so that no scanner of files takes it for a real one.
SECRET = "ghp_" + "A1b2C3d4E5f6A1b2C3d4E5f6A1b2C3d4E5f6"


def probe(function):
    PROBES.append(function)
    return function


def run():
    results = []
    for function in PROBES:
        began, detail = time.monotonic(), ""
        try:
            said = function()
            if asyncio.iscoroutine(said):
                said = asyncio.run(said)
            ok = said is None or bool(said)
        except BaseException:
            ok, detail = False, traceback.format_exc()[-1500:]
        seconds = round(time.monotonic() - began, 3)
        results.append({"name": function.__name__, "ok": ok, "detail": detail, "seconds": seconds})
    return results


def middleware():
    import hermes_cli.middleware

    return hermes_cli.middleware.run_tool_execution_middleware


def tool(name, args):
    """A real tool of the registry, as the agent's loop would call it."""
    from model_tools import handle_function_call
    from petasos_policy import owner

    session = owner.of().get("session", "s1")
    return json.loads(handle_function_call(name, args, task_id=session, session_id=session))


@contextlib.contextmanager
def turn_of(user):
    """A turn of this person, in a session of theirs."""
    from petasos_policy import owner

    who = {"platform": "telegram", "user": user, "key": user, "session": f"session-{user}"}
    token = owner._turn.set(who)
    try:
        yield
    finally:
        owner._turn.reset(token)


@contextlib.contextmanager
def lines():
    """What goes to the audit log meanwhile: (event, fields)."""
    from petasos_policy import current

    found, kept = [], current.audit

    class Sees:
        def say(self, event, **fields):
            found.append((event, fields))
            return kept.say(event, **fields)

        def tell(self, event, **fields):
            found.append((event, fields))
            kept.tell(event, **fields)

    current.audit = Sees()
    try:
        yield found
    finally:
        current.audit = kept


def refused(said):
    return said.get("status") == "blocked" and "BLOCKED" in said.get("error", "")


def real(name):
    from petasos_policy import install

    return install.real[name]


def png():
    return base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
        "gg=="
    )
