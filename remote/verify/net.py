

# --- what an attacker inside may try on the network ---------------------------------------------------------------------------
PATIENCE = 4


def kind_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def opened(address, port):
    peer = socket.socket(kind_of(address), socket.SOCK_STREAM)
    peer.settimeout(PATIENCE)
    peer.connect((address, port))
    return peer


def tcp(address, port):
    with opened(address, port):
        return yes(f"connected to {address} port {port}")


def udp(address, port, words="petasos", own=0):
    """A question; `own` is the port that it comes from, where that matters."""
    with socket.socket(kind_of(address), socket.SOCK_DGRAM) as peer:
        peer.settimeout(PATIENCE)
        if own:
            peer.bind(("127.0.0.1", own))
        peer.connect((address, port))
        peer.send(words.encode())
        return yes(f"{len(peer.recv(2048))} bytes came back from {address} port {port}")


def unix(path, kind="stream"):
    """A door of another service."""
    kinds = {"stream": socket.SOCK_STREAM, "datagram": socket.SOCK_DGRAM}
    with socket.socket(socket.AF_UNIX, kinds[kind]) as peer:
        peer.settimeout(PATIENCE)
        peer.connect(path)
    return yes(f"connected to {path}")


def each_unix(paths):
    return any_of("unix", paths)


def ping(kind, address):
    """An echo, by the kernel's ping socket or a raw one."""
    kinds = {"socket": socket.SOCK_DGRAM, "raw": socket.SOCK_RAW}
    with socket.socket(socket.AF_INET, kinds[kind], socket.IPPROTO_ICMP) as peer:
        peer.settimeout(PATIENCE)
        peer.connect((address, 0))
        packet = struct.pack("!BBHHH", 8, 0, 0xF7FF - 1, 0, 1)  # an echo request with its checksum, number 1 of nobody
        peer.send(packet)
        return yes(f"{len(peer.recv(2048))} bytes came back")


def query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    return os.urandom(2) + struct.pack("!5H", 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1)


def dns(transport, server, port, name, heard=False):
    """A question about a name. An answer with an address is success; where nobody at all should hear it, any answer is."""
    if transport == "udp":
        with socket.socket(kind_of(server), socket.SOCK_DGRAM) as peer:
            peer.settimeout(PATIENCE)
            peer.connect((server, port))
            peer.send(query(name))
            answer = peer.recv(4096)
    else:
        with opened(server, port) as peer:
            question = query(name)
            peer.sendall(struct.pack("!H", len(question)) + question)
            answer = peer.recv(4096)[2:]
            if not answer:
                return no("closed without an answer")
    code, count = answer[3] & 15, struct.unpack("!H", answer[6:8])[0]
    words = f"{server} answered: " + ({3: "no such name", 5: "refused"}.get(code, f"code {code}") if code else f"{count} addresses")
    return yes(words) if heard or (code == 0 and count) else no(words)


def lookup(name):
    """As every program does it: by the C library, and all that stands behind it."""
    try:
        found = socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return no(f"{name}: {error.strerror}")
    return yes(f"{name} is {found[0][4][0]}")


def hello(name):
    """The first message of TLS. None leaves the name out."""
    def extension(number, body):
        return struct.pack("!2H", number, len(body)) + body

    extensions = b""
    if name is not None:
        raw = name.encode("latin-1")
        extensions += extension(0, struct.pack("!HBH", len(raw) + 3, 0, len(raw)) + raw)
    extensions += extension(10, struct.pack("!4H", 6, 29, 23, 24)) + extension(11, b"\1\0")
    extensions += extension(13, struct.pack("!6H", 10, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805))
    ciphers = struct.pack("!6H", 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8)
    body = b"\3\3" + os.urandom(32) + b"\0" + struct.pack("!H", len(ciphers)) + ciphers + b"\1\0" + struct.pack("!H", len(extensions)) + extensions
    return b"\1" + struct.pack("!I", len(body))[1:] + body


def record(part):
    return b"\x16\3\1" + struct.pack("!H", len(part)) + part


def tls(address, port, name, how="whole"):
    """Whether anybody answers a first message of TLS with this name: in one piece, in two packets, or in two records."""
    message = hello(name)
    half = len(message) - 40
    parts = {
        "whole": [record(message)],
        "packets": [record(message)[:half], record(message)[half:]],
        "records": [record(message[:half]) + record(message[half:])],
        "bytes": [record(message)[:3], record(message)[3:7], record(message)[7:]],
    }[how]
    with opened(address, port) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            peer.sendall(part)
            time.sleep(0.05 if len(parts) > 1 else 0)
        answer = peer.recv(512)
    return yes(f"{len(answer)} bytes of an answer") if answer else no("closed without an answer")


def speak(address, port, words):
    """Says something in plain text and waits for an answer."""
    with opened(address, port) as peer:
        peer.sendall(words.encode())
        answer = peer.recv(512)
    return yes(f"an answer: {answer[:40]!r}") if answer else no("closed without an answer")


def others(listeners, allowed):
    """What other users serve on this host, but for the ports that the operator opened for the agent."""
    tried = [item for item in listeners if item[1] not in allowed]
    if not tried:
        return "nothing", "nobody else listens on this host"
    reached = []

    def one(address, port, owner):
        try:
            with opened(address, port):
                reached.append(f"{owner} at {address} port {port}")
        except OSError:
            pass

    threads = [threading.Thread(target=one, args=item, daemon=True) for item in tried]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return yes("reached " + ", ".join(sorted(reached))) if reached else no(f"{len(tried)} services of others, none reached")


def neighbour(address, port):
    return tcp(address, port) if port else ("nothing", f"this host has no {address}")


def plant():
    """A service of root's on loopback, at a port where anybody may listen: the agent is not to reach it."""
    def greet(listener):
        while True:
            listener.accept()[0].close()

    ports = {"@planted": None, "@planted6": None}
    for word, kind, address in (("@planted", socket.AF_INET, "127.0.0.1"), ("@planted6", socket.AF_INET6, "::1")):
        try:
            listener = socket.create_server((address, 0), family=kind)
        except OSError:  # a host without IPv6
            continue
        threading.Thread(target=greet, args=(listener,), daemon=True).start()
        ports[word] = listener.getsockname()[1]
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 0))
    threading.Thread(target=echo, args=(sink,), daemon=True).start()
    # A question of root's from a port that is anybody's afterwards.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(PATIENCE)
        asker.connect(sink.getsockname())
        asker.send(b"petasos")
        asker.recv(64)
        left = asker.getsockname()[1]
    return {**ports, "@planted-udp": sink.getsockname()[1], "@left": left}


def echo(sink):
    while True:
        words, peer = sink.recvfrom(4096)
        sink.sendto(words[:2] + b"\x81\x80\0\0\0\1\0\0\0\0" + words[12:], peer)


def bench():
    """Loopback listeners of the probe's own: where every way out must succeed, or the probe is blind. A port for each way."""
    def serve(listener):
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=answer, args=(peer,), daemon=True).start()

    def answer(peer):
        try:
            heard = peer.recv(4096)
            # The rest of what comes in pieces: who closes before it was read breaks the line.
            peer.settimeout(0.3)
            try:
                while heard and peer.recv(4096):
                    pass
            except TimeoutError:
                pass
            if heard:
                # In the length of a message of DNS over TCP: one answer of nobody's, which is an
                # answer.
                peer.sendall(b"\0\x0c\0\0\x81\x80\0\0\0\1\0\0\0\0")
            peer.close()
        except OSError:
            pass

    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 0))
    threading.Thread(target=echo, args=(sink,), daemon=True).start()
    return {"@tcp": listener.getsockname()[1], "@udp": sink.getsockname()[1]}
