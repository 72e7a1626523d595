"""Runs a command on a virtual machine as root, through the agent that waits inside for the
provider, and passes on what it says and how it ends. Arguments: the agent's socket, the command."""

import base64
import fcntl
import json
import socket
import sys
import time

# An agent that does not answer within this time has just been restarted with its machine.
SOON = 5
PATIENCE = 60


def answers(talk, mark):
    """Whether the agent answers; what is left of somebody who went away in the middle is read
    over."""
    sync = {"execute": "guest-sync-delimited", "arguments": {"id": mark}}
    talk.write(b"\xff" + json.dumps(sync).encode() + b"\n")
    talk.flush()
    while answer := talk.readline():
        if b"\xff" in answer and json.loads(answer.rpartition(b"\xff")[2]).get("return") == mark:
            return True
    return False


def asked(line, path, command, arguments):
    line.settimeout(SOON)
    line.connect(path)
    with line.makefile("rwb") as talk:
        try:
            if not answers(talk, time.monotonic_ns()):
                return None
        except TimeoutError:
            return None
        line.settimeout(PATIENCE)
        talk.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        talk.flush()
        answer = json.loads(talk.readline() or '{"error": {"desc": "it went away"}}')
    if "error" in answer:
        raise OSError(answer["error"]["desc"])
    return answer["return"]


def ask(path, command, arguments):
    """One question at a time: the agent talks to one at a time, too."""
    end = time.monotonic() + PATIENCE
    with open(path + ".lock", "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        while time.monotonic() < end:
            with socket.socket(socket.AF_UNIX) as line:
                answer = asked(line, path, command, arguments)
            if answer is not None:
                return answer
    raise OSError("it says nothing")


def run(path, words):
    given = b"" if sys.stdin.isatty() else sys.stdin.buffer.read()
    order = {"path": words[0], "arg": words[1:], "capture-output": True}
    order["input-data"] = base64.b64encode(given).decode()
    pid = ask(path, "guest-exec", order)["pid"]
    pause = 0.02
    while True:
        state = ask(path, "guest-exec-status", {"pid": pid})
        if state["exited"]:
            break
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)
    for stream, name in ((sys.stdout, "out-data"), (sys.stderr, "err-data")):
        stream.buffer.write(base64.b64decode(state.get(name, "")))
        stream.flush()
    return 128 + state["signal"] if "signal" in state else state.get("exitcode", 1)


if __name__ == "__main__":
    try:
        sys.exit(run(sys.argv[1], sys.argv[2:]))
    except OSError as error:
        sys.exit(f"the machine's agent does not answer: {error}")
