"""What an incident takes, as root finds it. The quarantine is tried: its rules are loaded in a
network of their own, between a host that is closed off and an outside, both made for this and gone
with it. Nothing of the host's own network is touched."""

import json
import os
import subprocess
import sys

from .host import output_of
from .patience import patience

RULES = "/etc/petasos/quarantine.nft"
MARKER = "/var/lib/petasos/incident/open"
UNITS = ("hermes.service", "petasos-quarantine.service")
LONGEST = patience(25)


def trial(ssh_port, programs):
    """What gets through without the rules, and with them."""
    inside, outside = programs
    done = subprocess.run(
        [
            "unshare",
            "--net",
            sys.executable,
            "-I",
            "-S",
            "-",
            json.dumps([RULES, ssh_port, outside]),
        ],
        input=inside,
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    if done.returncode != 0:
        raise OSError(done.stderr.strip().splitlines()[-1] if done.stderr else "no trial")
    return json.loads(done.stdout)


def conditions(unit):
    """Of a unit as systemd has it loaded: a path, with `!` before it where there must be none."""
    name = "".join(c if c.isalnum() else f"_{ord(c):02x}" for c in unit)
    said = output_of(
        "busctl",
        "--json=short",
        "get-property",
        "org.freedesktop.systemd1",
        f"/org/freedesktop/systemd1/unit/{name}",
        "org.freedesktop.systemd1.Unit",
        "Conditions",
    )
    found = json.loads(said)["data"]
    return sorted(f"{'!' if negated else ''}{path}" for _, _, negated, path, _ in found)


def incident(ssh_port, programs):
    return {
        "trial": trial(ssh_port, programs),
        "conditions": {unit: conditions(unit) for unit in UNITS},
        "open": os.path.exists(MARKER),
    }
