"""How much longer than usual things may take on this host: a small one that is busy, or one whose
processor is emulated, answers late, and late is no answer."""

import subprocess
import sys
import time

# Seconds that the start of a program takes where no more patience is needed.
USUAL = 0.01
MOST = 6


def measured():
    began = time.monotonic()
    subprocess.run(["/bin/true"], stdin=subprocess.DEVNULL, check=False)
    return time.monotonic() - began


# The run says what it measured to those that it starts: they end before it stops waiting.
SLOWNESS = float(sys.argv[3]) if len(sys.argv) > 3 else min(MOST, max(1, measured() / USUAL))


def patience(seconds):
    """Of this host, where another gets so many seconds."""
    return seconds * SLOWNESS
