"""A stand-in for a model: it does what the last message says, and keeps every request.

RUN: echo hi            calls the terminal
TOOL: name {"a": 1}     calls any tool
SAY: text               answers with this text
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Model:
    def __init__(self):
        self.requests, self.loops = [], False
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                self._send(json.dumps({"object": "list", "data": [{"id": "stub"}]}).encode())

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = json.loads(body or b"{}")
                if self.path.endswith("/chat/completions"):
                    model.requests.append(request)
                message = model.answer(request)
                if request.get("stream"):
                    self._send(stream(message), "text/event-stream")
                else:
                    self._send(json.dumps(whole(message)).encode())

            def _send(self, data, kind="application/json"):
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        messages = request.get("messages") or []
        last = messages[-1] if messages else {}
        text = text_of(last)
        # The agent may put notes before or after what a person wrote.
        if last.get("role") == "user" or self.loops:
            if last.get("role") != "user":
                text = next((text_of(m) for m in reversed(messages) if m["role"] == "user"), "")
            for line in text.splitlines():
                if line.startswith("RUN: ") and request.get("tools"):
                    return call("terminal", {"command": line[5:]})
                if line.startswith("TOOL: ") and request.get("tools"):
                    name, _, args = line[6:].partition(" ")
                    return call(name, json.loads(args or "{}"))
                if line.startswith("SAY: "):
                    return {"content": line[5:]}
        return {"content": f"STUB: {text[:4000]}"}


def text_of(message):
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(p.get("text", "") for p in content if isinstance(p, dict))
    return content or ""


def call(name, args):
    function = {"name": name, "arguments": json.dumps(args)}
    return {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]}


def whole(message):
    finish = "tool_calls" if "tool_calls" in message else "stop"
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "stub",
        "choices": [{**choice, "finish_reason": finish}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def stream(message):
    finish = "tool_calls" if "tool_calls" in message else "stop"
    base = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "stub"}
    parts = [
        {"index": 0, "delta": {"role": "assistant", **message}, "finish_reason": None},
        {"index": 0, "delta": {}, "finish_reason": finish},
    ]
    lines = [f"data: {json.dumps({**base, 'choices': [p]})}\n\n" for p in parts]
    return ("".join(lines) + "data: [DONE]\n\n").encode()
