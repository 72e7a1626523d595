# UNIT URL SECONDS: waits until the unit runs and answers 200 twice, a second apart, as the same
# process; else exits 1 and says why.
import http.client
import subprocess
import sys
import time
import urllib.parse

unit, url, seconds = sys.argv[1], urllib.parse.urlsplit(sys.argv[2]), float(sys.argv[3])
keys = ["ActiveState", "SubState", "NRestarts", "MainPID", "ExecMainStatus"]


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


end, seen, since = time.monotonic() + seconds, None, 0.0
while True:
    unit_is, now = state(), time.monotonic()
    running = (unit_is.get("ActiveState"), unit_is.get("SubState")) == ("active", "running")
    status = answer() if running else "nothing, the unit does not run"
    pid = unit_is.get("MainPID") if running and status == "200" else None
    if pid is None or pid != seen:
        seen, since = pid, now
    elif now - since >= 1:
        sys.exit(0)
    lost = unit_is.get("ActiveState") == "failed" or int(unit_is.get("NRestarts") or 0) > 1
    if lost or now > end:
        shown = " ".join(f"{key}={unit_is.get(key, '?')}" for key in keys)
        print(f"unhealthy: {url.geturl()} answers {status}; {shown}", file=sys.stderr)
        sys.exit(1)
    time.sleep(0.2)
