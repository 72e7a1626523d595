"""The other end of quarantine.py: it serves and dials as it is told, a word a line, and answers
each with a line of JSON."""

import json
import socket
import subprocess
import sys
import threading

inside, outside, ssh_port, other_port, soon_secs = json.loads(sys.argv[1])


def run(*argv):
    subprocess.run(argv, check=True, capture_output=True)


def serve(port):
    server = socket.create_server((outside, port))

    def loop():
        while True:
            try:
                with server.accept()[0] as client:
                    client.sendall(b"here")
            except OSError:
                pass

    threading.Thread(target=loop, daemon=True).start()


def dial(port):
    try:
        with socket.create_connection((inside, port), soon_secs) as one:
            return one.recv(4) == b"here"
    except OSError:
        return False


def up():
    run("ip", "link", "set", "lo", "up")
    run("ip", "addr", "add", f"{outside}/24", "dev", "petasos-out")
    run("ip", "link", "set", "petasos-out", "up")
    serve(22)
    serve(443)
    return {}


WORDS = {
    "ready": dict,
    "up": up,
    "dial": lambda: {"ssh in": dial(ssh_port), "other in": dial(other_port)},
}
for line in sys.stdin:
    print(json.dumps(WORDS[line.strip()]()), flush=True)
