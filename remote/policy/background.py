"""Background processes: the connection to the sandbox is the process's life.

The agent would start one with `nohup` inside a command that ends, and then look after it with more
commands; in instances that die with their command that cannot work. Here it is one command that
stays, and the agent's `process` tool drives it as it drives a terminal of its own.
"""

import os
import select
import threading
import time
import uuid

from . import environment, owner
from .errors import Refused

MOST_FOR_ONE, MOST = 4, 8
LONGEST = 86400

_lock = threading.Lock()
_running = {}  # id of the process -> (room, Life)
_rooms = {}  # The same for those that have ended.
MOST_KNOWN = 1000


class Life:
    """What the agent's process registry wants of a terminal: read, write, alive, end."""

    pid = None

    def __init__(self):
        self._in = None
        self.handle = None
        self.ended = False

    def attach_input(self, fd):
        self._in = fd

    def isalive(self):
        # Until all output is read: the agent stops reading once this is false.
        return not self.ended

    def read(self, size=4096):
        fd = self.handle.stdout.fileno()
        while True:
            if select.select([fd], [], [], 0.5)[0]:
                got = os.read(fd, size)
                if got:
                    return got
            elif self.handle.poll() is None:
                continue
            self.ended = True
            raise EOFError

    def write(self, data):
        if self._in is None:
            raise OSError("its input is closed")
        while data:
            data = data[os.write(self._in, data) :]

    def sendeof(self):
        if self._in is not None:
            os.close(self._in)
            self._in = None

    def wait(self):
        self.sendeof()
        return self.handle.wait(timeout=10)

    @property
    def exitstatus(self):
        return self.handle.returncode

    def terminate(self, force=False):
        self.handle.kill()
        self.sendeof()
        return True


def wrap_spawn_via_env(real):
    from tools.process_registry import ProcessSession

    def spawn_via_env(self, env, command, cwd=None, task_id="", session_key="", timeout=10):
        room = owner.room()
        with _lock:
            for name, (_, life) in list(_running.items()):
                if life.ended or life.handle.returncode is not None:
                    del _running[name]
            mine = sum(1 for r, _ in _running.values() if r == room)
            if mine >= MOST_FOR_ONE or len(_running) >= MOST:
                raise Refused("too many background processes run already: end one first")
            life = Life()
            session = ProcessSession(
                id=f"proc_{uuid.uuid4().hex[:12]}",
                command=command,
                # Not the environment's, which all share: the agent ends these with the session.
                task_id=owner.of().get("session") or task_id,
                session_key=session_key,
                cwd=cwd,
                started_at=time.time(),
                env_ref=env,
                pid_scope="sandbox",
            )
            script = env._wrap_command(command, cwd or env.cwd)
            life.handle = environment.launch(
                script, timeout=LONGEST, stdin=life.attach_input, background=True
            )
            _running[session.id] = (room, life)
            while len(_rooms) >= MOST_KNOWN:
                del _rooms[next(iter(_rooms))]
            _rooms[session.id] = room
        session._pty = life
        reader = threading.Thread(
            target=self._pty_reader_loop, args=(session,), daemon=True, name=session.id
        )
        session._reader_thread = reader
        with self._lock:
            self._prune_if_needed()
            self._running[session.id] = session
        reader.start()
        self._write_checkpoint()
        return session

    return spawn_via_env


def wrap_spawn_local(real):
    def spawn_local(self, *args, **kwargs):
        raise Refused("background processes run in the sandbox only")

    return spawn_local


def is_of(process, room):
    with _lock:
        return _rooms.get(process) == room
