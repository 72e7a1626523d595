# Lines of the agent's audit log, as they stand. One JSON object. Argument: what is asked for, as
# JSON: `since` (seconds back, or null for all), `cursor` (where the last answer ended, or null),
# `wait` (how many seconds to wait for a line), `events` (none: all), `user`, `tool` (null: any),
# `most` (lines).
import collections
import json
import os
import re
import sys
import time

DIRECTORY = sys.argv[2] if len(sys.argv) > 2 else "/var/log/hermes"
FULL = re.compile(r"audit-\d{12}\.jsonl", re.ASCII)
HEAD = re.compile(rb'\{"seq":\d+,"time":"([0-9T:.Z-]{24})","event":"([a-z_]+)",')
# What one answer has at most, in bytes.
LARGEST = 16 << 20
asked = json.loads(sys.argv[1])


def files():
    """All files, the oldest first; opened, so that a rotation takes none away."""
    names = sorted(name for name in os.listdir(DIRECTORY) if FULL.fullmatch(name))
    opened = []
    for name in [*names, "audit.jsonl"]:
        try:
            file = open(os.path.join(DIRECTORY, name), "rb")
        except FileNotFoundError:
            continue
        inode = os.fstat(file.fileno()).st_ino
        # In the middle of a rotation one file has two names.
        if inode not in [other for other, _ in opened]:
            opened.append((inode, file))
    return opened


def begin(opened):
    """From where on: the files, and the place in the first of them."""
    if asked["cursor"]:
        inode, place = asked["cursor"]
        for at, (other, _) in enumerate(opened):
            if other == inode:
                return opened[at:], place
        return opened, 0
    if asked["since"] is None:
        return opened, 0
    oldest = time.time() - asked["since"]
    return [one for one in opened if os.fstat(one[1].fileno()).st_mtime >= oldest], 0


def wanted(line, since):
    head = HEAD.match(line)
    if not head or head[1] < since or asked["events"] and head[2].decode() not in asked["events"]:
        return None
    try:
        text = line[:-1].decode()
        record = json.loads(text)
    except ValueError:
        return None
    for field in ("user", "tool"):
        if asked[field] is not None and str(record.get(field, "")) != asked[field]:
            return None
    # As it stands: parsed and printed anew, its digest would be another.
    return text


def read():
    """The lines asked for, how many more there were, and where the last file ended."""
    since = b""
    if asked["since"] is not None and not asked["cursor"]:
        since = time.strftime(
            "%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - asked["since"])
        ).encode()
    found, size, more = collections.deque(), 0, 0
    opened, place = begin(files())
    cursor = asked["cursor"]
    for inode, file in opened:
        with file:
            file.seek(place)
            for line in file:
                # What is still being written is for the next time.
                if not line.endswith(b"\n"):
                    break
                place += len(line)
                text = wanted(line, since)
                if text is None:
                    continue
                found.append((len(line), text))
                size += len(line)
                while size > LARGEST or len(found) > asked["most"]:
                    size -= found.popleft()[0]
                    more += 1
        cursor, place = [inode, place], 0
    return {"lines": [text for _, text in found], "more": more, "cursor": cursor}


end = time.monotonic() + asked["wait"]
while True:
    answer = read()
    asked["cursor"] = answer["cursor"] or asked["cursor"]
    if answer["lines"] or time.monotonic() >= end:
        break
    time.sleep(0.3)
print(json.dumps(answer))
