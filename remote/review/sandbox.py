"""A stand-in for the sandbox: the protocol is real, the walls are not.

Commands run as this user in a directory for each session. `work` is a link to it: the agent knows
only that one path, as in the real sandbox.
"""

import base64
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time


class Sandbox:
    def __init__(self, path, folder):
        self.path, self.folder = path, folder
        self.work = os.path.join(folder, "work")
        self.requests, self._lock, self._room = [], threading.Lock(), None
        self.start()

    def start(self):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self._socket.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self):
        self._socket.close()
        os.unlink(self.path)

    def room(self, name):
        return os.path.join(self.folder, "rooms", name)

    def _serve(self):
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(peer,), daemon=True).start()

    def _one(self, peer):
        first, fds, _, _ = socket.recv_fds(peer, 4, 2)
        body, size = b"", int.from_bytes(first, "big")
        while len(body) < size:
            body += peer.recv(size - len(body))
        request = json.loads(body)
        room = self.room(request["session"])
        with self._lock:
            self.requests.append(request)
            os.makedirs(room, exist_ok=True)
            if self._room != room:
                link = f"{self.work}.new"
                os.symlink(room, link)
                os.replace(link, self.work)
                self._room = room
        for file in request["files"]:
            path = os.path.join(room, file["path"])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as out:
                out.write(base64.b64decode(file["data"]))
            os.chmod(path, file["mode"])
        child = subprocess.Popen(
            ["/bin/bash", "--noprofile", "--norc", "-c", request["script"]],
            stdin=fds[0],
            stdout=fds[1],
            stderr=subprocess.STDOUT,
            cwd=room,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": self.work, "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        for fd in fds:
            os.close(fd)
        code, end = None, time.monotonic() + request["timeout"]
        while code is None:
            if child.poll() is not None:
                code = child.returncode if child.returncode >= 0 else 128 - child.returncode
            elif time.monotonic() > end:
                code = 124
            elif select.select([peer], [], [], 0.01)[0]:
                code = 130
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()
        try:
            peer.sendall(b"%d\n" % code)
        except OSError:
            pass
        peer.close()
