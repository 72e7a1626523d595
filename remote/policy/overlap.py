"""Whether a text with unknown parts can be what a glob describes: `/e?c/shadow` can be
`/etc/shadow`, and `s${x}udo id` can be `sudo id`.

A guess counts only where the word that it is in has letters in common with the glob: `ls *` may
list a file of any name, and is not refused for each of them. One letter is no guess worth the name,
so `?` matches freely.
"""

STAR, ANY, WILD = "any name", "any letter", "any text"


class Globs:
    """fnmatch patterns, as one automaton whose states are the bits of a number."""

    def __init__(self, patterns: list[str]) -> None:
        self._letters: dict[str, int] = {}
        self._any = self._loops = self._starts = 0
        self._ends: list[int] = []
        self._next = 1
        for pattern in patterns:
            self._starts |= self._next
            self._add(pattern)
            self._ends.append(self._next)
            # Nothing leads on from an end, so the next one's states are its own.
            self._next <<= 1

    def _add(self, pattern: str) -> None:
        at = 0
        while at < len(pattern):
            char, at = pattern[at], at + 1
            if char == "*":
                self._loops |= self._next
                continue
            # A bracket may be the first of its class.
            first = at + 1 + (pattern[at : at + 1] == "!")
            close = pattern.find("]", first) if char == "[" else -1
            if char == "?":
                self._any |= self._next
            elif close > 0:
                self._class(pattern[at:close])
                at = close + 1
            else:
                self._letter_at(char)
            self._next <<= 1

    def _class(self, inner: str) -> None:
        if inner.startswith("!") or "-" in inner:
            self._any |= self._next
            return
        for char in inner:
            self._letter_at(char)

    def _letter_at(self, char: str) -> None:
        self._letters[char] = self._letters.get(char, 0) | self._next

    def first(self, text: list[str]) -> int | None:
        """The first pattern that the text can be. `text` holds letters, `STAR` and `ANY` as in a
        glob of the shell, and `WILD`."""
        # States without a guess and without a common letter in this word, with either, with both.
        sets = (self._starts, 0, 0, 0)
        first, wild = True, False
        for at, item in enumerate(text):
            if at == 0 or text[at - 1] == " ":
                wild = WILD in _word(text, at)
            if item == " ":
                sets = self._moved(_word_ends(sets), self._letters.get(" ", 0))
            elif item == ANY:
                sets = self._moved(sets, self._except("/." if first else "/"))
            elif len(item) > 1:
                sets = self._unknown(sets, item, first)
            elif item == "/" and wild:
                # In `$HOME/x` the slash tells nothing.
                sets = self._moved(sets, self._letters.get("/", 0))
            else:
                sets = self._letter(sets, item)
            first = item in (" ", "/")
        found = _word_ends(sets)[0]
        return next((at for at, end in enumerate(self._ends) if found & end), None)

    def _moved(self, sets, also=0):
        return tuple(((one & (self._any | also)) << 1) | (one & self._loops) for one in sets)

    def _letter(self, sets, char):
        plain, guess, common, both = self._moved(sets)
        mask = self._letters.get(char, 0)
        common |= ((sets[0] | sets[2]) & mask) << 1
        both |= ((sets[1] | sets[3]) & mask) << 1
        return plain, guess, common, both

    def _except(self, without):
        mask = 0
        for char, bits in self._letters.items():
            mask |= 0 if char in without else bits
        return mask

    def _guessed(self, sets, without):
        plain, guess, common, both = self._moved(sets)
        mask = self._except(without)
        guess |= ((sets[0] | sets[1]) & mask) << 1
        both |= ((sets[2] | sets[3]) & mask) << 1
        return plain, guess, common, both

    def _unknown(self, sets, item, first):
        # A glob matches no slash, and no dot that a name begins with.
        without = "" if item == WILD else "/." if first else "/"
        while True:
            more = tuple(a | b for a, b in zip(sets, self._guessed(sets, without), strict=True))
            if more == sets:
                return sets
            # What follows the first letter may be a dot, too.
            sets, without = more, without[:1]


def _word_ends(sets):
    plain, _, common, both = sets
    return plain | common | both, 0, 0, 0


def _word(text, at):
    end = at
    while end < len(text) and text[end] != " ":
        end += 1
    return text[at:end]
