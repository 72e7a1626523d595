"""One message to the agent; prints what it answers."""

import json
import re
import sys
import urllib.request

key = re.search(r"^API_SERVER_KEY=(\w+)$", open("/etc/hermes/secrets.env").read(), re.M).group(1)
body = {"model": "hermes-agent", "messages": [{"role": "user", "content": sys.argv[1]}]}
request = urllib.request.Request(
    "http://127.0.0.1:8642/v1/chat/completions",
    json.dumps(body).encode(),
    {"Authorization": "Bearer " + key, "Content-Type": "application/json"},
)
with urllib.request.urlopen(request, timeout=120) as answer:
    print(json.load(answer)["choices"][0]["message"]["content"])
