# Says whether the agent's managed scope is in force, asked of the agent's own code: a file that does
# not parse is ignored by it as a whole, with only a warning.
#
# Run as the agent's user with the unit's HERMES_HOME, HERMES_MANAGED_DIR: .../venv/bin/python -P -c THIS
# stdout: one JSON object; names only, no values of the environment. Exit: 0 in force, 1 not.
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


def at(node, path):
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


keys = list(leaves(wanted))
other = [".".join(map(str, path)) for path, value in keys if at(effective, path) != value]
report = {
    "managed_dir": str(managed_scope.get_managed_dir()),
    "keys": len(keys),
    "not_in_force": sorted(other),
    "env": sorted(names),
    "env_not_in_force": sorted(name for name, value in names.items() if os.environ.get(name) != value),
}
print(json.dumps(report))
sys.exit(0 if keys and names and not other and not report["env_not_in_force"] else 1)
