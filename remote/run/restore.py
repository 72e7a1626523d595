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
KEYS = "/etc/petasos/backup"
PLACE = "/var/lib/petasos-backup/restore"
RECORD = "/var/lib/petasos-backup/state/restore.json"
REPOSITORY = "/var/lib/petasos-backup/state/repository"
UNIT = "petasos-restore.service"
HOME = "/home/hermes/.hermes"
AS_AGENT = ["setpriv", "--reuid=hermes", "--regid=hermes", "--clear-groups", "--no-new-privs"]
# Root's own lie over these; and what a run leaves that the next would take for another's.
NOT_RESTORED = (".env", ".op.env", "config.yaml", "databases.json", "lost+found")
OF_A_RUN = ("gateway.pid", "gateway.lock", "gateway_state.json", "processes.json")
HEALTH = "http://127.0.0.1:8642/health"
STARTED_SECS = 180
# What the agent has left to write, in bytes.
ROOM = 64 << 20


def run(*argv, **more):
    done = subprocess.run(argv, capture_output=True, text=True, **more)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise SystemExit(f"{argv[0]}: {lines[-1] if lines else done.returncode}")
    return done.stdout


def begin(asked):
    """A key for this restore alone, the host's own, or the one of a try before; and the id of the
    host's own repository, if it has one."""
    return {"key": public_key(asked), "repository": own_repository()}


def own_repository():
    try:
        with open(REPOSITORY) as file:
            return file.read().split()[0]
    except FileNotFoundError:
        return None


def public_key(asked):
    if asked["key"] == "kept":
        if not os.path.exists(f"{HERE}/key.pub"):
            raise SystemExit("there is no key of a try before: run it without `--admitted` first")
        with open(f"{HERE}/key.pub") as file:
            return file.read().strip()
    shutil.rmtree(HERE, ignore_errors=True)
    os.mkdir(HERE, 0o700)
    if asked["key"] == "own":
        for name in ("key", "key.pub"):
            shutil.copyfile(f"{KEYS}/{name}", f"{HERE}/{name}")
        os.chmod(f"{HERE}/key", 0o600)
    else:
        make = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "petasos-restore")
        run(*make, "-f", f"{HERE}/key")
    with open(f"{HERE}/key.pub") as file:
        return file.read().strip()


def fetch(asked):
    os.umask(0o077)
    # Empty is the host's own repository, or the one that a vault's door is open to.
    for name in ("password", "snapshot", "repository"):
        with open(
            f"{HERE}/{name}", "w", opener=lambda path, flags: os.open(path, flags, 0o600)
        ) as file:
            file.write(asked[name] + "\n")
    before = recorded()["run"]
    try:
        subprocess.run(["systemctl", "start", UNIT], capture_output=True)
    finally:
        # A key that somebody lets in by hand is for the next try too.
        gone = ("password", "snapshot", "repository") if asked["kept"] else os.listdir(HERE)
        for name in gone:
            os.unlink(f"{HERE}/{name}")
    last = recorded()
    if last["run"] == before:
        raise SystemExit(f"{UNIT} did not start: `journalctl -u {UNIT}` on the host shows more")
    if last["outcome"] != "good":
        raise SystemExit(f"{last['outcome']}: {last['why']}")
    return {"databases": last["databases"], "snapshot": last["snapshot"]}


def recorded():
    try:
        with open(RECORD) as file:
            return json.load(file)
    except FileNotFoundError:
        return {"run": None}


# As the agent's user: what has arrived takes the place of what is there, which goes aside whole;
# or, if something stands in the way, nothing does. What belongs to somebody else is the host's own.
SWAP = """
import os, sys
home, new, aside = sys.argv[1:]
ours = lambda folder: [name for name in os.listdir(folder)
                       if os.lstat(os.path.join(folder, name)).st_uid == os.getuid()]
done = []
def move(old, to):
    mode = None
    if os.path.isdir(old) and not os.path.islink(old):
        # A directory that is moved elsewhere has to be open to its owner.
        mode = os.stat(old).st_mode & 0o7777
        os.chmod(old, 0o700)
    os.rename(old, to)
    done.append((old, to, mode))
    if mode is not None:
        os.chmod(to, mode)
os.mkdir(aside, 0o700)
try:
    for name in ours(home):
        path = os.path.join(home, name)
        if path not in (new, aside) and not name.startswith(".before-restore-"):
            move(path, os.path.join(aside, name))
    for name in os.listdir(new):
        if not os.path.lexists(os.path.join(home, name)):
            move(os.path.join(new, name), os.path.join(home, name))
except OSError as error:
    for old, to, mode in reversed(done):
        if mode is not None:
            os.chmod(to, 0o700)
        os.rename(to, old)
        if mode is not None:
            os.chmod(old, mode)
    os.rmdir(aside)
    sys.exit(str(error))
"""
# And what came half-way goes.
REMOVE = """
import os, shutil, sys
for folder, names, _ in os.walk(sys.argv[1]):
    for name in names:
        path = os.path.join(folder, name)
        if not os.path.islink(path):
            os.chmod(path, 0o700)
shutil.rmtree(sys.argv[1])
"""


def as_agent(program, *words):
    return run(*AS_AGENT, "/usr/bin/python3", "-I", "-S", "-c", program, *words)


def arrive(staged, new):
    """A copy in the agent's own data, by the agent's user: it cannot be led elsewhere."""
    without = [f"--exclude=./{name}" for name in (*NOT_RESTORED, *OF_A_RUN)]
    archive = ["tar", "-C", staged, *without, "--sparse", "-cf", "-", "."]
    run(*AS_AGENT, "mkdir", "-m", "0700", new)
    with subprocess.Popen(archive, stdout=subprocess.PIPE) as reader:
        run(*AS_AGENT, "tar", "-C", new, "--no-overwrite-dir", "-xpf", "-", stdin=reader.stdout)
    if reader.returncode != 0:
        raise SystemExit("the restored data could not be read")


def put(_):
    """The data takes the place of what is there, and the agent starts on it."""
    staged, moment = os.path.join(PLACE, "home"), int(time.time())
    new, aside = f"{HOME}/.restored-{moment}", f"{HOME}/.before-restore-{moment}"
    size, free = int(run("du", "-sk", staged).split()[0]) << 10, os.statvfs(HOME)
    if size + ROOM > free.f_bavail * free.f_frsize:
        raise SystemExit(f"no room: the backup has {size >> 20} MiB; raise `agent.limits.disk`")
    try:
        arrive(staged, new)
        run("systemctl", "stop", "hermes.service")
        as_agent(SWAP, HOME, new, aside)
    finally:
        if os.path.lexists(new):
            as_agent(REMOVE, new)
        run("systemctl", "start", "hermes.service")
    began = time.monotonic()
    while time.monotonic() - began < STARTED_SECS:
        try:
            with urllib.request.urlopen(HEALTH, timeout=3):
                return {"healthy": round(time.monotonic() - began, 1), "aside": aside}
        except OSError:
            time.sleep(0.3)
    raise SystemExit(f"the agent does not answer on it; what was there before is in {aside}")


def end(asked):
    if not asked["keep"]:
        shutil.rmtree(HERE, ignore_errors=True)
    shutil.rmtree(os.path.join(PLACE, "home"), ignore_errors=True)
    return {}


STEPS = {"begin": begin, "fetch": fetch, "put": put, "end": end}


def main(text):
    asked = json.loads(text)
    print(json.dumps(STEPS[asked["step"]](asked)))
