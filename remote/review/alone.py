"""The controls: without the sandbox, and the agent alone, which does what the policy refuses."""

import json
import os

from place import MANUAL, SECRET, SERVICE, Place
from turns import deny_rule, filters, jobs, scheduled_script, secrets, turns_of


def without_sandbox(options, results):
    """`agent.sandbox: off`: tools run as the agent would run them, all else holds."""
    place = Place(options, MANUAL, sandbox__enabled=False)
    place.backend("local")
    cases = [
        ("a command runs on the host and is on record", _off_command),
        ("a deny rule holds", deny_rule),
        ("a command is handed no secret", _off_secret),
        ("secrets are in no request and in no line", secrets),
        ("a scheduled script is refused", scheduled_script),
        ("the gateway is not locked", _alone_unlocked),
    ]
    turns_of(options, results, "turn (sandbox off)", place, cases)


def _off_command(gateway, place):
    path = os.path.join(place.home, "on-the-host")
    _, said = gateway.chat(f"RUN: touch {path} && echo hi-$((40+2))")
    assert "hi-42" in said and os.path.exists(path), said
    assert not place.sandbox.requests
    assert place.writer.of("tool_call", tool="terminal")


# Turned round, so that no redaction sees it.
INHERITED = f"env | grep -q {SERVICE[0]} && echo there; env | rev | grep -c {SERVICE[1][::-1]}"


def _off_secret(gateway, place):
    _, said = gateway.chat(f"RUN: {INHERITED}; echo asked-$((40+2))")
    assert "asked-42" in said and "there" not in said and "0\\n" in said, said
    # It is a secret all the same: by its value, whatever it is called.
    _, said = gateway.chat(f"RUN: echo {SERVICE[1][:9]}''{SERVICE[1][9:]}")
    assert SERVICE[1] not in said, said


def _alone_inherits(gateway, place):
    _, said = gateway.chat(f"RUN: {INHERITED}")
    assert "there" in said, said


def alone(options, results):
    """The controls: what the policy refuses, the agent alone does."""
    place = Place(options, MANUAL)
    cases = [
        ("a command runs on the host", _alone_command),
        ("a denied command runs", _alone_denied),
        ("a secret reaches the model", _alone_secret),
        ("a command is handed a secret", _alone_inherits),
        ("a scheduled script is accepted", _alone_cron),
        ("the gateway is not locked", _alone_unlocked),
    ]
    place.backend("local", redact=False)
    place.inherited = dict([SERVICE])
    turns_of(options, results, "control (no policy)", place, cases, "without")


def _alone_command(gateway, place):
    path = os.path.join(place.home, "on-the-host")
    _, said = gateway.chat(f"RUN: touch {path} && echo hi-$((40+2))")
    assert "hi-42" in said and os.path.exists(path), said


def _alone_denied(gateway, place):
    _, said = gateway.chat("RUN: echo never-this-$((800+15))")
    assert "never-this-815" in said, said


def _alone_secret(gateway, place):
    gateway.chat(f"my token is {SECRET} and INT-98765")
    assert SECRET in json.dumps(place.model.requests)


def _alone_cron(gateway, place):
    folder = os.path.join(place.home, "scripts")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "x.sh"), "w") as file:
        file.write("true\n")
    job = {"action": "create", "schedule": "1h", "script": "x.sh", "no_agent": True, "name": "x"}
    _, said = gateway.chat("TOOL: cronjob " + json.dumps(job))
    assert jobs(place), said


def _alone_unlocked(gateway, place):
    assert filters(f"/proc/{gateway.process.pid}/status") == filters("/proc/self/status")
