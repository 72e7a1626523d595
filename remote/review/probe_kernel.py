"""The lock on execve and fork, and what says so in Python."""

import _posixsubprocess
import asyncio
import ctypes
import os
import subprocess
import threading
from os import popen

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
        "fork_exec": lambda: _posixsubprocess.fork_exec([b"/bin/true"]),
        "os.popen by name": lambda: popen("true").close(),
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
    libc = ctypes.CDLL(None, use_errno=True)
    for call in (59, 322) if os.uname().machine == "x86_64" else (221, 281):
        args = (
            [b"/bin/true", None, None] if call in (59, 221) else [-1, b"/bin/true", None, None, 0]
        )
        ctypes.set_errno(0)
        assert libc.syscall(call, *args) == -1 and ctypes.get_errno() == 1, call


@probe
def below_python_the_kernel_refuses_a_fork():
    """Also that of `libc`, of which Python does not know, and the raw calls with other flags."""
    libc = ctypes.CDLL(None, use_errno=True)
    x86 = os.uname().machine == "x86_64"
    clone, clone3 = (56, 435) if x86 else (220, 435)
    argv = (ctypes.c_char_p * 1)(None)
    new_namespaces, share_memory = 0x7C020000, 0x4000 | 0x100
    tries = {
        "libc.fork": lambda: libc.fork(),
        "libc.posix_spawn": lambda: (
            -libc.posix_spawn(ctypes.byref(ctypes.c_int()), b"/bin/true", None, None, argv, argv)
        ),
        "clone": lambda: libc.syscall(clone, 17, None, None, None, None),
        "clone with namespaces": lambda: libc.syscall(clone, new_namespaces | 17, None, None, None),
        "clone with memory": lambda: libc.syscall(clone, share_memory | 17, None, None, None, None),
        "clone3": lambda: libc.syscall(clone3, None, 0),
    }
    if x86:
        tries["fork"] = lambda: libc.syscall(57)
        tries["vfork"] = lambda: libc.syscall(58)
    me = os.getpid()
    for name, go in tries.items():
        said = go()
        if os.getpid() != me:
            os._exit(0)
        assert said < 0, f"{name} gave {said}"


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
