"""What a start of the agent needs, in one directory: policy, settings, stand-ins; the gateway."""

import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from model import Model
from sandbox import Sandbox
from writer import Writer

HERE = os.path.dirname(os.path.abspath(__file__))
KEY = "0123456789abcdef0123456789abcdef"
ROUTE_SECRET = "labsecret0123456789abcdef"
SECRET = "ghp_" + "A1b2C3d4E5f6A1b2C3d4E5f6A1b2C3d4E5f6"
ALLOWLIST = {
    "mode": "allowlist",
    "allow": ["echo *", "touch *", "cat notes.txt"],
    "deny": ["echo forbidden*"],
    "unlisted": "refuse",
    "compound": "refuse",
    "tools": ["terminal", "read_file", "delegate_task", "todo"],
}
# A secret of the host's that no name gives away.
SERVICE = ("MY_SERVICE", "plain-words-of-a-service-42")
MANUAL = {**ALLOWLIST, "mode": "manual", "allow": [], "tools": [], "deny": ["*never-this*"]}


class Place:
    """One directory with everything that a start of the agent needs."""

    def __init__(self, options, approve, **changes):
        self.options, self.inherited = options, {}
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="petasos-review-"))
        self.home = self.at("home", ".hermes")
        os.makedirs(self.home)
        package = self.at("package", "petasos_policy")
        shutil.copytree(options.package, package, ignore=shutil.ignore_patterns("__pycache__"))
        self.writer = Writer(self.at("audit.sock"), self.at("policy.json"))
        self.sandbox = Sandbox(self.at("sandbox.sock"), self.folder)
        self.model = Model()
        with open(self.at("servers.json"), "w") as file:
            json.dump([f"localhost:{self.model.port}"], file)
        self.policy = {
            "version": 1,
            "release": options.release,
            "approve": approve,
            "redact": {"patterns": [r"INT-\d{5}"], "replacement": "[GONE]"},
            "rate": {
                "platforms": {"api_server": None},
                "default": {"count": 3, "seconds": 3600},
                "webhook_route": {"count": 2, "seconds": 3600},
                "model_calls": None,
                "reply": "Too many messages.",
            },
            "models": {"file": self.at("servers.json")},
            "data": {"covered": []},
            "sandbox": {
                "enabled": True,
                "socket": self.sandbox.path,
                "timeout": 60,
                "network": "none",
            },
            "audit": {"socket": self.writer.path},
        }
        for path, value in changes.items():
            *outer, last = path.split("__")
            inner = self.policy
            for part in outer:
                inner = inner[part]
            inner[last] = value
        self.write_policy()
        self.api, self.hook = free_port(), free_port()
        self.config()

    def at(self, *parts):
        return os.path.join(self.folder, *parts)

    def write_policy(self, text=None):
        with open(self.at("policy.json"), "w") as file:
            file.write(json.dumps(self.policy) if text is None else text)

    def config(self):
        managed = self.at("managed")
        os.makedirs(managed)
        url = f"http://127.0.0.1:{self.model.port}/v1"
        settings = {
            "_config_version": 33,
            "model": {
                "provider": "custom",
                "default": "stub",
                "base_url": url,
                "api_key": "stub-key",
            },
            "approvals": {"mode": "manual", "timeout": 3, "cron_mode": "deny", "deny": []},
            "security": {
                "redact_secrets": True,
                "tirith_enabled": False,
                "allow_lazy_installs": False,
            },
            "terminal": {
                "backend": "ssh",
                "ssh_host": "petasos-sandbox.invalid",
                "ssh_user": "sandbox",
                "cwd": self.sandbox.work,
            },
            "model_catalog": {"enabled": False},
            "unauthorized_dm_behavior": "ignore",
            "platforms": {
                "api_server": {
                    "enabled": True,
                    "extra": {"host": "127.0.0.1", "port": self.api},
                },
                "webhook": {
                    "enabled": True,
                    "extra": {
                        "host": "127.0.0.1",
                        "port": self.hook,
                        "routes": {
                            "lab": {
                                "secret": ROUTE_SECRET,
                                "prompt": "{text}",
                                "deliver": "log",
                            }
                        },
                    },
                },
            },
            "gateway": {"strict": True, "respawn_storm": {"max_starts": 0}},
        }
        with open(os.path.join(managed, "config.yaml"), "w") as file:
            json.dump(settings, file)  # JSON is YAML.
        with open(os.path.join(self.home, "config.yaml"), "w") as file:
            json.dump({"_config_version": 33}, file)

    def backend(self, name, redact=True):
        settings = os.path.join(self.at("managed"), "config.yaml")
        with open(settings) as file:
            config = json.load(file)
        config["terminal"] = {"backend": name, "cwd": self.home}
        config["security"]["redact_secrets"] = redact
        with open(settings, "w") as file:
            json.dump(config, file)

    def environment(self):
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": self.at("home"),
            "LANG": "C.UTF-8",
            "HERMES_HOME": self.home,
            "HERMES_MANAGED_DIR": self.at("managed"),
            "HERMES_GATEWAY_LOCK_DIR": self.at("locks"),
            "API_SERVER_ENABLED": "true",
            "API_SERVER_KEY": KEY,
            "API_SERVER_PORT": str(self.api),
            "HOST_API_TOKEN": "own-secret-value-of-the-host",
            **self.inherited,
            **({"PYTHONPATH": self.options.extra} if self.options.extra else {}),
        }

    def command(self, what, *args):
        start = os.path.join(HERE, "start.py")
        return [
            self.options.python, "-P", "-B", start,
            self.at("package"), self.at("policy.json"), self.sandbox.work, what, *args,
        ]  # fmt: skip

    def run(self, what, *args, timeout=180, before=()):
        return subprocess.run(
            [*before, *self.command(what, *args)],
            env=self.environment(),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def close(self):
        self.model.server.shutdown()
        if not self.options.keep:
            shutil.rmtree(self.folder, ignore_errors=True)


class Gateway:
    """The agent's gateway, started and stopped; chats by its API."""

    def __init__(self, place, what="main"):
        self.place = place
        self.log = open(place.at("gateway.log"), "w+")
        with open(place.at("secrets.env"), "w") as file:
            file.write(f"{SERVICE[0]}={SERVICE[1]}\n")
        secrets = open(place.at("secrets.env"))
        self.process = subprocess.Popen(
            place.command(what, "gateway", "run"),
            env=place.environment(),
            cwd=place.home,
            # As systemd opens the host's secrets.
            stdin=secrets,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        end = time.monotonic() + 90
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{place.api}/health", timeout=2)
                return
            except OSError:
                time.sleep(0.2)
        said = self.said()
        self.stop()
        raise AssertionError(f"the gateway did not start: {said[-2000:]}")

    def said(self):
        self.log.flush()
        with open(self.log.name) as file:
            return file.read()

    def chat(self, text, timeout=90, **more):
        """(status, what the agent answered)."""
        body = {"model": "stub", "messages": [{"role": "user", "content": text}], **more}
        status, said = post(
            f"http://127.0.0.1:{self.place.api}/v1/chat/completions",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
            timeout,
        )
        if status != 200:
            return status, said
        return status, json.loads(said)["choices"][0]["message"]["content"] or ""

    def webhook(self, text):
        body = json.dumps({"text": text}).encode()
        sign = hmac.new(ROUTE_SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={sign}", "Content-Type": "application/json"}
        return post(f"http://127.0.0.1:{self.place.hook}/webhooks/lab", body, headers)[0]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def post(url, body, headers, timeout=30):
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False
