"""Scheduled jobs by the API: judged as the tool `cronjob` is, on record, and counted.

Nobody can be asked there, so what would need a person's yes is refused.
"""

import asyncio
import functools
import os

from . import admit, api, calls, current, host_paths, rules
from .errors import Refused

TOOL = "cronjob"
# `_handle_ACTION_job` of the agent. To look at jobs changes nothing.
HANDLERS = (
    "_handle_create_job",
    "_handle_update_job",
    "_handle_delete_job",
    "_handle_pause_job",
    "_handle_resume_job",
    "_handle_run_job",
)
# A way to stop is never rationed; all others begin a turn, now or later.
STOPS = frozenset(("remove", "pause"))


def wrap_handler(real):
    action = real.__name__.split("_")[2]
    action = {"delete": "remove"}.get(action, action)

    @functools.wraps(real)
    async def handler(self, request):
        if self._check_auth(request) is not None:
            return await real(self, request)
        if action not in STOPS:
            answer = await asyncio.to_thread(admit.message, api.PLATFORM, api.USER)
            if answer.get("ok") is not True:
                return api.too_many(answer)
        # `action` last: the body has no say in which one it is.
        args = {**await _body(request), "action": action}
        job = request.match_info.get("job_id")
        if job:
            args["job_id"] = job
        base = {
            "id": os.urandom(6).hex(),
            "tool": TOOL,
            "platform": api.PLATFORM,
            "user": api.USER,
        }
        no = await asyncio.to_thread(_refusal, base, args)
        if no:
            return _forbidden(no)
        said = await real(self, request)
        status = "ok" if said.status < 400 else "error"
        await asyncio.to_thread(
            functools.partial(current.say, "tool_result", status=status, **base)
        )
        return said

    return handler


async def _body(request):
    """What the agent reads again afterwards; what is no object it refuses itself."""
    try:
        body = await request.json()
    except Exception:
        return {}
    return body if isinstance(body, dict) else {}


def _refusal(base, args):
    """Why not, on record; or nothing, and the call is on record."""
    try:
        try:
            _judge(args)
        except Refused as no:
            calls.record_refusal(base, TOOL, args, no.reason, no.rule)
            return str(no.reason)
        current.say("tool_call", verdict="allow", **base, **calls.shown(TOOL, args))
        return ""
    except Exception as error:
        calls.complain("refused a job of the API", error)
        return admit.NOT_WELL


def _judge(args):
    said = rules.judge(current.the_policy().approve, TOOL, args)
    if said.verdict != rules.ALLOW:
        raise Refused(said.reason, said.rule)
    _, ask = host_paths.check(TOOL, said.args)
    if ask:
        raise Refused(f"{ask}, and by the API there is nobody to ask")


def _forbidden(why):
    from aiohttp import web

    return web.json_response({"error": f"Refused by the host's policy: {why}"}, status=403)
