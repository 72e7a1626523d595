"""The network of petasos-sandbox-net@.service: none but this way to the egress proxy.

Programs are told of a proxy on the instance's own loopback. It takes `CONNECT name:port`, and leads
to a socket of the host's egress proxy, which reads the name in the TLS handshake itself and has the
last word. The list here is for an answer that one understands. No name is ever asked of anybody.
"""

import os

FOLDER = "/egress"
PORT = 3128
URL = f"http://127.0.0.1:{PORT}"
ENVIRONMENT = {
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), URL),
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1,::1"),
    # Node from 22.21 on reads the others then.
    "NODE_USE_ENV_PROXY": "1",
}


def is_there():
    """By the unit's word."""
    return os.environ.get("PETASOS_NETWORK") == "names"


def names():
    """Lines of a name, its port, and which socket leads there."""
    with open(f"{FOLDER}/names", encoding="ascii") as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return [(name, int(port), socket) for name, port, socket in lines]


def way_to(name, port, known):
    """The socket that leads to this port of this name, or nothing."""
    for allowed, its_port, socket in known:
        below = allowed.startswith("*") and name.endswith(allowed[1:])
        if its_port == port and (below or name == allowed):
            return f"{FOLDER}/{socket}"
    return None
