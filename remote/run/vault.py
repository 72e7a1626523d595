"""What is done with a host's repository on the vault itself, with the operator's key: `main` takes
all of it as JSON and prints one line of JSON. Root's; restic runs as the store's user."""

import datetime
import json
import os
import subprocess
import sys

sys.path.insert(0, "/usr/lib/petasos/vault")

STORE = "/srv/petasos-vault"
USER = "petasos-vault"
AS_USER = [
    "setpriv",
    f"--reuid={USER}",
    f"--regid={USER}",
    "--clear-groups",
    "--inh-caps=-all",
    "--bounding-set=-all",
    "--no-new-privs",
]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "GOGC": "20", "HOME": "/nonexistent"}


def restic(asked, *words):
    """What it printed. The password is in no process list and no environment."""
    repository = os.path.join(STORE, asked["host"])
    done = subprocess.run(
        [*AS_USER, "/usr/bin/restic", "--no-cache", "-r", repository, *words],
        input=asked["password"] + "\n",
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        cwd="/",
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise SystemExit(lines[-1] if lines else f"restic ended with {done.returncode}")
    return done.stdout


def seconds(text):
    """RFC 3339, with more digits than Python takes."""
    whole, zone = text[:19], text[19:].lstrip(".0123456789")
    return int(datetime.datetime.fromisoformat(whole + zone.replace("Z", "+00:00")).timestamp())


def arrived(asked, snapshot):
    path = os.path.join(STORE, asked["host"], "snapshots", snapshot)
    return int(os.lstat(path).st_mtime)


def listed(asked):
    found = []
    for snapshot in json.loads(restic(asked, "--no-lock", "snapshots", "--json")):
        found.append(
            {
                "id": snapshot["id"],
                "made": seconds(snapshot["time"]),
                "arrived": arrived(asked, snapshot["id"]),
                "host": snapshot.get("hostname", ""),
                "tags": snapshot.get("tags") or [],
                "bytes": (snapshot.get("summary") or {}).get("total_bytes_processed"),
            }
        )
    return {"snapshots": sorted(found, key=lambda snapshot: snapshot["arrived"])}


def forget(asked):
    restic(asked, "forget", "--prune", *asked["ids"])
    return {}


def check(asked):
    said = restic(asked, "check", "--read-data")
    return {"said": said.strip().splitlines()[-1:]}


VERBS = {"list": listed, "forget": forget, "check": check}


def main(text):
    import objects

    asked = json.loads(text)
    # What was planted would keep it from being opened.
    aside = objects.tidy(STORE, asked["host"])
    there = json.loads(restic(asked, "--no-lock", "cat", "config"))["id"]
    if there != asked["repository"]:
        raise SystemExit(
            f"it is repository {there[:8]}, and the key is for {asked['repository'][:8]}"
        )
    print(json.dumps({**VERBS[asked["verb"]](asked), "aside": aside}))
