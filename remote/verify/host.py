"""What root sees of units, accounts and files."""

import grp
import os
import pwd
import subprocess

from .patience import patience


def output_of(*argv, timeout=10):
    """What a program prints; nothing where it cannot run."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience(timeout),
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def properties(unit, keys):
    """Those properties of a unit that systemd has, of these."""
    lines = output_of("systemctl", "show", unit, *(f"-p{key}" for key in keys)).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


UNIT = ("ActiveState", "DropInPaths", "FragmentPath", "Group", "NeedDaemonReload", "User")


def unit_state(unit):
    found = properties(unit, UNIT)
    missing = [key for key in UNIT if key not in found]
    if missing:
        raise LookupError(f"systemctl shows no {', '.join(missing)} of {unit}")
    return found


def active_state(unit):
    return properties(unit, ["ActiveState"]).get("ActiveState", "")


STATUS = ("Name", "Uid", "Gid", "Groups", "NoNewPrivs", "Seccomp", "CapEff", "CapBnd")


def processes(unit):
    """Every process of a unit, by the kernel's own records."""
    return list(filter(None, map(status_of, pids(unit))))


def pids(unit):
    """The numbers of a unit's processes."""
    group = properties(unit, ["ControlGroup"]).get("ControlGroup", "")
    found = []
    for root in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"):
        for folder, _, files in os.walk(root + group) if group else ():
            if "cgroup.procs" not in files:
                continue
            with open(f"{folder}/cgroup.procs") as file:
                found += file.read().split()
        if found:
            break
    return found


def status_of(pid):
    """None once it has ended."""
    try:
        with open(f"/proc/{pid}/status") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except OSError:
        return None
    return {key: status.get(key, "") for key in STATUS}


def account(name):
    entry = pwd.getpwnam(name)
    password = output_of("passwd", "--status", name).split()
    groups = [group.gr_name for group in grp.getgrall() if name in group.gr_mem]
    return {
        "uid": entry.pw_uid,
        "shell": entry.pw_shell,
        "group": grp.getgrgid(entry.pw_gid).gr_name,
        "groups": sorted(groups),
        "password": password[1] if len(password) > 1 else "",
        "sudo": output_of("sudo", "-n", "-l", "-U", name).strip(),
    }


def owner_of(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def access(path):
    """The owner and the mode of a file; None where it is not there."""
    try:
        seen = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return {"owner": owner_of(seen.st_uid), "mode": f"{seen.st_mode & 0o7777:04o}"}
