"""Telegram's Bot API, as far as the agent uses it.

    POST /bot<number>:<secret>/<method>     what a bot asks; any secret will do
    POST /lab/say                           a user writes to a bot, with
                                            {"bot": number, "from": user, "text": words}

Every call becomes one line of JSON in the log, with the bot's number and never its token.
Arguments: port, log file.
"""

import collections
import itertools
import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

LONGEST_POLL = 50
TOKEN = re.compile(r"/bot(\d+):[\w-]+/(\w+)$")
numbers = itertools.count(1)
log_lock = threading.Lock()
# What users wrote to each bot, until it has confirmed that it has read it.
updates = collections.defaultdict(list)
written = threading.Condition()


def user(number, is_bot=False):
    return {
        "id": number,
        "is_bot": is_bot,
        "first_name": f"number {number}",
        "username": f"lab_{number}_bot",
    }


def message(sender, chat, text):
    return {
        "message_id": next(numbers),
        "date": int(time.time()),
        "from": sender,
        "chat": {"id": chat, "type": "private", "first_name": f"number {chat}"},
        "text": text,
    }


def get_updates(bot, asked):
    """Waits for news; what lies below the offset is confirmed, and forgotten."""
    first = int(asked.get("offset", 0))
    until = time.monotonic() + min(int(asked.get("timeout", 0)), LONGEST_POLL)
    with written:
        updates[bot] = [update for update in updates[bot] if update["update_id"] >= first]
        while not updates[bot] and time.monotonic() < until:
            written.wait(until - time.monotonic())
        return updates[bot][:100]


def delete_webhook(bot, asked):
    if str(asked.get("drop_pending_updates", "")).lower() == "true":
        with written:
            updates[bot] = []
    return True


def sent(bot, asked):
    return message(user(bot, True), int(asked.get("chat_id", 0)), asked.get("text", ""))


METHODS = {
    "getMe": lambda bot, _asked: user(bot, True),
    "getUpdates": get_updates,
    "getWebhookInfo": lambda bot, _asked: {
        "url": "",
        "has_custom_certificate": False,
        "pending_update_count": len(updates[bot]),
    },
    "deleteWebhook": delete_webhook,
    "sendMessage": sent,
    "editMessageText": sent,
    "sendChatAction": lambda _bot, _asked: True,
    "setMessageReaction": lambda _bot, _asked: True,
    "deleteMessage": lambda _bot, _asked: True,
    "setMyCommands": lambda _bot, _asked: True,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("?")[0]
        call = TOKEN.match(path)
        if path == "/lab/say":
            said = json.loads(body)
            self.record(said["bot"], "/lab/say", said)
            with written:
                update = {
                    "update_id": next(numbers),
                    "message": message(user(said["from"]), said["from"], said["text"]),
                }
                updates[said["bot"]].append(update)
                written.notify_all()
            self.reply(200, {"ok": True, "result": update["update_id"]})
        elif call:
            bot, method = int(call[1]), call[2]
            asked = self.asked(body)
            self.record(bot, method, asked)
            if method in METHODS:
                self.reply(200, {"ok": True, "result": METHODS[method](bot, asked)})
            else:
                self.reply(404, {"ok": False, "error_code": 404, "description": "Not Found"})
        else:
            self.reply(404, {"ok": False, "error_code": 404, "description": "Not Found"})

    do_GET = do_POST

    def asked(self, body):
        if "json" in self.headers.get("Content-Type", ""):
            return json.loads(body)
        return dict(parse_qsl(body.decode(errors="replace")))

    def reply(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass  # whoever polled is gone; what it did not confirm it will be told again

    def record(self, bot, method, asked):
        line = {
            "time": time.time(),
            "from": self.headers.get("X-Real-IP"),
            "at": self.headers.get("X-Called-At"),
            "bot": bot,
            "method": method,
            "asked": asked,
        }
        with log_lock, open(sys.argv[2], "a") as log:
            log.write(json.dumps(line) + "\n")

    def log_message(self, *_args):
        pass  # the log above has it all


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
