"""What reads files of the host in the gateway's own process, by a name that a model or a message
chose: none of it does any more while tools have a sandbox.
"""

import functools
import os

from . import current

# Below the agent's data directory: what its own tools made, and what the policy brought out.
DELIVERED = (
    "cache/audio",
    "cache/documents",
    "cache/images",
    "cache/screenshots",
    "cache/videos",
    "audio_cache",
    "document_cache",
    "image_cache",
    "video_cache",
)


def wrap_media_path(real):
    """A file that an answer names. The agent would send any that is new enough: its database, its
    logs."""

    @functools.wraps(real)
    def validate_media_delivery_path(path):
        accepted = real(path)
        if not accepted:
            return None
        home, found = os.path.realpath(current.home), os.path.realpath(accepted)
        folders = (os.path.join(home, folder) + "/" for folder in DELIVERED)
        return accepted if any(found.startswith(folder) for folder in folders) else None

    return validate_media_delivery_path


def wrap_extractable(_real):
    """Documents are unpacked from the host's path. In the sandbox a program does that."""

    def is_extractable_document(path):
        return False

    return is_extractable_document


def wrap_context_references(_real):
    """`@file:` and its kin in a message read the gateway's directory."""

    async def preprocess_context_references_async(message, *, cwd, context_length, **options):
        from agent.context_references import ContextReferenceResult

        return ContextReferenceResult(message=message, original_message=message)

    return preprocess_context_references_async


def wrap_directory_hints(_real):
    """Files with instructions beside a path that a tool was given, looked up on the host."""

    def check_tool_call(self, tool_name, tool_args):
        return None

    return check_tool_call


def wrap_local_backend(_real):
    def _is_local_terminal_backend():
        return False

    return _is_local_terminal_backend


def wrap_cron_script(_real):
    def _run_job_script(script_path):
        return False, "the policy lets a scheduled job run no script of the host"

    return _run_job_script
