"""Choke points, and who goes through them."""

import os

from probe_common import probe


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


@probe
async def a_command_line_is_not_marked_as_the_gateway():
    from petasos_policy import current, install

    marks = ("_HERMES_GATEWAY", "HERMES_EXEC_ASK")
    assert not any(mark in os.environ for mark in marks), "importing its module marks the process"
    seen = []

    async def start_gateway():
        seen.extend(os.environ.get(mark) for mark in marks)
        seen.append(current.gateway)

    await install.CHOKES["gateway.run:start_gateway"][1](start_gateway)()
    current.gateway = False
    for mark in marks:
        os.environ.pop(mark, None)
    assert seen == ["1", "1", True], seen


@probe
def a_process_that_may_not_start_looks_like_a_missing_program():
    import subprocess

    try:
        subprocess.run(["/bin/true"], check=True)
    except FileNotFoundError as error:
        return isinstance(error, PermissionError) and "policy" in str(error)
    return False


@probe
async def no_report_of_the_logs_leaves_by_a_chat():
    from gateway.slash_commands import GatewaySlashCommandsMixin

    said = await GatewaySlashCommandsMixin._handle_debug_command(None, None)
    assert "administrator" in said
    said = await GatewaySlashCommandsMixin._handle_yolo_command(None, None)
    assert "policy" in said
