"""Programs that somebody planted for the agent to start; each leaves a file when it runs.

plant.py own     in the agent's own files, as whoever can write there would
plant.py host    in the settings that the host gives it
"""

import json
import os
import shutil
import subprocess
import sys

import yaml

HOME = "/home/hermes/.hermes"
HOST = "/etc/hermes/config.yaml"
PYTHON = "/opt/hermes/current/venv/bin/python"
PORT = 8655
JOB = """
from cron.jobs import create_job, load_jobs, save_jobs
create_job(prompt="", schedule="every 1m", script="job.sh", no_agent=True, deliver="local")
jobs = load_jobs()
for job in jobs:
    job["next_run_at"] = job["created_at"]
save_jobs(jobs)
"""


def leave(name):
    return f"touch {HOME}/way-{name}"


PROGRAMS = {
    "quick_commands": {"labquick": {"type": "exec", "command": leave("quick")}},
    "mcp_servers": {"lab": {"command": "/bin/sh", "args": ["-c", leave("mcp")]}},
    "hooks": {"pre_llm_call": [{"command": leave("hook")}]},
    "hooks_auto_accept": True,
}


def own(name, text):
    path = os.path.join(HOME, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "w") as file:
        file.write(text)
    for made in (os.path.dirname(path), path):
        shutil.chown(made, "hermes", "hermes")


def plant(where):
    route = {"secret": "INSECURE_NO_AUTH", "prompt": "{text}", "script": "hook.sh"}
    own("webhook_subscriptions.json", json.dumps({"lab": route}))
    own("scripts/hook.sh", f"{leave('webhook')}\necho '{{}}'\n")
    own("scripts/job.sh", leave("job"))
    if where == "own":
        own("config.yaml", yaml.safe_dump(PROGRAMS))
        # The gateway reads this one too.
        webhook = {"enabled": True, "extra": {"host": "127.0.0.1", "port": PORT}}
        own("gateway.json", json.dumps({"platforms": {"webhook": webhook}}))
        agent = ["runuser", "-u", "hermes", "--", "env", f"HERMES_HOME={HOME}", PYTHON, "-P", "-B"]
        subprocess.run([*agent, "-c", JOB], cwd="/", check=True)
        return
    with open(HOST) as file:
        settings = yaml.safe_load(file)
    settings.update(PROGRAMS)
    settings["platforms"]["webhook"]["enabled"] = True
    settings["platforms"]["webhook"]["extra"]["port"] = PORT
    with open(HOST, "w") as file:
        yaml.safe_dump(settings, file)


plant(sys.argv[1])
