"""Tools that would read or write the host's files in the gateway's own process, and others that
reach past the sandbox: each is refused in one sentence, or gets a file from the sandbox instead.

This holds in every mode of approvals. What is not here goes through the environment (terminal,
files, code), or knows no path.
"""

from . import background, current, fetch, owner
from .errors import Refused

NO_BROWSER = "the browser cannot run beside the sandbox (it needs `agent.sandbox: off`)"
NO_PROGRAM = "this needs a program of its own on the host, which the policy does not allow"


def check(tool, args, session=""):
    """The arguments to go on with, or Refused. Returns (args, why a person must be asked or "")."""
    ask = ""
    if tool in ALWAYS:
        args, ask = ALWAYS[tool](args)
    if current.sandboxed():
        if tool.startswith("browser_"):
            raise Refused(NO_BROWSER)
        if tool in SANDBOXED:
            args = SANDBOXED[tool](args, session)
    return args, ask


# --- in every case --------------------------------------------------------------------------------


def _cron(args):
    if args.get("script") or args.get("no_agent"):
        raise Refused("a scheduled job may not run a script of the host")
    if args.get("workdir") or args.get("profile"):
        raise Refused("a scheduled job runs in the sandbox, not in a directory of the host")
    for key in ("base_url", "provider", "model"):
        if args.get(key):
            raise Refused(f"a scheduled job may not choose its own {key}")
    if str(args.get("action", "")).lower() in ("list", "pause", "remove"):
        return args, ""
    return args, "it would act later, without anybody present"


def _skill(args):
    return args, "it would change what the agent does for everybody, from now on"


def _delegate(args):
    tasks = args.get("tasks")
    for task in [args, *(tasks if isinstance(tasks, list) else ())]:
        if isinstance(task, dict) and (task.get("acp_command") or task.get("acp_args")):
            raise Refused("a sub-agent may not be another program")
    return args, ""


ALWAYS = {"cronjob": _cron, "skill_manage": _skill, "delegate_task": _delegate}


# --- with the sandbox -----------------------------------------------------------------------------


def _terminal(args, _session):
    if args.get("pty"):
        raise Refused("there is no interactive terminal in the sandbox: leave out `pty`")
    return args


def _process(args, session):
    process = args.get("session_id")
    if process and not background.is_of(str(process), owner.room(session)):
        raise Refused("there is no such process")
    return args


def _from_sandbox(*keys):
    """Arguments that may name a local file: replaced by a copy that came out of the sandbox."""

    def change(args, session):
        args = dict(args)
        for key in keys:
            value = args.get(key)
            if isinstance(value, list):
                args[key] = [_local(v, session) for v in value]
            elif value:
                args[key] = _local(value, session)
        return args

    return change


def _local(source, session):
    if not isinstance(source, str):
        raise Refused("a source that is neither a path nor a URL")
    text = source.strip()
    if text.lower().startswith(("http://", "https://", "data:")):
        return text
    path = text[7:] if text.lower().startswith("file://") else text
    found = fetch.to_cache(path, session)
    if found is None:
        raise Refused(f"there is no such file in the sandbox: {path[:200]}")
    return found


def _without(*keys):
    def change(args, _session):
        return {k: v for k, v in args.items() if k not in keys}

    return change


def _refuse(why):
    def change(_args, _session):
        raise Refused(why)

    return change


def _no_files(*keys):
    def change(args, _session):
        if any(args.get(k) for k in keys):
            raise Refused("this tool may not send files of the host")
        return args

    return change


SANDBOXED = {
    "terminal": _terminal,
    "process": _process,
    "vision_analyze": _from_sandbox("image_url"),
    "video_analyze": _from_sandbox("video_url"),
    "image_generate": _from_sandbox("image_url", "reference_image_urls"),
    "video_generate": _from_sandbox("image_url", "reference_image_urls", "video_url"),
    "xai_video_edit": _from_sandbox("video_url"),
    "xai_video_extend": _from_sandbox("video_url"),
    "text_to_speech": _without("output_path"),
    "yb_send_dm": _no_files("media_files"),
    "yb_send_sticker": _no_files("media_files"),
    "computer_use": _refuse(NO_PROGRAM),
    "meet_join": _refuse(NO_PROGRAM),
    "project_create": _refuse("projects are directories of the host"),
    "project_switch": _refuse("projects are directories of the host"),
}
