"""Asks a release of the agent whether Petasos knows its providers and platforms.

stdin: {"providers": [...], "platforms": {...}, "aliases": {...}}, as tests/lab/providers.rs writes
it. stdout: one line for each thing that the release sees otherwise; then how many cases there were.
Runs in the release's own Python. Nothing is dialled: each name is refused, and noted.
"""

import json
import logging
import os
import pathlib
import socket
import sys
import tempfile
import time
from urllib.parse import urlparse

import tomllib
import yaml

logging.disable(logging.CRITICAL)
scratch = pathlib.Path(tempfile.mkdtemp())
for name in list(os.environ):
    if name != "PATH":
        del os.environ[name]
os.environ.update(
    HOME=str(scratch),
    HERMES_HOME=str(scratch / "home"),
    HERMES_MANAGED_DIR=str(scratch / "managed"),
)
(scratch / "home").mkdir()
(scratch / "managed").mkdir()

dialled = set()


def refuse(host, *_, **__):
    dialled.add(host)
    raise socket.gaierror(socket.EAI_NONAME, "refused")


socket.getaddrinfo = refuse
# Whoever waits before it dials again would be refused again.
time.sleep = lambda *_: None

import hermes_cli  # noqa: E402
from hermes_cli import auth, managed_scope  # noqa: E402
from hermes_cli.auth import PROVIDER_REGISTRY, AuthError, resolve_provider  # noqa: E402
from hermes_cli.runtime_provider import resolve_runtime_provider  # noqa: E402

RELEASE = pathlib.Path(hermes_cli.__file__).resolve().parents[1]
PROJECT = tomllib.loads((RELEASE / "pyproject.toml").read_text())["project"]
SOURCES = [
    *RELEASE.glob("*.py"),
    *(RELEASE / "hermes_cli").glob("*.py"),
    *(RELEASE / "agent").glob("*.py"),
    *(RELEASE / "plugins").rglob("*.py"),
    *(RELEASE / "gateway").rglob("*.py"),
]
TEXT = "\n".join(path.read_text(errors="replace") for path in SOURCES)
# One of each family whose interface a provider may choose by the model, or by the key.
MODELS = ["some-model", "claude-sonnet-4", "gpt-5", "minimax-m2", "qwen3-max"]
# What the registry does not say.
LOGINS = {"openai-codex": auth.CODEX_OAUTH_TOKEN_URL, "xai-oauth": auth.XAI_OAUTH_ISSUER}
PREFIXES = ["sk-of-the-table-", "sk-kimi-"]


def known(alias):
    try:
        return resolve_provider(alias)
    except AuthError:
        return None


def configured(provider, url, model):
    """As /etc/hermes/config.yaml has it on a host."""
    chosen = {"provider": provider, "default": model}
    if url:
        chosen["base_url"] = url
    text = yaml.safe_dump({"model": chosen, "fallback_providers": []})
    (scratch / "managed/config.yaml").write_text(text)
    managed_scope.invalidate_managed_cache()


def resolved(keys):
    """What the release would use with these variables; None and why where it has no login."""
    dialled.clear()
    os.environ.update(keys)
    try:
        return resolve_runtime_provider(), ""
    except AuthError as error:
        return None, str(error).splitlines()[0]
    finally:
        for key in keys:
            del os.environ[key]
        for left in scratch.glob("home/auth*"):
            left.unlink()


def is_local(host):
    return host in ("localhost", "::1") or host.startswith("127.")


def covered(host, names):
    def one(name):
        name, _, port = name.partition(":")
        if port and name == "localhost":
            return is_local(host)
        return host == name or name.startswith("*.") and host.endswith(name[1:])

    return any(map(one, names))


def mismatches(case):
    provider, url, keys = case["provider"], case["base_url"], case["keys"]
    canonical = known(provider)
    if canonical is None:
        yield "the release does not know it"
        return
    if canonical != provider:
        yield f"an alias of {canonical}"
    host = urlparse(url).hostname if url else None
    if case["refused"]:
        # Petasos refuses the address: so must the release, whatever key there is.
        configured(provider, url, MODELS[0])
        got, _ = resolved({key: PREFIXES[0] + "0123456789" for key in case["usual_keys"]})
        if got and urlparse(got["base_url"]).hostname == host:
            yield "the address is honoured, the table refuses it"
        return
    for extra in case["extras"]:
        if extra not in PROJECT["optional-dependencies"]:
            yield f"the release has no extra {extra}"
    for name in case["names"]:
        plain = name.removeprefix("*.")
        if not url and plain not in TEXT:
            yield f"the release never names {plain}"

    configured(provider, url, MODELS[0])
    bare, _ = resolved({})
    if case["login"]:
        entry = PROVIDER_REGISTRY.get(canonical)
        kind = entry.auth_type if entry else "api_key"
        if not kind.startswith("oauth"):
            yield f"a login in the table, {kind} in the release"
        if bare:
            yield "resolves without a login"
        if not entry:
            return
        for site in (entry.portal_base_url, entry.inference_base_url, LOGINS.get(provider, "")):
            site = urlparse(site).hostname
            if site and not covered(site, case["names"]):
                yield f"reaches {site}, which the table lacks"
        return
    if not keys and not (bare and bare["api_key"]):
        yield "neither a key nor a login in the table"
    if keys and bare and bare["api_key"] not in ("", "no-key-required"):
        yield f"needs no key: has {bare['api_key']}"

    # A server of the user's own is what it is, whatever the model and the key.
    kinds = [(PREFIXES[0], model) for model in MODELS] + [(PREFIXES[1], MODELS[0])]
    for key in keys:
        for prefix, model in kinds[:1] if url else kinds:
            value = prefix + "0123456789abcdef"
            configured(provider, url, model)
            got, why = resolved({key: value})
            if not got or got["api_key"] != value:
                yield f"{key} is not read: {why}"
                continue
            yield from seen(case, got, host)
    configured(provider, url, MODELS[0])
    if not keys and bare:
        resolved({})
        yield from seen(case, bare, host)
    values = {key: f"{PREFIXES[0]}number-{number}" for number, key in enumerate(keys)}
    got, _ = resolved(values) if len(keys) > 1 else (None, "")
    if got and got["api_key"] != values[keys[0]]:
        first = [key for key in keys if values[key] == got["api_key"]]
        yield f"{keys[0]} does not win, {first} does"


def seen(case, got, wanted):
    dials = urlparse(got["base_url"]).hostname
    if wanted and dials != wanted:
        yield f"dials {dials}, the address is ignored"
    # Beside a server of the user's own it may try others, which are refused.
    for name in sorted({dials} | (set() if wanted else dialled)):
        if not covered(name, case["names"]):
            yield f"dials {name}, which the table lacks"
    if got["api_mode"] == "anthropic_messages" and "anthropic" not in case["extras"]:
        yield f"speaks {got['api_mode']}, extras {case['extras']}"


def of_platform(name, row):
    file = RELEASE / "plugins/platforms" / name / "plugin.yaml"
    if not file.exists():
        yield "the release does not know it"
        return
    plugin = yaml.safe_load(file.read_text())
    wanted = {entry["name"] for entry in plugin["requires_env"]}
    if wanted != set(row["tokens"]):
        yield f"tokens {sorted(wanted)}"
    users = f"{name.upper()}_ALLOWED_USERS"
    if users not in {entry["name"] for entry in plugin["optional_env"]}:
        yield f"{users} is not read"


def report(what, found):
    for line in dict.fromkeys(found):
        print(f"{what}: {line}")


asked = json.load(sys.stdin)
for case in asked["providers"]:
    at = f" at {case['base_url']}" if case["base_url"] else ""
    report(f"{case['provider']}{at}", mismatches(case))
for alias, provider in asked["aliases"].items():
    # Our word for it may be none of the release's, but never its word for another one.
    if known(alias) not in (None, provider):
        report(alias, [f"{known(alias)} in the release, {provider} in the table"])
for name, row in asked["platforms"].items():
    report(name, of_platform(name, row))
print(f"{len(asked['providers'])} cases")
