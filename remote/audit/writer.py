"""The audit writer: one process with a user of its own. The agent's user can add lines to the log,
and neither change nor remove one.

    writer.py DIRECTORY USER POLICY [--size BYTES] [--keep FILES] [--days DAYS]

The listening socket is descriptor 3 (systemd). Each request is a line of JSON and is answered by
one: `{"ok": true, "seq": 5}`, or `{"error": "..."}`, after which the agent does not do what it
asked for. A writer that cannot write stays and says so.
"""

import contextlib
import os
import pwd
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from audit.clerk import Clerk  # noqa: E402
from audit.limits import Limits  # noqa: E402
from audit.log import Log  # noqa: E402
from audit.server import Server  # noqa: E402

OPTIONS = {"--size": 64 << 20, "--keep": 16, "--days": 7}


def tell(text):
    """To the journal."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def main(argv):
    directory, user, policy, *rest = argv
    options = {
        **OPTIONS,
        **{name: int(value) for name, value in zip(*[iter(rest)] * 2, strict=True)},
    }
    if set(options) != set(OPTIONS) or os.environ.get("LISTEN_FDS") != "1":
        sys.exit("usage: writer.py DIRECTORY USER POLICY [--size N] [--keep N] [--days N]")
    allowed = {0, int(user) if user.isdigit() else pwd.getpwnam(user).pw_uid}
    os.umask(0o027)
    stopped, stop = socket.socketpair()
    stop.setblocking(False)
    signal.set_wakeup_fd(stop.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    log = Log(directory, *options.values(), tell)
    clerk = Clerk(log, Limits(policy), tell, time.time)
    server = Server(socket.socket(fileno=3), allowed, clerk.take, clerk.settle, clerk.tick)
    server.run(stopped)
    clerk.close()


if __name__ == "__main__":
    main(sys.argv[1:])
