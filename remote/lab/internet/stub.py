"""Everything that the lab's internet serves but git.

First of all a language model that obeys its prompt:

    hello           ->  STUB OK: hello
    RUN: command    ->  a call of the tool `terminal`, when the request offers it
    TOOL: name {…}  ->  a call of this tool with these arguments, offered or not
    a tool's result ->  TOOL SAID: result

Two names answer questions for names over HTTPS, as JSON: dns.google and cloudflare-dns.com.

Every request becomes one line of JSON in the log. Arguments: port, log file, hosts file.
"""

import itertools
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

RESOLVERS = {("dns.google", "/resolve"), ("cloudflare-dns.com", "/dns-query")}
MODELS = ["nousresearch/hermes-4-405b", "nousresearch/hermes-4-70b", "stub-model"]
SECRET_HEADERS = {"authorization", "x-api-key", "cookie"}
numbers = itertools.count(1)
log_lock = threading.Lock()


def text_of(content):
    """A message's content is a string, or a list of parts."""
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content or ""


def answer(request):
    """What the model says: (text, None), or (None, (tool, arguments))."""
    messages = request.get("messages") or [{}]
    if messages[-1].get("role") == "tool":
        return "TOOL SAID: " + text_of(messages[-1].get("content")), None
    prompts = [m for m in messages if m.get("role") == "user"]
    prompt = text_of(prompts[-1].get("content")).strip() if prompts else ""
    offered = {tool.get("function", {}).get("name") for tool in request.get("tools") or []}
    if prompt.startswith("RUN:") and "terminal" in offered:
        return None, ("terminal", {"command": prompt[len("RUN:") :].strip()})
    if prompt.startswith("TOOL:") and offered:
        name, _, arguments = prompt[len("TOOL:") :].strip().partition(" ")
        return None, (name, json.loads(arguments or "{}"))
    return "STUB OK: " + prompt, None


def completion(request):
    """The answer as one chat completion, and as the chunks of a stream."""
    text, tool = answer(request)
    message, reason = {"role": "assistant", "content": text}, "stop"
    delta = dict(message)
    if tool is not None:
        name, arguments = tool
        call = {
            "id": f"call_{next(numbers)}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        message["tool_calls"], delta["tool_calls"] = [call], [{"index": 0, **call}]
        reason = "tool_calls"
    common = {
        "id": f"chatcmpl-{next(numbers)}",
        "created": int(time.time()),
        "model": request.get("model") or MODELS[0],
    }
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    whole = {
        **common,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": usage,
    }
    chunk = {**common, "object": "chat.completion.chunk"}
    chunks = [
        {**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": usage},
    ]
    return whole, chunks


def models():
    price = {"prompt": "0.000001", "completion": "0.000001"}
    return {
        "object": "list",
        "data": [
            {
                "id": name,
                "name": name,
                "object": "model",
                "context_length": 131072,
                "pricing": price,
                "supported_parameters": ["tools", "tool_choice", "max_tokens", "temperature"],
            }
            for name in MODELS
        ],
    }


def resolved(query):
    """The answer of DNS over HTTPS: IPv4 addresses, with those that only this way tells."""
    name = parse_qs(query).get("name", [""])[0].rstrip(".").lower()
    with open(sys.argv[3]) as hosts:
        lines = [line.split() for line in hosts]
    wanted = {name, "over-https." + name}
    found = [address for address, *names in lines if wanted & set(names) and "." in address]
    answers = [{"name": name + ".", "type": 1, "TTL": 30, "data": address} for address in found]
    return {"Status": 0 if answers else 3, "Answer": answers}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.record(b"")
        url = urlsplit(self.path)
        if (self.headers.get("Host"), url.path) in RESOLVERS:
            self.reply(200, resolved(url.query))
        elif url.path in ("/api/v1/models", "/v1/models"):
            self.reply(200, models())
        else:
            self.reply(404, {"error": {"message": "the lab does not serve this", "code": 404}})

    do_HEAD = do_DELETE = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = self.record(body)
        if self.path.split("?")[0] not in ("/api/v1/chat/completions", "/v1/chat/completions"):
            self.reply(404, {"error": {"message": "the lab does not serve this", "code": 404}})
        elif not isinstance(request, dict):
            self.reply(400, {"error": {"message": "the body is not a JSON object", "code": 400}})
        else:
            whole, chunks = completion(request)
            self.stream(chunks) if request.get("stream") else self.reply(200, whole)

    do_PUT = do_PATCH = do_POST

    def reply(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def stream(self, chunks):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for chunk in [*map(json.dumps, chunks), "[DONE]"]:
            self.wfile.write(f"data: {chunk}\n\n".encode())
            self.wfile.flush()
        self.close_connection = True

    def record(self, body):
        """Appends the request to the log and returns its body, parsed where it is JSON."""
        try:
            parsed = json.loads(body) if body else None
        except ValueError:
            parsed = body.decode(errors="replace")
        headers = {
            name: "[left out]" if name.lower() in SECRET_HEADERS else value
            for name, value in self.headers.items()
        }
        line = {
            "time": time.time(),
            "from": self.headers.get("X-Real-IP", self.client_address[0]),
            "host": self.headers.get("Host"),
            "method": self.command,
            "path": self.path,
            "headers": headers,
            "body": parsed,
        }
        with log_lock, open(sys.argv[2], "a") as log:
            log.write(json.dumps(line) + "\n")
        return parsed

    def log_message(self, *_args):
        pass  # the log above has it all


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
