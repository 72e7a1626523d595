"""The proxy on an instance's own loopback; see egress.py. A process of its own, out of reach of the
command and without any rights."""

import socket
import string
import sys
import threading

import egress

MOST = 64
LONGEST_HEAD = 8192
PATIENCE = 10
LETTERS = frozenset(string.ascii_lowercase + string.digits + "-_.")

places = threading.BoundedSemaphore(MOST)


def listen():
    return socket.create_server(("127.0.0.1", egress.PORT))


def serve(listener):
    """Never returns."""
    known = egress.names()
    while True:
        places.acquire()
        client, _ = listener.accept()
        threading.Thread(target=attend, args=(client, known), daemon=True).start()


def attend(client, known):
    try:
        with client:
            client.settimeout(PATIENCE)
            lead(client, known)
    except OSError:
        pass
    finally:
        places.release()


def lead(client, known):
    name, port, early = head(client)
    if name is None:
        answer(client, "405 Only HTTPS", "The sandbox has HTTPS only, by CONNECT.")
        return
    way = egress.way_to(name, port, known)
    if way is None:
        note(name, port)
        answer(client, "403 Not allowed", f"{name}:{port} is not in agent.sandbox.allow.")
        return
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(way)
        except OSError:
            answer(client, "502 No egress", "The host's egress proxy does not run.")
            return
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        server.sendall(early)
        client.settimeout(None)
        back = threading.Thread(target=pump, args=(server, client), daemon=True)
        back.start()
        pump(client, server)
        back.join()


def head(client):
    """The name and the port that are asked for, and what came after."""
    got = b""
    while b"\r\n\r\n" not in got:
        part = client.recv(4096)
        if not part or len(got) > LONGEST_HEAD:
            return None, 0, b""
        got += part
    lines, _, early = got.partition(b"\r\n\r\n")
    words = lines.split(b"\r\n")[0].decode("ascii", "replace").split(" ")
    if len(words) != 3 or words[0] != "CONNECT":
        return None, 0, b""
    name, _, port = words[1].lower().rpartition(":")
    name = name.rstrip(".")
    if not name or not LETTERS.issuperset(name) or not port.isdecimal() or len(port) > 5:
        return None, 0, b""
    return name, int(port), early


def pump(source, target):
    try:
        while part := source.recv(1 << 16):
            target.sendall(part)
    except OSError:
        pass
    for end, how in ((source, socket.SHUT_RD), (target, socket.SHUT_WR)):
        try:
            end.shutdown(how)
        except OSError:
            pass


def answer(client, status, why):
    body = f"{why}\n".encode()
    lines = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    client.sendall(lines.encode() + body)


def note(name, port):
    """For `petasos egress`, in the words of the egress proxy's own log."""
    line = f'{{"name":"{name[:253]}","port":{port},"allowed":0,"to":"","status":403}}'
    print(line, file=sys.stderr, flush=True)
