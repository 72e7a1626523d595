"""UNIT: tells people that it failed, by each way that `alarm.json` names: a webhook, a letter, a
program of the host's. The same failure is told once in 20 hours, so that a backup that fails every
night is told every night, and a watch that fails every hour is not told every hour.

Curl gets the addresses and passwords on standard input: they are in no process list.
"""

import email.message
import email.utils
import hashlib
import json
import os
import re
import subprocess
import sys
import time

SETTINGS = "/etc/petasos/alarm/alarm.json"
AGAIN_SECS = 20 * 3600
# What is kept of a unit's own words.
LINES, LETTERS = 6, 1500
WHAT = {
    "petasos-backup-night.service": "no good backup this night",
    "petasos-backup-watch.service": "no fresh backup",
    "petasos-drill.service": "the restore drill failed",
    "petasos-vault-watch.service": "something is wrong with the backups on this vault",
    "petasos-vault-scrub.service": "the backups on this vault are not sound",
    "test": "this is a test of the alarm, and all is well",
}
# A unit that only starts others says nothing itself.
SAYS = {
    "petasos-backup-night.service": ["petasos-backup.service", "petasos-backup-copy.service"],
    "petasos-drill.service": ["petasos-drill-restore.service", "petasos-drill.service"],
}


def plain(text):
    """File names are the agent's: no line of theirs, and nothing that steers a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def output_of(*argv):
    return subprocess.run(argv, capture_output=True, text=True).stdout


def said(unit):
    """The last lines of what the unit and those that it starts wrote since it began; a line that
    is said again at the next try is one line."""
    show = ("systemctl", "show", "--value", "--timestamp=unix", "-p", "InactiveExitTimestamp", unit)
    began, lines = output_of(*show).strip(), []
    for name in SAYS.get(unit, [unit]):
        since = began if began.startswith("@") else "-1d"
        which = ("-n", "200", f"--since={since}", f"_SYSTEMD_UNIT={name}")
        for line in output_of("journalctl", "-q", "-o", "json", *which).splitlines():
            message = json.loads(line).get("MESSAGE")
            if isinstance(message, str) and plain(message) not in lines:
                lines.append(plain(message))
    return lines[-LINES:]


def secret(name):
    with open(os.path.join(os.environ["CREDENTIALS_DIRECTORY"], "secrets")) as file:
        for line in file:
            key, _, value = line.strip().partition("=")
            if key == name:
                return value
    raise ValueError(f"the secret {name} is not on this host: `petasos up` brings it")


def curl(options, body):
    """OPTIONS: lines for curl's configuration, which is read from standard input; MESSAGE there is
    the file that has the body."""
    state = os.environ["STATE_DIRECTORY"].split(":")[0]
    path = os.path.join(state, "message")
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(body)
    always = ["silent", "show-error", "fail", "max-time = 40", "connect-timeout = 15"]
    always += ["retry = 2", "retry-delay = 5", 'output = "/dev/null"']
    try:
        done = subprocess.run(
            ["/usr/bin/curl", "--disable", "--config", "-"],
            input="\n".join([*always, *(option.replace("MESSAGE", path) for option in options)])
            + "\n",
            capture_output=True,
            text=True,
        )
    finally:
        os.unlink(path)
    if done.returncode != 0:
        # Curl's own words may have the address, which is a secret.
        raise ValueError(f"curl ended with {done.returncode} (see its manual, EXIT CODES)")


def webhook(name, title, text):
    url = secret(name)
    if not url.startswith("https://") and not url.startswith("http://127."):
        raise ValueError(f"the secret {name} is no address that begins with https://")
    whole = f"{title}\n{text}"
    # Slack, Mattermost and others read `text`, Discord `content`.
    body = json.dumps({"text": whole, "content": whole[:1900], "title": title})
    curl(
        [f'url = "{url}"', 'header = "Content-Type: application/json"', 'data-binary = "@MESSAGE"'],
        body,
    )


def letter(email_to, name, title, text):
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = email_to["from"], email_to["to"], title
    message["Date"] = email.utils.formatdate()
    message.set_content(text)
    options = [
        f'url = "{email_to["server"]}/{name}"',  # as which it says that it calls
        "ssl-reqd",
        f'mail-from = "{email_to["from"]}"',
        f'mail-rcpt = "{email_to["to"]}"',
        'upload-file = "MESSAGE"',
    ]
    if email_to.get("user"):
        options.append(f'user = "{email_to["user"]}:{secret(email_to["password"])}"')
    curl(options, message.as_string().replace("\n", "\r\n"))


def command(path, title, text, unit):
    # Of this environment it gets nothing: the credentials' place is named there.
    given = {"PATH": "/usr/bin:/bin", "PETASOS_UNIT": unit, "PETASOS_TITLE": title}
    done = subprocess.run(
        [path], input=f"{title}\n{text}\n", capture_output=True, text=True, timeout=60, env=given
    )
    if done.returncode != 0:
        last = plain((done.stderr.strip().splitlines() or [""])[-1])
        raise ValueError(f"{path} ended with {done.returncode}: {last[:200]}")


def told(unit, text):
    """Whether the same was told not long ago; numbers, such as an age, are not another failure."""
    state = os.path.join(os.environ["STATE_DIRECTORY"].split(":")[0], "told.json")
    try:
        with open(state) as file:
            known = json.load(file)
    except (FileNotFoundError, ValueError):
        known = {}
    key = unit + " " + hashlib.sha256(re.sub(r"\d+", "N", text).encode()).hexdigest()
    now = time.time()
    known = {name: when for name, when in known.items() if now - AGAIN_SECS < when <= now}

    def remember():
        with open(state + ".new", "w") as file:
            json.dump({**known, key: now}, file)
        os.replace(state + ".new", state)

    return key in known, remember


def main(unit):
    with open(SETTINGS) as file:
        settings = json.load(file)
    title = f"petasos: {settings['name']}: {WHAT.get(unit, f'{unit} failed')}"
    lines = said(unit) if unit != "test" else []
    more = [] if unit == "test" else [f"More: `journalctl -u {SAYS.get(unit, [unit])[0]}` there."]
    text = "\n".join([*lines, *more])[-LETTERS:]
    before, remember = told(unit, text)
    if before and unit != "test":
        print("told already")
        return 0
    ways = {
        "webhook": lambda name: webhook(name, title, text),
        "email": lambda address: letter(address, settings["name"], title, text),
        "command": lambda path: command(path, title, text, unit),
    }
    failed = 0
    for way, tell in ways.items():
        if settings.get(way):
            try:
                tell(settings[way])
                print(f"{way}: told")
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                failed += 1
                print(f"{way}: nobody was told: {error}", file=sys.stderr)
    if not failed:
        remember()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
