"""`main(KIND)`: a backup, a drill or evidence now, and its record: one line of JSON. Root's, on the
host."""

import json
import subprocess

STATE = "/var/lib/petasos-backup/state"
# The unit, its record, and who else has something to say of it.
KINDS = {
    "backup": ("petasos-backup.service", "last.json", "petasos-backup-copy.service"),
    "incident": ("petasos-incident.service", "incident.json", "petasos-incident.service"),
    "drill": ("petasos-drill.service", "drill.json", "petasos-drill-restore.service"),
}


def output_of(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout


def last(record):
    try:
        with open(f"{STATE}/{record}") as file:
            return json.load(file)
    except FileNotFoundError:
        return {"run": None}


def main(kind):
    unit, record, other = KINDS[kind]
    before = last(record)["run"]
    subprocess.run(["systemctl", "start", unit], stdin=subprocess.DEVNULL, capture_output=True)
    now = last(record)
    # One that did not even start has no record of its own.
    ours = now["run"] != before
    lines = ("-n", "5", "-u", unit, "-u", other)
    said = "" if ours else output_of("journalctl", "-q", "-o", "cat", *lines)
    print(json.dumps({"record": now if ours else None, "said": said.splitlines()}))
