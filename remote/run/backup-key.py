"""The second key of a host's repository: `add(PASSWORD)` lets this password open it too. Root's, on
the host. It prints one line of JSON: the repository's id."""

import json
import subprocess

KEYS = "/etc/petasos/backup"
SSH = f"/usr/bin/ssh -F {KEYS}/ssh_config vault"
STORE = ["-o", f"rclone.program={SSH}", "-o", "rclone.args=petasos", "-r", "rclone:"]
PATIENCE = 300


def restic(*words, text=""):
    done = subprocess.run(
        ["timeout", str(PATIENCE), "/usr/bin/restic", "--no-cache", *STORE, *words],
        input=text,
        capture_output=True,
        text=True,
        env={
            "PATH": "/usr/bin:/bin",
            "CREDENTIALS_DIRECTORY": KEYS,
            "RESTIC_PASSWORD_FILE": f"{KEYS}/password",
        },
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"restic ended with {done.returncode}"]
        raise SystemExit(lines[-1])
    return done.stdout


def known(_):
    """The id of the repository that this host has; none before its first backup."""
    try:
        with open("/var/lib/petasos-backup/state/repository") as file:
            print(json.dumps({"repository": file.read().strip()}))
    except FileNotFoundError:
        raise SystemExit("there was no backup yet: `petasos up` makes the first") from None


def add(password):
    restic("key", "add", "--new-password-file", "/dev/stdin", text=password + "\n")
    print(json.dumps({"repository": json.loads(restic("--no-lock", "cat", "config"))["id"]}))
