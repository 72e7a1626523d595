"""The chain: over rotation, restarts and crashes."""

import os
import subprocess
import threading
import unittest

import bench


class Chain(bench.WithWriter):
    def test_each_line_has_the_digest_of_the_one_before(self):
        self.start()
        client = self.client()
        for number in range(300):
            self.assertEqual(
                client.ask("tool_call", tool="terminal", command="id"),
                {"ok": True, "seq": number + 2},
            )
        first = self.records()[1]
        self.assertEqual(
            (first["event"], first["uid"], first["pid"]), ("tool_call", os.getuid(), os.getpid())
        )
        self.assertEqual(self.stop(), 0)
        self.assert_sound()
        self.assertIn(301, dict(self.heads()), "the last line's head is told at the end")
        self.assertGreaterEqual(len(self.heads()), 3)

    def test_coreutils_say_the_same(self):
        self.start()
        self.client().ask("tool_call", tool="terminal", command="é \u0000 \x7f")
        live = self.files()[-1]
        said = subprocess.run(
            ["sh", "-c", 'sed -n 1p "$1" | sha256sum', "sh", live],
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual(said.stdout.split()[0], self.records()[1]["prev"])

    def test_it_goes_on_over_rotation_and_restarts(self):
        for _ in range(3):
            self.start("--size", "20000", "--keep", "100")
            client = self.client()
            for _ in range(150):
                client.ask("tool_result", tool="terminal", status=0)
            self.stop()
        self.assertGreater(len(self.files()), 4)
        self.assert_sound()
        # Who reads a file alone knows where it belongs.
        for path in self.files()[1:]:
            with open(path, "rb") as file:
                first = bench.json.loads(file.readline())
            self.assertEqual(first["event"], "audit_file")
            before = os.path.join(self.log, first["after"])
            with open(before, "rb") as file:
                last = file.read().splitlines(keepends=True)[-1]
            self.assertEqual(first["prev"], bench.hashlib.sha256(last).hexdigest())
            self.assertLess(os.path.getsize(path), 20000)

    def test_a_killed_writer_loses_nothing_that_was_answered(self):
        self.start("--size", "20000", "--keep", "100")
        answered = []

        def ask():
            client = self.client()
            try:
                while True:
                    answered.append(client.ask("tool_call", tool="terminal")["seq"])
            except (TypeError, OSError):
                return

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        self.until(lambda: len(answered) > 500, "nothing is answered")
        self.stop(bench.signal.SIGKILL)
        for thread in threads:
            thread.join()
        self.start("--size", "20000", "--keep", "100")
        self.client().ask("tool_call")
        self.assert_sound()
        self.assertEqual(len(set(answered)), len(answered), "a number was given twice")
        there = {record["seq"] for record in self.records() if record["event"] == "tool_call"}
        self.assertLessEqual(set(answered), there)

    def test_a_torn_line_is_cut_off_and_noted(self):
        self.start()
        self.client().ask("tool_call", tool="terminal")
        self.stop()
        with open(self.files()[-1], "ab") as file:
            file.write(b'{"seq":3,"time":"2026-')
        self.start()
        self.client().ask("tool_call", tool="terminal")
        self.assert_sound()
        start = self.records()[2]
        self.assertEqual((start["event"], start["torn"], start["damaged"]), ("audit_start", 22, 0))
        self.assertIn("cut off 22 bytes", "".join(self.said))

    def test_what_somebody_broke_does_not_stop_it(self):
        self.start()
        self.client().ask("tool_call", tool="terminal")
        self.stop()
        with open(self.files()[-1], "ab") as file:
            # As a file system leaves it, and as an editor does; then 1 MiB without an end of line.
            file.write(
                b"\0" * 300 + b"\n" + b"hello\n" + b"x" * (1 << 20) + b"\n" + b"y" * (1 << 20)
            )
        self.start()
        answer = self.client().ask("tool_call", tool="terminal")
        self.assertTrue(answer["ok"])
        lines = self.lines()
        start = bench.json.loads(lines[-2])
        self.assertEqual(
            (start["event"], start["torn"], start["damaged"]), ("audit_start", 1 << 20, 3)
        )
        self.assertEqual((start["seq"], answer["seq"]), (6, 7))
        self.assertEqual(start["prev"], bench.hashlib.sha256(lines[-3]).hexdigest())

    def test_a_rotation_that_was_cut_off_is_finished(self):
        for fresh, both in ((True, True), (True, False), (False, True)):
            with self.subTest(fresh=fresh, both=both):
                self.setUp()
                self.start("--size", "20000", "--keep", "100")
                client = self.client()
                while len(self.files()) < 2:
                    client.ask("tool_call", tool="terminal")
                self.stop()
                # Back to the moment before one of the last steps.
                old, live = self.files()
                if fresh:
                    os.rename(live, live + ".new")
                else:
                    os.unlink(live)
                os.link(old, live)
                if not both:
                    os.unlink(old)
                self.start("--size", "20000", "--keep", "100")
                self.assertEqual(os.stat(live).st_nlink, 1)
                self.assertTrue(self.client().ask("tool_call", tool="terminal")["ok"])
                self.said.clear()
                self.assert_sound()
                self.assertEqual(
                    [name for name in os.listdir(self.log) if name.endswith(".new")], []
                )
                self.stop()

    def test_an_older_log_that_was_put_back_costs_no_file(self):
        options = ("--size", "20000", "--keep", "100")
        self.start(*options)
        client = self.client()
        client.ask("tool_call")
        self.stop()
        live = self.files()[-1]
        older = live + ".older"
        bench.shutil.copy(live, older)
        contents = []
        for _ in range(2):
            self.start(*options)
            client = self.client()
            while len(self.files()) < 2 or len(contents) == 1 and len(os.listdir(self.log)) < 3:
                client.ask("tool_call", tool="terminal")
            self.stop()
            full = self.files()[0]
            if not contents:
                with open(full, "rb") as file:
                    contents.append(file.read())
                os.rename(older, live)
        with open(full + ".foreign", "rb") as file:
            self.assertEqual(file.read(), contents[0])

    def test_files_of_others_are_set_aside(self):
        live = os.path.join(self.log, "audit.jsonl")
        if os.getuid():
            self.skipTest("needs root, to make a file of somebody else")
        with open(live, "w") as file:
            file.write("mine\n")
        os.chown(live, bench.NOBODY, bench.NOBODY)
        os.symlink("/etc/passwd", os.path.join(self.log, "audit-000000000007.jsonl"))
        self.start()
        self.client().ask("tool_call")
        self.assert_sound()
        self.assertEqual(self.records()[0]["foreign"], ["audit-000000000007.jsonl", "audit.jsonl"])

    def test_many_at_once(self):
        self.start("--size", "50000", "--keep", "100")

        def ask(number):
            client = self.client()
            for turn in range(100):
                answers.append(client.ask("tool_call", user=number, id=f"{number}-{turn}")["seq"])

        answers = []
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(set(answers)), 2000)
        self.assert_sound()
        told = [record["id"] for record in self.records() if record["event"] == "tool_call"]
        self.assertEqual(len(set(told)), 2000)
        for number in range(20):
            own = [name for name in told if name.startswith(f"{number}-")]
            self.assertEqual(own, [f"{number}-{turn}" for turn in range(100)], "in its order")


if __name__ == "__main__":
    unittest.main()
