"""A backup comes back to this host: `main` takes a step of it as JSON and prints one line of JSON.
Root's; what was the agent's is handled as the agent's user, who cannot lead it anywhere else.
"""

import json
import os
import shutil
import subprocess
import time
import urllib.request

# In memory: the operator's password and a key for this one restore.
HERE = "/run/petasos-restore"
PLACE = "/var/lib/petasos-backup/restore"
RECORD = "/var/lib/petasos-backup/state/restore.json"
UNIT = "petasos-restore.service"
HOME = "/home/hermes/.hermes"
AS_AGENT = ["setpriv", "--reuid=hermes", "--regid=hermes", "--clear-groups", "--no-new-privs"]
# Root's own lie over these; and what a run leaves that the next would take for another's.
NOT_RESTORED = (".env", ".op.env", "config.yaml", "databases.json", "lost+found")
OF_A_RUN = ("gateway.pid", "gateway.lock", "gateway_state.json", "processes.json")
HEALTH = "http://127.0.0.1:8642/health"
STARTED_SECS = 180


def run(*argv, **more):
    done = subprocess.run(argv, capture_output=True, text=True, **more)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise SystemExit(f"{argv[0]}: {lines[-1] if lines else done.returncode}")
    return done.stdout


def begin(_):
    """A key for this restore alone."""
    shutil.rmtree(HERE, ignore_errors=True)
    os.mkdir(HERE, 0o700)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "petasos-restore", "-f", f"{HERE}/key")
    with open(f"{HERE}/key.pub") as file:
        return {"key": file.read().strip()}


def fetch(asked):
    os.umask(0o077)
    for name in ("password", "snapshot"):
        with open(
            f"{HERE}/{name}", "w", opener=lambda path, flags: os.open(path, flags, 0o600)
        ) as file:
            file.write(asked[name] + "\n")
    try:
        subprocess.run(["systemctl", "start", UNIT], capture_output=True)
    finally:
        shutil.rmtree(HERE, ignore_errors=True)
    invocation = run("systemctl", "show", "--value", "-p", "InvocationID", UNIT).strip()
    try:
        with open(RECORD) as file:
            last = json.load(file)
    except FileNotFoundError:
        last = {}
    if last.get("run") != invocation:
        raise SystemExit(f"{UNIT} did not start: `journalctl -u {UNIT}` on the host shows more")
    if last["outcome"] != "good":
        raise SystemExit(f"{last['outcome']}: {last['why']}")
    return {"databases": last["databases"]}


# As the agent's user: what is there goes aside, whole.
ASIDE = """
import os, sys
home, aside, *kept = sys.argv[1:]
os.mkdir(os.path.join(home, aside), 0o700)
for name in os.listdir(home):
    if name not in kept and not name.startswith(".before-restore-"):
        os.rename(os.path.join(home, name), os.path.join(home, aside, name))
"""


def put(_):
    """The data takes the place of what is there, and the agent starts on it."""
    run("systemctl", "stop", "hermes.service")
    staged, aside = os.path.join(PLACE, "home"), f".before-restore-{int(time.time())}"
    size = int(run("du", "-sk", staged).split()[0]) << 10
    free = os.statvfs(HOME)
    if size + (64 << 20) > free.f_bavail * free.f_frsize:
        run("systemctl", "start", "hermes.service")
        raise SystemExit(f"no room: the backup has {size >> 20} MiB; raise `agent.limits.disk`")
    kept = [name for name in NOT_RESTORED if name != "databases.json"]
    run(*AS_AGENT, "/usr/bin/python3", "-I", "-S", "-c", ASIDE, HOME, aside, *kept)
    without = [f"--exclude=./{name}" for name in (*NOT_RESTORED, *OF_A_RUN)]
    archive = ["tar", "-C", staged, *without, "-cf", "-", "."]
    reader = subprocess.Popen(archive, stdout=subprocess.PIPE)
    with reader:
        run(*AS_AGENT, "tar", "-C", HOME, "--no-overwrite-dir", "-xpf", "-", stdin=reader.stdout)
    if reader.returncode != 0:
        raise SystemExit("the restored data could not be read")
    run("systemctl", "start", "hermes.service")
    began = time.monotonic()
    while time.monotonic() - began < STARTED_SECS:
        try:
            with urllib.request.urlopen(HEALTH, timeout=3):
                return {"healthy": round(time.monotonic() - began, 1), "aside": f"{HOME}/{aside}"}
        except OSError:
            time.sleep(0.3)
    raise SystemExit(f"the agent does not answer on it; what was there before is in {aside}")


def end(_):
    shutil.rmtree(HERE, ignore_errors=True)
    shutil.rmtree(os.path.join(PLACE, "home"), ignore_errors=True)
    return {}


STEPS = {"begin": begin, "fetch": fetch, "put": put, "end": end}


def main(text):
    asked = json.loads(text)
    print(json.dumps(STEPS[asked["step"]](asked)))
