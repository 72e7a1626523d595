"""Promises that are asked inside the agent's process, with the policy in force.

Each probe is a function; what it returns that is true, or an exception, is the result. Its positive
control is beside it where the question has one: what the agent's own code says without the policy.
"""

import asyncio
import contextlib
import ctypes
import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import traceback
import types

PROBES = []


def probe(function):
    PROBES.append(function)
    return function


def run():
    results = []
    for function in PROBES:
        began, detail = time.monotonic(), ""
        try:
            said = function()
            if asyncio.iscoroutine(said):
                said = asyncio.run(said)
            ok = said is None or bool(said)
        except BaseException:
            ok, detail = False, traceback.format_exc()[-1500:]
        seconds = round(time.monotonic() - began, 3)
        results.append({"name": function.__name__, "ok": ok, "detail": detail, "seconds": seconds})
    return results


def middleware():
    import hermes_cli.middleware

    return hermes_cli.middleware.run_tool_execution_middleware


def tool(name, args):
    """A real tool of the registry, as the agent's loop would call it."""
    from model_tools import handle_function_call
    from petasos_policy import owner

    session = owner.of().get("session", "s1")
    return json.loads(handle_function_call(name, args, task_id=session, session_id=session))


@contextlib.contextmanager
def turn_of(user):
    """A turn of this person, in a session of theirs."""
    from petasos_policy import owner

    who = {"platform": "telegram", "user": user, "key": user, "session": f"session-{user}"}
    token = owner._turn.set(who)
    try:
        yield
    finally:
        owner._turn.reset(token)


def refused(said):
    return said.get("status") == "blocked" and "BLOCKED" in said.get("error", "")


def real(name):
    from petasos_policy import install

    return install.real[name]


# --- the kernel's lock and the audit hook -----------------------------------------------------------


@probe
def no_route_to_execve():
    tries = {
        "subprocess": lambda: subprocess.run(["/bin/true"], check=True),
        "shell": lambda: subprocess.run("true", shell=True, check=True),
        "os.system": lambda: os.system("true"),
        "os.popen": lambda: os.popen("true").close(),
        "posix_spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "fork": os.fork,
        "forkpty": os.forkpty,
        "execv": lambda: os.execv("/bin/true", ["true"]),
        "asyncio": lambda: asyncio.run(asyncio.create_subprocess_exec("/bin/true")),
        "multiprocessing": _multiprocessing,
    }
    for name, go in tries.items():
        try:
            go()
        except PermissionError:
            continue
        raise AssertionError(f"{name} was not refused")


def _multiprocessing():
    import multiprocessing

    child = multiprocessing.get_context("spawn").Process(target=print)
    child.start()
    child.join()
    if child.exitcode:
        raise PermissionError


@probe
def below_python_the_kernel_refuses():
    import _posixsubprocess

    libc = ctypes.CDLL(None, use_errno=True)
    for call in (59, 322) if os.uname().machine == "x86_64" else (221, 281):
        args = [b"/bin/true", None, None] if call in (59, 221) else [-1, b"/bin/true", None, None, 0]
        ctypes.set_errno(0)
        assert libc.syscall(call, *args) == -1 and ctypes.get_errno() == 1, call
    reader, writer = os.pipe()
    pid = _posixsubprocess.fork_exec(
        [b"/bin/true"], [b"/bin/true"], True, (writer,), None, None,
        -1, -1, -1, -1, -1, -1, reader, writer,
        True, False, 0, None, None, None, -1, None, False,
    ) if sys.version_info >= (3, 11) else 0  # fmt: skip
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    if pid:
        os.waitpid(pid, 0)
        assert said.split(b":")[1:2] == [b"1"], said


@probe
def seccomp_in_every_thread():
    def modes():
        found = set()
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/status") as file:
                found |= {line.split()[1] for line in file if line.startswith("Seccomp:")}
        return found

    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        return modes() == {"2"}
    finally:
        stop.set()


@probe
def the_lock_is_too_late_with_threads():
    from petasos_policy import kernel_lock
    from petasos_policy.errors import Broken

    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        kernel_lock.take()
    except Broken as error:
        return "more than one thread" in str(error)
    finally:
        stop.set()


# --- choke points -----------------------------------------------------------------------------------


@probe
def a_missing_choke_point_is_found():
    from petasos_policy import install
    from petasos_policy.errors import Broken

    for name in ("tools.approval:no_such_function", "no_such_module:x"):
        try:
            install.find(name)
        except Broken:
            continue
        raise AssertionError(name)


@probe
def other_parameters_are_found():
    from petasos_policy import install
    from petasos_policy.errors import Broken

    install.check("x", lambda a, b, *, c, **d: 0, ("a", "b", "*", "c", "**d"))
    for wanted in (("b", "a"), ("a", "b", "c"), ("a", "b", "*", "x")):
        try:
            install.check("x", lambda a, b, *, c: 0, wanted)
        except Broken:
            continue
        raise AssertionError(wanted)


@probe
def adapters_with_a_door_of_their_own_call_the_common_one():
    """Their source, since they are loaded only when enabled."""
    import hermes_cli

    root = os.path.dirname(os.path.dirname(hermes_cli.__file__))
    for top in ("gateway", "plugins/platforms"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                if not name.endswith(".py") or name == "base.py":
                    continue
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    text = file.read()
                if "async def handle_message(self" in text:
                    assert "super().handle_message(" in text, (folder, name)


# --- tools that would touch the host ------------------------------------------------------------------


@probe
def a_scheduled_script_is_refused():
    for more in ({"script": "x.sh"}, {"no_agent": True}, {"workdir": "/etc"}):
        said = tool("cronjob", {"action": "create", "schedule": "1h", "prompt": "x", **more})
        assert refused(said), said


@probe
def the_scheduler_runs_no_script():
    import cron.scheduler

    ok, text = cron.scheduler._run_job_script("x.sh")
    return ok is False and "policy" in text


@probe
def a_skill_is_changed_only_with_approval():
    said = tool("skill_manage", {"action": "create", "name": "x", "content": "---\nname: x\n---\n"})
    home = os.environ["HERMES_HOME"]
    return refused(said) and not os.path.exists(f"{home}/skills/x")


@probe
def a_scheduled_prompt_needs_approval():
    assert refused(tool("cronjob", {"action": "create", "schedule": "1h", "prompt": "x"}))
    assert not refused(tool("cronjob", {"action": "list"}))


@probe
def a_sub_agent_is_no_other_program():
    for args in ({"acp_command": "sh"}, {"tasks": [{"goal": "x", "acp_command": "sh"}]}):
        ran = []
        said = middleware()("delegate_task", {"goal": "x", **args}, ran.append)
        assert refused(json.loads(said)) and not ran, said


@probe
def an_interactive_terminal_is_refused():
    return refused(tool("terminal", {"command": "true", "pty": True}))


@probe
def the_browser_is_refused_in_one_sentence():
    said = tool("browser_navigate", {"url": "http://127.0.0.1/"})
    return refused(said) and "browser" in said["error"]


@probe
def documents_of_the_host_are_not_unpacked():
    import zipfile

    path = os.path.join(os.environ["HERMES_HOME"], "other-persons.docx")
    body = '<w:p xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">{}</w:p>'
    text = body.format("<w:r><w:t>host-text-0815</w:t></w:r>")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("word/document.xml", text)
    from tools.read_extract import extract_document_text

    assert "host-text-0815" in extract_document_text(path), "the control"
    assert real("tools.read_extract:is_extractable_document")(path), "the control"
    assert "host-text-0815" not in json.dumps(tool("read_file", {"path": path}))


@probe
def images_of_the_host_are_not_read():
    path = os.path.join(os.environ["HERMES_HOME"], "host.png")
    with open(path, "wb") as file:
        file.write(_png())
    from petasos_policy import sandbox

    asked, kept = [], sandbox.run

    def no_such_file(script, **more):
        asked.append(script)
        return 1, b""

    sandbox.run = no_such_file
    try:
        for name in ("vision_analyze", "video_analyze", "image_generate", "video_generate"):
            key = "video_url" if name == "video_analyze" else "image_url"
            said = tool(name, {key: path, "prompt": "x", "question": "x"})
            assert refused(said), said
            assert path in asked.pop(), "it is looked for in the sandbox"
    finally:
        sandbox.run = kept


@probe
def what_is_named_for_delivery_comes_from_the_cache_only():
    from gateway.platforms import api_server, base

    home = os.environ["HERMES_HOME"]
    os.environ["HERMES_MEDIA_DELIVERY_STRICT"] = "1"
    control = real("gateway.platforms.base:validate_media_delivery_path")
    for name in ("state.db", "logs/agent.log", "note.md"):
        path = os.path.join(home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a"):
            os.utime(path)
        assert control(path), f"the control: {name}"
        assert base.validate_media_delivery_path(path) is None, name
        assert base.BasePlatformAdapter.validate_media_delivery_path(path) is None, name
        assert api_server.validate_media_delivery_path(path) is None, name
    made = os.path.join(home, "cache", "images", "made.png")
    os.makedirs(os.path.dirname(made), exist_ok=True)
    with open(made, "wb") as file:
        file.write(_png())
    assert base.validate_media_delivery_path(made), "what tools make is delivered"
    os.symlink(os.path.join(home, "note.md"), made + ".md")
    assert base.validate_media_delivery_path(made + ".md") is None, "a link out of the cache"


@probe
async def references_in_messages_read_nothing():
    from agent import context_references as c

    path = os.path.join(os.environ["HERMES_HOME"], "note.md")
    with open(path, "w") as file:
        file.write("host-note-4711")
    args = {"cwd": os.path.dirname(path), "context_length": 100000}
    control = real("agent.context_references:preprocess_context_references_async")
    said = await control("look: @file:note.md", **args)
    assert "host-note-4711" in said.message, "the control"
    said = await c.preprocess_context_references_async("look: @file:note.md", **args)
    assert "host-note-4711" not in said.message and said.message == "look: @file:note.md"


@probe
def hints_beside_a_path_are_not_read():
    from agent.subdirectory_hints import SubdirectoryHintTracker

    folder = os.path.join(os.environ["HERMES_HOME"], "project")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "AGENTS.md"), "w") as file:
        file.write("host-hint-0042")
    args = {"path": os.path.join(folder, "x.txt")}
    control = real("agent.subdirectory_hints:SubdirectoryHintTracker.check_tool_call")
    here = SubdirectoryHintTracker(os.environ["HERMES_HOME"])
    assert "host-hint-0042" in (control(here, "read_file", args) or ""), "the control"
    assert here.check_tool_call("read_file", args) is None


# --- results, models ----------------------------------------------------------------------------------


SECRET = "ghp_" + "A1b2C3d4E5f6A1b2C3d4E5f6A1b2C3d4E5f6"


@probe
def results_of_every_form_are_redacted():
    from petasos_policy import calls

    for result in (
        SECRET,
        json.dumps({"output": f"a\n{SECRET}"}),
        json.dumps([{"x": {"y": SECRET}}]),
        {"_multimodal": True, "content": [{"type": "text", "text": SECRET}]},
    ):
        said = calls.call("todo", {}, lambda _, result=result: result)
        assert SECRET not in json.dumps(said, default=str), said
        assert "[GONE]" in json.dumps(said), said


@probe
def the_gateways_own_secrets_and_custom_patterns_are_redacted():
    from petasos_policy import current

    said = current.clean_text("key own-secret-value-of-the-host, ticket INT-12345")
    return "own-secret" not in said and "12345" not in said and said.count("[GONE]") == 2


@probe
def a_raising_redaction_withholds_the_result():
    from petasos_policy import calls, current

    kept = current.redactor
    calls.quiet = True

    class Raises:
        value = staticmethod(kept.value)
        text = staticmethod(kept.text)

        @staticmethod
        def raises(value):
            raise RuntimeError("no")

    def go(_args):
        Raises.value = Raises.raises
        return "text-0815"

    current.redactor = Raises
    try:
        said = json.loads(calls.call("todo", {}, go))
    finally:
        current.redactor, calls.quiet = kept, False
    return refused(said) and "withheld" in said["error"]


@probe
def a_raising_rule_refuses():
    from petasos_policy import calls, rules

    kept, ran = rules.judge, []

    def raises(*args):
        raise RuntimeError("no")

    rules.judge, calls.quiet = raises, True
    try:
        said = json.loads(calls.call("todo", {}, ran.append))
    finally:
        rules.judge, calls.quiet = kept, False
    return refused(said) and not ran


@probe
def one_call_through_all_layers_is_one_line():
    from petasos_policy import calls, current

    lines, kept = [], current.audit

    class Counts:
        def say(self, event, **fields):
            lines.append(event)
            return kept.say(event, **fields)

    current.audit = Counts()
    try:
        args = {"todos": [], "x": 1}
        calls.call("todo", args, lambda a: calls.call("todo", dict(a), lambda _: "{}"))
        assert lines == ["tool_call", "tool_result"], lines
        del lines[:]
        # Another call of the same tool inside it is another call.
        calls.call("todo", args, lambda a: calls.call("todo", {"x": 2}, lambda _: "{}"))
        assert lines.count("tool_call") == 2, lines
    finally:
        current.audit = kept


@probe
def the_summary_at_the_limit_is_counted_and_redacted():
    import agent.chat_completion_helpers as helpers
    from petasos_policy import install

    name = "agent.chat_completion_helpers:handle_max_iterations"
    wrap = install.CHOKES[name][1]
    seen = []

    def fake(agent, messages, api_call_count):
        seen.extend(messages)
        messages.append({"role": "assistant", "content": "end"})
        return "end"

    history = [{"role": "user", "content": f"my key is {SECRET}"}]
    agent = types.SimpleNamespace(session_id="s1", model="stub")
    assert wrap(fake)(agent, history, 3) == "end"
    assert SECRET not in json.dumps(seen) and len(history) == 2
    assert helpers.handle_max_iterations is not real(name)


@probe
def a_client_for_small_questions_counts():
    from petasos_policy import models

    seen = []

    class Completions:
        def create(self, **kwargs):
            seen.append(kwargs)
            return "said"

    inner = types.SimpleNamespace(chat=types.SimpleNamespace(completions=Completions()), base_url=1)
    client = models.Client(inner)
    said = client.chat.completions.create(model="m", messages=[{"content": SECRET}])
    assert said == "said" and client.base_url == 1
    assert SECRET not in json.dumps(seen)


@probe
def a_turn_by_another_program_is_refused():
    from agent.conversation_loop import run_conversation

    agent = types.SimpleNamespace(api_mode="codex_app_server", session_id="s9", platform="cli")
    said = run_conversation(agent, "hi")
    return said["failed"] and "program" in said["final_response"]


# --- approvals ----------------------------------------------------------------------------------------


@probe
def yolo_does_nothing():
    from tools import approval

    approval.enable_session_yolo("k")
    assert not approval.is_session_yolo_enabled("k")
    assert real("tools.approval:is_session_yolo_enabled")("k") is False, "it was never switched on"


@probe
def an_approval_that_is_not_on_record_ends_the_question():
    from petasos_policy import current
    from petasos_policy.errors import Broken
    from tools import approval

    kept, current.audit = current.audit, None
    try:
        approval._fire_approval_hook("pre_approval_request", command="x")
    except Broken:
        return True
    finally:
        current.audit = kept


# --- messages -----------------------------------------------------------------------------------------


def _adapter(authorized=True, platform="telegram"):
    from gateway.config import Platform, PlatformConfig
    from gateway.platforms.base import BasePlatformAdapter, SendResult

    class Adapter(BasePlatformAdapter):
        sent = []

        async def connect(self):
            return True

        async def disconnect(self):
            pass

        async def send(self, chat_id, content, reply_to=None, metadata=None):
            self.sent.append(content)
            return SendResult(success=True)

        async def get_chat_info(self, chat_id):
            return {}

    got = []

    class Runner:
        def _is_user_authorized(self, source):
            return authorized

        async def _handle_message(self, event):
            got.append(event.text)
            return None

    adapter = Adapter(PlatformConfig(enabled=True), Platform(platform))
    adapter.sent = []
    adapter.set_message_handler(Runner()._handle_message)
    return adapter, got


def _event(text, user="7", platform="telegram", chat=None):
    from gateway.config import Platform
    from gateway.platforms.base import MessageEvent
    from gateway.session import SessionSource

    source = SessionSource(
        platform=Platform(platform), chat_id=chat or user, user_id=user, chat_type="dm"
    )
    return MessageEvent(text=text, source=source)


async def _settled(adapter):
    for _ in range(50):
        await asyncio.sleep(0.02)
        if not adapter._background_tasks:
            return


@probe
async def the_fourth_message_is_refused_once_and_then_in_silence():
    adapter, got = _adapter()
    for n in range(6):
        await adapter.handle_message(_event(f"m{n}"))
        await _settled(adapter)
    assert got == ["m0", "m1", "m2"], got
    refusals = [s for s in adapter.sent if "Too many" in s]
    assert len(refusals) == 1, adapter.sent
    await adapter.handle_message(_event("/stop"))
    await _settled(adapter)
    assert "/stop" in got, "a way to stop is never rationed"
    await adapter.handle_message(_event("other", user="8"))
    await _settled(adapter)
    assert "other" in got, "another person is served"


@probe
async def strangers_use_up_nobodys_share():
    adapter, got = _adapter(authorized=False)
    for n in range(5):
        await adapter.handle_message(_event(f"s{n}", user="66"))
        await _settled(adapter)
    assert len(got) == 5 and not adapter.sent  # The agent's own code drops them.


@probe
async def webhooks_are_counted_by_route():
    adapter, got = _adapter(platform="webhook")
    for n in range(4):
        event = _event(f"w{n}", user="webhook:a", platform="webhook", chat=f"webhook:a:{n}")
        await adapter.handle_message(event)
        await _settled(adapter)
    event = _event("b", user="webhook:b", platform="webhook", chat="webhook:b:1")
    await adapter.handle_message(event)
    await _settled(adapter)
    assert got == ["w0", "w1", "b"], got


@probe
async def a_writer_that_is_gone_admits_nobody():
    from petasos_policy import calls, current

    adapter, got = _adapter()
    kept, current.audit, calls.quiet = current.audit, None, True
    try:
        await adapter.handle_message(_event("x", user="99"))
        await _settled(adapter)
    finally:
        current.audit, calls.quiet = kept, False
    return got == []


@probe
async def an_adapter_with_another_door_is_counted_at_the_gateways():
    from petasos_policy import install

    wrap = install.CHOKES["gateway.run:GatewayRunner._handle_message"][1]
    got = []

    class Runner:
        def _is_user_authorized(self, source):
            return True

    async def handle(self, event):
        got.append(event.text)

    handle = wrap(handle)
    # Its own person, so that no message of theirs was counted at the other door.
    from petasos_policy import admit

    for n in range(5):
        admit._last.clear()
        await handle(Runner(), _event(f"d{n}", user="555"))
    assert got == ["d0", "d1", "d2"], got


# --- who it is for ------------------------------------------------------------------------------------


@probe
def a_sub_agent_works_for_the_same_person():
    from gateway.session_context import clear_session_vars, set_session_vars
    from petasos_policy import owner

    tokens = set_session_vars(platform="telegram", user_id="7", chat_id="7", session_key="k7")
    parent = types.SimpleNamespace(session_id="p1")
    token = owner.begin(parent)
    room = owner.room()
    owner.end(token)
    clear_session_vars(tokens)
    found = []

    def child():
        agent = types.SimpleNamespace(session_id="c1", _parent_session_id="p1", platform="telegram")
        token = owner.begin(agent)
        found.append((owner.fields(), owner.room()))
        owner.end(token)

    thread = threading.Thread(target=child)
    thread.start()
    thread.join()
    fields, theirs = found[0]
    assert fields["user"] == "7" and fields["parent"] == "p1" and theirs == room, found
    assert owner.room("unknown") != room


@probe
def the_search_in_chats_finds_ones_own():
    from hermes_state import SessionDB
    from petasos_policy import owner
    from tools import session_search_tool

    db = SessionDB()
    for name, user in (("mine-1", "7"), ("theirs-1", "8")):
        db.create_session(name, "telegram", user_id=user)
        db.append_message(name, "user", f"zebra words of {user}")
    search = session_search_tool.session_search
    control = real("tools.session_search_tool:session_search")
    token = owner._turn.set({"platform": "telegram", "user": "7", "session": "now"})
    try:
        assert "words of 8" in control(query="zebra", db=db, limit=5), "the control"
        assert "words of 8" in control(session_id="theirs-1", db=db), "the control"
        said = search(query="zebra", db=db, limit=5)
        assert "words of 7" in said and "words of 8" not in said, said
        assert "words of 8" not in search(session_id="theirs-1", db=db)
        assert "words of 8" not in search(session_id="default/theirs-1", db=db)
        assert "words of 8" not in search(db=db)
        assert "words of 7" in search(session_id="mine-1", db=db)
    finally:
        owner._turn.reset(token)


def _png():
    import base64

    return base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
        "gg=="
    )


# --- the sandbox --------------------------------------------------------------------------------------


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
        said = tool(
            "process", {"action": "wait", "session_id": short["session_id"], "timeout": 10}
        )
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
    room = "telegram-" + hashlib.sha256(b"telegram 41").hexdigest()[:32]
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
    from petasos_policy import current

    lines, kept = [], current.audit

    class Sees:
        def say(self, event, **fields):
            lines.append((event, fields))
            return kept.say(event, **fields)

    code = "from hermes_tools import terminal\nprint(terminal('echo from-code')['output'])"
    current.audit = Sees()
    try:
        said = tool("execute_code", {"code": code})
    finally:
        current.audit = kept
    if "pending" in json.dumps(said) or "approv" in json.dumps(said).lower():
        return True  # In manual mode somebody is asked first.
    assert "from-code" in json.dumps(said), said
    assert any(e == "tool_call" and f.get("tool") == "terminal" for e, f in lines), lines


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

