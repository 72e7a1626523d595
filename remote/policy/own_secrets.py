"""The values that must never leave: the host's secrets, whatever they are called, and what looks
like one in the gateway's own environment."""

import os
import re

from . import hidden

NAMES = re.compile(r"KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|PRIVATE|WEBHOOK_URL|DSN", re.IGNORECASE)
# Names that match and are no secret: paths and switches.
PLAIN = re.compile(
    r"(_FILE|_PATH|_DIR|_ENABLED|_HOST|_PORT|_URL_BASE)$|^SSH_AUTH_SOCK$|^PWD$|^OLDPWD$"
)
SHORTEST = 8


def find(environment=None):
    found = {
        value
        for name, value in (os.environ if environment is None else environment).items()
        if name in hidden.taken or (NAMES.search(name) and not PLAIN.search(name))
        if len(value) >= SHORTEST
    }
    return sorted(found, key=lambda v: (-len(v), v))
