# Runs the behavioural suite against the release that this host has; `run` gets the suite's files
# and prints what the suite prints. Root starts it, the suite itself has no rights.
import json
import os
import subprocess
import sys
import tempfile

NOBODY = 65534
PYTHON = "/opt/hermes/current/venv/bin/python"
PACKAGE = "/usr/lib/petasos/petasos_policy"


def run(files, entry):
    with tempfile.TemporaryDirectory(prefix="petasos-review-") as folder:
        os.chmod(folder, 0o755)
        for name, text in files.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        home = os.path.join(folder, "home")
        os.mkdir(home)
        os.chown(home, NOBODY, NOBODY)
        done = subprocess.run(
            ["/usr/bin/python3", "-B", os.path.join(folder, entry), "--python", PYTHON, "--package", PACKAGE],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd=home,
            env={"HOME": home, "TMPDIR": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
        )
    sys.stdout.buffer.write(done.stdout)
    sys.exit(done.returncode)


run(**json.loads(FILES))  # noqa: F821 - set before this text, by petasos
