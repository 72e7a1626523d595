"""How much is let through: what the policy says, which root writes. Never the one who asks."""

import json
import os
import stat

from .counters import limit
from .lines import Refused

# The policy's self-test counts one that is nobody's share.
SELFTEST = ("petasos_selftest", (1, 60))
LARGEST = 4 << 20


class Limits:
    def __init__(self, path):
        self.path, self.mark, self.rate = path, None, None

    def of(self, event, fields):
        """`(count, seconds)`, or none where nothing is limited."""
        rate, platform = self._read(), str(fields.get("platform"))
        try:
            if event == "budget":
                if fields.get("key") != "model_calls":
                    raise Refused("the only budget is `model_calls`")
                return limit(rate["model_calls"])
            if platform == SELFTEST[0]:
                return SELFTEST[1]
            if platform == "webhook":
                return limit(rate["webhook_route"])
            platforms = rate["platforms"]
            return limit(platforms[platform] if platform in platforms else rate["default"])
        except (KeyError, TypeError) as error:
            raise Refused("the policy's `rate` is none") from error

    def _read(self):
        """Read again whenever another file stands there: it is replaced, or a link's end moves."""
        try:
            # Not as an error of the log's: the journal would hear of a disk.
            with open(self.path, "rb") as file:
                info = os.fstat(file.fileno())
                mark = (info.st_dev, info.st_ino, info.st_mtime_ns, info.st_size)
                if mark != self.mark:
                    self.mark = None
                    self.rate = _rate(info, file.read(LARGEST + 1))
                    self.mark = mark
        except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
            self.mark = None
            said = f"{type(error).__name__}: {error}"[:200]
            raise Refused(f"no limits can be read from {self.path}: {said}") from error
        return self.rate


def _rate(info, text):
    if info.st_uid not in (0, os.geteuid()) or info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ValueError("others may write it")
    if len(text) > LARGEST:
        raise ValueError("too large")
    rate = json.loads(text)["rate"]
    # All of it, so that a wrong key is no surprise for the first who needs it.
    for value in (*dict(rate["platforms"]).values(), rate["default"]):
        limit(value)
    for name in ("webhook_route", "model_calls"):
        limit(rate[name])
    return rate
