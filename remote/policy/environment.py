"""Where commands run: the agent's own kind of environment, over the sandbox's socket.

The agent takes it for another machine ("ssh" in its settings and in the class's name), so its
own checks of commands still run and everything goes through `execute`.
"""

from . import owner, push, sandbox
from .sandbox import SCRATCH, WORK


def make():
    from tools.environments.base import BaseEnvironment

    class PetasosSshEnvironment(BaseEnvironment):
        """One for all: whose work directory a command sees is settled when it runs."""

        def __init__(self, timeout):
            self._cwds = {}
            super().__init__(cwd=WORK, timeout=timeout)
            # No profile and no snapshot: nothing of one command's shell reaches the next.
            self._prefer_nonlogin = True
            self._snapshot_ready = False

        @property
        def cwd(self):
            return self._cwds.get(owner.room(), WORK)

        @cwd.setter
        def cwd(self, path):
            # Only what is there for the next command too: each has a /tmp of its own.
            kept = isinstance(path, str) and (path == WORK or path.startswith(f"{WORK}/"))
            self._cwds[owner.room()] = path if kept else WORK

        def get_temp_dir(self):
            return SCRATCH

        def execute(self, command, cwd="", **options):
            # A path of the host, such as the gateway's own directory, means nothing in there.
            if cwd and not (cwd == WORK or cwd.startswith((f"{WORK}/", "/tmp", "/usr"))):
                cwd = WORK
            said = super().execute(command, cwd, **options)
            if len(said.get("output") or "") >= sandbox.MOST_OUTPUT // 4:
                # As letters it may be a quarter. None of it is of use, and a model gets no more.
                return {**said, "output": sandbox.TOO_MUCH, "returncode": sandbox.KILLED}
            return said

        def _prepare_command(self, command):
            return command, None  # The gateway's own password for sudo is not for the sandbox.

        def _run_bash(self, cmd_string, *, login=False, timeout=120, stdin_data=None):
            return sandbox.bounded(launch(cmd_string, timeout=timeout, stdin=stdin_data))

        def cleanup(self):
            pass  # Each command's instance has ended with it.

    return PetasosSshEnvironment


def launch(script, *, timeout, stdin=None, background=False):
    """A command in the caller's own work directory, with the files that are due there."""
    room = owner.room()
    files = push.due(room)
    handle = sandbox.start(
        f"mkdir -p {SCRATCH}\n{script}",
        room=room,
        timeout=timeout,
        stdin=stdin,
        background=background,
        files=files,
    )
    if files and handle.returncode is not None:
        push.forget(room)
    return handle


def wrap_create_environment(_real):
    kind, kept = make(), {}

    def _create_environment(
        env_type,
        image,
        cwd,
        timeout,
        ssh_config=None,
        container_config=None,
        local_config=None,
        task_id="default",
        host_cwd=None,
    ):
        return kept.setdefault("one", kind(timeout))

    return _create_environment


def wrap_settings(real):
    """Whatever the settings say: tools see another machine whose home is the work directory."""

    def _get_env_config():
        settings = dict(real())
        settings.update(
            env_type="ssh",
            cwd=WORK,
            host_cwd=None,
            ssh_host="petasos-sandbox.invalid",
            ssh_user="sandbox",
            ssh_key="",
        )
        return settings

    return _get_env_config


def wrap_configured_cwd(_real):
    def _configured_terminal_cwd():
        return WORK

    return _configured_terminal_cwd
