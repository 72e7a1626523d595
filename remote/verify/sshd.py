"""What sshd says of itself, and what the running one offers."""

import os
import subprocess

from .host import output_of


def settings(users):
    """sshd's settings for these users, from an address that has none of its own."""
    keys = {
        "kbdinteractiveauthentication",
        "maxstartups",
        "passwordauthentication",
        "permitemptypasswords",
        "permitrootlogin",
        "persourcemaxstartups",
        "pubkeyauthentication",
    }
    found = {}
    for user in users:
        lines = output_of(
            "sshd", "-T", "-C", f"user={user},host=verify,addr=203.0.113.200"
        ).splitlines()
        pairs = (line.partition(" ") for line in lines)
        found[user] = {key: value for key, _, value in pairs if key in keys}
    return found


OPTIONS = (
    "BatchMode=yes",
    "PubkeyAuthentication=no",
    "PreferredAuthentications=none",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
    "ConnectTimeout=5",
)


def offered(argv):
    """The last line of a client that has no key: the refusal names what would be taken."""
    options = [word for option in OPTIONS for word in ("-o", option)]
    done = subprocess.run(
        ["ssh", "-F", "none", *options, *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=10,
    )
    lines = done.stderr.strip().splitlines()
    if lines:
        return lines[-1]
    return f"let in ({done.returncode})" if done.returncode == 0 else ""


def running(user, port):
    """By the running server."""
    # From an address of loopback that nobody used before: sshd makes addresses wait that failed.
    source = "127." + ".".join(str(byte % 250 + 2) for byte in os.urandom(3))
    return offered(["-b", source, "-p", str(port), f"{user}@127.0.0.1", "true"])


def open_to_passwords(user):
    """By a server that lives for this one connection, on no port, and would take a password: the
    probe must see that."""
    server = (
        "/usr/sbin/sshd -i -f /dev/null -o PasswordAuthentication=yes -o UsePAM=no"
        " -o LogLevel=QUIET -o Port=1"
    )
    return offered(["-o", f"ProxyCommand={server}", f"{user}@one-time", "true"])
