# What the agent asked for since a time, by the logs of the resolver and the proxy (which their own
# users wrote, by journald's word), and what the filter counted since it was loaded. One JSON
# object. Arguments: what `journalctl --since` takes; the names that `petasos verify` tries, as a
# JSON list.
import json
import re
import subprocess
import sys

since, tried = sys.argv[1], set(json.loads(sys.argv[2]))
# Of all instances of petasos-sandbox-net@.service, as systemd escapes it.
SANDBOX_SLICE = "system-petasos\\x2dsandbox\\x2dnet.slice"


def entries(*which):
    fields = "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,UNIT"
    words = ["journalctl", "-q", "--no-pager", "--all", "-o", "json", fields, "--since", since]
    log = subprocess.Popen([*words, *which], stdout=subprocess.PIPE)
    for line in log.stdout:
        entry = json.loads(line)
        text = entry.get("MESSAGE") or ""
        # What is no UTF-8 comes as numbers.
        entry["MESSAGE"] = text if isinstance(text, str) else bytes(text).decode(errors="replace")
        yield int(entry["__REALTIME_TIMESTAMP"]) // 1000000, entry
    if log.wait():
        sys.exit(log.returncode)


def messages(*which):
    for when, entry in entries(*which):
        yield when, entry.get("SYSLOG_IDENTIFIER"), entry["MESSAGE"]


# When the probe's units began and ended, by the word of systemd itself.
probes = {}
for when, entry in entries("_PID=1"):
    unit = entry.get("UNIT", "")
    if unit.startswith("petasos-verify-"):
        first, last = probes.get(unit, (when, when))
        probes[unit] = (min(first, when), max(last, when))

seen = {}


def note(when, who, name, port, state, sent=0, received=0):
    if name.lower().rstrip(".") in tried and any(
        first - 1 <= when <= last + 1 for first, last in probes.values()
    ):
        return
    row = seen.setdefault((who, name, port, state), [0, when, when, 0, 0])
    row[0], row[1], row[2] = row[0] + 1, min(row[1], when), max(row[2], when)
    row[3], row[4] = row[3] + sent, row[4] + received


# The proxy, and what the sandbox's own relays did not even ask it for.
proxy = ("_SYSTEMD_UNIT=petasos-proxy.service", "+", f"_SYSTEMD_SLICE={SANDBOX_SLICE}")
for when, tag, text in messages(*proxy):
    try:
        line = json.loads(text)
        name, port, to, allowed = line["name"], line["port"], line["to"], line["allowed"]
        sent, received = int(line.get("sent", 0)), int(line.get("received", 0))
    except (ValueError, KeyError, TypeError):
        continue
    status = line.get("status", 200)
    # 403 is the word of a relay.
    if to == "unix:/run/petasos-proxy/refused" or not name or status == 403:
        state = "refused"
    elif status != 200:
        state = "failed"
    else:
        state = "allowed" if allowed == 1 else "learnt"
    who = "sandbox" if tag == "petasos_sandbox_egress" else "agent"
    # What the proxy let nobody have was not sent.
    count = (sent, received) if state in ("allowed", "learnt") else (0, 0)
    note(when, who, name, port, state, *count)
for when, _, text in messages("_SYSTEMD_UNIT=petasos-resolver.service"):
    name = re.search(r" config (\S+) is NXDOMAIN$", text)
    if name:
        note(when, "agent", name[1].lower(), 0, "unknown")

# journald drops what comes too fast, and says how much.
lost = 0
for _, entry in entries("_SYSTEMD_UNIT=systemd-journald.service"):
    count = re.match(
        r"Suppressed (\d+) messages from petasos-(?:proxy|resolver)\.service", entry["MESSAGE"]
    )
    lost += int(count[1]) if count else 0

counters = {}
table = subprocess.run(
    ["nft", "-j", "list", "counters", "table", "inet", "petasos"], stdout=subprocess.PIPE
).stdout
for item in json.loads(table or b"{}").get("nftables", []):
    if "counter" in item:
        counters[item["counter"]["name"]] = item["counter"]["packets"]
rows = sorted(seen.items(), key=lambda row: -row[1][0])
more, rows = len(rows[2000:]), rows[:2000]
names = [
    {"by": by, "name": name, "port": port, "state": state, "count": count}
    | {"first": first, "last": last, "sent": sent, "received": received}
    for (by, name, port, state), (count, first, last, sent, received) in rows
]
print(json.dumps({"names": names, "more": more, "lost": lost, "refused": counters}))
