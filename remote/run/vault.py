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
    repository = os.path.join(STORE, asked["folder"])
    done = subprocess.run(
        [*AS_USER, "/usr/bin/restic", "--no-cache", "-r", repository, *words],
        input=asked["password"] + "\n",
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        cwd="/",
    )
    if done.returncode != 0:
        raise SystemExit(last_words(done.stderr) or f"restic ended with {done.returncode}")
    return done.stdout


def last_words(said):
    """Restic's last words, in one line, without the places in its source that it names: a line, and
    one that is indented below it."""
    lines = [line for line in said.splitlines() if line.strip()]
    named = [at for at, line in enumerate(lines) if line.startswith("\t")]
    places = {*named, *(at - 1 for at in named)}
    left = [line.strip() for at, line in enumerate(lines) if at not in places]
    return " / ".join(left[-3:])[-1000:]


def seconds(text):
    """RFC 3339, with more digits than Python takes."""
    whole, zone = text[:19], text[19:].lstrip(".0123456789")
    return int(datetime.datetime.fromisoformat(whole + zone.replace("Z", "+00:00")).timestamp())


def arrived(asked, snapshot):
    path = os.path.join(STORE, asked["folder"], "snapshots", snapshot)
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


def opened(asked, folder):
    """The id of the repository in a folder, or why it does not open."""
    try:
        return json.loads(restic({**asked, "folder": folder}, "--no-lock", "cat", "config"))["id"]
    except SystemExit as error:
        return str(error)


def found(asked, folders):
    """The folder with the repository that is asked for: a host has had one for each of its keys."""
    why = "no backup of this host has arrived here"
    for folder in folders:
        there = opened(asked, folder)
        if there == asked["repository"]:
            return folder
        why = f"no repository here is {asked['repository'][:8]}; {folder}: {there[:200]}"
    raise SystemExit(why)


def main(text):
    import objects

    asked, aside = json.loads(text), []
    own = [name for name in objects.repositories(STORE) if name.split("/")[0] == asked["host"]]
    for folder in own:
        # What was planted would keep it from being opened.
        aside += objects.tidy(STORE, folder)
    asked["folder"] = found(asked, own)
    print(json.dumps({**VERBS[asked["verb"]](asked), "folder": asked["folder"], "aside": aside}))
