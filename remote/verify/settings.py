"""What the agent's own code makes of its settings: the policy in force, and whether each key of the
managed scope is. Names and verdicts only; of values, only those that the checklist asks for. Run by
the release's own Python, as the agent, in its unit's environment."""

import contextlib
import json
import os
import sys

with contextlib.redirect_stdout(sys.stderr):
    from hermes_cli import config, env_loader, managed_scope

    env_loader.load_hermes_dotenv(hermes_home=os.environ["HERMES_HOME"])
    effective = config.load_config()
    wanted = config._expand_env_vars(managed_scope.load_managed_config())
    names = managed_scope.load_managed_env()


def leaves(node, path=()):
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, node


def at(node, *path):
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def not_in_force(wanted, effective):
    """The wanted keys that have another value in force, by their dotted paths."""
    return sorted(
        ".".join(map(str, path)) for path, value in leaves(wanted) if at(effective, *path) != value
    )


def allowed_users(platform):
    users = os.environ.get(f"{platform.upper()}_ALLOWED_USERS", "").split(",")
    return sum(bool(user.strip()) for user in users)


def is_on(value):
    return value.lower() in ("1", "true", "yes", "on")


deny = at(effective, "approvals", "deny")
answer = {
    "keys": sum(1 for _ in leaves(wanted)),
    "not_in_force": not_in_force(wanted, effective),
    "env": len(names),
    "env_not_in_force": sorted(key for key in names if os.environ.get(key) != names[key]),
    "mode": at(effective, "approvals", "mode"),
    "cron_mode": at(effective, "approvals", "cron_mode"),
    "timeout": at(effective, "approvals", "timeout"),
    "deny": len(deny) if isinstance(deny, list) else None,
    "always_allowed": len(at(effective, "command_allowlist") or []),
    "redact": at(effective, "security", "redact_secrets"),
    "redact_env": os.environ.get("HERMES_REDACT_SECRETS"),
    "strangers": at(effective, "unauthorized_dm_behavior"),
    "allow_all": sorted(
        key for key, value in os.environ.items() if key.endswith("ALLOW_ALL_USERS") and is_on(value)
    ),
    "users": {name: allowed_users(name) for name in ("telegram", "discord", "slack")},
}
print(json.dumps(answer))
