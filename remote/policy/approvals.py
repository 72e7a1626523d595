"""Approvals: asked of a person through the agent's own prompt, on record, and not to be switched
off by a command of the chat."""

import functools
import hashlib
import json

from . import current, owner
from .errors import Refused

NO_REPORT = "A report of the logs would show what others wrote: ask the host's administrator."
NOT_OFF = "Approvals cannot be switched off here: they are the host's policy."


def ask(tool, args, reason):
    """Returns when somebody said yes to exactly this call. Else Refused."""
    from tools.approval import request_tool_approval

    shown = args.get("command") or args.get("code") or json.dumps(args, ensure_ascii=False)
    shown = current.clean_text(str(shown))[:1500]
    exactly = json.dumps([tool, args], sort_keys=True, default=str).encode()
    answer = request_tool_approval(
        tool, f"{shown}\n({reason})", rule_key=f"petasos:{hashlib.sha256(exactly).hexdigest()}"
    )
    if not isinstance(answer, dict) or answer.get("approved") is not True:
        said = answer.get("message") if isinstance(answer, dict) else ""
        raise Refused(f"{reason}; {said}" if said else f"{reason}, and nobody approved it")


def wrap_fire_approval_hook(real):
    @functools.wraps(real)
    def _fire_approval_hook(hook_name, **kwargs):
        asked = hook_name.startswith("pre")
        who = owner.fields()
        if not who.get("session"):
            who["session"] = str(kwargs.get("session_key") or "")
        # Not on record: an exception here ends the agent's own question, and with it the call.
        current.say(
            "approval_request" if asked else "approval",
            command=current.clean_text(str(kwargs.get("command") or ""))[:4000],
            reason=current.clean_text(str(kwargs.get("description") or ""))[:1000],
            status=str(kwargs.get("choice") or ""),
            surface=str(kwargs.get("surface") or ""),
            **who,
        )
        return real(hook_name, **kwargs)

    return _fire_approval_hook


def wrap_yolo_enabled(_real):
    def is_session_yolo_enabled(session_key):
        return False

    return is_session_yolo_enabled


def wrap_enable_yolo(_real):
    def enable_session_yolo(session_key):
        return None

    return enable_session_yolo


def wrap_yolo_command(_real):
    async def _handle_yolo_command(self, event):
        return NOT_OFF

    return _handle_yolo_command


def wrap_debug_command(_real):
    """It would put the log's last lines, everybody's, on a public page."""

    async def _handle_debug_command(self, event):
        return NO_REPORT

    return _handle_debug_command
