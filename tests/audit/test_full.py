"""A disk that is full: an error for each request, no line lost that was answered, and it goes on
when there is room again."""

import os
import subprocess
import unittest

import bench

SMALL = ("--size", "100000", "--keep", "3", "--days", "0")


class OnSmallDisk(bench.WithWriter):
    def setUp(self):
        super().setUp()
        if os.getuid():
            self.skipTest("needs root, to mount a small disk")
        mount = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", self.log]
        subprocess.run(mount, check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.log], check=True)

    def fill(self, client, event="tool_call", size=700):
        """Until it is refused; the numbers that were given, and the refusal."""
        given = []
        while len(given) < 1000:
            answer = client.ask(event, filler="x" * size)
            if "error" in answer:
                return given, answer["error"]
            given.append(answer["seq"])
        self.fail("the disk is not full")

    def test_it_refuses_and_goes_on_later(self):
        self.start(*SMALL)
        client = self.client()
        given, error = self.fill(client)
        self.assertIn("No space left on device", error)
        self.assertGreater(len(given), 50)
        for _ in range(3):
            self.assertIn("error", client.ask("command_denied", filler="x" * 700))
        self.assertIsNone(self.process.poll())
        self.assert_sound()
        subprocess.run(["mount", "-o", "remount,size=600k", self.log], check=True)
        self.assertEqual(client.ask("tool_call")["seq"], given[-1] + 1)
        self.assert_sound()
        self.assertLessEqual(set(given), {record["seq"] for record in self.records()})
        self.heads()
        said = "".join(self.said)
        self.assertEqual(
            said.count("cannot write the log: No space left"), 1, "once, not each time"
        )

    def test_nothing_is_counted_that_was_not_written(self):
        self.start(*SMALL)
        client = self.client()
        self.fill(client, size=300)
        self.rates(telegram=(2, 60))
        message = {"platform": "telegram", "user": 1, "filler": "x" * 300}
        for _ in range(5):
            self.assertIn("error", client.ask("message", **message))
        subprocess.run(["mount", "-o", "remount,size=600k", self.log], check=True)
        self.assertEqual(
            [client.ask("message", **message)["ok"] for _ in range(3)], [True, True, False]
        )

    def test_a_rotation_without_room_keeps_the_old_file(self):
        self.start("--size", "40000", "--keep", "50", "--days", "0")
        client = self.client()
        given, _ = self.fill(client)
        self.assertGreater(len(self.files()), 2)
        self.assert_sound()
        subprocess.run(["mount", "-o", "remount,size=600k", self.log], check=True)
        for _ in range(100):
            self.assertTrue(client.ask("tool_call", filler="x" * 700)["ok"])
        seqs = self.assert_sound()
        self.assertEqual(len(seqs), max(seqs))
        self.assertLessEqual(set(given), set(seqs))

    def test_it_starts_on_a_full_disk(self):
        self.start(*SMALL)
        client = self.client()
        given, _ = self.fill(client, size=300)
        self.stop()
        self.start(*SMALL)
        client = self.client()
        self.assertIn("No space left", client.ask("tool_call", filler="x" * 900)["error"])
        self.stop(bench.signal.SIGKILL)
        self.start(*SMALL)
        subprocess.run(["mount", "-o", "remount,size=600k", self.log], check=True)
        client = self.client()
        self.assertTrue(client.ask("tool_call")["ok"])
        self.assertLessEqual(set(given), set(self.assert_sound()))


class WithoutDirectory(bench.WithWriter):
    def test_it_says_why_and_goes_on_when_it_is_there(self):
        os.rmdir(self.log)
        self.start(head=False)
        client = self.client()
        self.assertIn("No such file", client.ask("tool_call")["error"])
        self.assertIsNone(self.process.poll(), "it stays, and answers")
        os.mkdir(self.log)
        self.until(lambda: "seq" in client.ask("tool_call"), "it does not try again")
        self.assert_sound()


if __name__ == "__main__":
    unittest.main()
