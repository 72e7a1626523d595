"""What keeps the agent from using its host up: limits that the kernel, systemd and journald hold it
to, as they are now."""

import json
import os

from .host import output_of, properties

GROUPS = "/sys/fs/cgroup"
# Where systemd tells journald of units.
TOLD = "/run/systemd/units"
ROOM = "/proc/sys/net/netfilter/nf_conntrack_max"


def limits(unit):
    """Memory and processes: by systemd, and by the kernel, whose groups not every host has."""
    found = properties(unit, ["ControlGroup", "MemoryMax", "TasksMax"])
    group = f"{GROUPS}{found.get('ControlGroup', '')}"
    return {
        "memory": found.get("MemoryMax", ""),
        "tasks": found.get("TasksMax", ""),
        "kernel_memory": _line(f"{group}/memory.max"),
        "kernel_tasks": _line(f"{group}/pids.max"),
    }


def records():
    """For how many connections the filter lets the agent have a record in the kernel, before it
    lets anything through; and how many there are for the whole host."""
    table = json.loads(output_of("nft", "-j", "list", "table", "inet", "petasos"))
    rules = [item["rule"] for item in table["nftables"] if "rule" in item]
    of_agent = [rule["expr"] for rule in rules if rule["chain"] == "agent"]
    first = {key: value for part in of_agent[:1] for item in part for key, value in item.items()}
    counted = first.get("ct count", {})
    is_limit = counted.get("inv") is True and "reject" in first and "match" in first
    room = _line(ROOM)
    return {"most": counted.get("val") if is_limit else None, "room": int(room) if room else None}


def log_limits(units):
    """How many lines each unit that runs may have in the journal in how many microseconds, as
    journald is told; 0 for no limit of its own. One that does not run writes nothing, and journald
    is told nothing of it."""
    run = [unit for unit in units if properties(unit, ["MainPID"]).get("MainPID", "0") != "0"]
    return {unit: [_told("burst", unit), _told("interval", unit)] for unit in run}


def _told(what, unit):
    try:
        return int(os.readlink(f"{TOLD}/log-rate-limit-{what}:{unit}"))
    except FileNotFoundError:
        return 0


def _line(path):
    """None where this kernel has none."""
    try:
        with open(path) as file:
            return file.read().strip()
    except FileNotFoundError:
        return None
