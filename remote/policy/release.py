"""Which release this is, and whether its files are the ones that were reviewed.

Read from the files before anything of them is imported: a changed file does not run.
"""

import hashlib
import importlib.util
import os
import re

from .errors import Broken

# Each holds a choke point, a way to one, or something that would be a way around one if it changed.
REVIEWED = (
    "agent.agent_runtime_helpers",
    "agent.auxiliary_client",
    "agent.chat_completion_helpers",
    "agent.context_references",
    "agent.conversation_compression",
    "agent.conversation_loop",
    "agent.image_routing",
    "agent.prompt_builder",
    "agent.redact",
    "agent.skill_commands",
    "agent.subdirectory_hints",
    "agent.tool_dispatch_helpers",
    "agent.tool_executor",
    "agent.turn_finalizer",
    "cron.scheduler",
    "gateway.authz_mixin",
    "gateway.platforms.api_server",
    "gateway.platforms.base",
    "gateway.platforms.webhook",
    "gateway.run",
    "gateway.session_context",
    "gateway.slash_commands",
    "hermes_cli",
    "hermes_cli.main",
    "hermes_cli.middleware",
    "hermes_cli.plugins",
    "model_tools",
    "run_agent",
    "tools.approval",
    "tools.code_execution_tool",
    "tools.credential_files",
    "tools.cronjob_tools",
    "tools.delegate_tool",
    "tools.environments.base",
    "tools.file_operations",
    "tools.file_tools",
    "tools.image_generation_tool",
    "tools.image_source",
    "tools.mcp_tool",
    "tools.memory_tool",
    "tools.process_registry",
    "tools.read_extract",
    "tools.registry",
    "tools.send_message_tool",
    "tools.session_search_tool",
    "tools.skill_manager_tool",
    "tools.skills_tool",
    "tools.terminal_tool",
    "tools.thread_context",
    "tools.threat_patterns",
    "tools.tool_result_storage",
    "tools.tool_search",
    "tools.tts_tool",
    "tools.video_generation_tool",
    "tools.vision_tools",
)


def check(wanted):
    """`wanted` is the policy's release. Raises what differs, in one line."""
    root = root_of()
    version = version_of(root)
    if version != wanted.version:
        raise Broken(
            f"this is release {version} of the agent, and the policy was made for {wanted.version}"
        )
    unknown = sorted(set(REVIEWED) - set(wanted.files))
    if unknown:
        raise Broken(f"the policy knows no digest of {', '.join(unknown)}")
    wrong = [name for name, sha in sorted(wanted.files.items()) if digest(root, name) != sha]
    if wrong:
        raise Broken(f"not as reviewed in release {version}: {', '.join(wrong)}")


def root_of():
    found = importlib.util.find_spec("hermes_cli")
    if found is None or not found.origin:
        raise Broken("the agent is not installed here")
    return os.path.dirname(os.path.dirname(os.path.abspath(found.origin)))


def version_of(root):
    with open(os.path.join(root, "hermes_cli", "__init__.py"), encoding="utf-8") as file:
        found = re.search(r"^__version__\s*=\s*[\"']([^\"']+)[\"']", file.read(), re.MULTILINE)
    return found.group(1) if found else "unknown"


def path_of(root, module):
    base = os.path.join(root, *module.split("."))
    return base + ".py" if os.path.exists(base + ".py") else os.path.join(base, "__init__.py")


def digest(root, module):
    try:
        with open(path_of(root, module), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return None


def digests(root=None):
    """What `petasos` writes into the policy for a release that passed."""
    root = root or root_of()
    return {name: digest(root, name) for name in REVIEWED}
