"""Whole turns with an allow list."""

import json

from place import ALLOWLIST, Place
from turns import turns_of


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
    turns_of(options, results, "turn (allowlist)", place, cases)


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
