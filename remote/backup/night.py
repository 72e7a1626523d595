"""TRIES PAUSE: a night's backup: so many tries, with a pause between them, in seconds. With
systemd's own `Restart=`, each try that fails would be told as a failure of the night.
"""

import subprocess
import sys
import time


def main(tries, pause):
    for left in reversed(range(int(tries))):
        if (
            subprocess.run(["/usr/bin/systemctl", "start", "petasos-backup.service"]).returncode
            == 0
        ):
            return 0
        if left:
            # A vault that restarts is back by then.
            time.sleep(float(pause))
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
