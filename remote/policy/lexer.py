"""The text of a command to its words, or a refusal.

Only what has one meaning in bash passes: plain words, quotes, and `&&`, `||`, `;` and `|` between
commands. What runs afterwards is `join` of these words, never the text that they came from, so bash
is left nothing to interpret.
"""

import re
import shlex
import unicodedata
from dataclasses import dataclass

LONGEST = 8192
OPERATORS = ("&&", "||", ";", "|")
GLOB = "*?[]"

# What means itself in bash wherever it stands in a word that follows the program's name.
_PLAIN = re.compile(r"[A-Za-z0-9_\-./:,@%+=]+")
# A program's name: no assignment, no option, no job, nothing that needs quotes.
_PROGRAM = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+\-]*")
# A conversion of printf(1) that assigns, with whatever stands before its letter.
_ASSIGNS = re.compile(r"%[^%A-Za-z]*[hlLjqtz]*n")

_WHY = {
    "\\": "a backslash outside of quotes",
    "$": "`$`, which bash expands",
    "`": "a backquote, which runs a command",
    "&": "`&`, which runs a command in the background",
    "<": "a redirection",
    ">": "a redirection",
    "(": "a parenthesis",
    ")": "a parenthesis",
    "{": "a brace",
    "}": "a brace",
    "~": "`~`, which bash expands",
    "#": "`#`, which begins a comment",
    "!": "`!`, which negates or recalls a command",
    "^": "`^`, which substitutes in a recalled command",
    "*": "a glob",
    "?": "a glob",
    "[": "a glob",
    "]": "a glob",
}

_KEYWORDS = frozenset(
    "if then else elif fi case esac for select while until do done in function time coproc".split()
)
# All builtins of bash, but `cd`, `echo`, `false`, `printf`, `pwd`, `test` and `true`. They run what
# they are given, change what a later word means, or evaluate their words: `let`, `unset`, `read`
# and others run the `id` of `a[$(id)]`.
_BUILTINS = frozenset(
    """. : alias bg bind break builtin caller command compgen complete compopt continue declare dirs
    disown enable eval exec exit export fc fg getopts hash help history jobs kill let local logout
    mapfile popd pushd read readarray readonly return set shift shopt source suspend times trap type
    typeset ulimit umask unalias unset wait""".split()
)
# Programs whose only use is to start another one.
_STARTERS = frozenset(["env", "xargs"])


class Refused(Exception):
    """Why a text is no plain command."""


@dataclass(frozen=True)
class Segment:
    """A command, and the operator that stands before it (none before the first)."""

    operator: str
    argv: tuple[str, ...]


def lex(text: str) -> list[Segment]:
    """The commands of a text; raises `Refused`."""
    if not isinstance(text, str):
        raise Refused("the command is no text")
    if len(text) > LONGEST:
        raise Refused(f"a command of more than {LONGEST} characters")
    segments: list[Segment] = []
    words: list[str] = []
    operator = ""
    for token, is_operator in _tokens(text.strip(" \n"), ""):
        if not is_operator:
            words.append(token)
            continue
        segments.append(_segment(operator, words))
        words, operator = [], token
    segments.append(_segment(operator, words))
    return segments


def join(segments: list[Segment]) -> str:
    """What runs: each word quoted anew."""
    parts: list[str] = []
    for segment in segments:
        parts += [segment.operator] if segment.operator else []
        parts.append(shlex.join(segment.argv))
    return " ".join(parts)


def patterns(rule: str) -> list[str]:
    """The words of a rule, in which globs may stand outside of quotes; raises `Refused`. What was
    quoted comes back as a pattern that matches it alone."""
    words = []
    for token, is_operator in _tokens(rule.strip(" "), GLOB):
        if is_operator:
            raise Refused(f"`{token}` between commands")
        words.append(token)
    return words


def check_program(argv: tuple[str, ...]) -> None:
    """Raises `Refused` where bash would not just start a program of this name."""
    name = argv[0]
    if "=" in name:
        raise Refused("an assignment in the place of a program")
    if not _PROGRAM.fullmatch(name):
        raise Refused(f"{shown(name)} in the place of a program")
    if name in _KEYWORDS:
        raise Refused(f"`{name}`, a word of bash's own language")
    if name in _BUILTINS:
        raise Refused(f"`{name}`, a builtin of bash that may run or change others")
    if name in _STARTERS:
        raise Refused(f"`{name}`, which starts other programs")
    # Both evaluate the name of a variable, and with it the `id` of `a[$(id)]`; `%n` assigns.
    if name == "printf" and argv[1:] and argv[1].startswith("-"):
        raise Refused("an option of `printf`")
    if name == "printf" and argv[1:] and _ASSIGNS.search(argv[1]):
        raise Refused("`%n` of `printf`, which sets a variable")
    if name == "test" and {"-v", "-R"} & set(argv[1:]):
        raise Refused("a variable as an operand of `test`")


def shown(word: str) -> str:
    """A word for a message, whatever is in it."""
    return ascii(word if len(word) <= 60 else word[:57] + "...")


def _segment(operator: str, words: list[str]) -> Segment:
    if not words:
        raise Refused("an empty command")
    argv = tuple(words)
    check_program(argv)
    return Segment(operator, argv)


def _tokens(text: str, wild: str):
    """Each word, and each operator, with whether it is one. The characters of `wild` pass outside
    of quotes, and only there stay what they are: in quotes they become `[c]`."""
    if not text:
        raise Refused("no command")
    word, at = None, 0
    while at < len(text):
        char = text[at]
        operator = next((one for one in OPERATORS if text.startswith(one, at)), None)
        if char == " " or operator:
            if word is not None:
                yield word, False
                word = None
            if operator:
                yield operator, True
            at += len(operator or char)
        elif char in "'\"":
            inner, at = (_single if char == "'" else _double)(text, at + 1)
            word = (word or "") + "".join(f"[{c}]" if c in wild else c for c in inner)
        elif char in wild:
            word, at = (word or "") + char, at + 1
        elif plain := _PLAIN.match(text, at):
            word, at = (word or "") + plain[0], plain.end()
        else:
            raise Refused(_why(char))
    if word is not None:
        yield word, False


def _single(text: str, at: int) -> tuple[str, int]:
    end = text.find("'", at)
    if end < 0:
        raise Refused("a quote that is not closed")
    for char in text[at:end]:
        _check_quoted(char)
    return text[at:end], end + 1


def _double(text: str, at: int) -> tuple[str, int]:
    inner = ""
    while at < len(text):
        char = text[at]
        if char == '"':
            return inner, at + 1
        # Before any other character a backslash means itself.
        if char == "\\" and text[at + 1 : at + 2] in ('"', "\\", "$", "`"):
            at += 1
            char = text[at]
        elif char in "$`!":
            raise Refused(_WHY[char])
        else:
            _check_quoted(char)
        inner, at = inner + char, at + 1
    raise Refused("a quote that is not closed")


def _check_quoted(char: str) -> None:
    """Letters, digits, punctuation and symbols of any language mean themselves in quotes; what
    controls, formats or reorders text, or is no character at all, has no place in a command."""
    if not (" " <= char <= "~" or char > "\x7f" and unicodedata.category(char)[0] in "LMNPS"):
        raise Refused(_why(char))


def _why(char: str) -> str:
    if char in _WHY:
        return _WHY[char]
    if char == "\n":
        return "more than one line"
    if char == "\t":
        return "a tab"
    if char > "\x7f":
        return f"U+{ord(char):04X} outside of quotes, or one that controls how text is shown"
    return f"the control character {ord(char)}"
