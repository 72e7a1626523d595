"""A turn: whose it is, whether it may be, and what files leave with its answer."""

import functools
import json
import os
import re

from . import admit, calls, current, fetch, owner, push
from .errors import Broken, Refused

# How the agent may talk to a model. Others hand the whole turn to another program, with tools that
# never pass here.
MODES = frozenset(
    ("", "chat_completions", "anthropic_messages", "codex_responses", "bedrock_converse")
)
ENDINGS = (
    "png jpg jpeg webp gif bmp svg mp3 ogg opus wav m4a flac mp4 mov webm mkv avi pdf docx xlsx "
    "pptx odt csv tsv txt md json html zip tar gz tgz 7z epub py ipynb log xml yaml yml"
).split()
_tag = re.compile(r"MEDIA:\s*[`\"']?(?P<path>/[^\s`\"'<>|]+)")
_bare = re.compile(
    r"(?<![\w:/.])(?P<path>/(?:work|tmp)/[\w./@+-]+\.(?:" + "|".join(ENDINGS) + r"))\b", re.I
)
# Of one answer.
MOST_FILES, MOST_BYTES = 10, 64 << 20


def wrap_run_conversation(real):
    @functools.wraps(real)
    def run_conversation(agent, user_message, *args, **kwargs):
        mode = str(getattr(agent, "api_mode", "") or "")
        turn, judged = owner.begin(agent), calls.new_turn()
        try:
            if mode not in MODES:
                raise Refused(f"the policy does not cover models that run as a program ({mode})")
            admit.turn(agent)
            if current.sandboxed():
                user_message = _in_the_sandbox(user_message)
            result = real(agent, user_message, *args, **kwargs)
            if current.sandboxed() and isinstance(result, dict):
                result = _with_files(result)
            return result
        except (Refused, Broken) as no:
            return _no_turn(str(no), kwargs.get("conversation_history"))
        finally:
            calls.end_turn(judged)
            owner.end(turn)

    return run_conversation


def _no_turn(text, history):
    """The agent's own form of a turn that ended before it began."""
    return {
        "final_response": text,
        "messages": list(history or ()),
        "api_calls": 0,
        "completed": False,
        "failed": True,
        "error": text,
    }


def _in_the_sandbox(message):
    """Paths of the files that came with this message, as they are in the sandbox."""
    room = owner.room()
    push.offer_uploads(admit.uploads(owner.of()), room)
    if isinstance(message, str):
        return _named_anew(message, room)
    if isinstance(message, list):
        return [
            {**part, "text": _named_anew(part["text"], room)}
            if isinstance(part, dict) and isinstance(part.get("text"), str)
            else part
            for part in message
        ]
    return message


def _named_anew(text, room):
    return push.skills_in(push.rewrite(text, room), room)


def _with_files(result):
    """Files of the sandbox that the answer names are brought out, and named by their new place."""
    text = result.get("final_response")
    if not isinstance(text, str) or "/" not in text:
        return result
    # A chat sends what an answer names. Others only show the text.
    kinds = (_tag,) if owner.of().get("platform") in admit.UNCOUNTED else (_tag, _bare)
    places = [(m.start("path"), m.end("path")) for kind in kinds for m in kind.finditer(text)]
    done, out, last, left = {}, [], 0, MOST_BYTES
    for begin, end in sorted(places):
        if begin < last:
            continue
        path = text[begin:end].rstrip(".,;:)")
        length, path = len(path), os.path.normpath(path)
        if _of_the_host(path):
            continue
        if path not in done and len(done) < MOST_FILES:
            done[path] = _fetch(path, left)
            left -= os.path.getsize(done[path]) if done[path] else 0
        if done.get(path):
            out += [text[last:begin], done[path]]
            last = begin + length
    if not out:
        return result
    return {**result, "final_response": "".join(out) + text[last:]}


def _of_the_host(path):
    """In the agent's cache already: made by one of its tools, or brought out before."""
    return os.path.realpath(path).startswith(os.path.realpath(f"{current.home}/cache") + "/")


def _fetch(path, most):
    """As a read of that file: judged, and on record."""
    found = []

    def go(_args):
        found.append(fetch.to_cache(path, most=most))
        return json.dumps({"sent": path})

    try:
        calls.call("read_file", {"path": path}, go)
    except OSError as error:
        calls.complain(f"could not bring out {path}", error)
    return found[0] if found else None
