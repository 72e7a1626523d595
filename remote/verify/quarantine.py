"""A host that is closed off, in a network of its own: what gets through without the rules, and with
them, as one line of JSON. Its arguments are JSON: the rules' file, SSH's port, and the program of
the other end (outside.py), which runs in another network."""

import json
import os
import pwd
import socket
import subprocess
import sys
import threading

# The two ends; nobody has these addresses (RFC 5737).
INSIDE, OUTSIDE = "192.0.2.1", "192.0.2.2"
OTHER_PORT, SOON_SECS = 8443, 1.5


def run(*argv):
    subprocess.run(argv, check=True, capture_output=True)


def serve(port):
    server = socket.create_server((INSIDE, port))

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
        with socket.create_connection((OUTSIDE, port), SOON_SECS) as one:
            return one.recv(4) == b"here"
    except OSError:
        return False


def dial_as(user, port):
    child = os.fork()
    if child == 0:
        entry = pwd.getpwnam(user)
        os.setgroups([])
        os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
        os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
        os._exit(0 if dial(port) else 1)
    return os.waitpid(child, 0)[1] == 0


def tried(tell):
    return {
        "root out": dial(443),
        "agent out": dial_as("hermes", 443),
        "agent to port 22": dial_as("hermes", 22),
        **tell("dial"),
    }


def main():
    rules, ssh_port, outside = json.loads(sys.argv[1])
    told = json.dumps([INSIDE, OUTSIDE, ssh_port, OTHER_PORT, SOON_SECS])
    other = subprocess.Popen(
        ["unshare", "--net", sys.executable, "-I", "-S", "-c", outside, told],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def tell(word):
        other.stdin.write(word + "\n")
        other.stdin.flush()
        return json.loads(other.stdout.readline())

    try:
        tell("ready")
        run("ip", "link", "set", "lo", "up")
        ends = ("petasos-in", "type", "veth", "peer", "name", "petasos-out")
        run("ip", "link", "add", *ends, "netns", str(other.pid))
        run("ip", "addr", "add", f"{INSIDE}/24", "dev", "petasos-in")
        run("ip", "link", "set", "petasos-in", "up")
        tell("up")
        serve(ssh_port)
        serve(OTHER_PORT)
        before = tried(tell)
        run("nft", "-f", rules)
        print(json.dumps({"open": before, "closed": tried(tell)}))
    finally:
        other.kill()


main()
