"""Commands in the agent's sandbox, and questions to the audit writer: what the agent's user can ask
of the sockets that it is given."""

import json
import os
import pwd
import socket
import subprocess
import time

from .patience import patience
from .probe import no, yes

SOCKETS = "/run/petasos-agent"
WRITER = f"{SOCKETS}/audit.sock"
# For a command's answer, its start included.
PATIENCE = patience(20)


def asked(request):
    """The exit code of a command in the sandbox, and what it wrote."""
    body = json.dumps(request).encode()
    out, out_end = os.pipe2(os.O_CLOEXEC)
    null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    with socket.socket(socket.AF_UNIX) as peer, os.fdopen(out, "rb") as output:
        peer.settimeout(PATIENCE)
        try:
            peer.connect(f"{SOCKETS}/sandbox{'-net' if request['network'] else ''}.sock")
            socket.send_fds(peer, [len(body).to_bytes(4, "big")], [null, out_end])
            peer.sendall(body)
        finally:
            os.close(null)
            os.close(out_end)
        said = peer.recv(64)
        text = output.read(4096).decode("utf-8", "replace")
    return (int(said) if said.strip().isdigit() else None), text


def sandboxed(session: str, script: str, timeout: int, code: int, network: bool):
    """A script of bash, by the sandbox: it worked when it ended with this code. `$agent` is the
    number of whoever asks."""
    request = {
        "session": session,
        "script": f"agent={os.getuid()}\n{script}",
        "timeout": timeout,
        "network": network,
        "background": False,
        "files": [],
    }
    ended = None
    # It takes so many commands at once, and hangs up on more.
    for _ in range(5):
        try:
            ended, text = asked(request)
        except OSError as error:
            return "error", f"the sandbox cannot be asked: {error}"
        if ended is not None:
            break
        time.sleep(0.5)
    else:
        return "error", "the sandbox hung up"
    lines = text.strip().splitlines()
    details = f"it ended with {ended}" + (f": {lines[-1][:160]}" if lines else "")
    if ended == code:
        return yes(details)
    # What the sandbox itself did not carry out, or bash did not find, was not tried.
    return ("error", details) if ended > 1 else no(details)


def script(text: str):
    """The same script, by whoever asks, outside of the sandbox."""
    agent = pwd.getpwnam("hermes").pw_uid
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", f"agent={agent}\n{text}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    details = f"it ended with {done.returncode}" + (f": {lines[-1][:160]}" if lines else "")
    return yes(details) if done.returncode == 0 else no(details)


def writer():
    """A question that the audit writer must turn down: a line in its own name. It is answered, and
    nothing is written."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(PATIENCE)
        try:
            peer.connect(WRITER)
            peer.sendall(b'{"event":"audit_start"}\n')
            said = peer.recv(4096)
        except OSError as error:
            return "error", f"the audit writer cannot be asked: {error}"
    answer = json.loads(said)
    if "error" in answer:
        return yes(f"it answers: {answer['error']}")
    return no(f"it wrote line {answer.get('seq')}")
