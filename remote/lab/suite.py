# Runs the behavioural suite against the release that this host has; `run` gets the suite's files
# and prints what the suite prints. Root starts it, the suite itself has no rights.
import json
import os
import signal
import subprocess
import sys
import tempfile

NOBODY = 65534
PYTHON = "/opt/hermes/current/venv/bin/python"
PACKAGE = "/usr/lib/petasos/petasos_policy"
# A release that hangs is refused, too.
SECONDS = 1200


def run(files, entry):
    # A hardened host's own umask would keep the files from the suite.
    os.umask(0o022)
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
        program = ["/usr/bin/python3", "-B", os.path.join(folder, entry)]
        suite = subprocess.Popen(
            [*program, "--python", PYTHON, "--package", PACKAGE],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd=home,
            env={"HOME": home, "TMPDIR": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            report = suite.communicate(timeout=SECONDS)[0]
        except subprocess.TimeoutExpired:
            os.killpg(suite.pid, signal.SIGKILL)
            suite.wait()
            detail = f"it did not end within {SECONDS} seconds"
            case = {"name": "the suite", "ok": False, "detail": detail}
            report = json.dumps({"release": "", "cases": [case]}).encode()
    sys.stdout.buffer.write(report)


run(**json.loads(FILES))  # noqa: F821 - set before this text, by petasos
