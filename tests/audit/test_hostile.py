"""Clients that do their worst: the agent's own user is one of them."""

import json
import os
import socket
import time
import unittest

import bench

# Connects to its first argument: argv[2] says what it does then.
FLOOD = """
import json, socket, sys, time
def connect():
    s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1]); return s
def ask(s, **fields):
    s.sendall(json.dumps(fields).encode() + b"\\n")
    return json.loads(s.makefile("rb").readline() or b"null")
"""
LINE = 32 * 1024


class Hostile(bench.WithWriter):
    def test_the_writers_own_fields_are_its_own(self):
        self.start()
        client = self.client()
        forged = {
            "seq": 1,
            "time": "x",
            "uid": 7,
            "pid": 1,
            "prev": "y",
            "used": 5,
            "verdict": "allow",
        }
        client.send(json.dumps({"event": "tool_call", **forged}).encode() + b"\n")
        client.answer()
        self.rates(p=(1, 60))
        for _ in range(2):
            client.ask("message", platform="p", user="u", verdict="allow", used=0, retry=0)
        tool, first, second = self.records()[1:]
        self.assertEqual((tool["seq"], tool["uid"], tool["pid"]), (2, os.getuid(), os.getpid()))
        self.assertEqual(
            (tool["used"], tool["verdict"]), (5, "allow"), "of other events they are not"
        )
        self.assertEqual((first["verdict"], first["used"]), ("allow", 1))
        self.assertEqual((second["verdict"], second["used"]), ("deny", 1))
        self.assertGreater(second["retry"], 50)
        for line in self.lines():
            self.assertEqual(line.count(b'"seq":'), 1)
        self.assert_sound()

    def test_its_own_events_cannot_be_said(self):
        self.start()
        for event in ("audit_start", "audit_file", "Tool", "", "a" * 33, "a\nb", 5, None, ["a"]):
            self.assertIn("error", self.client().ask(event), event)
        self.assertEqual(len(self.lines()), 1)

    def test_what_is_no_request_ends_the_connection(self):
        self.start()
        deep = b'{"event":"a","x":' + b"[" * 10000 + b"]" * 10000 + b"}"
        bad = [
            b"x",
            b"",
            b"[]",
            b'{"event":"a"',
            b'{"event":"a","x":NaN}',
            b"\xff",
            b'{"event":"\xff"}',
            deep,
        ]
        bad += [b'{"event":"a","x":"' + b"x" * LINE + b'"}']
        for raw in bad:
            client = self.client()
            client.send(raw + b"\n" + b'{"event":"tool_call"}\n')
            self.assertIn("error", client.answer(), raw[:40])
            self.assertIsNone(client.answer(), raw[:40])
        self.assertEqual(len(self.lines()), 1)

    def test_what_other_readers_would_stumble_over_is_refused_or_replaced(self):
        self.start()
        client = self.client()
        for value in ("[" * 40 + "]" * 40, "1e999", "9" * 25, "-" + "9" * 25):
            client.send(b'{"event":"a","x":' + value.encode() + b"}\n")
            self.assertIn("error", client.answer(), value)
        client.send(
            b'{"event":"a","\\ud800":"\\udfff \\ud83d\\ude00",'
            b'"e":"\xc2\x9b2J","n":"a\\nb\\u001b[2J"}\n'
        )
        self.assertTrue(client.answer()["ok"])
        line = self.lines()[-1]
        self.assertTrue(line.isascii() and line.count(b"\n") == 1 and b"\x1b" not in line)
        self.assertEqual(json.loads(line)["\ufffd"], "\ufffd \U0001f600")

    def test_a_line_of_32_kib_is_the_longest(self):
        self.start()
        client = self.client()
        head, tail = b'{"event":"a","x":"', b'"}'
        client.send(head + b"x" * (LINE - len(head + tail)) + tail + b"\n")
        self.assertTrue(client.answer()["ok"])
        client.send(head + b"x" * (LINE + 1 - len(head + tail)) + tail + b"\n")
        self.assertIn("error", client.answer())
        endless = self.client()
        endless.send(b"x" * (4 * LINE))
        self.assertIn("error", endless.answer())

    def test_who_never_reads_holds_up_nobody(self):
        self.start()
        deaf = [socket.socket(socket.AF_UNIX) for _ in range(8)]
        request = b'{"event":"a"}\n' * 1000
        for client in deaf:
            client.setblocking(False)
            client.connect(self.socket)
        other, slowest = self.client(), 0
        end = time.monotonic() + 14
        while time.monotonic() < end:
            for client in deaf:
                try:
                    client.send(request)
                except OSError:
                    pass
            began = time.monotonic()
            self.assertTrue(other.ask("tool_call")["ok"])
            slowest = max(slowest, time.monotonic() - began)
        self.assertLess(slowest, 2)
        for client in deaf:
            gone = (BrokenPipeError, ConnectionResetError)
            with self.assertRaises(gone, msg="after a while they are cut off"):
                client.settimeout(20)
                for _ in range(1000):
                    client.send(request)
            client.close()
        self.assert_sound()

    def test_a_slow_writer_of_half_lines_holds_up_nobody(self):
        self.start()
        slow = [self.client() for _ in range(20)]
        for client in slow:
            client.send(b'{"event":"tool')
        self.assertTrue(self.client().ask("tool_call")["ok"])
        for client in slow:
            client.send(b'_call"}\n')
            self.assertTrue(client.answer()["ok"])

    def test_who_asks_and_hangs_up_is_still_in_the_log(self):
        self.start()
        client = self.client()
        client.send(b'{"event":"tool_call","id":"last"}\n')
        client.socket.shutdown(socket.SHUT_WR)
        self.assertTrue(client.answer()["ok"])
        self.assertIsNone(client.answer())
        self.assertEqual(self.records()[-1]["id"], "last")


@unittest.skipIf(os.getuid(), "needs root, to be somebody else")
class OtherUsers(bench.WithWriter):
    def test_strangers_are_not_heard(self):
        self.start(user="12345")
        program = FLOOD + (
            "s = connect()\n"
            'try:\n    s.sendall(b\'{"event":"a"}\\n\')\n    print(s.recv(10))\n'
            "except OSError: print(b'')\n"
        )
        self.assertEqual(self.as_nobody(program).communicate()[0], "b''\n")
        self.assertEqual(len(self.lines()), 1)

    def test_one_user_has_32_connections_and_root_still_gets_in(self):
        self.start(user=str(bench.NOBODY))
        program = FLOOD + (
            "held = []\nfor _ in range(60):\n    held.append(connect())\n"
            "def alive(s):\n"
            "    try: return ask(s, event='a') is not None\n"
            "    except OSError: return False\n"
            "print(sum(map(alive, held)), flush=True)\ntime.sleep(30)\n"
        )
        hog = self.as_nobody(program)
        self.assertEqual(hog.stdout.readline(), "32\n")
        self.assertTrue(self.client().ask("tool_call")["ok"])
        hog.kill()
        hog.communicate()

    def test_a_flood_is_throttled_and_root_is_heard(self):
        self.start(user=str(bench.NOBODY))
        program = FLOOD + (
            "s = connect(); taken = 0; end = time.time() + 6\n"
            "while time.time() < end:\n"
            "    taken += 'seq' in ask(s, event='tool_call', filler='x' * 30000)\n"
            "print(taken * 30000)\n"
        )
        flood = self.as_nobody(program)
        client = self.client()
        while flood.poll() is None:
            self.assertTrue(client.ask("tool_call")["ok"])
            time.sleep(0.05)
        taken = int(flood.communicate()[0])
        self.assertGreater(taken, 3 << 20)
        self.assertLess(taken, (4 << 20) + 10 * (64 << 10))
        self.assertTrue(client.ask("tool_call")["ok"])
        dropped = [record for record in self.records() if record["event"] == "audit_dropped"]
        self.assertEqual(
            dropped[0]["counts"], {"tool_call": 1}, "the first at once, then each minute"
        )
        self.assert_sound()

    def test_a_flood_beyond_ascii_is_no_larger(self):
        self.start(user=str(bench.NOBODY))
        program = FLOOD + (
            "s = connect(); said = ''\n"
            "while 'too much' not in said:\n"
            "    said = str(ask(s, event='tool_call', filler='\u00e9' * 5000).get('error'))\n"
        )
        # As UTF-8 and not as escapes.
        program = program.replace("json.dumps(fields)", "json.dumps(fields, ensure_ascii=False)")
        self.as_nobody(program).communicate()
        size = sum(os.path.getsize(path) for path in self.files())
        self.assertTrue((3 << 20) < size < (5 << 20), size)

    def test_to_be_refused_a_counter_costs_as_much(self):
        self.rates(p=(1, 600))
        self.start(user=str(bench.NOBODY))
        program = FLOOD + (
            "s = connect(); said = set()\n"
            "for n in range(16000):\n"
            "    filler = 'x' * (0 if n < 10000 else 2000)\n"
            "    a = ask(s, event='message', platform='p', user=n, filler=filler)\n"
            "    said.add(str(a.get('error'))[:17])\n"
            "print(sorted(said))\n"
        )
        said = self.as_nobody(program).communicate()[0]
        self.assertEqual(said.strip(), "['None', 'too much at once:', 'too much is being']")

    def test_strangers_alone_have_little_room(self):
        self.start(user=str(bench.NOBODY))
        program = FLOOD + (
            "s = connect()\n"
            "answers = [ask(s, event='stranger', text='x' * 1000) for _ in range(1000)]\n"
            "print(sum('seq' in a for a in answers), ask(s, event='tool_call')['ok'])\n"
        )
        strangers, other = self.as_nobody(program).communicate()[0].split()
        self.assertEqual(other, "True", "what the agent does has its own")
        self.assertTrue(150 < int(strangers) < 250, strangers)

    def test_a_flood_removes_nothing_that_is_young(self):
        self.start("--size", "100000", "--keep", "3", user=str(bench.NOBODY))
        program = FLOOD + (
            "s = connect(); last = {}\n"
            "for _ in range(120):\n    last = ask(s, event='tool_call', filler='x' * 5000)\n"
            "print(last['error'])\n"
        )
        self.assertIn("younger than 7 days", self.as_nobody(program).communicate()[0])
        self.assertEqual(len(self.files()), 4)
        self.assertEqual(self.records()[0]["seq"], 1, "the first line is still there")
        self.assert_sound()
        # A week later the oldest file may go.
        oldest = self.files()[0]
        os.utime(oldest, (time.time() - 8 * 86400,) * 2)
        program = FLOOD + "print(ask(connect(), event='tool_call', filler='x' * 5000)['ok'])"
        self.assertEqual(self.as_nobody(program).communicate()[0], "True\n")
        self.assertFalse(os.path.exists(oldest))
        self.assertEqual(len(self.files()), 4)
        first = self.records()[0]["seq"]
        self.assertGreater(first, 1)
        self.assert_sound(first, None)


if __name__ == "__main__":
    unittest.main()
