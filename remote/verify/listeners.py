"""Who listens on the host, by the kernel's own records."""

import re

from .host import output_of, owner_of


def listeners():
    """Protocol, address, port and user of each; and the program, which may call itself anything."""
    named = re.findall(
        r'users:\(\("(.*?)",pid=\d+,fd=\d+\).*?\bino:(\d+)', output_of("ss", "-Hltnupe"), re.S
    )
    programs = {inode: program for program, inode in named}
    found = []
    for line in output_of("ss", "-Hltnue").splitlines():
        fields = line.split()
        if len(fields) < 5:
            continue
        address, _, port = fields[4].rpartition(":")
        details = dict(field.split(":", 1) for field in fields[6:] if ":" in field)
        found.append(
            {
                "protocol": fields[0],
                "address": address.strip("[]").partition("%")[0],
                "port": int(port),
                "program": programs.get(details.get("ino"), ""),
                "user": owner_of(int(details.get("uid", 0))),
            }
        )
    return found


def strangers(found):
    """Those listeners that are neither the agent's nor its helpers'."""
    ours = {"hermes", "petasos-proxy", "petasos-resolver"}
    loopback = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
    taken = {
        (
            loopback.get(item["address"], item["address"]),
            item["port"],
            item["program"] or "somebody",
        )
        for item in found
        if item["protocol"] == "tcp" and item["user"] not in ours
    }
    return sorted(taken)[:40]
