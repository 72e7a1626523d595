"""The log's files: each line is chained to the one before, over rotation and restarts."""

import contextlib
import errno
import os

from . import lines
from .past import FRESH, LIVE, Past, full_files, full_name

# The newest line's number and digest go to the journal, which is root's, after so many lines, and
# so many seconds after a line.
LINES_A_HEAD, SECONDS_A_HEAD = 256, 60
# What need not be on disk before it is answered is there this much later.
SECONDS_A_SYNC = 1


def no_room():
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Log:
    def __init__(self, directory, size, keep, days, tell):
        self.directory, self.size, self.keep, self.days = directory, size, keep, days
        self.tell = tell
        self.file, self.end, self.seq, self.head = None, 0, 0, lines.NOTHING
        # Events of its own that are still to be written.
        self.notes = []
        # Whether there may be a part of a line behind `end`: it was never answered.
        self.ragged = False
        # When the first line was written that is not on disk yet, or whose head is not told yet.
        self.dirty = self.untold = None
        self.told = 0
        self.own = (os.getuid(), os.getpid())

    def open(self, counters, now):
        """Reads what is there, and goes on behind it."""
        past = Past(self.directory, counters, now)
        self.file = self._file(LIVE)
        os.ftruncate(self.file, past.end)
        self.seq, self.head, self.end = past.seq, past.head, past.end
        self._tell("as found")
        found = {"torn": past.torn, "damaged": past.damaged, "foreign": past.foreign}
        self.notes = [("audit_start", found)]
        if any(found.values()):
            self.tell(
                f"cut off {past.torn} bytes of a torn line; {past.damaged} lines are damaged; "
                f"set aside {len(past.foreign)} files of others"
            )

    def append(self, event, uid, pid, fields, now):
        """Writes one line; its number. Where this fails, it is not there."""
        self.flush(now)
        return self._append(event, uid, pid, fields, now)

    def flush(self, now):
        """Writes events of its own that are left."""
        while self.notes:
            event, fields = self.notes[0]
            self._append(event, *self.own, fields, now)
            self.notes.pop(0)

    def _append(self, event, uid, pid, fields, now):
        line = lines.line(self.seq + 1, now, event, uid, pid, fields, self.head)
        if self.ragged:
            self._mend()
        if self.end and self.end + len(line) > self.size:
            self._rotate(now)
            line = lines.line(self.seq + 1, now, event, uid, pid, fields, self.head)
        try:
            if os.write(self.file, line) != len(line):
                raise no_room()
        except OSError:
            # A disk that gets full takes a part of it.
            self.ragged = True
            self._mend()
            raise
        self._wrote(line, now)
        return self.seq

    def _mend(self):
        os.ftruncate(self.file, self.end)
        self.ragged = False

    def _wrote(self, line, now):
        self.seq, self.head, self.end = self.seq + 1, lines.digest(line), self.end + len(line)
        self.dirty, self.untold = self.dirty or now, self.untold or now

    def _rotate(self, now):
        """The first line of the new file has the digest of the old one's last. Whoever reads
        `audit.jsonl` always finds one, and so does a writer that starts after a crash."""
        full = full_files(self.directory)
        if len(full) >= self.keep:
            age = now - os.stat(self._path(full[0])).st_mtime
            if age < self.days * 86400:
                why = f"the log is full, and its oldest file is younger than {self.days} days"
                raise OSError(errno.ENOSPC, why)
        old, fresh = full_name(self.seq), self._file(FRESH)
        line = lines.line(self.seq + 1, now, "audit_file", *self.own, {"after": old}, self.head)
        linked = False
        try:
            self.anchor("ends " + old)
            os.ftruncate(fresh, 0)
            if os.write(fresh, line) != len(line):
                raise no_room()
            os.fdatasync(fresh)
            if os.path.lexists(self._path(old)):
                # Somebody put an older log back: what is there is not to be lost.
                os.rename(self._path(old), self._path(old + ".foreign"))
            os.link(self._path(LIVE), self._path(old))
            linked = True
            os.rename(self._path(FRESH), self._path(LIVE))
        except OSError:
            os.close(fresh)
            for name in (FRESH, old) if linked else (FRESH,):
                with contextlib.suppress(OSError):
                    os.unlink(self._path(name))
            raise
        os.close(self.file)
        self.file, self.end = fresh, 0
        self._wrote(line, now)
        with contextlib.suppress(OSError):
            self._sync_directory()
            for name in full_files(self.directory)[: -self.keep]:
                os.unlink(self._path(name))

    def sync(self):
        if self.dirty is not None:
            os.fdatasync(self.file)
            self.dirty = None

    def anchor(self, why):
        """What the journal says is on disk: else a crash would look like a line that was taken
        away."""
        self.sync()
        self._tell(why)

    def _tell(self, why):
        self.tell(f"head {self.seq} {self.head} {why}".rstrip())
        self.told, self.untold = self.seq, None

    def tick(self, now):
        """Does what is due; seconds until something is, or none."""
        due = []
        if self.untold is not None:
            left = self.untold + SECONDS_A_HEAD - now
            if self.seq - self.told >= LINES_A_HEAD or not 0 < left <= SECONDS_A_HEAD:
                self.anchor("")
            else:
                due.append(left)
        if self.dirty is not None:
            left = self.dirty + SECONDS_A_SYNC - now
            if not 0 < left <= SECONDS_A_SYNC:
                self.sync()
            else:
                due.append(left)
        return min(due, default=None)

    def close(self):
        if self.file is not None and self.told != self.seq:
            self.anchor("at the end")

    def _file(self, name):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        return os.open(self._path(name), flags, 0o640)

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _sync_directory(self):
        directory = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
