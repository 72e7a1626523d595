"""The policy that the running agent has in force, by the audit log, and what it makes of some tool
calls, by its own rules."""

import hashlib
import importlib
import json
import os
import re
import sys
import time

from .host import properties
from .trail import log_files

POLICY, FOLDER = "/etc/hermes/policy.json", "/usr/lib/petasos"
# Of the refusals that the agent made of itself.
MOST_DENIALS = 20


def main_pid(unit):
    pid = properties(unit, ["MainPID"]).get("MainPID", "")
    if not pid.isdigit():
        raise LookupError(f"systemctl shows no MainPID of {unit}")
    return int(pid)


def began(pid):
    """When a process was started, as lines of the log have times; a second early, for the kernel
    counts in ticks."""
    with open(f"/proc/{pid}/stat") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    up = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - up - 1))


def said_by(pid, since):
    """Lines of the log that a process said of its policy, and what it refused of its own: the
    kernel tells the writer who says it."""
    records, denials = [], []
    marks = (b'"event":"policy",', b'"event":"command_denied",')
    for path in log_files():
        with open(path, "rb") as file:
            lines = [line for line in file if any(mark in line[:120] for mark in marks)]
        for line in reversed(lines):
            found = json.loads(line)
            if found.get("pid") != pid or found["time"] < since:
                continue
            if found["event"] == "policy" and found.get("status") == "in force":
                records.append(found)
            elif found.get("tool") == "petasos_selftest":
                denials.append(found)
        if records:
            break
    return records, denials[:MOST_DENIALS]


def running(unit):
    """The agent's main process, and the policy that it told the audit log about."""
    pid = main_pid(unit)
    with open(POLICY, "rb") as file:
        text = file.read()
    found = {"pid": pid, "argv": [], "seccomp": "", "record": None, "denials": []}
    if pid:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            found["argv"] = [word.decode("utf-8", "replace") for word in file.read().split(b"\0")]
        with open(f"/proc/{pid}/status") as file:
            found["seccomp"] = re.search(r"^Seccomp:\s*(\d+)", file.read(), re.M)[1]
        records, denials = said_by(pid, began(pid))
        keys = {"release": "", "policy": "", "mode": "", "sandbox": False, "selftest": []}
        if records:
            found["record"] = {key: records[0].get(key, usual) for key, usual in keys.items()}
        shown = {"seq": 0, "time": "", "tool": "", "reason": "", "rule": ""}
        found["denials"] = [
            {key: line.get(key, usual) for key, usual in shown.items()} for line in denials
        ]
    policy = json.loads(text)
    return {**found, "digest": hashlib.sha256(text).hexdigest(), "rate": policy["rate"]}


def rules():
    """The host's policy, as a question: a tool and its arguments give a verdict."""
    # What is in the folder is as `petasos up` made it, and stays so.
    sys.dont_write_bytecode = True
    sys.path.insert(0, FOLDER)
    try:
        explain = importlib.import_module("petasos_policy.explain")
        settings = importlib.import_module("petasos_policy.settings")
    finally:
        sys.path.remove(FOLDER)
    policy = settings.load(POLICY)
    return lambda tool, arguments: explain.explain(policy, tool, arguments)


def verdicts(calls):
    """What becomes of tool calls that nobody makes."""
    ask = rules()
    said = [ask(call["tool"], call["arguments"]) for call in calls]
    return [{"verdict": one["verdict"], "rule": one["rule"]} for one in said]
