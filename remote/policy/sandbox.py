"""The sandbox's client: one connection is one command, in an instance of its own.

What is sent: two file descriptors beside a length, then that many bytes of JSON. What comes back
is one line with the exit code. Hanging up kills everything in the instance.
"""

import base64
import json
import os
import select
import socket
import threading
import time

from . import current

# The home of every command, whoever it is for: the directory that is mounted there differs.
WORK = "/work"
SCRATCH = f"{WORK}/.tmp"
CONNECT, TIMED_OUT, KILLED, UNREACHABLE = 20, 124, 137, 126
# What one command may say. The agent's own file tools read whole files, into its memory.
MOST_OUTPUT = 64 << 20
TOO_MUCH = "this is too much to read at once: the file or the output is larger than 16 MiB"
MESSAGE = "the sandbox does not answer, so nothing was run"


class Handle:
    """A command in the sandbox, in the shape that the agent expects of a process."""

    pid = None

    def __init__(self, stdout, sock=None, code=None):
        self.stdout, self._sock, self.returncode = stdout, sock, code
        self._said, self._lock = b"", threading.Lock()

    def poll(self):
        return self._hear(0)

    def wait(self, timeout=None):
        end = None if timeout is None else time.monotonic() + timeout
        while self._hear(0.5 if end is None else max(0, min(0.5, end - time.monotonic()))) is None:
            if end is not None and time.monotonic() >= end:
                raise TimeoutError("the command still runs")
        return self.returncode

    def kill(self):
        with self._lock:
            if self.returncode is None:
                self.returncode = KILLED
            if self._sock is not None:
                self._sock.close()

    terminate = kill

    def _hear(self, timeout):
        with self._lock:
            if self.returncode is not None:
                return self.returncode
            try:
                if not select.select([self._sock], [], [], timeout)[0]:
                    return None
                got = self._sock.recv(256)
            except (OSError, ValueError):
                got = b""
            self._said += got
            if got and b"\n" not in self._said:
                return None
            try:
                self.returncode = int(self._said.split(b"\n")[0])
            except ValueError:
                self.returncode = KILLED  # It ended without a word.
            self._sock.close()
            return self.returncode


def start(script, *, room, timeout, stdin=None, background=False, files=()):
    """Starts a command. Where the sandbox cannot be had the handle has ended and says so."""
    settings = current.the_policy().sandbox
    request = {
        "script": script,
        "timeout": max(1, min(int(timeout), int(settings.timeout) if not background else 86400)),
        "session": room,
        "network": settings.network == "names",
        "background": background,
        "files": [pack(*file) for file in files],
    }
    body = json.dumps(request).encode("utf-8", "replace")
    out, out_end = os.pipe2(os.O_CLOEXEC)
    if stdin is None:
        in_end, feed = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC), None
    else:
        in_end, feed = os.pipe2(os.O_CLOEXEC)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stdout = os.fdopen(out, "r", encoding="utf-8", errors="replace")
    try:
        sock.settimeout(CONNECT)
        sock.connect(settings.socket)
        socket.send_fds(sock, [len(body).to_bytes(4, "big")], [in_end, out_end])
        sock.sendall(body)
        sock.settimeout(None)
    except OSError as error:
        sock.close()
        if feed is not None:
            os.close(feed)
        os.write(out_end, f"{MESSAGE}: {error}\n".encode())
        return Handle(stdout, code=UNREACHABLE)
    finally:
        os.close(in_end)
        os.close(out_end)
    handle = Handle(stdout, sock)
    if callable(stdin):
        stdin(feed)
    elif feed is not None:
        data = stdin.encode("utf-8", "replace") if isinstance(stdin, str) else stdin
        threading.Thread(target=_feed, args=(feed, data), daemon=True).start()
    return handle


def bounded(handle):
    """The same command, which ends where it says more than `MOST_OUTPUT`."""
    source = handle.stdout
    out, end = os.pipe2(os.O_CLOEXEC)
    handle.stdout = os.fdopen(out, "r", encoding="utf-8", errors="replace")

    def pump():
        left = MOST_OUTPUT
        with source, os.fdopen(end, "wb", 0) as sink:
            try:
                while got := os.read(source.fileno(), min(1 << 16, left)):
                    sink.write(got)
                    left -= len(got)
                    if not left:
                        handle.kill()
                        return
            except OSError:
                pass  # Nobody reads any more.

    threading.Thread(target=pump, daemon=True).start()
    return handle


def run(script, *, room, timeout=60, most=64 << 20):
    """Runs a command to its end: (exit code, what it wrote as bytes, cut at `most`)."""
    handle = start(script, room=room, timeout=timeout)
    parts, size, end = [], 0, time.monotonic() + timeout + 5
    fd = handle.stdout.fileno()
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.2)[0]:
            if handle.poll() is not None:
                break
            continue
        got = os.read(fd, 1 << 16)
        if not got or size > most:
            break
        parts.append(got)
        size += len(got)
    handle.stdout.close()
    try:
        code = handle.wait(timeout=5)
    except TimeoutError:
        handle.kill()
        code = TIMED_OUT
    return code, b"".join(parts)[:most]


def pack(path, mode, data):
    return {"path": path, "mode": mode, "data": base64.b64encode(data).decode()}


def _feed(fd, data):
    try:
        with os.fdopen(fd, "wb") as pipe:
            pipe.write(data)
    except OSError:
        pass
