"""A few requests over HTTP/2 to a program's standard input and output, as restic makes them (RFC
9113, RFC 7541). Of an answer only the status counts."""

import struct
import subprocess

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 32
# SETTINGS_HEADER_TABLE_SIZE: nothing is remembered from one answer to the next.
NO_TABLE = struct.pack(">HI", 1, 0)
# The static table's entries for `:status`.
STATUS = {8: "200", 9: "204", 10: "206", 11: "304", 12: "400", 13: "404", 14: "500"}
# Digits in HPACK's Huffman code, most significant bit first.
DIGITS = {
    "00000": "0",
    "00001": "1",
    "00010": "2",
    "011001": "3",
    "011010": "4",
    "011011": "5",
    "011100": "6",
    "011101": "7",
    "011110": "8",
    "011111": "9",
}


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name, value):
    """A header field without an index, both parts as they are."""
    parts = (name.encode(), value.encode())
    return b"\0" + b"".join(bytes([len(part)]) + part for part in parts)


def request(method, path):
    pairs = ((":method", method), (":scheme", "http"), (":path", path), (":authority", "store"))
    return b"".join(literal(name, value) for name, value in pairs)


def digits(code):
    """A number in Huffman's code; what is left over is padding."""
    bits, found, word = "".join(f"{byte:08b}" for byte in code), "", ""
    for bit in bits:
        word += bit
        if word in DIGITS:
            found, word = found + DIGITS[word], ""
    return found


def status(block):
    """The first field of an answer's header block."""
    # Changes of the table's size come before it.
    while block and block[0] & 0xE0 == 0x20:
        block = block[1:]
    if block[0] & 0x80:
        return STATUS.get(block[0] & 0x7F, "?")
    index = block[0] & (0x3F if block[0] & 0x40 else 0x0F)
    if index not in STATUS:
        return "?"
    length, coded = block[1] & 0x7F, block[1] & 0x80
    value = block[2 : 2 + length]
    return digits(value) if coded else value.decode("ascii", "replace")


def frames(stream):
    while True:
        head = stream.read(9)
        if len(head) < 9:
            return
        length = int.from_bytes(head[:3], "big")
        kind, flags, number = struct.unpack(">BBI", head[3:])
        yield kind, flags, number & 0x7FFFFFFF, stream.read(length)


def header_block(flags, payload):
    start = 1 if flags & PADDED else 0
    end = len(payload) - (payload[0] if flags & PADDED else 0)
    return payload[start + (5 if flags & PRIORITY else 0) : end]


def ask(argv, env, requests, patience):
    """The status of each request, in order; none where the program ended before it answered."""
    program = subprocess.Popen(
        ["timeout", str(patience), *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=env,
    )
    with program:
        try:
            program.stdin.write(PREFACE + frame(SETTINGS, 0, 0, NO_TABLE))
            for at, (method, path) in enumerate(requests):
                block = request(method, path)
                program.stdin.write(frame(HEADERS, END_STREAM | END_HEADERS, 2 * at + 1, block))
            program.stdin.flush()
        except BrokenPipeError:
            pass
        found = {}
        for kind, flags, stream, payload in frames(program.stdout):
            if kind == HEADERS and stream not in found:
                found[stream] = status(header_block(flags, payload))
            elif kind == RESET:
                found.setdefault(stream, "reset")
            elif kind == SETTINGS and not flags & ACK:
                program.stdin.write(frame(SETTINGS, ACK, 0, b""))
                program.stdin.flush()
            elif kind == GOAWAY:
                break
            if len(found) == len(requests):
                break
        program.terminate()
    return [found.get(2 * at + 1) for at in range(len(requests))]
