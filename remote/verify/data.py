"""What lies in the agent's data where the agent would obey it: whether root's files and folders are
over it, what was planted below them, and where logins lead."""

import importlib
import json
import os
import sys

from . import policy

HOME = "/home/hermes/.hermes"


def data(unit):
    with open(policy.POLICY, "rb") as file:
        declared = json.load(file)
    places, set_aside, destinations = _own("places", "set_aside", "destinations")
    names = declared["data"]["covered"]
    servers = destinations.servers(declared["models"]["file"])
    pid = policy.main_pid(unit)
    over = places.mounted(f"/proc/{pid}/mountinfo") if pid else {}
    here = os.open(HOME, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        planted = set_aside.planted(here, names)
        elsewhere = [
            url
            for url in ([] if "auth.json" in names else _urls(here, "auth.json"))
            if not destinations.is_known(url, servers)
        ]
    finally:
        os.close(here)
    return {
        "uncovered": [name for name in names if not places.is_covered(name, over)],
        "planted": planted,
        "elsewhere": sorted(set(elsewhere))[:20],
    }


def room(unit):
    """What the running agent has room for in its data, in bytes; none where that is a part of the
    file system around it."""
    pid = policy.main_pid(unit)
    top = f"/proc/{pid}/root{HOME}" if pid else HOME
    if os.stat(top).st_dev == os.stat(os.path.dirname(top)).st_dev:
        return None
    seen = os.statvfs(top)
    return seen.f_blocks * seen.f_frsize


def scripts():
    """How many of the agent's timed jobs would run a script."""
    here = os.open(HOME, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        text = _text(here, "cron/jobs.json")
    finally:
        os.close(here)
    jobs = json.loads(text or "{}", strict=False)
    jobs = jobs.get("jobs", []) if isinstance(jobs, dict) else jobs
    return sum(bool(job.get("script") or job.get("no_agent")) for job in jobs)


def _own(*names):
    # What is in the folder is as `petasos up` made it, and stays so.
    sys.dont_write_bytecode = True
    sys.path.insert(0, policy.FOLDER)
    try:
        return [importlib.import_module(f"petasos_policy.{name}") for name in names]
    finally:
        sys.path.remove(policy.FOLDER)


def _urls(here, name):
    """All addresses of a file of JSON."""
    todo, found = [json.loads(_text(here, name) or "{}")], []
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            todo += node.values()
        elif isinstance(node, list):
            todo += node
        elif isinstance(node, str) and node.lower().startswith(("http://", "https://")):
            found.append(node)
    return found


def _text(here, path):
    """What a file says, at most a few megabytes of it; nothing where there is none. No link is
    followed: it is the agent's."""
    folder, _, name = path.rpartition("/")
    try:
        here = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
    except FileNotFoundError:
        return b""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
    except FileNotFoundError:
        return b""
    finally:
        os.close(here)
    with open(file, "rb") as file:
        return file.read(4 << 20)
