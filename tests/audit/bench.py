"""What the tests of the audit writer share: a writer at work, clients, and a walk along the chain
that knows nothing of the writer's code."""

import hashlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WRITER = os.path.join(ROOT, "remote/audit/writer.py")
sys.path.insert(0, os.path.join(ROOT, "remote"))
# A user that is not root, whom the writer does not limit.
NOBODY = 65534
ZEROS = "0" * 64


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def send(self, raw):
        self.socket.sendall(raw)

    def answer(self):
        line = self.file.readline()
        return json.loads(line) if line else None

    def ask(self, event, **fields):
        self.send(json.dumps({"event": event, **fields}).encode() + b"\n")
        return self.answer()

    def close(self):
        self.file.close()
        self.socket.close()


def _limit(pair):
    return pair and {"count": pair[0], "seconds": pair[1]}


class WithWriter(unittest.TestCase):
    """A directory, a socket that stays, and a writer that can be stopped and started."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="petasos-audit-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        os.chmod(self.folder, 0o755)
        self.log = os.path.join(self.folder, "log")
        os.mkdir(self.log)
        self.socket = os.path.join(self.folder, "audit.sock")
        self.policy = os.path.join(self.folder, "policy.json")
        self.rates()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.socket)
        os.chmod(self.socket, 0o666)
        self.listener.listen(64)
        self.addCleanup(self.listener.close)
        self.process, self.said = None, []
        self.addCleanup(self.stop)

    def start(self, *options, user=None, head=True):
        # As systemd hands it over.
        third = f'exec "$@" 3<&{self.listener.fileno()}'
        argv = [sys.executable, "-I", "-S", "-B", WRITER, self.log, user or str(os.getuid())]
        argv.append(self.policy)
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", third, "bash", *argv, *options],
            env={"LISTEN_FDS": "1"},
            pass_fds=(self.listener.fileno(),),
            stderr=subprocess.PIPE,
        )
        self.said.append("")
        before = len(self.heads())
        self.until(lambda: len(self.heads()) > before or not head, "it never began")

    def rates(self, default=(30, 3600), webhook_route=None, model_calls=None, **platforms):
        """The policy's limits from now on, replaced as Petasos replaces files."""
        rate = {"default": default, "webhook_route": webhook_route, "model_calls": model_calls}
        rate = {name: _limit(value) for name, value in rate.items()}
        rate["platforms"] = {name: _limit(value) for name, value in platforms.items()}
        self.write_policy(json.dumps({"rate": rate}))

    def write_policy(self, text):
        with open(self.policy + ".new", "w") as file:
            file.write(text)
        os.rename(self.policy + ".new", self.policy)

    def stop(self, number=signal.SIGTERM):
        if self.process is None:
            return None
        self.process.send_signal(number)
        code = self.process.wait(20)
        self.heads()
        self.process.stderr.close()
        self.process = None
        return code

    def heads(self):
        """The heads in the journal so far: `(seq, digest)`."""
        while self.process and select.select([self.process.stderr], [], [], 0)[0]:
            got = os.read(self.process.stderr.fileno(), 1 << 20)
            if not got:
                break
            self.said.append(got.decode())
        found = re.findall(r"^head (\d+) ([0-9a-f]{64})", "".join(self.said), re.M)
        return [(int(seq), digest) for seq, digest in found]

    def until(self, ready, why, seconds=20):
        end = time.monotonic() + seconds
        while not ready():
            self.assertLess(time.monotonic(), end, f"{why}: {self.said}")
            time.sleep(0.01)

    def client(self):
        client = Client(self.socket)
        self.addCleanup(client.close)
        return client

    def as_nobody(self, program, *args):
        """A program of another user, with the socket's path as its first argument."""
        return subprocess.Popen(
            [sys.executable, "-I", "-c", program, self.socket, *args],
            user=NOBODY,
            group=NOBODY,
            cwd="/",
            stdout=subprocess.PIPE,
            text=True,
        )

    def files(self):
        """All of the log, the oldest first."""
        names = sorted(
            name for name in os.listdir(self.log) if re.fullmatch(r"audit-\d+.jsonl", name)
        )
        return [os.path.join(self.log, name) for name in [*names, "audit.jsonl"]]

    def lines(self):
        raw = []
        for path in self.files():
            with open(path, "rb") as file:
                raw += file.read().splitlines(keepends=True)
        return raw

    def records(self):
        return [json.loads(line) for line in self.lines()]

    def assert_sound(self, first=1, before=ZEROS):
        """Walks the whole chain, and holds the heads of the journal against it."""
        seqs = {}
        for number, line in enumerate(self.lines(), first):
            record = json.loads(line)
            self.assertTrue(line.endswith(b"\n") and line.isascii())
            self.assertEqual(record["seq"], number)
            if before is not None:
                self.assertEqual(record["prev"], before, f"line {number}")
            before = hashlib.sha256(line).hexdigest()
            seqs[number] = before
        for seq, digest in self.heads():
            if seq >= first:
                self.assertEqual(seqs.get(seq), digest, f"head {seq}")
        return seqs
