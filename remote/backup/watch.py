"""HOURS: whether the last good backup is not older. By the host's own record: the vault looks by
itself.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from store import read  # noqa: E402


def main(hours):
    good = json.loads(read("good.json") or "null")
    if good is None:
        print("no good backup yet", file=sys.stderr)
        return 1
    age = (time.time() - good["ended"]) / 3600
    # One of tomorrow is as good as none.
    if not -1 < age <= float(hours):
        print(f"the last good backup is {age:.0f} hours old", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
