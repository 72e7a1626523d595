"""Puts the policy in force in this process, step by step. The first thing that is not as expected
ends it.
"""

import hashlib
import importlib
import os
import re

from . import (
    audit,
    calls,
    children,
    current,
    destinations,
    gateway,
    install,
    kernel_lock,
    no_process,
    own_secrets,
    places,
    release,
    sandbox,
    selftest,
)
from .errors import Broken

# Imported before the wraps go in: what takes a function by name later takes the wrapped one.
PARTS = (
    "gateway.run",
    "gateway.platforms.api_server",
    "gateway.platforms.webhook",
    "model_tools",
    "run_agent",
    "tools.terminal_tool",
    "tools.file_tools",
    "tools.code_execution_tool",
    "tools.process_registry",
    "cron.scheduler",
)


def before(path, covered=False):
    """While there is one thread and nothing of the agent is loaded. `covered`: whether this is the
    unit's process, over whose data root's files lie."""
    from . import settings

    current.policy = policy = settings.load(path)
    if covered:
        places.check(policy.covered)
    release.check(policy.release)
    current.audit = audit.Writer(policy.audit_socket, calls.complain)
    if policy.sandbox.enabled:
        kernel_lock.take()
        # The agent reads these beside its settings, some of them while it is imported.
        os.environ["TERMINAL_ENV"] = "ssh"
        os.environ["TERMINAL_CWD"] = sandbox.WORK
    os.environ.pop("HERMES_YOLO_MODE", None)


def after(path):
    """With the agent loaded, and before it does anything."""
    policy = current.the_policy()
    gateway.load(PARTS)
    _redaction(policy)
    from hermes_constants import get_hermes_home

    current.home = os.path.realpath(str(get_hermes_home()))
    approval = importlib.import_module("tools.approval")
    approval._YOLO_MODE_FROZEN = False
    if policy.sandbox.enabled:
        os.environ["TERMINAL_ENV"] = "ssh"
        os.environ["TERMINAL_CWD"] = sandbox.WORK
    # First of all: without a writer nothing that follows could be on record.
    current.say("policy", status="starting", release=policy.release.version)
    install.install(policy.sandbox.enabled)
    destinations.install()
    if policy.sandbox.enabled:
        no_process.forbid()
    else:
        children.strip()
    found = selftest.run()
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    current.say(
        "policy",
        status="in force",
        release=policy.release.version,
        policy=digest,
        mode=policy.approve.mode,
        sandbox=policy.sandbox.enabled,
        selftest=found,
    )


def _redaction(policy):
    agents = importlib.import_module("agent.redact")
    if not agents._REDACT_ENABLED:
        raise Broken("the agent's own redaction is switched off: set `security.redact_secrets`")
    replacement = policy.redact.replacement
    for name in ("_mask_token", "_mask_token_nonreusable"):
        if not callable(getattr(agents, name, None)):
            raise Broken(f"a choke point is missing in this release: agent.redact:{name}")
        setattr(agents, name, lambda token, *args, **kwargs: replacement)
    from .redact import Redactor

    current.redactor = Redactor(
        builtin=lambda text: agents.redact_sensitive_text(text, force=True, code_file=True),
        secrets=own_secrets.find(),
        patterns=policy.redact.patterns,
        replacement=replacement,
    )


def one_line(error):
    """What went wrong, for a log that shows lines."""
    text = str(error) or type(error).__name__
    if not isinstance(error, Broken):
        text = f"{type(error).__name__}: {text}"
    return re.sub(r"\s+", " ", text)[:1000]
