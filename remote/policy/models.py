"""Model calls: counted, on record, and without secrets in what is sent.

The agent reaches a model in four ways: its main loop (a middleware), the calls beside it (titles,
compression, vision: `call_llm`), the summary at its limit of steps, and in older releases a client
that is handed out for small questions.
"""

import asyncio
import contextvars
import functools
import os
import time

from . import current, destinations, owner
from .calls import complain
from .errors import Broken

# The parts of a request that carry text of people and of tools.
TEXT = ("messages", "input", "instructions", "system", "contents", "prompt")
SPENT = "the host's budget of model calls is used up"

# A call is on record: the client below need not write it again.
_counted = contextvars.ContextVar("petasos_model_call", default=False)


def wrap_llm_middleware(real):
    @functools.wraps(real)
    def run_llm_execution_middleware(request, next_call, **context):
        session = str(context.get("session_id") or "")
        about = {"model": context.get("model"), "base_url": context.get("base_url")}

        def counted(now):
            if not isinstance(now, dict):
                raise Broken("a request to the model of another form")
            if about["base_url"]:
                destinations.check(str(about["base_url"]))
            return _call(lambda: next_call(clean_request(now)), session, about)

        return real(request, counted, **context)

    return run_llm_execution_middleware


def wrap_call_llm(real):
    """For `call_llm(task, ...)` and its async form: everything after the task has a name."""
    if asyncio.iscoroutinefunction(real):

        @functools.wraps(real)
        async def call(task=None, **kwargs):
            kwargs, about = clean_request(kwargs), _about(kwargs, task)
            base = await asyncio.to_thread(_begin, "", about)
            began, status, token = time.monotonic(), "ok", _counted.set(True)
            try:
                return await real(task, **kwargs)
            except BaseException as error:
                status = type(error).__name__
                raise
            finally:
                _counted.reset(token)
                await asyncio.to_thread(_end, base, began, status)

    else:

        @functools.wraps(real)
        def call(task=None, **kwargs):
            about = _about(kwargs, task)
            return _call(lambda: real(task, **clean_request(kwargs)), "", about)

    return call


def wrap_max_iterations(real):
    @functools.wraps(real)
    def handle_max_iterations(agent, messages, api_call_count):
        session = str(getattr(agent, "session_id", "") or "")
        about = {"model": getattr(agent, "model", ""), "task": "summary at the limit"}
        sent = current.clean(list(messages))
        before = len(sent)
        try:
            return _call(lambda: real(agent, sent, api_call_count), session, about)
        finally:
            messages.extend(sent[before:])

    return handle_max_iterations


def wrap_text_client(real):
    @functools.wraps(real)
    def get_text_auxiliary_client(*args, **kwargs):
        client, model = real(*args, **kwargs)
        return (client if client is None else Client(client)), model

    return get_text_auxiliary_client


class Client:
    """A client whose `chat.completions.create` counts. All else is the real one's."""

    def __init__(self, real, path=()):
        self._real, self._path = real, path

    def __getattr__(self, name):
        value = getattr(self._real, name)
        path = (*self._path, name)
        if path in (("chat",), ("chat", "completions")):
            return Client(value, path)
        if path == ("chat", "completions", "create"):
            return functools.partial(_create, value)
        return value


def _create(real, *args, **kwargs):
    if _counted.get():
        return real(*args, **kwargs)
    about = _about(kwargs, "small question")
    return _call(lambda: real(*args, **clean_request(kwargs)), "", about)


def clean_request(request):
    return {k: (current.clean(v) if k in TEXT else v) for k, v in request.items()}


def _about(kwargs, task):
    return {
        "model": kwargs.get("model"),
        "base_url": kwargs.get("base_url"),
        "task": str(task or kwargs.get("task") or ""),
    }


def _call(go, session, about):
    base = _begin(session, about)
    began, status, token = time.monotonic(), "ok", _counted.set(True)
    try:
        return go()
    except BaseException as error:
        status = type(error).__name__
        raise
    finally:
        _counted.reset(token)
        _end(base, began, status)


def _begin(session, about):
    base = {"id": os.urandom(6).hex(), **owner.fields(session)}
    if current.the_policy().rate.model_calls is not None:
        said = current.say("budget", key="model_calls", **base)
        if said.get("ok") is not True:
            raise Broken(SPENT)
    current.say("model_call", **current.clean(about), **base)
    return base


def _end(base, began, status):
    try:
        ms = int((time.monotonic() - began) * 1000)
        current.tell("model_result", status=status, ms=ms, **base)
    except Exception as error:
        complain("no line for a model's answer", error)
