"""Takes every place that an sshd has for logins, as soon as there is one, and keeps it; for two
minutes at most."""

import collections
import socket
import sys
import time

kept = collections.deque()
end = time.monotonic() + 120
while time.monotonic() < end:
    try:
        stranger = socket.create_connection((sys.argv[1], 22), timeout=0.5)
        # sshd greets those that it has a place for; the others hear a word of refusal, or nothing.
        if stranger.recv(4) == b"SSH-":
            kept.append(stranger)
    except OSError:
        pass
    # An sshd that takes ten at a time must still have a place for others; one that reads its file
    # anew forgets these.
    if len(kept) > 5:
        kept.popleft().close()
    time.sleep(0.005)
