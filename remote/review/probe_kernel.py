"""The lock on execve and the hook before it."""

import asyncio
import ctypes
import os
import subprocess
import sys
import threading

from probe_common import probe


@probe
def no_route_to_execve():
    tries = {
        "subprocess": lambda: subprocess.run(["/bin/true"], check=True),
        "shell": lambda: subprocess.run("true", shell=True, check=True),
        "os.system": lambda: os.system("true"),
        "os.popen": lambda: os.popen("true").close(),
        "posix_spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "fork": os.fork,
        "forkpty": os.forkpty,
        "execv": lambda: os.execv("/bin/true", ["true"]),
        "asyncio": lambda: asyncio.run(asyncio.create_subprocess_exec("/bin/true")),
        "multiprocessing": _multiprocessing,
    }
    for name, go in tries.items():
        try:
            go()
        except PermissionError:
            continue
        raise AssertionError(f"{name} was not refused")


def _multiprocessing():
    import multiprocessing

    child = multiprocessing.get_context("spawn").Process(target=print)
    child.start()
    child.join()
    if child.exitcode:
        raise PermissionError


@probe
def below_python_the_kernel_refuses():
    import _posixsubprocess

    libc = ctypes.CDLL(None, use_errno=True)
    for call in (59, 322) if os.uname().machine == "x86_64" else (221, 281):
        args = (
            [b"/bin/true", None, None] if call in (59, 221) else [-1, b"/bin/true", None, None, 0]
        )
        ctypes.set_errno(0)
        assert libc.syscall(call, *args) == -1 and ctypes.get_errno() == 1, call
    reader, writer = os.pipe()
    pid = _posixsubprocess.fork_exec(
        [b"/bin/true"], [b"/bin/true"], True, (writer,), None, None,
        -1, -1, -1, -1, -1, -1, reader, writer,
        True, False, 0, None, None, None, -1, None, False,
    ) if sys.version_info >= (3, 11) else 0  # fmt: skip
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    if pid:
        os.waitpid(pid, 0)
        assert said.split(b":")[1:2] == [b"1"], said


@probe
def seccomp_in_every_thread():
    def modes():
        found = set()
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/status") as file:
                found |= {line.split()[1] for line in file if line.startswith("Seccomp:")}
        return found

    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        return modes() == {"2"}
    finally:
        stop.set()


@probe
def the_lock_is_too_late_with_threads():
    from petasos_policy import kernel_lock
    from petasos_policy.errors import Broken

    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        kernel_lock.take()
    except Broken as error:
        return "more than one thread" in str(error)
    finally:
        stop.set()
    return False
