"""Process 1 of a command's tree: reads the request, runs the script, reaps, and says how it ended.

| answer | |
|---|---|
| the script's own | 128 and the signal's number where one ended it |
| 124 | its time was over |
| 125 | not carried out: the request, or the host's disk; the reason is on its output |
| 130 | the caller hung up (nobody is there to read it) |
"""

# `signal` makes names of all numbers first, which takes a while.
import _signal
import os
import select
import time

import disk
import egress
import etc
import files
import kernel
import request
from request import Refused
from session import WORK

TERM, KILL = 15, 9
# For one argument the kernel has 128 KiB.
LONGEST_ARGUMENT = 100_000
# What is asked to end has this long.
GRACE = 1
# Orphans between two looks at the clock.
REAPED = 256
LIMIT = int(os.environ.get("PETASOS_TIMEOUT", "180"))


def main(descriptor, ask, answer):
    """Never returns.

    No limit is set for process 1 here: the unit's are for all of the tree (MemoryMax=, TasksMax=)
    or are inherited by each (LimitNOFILE=, LimitFSIZE=), and a script could lower, with prlimit(2),
    what a process of its own user has, but not from within raise it. What it does so to process 1
    it does to itself: when that one ends, the kernel ends the tree, and the keeper answers 137.
    """
    # From this tree, process 1 hears only what it has a handler for.
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
    try:
        kernel.mount_proc()
        kernel.give_up_rights()
        connection, streams, body = request.receive(descriptor)
    except EOFError:
        os._exit(1)
    reason = ""
    try:
        for stream in streams:
            request.refuse_odd(stream)
        code = carry_out(connection, streams, request.Request(body), ask, answer)
    except Refused as why:
        code, reason = 125, str(why)
    except OSError as error:
        code, reason = 125, error.strerror
    end_all()
    if reason:
        complain(streams[1], reason)
    try:
        connection.send(b"%d\n" % code)
    except OSError:
        pass
    os._exit(0)


def complain(output, reason):
    """Unless nobody reads."""
    poll = select.poll()
    poll.register(output, select.POLLOUT)
    if poll.poll(1000):
        try:
            os.write(output, f"sandbox: {reason}\n".encode())
        except OSError:
            pass


def carry_out(connection, streams, wanted, ask, answer):
    if wanted.network != egress.is_there():
        raise Refused(
            "this is the socket of commands " + ("without", "with")[egress.is_there()] + " network"
        )
    os.write(ask, wanted.session)
    os.close(ask)
    reason = os.read(answer, 4096)
    os.close(answer)
    if reason != b"\n":
        raise Refused(reason.decode() or "the session's directory cannot be entered")
    os.chdir(WORK)
    disk.refuse_full(WORK)
    files.put(WORK, wanted.files)
    started = time.monotonic()
    child = start(wanted, streams)
    os.close(streams[0])
    limit = float("inf") if wanted.background else min(wanted.timeout or LIMIT, LIMIT)
    return watch(connection, child, started + limit)


def start(wanted, streams):
    argv = ["bash", "--noprofile", "--norc", "-c", wanted.script]
    if len(wanted.script) > LONGEST_ARGUMENT:
        place = os.memfd_create("script", 0)
        left = memoryview(wanted.script)
        while left:
            left = left[os.write(place, left) :]
        os.lseek(place, 0, os.SEEK_SET)
        argv[3:] = [f"/dev/fd/{place}"]
    child = os.fork()
    if child == 0:
        try:
            # What Python does not want to hear of, and programs expect to.
            for number in (_signal.SIGINT, _signal.SIGPIPE, _signal.SIGXFSZ):
                _signal.signal(number, _signal.SIG_DFL)
            os.setsid()
            os.dup2(streams[0], 0)
            os.dup2(streams[1], 1)
            os.dup2(streams[1], 2)
            os.execve(etc.SHELL, argv, environment(wanted.network))
        finally:
            os._exit(127)
    return child


def environment(network):
    home = etc.HOME
    known = {
        # What a session wrote stands in for no program of the system's.
        "PATH": f"/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:{home}/.local/bin",
        "HOME": home,
        "USER": etc.NAME,
        "LOGNAME": etc.NAME,
        "SHELL": etc.SHELL,
        "LANG": "C.UTF-8",
        "TERM": "dumb",
    }
    if network:
        known.update(egress.ENVIRONMENT)
    return known


def watch(connection, child, deadline):
    """The answer's number."""
    pid = os.pidfd_open(child)
    poll = select.poll()
    poll.register(pid, select.POLLIN)
    poll.register(connection, select.POLLIN | select.POLLRDHUP)
    asked_to_end = False
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            if asked_to_end:
                return 124
            asked_to_end, deadline = True, time.monotonic() + GRACE
            kill(TERM)
            continue
        ready = poll.poll(min(left, disk.EVERY) * 1000)
        status = reap(child)
        if status is not None:
            return 124 if asked_to_end else code_of(status)
        if any(which != pid for which, _ in ready):
            return 130
        disk.refuse_full(WORK)


def code_of(status):
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def reap(child):
    """Whoever ended, as process 1 must; and how the script itself did.

    So many at a time: a script that makes orphans as fast as they are reaped would else keep
    `watch` from its deadline, the disk and a caller who hung up. Who is left is reaped next time;
    the unit's TasksMax= counts them until then. The script itself is asked for first, for its end
    is what poll reported, and must not wait behind the others.
    """
    found = None
    try:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid == child:
            found = status
        for _ in range(REAPED):
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == child:
                found = status
    except ChildProcessError:
        pass
    return found


def kill(signal):
    try:
        os.kill(-1, signal)
    except ProcessLookupError:
        pass


def end_all():
    """Who reads the answer may count on it that nothing runs any more."""
    kill(KILL)
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass
