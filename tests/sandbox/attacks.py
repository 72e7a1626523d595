"""Attacks from inside. Each is a text of shell that prints GOT where it got through, and is run in
the sandbox, and then as root on the host, where it must get through: else it proves nothing."""

PYTHON = "python3 - <<'END'\n{}\nEND"


def python(text):
    return PYTHON.format(text.strip("\n"))


def dial(family, address):
    return python(f"""
import socket
s = socket.socket(socket.{family})
s.settimeout(3)
s.connect({address!r})
print("GOT")""")


def syscall(number, arguments, good="result >= 0"):
    return python(f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
result = libc.syscall({number}, {arguments})
print("GOT" if {good} else "", result, ctypes.get_errno())""")


def made(family, kind="socket.SOCK_RAW", protocol=0):
    return python(f"""
import socket
socket.socket({family}, {kind}, {protocol})
print("GOT")""")


def fill(folder, size):
    place = f"{folder}/case-fill"
    return f"dd if=/dev/zero of={place} bs=1M count={size} && echo GOT; rm -f {place}"


READS = {
    "the agent's secrets": "cat /etc/hermes/secrets.env && echo GOT",
    "the policy": "ls /etc/hermes && echo GOT",
    "password hashes": "cat /etc/shadow && echo GOT",
    "the host's users": "grep -q '^hermes:' /etc/passwd && echo GOT",
    "the agent's data": "ls /home/hermes/.hermes && echo GOT",
    "the agent's code": "ls /opt/hermes && echo GOT",
    "the host's logs": "ls /var/log && echo GOT",
    "petasos's state": "ls /var/lib/petasos && echo GOT",
    "all sessions' directories": "ls /var/lib/petasos-sandbox/work && echo GOT",
    "all sessions' directories, where the keeper has them": (
        "ls -d /sessions/* /var/lib/petasos-sandbox/work/* | grep . && echo GOT"
    ),
    "root's home": "ls /root/.ssh && echo GOT",
    "the host's devices": "ls /sys/class && echo GOT",
    "the host's cgroups": "cat /sys/fs/cgroup/cgroup.procs && echo GOT",
    "the agent's process": "grep -ls 'herme[s]' /proc/[0-9]*/cmdline | grep . && echo GOT",
    "systemd": "grep -x systemd /proc/1/comm && echo GOT",
    "sshd's address space": "cat /proc/$(pgrep -o sshd)/maps && echo GOT",
}
WRITES = {
    "the system's programs": "touch /usr/lib/petasos/case && echo GOT; rm -f /usr/lib/petasos/case",
    "the runner": "f=/usr/lib/petasos/sandbox/case.py; touch $f && echo GOT; rm -f $f",
    "/etc": "touch /etc/case && echo GOT; rm -f /etc/case",
    "the root": "touch /case && echo GOT; rm -f /case",
    "/run": "touch /run/case && echo GOT; rm -f /run/case",
    "kernel parameters": "f=/proc/sys/net/ipv4/ip_forward; v=$(cat $f); echo $v >$f && echo GOT",
    "a device node": "mknod /tmp/case-zero c 1 5 && echo GOT; rm -f /tmp/case-zero",
    "another's file": "touch /tmp/case-x; chown 0:1 /tmp/case-x && echo GOT; rm -f /tmp/case-x",
    "a set-user-id file": "f=/tmp/case-s; cp /bin/true $f; chmod u+s $f && echo GOT; rm -f $f",
}
DOORS = {
    "the system bus": dial("AF_UNIX", "/run/dbus/system_bus_socket"),
    "systemd's own door": dial("AF_UNIX", "/run/systemd/private"),
    "the journal": dial("AF_UNIX", "/run/systemd/journal/stdout"),
    "the sandbox from inside": dial("AF_UNIX", "/run/petasos-agent/sandbox.sock"),
    "an abstract socket of the host": dial("AF_UNIX", "\0petasos-case"),
    "the agent's API": dial("AF_INET", ("127.0.0.1", 8642)),
    "the resolver": dial("AF_INET", ("127.0.0.1", 10053)),
    "the egress proxy": dial("AF_INET", ("127.0.0.1", 10054)),
    "ssh": dial("AF_INET", ("127.0.0.1", 22)),
    "an address of the internet": dial("AF_INET", ("@ROUTER@", 443)),
}
KERNEL = {
    "user namespaces": "unshare --user true && echo GOT",
    "mount namespaces": "unshare --mount true && echo GOT",
    "network namespaces": "unshare --net true && echo GOT",
    "pid namespaces": "unshare --pid --fork true && echo GOT",
    "a mount": "d=/tmp/case-m; mkdir $d; mount -t tmpfs x $d && echo GOT; umount $d; rmdir $d",
    "an unmount": "d=/tmp/case-u; mkdir $d; mount --bind $d $d; umount $d && echo GOT; rmdir $d",
    "io_uring": syscall(425, "8, ctypes.create_string_buffer(120)"),
    "a keyring": syscall(248, "b'user', b'petasos-case', b'x', 1, -2"),
    "userfaultfd": syscall(323, "1"),
    "another's memory": syscall(310, "1, *[ctypes.c_long(0)] * 5"),
    "kcmp": syscall(312, "1, 1, 0, 0, 0"),
    "ptrace": syscall(101, "0, 0, 0, 0"),
    "a lower nice": "nice -n -5 true 2>&1 | grep -q . || echo GOT",
    "netlink": made("socket.AF_NETLINK"),
    "packets": made("socket.AF_PACKET"),
    "raw sockets": made("socket.AF_INET", protocol=1),
    "root by sudo": "sudo -n true && echo GOT",
    "root by su": "su -c true && echo GOT",
    "the host's name": 'n=$(cat /proc/sys/kernel/hostname); hostname "$n" && echo GOT',
    "the clock": python("""
import time
time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME))
print("GOT")"""),
    "a disk filled at once": "fallocate -l 64M case-large && echo GOT; rm -f case-large",
    "a directory above /work": "cd ../.. && ls etc/hermes && echo GOT",
}
LIMITS = {
    "a file of 600 MiB": "f=${HOME:-.}/case-big; truncate -s 600M $f && echo GOT; rm -f $f",
    "300 MiB in /tmp": fill("/tmp", 300),
    "100 MiB in /var/tmp": fill("/var/tmp", 100),
    "100 MiB in /dev/shm": fill("/dev/shm", 100),
    "20,000 files in /tmp": (
        "d=/tmp/case-d; mkdir $d; (cd $d; seq 20000 | xargs touch) && echo GOT; rm -rf $d"
    ),
    "700 processes": python("""
import os, signal
children = []
try:
    for _ in range(700):
        pid = os.fork()
        if pid == 0:
            signal.pause()
        children.append(pid)
    print("GOT")
finally:
    for pid in children:
        os.kill(pid, 9)
    print(len(children))"""),
    "100 terminals": python("""
import os
kept = [os.openpty() for _ in range(100)]
print("GOT")"""),
    "8,000 open files": python("""
import os
import resource
try:
    resource.setrlimit(resource.RLIMIT_NOFILE, (9000, 9000))
except (OSError, ValueError):
    pass
kept = [os.dup(0) for _ in range(8000)]
print("GOT")"""),
}
ALL = {
    f"{kind}: {name}": script
    for kind, table in (
        ("read", READS),
        ("write", WRITES),
        ("reach", DOORS),
        ("kernel", KERNEL),
        ("limit", LIMITS),
    )
    for name, script in table.items()
}
# The kernel's numbers of x86-64; elsewhere these attacks would be others.
X86_ONLY = {"io_uring", "a keyring", "userfaultfd", "another's memory", "kcmp", "ptrace"}
