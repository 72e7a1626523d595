"""Commands, files and processes in the sandbox."""

import dataclasses
import json
import os
import time

from probe_common import lines, probe, refused, tool, turn_of


@probe
def commands_files_and_code_run_in_the_persons_directory():
    from petasos_policy import sandbox

    said = tool("terminal", {"command": "echo hi; pwd; touch made-here"})
    assert "hi" in said["output"] and said["exit_code"] == 0, said
    assert not tool("write_file", {"path": "notes/a.txt", "content": "one\ntwo\n"}).get("error")
    assert "two" in tool("read_file", {"path": "notes/a.txt"})["content"]
    said = tool("read_file", {"path": f"{sandbox.WORK}/notes/a.txt", "limit": 1})
    assert "one" in json.dumps(said), said
    patch = {"mode": "replace", "path": "notes/a.txt", "old_string": "two", "new_string": "three"}
    assert not tool("patch", patch).get("error")
    assert "three" in tool("terminal", {"command": "cat notes/a.txt"})["output"]
    found = tool("search_files", {"pattern": "three", "path": "notes"})
    assert "a.txt" in json.dumps(found), found


@probe
def the_directory_of_a_session_is_kept_and_anothers_is_not_seen():
    for user, want in (("21", False), ("22", False), ("21", True)):
        with turn_of(user):
            said = tool("terminal", {"command": "ls; touch kept"})
        assert ("kept" in said["output"]) is want, (user, said)


@probe
def a_time_limit_ends_a_command():
    began = time.monotonic()
    said = tool("terminal", {"command": "sleep 20", "timeout": 1})
    return said["exit_code"] == 124 and time.monotonic() - began < 10


@probe
def background_processes_live_and_end():
    with turn_of("32"):
        command = "echo up; read x; echo got $x; sleep 30"
        process = tool("terminal", {"command": command, "background": True})["session_id"]

        def until(word):
            for _ in range(50):
                found = tool("process", {"action": "log", "session_id": process})
                if word in json.dumps(found):
                    return
                time.sleep(0.1)
            raise AssertionError(found)

        until("up")
        tool("process", {"action": "submit", "session_id": process, "data": "word"})
        until("got word")
        listed = tool("process", {"action": "list"})["processes"]
        assert [p["session_id"] for p in listed] == [process], listed
        with turn_of("31"):
            assert refused(tool("process", {"action": "log", "session_id": process}))
            assert tool("process", {"action": "list"})["processes"] == []
        assert tool("process", {"action": "kill", "session_id": process})["status"] == "killed"
        short = tool("terminal", {"command": "echo short; exit 3", "background": True})
        said = tool("process", {"action": "wait", "session_id": short["session_id"], "timeout": 10})
        assert said["exit_code"] == 3 and "short" in said["output"], said


@probe
def there_is_a_limit_of_background_processes():
    started = []
    with turn_of("33"):
        for _ in range(5):
            said = tool("terminal", {"command": "sleep 60", "background": True})
            if said.get("session_id"):
                started.append(said["session_id"])
        for process in started:
            tool("process", {"action": "kill", "session_id": process})
    assert len(started) == 4 and "too many" in json.dumps(said), (started, said)


@probe
def background_processes_end_with_their_session():
    from tools.process_registry import process_registry

    with turn_of("34"):
        process = tool("terminal", {"command": "sleep 60", "background": True})["session_id"]
    assert process_registry.kill_all(task_id="session-34") == 1
    assert process_registry.get(process).exited


@probe
def uploads_and_skills_reach_the_sandbox_and_credentials_do_not():
    from petasos_policy import owner, push, sandbox

    home = os.path.realpath(os.environ["HERMES_HOME"])
    with turn_of("41"):
        room = owner.room()
    files = {
        "cache/documents/doc_1_report.txt": True,
        "skills/demo/SKILL.md": True,
        "skills/demo/scripts/run.sh": True,
        "skills/demo/.env": False,
        "skills/demo/api-token.txt": False,
        "auth.json": False,
    }
    for name in files:
        path = os.path.join(home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(f"text of {name}")
    os.symlink(f"{home}/auth.json", f"{home}/skills/demo/link.md")
    push.offer_uploads([f"{home}/cache/documents/doc_1_report.txt", f"{home}/auth.json"], room)
    text = push.skills_in(f"see {home}/skills/demo/SKILL.md", room)
    assert text == f"see {sandbox.WORK}/.hermes/skills/demo/SKILL.md", text
    with turn_of("41"):
        assert owner.room() == room
        said = tool("terminal", {"command": "cd .hermes; find . -type f; cat */*/*.txt"})
    assert "text of cache/documents/doc_1_report.txt" in said["output"]
    for name, wanted in files.items():
        assert (name in said["output"]) is wanted, (name, said["output"])
    assert "link.md" not in said["output"]
    assert push.due(room) == [], "what has not changed is not sent again"


@probe
def what_a_result_says_of_the_cache_opens_nothing_else():
    """Its words may be a stranger's: of a page, or of a sub-agent that read one."""
    from petasos_policy import owner, push

    home = os.path.realpath(os.environ["HERMES_HOME"])
    folder = f"{home}/cache/delegation"
    os.makedirs(folder, exist_ok=True)
    for place, age in (
        (f"{home}/state-0815.db", 0),
        (f"{folder}/old.md", 60),
        (f"{folder}/new.md", 0),
    ):
        with open(place, "w") as file:
            file.write("text")
        os.utime(place, (time.time() - age,) * 2)
    os.symlink(f"{home}/state-0815.db", f"{folder}/link.md")
    said = " ".join(
        f"{folder}/{name}" for name in ("../../state-0815.db", "old.md", "link.md", "new.md")
    )
    with turn_of("43"):
        room, since = owner.room(), time.time()
        text = push.kept_in(said, room, ("cache/delegation",), since)
    assert [name for name, _, _ in push.due(room)] == [".hermes/cache/delegation/new.md"]
    assert text.endswith("/work/.hermes/cache/delegation/new.md"), text


@probe
def a_file_that_an_answer_names_is_a_read_that_the_rules_judge():
    from petasos_policy import current, rules, sandbox, turns
    from petasos_policy.deny import Deny

    kept = current.policy
    with turn_of("44"):
        tool("terminal", {"command": "echo data > report.pdf; echo data > secret-0815.pdf"})
        denies = dataclasses.replace(kept.approve, deny=Deny(["*secret-0815*"]))
        listed = dataclasses.replace(
            kept.approve, mode="allowlist", allow=(), tools=frozenset(("terminal",))
        )
        assert rules.judge(listed, "read_file", {"path": "x"}).verdict == rules.REFUSE
        for approve, name, out in (
            (kept.approve, "report.pdf", True),
            (denies, "secret-0815.pdf", False),
            (listed, "report.pdf", False),
        ):
            current.policy = dataclasses.replace(kept, approve=approve)
            try:
                said = turns._with_files({"final_response": f"MEDIA:{sandbox.WORK}/{name} "})
            finally:
                current.policy = kept
            assert ("/cache/" in said["final_response"]) is out, (name, said)


@probe
def a_file_that_an_answer_names_comes_out_of_the_sandbox():
    from petasos_policy import sandbox, turns

    with turn_of("42"):
        tool("terminal", {"command": "printf data > out.pdf"})
        said = turns._with_files({"final_response": f"here: MEDIA:{sandbox.WORK}/out.pdf done"})
    text = said["final_response"]
    path = text.split("MEDIA:")[1].split()[0]
    assert path.startswith(os.path.realpath(os.environ["HERMES_HOME"]) + "/cache/"), text
    with open(path) as file:
        assert file.read() == "data"
    from gateway.platforms.base import BasePlatformAdapter

    assert BasePlatformAdapter.extract_media(text)[0], "and is delivered"


@probe
def code_runs_in_the_sandbox_and_its_tool_calls_are_judged():
    code = "from hermes_tools import terminal\nprint(terminal('echo from-code')['output'])"
    with lines() as found:
        said = tool("execute_code", {"code": code})
    if "pending" in json.dumps(said) or "approv" in json.dumps(said).lower():
        return True  # In manual mode somebody is asked first.
    assert "from-code" in json.dumps(said), said
    assert any(e == "tool_call" and f.get("tool") == "terminal" for e, f in found), found


@probe
def without_a_sandbox_nothing_runs():
    from petasos_policy import current

    kept = current.policy
    gone = dataclasses.replace(kept.sandbox, socket="/nonexistent/s.sock")
    current.policy = dataclasses.replace(kept, sandbox=gone)
    try:
        said = tool("terminal", {"command": "echo ran-0815"})
    finally:
        current.policy = kept
    return said["exit_code"] == 126 and "does not answer" in said["output"], said
