"""Reads policy.json. Whatever is missing, unknown or wrong is one error that names its key: a
policy that was not understood must not be in force."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from . import tools
from .deny import Deny, basename
from .lexer import GLOB, shown
from .rules import Approve, Rule, RuleError

VERSION = 1
SERVERS = "/etc/hermes/servers.json"
_KINDS = {
    str: "no text",
    int: "no number",
    bool: "neither true nor false",
    list: "no list",
    dict: "no object",
}
_SHA256 = re.compile(r"[0-9a-f]{64}")


class SettingsError(Exception):
    """What is wrong, and at which key."""


@dataclass(frozen=True)
class Release:
    version: str
    files: dict[str, str]


@dataclass(frozen=True)
class Redact:
    patterns: tuple[re.Pattern, ...]
    replacement: str


@dataclass(frozen=True)
class Limit:
    count: int
    seconds: int


@dataclass(frozen=True)
class Rate:
    """None is no limit; a platform that is not named has the default."""

    platforms: dict[str, Limit | None]
    default: Limit | None
    webhook_route: Limit | None
    model_calls: Limit | None
    reply: str


@dataclass(frozen=True)
class Sandbox:
    enabled: bool
    socket: str
    timeout: int
    network: str


@dataclass(frozen=True)
class Policy:
    release: Release
    approve: Approve
    redact: Redact
    rate: Rate
    sandbox: Sandbox
    servers: str
    covered: tuple[str, ...]
    audit_socket: str


def load(path: str) -> Policy:
    try:
        with open(path, "rb") as file:
            return parse(file.read())
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def parse(text: bytes | str) -> Policy:
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"no JSON: {error}") from error
    top = _Section("", value)
    if top.get("version", int) != VERSION:
        raise SettingsError(f"`version`: not {VERSION}, which is all that this program reads")
    audit = top.section("audit")
    policy = Policy(
        release=_release(top.section("release")),
        approve=_approve(top.section("approve")),
        redact=_redact(top.section("redact")),
        rate=_rate(top.section("rate")),
        sandbox=_sandbox(top.section("sandbox")),
        servers=_servers(top),
        covered=_covered(top),
        audit_socket=audit.path("socket"),
    )
    audit.end()
    top.end()
    return policy


def _once(pairs: list) -> dict:
    made = dict(pairs)
    if len(made) != len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise SettingsError(f"`{twice}`: written twice")
    return made


class _Section:
    """An object of JSON, whose keys are taken one by one."""

    def __init__(self, name: str, value: object) -> None:
        self.name = name
        if not isinstance(value, dict):
            raise SettingsError(f"`{name or 'policy'}`: no object")
        self.left = dict(value)

    def key(self, name: str) -> str:
        return f"{self.name}.{name}" if self.name else name

    def fail(self, name: str, why: str) -> SettingsError:
        return SettingsError(f"`{self.key(name)}`: {why}")

    def get(self, name: str, kind: type) -> object:
        if name not in self.left:
            raise self.fail(name, "missing")
        value = self.left.pop(name)
        # To Python, `true` is a number.
        if not isinstance(value, kind) or isinstance(value, bool) and kind is not bool:
            raise self.fail(name, _KINDS[kind])
        return value

    def section(self, name: str) -> "_Section":
        return _Section(self.key(name), self.get(name, dict))

    def word(self, name: str, *choices: str) -> str:
        value = self.get(name, str)
        if value not in choices:
            raise self.fail(name, f"{shown(value)} is none of {', '.join(choices)}")
        return value

    def number(self, name: str) -> int:
        value = self.get(name, int)
        if value < 1:
            raise self.fail(name, "less than 1")
        return value

    def path(self, name: str) -> str:
        value = self.get(name, str)
        if not value.startswith("/") or "\0" in value:
            raise self.fail(name, "no absolute path")
        return value

    def texts(self, name: str) -> list[tuple[str, str]]:
        """The texts of a list, each with its key."""
        values = self.get(name, list)
        for at, value in enumerate(values):
            if not isinstance(value, str):
                raise self.fail(f"{name}.{at}", "no text")
        return [(f"{name}.{at}", value) for at, value in enumerate(values)]

    def end(self) -> None:
        for name in self.left:
            raise self.fail(name, "unknown")


def _release(section: _Section) -> Release:
    version, files = section.get("version", str), section.get("files", dict)
    for name, digest in files.items():
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise section.fail(f"files.{name}", "no SHA-256 digest")
    section.end()
    return Release(version, files)


def _approve(section: _Section) -> Approve:
    mode = section.word("mode", "manual", "smart", "allowlist")
    allow = tuple(_each(section, "allow", Rule.parse))
    denied = Deny(_each(section, "deny", deny_rule))
    for at, rule in enumerate(allow):
        if always := _always_denied(denied, rule):
            raise section.fail(
                f"allow.{at}", f"can never match: the deny rule `{always}` comes first"
            )
    names = section.texts("tools")
    for key, name in names:
        if not tools.known(name):
            raise section.fail(key, f"{shown(name)} is no tool of the agent")
        if mode == "allowlist" and name in tools.UNREADABLE:
            raise section.fail(key, f"`{name}` does what no rule can read; not with an allow list")
    approve = Approve(
        mode=mode,
        allow=allow,
        deny=denied,
        unlisted=section.word("unlisted", "refuse", "ask"),
        compound=section.word("compound", "refuse", "each"),
        tools=frozenset(name for _, name in names),
    )
    section.end()
    return approve


def _each(section: _Section, name: str, parse: Callable) -> list:
    made = []
    for key, text in section.texts(name):
        try:
            made.append(parse(text))
        except RuleError as error:
            raise section.fail(key, f"{shown(text)} {error}") from error
    return made


def place(text: str) -> str:
    if not text or "/" in text or "\0" in text or text in (".", ".."):
        raise RuleError("is no name of a file or folder")
    return text


# The policy of a release before this one, which comes back when this one does not become healthy,
# may be an older petasos's, without these two.
def _servers(top: _Section) -> str:
    if "models" not in top.left:
        return SERVERS
    section = top.section("models")
    path = section.path("file")
    section.end()
    return path


def _covered(top: _Section) -> tuple[str, ...]:
    if "data" not in top.left:
        return ()
    section = top.section("data")
    names = tuple(_each(section, "covered", place))
    section.end()
    return names


def deny_rule(text: str) -> str:
    if not text.strip():
        raise RuleError("is an empty rule")
    if not text.strip("*? "):
        raise RuleError("stands for every command: list no tools instead")
    return text


def _always_denied(denied: Deny, rule: Rule) -> str | None:
    """The deny rule that hits whatever this allow rule can match: what is unknown in the words is a
    letter that only a `*` of the deny rule stands for."""
    sure = Deny(one for one in denied.rules if not any(char in one for char in "?["))
    words = [re.sub(r"\[([^\]])\]|\[[^\]]*\]|[*?]", _letter, word) for word in rule.words]
    words[0] = basename(words[0])
    found = sure.of(" ".join(words))
    # `git *` allows `git` alone, too.
    return found if not rule.more or sure.of(" ".join([*words, "\ue000"])) else None


def _letter(found: re.Match) -> str:
    return found[1] if found[1] and found[1] in GLOB else "\ue000"


def _redact(section: _Section) -> Redact:
    patterns = []
    for key, text in section.texts("patterns"):
        try:
            pattern = re.compile(text)
        except (re.error, RecursionError, OverflowError) as error:
            raise section.fail(key, f"no regular expression: {error}") from error
        if pattern.search(""):
            raise section.fail(key, "matches the empty text, and so everywhere")
        patterns.append(pattern)
    redact = Redact(tuple(patterns), section.get("replacement", str))
    section.end()
    return redact


def _limit(section: _Section, name: str) -> Limit | None:
    if name in section.left and section.left[name] is None:
        del section.left[name]
        return None
    inner = section.section(name)
    limit = Limit(inner.number("count"), inner.number("seconds"))
    inner.end()
    return limit


def _rate(section: _Section) -> Rate:
    platforms = section.section("platforms")
    rate = Rate(
        platforms={name: _limit(platforms, name) for name in list(platforms.left)},
        default=_limit(section, "default"),
        webhook_route=_limit(section, "webhook_route"),
        model_calls=_limit(section, "model_calls"),
        reply=section.get("reply", str),
    )
    section.end()
    return rate


def _sandbox(section: _Section) -> Sandbox:
    sandbox = Sandbox(
        enabled=section.get("enabled", bool),
        socket=section.path("socket"),
        timeout=section.number("timeout"),
        network=section.word("network", "none", "names"),
    )
    section.end()
    return sandbox
