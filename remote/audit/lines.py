"""One line of the log: what a client may put into it, and how lines are chained."""

import calendar
import hashlib
import json
import re
import time

# The longest request, in bytes; as a line of ASCII it grows to three times that at most.
LONGEST = 32 * 1024
# What other readers of JSON take: serde stops at a depth of 128.
DEEPEST = 32
# What the writer says of each line itself, and nobody else.
OWN = frozenset(("seq", "time", "event", "uid", "pid", "prev"))
# What comes before the first line.
NOTHING = "0" * 64

EVENT = re.compile(r"[a-z][a-z_]{0,31}", re.ASCII)
# Half a pair of UTF-16: no text of others can hold it.
HALF = re.compile("[\ud800-\udfff]")


class Refused(ValueError):
    """A request that is not carried out; the message goes to the client."""


class Malformed(Refused):
    """What arrives is no protocol of ours: the connection ends with that."""


def request(raw):
    """The event and the fields of a request."""
    if len(raw) > LONGEST:
        raise Malformed(f"a request has {LONGEST} bytes at most")
    try:
        value = json.loads(raw.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Malformed("a request is one JSON object in UTF-8") from error
    if not isinstance(value, dict):
        raise Malformed("a request is one JSON object in UTF-8")
    event = value.get("event")
    if not isinstance(event, str) or not EVENT.fullmatch(event):
        raise Refused("`event` is one word of a-z and _")
    if event.startswith("audit_"):
        raise Refused("events that begin with `audit_` are the writer's own")
    return event, {_text(key): _value(item, 1) for key, item in value.items() if key not in OWN}


def _no_number(word):
    raise ValueError(word)


def _text(text):
    return HALF.sub("\ufffd", text)


def _value(value, depth):
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict) and depth < DEEPEST:
        return {_text(key): _value(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list) and depth < DEEPEST:
        return [_value(item, depth + 1) for item in value]
    if isinstance(value, (dict, list)):
        raise Refused(f"a request has {DEEPEST} levels at most")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise Refused("a number has 64 bits at most")
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise Refused("a number has 64 bits at most")
    return value


def line(seq, now, event, uid, pid, fields, prev):
    """The bytes of a line, with its newline. Where its own fields stand is fixed, so that a reader
    finds them without parsing the rest; all is ASCII, so that no terminal obeys it."""
    head = {"seq": seq, "time": stamp(now), "event": event, "uid": uid, "pid": pid}
    text = json.dumps({**head, **fields, "prev": prev}, separators=(",", ":"))
    return text.encode("ascii") + b"\n"


def digest(line):
    """What the next line says of this one: `sed -n 5p audit.jsonl | sha256sum` says the same."""
    return hashlib.sha256(line).hexdigest()


def stamp(now):
    """RFC 3339, in UTC, to the millisecond."""
    millis = int(now * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(millis // 1000)) + f".{millis % 1000:03}Z"


def seconds(stamp):
    """The same, read."""
    parts = (stamp[:4], stamp[5:7], stamp[8:10], stamp[11:13], stamp[14:16], stamp[17:19])
    return calendar.timegm(tuple(int(part) for part in parts)) + int(stamp[20:23]) / 1000
