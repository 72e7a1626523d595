"""Each tool call: a verdict and a line in the log before it runs, a clean result after.

The agent has several ways to a tool (its loop, threads, sub-agents, code that calls tools, the
tool search). All end in one function of its middleware, and behind it in the registry. The
verdict sits in the innermost call there, so that no other middleware comes after it.
"""

import contextvars
import functools
import hashlib
import json
import os
import sys
import time

from . import approvals, current, host_paths, outcome, owner, recall, rules
from .errors import Refused
from .threats import flags_of

# For the log, in characters.
LONGEST, LONGEST_COMMAND = 500, 4000
# The call that was judged last in this context: the agent passes the same call on through several
# of its layers, and it is asked once.
_judged = contextvars.ContextVar("petasos_judged", default=None)


def wrap_middleware(real):
    @functools.wraps(real)
    def run_tool_execution_middleware(tool_name, args, next_call, **context):
        session = str(context.get("session_id") or "")
        return real(
            tool_name, args, lambda now: call(tool_name, now, next_call, session), **context
        )

    return run_tool_execution_middleware


def wrap_dispatch(real):
    @functools.wraps(real)
    def dispatch(self, name, args, **kwargs):
        session = str(kwargs.get("session_id") or "")
        return call(name, args, lambda now: real(self, name, now, **kwargs), session)

    return dispatch


def new_turn():
    """A sub-agent's calls are its own, also where they equal the one that started it."""
    return _judged.set(None)


def end_turn(token):
    _judged.reset(token)


def call(tool, args, go, session=""):
    if _judged.get() is not None and _judged.get() == (tool, args):
        return go(args)
    began, since = time.monotonic(), time.time()
    base = {"id": os.urandom(6).hex(), "tool": tool}
    try:
        base.update(owner.fields(session))
        verdict, args, refused = judge(tool, args, session)
        if refused is not None:
            record_refusal(base, tool, args, refused.reason, refused.rule)
            return outcome.blocked(refused.reason)
        current.say("tool_call", verdict=verdict, **base, **shown(tool, args))
    except Exception as error:
        complain(f"refused {tool}", error)
        return outcome.not_well("nothing was run")
    token = _judged.set((tool, args))
    try:
        result = go(args)
    except BaseException as error:
        _try_to_say("tool_result", base, began, type(error).__name__)
        raise
    finally:
        _judged.reset(token)
    try:
        result = current.clean(recall.visible(tool, result, session, since))
        status, said = outcome.read(result)
        if said:  # The agent's own rules: as much a refusal as ours.
            record_refusal(base, tool, args, said, "the agent's own")
        flags = flags_of(result)
        current.say("tool_result", status=status, ms=_since(began), flags=flags, **base)
        return result
    except Exception as error:
        complain(f"withheld the result of {tool}", error)
        return outcome.not_well("the result is withheld")


def judge(tool, args, session):
    """(verdict, arguments to go on with, None or the refusal)."""
    if not isinstance(args, dict):
        return "deny", args, Refused("arguments of a wrong type")
    approve = current.the_policy().approve
    try:
        said = rules.judge(approve, tool, args)
        if said.verdict not in (rules.ALLOW, rules.ASK):
            raise Refused(said.reason, said.rule)
        reason = said.reason if said.verdict == rules.ASK else ""
        args, more = host_paths.check(tool, said.args, session)
        # With an allow list a tool that is on it needs no second question.
        if more and approve.mode != "allowlist":
            reason = reason or more
        if not reason:
            return "allow", args, None
        approvals.ask(tool, args, reason)
        return "approved", args, None
    except Refused as no:
        return "deny", args, no


def record_refusal(base, tool, args, reason, rule):
    what = shown(tool, args)
    reason = current.clean_text(str(reason))[:2000]
    current.say("command_denied", verdict="deny", reason=reason, rule=str(rule), **base, **what)


def shown(tool, args):
    if not isinstance(args, dict):
        return {"args": str(type(args))}
    # Cut after the redaction: half a secret would not be found.
    args = current.clean(args)
    if tool in ("terminal", "execute_code"):
        key = "command" if tool == "terminal" else "code"
        rest = {k: short(v) for k, v in args.items() if k != key}
        return {"command": short(str(args.get(key)), LONGEST_COMMAND), "args": rest}
    return {"args": short(args)}


def short(value, most=LONGEST):
    """For the log: long texts, such as a file that is written, with their length and digest."""
    if isinstance(value, str) and len(value) > most:
        digest = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
        return f"{value[:most]}… ({len(value)} characters, sha256 {digest})"
    if isinstance(value, dict):
        return {k: short(v, most) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [short(v, most) for v in value]
    return value


def _since(began):
    return int((time.monotonic() - began) * 1000)


def _try_to_say(event, base, began, status):
    try:
        current.say(event, status=status, ms=_since(began), **base)
    except Exception as error:
        complain(f"no line for {base.get('tool')}", error)


quiet = False  # While the self-test breaks things on purpose.


def complain(what, error):
    if quiet:
        return
    text = str(error)
    try:
        text = current.clean_text(text)
    except Exception:
        text = ""
    line = f"petasos policy: {what}: {type(error).__name__}: {text}"
    print(json.dumps(line, ensure_ascii=True)[1:-1][:2000], file=sys.stderr, flush=True)
