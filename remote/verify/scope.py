"""What the agent's own code says of its settings."""

import subprocess

from .patience import patience
from .probe import yes


def scope(python: str, question: str):
    """The answer of the release's own Python, which the agent may run: a line of JSON."""
    done = subprocess.run(
        [python, "-P", "-c", question],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience(25),
    )
    if not done.stdout.startswith("{"):
        return "error", (done.stderr.strip() or "it said nothing").splitlines()[-1][:200]
    return yes(done.stdout.strip())
