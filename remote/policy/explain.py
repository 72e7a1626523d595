"""What `petasos policy test` runs: the verdict on one command, as JSON.

The request is JSON: `tool`, its `args`, and `policy` where it is not the host's own.
"""

import json
import sys

from . import rules, settings, tools

POLICY = "/etc/hermes/policy.json"


def explain(policy: settings.Policy, tool: str, args: dict) -> dict:
    verdict = rules.judge(policy.approve, tool, args)
    return {
        "verdict": verdict.verdict,
        "rule": verdict.rule,
        "reason": verdict.reason,
        "mode": policy.approve.mode,
        "tool": tool,
        "argv": [list(segment.argv) for segment in verdict.segments],
        "runs": verdict.args.get("command") if verdict.verdict == rules.ALLOW else None,
        "would_allow": list(verdict.would_allow),
    }


def main(text: str) -> int:
    try:
        request = json.loads(text)
        tool = request["tool"]
        if not tools.known(tool):
            raise settings.SettingsError(f"`{tool}` is no tool of the agent")
        if request.get("policy") is None:
            policy = settings.load(POLICY)
        else:
            policy = settings.parse(json.dumps(request["policy"]))
        print(json.dumps(explain(policy, tool, request["args"])))
    except settings.SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
