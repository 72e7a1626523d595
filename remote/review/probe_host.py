"""Tools and texts that name files of the host."""

import json
import os

from probe_common import middleware, png, probe, real, refused, tool


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
        file.write(png())
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
        file.write(png())
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
