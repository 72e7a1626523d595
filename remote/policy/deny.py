"""Whether a deny rule speaks of a command, however the command is written.

A rule is a glob over the words of a command with one space between them, whatever their case. It is
held against the text as it is, against each part that may begin a command, without quotes, and
against what is known to be started by another program. It would rather hit too much.

What a program does once it runs stands in no text. The sandbox is the boundary, not this.
"""

import fnmatch
import re
from collections.abc import Iterable

from .lexer import Refused, patterns
from .overlap import WILD, Globs
from .shelltext import Word, literal, read

LONGEST = 16384
_DEEPEST = 4
_MOST_STARTS = 24

SHELLS = frozenset("sh bash dash ash zsh ksh mksh fish rbash".split())
INTERPRETERS = frozenset(
    "python perl ruby node nodejs php lua awk gawk mawk nawk tclsh osascript deno bun".split()
)
# Programs that start what they are given.
STARTERS = (
    SHELLS
    | frozenset("sudo doas su runuser pkexec env xargs nohup nice ionice timeout setsid".split())
    | frozenset("stdbuf chroot unshare nsenter flock watch parallel strace ltrace script".split())
    | frozenset("busybox toybox command builtin exec eval time chrt taskset setpriv capsh".split())
    | frozenset("ssh systemd-run at batch coproc expect unbuffer prlimit setarch fakeroot".split())
    | frozenset("trap alias source . ld.so ld-linux-x86-64.so.2 ld-linux-aarch64.so.1".split())
)
_SKIPPED = frozenset("if then elif else while until do ! { } time coproc function".split())
_EXEC = frozenset(["-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"])


class Computed(Exception):
    """What runs is made while it runs: no rule can be held against it."""


class Deny:
    """The deny rules; each is what its author wrote."""

    def __init__(self, rules: Iterable[str]) -> None:
        self.rules = tuple(rules)
        self._globs = [(glob, rule) for rule in self.rules for glob in _globs(rule)]
        self._any = re.compile("|".join(fnmatch.translate(glob) for glob, _ in self._globs))
        self._shapes = Globs([glob for glob, _ in self._globs])

    def __bool__(self) -> bool:
        return bool(self.rules)

    def of(self, text: str) -> str | None:
        """The rule that speaks of a text."""
        text = text.lower()
        if not self.rules or not self._any.match(text):
            return None
        return next(rule for glob, rule in self._globs if fnmatch.fnmatchcase(text, glob))

    def maybe_of(self, text: list[str]) -> str | None:
        """The rule that may speak of a text with unknown parts."""
        text = [item.lower() if len(item) == 1 else item for item in text]
        found = self._shapes.first(text)
        return None if found is None else self._globs[found][1]


def _globs(rule: str) -> list[str]:
    forms = {" ".join(rule.split())}
    try:
        forms.add(" ".join(patterns(rule)))
    except Refused:
        pass  # `*.ssh/*;*`: a glob over a text that is more than words.
    # `sudo *` is about `sudo` without further words, too.
    forms |= {form[:-2] for form in forms if form.endswith(" *")}
    return sorted({form.lower() for form in forms})


def denied(rules: Deny, text: str) -> str | None:
    """The rule that speaks of a text that is no command, such as a path."""
    return rules.of(text) or rules.of(_path(text))


def denied_command(rules: Deny, text: str) -> str | None:
    """The rule that speaks of a command; raises `Computed` where none does and none can."""
    if not rules:
        return None
    if len(text) > LONGEST:
        raise Computed(f"a command of more than {LONGEST} characters")
    return _Check(rules).whole(text)


def denied_code(rules: Deny, text: str) -> str | None:
    """The rule that speaks of a string in a program of another language; raises `Computed` too."""
    check = _Check(rules)
    check.text(text)
    if len(text) <= LONGEST:
        check.code(text, True, 0)
    else:
        check.strings(text)
    return check.rule


def denied_argv(rules: Deny, argv: tuple[str, ...]) -> str | None:
    """The rule that speaks of these words; raises `Computed` as well."""
    check = _Check(rules)
    check.words([list(word) for word in argv], False, 0)
    return check.rule


def basename(name: str) -> str:
    return name.rsplit("/", 1)[-1]


class _Check:
    def __init__(self, rules: Deny) -> None:
        self.rules = rules
        self.rule: str | None = None
        self.computed = ""
        self.left = 4 * LONGEST
        self.seen: set[str | tuple[str, ...]] = set()

    def whole(self, text: str) -> str | None:
        self.text(text)
        self.command(text, 0)
        # Without respect for quotes: they may be closed where a here-document or a comment ends.
        for part in re.split(r"[;|&\n(){}`]+", text):
            self.text(part)
            self.command(part, 1, computed=False)
        if not self.rule and self.computed:
            raise Computed(self.computed)
        return self.rule

    def unknown(self, why: str) -> None:
        self.computed = self.computed or why

    def text(self, text: str) -> None:
        for one in (text, re.sub(r"['\"\\]", "", text)):
            one = " ".join(one.split())
            if one and one not in self.seen and not self.rule:
                self.seen.add(one)
                self.rule = self.rules.of(one)

    def command(self, text: str, depth: int, computed: bool = True) -> None:
        if self.rule or not text.strip():
            return
        # A text within a text is read again for each way in which it may be started.
        self.left -= len(text)
        if depth > _DEEPEST or self.left < 0:
            raise Computed("commands within commands")
        before = self.computed
        pieces, nested = read(text)
        for piece in pieces:
            self.forms(piece.every)
            self.words(piece.words, piece.piped, depth)
        for inner in nested:
            self.command(inner, depth + 1)
        self.computed = self.computed if computed else before

    def forms(self, words: list[Word]) -> None:
        if self.rule:
            return
        texts = [literal(word) for word in words]
        if None not in texts:
            self.text(" ".join(texts))
            self.text(" ".join(_path(text) for text in texts))
            return
        joined = _joined(words)
        if tuple(joined) not in self.seen:
            self.seen.add(tuple(joined))
            self.rule = self.rules.maybe_of(joined)

    def words(self, words: list[Word], piped: bool, depth: int) -> None:
        """Words that start a program, and perhaps others through it."""
        while words and literal(words[0]) in _SKIPPED:
            words = words[1:]
        starts, opened, named, code = [], False, False, ""
        for at, word in enumerate(words):
            after_exec = at > 0 and literal(words[at - 1]) in _EXEC
            if not (at == 0 or opened or after_exec):
                continue
            starts.append(at)
            program = _program(word)
            # What a starter starts is its first word that is no option, variable or number.
            if at == 0 or after_exec or not named:
                named = at > 0 and not re.fullmatch(
                    r"-.*|.*=.*|[0-9.]+[smhd]?", program or "", re.S
                )
                # A glob names programs that are there; only an expansion can be just anything.
                if program is None and WILD in _name(word):
                    self.unknown("the name of a program is made while it runs")
            opened = opened or program in STARTERS
            code = "shell" if program in STARTERS else code
            code = code or ("other" if program in INTERPRETERS else "")
        if len(starts) > _MOST_STARTS:
            self.unknown("a long command that starts others")
        for at in starts[:_MOST_STARTS]:
            self.started(words[at:], piped, depth)
        for word in words[1:] if code else []:
            self.code(literal(word) or "", code == "other", depth)

    def started(self, words: list[Word], piped: bool, depth: int) -> None:
        self.forms(words)
        self.forms([_name(words[0]), *words[1:]])
        program, rest = _program(words[0]), words[1:]
        texts = [literal(word) for word in rest]
        reads = program in SHELLS or program in INTERPRETERS
        if reads and piped and all(text is not None and text[:1] == "-" for text in texts):
            self.unknown(f"`{program}` reads from a pipe what it runs")
        if program in ("eval", "source", ".") or program in SHELLS:
            if any(WILD in _name(word) for word in rest):
                self.unknown(f"what `{program}` runs is made while it runs")
        if program == "eval":
            self.command(" ".join(text or "" for text in texts), depth + 1)

    def code(self, text: str, other: bool, depth: int) -> None:
        if self.rule or not re.search(r"[^A-Za-z0-9_./=@:,+-]", text):
            return
        self.command(text, depth + 1, computed=not other)
        if other:
            self.strings(text)

    def strings(self, text: str) -> None:
        """A string of another language may be a command."""
        for part in re.split(r"['\"`(){};\n]+", text):
            self.text(part)


def _name(word: Word) -> Word:
    """A program's name without its folder."""
    last = max((at for at, item in enumerate(word) if item == "/"), default=-1)
    return word[last + 1 :] or word


def _program(word: Word) -> str | None:
    """The same without its version: `python` of `/usr/bin/python3.11`."""
    name = literal(_name(word))
    return name and (re.sub(r"[0-9.]+$", "", name) or name).lower()


def _path(text: str) -> str:
    """A path without what changes nothing in it."""
    if "/" not in text:
        return text
    parts: list[str] = []
    for at, part in enumerate(text.split("/")):
        if part == ".." and parts and parts[-1] not in ("", ".."):
            parts.pop()
        elif part not in ("", ".") or part == "" and at == 0:
            parts.append(part)
    return "/".join(parts) or "."


def _joined(words: list[Word]) -> list[str]:
    joined: list[str] = []
    for word in words:
        joined += [" ", *word] if joined else word
    return joined


def opens_everything(words: list[str]) -> bool:
    """Whether an allow rule of these words lets every command through."""
    program = re.sub(r"[0-9.]+$", "", basename(words[0])) or words[0]
    return program in STARTERS and words[1:2] not in ([], [""]) and not words[1].strip("*?")
