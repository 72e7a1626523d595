"""STORE HOURS MOST HOST/FOLDER…: whether each host's newest backup is fresh, and the disk has room;
what somebody planted is set aside.

It runs on the vault, without any key: what arrived when is what the file system says, whatever a
host claims. `watch.json` in the service's state directory has what was found; exit code 1 when
something is wrong, which is the only alarm that a dead host can still raise.
HOURS: how old the newest may be. MOST: how full the disk may be, in per cent.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from objects import NAME, repositories, tidy  # noqa: E402


def newest(folder):
    """When the newest snapshot arrived; 0 for none."""
    try:
        with os.scandir(os.path.join(folder, "snapshots")) as entries:
            named = [entry for entry in entries if NAME.match(entry.name)]
            return max((entry.stat(follow_symlinks=False).st_mtime for entry in named), default=0)
    except FileNotFoundError:
        return 0


def main(store, hours, most, *current):
    now, wrong, found = time.time(), [], {}
    for repository in repositories(store):
        wrong += tidy(store, repository)
    for repository in current:
        host = repository.split("/")[0]
        arrived = newest(os.path.join(store, repository))
        age = (now - arrived) / 3600
        found[host] = {"newest": int(arrived), "stale": age > float(hours)}
        if not arrived:
            wrong.append(f"{host}: no backup has arrived")
        elif age > float(hours):
            wrong.append(f"{host}: the newest backup arrived {age:.0f} hours ago")
    disk = os.statvfs(store)
    # As df(1) has it: of what may be used.
    used = disk.f_blocks - disk.f_bfree
    full = 100 * used / max(1, used + disk.f_bavail)
    if full >= float(most):
        wrong.append(f"the disk of {store} is {full:.0f} per cent full")
    report = {"time": int(now), "hosts": found, "full": round(full, 1), "wrong": wrong}
    state = os.environ["STATE_DIRECTORY"].split(":")[0]
    new = os.path.join(state, ".watch.json")
    with open(new, "w") as file:
        json.dump(report, file)
    os.replace(new, os.path.join(state, "watch.json"))
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
