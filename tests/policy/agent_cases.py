"""The cases of the review: starts that are refused, promises inside, and whole turns.

Whole turns go through the agent's API with a model that does what it is told; each has its control,
the same turn with the agent alone.
"""

import json
import os
import re
import threading
import urllib.request

from agent_review import ALLOWLIST, KEY, MANUAL, SECRET, Gateway, Place, post, until


def all_of(options, results):
    for group in (starts, inside, manual, allowlist, without_sandbox, alone):
        group(options, results)


# --- starts -----------------------------------------------------------------------------------------


def starts(options, results):
    place = Place(options, MANUAL)
    good = place.policy

    def refused(text, policy=None, raw=None, **more):
        def go():
            place.policy = policy or good
            place.write_policy(raw)
            try:
                said = place.run("main", "--version", **more)
            finally:
                place.policy = good
                place.write_policy()
            assert said.returncode == 78, (said.returncode, said.stdout, said.stderr)
            lines = [x for x in said.stderr.splitlines() if x.startswith("petasos policy:")]
            assert len(lines) == 1 and re.search(text, lines[0]), said.stderr
            assert "Hermes Agent v" not in said.stdout

        return go

    def starts_as_agreed():
        said = place.run("main", "--version")
        assert said.returncode == 0 and "Hermes Agent v" in said.stdout, said.stderr
        line = place.writer.of("policy")[-1]
        assert line["release"] == options.release["version"] and len(line["selftest"]) >= 8, line

    def changed(*path, value):
        new = json.loads(json.dumps(good))
        inner = new
        for part in path[:-1]:
            inner = inner[part]
        if value is None:
            del inner[path[-1]]
        else:
            inner[path[-1]] = value
        return new

    def silent():
        place.writer.silent = True
        try:
            refused("does not answer")()
        finally:
            place.writer.silent = False

    def gone():
        place.writer.stop()
        try:
            refused("does not answer")()
        finally:
            place.writer.start()

    no_filter = ["python3", "-c", NO_SECCOMP]
    release = options.release["version"]
    case = results.case
    case("start: as agreed", starts_as_agreed)
    case("start: refused, policy is no JSON", refused("", raw="{"))
    case("start: refused, policy is empty", refused("", raw="{}"))
    case("start: refused, policy lacks a part", refused("", changed("audit", value=None)))
    unknown = changed("release", "version", value="9.9.9")
    case("start: refused, unknown release", refused(f"{release}.*9.9.9", unknown))
    digest = changed("release", "files", "gateway.run", value="0" * 64)
    case("start: refused, a reviewed file differs", refused("gateway.run", digest))
    lacks = changed("release", "files", "run_agent", value=None)
    case("start: refused, a digest is missing", refused("run_agent", lacks))
    case("start: refused, no audit writer", gone)
    case("start: refused, a silent audit writer", silent)
    case("start: refused, seccomp is refused", refused("seccomp was refused", before=no_filter))
    place.close()


# Runs the rest of its arguments where prctl(PR_SET_SECCOMP) is refused, as in a unit whose own
# filter does not allow it. x86_64 and aarch64.
NO_SECCOMP = """
import ctypes, os, platform, struct, sys
prctl = {"x86_64": 157, "aarch64": 167}[platform.machine()]
code = b"".join(struct.pack("HBBI", *i) for i in (
    (0x20, 0, 0, 0), (0x15, 0, 3, prctl), (0x20, 0, 0, 16), (0x15, 0, 1, 22),
    (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)))
libc = ctypes.CDLL(None)
b = ctypes.create_string_buffer(code, len(code))
f = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(b)), 16)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(f)), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


# --- inside -----------------------------------------------------------------------------------------


def inside(options, results):
    for name, approve in (("manual", MANUAL),):
        place = Place(options, approve)
        here = os.path.dirname(os.path.abspath(__file__))
        said = place.run("probe", os.path.join(here, "agent_probes.py"), timeout=400)
        lines = [x for x in said.stdout.splitlines() if x.startswith("RESULTS ")]
        if not lines:
            results.add(f"inside ({name})", False, (said.stdout + said.stderr)[-3000:], 0)
        for found in json.loads(lines[-1][8:]) if lines else ():
            title = f"inside ({name}): {found['name'].replace('_', ' ')}"
            if not results.only or results.only in title:
                results.add(title, found["ok"], found["detail"], found["seconds"])
        place.close()


# --- whole turns ------------------------------------------------------------------------------------


def _turns(options, results, prefix, place, cases, what="main"):
    try:
        gateway = Gateway(place, what)
    except AssertionError as error:
        results.add(prefix, False, str(error), 0)
        place.close()
        return
    try:
        for name, go in cases:
            results.case(f"{prefix}: {name}", lambda go=go: go(gateway, place))
    finally:
        gateway.stop()
        place.close()


def manual(options, results):
    place = Place(options, MANUAL)
    cases = [
        ("a command runs in the sandbox and is on record", _command),
        ("the gateway is locked", _locked),
        ("a deny rule holds", _deny),
        ("a dangerous command waits for approval", _dangerous),
        ("what a person approves runs, and is on record", _approved),
        ("what a person denies does not", _denied),
        ("secrets are in no request and in no line", _secrets),
        ("a sub-agent's command is judged and on record", _child),
        ("a scheduled script is refused", _cron),
        ("a webhook is served, and then its route is used up", _webhook),
        ("a side call (title) is counted and redacted", _title),
        ("the writer dies: nothing runs, no model is asked", _writer_dies),
        ("the sandbox dies: nothing runs", _sandbox_dies),
    ]
    _turns(options, results, "turn (manual)", place, cases)
    place = Place(
        options,
        MANUAL,
        rate__platforms={"api_server": {"count": 2, "seconds": 3600}},
        rate__model_calls={"count": 6, "seconds": 3600},
    )
    cases = [
        ("the API answers 429 after its share", _api_rate),
    ]
    _turns(options, results, "turn (rates)", place, cases)
    place = Place(options, MANUAL, rate__model_calls={"count": 2, "seconds": 3600})
    _turns(options, results, "turn (budget)", place, [("model calls end with the budget", _budget)])


def allowlist(options, results):
    place = Place(options, ALLOWLIST)
    cases = [
        ("what is listed runs", _listed),
        ("what is not listed does not", _unlisted),
        ("a compound command does not", _compound),
        ("deny beats allow", _deny_beats),
        ("tools that are not listed do not run", _tools),
        ("a sub-agent has the same list", _child_list),
    ]
    _turns(options, results, "turn (allowlist)", place, cases)


def without_sandbox(options, results):
    """`agent.sandbox: off`: tools run as the agent would run them, all else holds."""
    place = Place(options, MANUAL, sandbox__enabled=False)
    place.backend("local")
    cases = [
        ("a command runs on the host and is on record", _off_command),
        ("a deny rule holds", _deny),
        ("secrets are in no request and in no line", _secrets),
        ("a scheduled script is refused", _cron),
        ("the gateway is not locked", _alone_unlocked),
    ]
    _turns(options, results, "turn (sandbox off)", place, cases)


def _off_command(gateway, place):
    path = os.path.join(place.home, "on-the-host")
    _, said = gateway.chat(f"RUN: touch {path} && echo hi-$((40+2))")
    assert "hi-42" in said and os.path.exists(path), said
    assert not place.sandbox.requests
    assert place.writer.of("tool_call", tool="terminal")


def alone(options, results):
    """The controls: what the policy refuses, the agent alone does."""
    place = Place(options, MANUAL)
    cases = [
        ("a command runs on the host", _alone_command),
        ("a denied command runs", _alone_denied),
        ("a secret reaches the model", _alone_secret),
        ("a scheduled script is accepted", _alone_cron),
        ("the gateway is not locked", _alone_unlocked),
    ]
    place.backend("local", redact=False)
    _turns(options, results, "control (no policy)", place, cases, "without")


def _command(gateway, place):
    status, said = gateway.chat("RUN: echo hi-$((40+2)) && touch made-in-sandbox")
    assert status == 200 and "hi-42" in said, (status, said)
    assert not os.path.exists(os.path.join(place.home, "made-in-sandbox"))
    request = next(r for r in place.sandbox.requests if "hi-$" in r["script"])
    assert os.path.exists(os.path.join(place.sandbox.room(request["session"]), "made-in-sandbox"))
    call = place.writer.of("tool_call", tool="terminal")[-1]
    assert "echo hi" in call["command"] and call["platform"] == "api_server" and call["session"]
    result = place.writer.of("tool_result", id=call["id"])
    assert len(result) == 1 and result[0]["status"] == "ok" and result[0]["ms"] >= 0
    assert len(place.writer.of("tool_call", tool="terminal")) == 1
    assert place.writer.of("message", platform="api_server")
    assert len(place.writer.of("model_call")) == len(place.writer.of("model_result")) >= 2


def _locked(gateway, place):
    folder = f"/proc/{gateway.process.pid}/task"
    for task in os.listdir(folder):
        with open(f"{folder}/{task}/status") as file:
            assert "Seccomp:\t2" in file.read()


def _deny(gateway, place):
    _, said = gateway.chat("RUN: echo never-this-0815")
    assert "BLOCKED" in said and "deny rule" in said, said
    denied = place.writer.of("command_denied")[-1]
    assert denied["rule"] and "never-this" in denied["command"] and denied["tool"] == "terminal"
    assert not any("never-this" in r["script"] for r in place.sandbox.requests)


def _dangerous(gateway, place):
    _, said = gateway.chat("RUN: rm -rf ./some-folder-0815")
    assert not any("some-folder-0815" in r["script"] for r in place.sandbox.requests), said
    assert any(
        "some-folder-0815" in str(r.get("command")) for r in place.writer.of("command_denied")
    )


def _run_and_decide(gateway, text, choice):
    """A run by the API that asks a person: what came of it after the answer."""
    base = f"http://127.0.0.1:{gateway.place.api}/v1/runs"
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    status, said = post(base, json.dumps({"input": text}).encode(), headers)
    assert status in (200, 202), (status, said)
    run = f"{base}/{json.loads(said)['run_id']}"

    def state():
        with urllib.request.urlopen(urllib.request.Request(run, headers=headers)) as answer:
            return json.loads(answer.read())

    assert until(lambda: state()["status"] == "waiting_for_approval"), state()
    status, said = post(f"{run}/approval", json.dumps({"choice": choice}).encode(), headers)
    assert status == 200, (status, said)
    assert until(lambda: state()["status"] in ("completed", "failed"), 40), state()
    return json.dumps(state())


def _approved(gateway, place):
    code = "import hermes_tools; print(hermes_tools.terminal('echo from-code-0815')['output'])"
    said = _run_and_decide(gateway, "TOOL: execute_code " + json.dumps({"code": code}), "once")
    assert "from-code-0815" in said, said
    assert any("hermes_tools" in r["script"] for r in place.sandbox.requests)
    inner = [r for r in place.writer.of("tool_call", tool="terminal") if "from-code" in r["command"]]
    assert len(inner) == 1, inner
    assert place.writer.of("approval_request") and place.writer.of("approval", status="once")


def _denied(gateway, place):
    said = _run_and_decide(gateway, "RUN: rm -rf ./denied-0815", "deny")
    assert "BLOCKED" in said, said
    assert not any("denied-0815" in r["script"] for r in place.sandbox.requests)
    assert place.writer.of("approval", status="deny")


def _secrets(gateway, place):
    before = len(place.model.requests)
    place_secret = f"echo {SECRET[:10]}''{SECRET[10:]} INT-''98765 own-secret-value''-of-the-host"
    _, said = gateway.chat(f"RUN: {place_secret}")
    assert "[GONE]" in said, said
    gateway.chat(f"my token is {SECRET} and INT-98765")
    sent = json.dumps(place.model.requests[before:])
    lines = json.dumps(place.writer.lines)
    for secret in (SECRET, "INT-98765", "own-secret-value-of-the-host"):
        assert secret not in sent, secret
        assert secret not in lines, secret
    assert "[GONE]" in sent


def _child(gateway, place):
    goal = {"goal": "RUN: echo child-0815"}
    gateway.chat("TOOL: delegate_task " + json.dumps(goal), timeout=120)
    calls = [
        r for r in place.writer.of("tool_call", tool="terminal") if "child-0815" in r["command"]
    ]
    assert len(calls) == 1 and calls[0]["platform"] == "api_server" and calls[0]["parent"], calls
    assert place.writer.of("tool_call", tool="delegate_task")


def _cron(gateway, place):
    job = {"action": "create", "schedule": "1h", "script": "x.sh", "no_agent": True}
    _, said = gateway.chat("TOOL: cronjob " + json.dumps(job))
    assert "BLOCKED" in said, said
    assert not _jobs(place)


def _jobs(place):
    path = os.path.join(place.home, "cron", "jobs.json")
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return json.load(file).get("jobs")


def _webhook(gateway, place):
    for n in range(4):
        assert gateway.webhook(f"hook-{n}") < 300
        until(lambda n=n: len(place.writer.of("message", platform="webhook")) > n)
    asked = place.writer.of("message", platform="webhook")
    assert [a["user"] for a in asked] == ["lab"] * 4, asked
    until(lambda: "hook-1" in json.dumps(place.model.requests))
    sent = json.dumps(place.model.requests)
    assert "hook-1" in sent and "hook-2" not in sent and "hook-3" not in sent


def _title(gateway, place):
    """Titles are asked for beside the answer, with the person's text."""
    side = [r for r in place.writer.of("model_call") if r.get("task")]
    sent = json.dumps(place.model.requests)
    assert SECRET not in sent
    # Not every release titles a chat of the API; where one was made it is on record.
    titled = [r for r in place.model.requests if "title" in json.dumps(r.get("messages"))[:2000]]
    assert len(side) >= len([r for r in titled if not r.get("tools")]), (side, len(titled))


def _writer_dies(gateway, place):
    place.writer.stop()
    models = len(place.model.requests)
    status, said = gateway.chat("RUN: echo unseen-0815")
    place.writer.start()
    assert status == 429 and "not well" in said, (status, said)
    assert "unseen-0815" not in json.dumps(place.model.requests[models:])
    assert not any("unseen-0815" in r["script"] for r in place.sandbox.requests)
    status, said = gateway.chat("RUN: echo again-0815")
    assert status == 200 and "again-0815" in said, (status, said)
    # And while a turn runs: the model was asked, its tool does not run any more.
    done = threading.Event()
    kept = place.model.answer

    def answer(request):
        if not done.is_set():
            done.set()
            place.writer.stop()
        return kept(request)

    place.model.answer = answer
    try:
        _, said = gateway.chat("RUN: echo midway-0815")
    finally:
        place.model.answer = kept
        place.writer.start()
    assert not any("midway-0815" in r["script"] for r in place.sandbox.requests), said


def _sandbox_dies(gateway, place):
    place.sandbox.stop()
    try:
        _, said = gateway.chat("RUN: echo nowhere-0815")
    finally:
        place.sandbox.start()
    assert "does not answer" in said, said
    _, said = gateway.chat("RUN: echo back-0815")
    assert "back-0815" in said, said


def _api_rate(gateway, place):
    assert gateway.chat("one")[0] == 200 and gateway.chat("two")[0] == 200
    models = len(place.model.requests)
    status, said = gateway.chat("three")
    assert status == 429 and "Too many messages." in said, (status, said)
    assert "unseen-0815" not in json.dumps(place.model.requests[models:])


def _budget(gateway, place):
    gateway.chat("one")
    gateway.chat("two")
    models = len(place.model.requests)
    status, said = gateway.chat("three", timeout=180)
    assert len(place.model.requests) == models <= 2, (models, said)
    assert place.writer.of("budget")


def _listed(gateway, place):
    _, said = gateway.chat("RUN: echo 'listed; $(id)'")
    assert "listed; $(id)" in said and "uid=" not in said, said


def _unlisted(gateway, place):
    _, said = gateway.chat("RUN: id")
    assert "BLOCKED" in said and "uid=" not in said, said


def _compound(gateway, place):
    _, said = gateway.chat("RUN: echo a && touch compound-0815")
    assert "BLOCKED" in said, said
    assert not any("compound-0815" in r["script"] for r in place.sandbox.requests)


def _deny_beats(gateway, place):
    _, said = gateway.chat("RUN: echo forbidden-0815")
    assert "BLOCKED" in said and "deny" in said, said


def _tools(gateway, place):
    for name, args in (
        ("execute_code", {"code": "print(1)"}),
        ("write_file", {"path": "x", "content": "y"}),
        ("process", {"action": "list"}),
        ("cronjob", {"action": "list"}),
        ("skill_manage", {"action": "create", "name": "x", "content": "y"}),
        ("memory", {"action": "add", "target": "memory", "content": "y"}),
    ):
        _, said = gateway.chat(f"TOOL: {name} {json.dumps(args)}")
        assert "BLOCKED" in said or "does not exist" in said, (name, said)
        assert not place.writer.of("tool_call", tool=name), name


def _child_list(gateway, place):
    before = len(place.writer.of("command_denied"))
    gateway.chat('TOOL: delegate_task {"goal": "RUN: uname -a"}', timeout=120)
    denied = place.writer.of("command_denied")[before:]
    assert any("uname" in str(r.get("command")) for r in denied), denied
    assert not any("uname -a" in r["script"] for r in place.sandbox.requests)


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
    assert _jobs(place), said


def _alone_unlocked(gateway, place):
    with open(f"/proc/{gateway.process.pid}/status") as file:
        assert "Seccomp:\t2" not in file.read()
