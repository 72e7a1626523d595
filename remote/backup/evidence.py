"""The evidence of an incident goes where backups go, as a snapshot of its own, or `ended`: what
became of a run that could not say so itself. Its record is `incident.json`."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from store import (
    Failed,
    begun,
    ended,
    last_words,
    record,
    recorded,
    restic,
    summary,
)  # noqa: E402

LAST = "incident.json"
EVIDENCE = "/var/lib/petasos/incident"


def send(began):
    host = os.environ["PETASOS_NAME"]
    code, out, said = restic(
        "backup", "--json", "--quiet", "--host", host, "--tag", "incident", EVIDENCE, patience=None
    )
    found = summary(out)
    if code != 0 or not found.get("snapshot_id"):
        raise Failed("restic", f"restic ended with {code}: {last_words(said)}")
    record(
        LAST,
        began,
        "good",
        snapshot=found["snapshot_id"],
        files=found.get("total_files_processed", 0),
        bytes=found.get("total_bytes_processed", 0),
        added=found.get("data_added", 0),
    )


def main():
    if sys.argv[1:] == ["ended"]:
        ended(LAST)
        return 0
    began = int(time.time())
    begun(LAST, began)
    try:
        send(began)
    except Failed as failed:
        if not recorded(LAST):
            record(LAST, began, failed.outcome, str(failed))
        print(f"no evidence where backups go: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
