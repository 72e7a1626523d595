"""STORE FOLDER MOST: what a host's key runs. Rclone serves the folder, to which it lets the host
add and from which it lets nothing be taken; it is ended when the folder has more than MOST bytes
(0: no limit), or when the disk has no room left but what the vault itself needs.
"""

import os
import subprocess
import sys
import time

RCLONE = [
    "/usr/bin/rclone",
    "--config",
    "/dev/null",
    "-q",
    "serve",
    "restic",
    "--stdio",
    "--append-only",
]
# Of the store's disk, in parts of a hundred: other hosts, and the vault's own logs.
RESERVE = 5
DISK_SECS = 2
# To walk through a large folder takes a while.
FOLDER_SECS = 60


def used(folder):
    """What the files of a folder have, in bytes."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def crowded(store):
    disk = os.statvfs(store)
    return disk.f_bavail * 100 < RESERVE * disk.f_blocks


def over(folder, most):
    if most and used(folder) > most:
        return f"the folder has its {most >> 20} MiB: `backup.limit` in petasos.yaml"
    return ""


def refusal(store, folder, most):
    return "the vault's disk is full" if crowded(store) else over(folder, most)


def main(store, name, most):
    folder, most = os.path.join(store, name), int(most)
    why = refusal(store, folder, most)
    if why:
        print(f"petasos: {why}", file=sys.stderr)
        return 1
    serving = subprocess.Popen([*RCLONE, folder])
    looked = time.monotonic()
    while True:
        try:
            return serving.wait(DISK_SECS)
        except subprocess.TimeoutExpired:
            pass
        why = "the vault's disk is full" if crowded(store) else ""
        if not why and time.monotonic() - looked > FOLDER_SECS:
            why, looked = over(folder, most), time.monotonic()
        if why:
            print(f"petasos: {why}", file=sys.stderr)
            serving.terminate()
            serving.wait()
            return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
