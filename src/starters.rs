//! Programs that start what they are given.

/// By their names: a rule that allows one of these with any words after it allows every program.
#[rustfmt::skip]
pub const STARTERS: [&str; 54] = [
    "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "rbash", "sudo", "doas", "su", "runuser",
    "pkexec", "env", "xargs", "nohup", "nice", "ionice", "timeout", "setsid", "stdbuf", "chroot",
    "unshare", "nsenter", "flock", "watch", "parallel", "strace", "ltrace", "script", "busybox",
    "toybox", "command", "builtin", "exec", "eval", "time", "chrt", "taskset", "setpriv", "capsh",
    "ssh", "systemd-run", "at", "batch", "coproc", "expect", "unbuffer", "prlimit", "setarch",
    "fakeroot", "trap", "source",
];
