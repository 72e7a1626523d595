# A walk along the agent's audit log, for `src/audit/chain.rs`, which does the same with a file; and
# what the journal has on record of it. One JSON object. Argument: the directory.
import hashlib
import json
import os
import re
import subprocess
import sys

DIRECTORY = sys.argv[1]
FULL = re.compile(r"audit-\d{12}\.jsonl", re.ASCII)
LINE = re.compile(
    rb'\{"seq":(\d{1,18}),"time":"[0-9T:.Z-]{24}","event":"[a-z_]+","uid":'
    rb'[\x01-\x09\x0b-\x7f]*,"prev":"([0-9a-f]{64})"\}\n'
)
HEAD = re.compile(r"head (\d{1,18}) ([0-9a-f]{64})")
MOST_BREAKS, MOST_HEADS = 100, 20000


def heads():
    """What the writer told the journal, by its own unit and user: nobody else can write that."""
    words = ["journalctl", "-q", "--no-pager", "-o", "json", "--output-fields=MESSAGE"]
    journal = subprocess.Popen(
        [*words, "_SYSTEMD_UNIT=petasos-audit.service"], stdout=subprocess.PIPE
    )
    found = []
    for line in journal.stdout:
        message = json.loads(line).get("MESSAGE")
        head = HEAD.match(message) if isinstance(message, str) else None
        if head:
            found.append((int(head[1]), head[2]))
    if journal.wait():
        sys.exit(journal.returncode)
    return list(dict.fromkeys(found))[-MOST_HEADS:]


class Walk:
    def __init__(self, told):
        self.told, self.seen = told, {}
        self.lines = self.first = self.last = self.more = 0
        self.before, self.head, self.breaks = "", "", []

    def line(self, name, number, text):
        due = self.last + 1 if self.lines else 0
        own = LINE.fullmatch(text)
        seq, kind = int(own[1]) if own else 0, None
        if not text.endswith(b"\n"):
            kind = "cut_off"
        elif not own:
            kind = "form"
        elif not self.lines:
            self.first, self.before = seq, own[2].decode()
        elif seq != due:
            kind = "number"
        elif own[2].decode() != self.head:
            kind = "digest"
        if kind and len(self.breaks) < MOST_BREAKS:
            found = {"file": name, "line": number, "kind": kind, "seq": seq, "due": due}
            self.breaks.append(found)
        elif kind:
            self.more += 1
        self.lines += 1
        self.last = seq or self.last + 1
        self.head = hashlib.sha256(text).hexdigest()
        if self.last in self.told:
            self.seen[self.last] = self.head

    def answer(self):
        names = ("lines", "first", "before", "last", "head", "breaks", "more")
        return {name: getattr(self, name) for name in names}


# The journal first: what it has by now is in the files by then.
told = heads() if len(sys.argv) < 3 else []
# The live file before the others: a rotation in between gives it a second name, and takes none.
opened = []
for name in ["audit.jsonl", *sorted(os.listdir(DIRECTORY), reverse=True)]:
    if name == "audit.jsonl" or FULL.fullmatch(name):
        try:
            file = open(os.path.join(DIRECTORY, name), "rb")
        except FileNotFoundError:
            continue
        if not any(os.path.sameopenfile(file.fileno(), other.fileno()) for _, other in opened):
            opened.insert(0, (name, file))
walk = Walk({seq for seq, _ in told})
for name, file in opened:
    with file:
        lines = file.readlines(1 << 20)
        number = 0
        while lines:
            for text in lines:
                number += 1
                # What the writer is at work on is no line that was cut off.
                if text.endswith(b"\n") or file is not opened[-1][1]:
                    walk.line(name, number, text)
            lines = file.readlines(1 << 20)
journal = [{"seq": seq, "told": digest, "is": walk.seen.get(seq)} for seq, digest in told]
print(json.dumps({"walk": walk.answer(), "journal": journal}))
