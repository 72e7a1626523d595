"""Sliding windows: who sent how much in the last hour, and what a month has cost."""

from array import array

from .lines import Refused

# Of a limit: the longest window (longer ones would need lines that rotation has removed), and the
# highest count.
LONGEST, HIGHEST = 31 * 86400, 100_000
# What all counters may hold together. Whoever would need more is refused, for to forget one is to
# let it through.
KEYS, STAMPS = 10_000, 1_000_000
# What is counted, and the fields of it that the writer itself says.
COUNTED = frozenset(("message", "budget"))
SAID = frozenset(("verdict", "used", "retry"))


def key(event, fields):
    """What a request counts for: a user of a platform, a webhook's route, the budget."""
    name = fields.get("key")
    if name is None and event == "message":
        name = fields.get("user")
    place = fields.get("platform") if event == "message" else ""
    for word in (name, place):
        if isinstance(word, bool) or not isinstance(word, (str, int)) or len(str(word)) > 256:
            raise Refused("`platform`, `user` and `key` are names, of 256 characters at most")
    if name == "" or event == "message" and place == "":
        raise Refused("a message has a `platform`, and a `user` or a `key`; a budget has a `key`")
    return event, str(place), fields.get("key") is not None, str(name)


def limit(value):
    """`(count, seconds)`; none where nothing is limited."""
    if value is None:
        return None
    parts = [value.get("count"), value.get("seconds")] if isinstance(value, dict) else []
    for part, most in zip(parts, (HIGHEST, LONGEST), strict=False):
        if isinstance(part, bool) or not isinstance(part, int) or not 1 <= part <= most:
            parts = []
    if len(parts) != 2:
        raise Refused(f"`limit` is null, or a `count` to {HIGHEST} and `seconds` to {LONGEST}")
    return parts[0], parts[1]


class Counters:
    def __init__(self):
        # For each key the times of what was let through, and the longest window asked for.
        self.windows = {}
        self.stamps = 0
        self.swept = 0

    def ask(self, key, limit, now):
        """Whether one more is let through, how many there are, and when to come back; counts
        nothing yet, for the line must be written first."""
        count, seconds = limit
        self._expire(key, now)
        times, _ = self.windows.get(key, ((), 0))
        # After a clock that was wrong, what comes from the future is of now.
        recent = sorted(min(then, now) for then in times if then > now - seconds)
        if len(recent) >= count:
            # The one that must have left the window before the next is let through.
            left = recent[len(recent) - count] + seconds - now
            return False, len(recent), max(1, int(left + 0.999))
        if key not in self.windows and len(self.windows) >= KEYS or self.stamps >= STAMPS:
            self._sweep(now)
            if key not in self.windows and len(self.windows) >= KEYS or self.stamps >= STAMPS:
                raise Refused("too much is being counted: no more counters")
        return True, len(recent) + 1, 0

    def add(self, key, seconds, then):
        """Counts what was let through."""
        times, longest = self.windows.get(key) or (array("d"), 0)
        times.append(then)
        self.stamps += 1
        self.windows[key] = (times, max(longest, seconds))

    def replay(self, event, fields, then, now):
        """Counts a line of the log again."""
        try:
            what, most = key(event, fields), limit(fields.get("limit"))
        except Refused:
            return
        if fields.get("verdict") == "allow" and most and then > now - most[1]:
            if self.stamps < STAMPS and (what in self.windows or len(self.windows) < KEYS):
                self.add(what, most[1], then)

    def _expire(self, key, now):
        if key not in self.windows:
            return
        times, longest = self.windows[key]
        # The clock may have stepped back between two of them.
        kept = array("d", (min(then, now) for then in times if then > now - longest))
        self.stamps -= len(times) - len(kept)
        if kept:
            self.windows[key] = (kept, longest)
        else:
            del self.windows[key]

    def _sweep(self, now):
        """At most once a second: all of them are looked at."""
        if 0 <= now - self.swept < 1:
            return
        self.swept = now
        for key in list(self.windows):
            self._expire(key, now)


class Allowance:
    """How many bytes a second, after a first burst. What is over that is refused: a flood must not
    fill in hours what should keep weeks."""

    def __init__(self, rate, burst):
        self.rate, self.burst, self.left, self.at = rate, burst, burst, None

    def take(self, size, now):
        if self.at is not None:
            self.left = min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        if size > self.left:
            return False
        self.left -= size
        return True
