"""What the proxy says of the connections of a run."""

import json
import time

from .host import output_of


def proxied(since):
    """Each connection since a time; it is in the log when it ends."""
    time.sleep(0.3)
    log = output_of(
        "journalctl",
        "-q",
        "--all",
        "-o",
        "json",
        "--output-fields=MESSAGE",
        f"--since=@{since:.6f}",
        "_SYSTEMD_UNIT=petasos-proxy.service",
    )
    found = []
    for line in log.splitlines():
        try:
            text = json.loads(line)["MESSAGE"]
            # What is no UTF-8 comes as numbers.
            text = text if isinstance(text, str) else bytes(text).decode(errors="replace")
            entry = json.loads(text)
            found.append({"name": entry["name"], "to": entry["to"]})
        except (ValueError, KeyError, TypeError):
            pass
    return found
