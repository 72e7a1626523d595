"""What an agent may send that is no good request, and files that come along."""

import base64
import os
import socket

from behaviour import WORK, case, want
from client import Running, body, run


def put(path, data=b"x", mode=0o644):
    return {"path": path, "mode": mode, "data": base64.b64encode(data).decode()}


@case
def files():
    """Files that come along, with their modes bounded."""
    given = [put("a/b/c", b"one"), put("run", b"#!/bin/sh\necho hi\n", 0o4777)]
    want(("0", "onehi\n-rwxr-xr-x\n"), run("cat a/b/c; ./run; stat -c %A run", files=given))
    want(("0", "two"), run("cat a/b/c", files=[put("a/b/c", b"two")]))


@case
def files_outside():
    """No file leaves /work, by name or by link."""
    for path in (
        "../x",
        "/etc/x",
        "a/../../x",
        "",
        "a//b",
        "./a",
        "a\0b",
        "x" * 300,
        "a/" * 40 + "b",
    ):
        code, why = run("true", files=[put(path)])
        want(("125", True), (code, "relative" in why))
    run("ln -sfn /tmp way; mkdir -p /work/real; ln -sfn /tmp/hit file; mkfifo pipe", "links")
    want("125", run("true", "links", files=[put("way/hit")])[0])
    want(
        ("0", "no\nregular file\n"),
        run("test -e /tmp/hit || echo no; stat -c %F file", "links", files=[put("file")]),
    )
    want(("0", "regular file\n"), run("stat -c %F pipe", "links", files=[put("pipe")]))
    want("125", run("true", "links", files=[put("real")])[0])


@case
def sessions():
    """A session's name is checked before anything is made of it."""
    before = sorted(os.listdir(WORK))
    for name in (
        "",
        "..",
        ".",
        "../x",
        "a/b",
        "/etc",
        "A",
        "a b",
        "a\n",
        "\u00e4",
        "x" * 65,
        "a\0",
    ):
        code, why = run("echo ran", name)
        want(("125", False), (code, "ran" in why))
    want(before, sorted(os.listdir(WORK)))
    want(("0", "ran\n"), run("echo ran", "x" * 64))


@case
def bad_requests():
    """What is no request is refused, with a reason."""
    bad = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"script": "true", "session": "case"} x',
        b'{"script": "true"}',
        b'{"session": "case"}',
        b'{"script": 1, "session": "case"}',
        b'{"script": "a\\u0000b", "session": "case"}',
        b'{"script": "\\ud800", "session": "case"}',
        b'{"script": "true", "session": "case", "timeout": true}',
        b'{"script": "true", "session": "case", "timeout": -1}',
        b'{"script": "true", "session": "case", "timeout": NaN}',
        b'{"script": "true", "session": "case", "timeout": 1e3}',
        b'{"script": "true", "session": "case", "files": {}}',
        b'{"script": "true", "session": "case", "files": [1]}',
        b'{"script": "true", "session": "case", "more": 1}',
        b"[" * 200000,
    ]
    for data in bad:
        code, why = Running(data).end()
        want(("125", True), (code, why.startswith("sandbox: ")))
    want(("", ""), Running(b"x", length=2**32 - 1).end())


@case
def descriptors():
    """A directory or a socket is none of the two descriptors."""
    null = os.open("/dev/null", os.O_RDWR)
    folder = os.open("/etc/hermes", os.O_RDONLY)
    place = os.open("/etc/hermes", os.O_PATH)
    here, there = socket.socketpair()
    try:
        for odd in (folder, place, here.fileno()):
            answer, _ = Running(
                body("ls -la /proc/self/fd/0/; true"), descriptors=[odd, null]
            ).end()
            want("125", answer)
        for wrong in ([], [null], [null, null, null]):
            answer, _ = Running(body("true"), descriptors=wrong).end()
            if answer == "0" and len(wrong) < 2:
                raise AssertionError(wrong)
    finally:
        for one in (null, folder, place):
            os.close(one)
        here.close()
        there.close()


@case
def descriptors_inside():
    """A command has its three descriptors and nothing else."""
    want(("0", "0\n1\n2\n3\n"), run("ls /proc/self/fd"))
