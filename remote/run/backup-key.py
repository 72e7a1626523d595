"""The second key of a host's repository: `add(PASSWORD)` lets this password open it too. Root's, on
the host. It prints one line of JSON: the repository's id."""

import json
import os
import subprocess
import sys

KEYS = "/etc/petasos/backup"
PATIENCE = 300

sys.dont_write_bytecode = True
sys.path.insert(0, "/usr/lib/petasos/backup")
os.environ["CREDENTIALS_DIRECTORY"] = KEYS


def restic(*words, text=""):
    from store import command, environment, password_file

    done = subprocess.run(
        ["timeout", str(PATIENCE), *command(), "--no-cache", *password_file(), *words],
        input=text,
        capture_output=True,
        text=True,
        env=environment(),
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"restic ended with {done.returncode}"]
        raise SystemExit(lines[-1])
    return done.stdout


def known(_):
    """The id of the repository that this host has; none before its first backup."""
    try:
        with open("/var/lib/petasos-backup/state/repository") as file:
            print(json.dumps({"repository": file.read().split()[0]}))
    except FileNotFoundError:
        print(json.dumps({"repository": None}))


def add(password):
    restic("key", "add", "--new-password-file", "/dev/stdin", text=password + "\n")
    print(json.dumps({"repository": json.loads(restic("--no-lock", "cat", "config"))["id"]}))
