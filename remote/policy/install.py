"""Puts the wraps in place, also where a module took a function by its name before."""

import importlib
import inspect
import sys

from .chokes import CHOKES, SANDBOX
from .errors import Broken

real = {}  # name -> what stood there


def install(sandboxed):
    for name, (parameters, wrap, when) in CHOKES.items():
        if when == SANDBOX and not sandboxed:
            continue
        owner, last = find(name)
        there = inspect.getattr_static(owner, last)
        static = isinstance(there, staticmethod)
        there = there.__func__ if static else there
        check(name, there, parameters)
        new = wrap(there)
        real[name] = there
        setattr(owner, last, staticmethod(new) if static else new)
        if inspect.ismodule(owner):
            replace(there, new)


def find(name):
    module, path = name.split(":")
    *outer, last = path.split(".")
    try:
        owner = importlib.import_module(module)
        for part in outer:
            owner = getattr(owner, part)
        inspect.getattr_static(owner, last)
    except (ImportError, AttributeError) as error:
        raise Broken(f"a choke point is missing in this release: {name}: {error}") from error
    return owner, last


def check(name, function, wanted):
    """Parameters in this order; `*` before names that must be named, `**x` for all others."""
    have = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in have:
            have.append("*")
        stars = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
        have.append(stars + parameter.name)
    if tuple(have[: len(wanted)]) != tuple(wanted):
        raise Broken(f"a choke point takes other parameters in this release: {name}: {have}")


def in_place():
    """The names whose wrap is no longer where it was put."""
    lost = []
    for name, there in real.items():
        owner, last = find(name)
        now = inspect.getattr_static(owner, last)
        if (now.__func__ if isinstance(now, staticmethod) else now) is there:
            lost.append(name)
    return lost


def replace(there, new):
    """Where the agent, or Python, holds the one it gets the other, by whatever name."""
    own = __name__.rsplit(".", 1)[0]
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith(own):
            continue
        held = getattr(module, "__dict__", None)
        for key, value in list(held.items()) if isinstance(held, dict) else ():
            if value is there:
                setattr(module, key, new)
