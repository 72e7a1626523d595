"""One command of the agent's, in one instance of petasos-sandbox@.service; the connection is
descriptor 0.

systemd has built the walls: a root of its own, no network, no rights but one. That one is for two
things which no unit file can say, since they hang on the request: which session's directory is
/work, and a process tree of its own (below systemd 257). Two processes share the work:

* the keeper, which systemd started, does these two, gives the right up, and waits. It never sees
  what the agent sent, apart from a session's name of checked letters.
* the runner, process 1 of the new tree, has no rights. It reads the request and runs the script;
  when it ends, the kernel kills whatever is left of its tree.
"""

import errno
import os

import egress
import etc
import kernel
import runner
import session

CONNECTION = 0
# What systemd mounts unasked: devices of the host, its cgroups, the journal's sockets.
NOT_FOR_COMMANDS = ("/sys", "/run", "/dev/hugepages")


def main():
    kernel.hide_from_debuggers()
    for place in NOT_FOR_COMMANDS:
        try:
            kernel.take_away(place)
        except OSError as error:
            # Not mounted here.
            if error.errno not in (errno.EINVAL, errno.ENOENT):
                raise
    kernel.mount_terminals()
    etc.fill()
    if egress.is_there():
        fork_relay()
    kernel.new_process_tree()
    asked, ask = os.pipe()
    answer, answered = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(asked)
        os.close(answered)
        runner.main(CONNECTION, ask, answer)
    os.close(ask)
    os.close(answer)
    keep(child, asked, answered)


def fork_relay():
    """It hears from here on, and ends with the unit. Outside of the command's tree, which cannot
    have threads of somebody outside."""
    import relay

    listener = relay.listen()
    if os.fork() == 0:
        kernel.give_up_rights()
        os.close(CONNECTION)
        relay.serve(listener)


def keep(child, asked, answered):
    name = os.read(asked, session.LONGEST + 1)
    if name:
        try:
            reason = session.enter(name)
        except OSError as error:
            reason = error.strerror
        kernel.give_up_rights()
        os.write(answered, reason.encode() or b"\n")
    os.close(answered)
    _, status = os.waitpid(child, 0)
    # The runner answers for the script; for a runner that was killed, for want of memory say,
    # somebody else must.
    if name and status:
        os.write(CONNECTION, b"137\n")
