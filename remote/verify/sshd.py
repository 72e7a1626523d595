"""What sshd says of itself, and what the running one offers."""

import contextlib
import os
import socket
import subprocess

from .host import output_of
from .net import PATIENCE
from .patience import patience


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
        # Since OpenSSH 10.5 it spells them as sshd_config(5) does.
        pairs = ((key.lower(), value) for key, _, value in (line.partition(" ") for line in lines))
        found[user] = {key: value for key, value in pairs if key in keys}
    return found


# More than one address is to have places for, and fewer than all together.
KNOCKS = 16


def knocks(port):
    """Connections that never log in, at the running server: how many of one address it greets, and
    whether it has a place for another address then."""
    with contextlib.ExitStack() as held:
        one, other = stranger(), stranger()
        peers = [held.enter_context(knock(one, port)) for _ in range(KNOCKS)]
        greeted = sum(greeting(peer)[0] for peer in peers)
        return {
            "tried": KNOCKS,
            "greeted": greeted,
            "another": greeting(held.enter_context(knock(other, port)))[0],
        }


def knock(source, port):
    return socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0))


def greeting(peer):
    """Whether a server greets, and what it has said by then."""
    said = b""
    try:
        while b"\n" not in said:
            more = peer.recv(4096)
            if not more:
                break
            said += more
    except OSError:
        pass
    return said.startswith(b"SSH-"), said


LISTS = ("kexalgorithms", "hostkeyalgorithms", "ciphers", "", "macs")


def offer(port):
    """What the running server would do with a client."""
    with knock(stranger(), port) as peer:
        return algorithms(peer)


def open_offer():
    """The same of a server that lives for this one connection, and offers more."""
    ours, its = socket.socketpair()
    ours.settimeout(PATIENCE)
    more = "KexAlgorithms=+diffie-hellman-group14-sha1"
    command = ["/usr/sbin/sshd", "-i", "-f", "/dev/null", "-o", "LogLevel=QUIET", "-o", more]
    with ours, its, subprocess.Popen(command, stdin=its, stdout=its, stderr=its) as server:
        its.close()
        try:
            return algorithms(ours)
        finally:
            server.kill()


def algorithms(peer):
    """A server's first message: the algorithms that it takes, by what they are for."""
    told, said = greeting(peer)
    if not told:
        raise LookupError("the server does not greet")
    peer.sendall(b"SSH-2.0-petasos\r\n")
    said = said.partition(b"\n")[2]
    while len(said) < 5 or len(said) < 4 + int.from_bytes(said[:4], "big"):
        more = peer.recv(65536)
        if not more or len(said) > 1 << 16:
            raise LookupError("the server names no algorithms")
        said += more
    # Length, padding, kind and 16 random bytes come first; then lists with their lengths.
    at, found = 22, {}
    for name in LISTS:
        end = at + 4 + int.from_bytes(said[at : at + 4], "big")
        if name:
            found[name] = said[at + 4 : end].decode("ascii").split(",")
        at = end
    return found


OPTIONS = (
    "BatchMode=yes",
    "PubkeyAuthentication=no",
    "PreferredAuthentications=none",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
    f"ConnectTimeout={patience(5):.0f}",
)


def offered(argv):
    """The last line of a client that has no key: the refusal names what would be taken."""
    options = [word for option in OPTIONS for word in ("-o", option)]
    done = subprocess.run(
        ["ssh", "-F", "none", *options, *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience(10),
    )
    lines = done.stderr.strip().splitlines()
    if lines:
        return lines[-1]
    return f"let in ({done.returncode})" if done.returncode == 0 else ""


def running(user, port):
    """By the running server."""
    return offered(["-b", stranger(), "-p", str(port), f"{user}@127.0.0.1", "true"])


def stranger():
    """An address of loopback that nobody used before: sshd makes addresses wait that failed."""
    return "127." + ".".join(str(byte % 250 + 2) for byte in os.urandom(3))


def open_to_passwords(user):
    """By a server that lives for this one connection, on no port, and would take a password: the
    probe must see that."""
    server = (
        "/usr/sbin/sshd -i -f /dev/null -o PasswordAuthentication=yes -o UsePAM=no"
        " -o LogLevel=QUIET -o Port=1"
    )
    return offered(["-o", f"ProxyCommand={server}", f"{user}@one-time", "true"])
