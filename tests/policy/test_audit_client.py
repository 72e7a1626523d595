"""The audit writer's client against a writer that the test drives line by line."""

import json
import os
import socket
import tempfile
import threading
import time
import unittest

from policy import audit
from policy.errors import Broken, Late


class Peer:
    """Answers each line, unless told otherwise, and keeps what it heard."""

    def __init__(self, path):
        self.path, self.heard, self.answers, self.connections = path, [], [], []
        self.hold = threading.Event()
        self.hold.set()
        self.listen()

    def listen(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        threading.Thread(target=self.serve, args=(self.listener,), daemon=True).start()

    def serve(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection.makefile("rb") as lines:
            for line in lines:
                self.hold.wait(10)
                self.heard.append(json.loads(line)["n"])
                said = self.answers.pop(0) if self.answers else {"ok": True, "seq": len(self.heard)}
                try:
                    connection.sendall(json.dumps(said).encode() + b"\n")
                except OSError:
                    return

    def die(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(self.path)
        for connection in self.connections:
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.connections.clear()


class Client(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.peer = Peer(os.path.join(folder.name, "audit.sock"))
        self.complaints = []
        self.writer = audit.Writer(
            self.peer.path, lambda what, error: self.complaints.append(str(error))
        )

    def heard(self, count):
        end = time.monotonic() + 5
        while time.monotonic() < end and len(self.peer.heard) < count:
            time.sleep(0.01)
        return self.peer.heard

    def test_a_line_that_is_told_does_not_wait_and_comes_first(self):
        self.peer.hold.clear()
        began = time.monotonic()
        self.writer.tell("a", n=1)
        self.assertLess(time.monotonic() - began, 0.5)
        self.assertEqual(self.peer.heard, [])
        self.peer.hold.set()
        self.assertEqual(self.heard(1), [1], "also where nothing is said after it")
        # The answer is the second line's own.
        self.assertEqual(self.writer.say("b", n=2)["seq"], 2)
        self.assertEqual(self.peer.heard, [1, 2])

    def test_each_answer_is_the_one_of_its_line(self):
        for n in range(5):
            self.writer.tell("a", n=n)
        self.peer.answers = []
        self.assertEqual(self.writer.say("b", n=5)["seq"], 6)
        self.assertEqual(self.writer.say("b", n=6)["seq"], 7)
        self.assertEqual(self.peer.heard, list(range(7)))

    def test_a_refused_line_is_complained_of_and_the_next_is_not_held_up(self):
        self.peer.answers = [{"error": "too much at once"}]
        self.writer.tell("a", n=1)
        self.assertTrue(self.writer.say("b", n=2)["ok"])
        self.assertEqual(len(self.complaints), 1)
        self.assertIn("too much at once", self.complaints[0])

    def test_a_refused_line_that_is_said_is_broken(self):
        self.peer.answers = [{"error": "no"}]
        with self.assertRaises(Broken):
            self.writer.say("a", n=1)

    def test_a_writer_that_was_restarted_hears_what_it_did_not_answer(self):
        self.writer.say("a", n=0)
        self.peer.hold.clear()
        self.writer.tell("a", n=1)
        self.peer.die()
        self.peer.hold.set()
        time.sleep(0.1)
        self.peer.heard.clear()
        self.writer.tell("a", n=2)
        self.peer.listen()
        self.assertTrue(self.writer.say("b", n=3)["ok"])
        self.assertEqual(self.peer.heard, [1, 2, 3])

    def test_without_a_writer_nothing_that_is_said_passes(self):
        self.peer.die()
        self.writer.tell("a", n=1)
        with self.assertRaises(Broken) as raised:
            self.writer.say("b", n=2)
        self.assertNotIsInstance(raised.exception, Late)
        with self.assertRaises(Broken):
            for n in range(50):
                self.writer.tell("a", n=n)
        self.peer.listen()
        self.writer.say("b", n=99)
        self.assertEqual(self.peer.heard[-1], 99)
        self.assertLessEqual(len(self.peer.heard), audit.MOST_OPEN + 1)

    def test_a_silent_writer_costs_one_wait(self):
        self.writer.say("a", n=0)
        self.peer.hold.clear()
        self.addCleanup(self.peer.hold.set)
        self.writer.tell("a", n=1)
        began = time.monotonic()
        with self.assertRaises(Late):
            self.writer.say("b", n=2)
        self.assertLess(time.monotonic() - began, 2 * audit.TIMEOUT)


if __name__ == "__main__":
    unittest.main()
