"""What an attacker inside may try by name: questions to resolvers, and a name said to a proxy."""

import os
import socket
import struct
import time
from typing import Annotated

from .net import PATIENCE, family_of, opened
from .probe import no, yes


def query(name):
    """A question of DNS about the IPv4 address of a name."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".") if part)
    header = struct.pack("!5H", 0x0100, 1, 0, 0, 0)
    return os.urandom(2) + header + labels + b"\0" + struct.pack("!2H", 1, 1)


def by_udp(server, port, question):
    with socket.socket(family_of(server), socket.SOCK_DGRAM) as peer:
        peer.settimeout(PATIENCE)
        peer.connect((server, port))
        peer.send(question)
        return peer.recv(4096)


def by_tcp(server, port, question):
    with opened(server, port) as peer:
        peer.sendall(struct.pack("!H", len(question)) + question)
        return peer.recv(4096)[2:]


TRANSPORTS = {"udp": by_udp, "tcp": by_tcp}


def dns(
    transport: Annotated[str, TRANSPORTS],
    address: str,
    port: int,
    name: str,
    any_answer: bool,
):
    """A question about a name. An answer with an address is success; where nobody at all should
    hear it, any answer is."""
    answer = TRANSPORTS[transport](address, port, query(name))
    if transport == "tcp" and not answer:
        return no("closed without an answer")
    code, count = answer[3] & 15, struct.unpack("!H", answer[6:8])[0]
    result = f"{count} addresses"
    if code:
        result = {3: "no such name", 5: "refused"}.get(code, f"code {code}")
    details = f"{address} answered: {result}"
    return yes(details) if any_answer or (code == 0 and count) else no(details)


def lookup(name: str):
    """A name as every program looks it up: by the C library, and all that stands behind it."""
    try:
        found = socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return no(f"{name}: {error.strerror}")
    return yes(f"{name} is {found[0][4][0]}")


def extension(number, body):
    return struct.pack("!2H", number, len(body)) + body


def hello(name, more=b""):
    """The first message of TLS. None leaves the name out; `more` are further extensions."""
    extensions = b""
    if name is not None:
        raw = name.encode("latin-1")
        extensions += extension(0, struct.pack("!HBH", len(raw) + 3, 0, len(raw)) + raw)
    extensions += extension(10, struct.pack("!4H", 6, 29, 23, 24)) + extension(11, b"\1\0")
    extensions += extension(13, struct.pack("!6H", 10, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805))
    extensions += more
    ciphers = struct.pack("!6H", 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8)
    body = b"\3\3" + os.urandom(32) + b"\0" + struct.pack("!H", len(ciphers)) + ciphers
    body += b"\1\0" + struct.pack("!H", len(extensions)) + extensions
    return b"\1" + struct.pack("!I", len(body))[1:] + body


def encrypted():
    """An Encrypted Client Hello: as nobody on the way can tell, with or without a name in it."""
    sealed = struct.pack("!B2HB", 0, 1, 1, 7)
    for length in (32, 208):
        sealed += struct.pack("!H", length) + os.urandom(length)
    return extension(0xFE0D, sealed)


def record(part):
    return b"\x16\3\1" + struct.pack("!H", len(part)) + part


def cut(message, *places):
    """The message, cut at these places."""
    ends = [*places, len(message)]
    return [message[start:end] for start, end in zip([0, *places], ends, strict=True)]


def half(message):
    """A place in the middle of the name, which stands near the end."""
    return len(message) - 40


# How the first message of TLS comes: what is sent at once, in order.
DELIVERIES = {
    "whole": lambda message: [record(message)],
    "packets": lambda message: cut(record(message), half(message)),
    "records": lambda message: [b"".join(map(record, cut(message, half(message))))],
    "bytes": lambda message: cut(record(message), 3, 7),
}
# The same with an Encrypted Client Hello in it, which is its end.
DELIVERIES |= {"encrypted": DELIVERIES["whole"], "encrypted_records": DELIVERIES["records"]}


def tls(address: str, port: int, name: str | None, delivery: Annotated[str, DELIVERIES]):
    """A first message of TLS with this name: whether anybody answers it."""
    more = encrypted() if delivery.startswith("encrypted") else b""
    parts = DELIVERIES[delivery](hello(name, more))
    with opened(address, port) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            peer.sendall(part)
            time.sleep(0.05 if len(parts) > 1 else 0)
        answer = peer.recv(512)
    return yes(f"{len(answer)} bytes of an answer") if answer else no("closed without an answer")
