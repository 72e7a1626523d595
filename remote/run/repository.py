"""What a host's repository holds, by the host's own key, where Petasos has no login at the other
side: `main` takes what to do as JSON and prints one line of JSON. Root's, on the host."""

import datetime
import json
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, "/usr/lib/petasos/backup")
os.environ["CREDENTIALS_DIRECTORY"] = "/etc/petasos/backup"
os.environ["LANG"] = "C.UTF-8"

# For all of it to be read.
READ_SECS = 5 * 3600


def restic(*words, patience):
    from store import Failed, last_words, restic

    try:
        code, out, said = restic("--no-cache", "--no-lock", *words, patience=patience)
    except Failed as failed:
        raise SystemExit(str(failed)) from None
    if code != 0:
        raise SystemExit(last_words(said) or f"restic ended with {code}")
    return out


def seconds(text):
    """RFC 3339, with more digits than Python takes."""
    whole, zone = text[:19], text[19:].lstrip(".0123456789")
    return int(datetime.datetime.fromisoformat(whole + zone.replace("Z", "+00:00")).timestamp())


def listed():
    """Nobody but the host says when each was made; none has arrived that is yet to come."""
    found, now = [], int(time.time())
    for snapshot in json.loads(restic("snapshots", "--json", patience=300)):
        made = seconds(snapshot["time"])
        found.append(
            {
                "id": snapshot["id"],
                "made": made,
                "arrived": min(made, now),
                "host": snapshot.get("hostname", ""),
                "tags": snapshot.get("tags") or [],
                "bytes": (snapshot.get("summary") or {}).get("total_bytes_processed"),
            }
        )
    return {"snapshots": sorted(found, key=lambda snapshot: snapshot["made"])}


def check():
    said = restic("check", "--read-data", patience=READ_SECS)
    return {"said": said.strip().splitlines()[-1:]}


VERBS = {"list": listed, "check": check}


def main(text):
    print(json.dumps({**VERBS[json.loads(text)["verb"]](), "folder": "", "aside": []}))
