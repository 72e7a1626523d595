"""From a request to its answer: checked, counted, written."""

import json

from . import counters
from .counters import Allowance, Counters
from .lines import Malformed, Refused, request

# What is on disk before it is answered: who was refused, who decided, who spoke.
SYNCED = frozenset(("command_denied", "approval_request", "approval", "message", "policy"))
# Bytes a second and a first burst, for each user; what strangers cause has its own, so that they
# alone can never fill what should keep a week.
ALL, STRANGERS = (64 << 10, 4 << 20), (1 << 10, 256 << 10)
# After a failure the log is tried again at each request, but not read again at each.
HIGH = bytes(range(0x80, 0x100))
SECONDS_A_TRY, SECONDS_A_TELL, SECONDS_A_NOTE = 1, 5, 60


def answer(**fields):
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


class Clerk:
    def __init__(self, log, limits, tell, clock):
        self.log, self.limits, self.tell, self.clock = log, limits, tell, clock
        self.counters = Counters()
        self.allowances = {}
        # How many requests of a sort were more than allowed, since it was last noted.
        self.dropped, self.noted = {}, 0
        self.must_sync = False
        # What is wrong with the log, as the journal heard, and when; when it is opened next.
        self.trouble, self.told, self.next_try = "", 0, 0

    def take(self, raw, client):
        try:
            return self._take(raw, client)
        except Refused as error:
            # Else two bytes of nonsense would cost an answer each.
            client.ended |= isinstance(error, Malformed)
            return answer(error=str(error))
        except OSError as error:
            return answer(error=self._failed(error))

    def _take(self, raw, client):
        event, fields = request(raw)
        now = self.clock()
        self._open(now)
        ok, key, limit, said = True, None, None, {}
        # Beyond ASCII a line has six bytes for what came in two or three.
        size = len(raw) + 2 * (len(raw) - len(raw.translate(None, HIGH)))
        if event != "stranger":
            # Before anything is counted: to be refused costs the same.
            self._allow(event, "all", client.uid, size, now)
        if event in counters.COUNTED:
            key, limit = counters.key(event, fields), self.limits.of(event, fields)
            fields = {name: fields[name] for name in fields if name not in counters.SAID}
            if limit:
                ok, used, retry = self.counters.ask(key, limit, now)
                said = {"used": used} if ok else {"used": used, "retry": retry}
            # What counted, and what a restart counts by again.
            fields["limit"] = limit and {"count": limit[0], "seconds": limit[1]}
            fields.update(verdict="allow" if ok else "deny", **said)
        if event == "stranger" or not ok:
            self._allow(event, "strangers", client.uid, size, now)
        seq = self.log.append(event, client.uid, client.pid, fields, now)
        self._works()
        if ok and limit:
            self.counters.add(key, limit[1], now)
        self.must_sync |= event in SYNCED
        return answer(ok=ok, seq=seq, **said)

    def _open(self, now):
        if self.log.file is not None:
            return
        if 0 <= self.next_try - now <= SECONDS_A_TRY:
            raise OSError(0, self.trouble or "it is not open")
        self.next_try = now + SECONDS_A_TRY
        self.counters = Counters()
        self.log.open(self.counters, now)

    def _allow(self, event, sort, uid, size, now):
        """Root is not limited; it could do as it likes with the files anyway."""
        rate = STRANGERS if sort == "strangers" else ALL
        allowance = self.allowances.setdefault((sort, uid), Allowance(*rate))
        # What the writer adds to a request.
        if uid and not allowance.take(size + 250, now):
            self.dropped[event] = self.dropped.get(event, 0) + 1
            raise Refused("too much at once: this was not written")

    def settle(self):
        """Nothing where all that was answered is where it must be, else the answer instead."""
        if not self.must_sync:
            return None
        self.must_sync = False
        try:
            self.log.sync()
        except OSError as error:
            return answer(error=self._failed(error))
        return None

    def tick(self):
        """Does what is due; seconds until something is, or none."""
        now = self.clock()
        try:
            self._open(now)
            if self.dropped and not self.log.notes and not 0 <= now - self.noted < SECONDS_A_NOTE:
                self.log.notes.append(("audit_dropped", {"counts": self.dropped}))
                self.dropped, self.noted = {}, now
            self.log.flush(now)
            due = self.log.tick(now)
        except OSError as error:
            self._failed(error)
            return SECONDS_A_TRY
        if self.dropped:
            due = min(due or SECONDS_A_NOTE, SECONDS_A_NOTE)
        return due

    def close(self):
        try:
            self.log.close()
        except OSError as error:
            self._failed(error)

    def _failed(self, error):
        """The journal hears of a change, though not of each one of a disk that is nearly full."""
        why = error.strerror or str(error)
        if why != self.trouble and self._may_tell():
            self.trouble = why
            self.tell(f"cannot write the log: {why}")
        return f"cannot write the log: {why}"

    def _works(self):
        if self.trouble and self._may_tell():
            self.trouble = ""
            self.tell("writes the log again")

    def _may_tell(self):
        now = self.clock()
        if 0 <= now - self.told < SECONDS_A_TELL:
            return False
        self.told = now
        return True
