"""Starts that are refused, each with exit code 78 and one line that says why."""

import json
import re

from place import MANUAL, Place


def starts(options, results):
    place = Place(options, MANUAL)
    good = place.policy

    def refused(text, policy=None, raw=None, **more):
        def go():
            place.policy = policy or good
            place.write_policy(raw)
            try:
                said = place.run("main", "--version", **more)
            finally:
                place.policy = good
                place.write_policy()
            assert said.returncode == 78, (said.returncode, said.stdout, said.stderr)
            lines = [x for x in said.stderr.splitlines() if x.startswith("petasos policy:")]
            assert len(lines) == 1 and re.search(text, lines[0]), said.stderr
            assert "Hermes Agent v" not in said.stdout

        return go

    def starts_as_agreed():
        said = place.run("main", "--version")
        assert said.returncode == 0 and "Hermes Agent v" in said.stdout, said.stderr
        line = place.writer.of("policy")[-1]
        assert line["release"] == options.release["version"] and len(line["selftest"]) >= 8, line

    def changed(*path, value):
        new = json.loads(json.dumps(good))
        inner = new
        for part in path[:-1]:
            inner = inner[part]
        if value is None:
            del inner[path[-1]]
        else:
            inner[path[-1]] = value
        return new

    def silent():
        place.writer.silent = True
        try:
            refused("does not answer")()
        finally:
            place.writer.silent = False

    def gone():
        place.writer.stop()
        try:
            refused("does not answer")()
        finally:
            place.writer.start()

    no_filter = ["python3", "-c", NO_SECCOMP]
    release = options.release["version"]
    case = results.case
    case("start: as agreed", starts_as_agreed)
    case("start: refused, policy is no JSON", refused("", raw="{"))
    case("start: refused, policy is empty", refused("", raw="{}"))
    case("start: refused, policy lacks a part", refused("", changed("audit", value=None)))
    unknown = changed("release", "version", value="9.9.9")
    case("start: refused, unknown release", refused(f"{release}.*9.9.9", unknown))
    digest = changed("release", "files", "gateway.run", value="0" * 64)
    case("start: refused, a reviewed file differs", refused("gateway.run", digest))
    lacks = changed("release", "files", "run_agent", value=None)
    case("start: refused, a digest is missing", refused("run_agent", lacks))
    case("start: refused, no audit writer", gone)
    case("start: refused, a silent audit writer", silent)
    case("start: refused, seccomp is refused", refused("seccomp was refused", before=no_filter))
    place.close()


# Runs the rest of its arguments where prctl(PR_SET_SECCOMP) is refused, as in a unit whose own
# filter does not allow it. x86_64 and aarch64.
NO_SECCOMP = """
import ctypes, os, platform, struct, sys
prctl = {"x86_64": 157, "aarch64": 167}[platform.machine()]
code = b"".join(struct.pack("HBBI", *i) for i in (
    (0x20, 0, 0, 0), (0x15, 0, 3, prctl), (0x20, 0, 0, 16), (0x15, 0, 1, 22),
    (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)))
libc = ctypes.CDLL(None)
b = ctypes.create_string_buffer(code, len(code))
f = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(b)), 16)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(f)), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""
