"""What an earlier writer left: where the chain ends, what a crash tore, what still counts."""

import contextlib
import hashlib
import json
import os
import re
import stat

from . import lines
from .counters import COUNTED, LONGEST

LIVE, FRESH = "audit.jsonl", "audit.jsonl.new"
# A file that is full has the number of its last line in its name, so that names sort by age.
FULL = re.compile(r"audit-\d{12}\.jsonl", re.ASCII)
HEAD = re.compile(rb'\{"seq":(\d{1,18}),"time":"([0-9T:.Z-]{24})","event":"([a-z_]{1,32})",')
# What a writer writes is shorter.
PIECE = 128 * 1024
BLOCK = 1 << 20


def full_name(seq):
    return f"audit-{seq:012}.jsonl"


def full_files(directory):
    """The oldest first."""
    return sorted(name for name in os.listdir(directory) if FULL.fullmatch(name))


class Past:
    """Reads it; the counters see what may still count."""

    def __init__(self, directory, counters, now):
        self.counters, self.now = counters, now
        self.seq, self.head = 0, lines.NOTHING
        # How many lines no writer wrote.
        self.damaged = 0
        # Of the live file: where its last whole line ends, and how much there is behind it.
        self.end, self.torn = 0, 0
        # Files of our names that are not ours: who made them may still have them open.
        self.foreign = _set_aside(directory)
        _finish_rotation(directory)
        full = [os.path.join(directory, name) for name in full_files(directory)]
        for path in full:
            if os.stat(path).st_mtime > now - LONGEST:
                self._skim(path)
        live = os.path.join(directory, LIVE)
        self.end, self.torn = self._read(live, self._count) if os.path.exists(live) else (0, 0)
        if not self.end and full:
            self._read(full[-1], lambda line: None)

    def _skim(self, path):
        """Of a file that is full only what counts; there may be a gigabyte of them."""
        marks = sorted(b'"event":"%s"' % event.encode() for event in COUNTED)
        with open(path, "rb") as file:
            for block in iter(lambda: b"".join(file.readlines(BLOCK)), b""):
                for mark in marks:
                    at = block.find(mark)
                    while at >= 0:
                        # A field deep inside of another line may look the same.
                        start, end = block.rfind(b"\n", 0, at) + 1, block.find(b"\n", at)
                        self._count(block[start:end])
                        at = block.find(mark, end) if end > 0 else end

    def _read(self, path, see):
        end, last, parts = 0, None, None
        with open(path, "rb") as file:
            for piece in iter(lambda: file.readline(PIECE), b""):
                whole = piece.endswith(b"\n")
                if parts is None and whole:
                    last = piece
                    self._see(piece)
                    see(piece)
                else:
                    parts = parts or hashlib.sha256()
                    parts.update(piece)
                    if not whole:
                        continue
                    last, parts = parts.hexdigest(), None
                    self._see(b"")
                end = file.tell()
            torn = os.fstat(file.fileno()).st_size - end
        if last is not None:
            self.head = last if isinstance(last, str) else lines.digest(last)
        return end, torn

    def _see(self, line):
        head = HEAD.match(line)
        if not head:
            self.seq, self.damaged = self.seq + 1, self.damaged + 1
            return
        self.seq = int(head[1])

    def _count(self, line):
        head = HEAD.match(line)
        if head and head[3].decode() in COUNTED:
            with contextlib.suppress(ValueError):
                then, fields = lines.seconds(head[2].decode()), json.loads(line)
                self.counters.replay(fields["event"], fields, then, self.now)


def _set_aside(directory):
    aside = []
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        if name in (LIVE, FRESH) or FULL.fullmatch(name):
            found = os.lstat(path)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
                os.rename(path, path + ".foreign")
                aside.append(name)
    return aside


def _finish_rotation(directory):
    """Of a rotation that was cut off: while the live file has both its names, the fresh one is
    whole, and takes its place."""
    live, fresh = os.path.join(directory, LIVE), os.path.join(directory, FRESH)
    full = [os.path.join(directory, name) for name in full_files(directory)[-1:]]
    both = bool(full) and os.path.exists(live) and os.path.samefile(full[0], live)
    if both and os.path.exists(fresh):
        os.rename(fresh, live)
    elif both:
        os.unlink(full[0])
    elif os.path.exists(fresh):
        os.unlink(fresh)
