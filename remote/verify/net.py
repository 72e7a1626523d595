"""What an attacker inside may try on the network, by address and port, and on sockets."""

import socket
import struct
import threading
from typing import Annotated

from .patience import patience
from .probe import no, yes

# Seconds that a connection and an answer may take.
PATIENCE = patience(4)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def opened(address, port):
    peer = socket.socket(family_of(address), socket.SOCK_STREAM)
    peer.settimeout(PATIENCE)
    peer.connect((address, port))
    return peer


def tcp(address: str, port: int):
    """A connection."""
    with opened(address, port):
        return yes(f"connected to {address} port {port}")


def udp(address: str, port: int, own: int | None = None):
    """A question; `own` is the port that it comes from, where that matters."""
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as peer:
        peer.settimeout(PATIENCE)
        if own:
            peer.bind(("127.0.0.1", own))
        peer.connect((address, port))
        peer.send(b"petasos")
        return yes(f"{len(peer.recv(2048))} bytes came back from {address} port {port}")


def unix(path):
    """A connection to another service's socket; tried by `any_of`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(PATIENCE)
        peer.connect(path)
    return yes(f"connected to {path}")


PING_SOCKETS = {"socket": socket.SOCK_DGRAM, "raw": socket.SOCK_RAW}


def ping(kind: Annotated[str, PING_SOCKETS], address: str):
    """An echo, by the kernel's ping socket or a raw one."""
    with socket.socket(socket.AF_INET, PING_SOCKETS[kind], socket.IPPROTO_ICMP) as peer:
        peer.settimeout(PATIENCE)
        peer.connect((address, 0))
        # An echo request with its checksum, number 1 of nobody.
        peer.send(struct.pack("!BBHHH", 8, 0, 0xF7FF - 1, 0, 1))
        return yes(f"{len(peer.recv(2048))} bytes came back")


def speak(address: str, port: int, text: str):
    """Something said in plain text; success is an answer."""
    with opened(address, port) as peer:
        peer.sendall(text.encode())
        answer = peer.recv(512)
    return yes(f"an answer: {answer[:40]!r}") if answer else no("closed without an answer")


def others(listeners: list[list], allowed: list[int]):
    """What other users serve on this host, but for the ports that the operator opened for the
    agent. A listener is its address, its port and who it is."""
    tried = [item for item in listeners if item[1] not in allowed]
    if not tried:
        return "nothing", "nobody else listens on this host"
    reached = []

    def one(address, port, owner):
        try:
            with opened(address, port):
                reached.append(f"{owner} at {address} port {port}")
        except OSError:
            pass

    threads = [threading.Thread(target=one, args=item, daemon=True) for item in tried]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if reached:
        return yes("reached " + ", ".join(sorted(reached)))
    return no(f"{len(tried)} services of others, none reached")


def neighbour(address: str, port: int | None):
    """A connection to a service of root's on loopback, where the host has such an address."""
    return tcp(address, port) if port else ("nothing", f"this host has no {address}")
