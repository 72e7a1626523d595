"""What of some calls does not fit the driver, and what the driver answers.

It is loaded as the last of the driver's own modules, in place of a run: the calls are held to the
functions' signatures, and a run is made in which no program is started.
"""

import contextlib
import hashlib
import inspect
import io
import json
import os
import sys
import tempfile
import types
from typing import Annotated, get_args, get_origin

from . import (
    backup,
    data,
    host,
    incident,
    inspections,
    limits,
    policy,
    release,
    secrets,
    sshd,
    trail,
)
from . import main as driver
from .bench import bench
from .calls import CALLS, tried
from .rights import NUMBERS


class Held:
    """Calls, held to the driver."""

    def __init__(self, places):
        self.places = places
        self.complaints = []
        # What nobody has used yet, in words.
        self.unused = {f"function {name}" for name in CALLS} | {f"word {word}" for word in places}
        for name, call in CALLS.items():
            for parameter in inspect.signature(call).parameters.values():
                for key in table_of(parameter.annotation):
                    self.unused.add(f"{parameter.name} {key} of {name}")

    def hold(self, call):
        name, arguments = call["name"], call.get("arguments", {})
        self.unused.discard(f"function {name}")
        try:
            signature = inspect.signature(CALLS[name])
            signature.bind(**arguments)
        except (KeyError, TypeError) as error:
            self.complaints.append(f"{name}: {type(error).__name__}: {error}")
            return
        for key, value in arguments.items():
            if isinstance(value, str) and value.startswith("@"):
                self.unused.discard(f"word {value}")
                if value not in self.places:
                    self.complaints.append(f"{name}: nobody makes {value}")
                    continue
                value = self.places[value]
            annotation = signature.parameters[key].annotation
            if not fits(value, annotation):
                self.complaints.append(f"{name}: {key} is {value!r}")
            if table_of(annotation):
                self.unused.discard(f"{key} {value} of {name}")


def table_of(annotation):
    return get_args(annotation)[1] if get_origin(annotation) is Annotated else {}


def fits(value, annotation):
    """Whether a value is of a type, as far as the driver's annotations go."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return value in arguments[1]
    if origin is types.UnionType:
        return any(fits(value, each) for each in arguments)
    if origin is list:
        return isinstance(value, list) and all(fits(each, arguments[0]) for each in value)
    if annotation is inspect.Parameter.empty:
        return False
    return type(value) is (annotation or types.NoneType)


def output_of(*argv, **_):
    """In place of programs: the shape of what they print."""
    match argv[:2]:
        case ("systemctl", "show"):
            return "".join(f"{word[2:]}=\n" for word in argv[3:])
        case ("busctl", _):
            return json.dumps({"data": [["ConditionPathExists", False, True, "/a", 0]]})
        case ("ss", _):
            return 'tcp LISTEN 0 9 127.0.0.1:22 0.0.0.0:* users:(("sshd",pid=1,fd=3)) uid:0 ino:5\n'
        case ("nft", _):
            count = {"ct count": {"val": 1, "inv": True}}
            rule = {"chain": "agent", "expr": [{"match": {}}, count, {"reject": {}}]}
            return json.dumps({"nftables": [{"rule": rule}]})
        case ("journalctl", _) if "_SYSTEMD_UNIT=petasos-audit.service" in argv:
            return json.dumps({"MESSAGE": f"head 1 {'0' * 64} as found"})
        case ("journalctl", _):
            return json.dumps({"MESSAGE": json.dumps({"name": "a", "to": "b"})})
        case (python, _) if python.endswith("/venv/bin/python"):
            return printed_by(argv[argv.index("-c") + 1])
    return ""


def printed_by(script):
    """What a script of the release's own Python prints, with nothing installed."""
    sys.modules["tomllib"] = types.SimpleNamespace(load=lambda _: {"package": []})
    sys.modules["hermes_cli"] = types.SimpleNamespace(
        config=types.SimpleNamespace(load_config=dict, _expand_env_vars=dict),
        env_loader=types.SimpleNamespace(load_hermes_dotenv=lambda **_: None),
        managed_scope=types.SimpleNamespace(load_managed_config=dict, load_managed_env=dict),
    )
    os.environ["HERMES_HOME"] = "/"
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
        open(f"{folder}/uv.lock", "w").close()
        sys.argv = ["-c", folder]
        exec(compile(script, "script", "exec"), {"__name__": "__main__"})
    return out.getvalue()


def planted_log(folder):
    """An audit log and a policy, as the agent that runs would have them."""
    pid, lines, before = os.getpid(), [], "0" * 64
    time = "9999-01-01T00:00:00.000Z"
    said = {"status": "in force", "release": "0", "policy": "", "mode": "manual", "sandbox": True}
    denied = {"tool": "petasos_selftest", "reason": "a", "rule": "b"}
    for event, fields in (
        ("policy", {**said, "selftest": ["a"]}),
        ("command_denied", denied),
    ):
        head = {"seq": len(lines) + 1, "time": time, "event": event, "uid": 1, "pid": pid}
        text = json.dumps({**head, **fields, "prev": before}, separators=(",", ":")) + "\n"
        lines.append(text)
        before = hashlib.sha256(text.encode()).hexdigest()
    with open(f"{folder}/audit.jsonl", "w") as file:
        file.writelines(lines)
    with open(f"{folder}/policy.json", "w") as file:
        limit = {"count": 1, "seconds": 60}
        rates = {"default": limit, "webhook_route": limit, "model_calls": limit}
        own = {"data": {"covered": ["hooks"]}, "models": {"file": f"{folder}/servers.json"}}
        json.dump({"rate": {"platforms": {}, **rates, "reply": ""}, **own}, file)
    with open(f"{folder}/servers.json", "w") as file:
        json.dump([], file)
    os.symlink(os.path.realpath("remote/policy"), f"{folder}/petasos_policy")
    trail.LOG, policy.POLICY = folder, f"{folder}/policy.json"
    policy.FOLDER = data.HOME = folder
    with open(f"{folder}/secrets.env", "w") as file:
        file.write("A_KEY=abcdefgh\n")
    secrets.SECRETS, secrets.FOLDER = f"{folder}/secrets.env", folder
    limits.GROUPS = limits.TOLD = folder
    for name in ("last", "good", "drill", "drill-good"):
        with open(f"{folder}/{name}.json", "w") as file:
            json.dump({"outcome": "good", "ended": 1, "snapshot": "a"}, file)
    with open(f"{folder}/password", "w") as file:
        file.write("a")
    with open(f"{folder}/watch.json", "w") as file:
        json.dump({"time": 1, "hosts": {"a": {"stale": False}}, "wrong": []}, file)
    backup.KEYS = backup.STATE = folder
    backup.WATCH = f"{folder}/watch.json"
    backup.NOTICES = (f"{folder}/watch.json",)
    backup.restic = lambda *_: (0, b"", "")
    backup.ask = lambda *_: ["403", "404"]
    backup.own_port = lambda: "22"
    backup.store = lambda: types.SimpleNamespace(
        environment=dict, command=list, settings=lambda: {"kind": "vault"}
    )
    incident.trial = lambda *_: {"open": {"ssh in": True}, "closed": {"ssh in": True}}
    trail.may = lambda _: []
    policy.main_pid = lambda _: pid
    policy.rules = lambda: lambda tool, arguments: {"verdict": "allow", "rule": "", "tool": tool}


def answer_of(message):
    """What a run prints on which nothing is started, and everything is found."""
    modules = [module for name, module in sys.modules.items() if name.startswith("verify.")]
    for module in modules:
        if hasattr(module, "output_of"):
            module.output_of = output_of
    sshd.offered = lambda _: ""
    inspections.beside = lambda *_: {"agent": [], "neighbour": ["fd"]}
    sshd.knocks = lambda _: {"tried": 1, "greeted": 0, "another": True}
    sshd.offer = lambda _: {"macs": ["a"]}
    sshd.open_offer = lambda: {"macs": ["a"]}
    release.checked_out = lambda _: []
    inspections.processes = lambda _: [host.status_of("self")]
    one = tried({"id": "one", "call": {"name": "kill", "arguments": {"pid": os.getpid()}}}, {})
    runs = driver.runs(json.dumps(one), "")
    settings = [("User", "hermes")]
    same = {"found": driver.compared("petasos-verify.service", "hermes.service", settings)}
    driver.as_agent = lambda *_: (runs, same)
    driver.as_root = lambda *_: runs
    message["spec"]["inspect"]["account"] = "root"
    message["spec"]["inspect"]["release"] = os.path.realpath("/opt/hermes/current")
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
        planted_log(folder)
        driver.launch(message)
    return json.loads(out.getvalue())


def complaints_of(spec):
    held = Held({**bench(), **driver.places(), "@others": [["127.0.0.1", 22, "sshd"]]})
    for attempt in spec["attacks"] + spec["proofs"]:
        held.hold(attempt["call"])
    tables = {machine: sorted(table) for machine, table in NUMBERS.items()}
    if any(table != tables["x86_64"] for table in tables.values()):
        held.complaints.append(f"not every machine has every system call: {tables}")
    return list(dict.fromkeys(held.complaints)) + [
        f"nobody uses the {each}" for each in sorted(held.unused)
    ]


def main(message):
    spec = message["spec"]
    if sys.argv[1] == "complaints":
        print(json.dumps(complaints_of(spec)))
        return
    scope = next(it["call"] for it in spec["attacks"] if it["call"]["name"] == "scope")
    settings = json.loads(printed_by(scope["arguments"]["question"]))
    print(json.dumps({"answer": answer_of(message), "settings": settings}))
