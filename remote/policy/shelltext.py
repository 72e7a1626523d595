"""Reads the text of a command as a shell might, without refusing anything: for the deny rules.

What the text does not tell (a variable, the output of a command, a glob) stays as an unknown part.
The text inside of a substitution is read as a command of its own.
"""

import re
from dataclasses import dataclass, field

from .overlap import ANY, STAR, WILD

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=(.*)", re.S)
_DEFAULT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):?[-=](.*)", re.S)
_ANSI = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)|(.))", re.S
)
_ANSI_NAMES = dict(zip("abeEfnrtv", "\a\b\x1b\x1b\f\n\r\t\v", strict=True))
_OPEN, _COMMA, _CLOSE = "brace opens", "brace parts", "brace closes"
_MOST_WORDS = 64

Word = list[str]


@dataclass
class Piece:
    """A command: its words without those that redirect, and all of them."""

    words: list[Word] = field(default_factory=list)
    every: list[Word] = field(default_factory=list)
    piped: bool = False


def read(text: str) -> tuple[list[Piece], list[str]]:
    """The commands of a text, and the texts that it substitutes."""
    reader = _Reader(text)
    reader.run()
    return reader.pieces, reader.nested


def literal(word: Word) -> str | None:
    """A word without unknown parts."""
    return "".join(word) if all(len(item) == 1 for item in word) else None


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text.replace("\\\n", ""), 0
        self.pieces: list[Piece] = []
        self.nested: list[str] = []
        self.piece, self.word, self.redirects = Piece(), None, False
        # What was assigned; None where the text does not tell.
        self.known: dict[str, str | None] = {}
        self.assigned: dict[str, str | None] = {}

    def run(self) -> None:
        text = self.text
        while self.at < len(text):
            char, self.at = text[self.at], self.at + 1
            if char in " \t\r":
                self.end_word()
            elif char in "\n;&|()":
                rest = re.compile(r"[\n;&|() ]*").match(text, self.at)
                self.at = rest.end()
                self.end_piece((char + rest[0]).strip() in ("|", "|&"))
            elif char == "#" and self.word is None:
                end = text.find("\n", self.at)
                self.at = len(text) if end < 0 else end
            elif char in "<>":
                self.redirect(char)
            elif char == "'":
                self.put(self.until("'"))
            elif char == '"':
                self.double()
            elif char == "[":
                self.bracket()
            elif char == "\\":
                self.put(text[self.at : self.at + 1])
                self.at += 1
            elif char in "$`":
                self.expansion(char, quoted=False)
            else:
                special = {"*": STAR, "?": ANY, "{": _OPEN, ",": _COMMA, "}": _CLOSE}
                self.put([special.get(char, char)])
        self.end_piece(False)

    def put(self, items) -> None:
        if self.word is None:
            self.word = []
        self.word.extend(items)

    def until(self, mark: str) -> str:
        end = self.text.find(mark, self.at)
        end = len(self.text) if end < 0 else end
        inner, self.at = self.text[self.at : end], end + len(mark)
        return inner

    def double(self) -> None:
        self.put("")
        while self.at < len(self.text):
            char, self.at = self.text[self.at], self.at + 1
            if char == '"':
                return
            if char == "\\" and self.text[self.at : self.at + 1] in ('"', "\\", "$", "`"):
                char, self.at = self.text[self.at], self.at + 1
                self.put(char)
            elif char in "$`":
                self.expansion(char, quoted=True)
            else:
                self.put(char)

    def bracket(self) -> None:
        inner = re.compile(r"[!^]?\]?[^\]\s'\"]{0,64}\]").match(self.text, self.at)
        self.put([ANY] if inner else "[")
        self.at = inner.end() if inner else self.at

    def redirect(self, char: str) -> None:
        if self.text[self.at : self.at + 1] == "(":
            self.at += 1
            self.substitution("(", ")")
            return
        if self.word is not None and (literal(self.word) or "").isdigit():
            self.word = None
        self.end_word()
        self.at = re.compile(r"[<>]*[&|-]?").match(self.text, self.at).end()
        self.redirects = True

    def substitution(self, opens: str, closes: str) -> None:
        start, depth = self.at, 1
        while self.at < len(self.text) and depth:
            char = self.text[self.at]
            self.at += 2 if char == "\\" else 1
            depth += (char == opens and opens != closes) - (char == closes)
        self.nested.append(self.text[start : self.at - (depth == 0)])
        self.put([WILD])

    def expansion(self, char: str, quoted: bool) -> None:
        following = self.text[self.at : self.at + 1]
        if char == "`":
            self.substitution("`", "`")
        elif following == "(":
            self.at += 1
            self.substitution("(", ")")
        elif following == "{":
            start = self.at + 1
            self.at += 1
            self.substitution("{", "}")
            self.word.pop()
            self.braced(self.nested.pop() if self.at > start else "", quoted)
        elif following == "'" and not quoted:
            self.at += 1
            end = re.compile(r"(?:[^'\\]|\\.)*", re.S).match(self.text, self.at).end()
            self.put(_ansi(self.text[self.at : end]))
            self.at = end + 1
        elif following == '"' and not quoted:
            pass
        elif name := _NAME.match(self.text, self.at):
            self.at = name.end()
            self.variable(name[0], quoted)
        elif following and following in "@*#?$!-0123456789":
            self.at += 1
            self.put([WILD])
        else:
            self.put("$")

    def braced(self, inner: str, quoted: bool) -> None:
        default = _DEFAULT.fullmatch(inner)
        name = _NAME.match(inner)
        if name and name[0] == "IFS":
            self.variable("IFS", quoted)
        elif name and name[0] == inner:
            self.variable(inner, quoted)
        elif default and default[1] not in self.known:
            # Nobody has set it, so far as the text tells.
            self.nested.append(default[2])
            self.put(re.sub(r"['\"\\]", "", default[2]) if "$" not in default[2] else [WILD])
        else:
            self.put([WILD])

    def variable(self, name: str, quoted: bool) -> None:
        value = self.known.get(name)
        if name == "IFS":
            if quoted:
                self.put(" ")
            else:
                self.end_word()
        elif value is None:
            self.put([WILD])
        elif quoted:
            self.put(value)
        else:
            for index, part in enumerate(re.split(r"\s+", value)):
                if index:
                    self.end_word()
                self.put({"*": STAR, "?": ANY}.get(char, char) for char in part)

    def end_word(self) -> None:
        if self.word is None:
            return
        word, self.word = self.word, None
        text = literal(word)
        if text is not None and text in self.known:
            # `read x`, `for x in`: what it holds is not told.
            self.known[text] = None
        begins = not self.piece.words or literal(self.piece.words[0]) in (
            "export",
            "declare",
            "local",
        )
        name = _ASSIGNED.fullmatch("".join(char if len(char) == 1 else "\0" for char in word))
        if begins and not self.redirects and name:
            again = name[1] in self.known or name[1] in self.assigned or name[2] or "\0" in name[3]
            self.assigned[name[1]] = None if again else name[3]
        for one in _braces(word):
            self.piece.every.append(one)
            if not self.redirects and not (name and not self.piece.words):
                self.piece.words.append(one)
        self.redirects = False

    def end_piece(self, pipes: bool) -> None:
        self.end_word()
        alone = not self.piece.words or literal(self.piece.words[0]) in (
            "export",
            "declare",
            "local",
        )
        self.known.update(self.assigned if alone else dict.fromkeys(self.assigned))
        self.assigned = {}
        if self.piece.every:
            self.pieces.append(self.piece)
        self.piece, self.redirects = Piece(piped=pipes), False


def _ansi(text: str) -> str:
    def char(found: re.Match) -> str:
        two, four, eight, octal, control, other = found.groups()
        if two or four or eight:
            return chr(min(int(two or four or eight, 16), 0x10FFFF))
        if octal:
            return chr(int(octal, 8) % 256)
        if control:
            return chr(ord(control) & 31)
        return _ANSI_NAMES.get(other, other)

    return _ANSI.sub(char, text)


def _braces(word: Word) -> list[Word]:
    """What `{a,b}` expands to."""
    todo, done = [word], []
    while todo:
        if len(todo) + len(done) > _MOST_WORDS:
            return [[WILD]]
        one = todo.pop(0)
        close = next((i for i, item in enumerate(one) if item == _CLOSE), None)
        opens = [i for i, item in enumerate(one[:close]) if item == _OPEN]
        if close is None or not opens:
            done.append(one)
            continue
        before, inner, after = one[: opens[-1]], one[opens[-1] + 1 : close], one[close + 1 :]
        parts: list[Word] = [[]]
        for item in inner:
            if item == _COMMA:
                parts.append([])
            else:
                parts[-1].append(item)
        if len(parts) == 1:
            text = "".join(item for item in inner if len(item) == 1)
            parts = [[WILD]] if ".." in text else [["{", *inner, "}"]]
        todo = [before + part + after for part in parts] + todo
    plain = {_OPEN: "{", _COMMA: ",", _CLOSE: "}"}
    return [[plain.get(item, item) for item in one] for one in done]
