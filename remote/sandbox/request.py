"""What the agent sends: two descriptors, four bytes of length, and that much JSON. All of it is
hostile, and read without any rights."""

# What is behind `json` and `socket`: those two would cost as much time as starting Python does.
import _json
import _socket
import binascii
import os
import select
import stat
import time

import session

LARGEST = 32 << 20
# For all of a request to arrive.
PATIENCE = 10
MOST_FILES = 1000
KEYS = {"script", "timeout", "session", "network", "background", "files"}


class Refused(Exception):
    """Why a request is not carried out, for the one who sent it."""


class Reader:
    """What `_json` asks of a decoder."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, memo = float, int, {}

    @staticmethod
    def parse_constant(name):
        raise Refused(f"{name} is no number")


def receive(descriptor):
    """The connection, the two descriptors, and the request's bytes."""
    connection = _socket.socket(fileno=os.dup(descriptor))
    deadline = time.monotonic() + PATIENCE
    wait(connection, deadline)
    room = _socket.CMSG_SPACE(2 * 4)
    head, extras, _, _ = connection.recvmsg(4, room, _socket.MSG_CMSG_CLOEXEC)
    streams = []
    for level, kind, data in extras:
        if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS):
            whole = range(0, len(data) - len(data) % 4, 4)
            streams += [int.from_bytes(data[at : at + 4], "little") for at in whole]
    head += exactly(connection, 4 - len(head), deadline)
    size = int.from_bytes(head, "big")
    if len(streams) != 2 or size > LARGEST:
        raise EOFError
    return connection, streams, exactly(connection, size, deadline)


def exactly(connection, size, deadline):
    body = bytearray()
    while len(body) < size:
        wait(connection, deadline)
        part = connection.recv(min(size - len(body), 1 << 18))
        if not part:
            raise EOFError
        body += part
    return bytes(body)


def wait(connection, deadline):
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    if not poll.poll(max(0, deadline - time.monotonic()) * 1000):
        raise EOFError


def refuse_odd(stream):
    """A directory or a socket would be a way out of this root or this network."""
    what = os.fstat(stream)
    null = stat.S_ISCHR(what.st_mode) and what.st_rdev == os.makedev(1, 3)
    if not (null or stat.S_ISFIFO(what.st_mode) or stat.S_ISREG(what.st_mode)):
        raise Refused("the two descriptors are pipes, files or /dev/null")


def parse(body):
    try:
        words = body.decode()
        start = len(words) - len(words.lstrip())
        request, end = _json.make_scanner(Reader)(words, start)
        if words[end:].strip():
            raise ValueError
    except (ValueError, StopIteration, RecursionError, SystemError):
        # The last where it cannot find the exception of `json`, before Python 3.12.
        raise Refused("the request is no JSON") from None
    if not isinstance(request, dict) or set(request) - KEYS:
        raise Refused(f"a request is a map of {', '.join(sorted(KEYS))}")
    return request


class Request:
    def __init__(self, body):
        given = parse(body)

        def take(key, kind, default):
            value = given.get(key, default)
            # `True` is a number for Python.
            if type(value) is not kind:
                raise Refused(f"`{key}` has the wrong type")
            return value

        try:
            self.script = take("script", str, None).encode()
            self.session = take("session", str, None).encode()
        except UnicodeEncodeError:
            raise Refused("half a letter, which UTF-8 does not have") from None
        if b"\0" in self.script:
            raise Refused("`script` has a byte that ends a text")
        if not session.is_name(self.session):
            raise Refused("`session` has 1 to 64 of a-z, 0-9 and -")
        self.timeout = take("timeout", int, 0)
        if self.timeout < 0:
            raise Refused("`timeout` is below zero")
        self.network = take("network", bool, False)
        self.background = take("background", bool, False)
        files = take("files", list, [])
        if len(files) > MOST_FILES:
            raise Refused(f"at most {MOST_FILES} files at once")
        self.files = [file(entry) for entry in files]


def file(entry):
    """Path, mode and bytes of a file that comes along."""
    try:
        path, mode, data = entry["path"], entry.get("mode", 0o644), entry["data"]
        data = binascii.a2b_base64(data.encode("ascii"))
        parts = path.encode().split(b"/")
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Refused("a file has `path`, `mode` and `data` in base64") from None
    odd = any(part in (b"", b".", b"..") or len(part) > 255 or b"\0" in part for part in parts)
    if type(mode) is not int or odd or len(parts) > 32:
        raise Refused("a file's path is relative, below /work, and has no `..`")
    # Neither bits that lend rights, nor others' to write.
    return parts, mode & 0o755 | 0o600, data
