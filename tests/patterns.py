"""Judges patterns as petasos writes them for Python: on standard input a JSON list of objects with
`written` (by a user) and `python` (by petasos). Prints one line of what is wrong for each that is.

How long a search takes is counted, not timed: `Search` does what `re` does by its parse tree, and
counts each attempt.
"""

import json
import random
import re
import sys
import time
import warnings
from re import _constants as names
from re import _parser as parser

# What petasos accepts at each place of a text, with what this counts beside attempts.
MOST = 256 * 4


class TooManyError(Exception):
    pass


def as_set(op, value):
    """What one character must satisfy."""
    if op is names.LITERAL:
        return lambda c: ord(c) == value
    if op is names.NOT_LITERAL:
        return lambda c: ord(c) != value
    if op is names.ANY:
        return lambda c: c != "\n"
    if op is names.IN:
        return re.compile(in_text(value), re.A).match
    return None


def in_text(items):
    kinds = {names.CATEGORY_DIGIT: r"\d", names.CATEGORY_SPACE: r"\s", names.CATEGORY_WORD: r"\w"}
    kinds |= {
        names.CATEGORY_NOT_DIGIT: r"\D",
        names.CATEGORY_NOT_SPACE: r"\S",
        names.CATEGORY_NOT_WORD: r"\W",
    }
    text = ""
    for op, value in items:
        if op is names.NEGATE:
            text += "^"
        elif op is names.LITERAL:
            text += f"\\U{value:08x}"
        elif op is names.RANGE:
            text += f"\\U{value[0]:08x}-\\U{value[1]:08x}"
        else:
            text += kinds[value]
    return f"[{text}]"


class Search:
    """A search by backtracking that counts its attempts."""

    def __init__(self, pattern, patience=1_000_000):
        self.tree = list(parser.parse(pattern))
        self.steps, self.end, self.patience = 0, 0, patience

    def everywhere(self, text):
        self.text, self.steps, at = text, 0, 0
        while at <= len(text):
            self.end = None
            found = self.sequence(self.tree, 0, at, self.done)
            at = max(self.end, at + 1) if found else at + 1
        return self.steps

    def done(self, at):
        self.end = at
        return True

    def step(self):
        self.steps += 1
        if self.steps > self.patience:
            raise TooManyError

    def sequence(self, tree, index, at, go_on):
        if index == len(tree):
            return go_on(at)
        op, value = tree[index]

        def rest(at):
            return self.sequence(tree, index + 1, at, go_on)

        one = as_set(op, value)
        self.step()
        if one:
            return at < len(self.text) and bool(one(self.text[at])) and rest(at + 1)
        if op is names.SUBPATTERN:
            return self.sequence(list(value[3]), 0, at, rest)
        if op is names.BRANCH:
            return any(self.sequence(list(branch), 0, at, rest) for branch in value[1])
        if op is names.AT:
            return rest(at) if self.is_at(value, at) else False
        if op in (names.MAX_REPEAT, names.MIN_REPEAT):
            return self.repeat(op, value, at, rest)
        raise NotImplementedError(op)

    def is_at(self, where, at):
        text = self.text
        if where in (names.AT_BEGINNING, names.AT_BEGINNING_STRING):
            return at == 0
        if where in (names.AT_END, names.AT_END_STRING):
            return at == len(text)
        word = [re.match(r"(?a:\w)", c) is not None for c in (text[at - 1 : at], text[at : at + 1])]
        return (word[0] != word[1]) == (where is names.AT_BOUNDARY)

    def repeat(self, op, value, at, rest):
        least, most, inner = value[0], value[1], list(value[2])
        most = len(self.text) + 1 if most is names.MAXREPEAT else int(most)
        one = as_set(*inner[0]) if len(inner) == 1 else None
        if one:
            run = 0
            while run < most and at + run < len(self.text) and one(self.text[at + run]):
                run += 1
            ends = range(run, least - 1, -1) if op is names.MAX_REPEAT else range(least, run + 1)
            for end in ends:
                self.step()
                if rest(at + end):
                    return True
            return False

        def more(count, at):
            def again(then):
                return then > at and more(count + 1, then)

            def inside():
                return count < most and self.sequence(inner, 0, at, again)

            self.step()
            if count < least:
                return self.sequence(inner, 0, at, lambda then: more(count + 1, then))
            if op is names.MAX_REPEAT:
                return inside() or rest(at)
            return rest(at) or inside()

        return more(0, at)


def pumps(written):
    """Short texts that keep a pattern busy when they are repeated."""
    letters = sorted(set(re.sub(r"\\.|[^A-Za-z0-9 @=.:\"-]", "", written)) | set("a0 "))[:7]
    pairs = [a + b for a in letters[:3] for b in letters[:3] if a != b]
    literal = re.match(r"[A-Za-z0-9\"= -]*", written)[0]
    return letters + pairs + [literal + letter for letter in letters if literal]


def steps(search, pump, size):
    return search.everywhere((pump * size)[:size] + "!")


def what_is_wrong(written, python):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled = re.compile(python)
    if compiled.search(""):
        return "matches the empty text"
    search, worst = Search(python), []
    try:
        tried = [(steps(search, pump, 300), pump) for pump in pumps(written)]
        worst = sorted(tried, reverse=True)[:2]
        for short, pump in worst:
            long = steps(search, pump, 1200)
            if long > 1200 * MOST:
                return f"{long} attempts for 1200 letters of {pump!r}"
            if long > 4.6 * short + 3000:
                return f"{short} attempts for 300 letters of {pump!r}, {long} for 1200"
    except TooManyError:
        return f"more than {search.patience} attempts"
    text = (worst[0][1] * 50_000)[:50_000] + "!"
    began = time.process_time()
    compiled.sub("", text)
    spent = time.process_time() - began
    return f"{spent} s for 50 kB of {worst[0][1]!r}" if spent > 8 else None


def same(written, python, seed):
    """Whether both find the same; `written` is one that Python reads, too."""
    dice = random.Random(seed)
    texts = ["".join(dice.choices("aabbc0_ -.\n", k=dice.randrange(1, 40))) for _ in range(40)]
    one, other = re.compile(written, re.A), re.compile(python)
    for text in texts:
        if [m.span() for m in one.finditer(text)] != [m.span() for m in other.finditer(text)]:
            return f"finds something else in {text!r}"
    return None


def is_slow(pattern, pump):
    """Whether the counting finds what is wrong with a bad one."""
    try:
        search = Search(pattern, 50_000)
        return steps(search, pump, 48) > 8 * steps(search, pump, 12)
    except TooManyError:
        return True


def main():
    sys.setrecursionlimit(100_000)
    asked = json.load(sys.stdin)
    for case in asked["accepted"]:
        wrong = what_is_wrong(case["written"], case["python"])
        if wrong:
            print(f"{case['written']}: {wrong}")
    for number, case in enumerate(asked["made"]):
        wrong = same(case["written"], case["python"], number)
        search = Search(case["python"])
        try:
            for pump in ("a", "b", "ab", "a ", "0", "aab"):
                short, long = steps(search, pump, 60), steps(search, pump, 240)
                if long > 240 * MOST or long > 4.6 * short + 600:
                    wrong = f"{short} attempts for 60 letters of {pump!r}, {long} for 240"
        except TooManyError:
            wrong = f"more than {search.patience} attempts"
        if wrong:
            print(f"{case['written']} as {case['python']}: {wrong}")
    for pattern, pump in asked["bad"]:
        if not is_slow(pattern, pump):
            print(f"{pattern}: the counting does not see that it is slow")


main()
