"""The audit writer's client: another user's process is told before anything happens.

One connection, one JSON line each way. No answer within three seconds, or an answer that is not
what was agreed, is `Broken`: whatever was about to happen does not. Only what has happened already
is told without a wait for the answer, which is read before the next line is said.
"""

import hashlib
import json
import socket
import threading
from collections import deque

from .errors import Broken, Late

TIMEOUT = 3
# The writer takes 32 KiB for a line.
LONGEST = 30000
KEPT = 4000
# Lines whose answers were not read yet.
MOST_OPEN = 16


class Writer:
    def __init__(self, path, complain=lambda what, error: None):
        """`complain` hears of a line that was told and is not in the log."""
        self.path, self._complain = path, complain
        self._lock = threading.Lock()
        self._sock = self._answers = None
        self._open = deque()

    def say(self, event, **fields):
        """The writer's answer."""
        line = encode(event, fields)
        with self._lock:
            return self._twice(lambda: self._exchange(line))

    def tell(self, event, **fields):
        """The line is on its way. Should the writer be gone, it is sent again with the next."""
        line = encode(event, fields)
        with self._lock:
            if len(self._open) >= MOST_OPEN:
                self._twice(self._read_open)
            self._open.append(line)
            try:
                # A new connection sends it itself.
                if not self._connect():
                    self._send(line)
            except OSError:
                self._hang_up()

    def _twice(self, go):
        # A second try on a new connection: the writer may have been restarted since the last.
        for last in (False, True):
            try:
                self._connect()
                return go()
            except (OSError, ValueError) as error:
                self._hang_up()
                if isinstance(error, TimeoutError):
                    raise Late(f"the audit writer does not answer: {error}") from error
                if last:
                    raise Broken(f"the audit writer does not answer: {error}") from error

    def _exchange(self, line):
        self._read_open()
        self._send(line)
        return self._read()

    def _connect(self):
        """Whether the connection is a new one, over which the open lines went once more."""
        if self._sock is not None:
            return False
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._sock.settimeout(TIMEOUT)
        self._sock.connect(self.path)
        self._answers = self._sock.makefile("rb")
        for line in self._open:
            self._send(line)
        return True

    def _send(self, line):
        self._sock.sendall(line + b"\n")

    def _read_open(self):
        while self._open:
            try:
                self._read()
            except Broken as error:
                self._complain("a line is not in the audit log", error)
            self._open.popleft()

    def _read(self):
        said = self._answers.readline(8192)
        if not said.endswith(b"\n"):
            raise OSError("it closed the connection")
        answer = json.loads(said)
        if not isinstance(answer, dict) or "error" in answer:
            raise Broken(f"the audit writer refused a line: {str(answer)[:200]}")
        if not isinstance(answer.get("ok"), bool) or not isinstance(answer.get("seq"), int):
            raise Broken(f"the audit writer gave an answer of another form: {str(answer)[:200]}")
        return answer

    def _hang_up(self):
        for end in (self._answers, self._sock):
            try:
                if end is not None:
                    end.close()
            except OSError:
                pass
        self._sock = self._answers = None


def encode(event, fields):
    record = {"event": event}
    record.update((k, v) for k, v in fields.items() if v not in (None, "", [], {}))
    line = _dump(record)
    if len(line) <= LONGEST:
        return line
    # Too long for a line: each long field is cut, and the digest of all says what it was.
    record["cut"] = hashlib.sha256(line).hexdigest()
    for key, value in list(record.items()):
        text = value if isinstance(value, str) else _dump(value).decode("utf-8", "replace")
        if len(text) > KEPT:
            record[key] = text[:KEPT]
    line = _dump(record)
    if len(line) > LONGEST:
        raise Broken("a line for the audit log is too long")
    return line


def _dump(value):
    try:
        text = json.dumps(
            value, ensure_ascii=False, default=str, allow_nan=False, separators=(",", ":")
        )
    except (ValueError, RecursionError) as error:
        raise Broken(f"this cannot be written to the audit log: {error}") from error
    return text.encode("utf-8", "replace")
