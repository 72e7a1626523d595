"""The API: each request for a turn is admitted, or answered with 429 and one sentence."""

import asyncio
import functools
import threading

from . import admit
from .errors import Refused

PLATFORM, USER = "api_server", "key"
HANDLERS = (
    "_handle_chat_completions",
    "_handle_responses",
    "_handle_runs",
    "_handle_session_chat",
    "_handle_session_chat_stream",
)

_lock = threading.Lock()
_admitted = 0  # Requests that were counted at the door and have not yet begun their turn.


def wrap_handler(real):
    @functools.wraps(real)
    async def handler(self, request):
        global _admitted
        # Without the key it is refused by the agent, and uses up nobody's share.
        if self._check_auth(request) is not None:
            return await real(self, request)
        answer = await asyncio.to_thread(admit.message, PLATFORM, USER)
        if answer.get("ok") is not True:
            return too_many(answer)
        with _lock:
            _admitted += 1
        return await real(self, request)

    return handler


def wrap_bind_session(real):
    """The agent's own single way to a turn of the API: a route without a door is counted here."""

    @functools.wraps(real)
    def _bind_api_server_session(*, chat_id="", session_key="", session_id=""):
        global _admitted
        with _lock:
            counted = _admitted > 0
            _admitted -= counted
        if not counted:
            answer = admit.message(PLATFORM, USER, session=session_id or session_key)
            if answer.get("ok") is not True:
                raise Refused(admit.sentence(answer))
        return real(chat_id=chat_id, session_key=session_key, session_id=session_id)

    return _bind_api_server_session


def too_many(answer):
    from aiohttp import web

    error = {
        "message": admit.sentence(answer),
        "type": "rate_limit_error",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    retry = str(max(1, int(answer.get("retry") or admit.QUIET)))
    return web.json_response({"error": error}, status=429, headers={"Retry-After": retry})
