"""Without the sandbox, commands are this process's children. None is handed a secret of the host's.

What a child inherits by itself has none: the secrets never get into the environment that the C
library has. Here they are taken out of the environments that the agent puts together.
"""

import functools
import inspect
import os
import subprocess

from . import hidden, install

# Each has the new program's environment as its third argument.
WAYS = ("os:execve", "os:posix_spawn", "os:posix_spawnp")
ASKED = ["/usr/bin/env", "-0"]


def strip():
    popen = subprocess.Popen
    real = popen.__init__
    signature = inspect.signature(real)

    @functools.wraps(real)
    def __init__(*args, **kwargs):
        asked = signature.bind(*args, **kwargs)
        if asked.arguments.get("env") is not None:
            asked.arguments["env"] = without(asked.arguments["env"])
        return real(*asked.args, **asked.kwargs)

    popen.__init__ = __init__
    for way in WAYS:
        owner, last = install.find(way)
        there = getattr(owner, last)
        stripped = _stripped(there)
        setattr(owner, last, stripped)
        install.replace(there, stripped)


def _stripped(real):
    @functools.wraps(real)
    def start(path, argv, env, **options):
        return real(path, argv, without(env), **options)

    return start


def without(environment):
    """The same without the host's secrets, by name and by value. None is what the C library has,
    which is how Python 3.13 passes on that nothing was said."""
    if environment is None:
        return None
    values = set(hidden.taken.values())
    return {
        name: value
        for name, value in environment.items()
        if os.fsdecode(name) not in hidden.taken and os.fsdecode(value) not in values
    }


def holds():
    """Whether children are handed none, by themselves or in a copy of what is here."""
    for environment in (None, dict(os.environ)):
        said = subprocess.run(ASKED, env=environment, stdout=subprocess.PIPE, check=True).stdout
        if any(os.fsencode(value) in said for value in hidden.taken.values()):
            return False
    return True
