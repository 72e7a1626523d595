"""Whether this process is the gateway, or somebody's command line.

The gateway's module marks the whole process as its own while it is imported, and the policy imports
it in every process. So the marks are taken off again until a gateway is started in earnest.
"""

import functools
import importlib
import os

from . import current
from .errors import Broken

_marks = {}


def load(parts):
    before = dict(os.environ)
    for part in parts:
        try:
            importlib.import_module(part)
        except ImportError as error:
            raise Broken(f"a part of the agent cannot be loaded: {part}: {error}") from error
    _marks.update((k, v) for k, v in os.environ.items() if before.get(k) != v)
    for name in _marks:
        if name in before:
            os.environ[name] = before[name]
        else:
            del os.environ[name]


def wrap_start_gateway(real):
    @functools.wraps(real)
    async def start_gateway(*args, **kwargs):
        os.environ.update({k: v for k, v in _marks.items() if not k.startswith("TERMINAL_")})
        if not current.sandboxed():
            os.environ.update(_marks)
        current.gateway = True
        return await real(*args, **kwargs)

    return start_gateway
