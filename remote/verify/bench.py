"""Listeners of the driver's own on loopback, and the words that stand for their ports in a call."""

import socket
import threading

from .net import PATIENCE


def in_background(serve, *arguments):
    threading.Thread(target=serve, args=arguments, daemon=True).start()


def echo(sink):
    """Answers each datagram as a resolver would."""
    while True:
        text, peer = sink.recvfrom(4096)
        sink.sendto(text[:2] + b"\x81\x80\0\0\0\1\0\0\0\0" + text[12:], peer)


def echoing():
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 0))
    in_background(echo, sink)
    return sink


def bench():
    """Where every attack that leads out must succeed, or the probe is blind."""

    def serve(listener):
        while True:
            peer, _ = listener.accept()
            in_background(answer, peer)

    def answer(peer):
        try:
            heard = peer.recv(4096)
            # The rest of what comes in pieces: who closes before it was read breaks the line.
            peer.settimeout(0.3)
            try:
                while heard and peer.recv(4096):
                    pass
            except TimeoutError:
                pass
            if heard:
                # In the length of a message of DNS over TCP: one answer of nobody's, which is an
                # answer.
                peer.sendall(b"\0\x0c\0\0\x81\x80\0\0\0\1\0\0\0\0")
            peer.close()
        except OSError:
            pass

    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    in_background(serve, listener)
    return {"@tcp": listener.getsockname()[1], "@udp": echoing().getsockname()[1]}


def plant():
    """A service of root's on loopback, at a port where anybody may listen: the agent is not to
    reach it."""

    def greet(listener):
        while True:
            listener.accept()[0].close()

    ports = {"@planted": None, "@planted6": None}
    for word, family, address in (
        ("@planted", socket.AF_INET, "127.0.0.1"),
        ("@planted6", socket.AF_INET6, "::1"),
    ):
        try:
            listener = socket.create_server((address, 0), family=family)
        except OSError:  # a host without IPv6
            continue
        in_background(greet, listener)
        ports[word] = listener.getsockname()[1]
    sink = echoing()
    # A question of root's from a port that is anybody's afterwards.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(PATIENCE)
        asker.connect(sink.getsockname())
        asker.send(b"petasos")
        asker.recv(64)
        left = asker.getsockname()[1]
    return {**ports, "@planted-udp": sink.getsockname()[1], "@left": left}


def filled(call, places):
    """A call with the ports in place of the words that stand for them."""
    arguments = {
        key: places.get(value, value) if isinstance(value, str) else value
        for key, value in call.get("arguments", {}).items()
    }
    return {**call, "arguments": arguments}
