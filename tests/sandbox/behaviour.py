"""What the sandbox does for those who ask nicely, and for those who do not. Each case returns
nothing, or raises what went wrong."""

import os
import subprocess
import time

from client import NETWORK, Running, body, connect, run

WORK = "/var/lib/petasos-sandbox/work"
CASES = {}


def case(function):
    CASES[function.__doc__.strip().rstrip(".")] = function
    return function


def want(wanted, seen):
    if wanted != seen:
        raise AssertionError(f"wanted {wanted!r}, saw {seen!r}")


def instances():
    words = "systemctl list-units --plain --no-legend --all petasos-sandbox*@*.service".split()
    return subprocess.run(words, capture_output=True, text=True).stdout.splitlines()


def nothing_runs(seconds=5):
    end = time.monotonic() + seconds
    while instances():
        if time.monotonic() > end:
            raise AssertionError(instances())
        time.sleep(0.1)


def exists(marker):
    """Whether a process of the host has this in its command line."""
    return subprocess.run(["pgrep", "-f", marker], capture_output=True).returncode == 0


@case
def exit_code():
    """The script's exit code, its output and its errors in order."""
    want(("7", "a\nb\n"), run("echo a; echo b >&2; exit 7"))


@case
def signals():
    """128 and the signal where one ended it."""
    want(("137", ""), run("kill -9 $$"))
    want("141", run("yes | head -1; exit ${PIPESTATUS[0]}")[0])


@case
def languages():
    """Python, git and a name for its user are there."""
    script = """set -e
    python3 -c 'import sqlite3, venv
from ssl import create_default_context as context
print(context().cert_store_stats()["x509_ca"] > 0)'
    git init -q r; cd r; echo x >f; git add f; git commit -qm x; git log --format=%an
    id -un; echo $HOME $LANG; ps -o comm= -p 1; free -m >/dev/null; nproc >/dev/null
    cd; rm -rf r"""
    want(("0", "True\nsandbox\nsandbox\n/work C.UTF-8\npython3\n"), run(script))


@case
def many_sessions():
    """A session more than there is room for takes the place of the oldest."""
    made = [f"{WORK}/room-{number}" for number in range(4096)]
    entry = os.stat(WORK)
    try:
        for number, place in enumerate(made):
            os.makedirs(place, mode=0o700, exist_ok=True)
            os.chown(place, entry.st_uid, entry.st_gid)
            os.utime(place, (time.time() - 86400 - number,) * 2)
        want(("0", "in\n"), run("echo in", session="one-more"))
        want([False, True], [os.path.exists(made[-1]), os.path.exists(made[0])])
        for place in made:
            if os.path.exists(place):
                os.utime(place)
        code, said = run("echo in", session="and-another")
        want((code, True), ("125", "sessions in use" in said))
    finally:
        for place in made:
            if os.path.isdir(place):
                os.rmdir(place)


@case
def loopback():
    """A server on the instance's own loopback."""
    server = "python3 -m http.server -b 127.0.0.1 8000 2>/dev/null & sleep 2; "
    ask = "import urllib.request as u; print(u.urlopen('http://localhost:8000').status)"
    want(("0", "200\n"), run(f'cd /tmp; {server} python3 -c "{ask}"'))


@case
def long_script():
    """A script longer than the kernel takes as one argument."""
    want(("0", "200000\n"), run(f"x={'y' * 200000}; echo ${{#x}}"))


@case
def stdin():
    """What comes on the first descriptor."""
    read, write = os.pipe()
    os.write(write, b"hello")
    os.close(write)
    out_read, out_write = os.pipe()
    running = Running(body("cat"), descriptors=[read, out_write])
    os.close(read)
    os.close(out_write)
    want("0", running.end()[0])
    want(b"hello", os.read(out_read, 64))
    os.close(out_read)


@case
def keeps_work():
    """A session finds its files again, another one does not."""
    run("echo secret-of-one >mine", "one")
    want(("0", "secret-of-one\n"), run("cat mine; rm mine", "one"))
    run("echo secret-of-one >mine", "one")
    code, seen = run(
        "cat mine; ls -A; grep -r secret-of-one / --exclude-dir=proc 2>/dev/null", "two"
    )
    if "secret-of-one" in seen or "mine" in seen.splitlines():
        raise AssertionError(seen)
    if not os.path.exists(f"{WORK}/one/mine"):
        raise AssertionError("control: root finds it")


@case
def sees_nobody():
    """Two commands of one session at once do not see or end each other."""
    other = Running(body("exec -a case-other-987 sleep 30", background=True))
    deadline = time.monotonic() + 10
    while not exists("case-other-98[7]") and time.monotonic() < deadline:
        time.sleep(0.1)
    try:
        want(True, exists("case-other-98[7]"))
        script = "grep -ls case-other-98[7] /proc/[0-9]*/cmdline; kill -9 -1 2>/dev/null; true"
        want(("0", ""), run(script))
        want(True, exists("case-other-98[7]"))
    finally:
        other.hang_up()
    nothing_runs()
    want(False, exists("case-other-98[7]"))


@case
def nothing_survives():
    """A child in a session of its own ends with its command."""
    script = (
        "setsid -f sh -c 'setsid -f sh -c \"exec -a case-left-123 sleep 60\" & sleep 60' >/dev/null"
    )
    script = script.replace("sh -c", "bash -c")
    want("0", run(f"{script} 2>&1 </dev/null; sleep 0.5")[0])
    want(False, exists("case-left-12[3]"))
    # The control: on the host it stays.
    subprocess.run(["bash", "-c", f"{script} 2>&1 </dev/null; sleep 0.5"])
    want(True, exists("case-left-12[3]"))
    subprocess.run(["pkill", "-f", "case-left-12[3]"])


@case
def init_stands():
    """Nobody in the tree ends or stops its first process."""
    want(("0", "still\n"), run("kill -9 1; kill -STOP 1; kill -INT 1; kill -TERM 1; echo still"))
    out = run("head -c 1 /proc/1/mem; ls /proc/1/fd; echo x >/proc/1/mem")[1]
    want(3, out.count("denied"))


@case
def times_out():
    """124 when its time is over, after a signal that a program may hear."""
    began = time.monotonic()
    want(("124", "bye\n"), run("trap 'echo bye; exit 3' TERM; sleep 20 & wait", timeout=1))
    want("124", run("trap '' TERM; while :; do sleep 1; done", timeout=1)[0])
    if time.monotonic() - began > 8:
        raise AssertionError(f"{time.monotonic() - began} s")


@case
def hangs_up():
    """A caller who hangs up ends it."""
    running = Running(body("exec -a case-hang-55 sleep 60"))
    deadline = time.monotonic() + 10
    while not exists("case-hang-5[5]") and time.monotonic() < deadline:
        time.sleep(0.1)
    want(True, exists("case-hang-5[5]"))
    running.hang_up()
    nothing_runs()
    want(False, exists("case-hang-5[5]"))


@case
def background():
    """A background command has no time limit of the request."""
    running = Running(body("sleep 3; echo done", background=True, timeout=1))
    want(("0", "done\n"), running.end())


@case
def no_request():
    """Who says nothing is sent away, and nothing stays."""
    silent = connect()
    began = time.monotonic()
    want(b"", silent.recv(1))
    if not 5 < time.monotonic() - began < 20:
        raise AssertionError(f"{time.monotonic() - began} s")
    nothing_runs()


@case
def crowd():
    """The seventeenth at once is sent away, and the next one is served when there is room."""
    first = [Running(body("sleep 30", f"crowd-{n}")) for n in range(16)]
    try:
        want(("", ""), run("echo in"))
    finally:
        for running in first:
            running.hang_up()
    nothing_runs(20)
    want(("0", "in\n"), run("echo in"))


@case
def flood():
    """300 connections that say nothing leave it working."""
    turned_away = 0
    for _ in range(300):
        try:
            connect().close()
        except BlockingIOError:
            turned_away += 1
    if turned_away == 300:
        raise AssertionError("nobody was let in")
    nothing_runs(60)
    want(("0", "in\n"), run("echo in"))


@case
def at_rest():
    """At rest nothing runs, and no unit stays."""
    nothing_runs()
    want(False, exists("petasos/sandbox/run.p[y]"))


@case
def who_may():
    """Only root and the agent may ask."""
    for user in ("nobody", "petasos-sandbox", "petasos-proxy"):
        try:
            connect(user=user)
        except PermissionError:
            continue
        raise AssertionError(f"{user} was let in")
    connect(user="hermes").close()


@case
def no_network_here():
    """A command that wants the network is refused where there is none."""
    code, why = run("echo ran", network=True)
    want(("125", False), (code, "ran" in why))


@case
def rights():
    """No rights are left, and none can be had."""
    seen = dict(
        line.split(":\t")
        for line in run("grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|Seccomp):' /proc/self/status")[
            1
        ].splitlines()
    )
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        want("0" * 16, seen[name])
    want(("1", "2"), (seen["NoNewPrivs"], seen["Seccomp"]))


def network_cases():
    if not os.path.exists(NETWORK):
        return {}

    def allowed():
        script = "git ls-remote https://github.com/NousResearch/hermes-agent | grep -c refs"
        code, seen = run(script, path=NETWORK, network=True)
        want(("0", True), (code, int(seen) > 0))

    def refused():
        script = "git ls-remote https://example.com/x 2>&1"
        code, seen = run(script, path=NETWORK, network=True)
        want(("128", True), (code, "403" in seen))

    def around():
        """By the proxy's socket itself, with a name of one's own."""
        script = """python3 - <<'END'
import socket, ssl
for name in ("github.com", "example.com", "openrouter.ai.example.com"):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect("/egress/https")
    context = ssl.create_default_context()
    try:
        context.wrap_socket(s, server_hostname=name)
        print(name, "yes")
    except OSError:
        print(name, "no")
END"""
        code, seen = run(script, path=NETWORK, network=True)
        want(("0", "github.com yes\nexample.com no\nopenrouter.ai.example.com no\n"), (code, seen))

    return {
        "with network: an allowed name": allowed,
        "with network: another name": refused,
        "with network: another name by the proxy's own socket": around,
    }
