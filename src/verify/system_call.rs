//! The system calls that are tried, each with its arguments in the kernel's order: the driver takes
//! them as they come. None of these arguments makes sense, so that none does anything.

use serde::Serialize;

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "name", content = "arguments", rename_all = "snake_case")]
pub enum SystemCall {
    /// Command, attributes, their size.
    Bpf(i64, i64, i64),
    /// File, parameters, flags.
    FinitModule(i64, &'static str, i64),
    /// Entries, parameters.
    IoUringSetup(i64, i64),
    /// Two processes, what to compare, an index in each.
    Kcmp(i64, i64, i64, i64, i64),
    /// Operation, its arguments.
    Keyctl(i64, i64, i64),
    /// Source, target, file system, flags, data.
    Mount(&'static str, &'static str, &'static str, i64, i64),
    /// Attributes, process, CPU, group, flags.
    PerfEventOpen(i64, i64, i64, i64, i64),
    /// Process, own places, their number, its places, their number, flags.
    ProcessVmReadv(i64, i64, i64, i64, i64, i64),
    /// Two magic numbers, command, argument.
    Reboot(i64, i64, i64, i64),
    /// Name, its length.
    Sethostname(i64, i64),
    /// Flags, and nothing.
    Userfaultfd(i64, i64),
}
