"""Texts for the lexer: by a grammar, and by changing what the grammar made."""

import os
import random
from concurrent.futures import ThreadPoolExecutor

from bash import Bash
from policy.lexer import Refused, Segment, join, lex

# What passes, and what does not.
PROGRAMS = [
    *("ls", "git", "rg", "x", "python3.11", "g++", "./a", "/x/y", "a-b", "cd", "echo", "printf"),
    *("test", "true", "false", "pwd", "7z", "a.b", "..", "_x", "2", "'ls'", 'l"s"', "''ls"),
]
NO_PROGRAMS = [
    *("if", "time", "eval", "A=1", "-x", "env", "[", "let", "%1", "''", "!", "{", "read", "'if'"),
    *('"A"=1', "'['", "coproc", "function", "a=", "case", "[["),
]
WORDS = [
    *("a", "b", "ab", "-x", "--x=y", "a=b", "A=1", "x.txt", "HEAD", "a:b", "%s", "+%s", "@", "a,b"),
    *("/e/p", "..", "../a", "-", "--", "2", "1", "if", "done", "''", '""', "in", "%1", "=x", "x="),
    *('"a b"', "'a b'", "'$x'", '"\\$x"', "'*'", '"*"', "'~'", '"~"', "'a'\"b\"c", '"\\""', "'\\'"),
    *('"\\\\"', '"\\a"', "'!'", "'{a,b}'", '"{a,b}"', "'#'", '"#"', "'é'", '"日本"', "'a  b'"),
    *('"\\`"', "'`'", "'\\n'", '"\\n"', "';'", '"&&"', "'|'", '"<"', "'>'", '"(x)"', "a'='b"),
    *("'\"'", '"\'"', '"it\'s"', "'[a]'", '"?"', "'=~'", "'-x'", '"{"', "'}'"),
]
NO_WORDS = [
    *("~", "~/x", "a~", "$x", "$(x)", "*", "?", "[a]", "{a,b}", "#x", "a#b", "!x", "a!", "\\a"),
    *("\\*", "a\\ b", "$'a'", '$"a"', "a^b", "^", "é", '"`"', "]]", "(x)", "a(b)", "<a", ">b"),
    *("`x`", "a\tb", "'a\tb'", '"$x"', '"a!b"', "='", "x=~", "a:~", "2>a", "&>a", "<(x)"),
]
PIECES = [
    *"abc'\"\\$`~*?[]{}()<>&|;#!^%=:,@+-./ \t\n\r\x01\x7f\x00é",
    *("&&", "||", "''", '""', "'\"'\"'", "\\\n", "${x}", "$(x)", "$'", "a=", " #", " ~", "\u00a0"),
    *(
        "\u202e",
        "\u200b",
        "if ",
        "! ",
        "{ ",
        " }",
        "%1",
        "..",
        "  ",
        "\\\\",
        "\\'",
        '\\"',
        "e\u0301",
    ),
]


OPERATORS = [*[" && ", " || ", " ; ", "; ", "&&", "||", ";"] * 3, " | ", "|"]
NO_OPERATORS = [" & ", " |& ", " ;; ", "\n", " &&& ", "||| "]


def sentence(chance: random.Random) -> str:
    """Most are plain, so that most are accepted."""

    def pick(good: list[str], bad: list[str]) -> str:
        return chance.choice(bad if chance.random() < 0.03 else good)

    text = ""
    for at in range(chance.choice((1, 1, 1, 1, 2, 2, 3))):
        text += pick(OPERATORS, NO_OPERATORS) if at else ""
        text += pick(PROGRAMS, NO_PROGRAMS)
        for _ in range(chance.choice((0, 1, 1, 2, 2, 3, 5))):
            text += pick([" ", " ", " ", "  "], ["\t", " \\\n"]) + pick(WORDS, NO_WORDS)
            text += pick(WORDS, NO_WORDS) if chance.random() < 0.1 else ""
    return text


def changed(chance: random.Random, text: str) -> str:
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at, to = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
        kind = chance.randrange(4)
        if kind == 0:
            text = text[:at] + chance.choice(PIECES) + text[at:]
        elif kind == 1:
            text = text[:at] + text[min(to, at + 3) :]
        elif kind == 2:
            text = text[:at] + text[at:to][::-1] + text[to:]
        else:
            text = text[:to] + text[at : min(to, at + 8)] + text[to:]
    return text


def texts(seed: int, count: int):
    chance = random.Random(seed)
    for _ in range(count):
        text = sentence(chance)
        yield changed(chance, text) if chance.random() < 0.4 else text


def run(seed: int, count: int) -> tuple[int, list[str]]:
    """How many texts were accepted, and where bash disagrees."""
    accepted, wrong, bash = 0, [], Bash()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        batches = []
        for text in texts(seed, count):
            try:
                segments = lex(text)
            except Refused:
                continue
            accepted += 1
            again = join(segments)
            if not reads_back(again, segments):
                wrong.append(f"{text!r}: its own rewrite is read otherwise")
            bash.add("as it came", text, segments)
            if again != text:
                bash.add("rewritten", again, segments)
            if accepted % 4000 == 0:
                batches.append(pool.submit(bash.differences))
                bash = Bash()
        batches.append(pool.submit(bash.differences))
        return accepted, wrong + [one for batch in batches for one in batch.result()]


def reads_back(text: str, segments: list[Segment]) -> bool:
    try:
        return lex(text) == segments and join(lex(text)) == text
    except Refused:
        return False
