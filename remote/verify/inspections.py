"""What root looks at, by name. Each is found, or has an error that says why not."""

import threading
import time

from . import policy, sshd, trail
from .backup import backup, drill, notice, vault
from .beside import beside
from .data import data, room, scripts
from .host import access, account, active_state, output_of, processes, unit_state
from .incident import incident
from .limits import limits, log_limits, records
from .listeners import listeners
from .patience import patience
from .release import release
from .secrets import secrets
from .upgrades import upgrades

LONGEST = patience(40)
NO_AGENT = "this host has no agent"
# What every host has.
OF_ALL = {"sshd", "doors", "open_doors", "knocks", "offer", "open_offer", "listeners"}
OF_ALL |= {"ufw", "upgrades", "vault", "notice"}


def inspections(spec):
    """Each as a function without arguments."""
    unit, admin = spec["unit"], spec["ssh_users"][0]

    def security():
        lines = output_of("systemd-analyze", "security", "--no-pager", unit).strip().splitlines()
        return lines[-1:]

    return {
        "processes": lambda: processes(unit),
        "unit": lambda: unit_state(unit),
        "account": lambda: account(spec["account"]),
        "security": security,
        "sshd": lambda: sshd.settings(spec["ssh_users"]),
        "doors": lambda: sshd.running(admin, spec["ssh_port"]),
        "open_doors": lambda: sshd.open_to_passwords(admin),
        "knocks": lambda: sshd.knocks(spec["ssh_port"]),
        "offer": lambda: sshd.offer(spec["ssh_port"]),
        "open_offer": sshd.open_offer,
        "listeners": listeners,
        "limits": lambda: limits(unit),
        "records": records,
        "log_limits": lambda: log_limits(spec["driven"]),
        "beside": lambda: beside(unit, spec["account"]),
        "secrets": lambda: secrets(unit, spec["account"]),
        "scripts": scripts,
        "room": lambda: room(unit),
        "ufw": lambda: output_of("ufw", "status", "verbose"),
        "release": lambda: release(spec["release"], spec["packages"]),
        "files": lambda: {path: access(path) for path in spec["files"]},
        "upgrades": upgrades,
        "policy": lambda: policy.running(unit),
        "data": lambda: data(unit),
        "verdicts": lambda: policy.verdicts(spec["tool_calls"]),
        "chain": trail.chain,
        "log": lambda: trail.log(spec["account"]),
        "backup": backup,
        "drill": drill,
        "incident": lambda: incident(spec["ssh_port"], spec["quarantine"]),
        "notice": notice,
        "vault": vault,
        "helpers": lambda: {name: active_state(name) for name in spec["helpers"]},
    }


def inspected(spec):
    """All side by side: most of their time is the start of programs."""
    every = inspections(spec)
    todo = {name: look for name, look in every.items() if spec["unit"] or name in OF_ALL}
    done = {name: {"error": NO_AGENT} for name in every.keys() - todo.keys()}

    def one(name, inspection):
        try:
            done[name] = {"found": inspection()}
        except Exception as error:  # whatever it is, this one was not had
            done[name] = {"error": f"{type(error).__name__}: {error}"}

    threads = [threading.Thread(target=one, args=item, daemon=True) for item in todo.items()]
    for thread in threads:
        thread.start()
    end = time.monotonic() + LONGEST
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    late = {"error": "it took too long"}
    return {name: done.get(name, late) for name in every}
