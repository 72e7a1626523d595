"""Everything that the agent's user can do at once to the host that it is on, for so many seconds;
then, as JSON, what each came to. Run as that user, where its unit would run it."""

import json
import multiprocessing
import os
import socket
import sys
import time

ASK = [line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver")][0]
QUESTION = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\6github\3com\0\0\1\0\1"
END = time.monotonic() + float(sys.argv[1])


def flows():
    """Questions from ever other addresses and ports: each is a connection to the kernel."""
    sent = refused = 0
    while time.monotonic() < END:
        for port in range(1024, 65000, 3):
            own = f"127.7.{sent // 200 % 250}.{sent % 200 + 1}"
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
                asking.setblocking(False)
                try:
                    asking.bind((own, port))
                    asking.sendto(QUESTION, (ASK, 53))
                    sent += 1
                except OSError:
                    refused += 1
            if time.monotonic() > END:
                break
            if (sent + refused) % 40 == 0:
                time.sleep(0.004)
    return {"sent": sent, "refused": refused}


def knocks():
    """The same by TCP, to ports of loopback where nobody listens, and to its own API."""
    tried = refused = 0
    while time.monotonic() < END:
        for port in (*range(20000, 21000), 8642):
            with socket.socket() as knocking:
                knocking.setblocking(False)
                tried += 1
                refused += knocking.connect_ex((f"127.9.{tried % 250}.1", port)) not in (0, 115)
        time.sleep(0.01)
    return {"tried": tried, "refused": refused}


def held():
    """Connections that stay, to a listener of its own."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    kept, failed = [], 0
    while time.monotonic() < END:
        try:
            ours = socket.create_connection(listener.getsockname(), 1)
            kept += [ours, listener.accept()[0]]
        except OSError:
            failed += 1
            time.sleep(0.05)
    return {"held": len(kept) // 2, "failed": failed}


def files():
    """Empty files, and room, wherever there is some that is not its own data."""
    made = {}
    for place in ("/tmp", "/var/tmp", "/dev/shm"):
        count = 0
        try:
            while time.monotonic() < END and count < 300_000:
                os.close(os.open(f"{place}/flood-{count}", os.O_CREAT | os.O_WRONLY))
                count += 1
        except OSError:
            pass
        room = 0
        try:
            with open(f"{place}/flood-0", "wb") as file:
                while room < 2 << 30 and time.monotonic() < END:
                    room += file.write(b"x" * (1 << 20))
        except OSError:
            pass
        made[place] = [count, room >> 20]
    return made


def washing():
    """A line in the log for each question after a name that is not allowed."""
    label, asked = "a" * 60, 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        while time.monotonic() < END:
            names = (label, label, label, f"x{asked:08}")
            name = "".join(chr(len(one)) + one for one in names).encode()
            try:
                asking.sendto(QUESTION[:12] + name + b"\0\0\1\0\1", (ASK, 53))
                asked += 1
            except OSError:
                pass
            if asked % 50 == 0:
                time.sleep(0.01)
    return {"asked": asked}


def clean():
    for place in ("/tmp", "/var/tmp", "/dev/shm"):
        for name in os.listdir(place):
            if name.startswith("flood-"):
                os.unlink(f"{place}/{name}")


if __name__ == "__main__":
    floods = (flows, knocks, held, files, washing)
    with multiprocessing.get_context("fork").Pool(len(floods)) as pool:
        came = [pool.apply_async(flood) for flood in floods]
        said = {flood.__name__: one.get() for flood, one in zip(floods, came, strict=True)}
    clean()
    print(json.dumps(said))
