"""Whole turns through the agent's API, with a model that does what it is told."""

import json
import os
import re
import threading
import urllib.request

from place import KEY, MANUAL, SECRET, Gateway, Place, post, until


def turns_of(options, results, prefix, place, cases, what="main"):
    if not any(results.wants(f"{prefix}: {name}") for name, _ in cases):
        place.close()
        return
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
        ("a deny rule holds", deny_rule),
        ("a dangerous command waits for approval", _dangerous),
        ("what a person approves runs, and is on record", _approved),
        ("what a person denies does not", _denied),
        ("secrets are in no request and in no line", secrets),
        ("a sub-agent's command is judged and on record", _child),
        ("a scheduled script is refused", scheduled_script),
        ("a webhook is served, and then its route is used up", _webhook),
        ("a side call (title) is counted and redacted", _title),
        ("the writer dies: nothing runs, no model is asked", _writer_dies),
        ("the sandbox dies: nothing runs", _sandbox_dies),
    ]
    turns_of(options, results, "turn (manual)", place, cases)


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


def filters(status):
    """How many filters of system calls hold for a task. A host that is a container gives each
    process some: what counts is those beyond the suite's own."""
    with open(status) as file:
        return int(re.search(r"^Seccomp_filters:\s*(\d+)", file.read(), re.M)[1])


def _locked(gateway, place):
    folder = f"/proc/{gateway.process.pid}/task"
    for task in os.listdir(folder):
        assert filters(f"{folder}/{task}/status") > filters("/proc/self/status")


def deny_rule(gateway, place):
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
    inner = [
        r for r in place.writer.of("tool_call", tool="terminal") if "from-code" in r["command"]
    ]
    assert len(inner) == 1, inner
    assert place.writer.of("approval_request") and place.writer.of("approval", status="once")


def _denied(gateway, place):
    said = _run_and_decide(gateway, "RUN: rm -rf ./denied-0815", "deny")
    assert "BLOCKED" in said, said
    assert not any("denied-0815" in r["script"] for r in place.sandbox.requests)
    assert place.writer.of("approval", status="deny")


def secrets(gateway, place):
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


def scheduled_script(gateway, place):
    job = {"action": "create", "schedule": "1h", "script": "x.sh", "no_agent": True}
    _, said = gateway.chat("TOOL: cronjob " + json.dumps(job))
    assert "BLOCKED" in said, said
    assert not jobs(place)


def jobs(place):
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
