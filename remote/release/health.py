# UNIT URL SECONDS: waits until the unit runs and answers 200 twice, a second apart, as the same
# process; else exits 1 and says why. An answer of somebody else's at that port is none. A unit that
# keeps a processor busy is still starting, and has five times as long.
import contextlib
import http.client
import os
import re
import subprocess
import sys
import time
import urllib.parse

unit, url, seconds = sys.argv[1], urllib.parse.urlsplit(sys.argv[2]), float(sys.argv[3])
keys = ["ActiveState", "SubState", "NRestarts", "MainPID", "ExecMainStatus", "CPUUsageNSec"]

# Whom a connection to 127.0.0.1 may come to.
HERE = re.compile(r"(127\.0\.0\.1|0\.0\.0\.0|\*|\[::\]|\[::ffff:127\.0\.0\.1\])(%[^:]*)?:\d+$")


def state():
    command = ["systemctl", "show", unit, "-p", ",".join(keys)]
    said = subprocess.run(command, capture_output=True, text=True).stdout
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


def answer():
    try:
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=3)
        connection.request("GET", url.path or "/")
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__


def others():
    """Who listens at the port, where loopback reaches it, and is no process of the unit's."""
    command = ["ss", "-Hltnp", f"sport = :{url.port}"]
    said = subprocess.run(command, capture_output=True, text=True).stdout
    found = set()
    here = [line for line in said.splitlines() if HERE.match((line.split() + [""] * 4)[3])]
    for name, pid in re.findall(r'\("(.*?)",pid=(\d+),', "\n".join(here)):
        try:
            with open(f"/proc/{pid}/cgroup") as file:
                group = file.read().strip().rpartition(":")[2].split("/")
        except OSError:
            continue
        if unit not in group:
            found.add(f"`{name}` (process {pid} of {group[-1] or 'no unit'})")
    return ", ".join(sorted(found))


class Work:
    """Whether the unit used a fifth of a processor in the last second or two."""

    def __init__(self):
        self.since, self.used, self.busy = time.monotonic(), 0.0, False

    def look(self, now, nanoseconds):
        try:
            used = int(nanoseconds) / 1e9
        except ValueError:  # not counted on this host
            return False
        passed = now - self.since
        if passed >= 1:
            self.busy = used - self.used > 0.2 * passed
            self.since, self.used = now, used
        return self.busy


began, seen, since = time.monotonic(), None, 0.0
end, taken, work = began + seconds, 0.0, Work()
while True:
    unit_is, now = state(), time.monotonic()
    running = (unit_is.get("ActiveState"), unit_is.get("SubState")) == ("active", "running")
    status = answer() if running else "nothing, the unit does not run"
    theirs = others() if status == "200" or not running else ""
    if theirs:
        status = f"not as {unit}: the port is taken by {theirs}"
        # A process that the unit has just left behind may still be there.
        taken = taken or now
    else:
        taken = 0.0
    pid = unit_is.get("MainPID") if running and status == "200" else None
    if pid is None or pid != seen:
        seen, since = pid, now
    elif now - since >= 1:
        sys.exit(0)
    lost = unit_is.get("ActiveState") == "failed" or int(unit_is.get("NRestarts") or 0) > 1
    if theirs and (lost or now > min(end, taken + 3)):
        print(f"port {url.port} is taken by {theirs}, so {unit} cannot have it", file=sys.stderr)
        with contextlib.suppress(OSError):
            os.write(8, b"stop that program, then run the same command again\n")
        sys.exit(1)
    busy = work.look(now, unit_is.get("CPUUsageNSec", ""))
    if lost or now > (began + 5 * seconds if busy else end):
        shown = " ".join(f"{key}={unit_is.get(key, '?')}" for key in keys[:5])
        waited = f"{now - began:.0f} s"
        said = f"after {waited} {url.geturl()} answers {status}; {shown}"
        print(f"unhealthy: {said}", file=sys.stderr)
        sys.exit(1)
    time.sleep(0.2)
