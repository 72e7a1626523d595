"""A run: the attacks as the agent and as root, side by side with the inspections. The driver starts
itself again for both."""

import glob
import json
import os
import shutil
import signal
import subprocess
import threading
import time

from .bench import bench, filled, plant
from .calls import LONGEST, attack_all
from .host import properties
from .inspections import NO_AGENT, inspected
from .listeners import listeners, strangers
from .patience import SLOWNESS
from .probe import ROLE, TOKEN
from .proxied import proxied
from .sandbox import settings_of

PROXY = "petasos-proxy.service"


def child(message, role, attacks):
    """The same program in another role: its text, for standard input, and its command line."""
    text = json.dumps({**message, "spec": {"attacks": attacks}})
    program = f"{message['boot']}\nboot({text!r})\n"
    return program, ["/usr/bin/python3", "-I", "-", role, TOKEN, str(SLOWNESS)]


def runs(output, complaints):
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {"runs": lines, "complaints": complaints[-2000:]}


def as_root(message, attacks):
    text, argv = child(message, "root", attacks)
    try:
        done = subprocess.run(
            argv, input=text, capture_output=True, text=True, timeout=LONGEST + 10, cwd="/"
        )
    except subprocess.TimeoutExpired:
        return runs("", "it took too long")
    return runs(done.stdout, done.stderr)


def compared(name, unit, settings):
    """The properties that a run in a unit's settings has, beside that unit's own."""
    keys = sorted({key for key, _ in settings})
    mine, real = properties(name, keys), properties(unit, keys)
    differ = {
        key: [real[key], mine.get(key, "")]
        for key in real
        if sorted(mine.get(key, "").split()) != sorted(real[key].split())
    }
    return {"keys": len(keys), "compared": len(real), "differ": differ}


def as_agent(message, attacks, unit):
    """In a unit with the settings of the agent's; and how the two compare."""
    name = f"petasos-verify-{TOKEN[-8:]}.service"
    settings = settings_of(unit)
    text, argv = child(message, "agent", attacks)
    command = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", f"--unit={name}"]
    for key, value in settings:
        command += ["-p", f"{key}={value}"]
    run = subprocess.Popen(
        [*command, *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    kill = ["systemctl", "kill", "-s", "KILL", name]
    watchdog = threading.Timer(LONGEST + 10, subprocess.run, [kill], {"capture_output": True})
    watchdog.daemon = True
    watchdog.start()
    complaints = []
    reader = threading.Thread(target=lambda: complaints.append(run.stderr.read()), daemon=True)
    reader.start()
    try:
        run.stdin.write(text)
        run.stdin.close()
    except BrokenPipeError:
        pass
    same, output = {"error": "the attacks' unit did not run"}, []
    for line in run.stdout:
        if line.startswith("ready"):
            # While it runs: afterwards systemd has forgotten it.
            same = {"found": compared(name, unit, settings)}
        output.append(line)
    run.wait()
    watchdog.cancel()
    reader.join(2)
    return runs("".join(output), "".join(complaints)), same


def left_behind():
    """The processes of this run that outlived what they ran in, each with its user."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                argv = file.read().split(b"\0")
            if TOKEN.encode() in argv and int(name) != os.getpid():
                found.append((int(name), os.stat(f"/proc/{name}").st_uid))
        except OSError:
            pass
    return found


def ended(survivors):
    """Ends them, and counts them. Root's own child is the control: it lives on, so the search sees
    what lives on."""
    for pid, _ in survivors:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    by_root = sum(uid == 0 for _, uid in survivors)
    return {"root": by_root, "agent": len(survivors) - by_root}


# The sandbox's directories of the attacks' sessions; named in `src/verify/sandbox_exec.rs`.
SESSIONS = "/var/lib/petasos-sandbox/work/petasos-verify-"


def forget_sessions():
    """What commands in the sandbox left behind."""
    for folder in glob.glob(SESSIONS + "*"):
        shutil.rmtree(folder, ignore_errors=True)


def places():
    """What this run finds or makes on the host to be attacked."""
    return {"@others": strangers(listeners()), **plant()}


def side_by_side(*parts):
    """The results of functions, in order; the error of one ends all."""
    results = [None] * len(parts)

    def one(at, part):
        try:
            results[at] = ("done", part())
        except Exception as error:
            results[at] = ("failed", error)

    threads = [threading.Thread(target=one, args=item) for item in enumerate(parts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for outcome, result in results:
        if outcome == "failed":
            raise result
    return [result for _, result in results]


def launch(message):
    began, started = time.monotonic(), time.time()
    spec, here = message["spec"], places()
    attacks, proofs = (
        [{**attempt, "call": filled(attempt["call"], here)} for attempt in spec[kind]]
        for kind in ("attacks", "proofs")
    )
    by_root = [proof for proof in proofs if proof["by"] == "root"]
    by_agent = [proof for proof in proofs if proof["by"] == "agent"]
    look = spec["inspect"]
    unit = look["unit"]
    no_agent = runs("", ""), {"error": NO_AGENT}
    (agent, same), root, found = side_by_side(
        lambda: as_agent(message, attacks + by_agent, unit) if unit else no_agent,
        lambda: as_root(message, by_root),
        lambda: inspected(look),
    )
    survivors = ended(left_behind())
    forget_sessions()
    log = {"error": f"{PROXY} is no helper of this host"}
    if PROXY in look["helpers"]:
        log = {"found": proxied(started)}
    answer = {
        "agent": agent,
        "root": root,
        "same": same,
        "inspected": found,
        "survivors": survivors,
        "proxied": log,
        "seconds": round(time.monotonic() - began, 3),
    }
    print(json.dumps(answer))


def main(message):
    if ROLE == "launch":
        launch(message)
        return
    own = bench()
    print("ready", flush=True)
    attack_all(message["spec"]["attacks"], own)
