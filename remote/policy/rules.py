"""The verdict on a tool call.

Deny rules come first, in every mode. With an allow list, only listed tools run, and only commands
whose words match a rule one by one; what then runs is those words, not the text.
"""

import fnmatch
import functools
import re
import shlex
from dataclasses import dataclass, field

from . import tools
from .deny import Computed, Deny, denied, denied_argv, denied_code, denied_command, opens_everything
from .lexer import Refused, Segment, check_program, join, lex, patterns, shown

# A letter that was quoted.
_ESCAPED = re.compile(r"\[([*?\[\]])\]")

ALLOW, REFUSE, ASK = "allow", "refuse", "ask"

# Arguments of tools that are commands (`data` is what `process` types into one that runs), and
# those that name a place.
_COMMANDS = ("command", "code", "data")
_PLACES = ("path", "file_path", "workdir", "cwd", "target", "file", "script", "url")
_LONGEST_PLACE = 4096


class RuleError(Exception):
    """Why a rule is none."""


@dataclass(frozen=True)
class Rule:
    """An allow rule: a pattern for each word, and whether more words may follow."""

    text: str
    words: tuple[str, ...]
    more: bool

    @classmethod
    def parse(cls, text: str) -> "Rule":
        if not text.strip():
            raise RuleError("an empty rule")
        try:
            words = patterns(text)
        except Refused as no:
            raise RuleError(f"can never match: {no}") from None
        more = len(words) > 1 and words[-1] == "*"
        _check_words(words, more)
        return cls(text, tuple(words[:-1] if more else words), more)

    def matches(self, argv: tuple[str, ...]) -> bool:
        if len(argv) < len(self.words) or len(argv) > len(self.words) and not self.more:
            return False
        return all(map(_matches, self.words, argv))


def _check_words(words: list[str], more: bool) -> None:
    program = words[0]
    if not program.strip("*?"):
        raise RuleError("stands for any program: name one")
    if opens_everything(words):
        raise RuleError("lets every command through: name the command that it may start")
    for word in words:
        if _unclosed(word):
            raise RuleError("has a `[` that is not closed: quote it")
        if _literal(word) is None and ".." in word:
            raise RuleError("can never match: a glob matches no `..`")
    literals = tuple(map(_literal, words[:-1] if more else words))
    if literals[0] is not None:
        try:
            check_program(tuple(word or "" for word in literals))
        except Refused as no:
            raise RuleError(f"can never match: {no}") from None
    elif re.search(r"[^A-Za-z0-9_./+\-*?\[\]!]", program) or program[0] in "-+":
        raise RuleError(f"can never match: no program is called {shown(program)}")


@functools.lru_cache(maxsize=1024)
def _literal(pattern: str) -> str | None:
    """The one word that a pattern matches, where it is no more than that."""
    # A `]` that closes nothing is a letter.
    if any(char in _ESCAPED.sub("", pattern) for char in "*?["):
        return None
    return _ESCAPED.sub(lambda found: found[1], pattern)


def _unclosed(word: str) -> bool:
    return "[" in re.sub(r"\[!?(\][^\]]*|[^\]]+)\]", "", word)


def _matches(pattern: str, word: str) -> bool:
    literal = _literal(pattern)
    if literal is not None:
        return literal == word
    # `docs/*` is what is in docs, `*.txt` is no option.
    if ".." in word or pattern[0] in "*?[" and word.startswith("-"):
        return False
    return fnmatch.fnmatchcase(word, pattern)


@dataclass(frozen=True)
class Approve:
    """`approve` of policy.json, checked."""

    mode: str
    allow: tuple[Rule, ...]
    deny: Deny
    unlisted: str
    compound: str
    tools: frozenset[str]


@dataclass(frozen=True)
class Verdict:
    """What becomes of a tool call. With `allow`, `args` is what to go on with; `ask` is for a
    person, who decides on the call as it came."""

    verdict: str
    rule: str
    reason: str
    args: dict
    segments: tuple[Segment, ...] = ()
    # Rules that would allow it, where any could.
    would_allow: tuple[str, ...] = ()
    # Not for anybody to overrule.
    final: bool = field(default=False)


def judge(approve: Approve, tool: str, args: dict) -> Verdict:
    """Raises nothing on account of what a model wrote."""
    if not isinstance(args, dict) or not isinstance(tool, str):
        return Verdict(REFUSE, "tools", "arguments of a wrong type", {}, final=True)
    unsure = ""
    try:
        rule = _denied(approve.deny, tool, args)
    except Computed as why:
        rule, unsure = None, str(why)
    except RecursionError:
        return Verdict(REFUSE, "deny", "arguments within arguments, too deep", args, final=True)
    if rule is not None:
        return _by_deny(rule, args)
    if approve.mode != "allowlist":
        if unsure:
            return _unsure(approve, args, unsure)
        return Verdict(ALLOW, f"mode: {approve.mode}", "no deny rule speaks of it", args)
    if tool not in approve.tools:
        fix = () if tool in tools.UNREADABLE else (f"tools: {tool}",)
        reason = f"the tool {shown(tool)} is not listed"
        if fix:
            return _unlisted(approve, "tools", reason, args, would_allow=fix)
        return Verdict(REFUSE, "tools", reason, args, final=True)
    if tool != "terminal":
        if unsure:
            return _unsure(approve, args, unsure)
        return Verdict(ALLOW, f"tools: {tool}", "the tool is listed", args)
    return _command(approve, args)


def _command(approve: Approve, args: dict) -> Verdict:
    for key in ("background", "pty"):
        if args.get(key):
            reason = f"`{key}`: with an allow list, commands run one by one"
            return Verdict(REFUSE, "mode: allowlist", reason, args, final=True)
    try:
        segments = tuple(lex(args.get("command")))
    except Refused as no:
        return _unlisted(approve, "plain words", f"not plain words: {no}", args)
    for segment in segments:
        try:
            rule = denied_argv(approve.deny, segment.argv)
        except Computed as why:
            return _unsure(approve, args, str(why))
        if rule is not None:
            return _by_deny(rule, args, segments)
    found = [next((r for r in approve.allow if r.matches(one.argv)), None) for one in segments]
    missing = [one for one, rule in zip(segments, found, strict=True) if rule is None]
    needed = tuple(dict.fromkeys(smallest(one.argv) for one in missing))
    fix = tuple(f"allow: {rule}" for rule in needed)
    if len(segments) > 1 and approve.compound != "each":
        reason = f"`{segments[1].operator}` joins commands"
        return _unlisted(approve, "compound", reason, args, segments, ("compound: each", *fix))
    if missing:
        reason = f"no rule allows `{shlex.join(missing[0].argv)[:200]}`"
        return _unlisted(approve, "unlisted", reason, args, segments, fix)
    names = dict.fromkeys(f"allow: {rule.text}" for rule in found if rule)
    runs = {**args, "command": join(list(segments))}
    return Verdict(ALLOW, ", ".join(names), "each command matches a rule", runs, segments)


def smallest(argv: tuple[str, ...]) -> str:
    """The rule that allows these words and no others."""
    return shlex.join(argv)


def _by_deny(rule: str, args: dict, segments: tuple[Segment, ...] = ()) -> Verdict:
    reason = f"the deny rule `{rule}` speaks of it"
    return Verdict(REFUSE, f"deny: {rule}", reason, args, segments, final=True)


def _unsure(approve: Approve, args: dict, why: str) -> Verdict:
    """A person may decide on what no rule can be held against."""
    reason = f"the deny rules cannot be held against it: {why}"
    asks = approve.mode != "allowlist" or approve.unlisted == "ask"
    return Verdict(ASK if asks else REFUSE, "deny", reason, args)


def _unlisted(approve, rule, reason, args, segments=(), would_allow=()) -> Verdict:
    verdict = ASK if approve.unlisted == "ask" else REFUSE
    return Verdict(verdict, rule, reason, args, segments, would_allow)


def _denied(rules: Deny, tool: str, args: dict) -> str | None:
    if not rules:
        return None
    unsure: Computed | None = None
    for key, value in _texts(args, tool not in tools.KNOWN):
        try:
            if key in ("command", "data"):
                rule = denied_command(rules, value)
            elif key == "code":
                rule = denied_code(rules, value)
            else:
                rule = denied(rules, value)
        except Computed as why:
            rule, unsure = None, why
        if rule is not None:
            return rule
    if unsure:
        raise unsure
    return None


def _texts(args: dict, everything: bool):
    """The arguments that a deny rule may speak of. What tools of other makers mean by theirs is not
    known: all short texts, then."""
    for key, value in args.items():
        if isinstance(value, str):
            if key in _COMMANDS or key in _PLACES or everything and len(value) <= _LONGEST_PLACE:
                yield key, value
        elif everything and isinstance(value, dict):
            yield from _texts(value, True)
        elif everything and isinstance(value, list):
            for one in value:
                yield from _texts(one if isinstance(one, dict) else {"": one}, True)
