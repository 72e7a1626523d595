"""What `petasos policy test` runs."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import sample

REMOTE = pathlib.Path(__file__).parents[2] / "remote"


def explain(**request: object) -> subprocess.CompletedProcess:
    """As petasos runs it: the program on standard input, the package by its name on a host."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "petasos_policy").symlink_to(REMOTE / "policy")
        program = (REMOTE / "run/policy-test.py").read_text()
        return subprocess.run(
            [sys.executable, "-I", "-S", "-B", "-"],
            input=f"{program}\ntest({folder!r}, {json.dumps(json.dumps(request))})\n",
            capture_output=True,
            text=True,
        )


class Explain(unittest.TestCase):
    def test_a_verdict(self):
        said = explain(policy=sample.POLICY, tool="terminal", args={"command": "git  log 'a b'"})
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        self.assertEqual(
            json.loads(said.stdout),
            {
                "verdict": "allow",
                "rule": "allow: git log *",
                "reason": "each command matches a rule",
                "mode": "allowlist",
                "tool": "terminal",
                "argv": [["git", "log", "a b"]],
                "runs": "git log 'a b'",
                "would_allow": [],
            },
        )

    def test_what_would_allow_it(self):
        said = explain(policy=sample.POLICY, tool="terminal", args={"command": "id -u"})
        self.assertEqual(json.loads(said.stdout)["would_allow"], ["allow: id -u"])

    def test_errors(self):
        for request, why in (
            ({"policy": {}, "tool": "terminal", "args": {}}, "`version`: missing"),
            ({"policy": sample.POLICY, "tool": "terminl", "args": {}}, "`terminl` is no tool"),
        ):
            said = explain(**request)
            self.assertEqual((said.returncode, said.stdout), (1, ""))
            self.assertIn(why, said.stderr)
            self.assertEqual(said.stderr.count("\n"), 1)


if __name__ == "__main__":
    unittest.main()
