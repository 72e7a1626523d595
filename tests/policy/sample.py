"""A policy.json that is as it should be, to be changed."""

import copy

POLICY = {
    "version": 1,
    "release": {"version": "0.19.0", "files": {"model_tools": "0" * 64}},
    "approve": {
        "mode": "allowlist",
        "allow": ["git status", "git log *", "rg *", "cat docs/*", "ls"],
        "deny": ["sudo *", "*/etc/shadow*", "rg secret *"],
        "unlisted": "refuse",
        "compound": "refuse",
        "tools": ["terminal", "read_file", "mcp__files__read"],
    },
    "redact": {"patterns": ["ACME-[0-9]{6}"], "replacement": "[REDACTED]"},
    "rate": {
        "platforms": {"telegram": {"count": 30, "seconds": 3600}, "api_server": None},
        "default": {"count": 30, "seconds": 3600},
        "webhook_route": None,
        "model_calls": {"count": 5000, "seconds": 2592000},
        "reply": "too many messages",
    },
    "sandbox": {
        "enabled": True,
        "socket": "/run/petasos-agent/sandbox.sock",
        "timeout": 180,
        "network": "none",
    },
    "models": {"file": "/etc/hermes/servers.json"},
    "data": {"covered": ["hooks", "config.yaml"]},
    "audit": {"socket": "/run/petasos-agent/audit.sock"},
}


def changed(key: str, value: object) -> dict:
    """The policy with something else at `approve.mode`."""
    made = copy.deepcopy(POLICY)
    *outer, last = key.split(".")
    place = made
    for name in outer:
        place = place[int(name) if isinstance(place, list) else name]
    place[last] = value
    return made


def without(key: str) -> dict:
    made = copy.deepcopy(POLICY)
    *outer, last = key.split(".")
    place = made
    for name in outer:
        place = place[name]
    del place[last]
    return made
