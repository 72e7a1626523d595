"""Where the host's secrets lie: in their own file, and nowhere else that the agent's user, or a
program of its unit, could take them from."""

import glob
import os
import pwd
import stat

from .host import pids

SECRETS = "/etc/hermes/secrets.env"
FOLDER = "/etc/hermes"
PLACES = (
    "/etc/systemd/system/hermes.service",
    "/etc/systemd/system/hermes.service.d/*",
    "/run/systemd/system*/hermes.service.d/*",
)
# Shorter ones would be found anywhere.
SHORTEST, LARGEST = 8, 1 << 20


def secrets(unit, account):
    """How many there are, and where else they are: names and places, no values."""
    with open(SECRETS, "rb") as file:
        pairs = [line.rstrip(b"\n").partition(b"=") for line in file if b"=" in line]
    values = {name.decode(): text for name, _, text in pairs if len(text) >= SHORTEST}
    user = pwd.getpwnam(account)
    found = []
    for place, text in [*_files(user), *_environments(unit)]:
        found += [f"{name} in {place}" for name, value in values.items() if value in text]
    return {"known": len(values), "elsewhere": sorted(set(found))[:20]}


def _files(user):
    """Of its settings and its unit: those that it may read, or that everybody may."""
    settings = [
        os.path.join(folder, name) for folder, _, names in os.walk(FOLDER) for name in names
    ]
    for path in {*settings, *(path for place in PLACES for path in glob.glob(place))}:
        try:
            info = os.stat(path)
            if path != SECRETS and stat.S_ISREG(info.st_mode) and _may_read(info, user):
                with open(path, "rb") as file:
                    yield path, file.read(LARGEST)
        except FileNotFoundError:
            continue


def _may_read(info, user):
    own = info.st_uid == user.pw_uid or (info.st_gid == user.pw_gid and info.st_mode & 0o040)
    return own or info.st_mode & 0o004


def _environments(unit):
    """With which its processes were started: a program that one of them starts inherits that."""
    for pid in pids(unit):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                yield "the environment of the agent's process", file.read(LARGEST)
        except (FileNotFoundError, ProcessLookupError):
            continue
