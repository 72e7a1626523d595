"""In the place of root's shell on a lab host: answers a script as somebody would who has the host
and wants the operator's machine. What it does is in /etc/hostile-mode.

It knows what any host knows: the script with its nonce, and the names of the steps.
"""

import os
import re
import sys
import time

ESCAPES = (
    b"\x1b]0;TITLE\x07\x1b[2J\x1b[31mall met\x1b[0m\x1b]52;c;Y3VybA==\x07\r\x1b[1A\x9b2J\xc2\x9b3J"
)
BLOCK = b"A" * (1 << 20)


def say(*parts):
    for part in parts:
        left = memoryview(part)
        while left:
            left = left[os.write(1, left) :]


def script():
    text = os.environ.get("SSH_ORIGINAL_COMMAND", "")
    if "@petasos" in text:
        # As printf's %b has it.
        return text.replace("\\n", "\n")
    heard = b""
    while b"\npetasos\nexit 0" not in heard:
        got = os.read(0, 1 << 16)
        if not got:
            break
        heard += got
    return heard.decode(errors="replace")


def header(name, out=0, err=0, hint=0, rc=0):
    return b"@%s %d %d %d %d\n" % (name, rc, out, err, hint)


def forever(*parts):
    while True:
        say(*parts)


def answer_all(names, text, rc=0):
    for name in names:
        say(header(name, len(text), len(text) if rc else 0, rc=rc), text, text if rc else b"")
    say(b"@end %d\n" % len(names))


HISTORY = (
    b'{"time":"2026-01-01T00:00:00Z\\u001b[2J","run":"1-a\\u001b[31m","event":"begun","verb":"up",'
    b'"by":"me\\u001b[1A<script>","petasos":"x","playbooks":"y",'
    b'"changes":[["file /x\\u001b[2K","content"]]}\n== kept\n../../etc\n'
)
EGRESS = (
    b'{"names":[{"by":"agent","name":"a\\u001b[2J.com\\n      - \\"*.b.com","port":443,'
    b'"state":"refused","count":9,"first":1,"last":2,"sent":0,"received":0},'
    b'{"by":"agent","name":"c\\" # x\\n      - \\"d.org","port":443,"state":"refused","count":9,'
    b'"first":1,"last":2,"sent":0,"received":0}],"more":0,"lost":0,"refused":{"x\\u001b[2J":1}}'
)
AUDIT = b'{"lines":["{\\"seq\\":1,\\"event\\":\\"\\u001b[2J\\"}"],"more":0,"cursor":[1,2]}'


def main():
    with open("/etc/hostile-mode") as file:
        mode = file.read().strip()
    if mode == "noise":
        forever(BLOCK)
    if mode == "complaints":
        while True:
            os.write(2, BLOCK)
    if mode == "silence":
        time.sleep(3600)
    text = script()
    nonce = re.search(r"[0-9a-f]{32}", text[text.find("@petasos") :])[0].encode()
    names = [name.encode() for name in re.findall(r"^(?:ask|frame) (\S+) step\d+ ", text, re.M)]
    if re.search(r"^lock \S+ .* \|\| return 0$", text, re.M):
        names.insert(0, b"lock")
    first = names[0]
    say(b"@petasos " + nonce + b"\n")
    if mode == "frames":
        forever(header(first, len(BLOCK)), BLOCK)
    if mode == "large":
        say(header(first, 60 << 20, 60 << 20))
        forever(BLOCK)
    if mode == "header":
        forever(BLOCK)
    if mode == "trickle":
        say(header(first, 4 << 20))
        while True:
            say(b"x")
            time.sleep(1)
    if mode == "twice":
        say(header(first), header(first), b"@end 2\n")
    if mode == "other":
        say(header(b"x" + first), b"@end 1\n")
    if mode == "more":
        answer_all([*names, b"more"], b"")
    if mode == "escaped name":
        say(header(b"\x1b[31mx"), b"@end 1\n")
    if mode == "broken":
        say(b"nonsense " + ESCAPES + b" line\n")
    if mode == "locked":
        say(header(first, 0, len(ESCAPES), rc=75), ESCAPES, b"@end 1\n")
    if mode == "escapes":
        answer_all(names, ESCAPES, 1)
    if mode == "long":
        # As long as it may be, and a failure.
        answer_all(names, ESCAPES * ((7 << 20) // (2 * len(ESCAPES) * len(names))), 1)
    if mode == "random":
        end = time.monotonic() + 60
        while time.monotonic() < end:
            say(os.urandom(1 << 16))
    for kind, answer in (("history", HISTORY), ("egress", EGRESS), ("audit", AUDIT)):
        if mode == kind:
            answer_all(names, answer)


try:
    main()
except BrokenPipeError:
    sys.exit(1)
