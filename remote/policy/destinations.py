"""Where conversations go: to the servers of the provider in petasos.yaml, and to names that are
allowed there by hand. No login, session or job of the agent's data names another.

All clients of the agent end in one of three places; a request for another host never leaves them.
"""

import functools
import importlib
import importlib.util
import json
import os
from urllib.parse import urlsplit

from . import current
from .errors import Broken

# Each makes the address of each request.
CLIENTS = ("openai._base_client", "anthropic._base_client")
NATIVE = ("agent.gemini_native_adapter", "GeminiNativeClient")
PORTS = {"https": 443, "http": 80}
LOCAL = ("localhost", "127.0.0.1", "::1")


def install():
    for client in _clients():
        real = getattr(client, "_prepare_url", None)
        if real is None:
            raise Broken(f"a choke point is missing: {client.__module__}:BaseClient._prepare_url")
        client._prepare_url = _wrap_prepare(real)
    module, name = NATIVE
    native = getattr(importlib.import_module(module), name, None)
    if native is None:
        raise Broken(f"a choke point is missing: {module}:{name}")
    native.__init__ = _wrap_native(native.__init__)


def holds():
    """Whether each client that is here refuses a server of nobody's."""
    return all(_refuses(client) for client in _clients())


def _refuses(client):
    there = client.__new__(client)
    try:
        client._prepare_url(there, "https://petasos-selftest.invalid/v1")
    except Broken:
        return True
    return False


def _clients():
    for module in CLIENTS:
        if importlib.util.find_spec(module.partition(".")[0]) is not None:
            yield importlib.import_module(module).BaseClient


def _wrap_prepare(real):
    @functools.wraps(real)
    def _prepare_url(self, url):
        made = real(self, url)
        check(str(made))
        return made

    return _prepare_url


def _wrap_native(real):
    @functools.wraps(real)
    def __init__(self, *args, **kwargs):
        real(self, *args, **kwargs)
        check(str(self.base_url))

    return __init__


def check(url):
    """
    Raises `Broken` where a conversation would go to somebody else."""
    if not is_known(url, servers(current.the_policy().servers)):
        host = urlsplit(url).hostname if "://" in url else url
        raise Broken(f"the policy sends conversations to the provider alone, not to {host}")


_read = {}  # path -> (its mark, what it says)


def servers(path):
    """
    Those of a file, read anew when it is another: a name more restarts nothing. Raises `Broken`."""
    try:
        info = os.stat(path)
        mark = (info.st_ino, info.st_mtime_ns, info.st_size)
        if _read.get(path, (None,))[0] != mark:
            with open(path, "rb") as file:
                names = json.load(file)
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise ValueError("no list of names")
            _read[path] = (mark, tuple(names))
    except (OSError, ValueError) as error:
        raise Broken(f"{path}: {error}") from error
    return _read[path][1]


def is_known(url, hosts):
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
        port = parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError):
        return False
    return any(_covers(entry, host, port) for entry in hosts)


def _covers(entry, host, port):
    name, _, wanted = entry.partition(":")
    if port != int(wanted or 443):
        return False
    if name == "localhost":
        return host in LOCAL
    if name.startswith("*."):
        return host.endswith(name[1:]) and len(host) > len(name[1:])
    return host == name
