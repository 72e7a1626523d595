"""A test of the host's alarm: one line of JSON with what the alarm said of each way. Root's."""

import json
import os
import subprocess

UNIT = "petasos-alarm@test.service"


def output_of(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout


def main():
    if not os.path.exists("/etc/systemd/system/petasos-alarm@.service"):
        raise SystemExit("no alarm is set up: `backup.alarm` in petasos.yaml, then `petasos up`")
    cursor = (
        output_of("journalctl", "-q", "-n", "0", "--show-cursor")
        .strip()
        .removeprefix("-- cursor: ")
    )
    done = subprocess.run(["systemctl", "start", UNIT], capture_output=True)
    subprocess.run(["journalctl", "--sync"], capture_output=True)
    lines = output_of("journalctl", "-q", "-o", "json", "-u", UNIT, "--after-cursor", cursor)
    entries = [json.loads(line) for line in lines.splitlines()]
    said = [str(entry["MESSAGE"]) for entry in entries if entry.get("_TRANSPORT") == "stdout"]
    print(json.dumps({"told": done.returncode == 0, "said": said}))


main()
