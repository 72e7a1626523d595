"""Process 1 reaps orphans a bounded number at a time, and the script first."""

import os
import sys
import unittest
from unittest import mock

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "remote/sandbox"))

import runner  # noqa: E402

CHILD = 7


class Reaping(unittest.TestCase):
    def test_orphans_without_end_do_not_hold_it_up(self):
        asked = []

        def waitpid(pid, _flags):
            asked.append(pid)
            if len(asked) > 100_000:
                raise AssertionError("it never looks at the clock again")
            return (0, 0) if pid == CHILD else (1000 + len(asked), 0)

        with mock.patch.object(os, "waitpid", waitpid):
            self.assertIsNone(runner.reap(CHILD))

    def test_the_script_is_found_before_orphans(self):
        def waitpid(pid, _flags):
            return (CHILD, 256) if pid == CHILD else (1000, 0)

        with mock.patch.object(os, "waitpid", waitpid):
            self.assertEqual(runner.reap(CHILD), 256)

    def test_real_children(self):
        orphans = [os.fork() or os._exit(0) for _ in range(5)]
        child = os.fork() or os._exit(3)
        while (status := runner.reap(child)) is None:
            pass
        self.assertEqual(runner.code_of(status), 3)
        for pid in orphans:
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                pass


if __name__ == "__main__":
    unittest.main()
