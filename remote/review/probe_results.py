"""Results, requests to models, approvals."""

import asyncio
import json
import types

from probe_common import SECRET, lines, probe, real, refused


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
    from petasos_policy import calls

    args = {"todos": [], "x": 1}
    with lines() as found:
        calls.call("todo", args, lambda a: calls.call("todo", dict(a), lambda _: "{}"))
    assert [event for event, _ in found] == ["tool_call", "tool_result"], found
    with lines() as found:
        # Another call of the same tool inside it is another call.
        calls.call("todo", args, lambda a: calls.call("todo", {"x": 2}, lambda _: "{}"))
    assert [event for event, _ in found].count("tool_call") == 2, found


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
    return False


@probe
def long_arguments_are_short_in_the_log():
    from petasos_policy import calls

    text = "x" * 490 + SECRET + "y" * 5000
    said = calls.shown("write_file", {"path": "a", "content": text, "more": [text]})["args"]
    assert SECRET[:12] not in json.dumps(said) and len(json.dumps(said)) < 1500, said
    assert "sha256" in said["content"] and said["path"] == "a"
    assert calls.shown("terminal", {"command": "x" * 3000})["command"] == "x" * 3000


def _said(answer):
    return answer.choices[0].message.content


MESSAGES = [{"role": "user", "content": f"my key is {SECRET}"}]


@probe
def side_calls_are_counted_and_redacted():
    from agent.auxiliary_client import call_llm

    with lines() as found:
        said = _said(call_llm(task="title_generation", messages=MESSAGES))
    assert "[GONE]" in said and SECRET not in said, said
    assert [event for event, _ in found] == ["model_call", "model_result"], found
    assert found[0][1]["task"] == "title_generation"


@probe
async def side_calls_that_wait_are_counted_and_redacted():
    from agent.auxiliary_client import async_call_llm

    with lines() as found:
        said = _said(await async_call_llm(task="vision", messages=MESSAGES))
    assert "[GONE]" in said and SECRET not in said, said
    assert [event for event, _ in found] == ["model_call", "model_result"], found


@probe
def a_client_that_is_handed_out_is_counted_and_redacted():
    from agent.auxiliary_client import get_text_auxiliary_client

    client, model = get_text_auxiliary_client("goal_judge")
    with lines() as found:
        said = _said(client.chat.completions.create(model=model or "stub", messages=MESSAGES))
    assert "[GONE]" in said and SECRET not in said, said
    assert [event for event, _ in found] == ["model_call", "model_result"], found


@probe
def no_side_call_without_a_line():
    from agent.auxiliary_client import call_llm
    from petasos_policy import current
    from petasos_policy.errors import Broken

    kept, current.audit = current.audit, None
    try:
        call_llm(task="title_generation", messages=MESSAGES)
    except Broken:
        return True
    finally:
        current.audit = kept
    return False


@probe
def text_files_that_leave_are_redacted_and_others_are_as_they_were():
    import os

    from petasos_policy import fetch, sandbox

    kept = sandbox.run
    binary = b"\xff\x00" + SECRET.encode()
    try:
        for data, there in ((f"a {SECRET} b\n".encode(), b"[GONE]"), (binary, binary)):
            sandbox.run = lambda *args, data=data, **more: (0, data)
            path = fetch.to_cache("/work/notes-0815.txt")
            with open(path, "rb") as file:
                said = file.read()
            os.unlink(path)
            assert there in said and (data is binary or SECRET.encode() not in said), said
    finally:
        sandbox.run = kept


@probe
def a_file_without_end_is_not_read_to_its_end():
    from petasos_policy import environment, sandbox

    made = environment.make()(60)
    kept, sandbox.MOST_OUTPUT = getattr(sandbox, "MOST_OUTPUT", 0), 1 << 20
    try:
        said = made.execute("yes 0815 | head -c 20000000", timeout=30)
        small = made.execute("echo fine-0815", timeout=30)
    finally:
        sandbox.MOST_OUTPUT = kept
    assert said["returncode"] == 137 and "too much" in said["output"], str(said)[:300]
    assert len(said["output"]) < 500 and "fine-0815" in small["output"], small


@probe
def conversations_go_to_the_provider_alone():
    """Whatever a login, a session or a job of the agent's data names."""
    from agent import auxiliary_client, gemini_native_adapter
    from openai import AsyncOpenAI, OpenAI
    from petasos_policy import destinations
    from petasos_policy.errors import Broken

    servers = destinations.servers(destinations.current.the_policy().servers)
    here = f"http://{servers[0]}/v1"
    said = OpenAI(api_key="k", base_url=here).models.list()
    assert said.data[0].id == "stub", "the provider itself answers"

    def refused(make):
        try:
            make()
        except Broken as error:
            return "elsewhere.example" in str(error)
        except Exception as error:
            # The client wraps what ends a request.
            return "elsewhere.example" in repr(error.__cause__)
        return False

    away = "https://elsewhere.example/v1"
    wandering = OpenAI(api_key="k", base_url=here)
    wandering.base_url = away
    messages = [{"role": "user", "content": "x"}]
    for client in (
        OpenAI(api_key="k", base_url=away),
        wandering,
        wandering.with_options(timeout=1),
    ):
        create = client.chat.completions.create
        assert refused(lambda create=create: create(model="m", messages=messages))
    assert refused(lambda: OpenAI(api_key="k", base_url=here).get(f"{away}/models", cast_to=object))

    async def ask():
        client = AsyncOpenAI(api_key="k", base_url=away)
        await client.chat.completions.create(model="m", messages=messages)

    assert refused(lambda: asyncio.run(ask()))
    assert refused(lambda: auxiliary_client.OpenAI(api_key="k", base_url=away).models.list())
    assert refused(lambda: gemini_native_adapter.GeminiNativeClient(api_key="k", base_url=away))
