"""What the agent says to the sandbox, in a few lines, and whatever a hostile agent may say."""

import contextlib
import json
import os
import pwd
import socket
import threading

SOCKET = "/run/petasos-agent/sandbox.sock"
NETWORK = "/run/petasos-agent/sandbox-net.sock"


@contextlib.contextmanager
def as_user(name):
    """Of this process, root's, what the kernel checks at a connect."""
    entry = pwd.getpwnam(name)
    groups = os.getgroups()
    os.setgroups(os.getgrouplist(name, entry.pw_gid))
    os.setegid(entry.pw_gid)
    os.seteuid(entry.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def connect(path=SOCKET, user="hermes"):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(60)
    try:
        with as_user(user):
            connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def body(script, session="case", **more):
    return json.dumps({"script": script, "session": session, **more}).encode()


class Running:
    """A command that was begun."""

    def __init__(self, data, path=SOCKET, descriptors=None, length=None):
        self.connection = connect(path)
        self.output = b""
        null = os.open("/dev/null", os.O_RDONLY)
        self.read, write = os.pipe()
        given = [null, write] if descriptors is None else descriptors
        head = (len(data) if length is None else length).to_bytes(4, "big")
        try:
            socket.send_fds(self.connection, [head], given)
            self.connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # Refused before all of it was read.
        os.close(null)
        os.close(write)
        self.reader = threading.Thread(target=self.drain, daemon=True)
        self.reader.start()

    def drain(self):
        while part := os.read(self.read, 1 << 16):
            self.output += part

    def end(self):
        """The answer, or nothing where there was none; and what was written."""
        try:
            answer = self.connection.recv(64)
        except ConnectionResetError:
            answer = b""
        self.reader.join(60)
        self.hang_up()
        os.close(self.read)
        return answer.decode().strip(), self.output.decode(errors="replace")

    def hang_up(self):
        self.connection.close()


def run(script, session="case", path=SOCKET, **more):
    return Running(body(script, session, **more), path).end()
