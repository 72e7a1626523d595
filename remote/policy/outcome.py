"""What a tool's result says of how it went."""

import json

BLOCKED = "BLOCKED by the host's policy: {}. Do not look for a way around it."
NOT_WELL = "BLOCKED: the host's policy is not well, so {}"


def blocked(reason):
    return json.dumps({"error": BLOCKED.format(reason), "status": "blocked"}, ensure_ascii=False)


def not_well(what):
    return json.dumps({"error": NOT_WELL.format(what), "status": "blocked"}, ensure_ascii=False)


def read(result):
    """(status, what the agent itself said when it refused)."""
    if not isinstance(result, str) or not result.startswith("{"):
        return "ok", ""
    try:
        said = json.loads(result)
    except ValueError:
        return "ok", ""
    if not isinstance(said, dict):
        return "ok", ""
    status = said.get("status")
    text = str(said.get("error") or said.get("message") or said.get("description") or "")
    if status in ("blocked", "pending_approval", "approval_required"):
        return status, text or status
    if text.startswith("BLOCKED"):
        return "blocked", text
    return ("error", "") if said.get("error") else ("ok", "")
