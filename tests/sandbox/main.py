"""Attacks on the sandbox of a host, and what it does for those who ask nicely. Run as root on a
host that has it; prints a line of JSON for each case, and ends with 1 where one was not met.

    python3 main.py [--router ADDRESS] [--latency] [WORDS OF A CASE'S NAME]
"""

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import time

import attacks
import behaviour
import client
import hostile  # noqa: F401  (adds its cases to those of `behaviour`)


def attack(script):
    """Whether it was refused inside, and got through as root."""
    code, seen = client.run(script, "attack", timeout=60)
    inside = "GOT" in seen.split()
    control = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, cwd="/var/tmp", timeout=120
    )
    outside = "GOT" in control.stdout.split()
    return {
        "met": code not in ("", "125") and not inside and outside,
        "inside": "got through" if inside else "refused",
        "control": "got through" if outside else "refused: this attack proves nothing here",
        "said": seen[-300:],
        **({} if outside else {"control_said": (control.stdout + control.stderr)[-300:]}),
    }


def behaves(function):
    try:
        function()
    except Exception as why:
        return {"met": False, "said": f"{type(why).__name__}: {why}"}
    return {"met": True}


def latency(path=client.SOCKET, count=50):
    took = []
    for _ in range(count):
        began = time.perf_counter()
        client.run("true", path=path)
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return {
        "median_ms": round(statistics.median(took)),
        "p95_ms": round(took[int(count * 0.95) - 1]),
        "least_ms": round(took[0]),
    }


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--router", default="198.51.100.2")
    arguments.add_argument("--latency", action="store_true")
    arguments.add_argument("words", nargs="*")
    given = arguments.parse_args()
    if given.latency:
        print(json.dumps(latency()))
        return 0
    # A door that every process of the host's network sees.
    door = socket.socket(socket.AF_UNIX)
    door.bind("\0petasos-case")
    door.listen()
    cases = {}
    for name, script in attacks.ALL.items():
        if platform.machine() == "x86_64" or name.split(": ")[1] not in attacks.X86_ONLY:
            script = script.replace("@ROUTER@", given.router)
            cases[name] = lambda script=script: attack(script)
    for name, function in {**behaviour.CASES, **behaviour.network_cases()}.items():
        cases[name] = lambda function=function: behaves(function)
    bad = 0
    for name, judge in cases.items():
        if all(word in name for word in given.words):
            judged = judge()
            bad += not judged["met"]
            print(json.dumps({"case": name, **judged}), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("this must be root's: the control of each attack is")
    sys.exit(main())
