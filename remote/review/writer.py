"""A stand-in for the audit writer: answers as the protocol says, keeps the lines, and counts by the
policy as the real one does, whatever who asks says of a limit."""

import contextlib
import json
import os
import socket
import threading
import time


class Writer:
    def __init__(self, path, policy):
        self.path, self.policy, self.lines, self.seq = path, policy, [], 0
        self.counts, self.silent = {}, False
        self._lock, self._open = threading.Lock(), []
        self.start()

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self._socket.listen(64)
        threading.Thread(target=self._serve, args=(self._socket,), daemon=True).start()

    def stop(self):
        """As a writer that was killed: no socket, no connection."""
        self._socket.close()
        os.unlink(self.path)
        for each in self._open:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._open.clear()

    def _serve(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            self._open.append(peer)
            threading.Thread(target=self._answer, args=(peer,), daemon=True).start()

    def _answer(self, peer):
        # Who ends without having read the last answer resets the connection.
        with contextlib.suppress(OSError), peer, peer.makefile("rb") as lines:
            for line in lines:
                while self.silent:
                    time.sleep(0.1)
                peer.sendall(json.dumps(self._take(line)).encode() + b"\n")

    def _take(self, line):
        if len(line) > 32768:
            return {"error": "too long"}
        record = json.loads(line)
        with self._lock:
            self.seq += 1
            ok, more = True, {}
            limit = self._limit(record)
            if limit:
                whom = (
                    record["event"],
                    record.get("platform"),
                    record.get("key", record.get("user")),
                )
                times = self.counts.setdefault(whom, [])
                now = time.time()
                times[:] = [t for t in times if t > now - limit["seconds"]]
                ok = len(times) < limit["count"]
                if ok:
                    times.append(now)
                else:
                    more = {"retry": int(times[0] + limit["seconds"] - now) + 1}
            self.lines.append(record)
            return {"ok": ok, "seq": self.seq, **more}

    def _limit(self, record):
        """What one of this kind is counted by, if it is counted."""
        if record["event"] not in ("message", "budget"):
            return None
        with open(self.policy) as file:
            rate = json.load(file)["rate"]
        if record["event"] == "budget":
            return rate["model_calls"]
        platform = record["platform"]
        if platform == "petasos_selftest":
            return {"count": 1, "seconds": 60}
        if platform == "webhook":
            return rate["webhook_route"]
        return rate["platforms"].get(platform, rate["default"])

    def of(self, *events, **fields):
        with self._lock:
            return [
                r
                for r in self.lines
                if r["event"] in events and all(r.get(k) == v for k, v in fields.items())
            ]
