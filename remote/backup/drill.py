"""HOME PYTHON: whether a restored backup is what was backed up: each database by its digest, its
rows and SQLite's own check; and whether the agent starts on it and says that it is well. Without a
network, and with none of the host's secrets. `drill.py ended`: as for the backup.
"""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from compare import databases  # noqa: E402
from store import Failed, begun, emptied, ended, read, record, recorded, write  # noqa: E402

PLACE = "/var/lib/petasos-backup/drill"
RECORD, GOOD = "drill.json", "drill-good.json"
PORT = 8642
# Between the drill's two halves.
JUST_NOW_SECS = 300
# For the agent's start.
STARTED_SECS = 180
# What a run of the agent leaves behind, and the next would take for another's.
OF_A_RUN = ("gateway.pid", "gateway.lock", "gateway_state.json", "processes.json")
SETTINGS = """\
_config_version: 33
model: {provider: custom, default: none, base_url: "http://127.0.0.1:9/v1", api_key: none}
security: {tirith_enabled: false, allow_lazy_installs: false}
model_catalog: {enabled: false}
platforms: {api_server: {extra: {host: "127.0.0.1", port: 8642}}}
"""


def environment(home, python, managed):
    return {
        "HOME": os.path.dirname(home),
        "PATH": f"{os.path.dirname(python)}:/usr/bin:/bin",
        "HERMES_HOME": home,
        "HERMES_MANAGED_DIR": managed,
        "HERMES_MANAGED": "petasos",
        "HERMES_GATEWAY_LOCK_DIR": os.path.join(home, "locks"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
    }


def boots(home, python):
    """How many seconds the agent takes until it says that it is well."""
    managed, key = os.path.join(os.path.dirname(home), "managed"), secrets.token_hex(24)
    os.makedirs(managed, exist_ok=True)
    with open(os.path.join(managed, "config.yaml"), "w") as file:
        file.write(SETTINGS)
    api = {"ENABLED": "true", "KEY": key, "HOST": "127.0.0.1", "PORT": PORT}
    with open(os.path.join(managed, ".env"), "w") as file:
        file.writelines(f"API_SERVER_{name}={value}\n" for name, value in api.items())
    for name in OF_A_RUN:
        try:
            os.unlink(os.path.join(home, name))
        except FileNotFoundError:
            pass
    for name in ("cron", "logs", "memories", "sessions", "workspace"):
        os.makedirs(os.path.join(home, name), exist_ok=True)
    began = time.monotonic()
    with open(os.path.join(os.path.dirname(home), "gateway.log"), "w") as log:
        argv = [python, "-P", "-m", "hermes_cli.main", "-p", "default", "gateway", "run"]
        agent = subprocess.Popen(
            argv,
            cwd=home,
            env=environment(home, python, managed),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    ask = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/health/detailed", headers={"Authorization": f"Bearer {key}"}
    )
    try:
        while agent.poll() is None and time.monotonic() - began < STARTED_SECS:
            try:
                with urllib.request.urlopen(ask, timeout=3) as answer:
                    said = json.load(answer)
            except (OSError, ValueError):
                time.sleep(0.3)
                continue
            if said.get("status") not in ("ok", "healthy"):
                raise Failed("agent", f"the agent says {str(said.get('status'))[:80]}")
            return round(time.monotonic() - began, 1)
        code = agent.poll()
        how = "did not answer" if code is None else f"ended with {code}"
        raise Failed("agent", f"the agent {how} on the restored data")
    finally:
        agent.terminate()
        try:
            agent.wait(20)
        except subprocess.TimeoutExpired:
            agent.kill()


def main(home, python):
    restored = json.loads(read("drilled.json") or "{}")
    began, snapshot = restored.get("began", int(time.time())), restored.get("snapshot", "")
    if not snapshot:
        # Why, the restore has on record, unless it did not even start.
        last = json.loads(read(RECORD) or "{}")
        why = ("restore", "nothing was restored")
        if last.get("outcome", "good") != "good" and time.time() - last["ended"] < JUST_NOW_SECS:
            why = (last["outcome"], last["why"])
        record(RECORD, began, *why)
        print(f"the drill failed: {why[1]}", file=sys.stderr)
        return 1
    begun(RECORD, began)
    try:
        count = databases(home)
        seconds = boots(home, python)
    except (Failed, OSError, ValueError, KeyError) as failed:
        why = str(failed) or type(failed).__name__
        record(RECORD, began, getattr(failed, "outcome", "drill"), why, snapshot=snapshot)
        print(f"the drill failed: {failed}", file=sys.stderr)
        return 1
    text = record(RECORD, began, "good", snapshot=snapshot, databases=count, agent=seconds)
    write(GOOD, text)
    # Of this place there is a good one.
    write(f"drill-good-{restored['place']}", text)
    print(f"snapshot {snapshot[:8]}: {count} databases, the agent was well after {seconds} s")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["ended"]:
        if not recorded(RECORD):
            ended(RECORD)
        # The agent's data is a copy, and nobody needs it any more.
        emptied(PLACE)
        sys.exit(0)
    sys.exit(main(*sys.argv[1:]))
