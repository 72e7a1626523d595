//! What is in the way of a run before anything changes, or at its first package: one clear error
//! for each.

use super::super::harness::{Desk, Host, Said};
use anyhow::{Context, Result, ensure};
use std::time::Duration;

/// What is done to a host, what `up` says then, how it is undone, and how long `up` may take, in
/// seconds.
pub struct Cause {
    make: &'static str,
    says: &'static [&'static str],
    mend: &'static str,
    limit: u64,
}

#[rustfmt::skip]
pub const FIRST: [Cause; 4] = [
    Cause {
        make: "mount --bind /etc /etc && mount -o remount,bind,ro /etc",
        says: &["`/etc` cannot be written", "read-only"], mend: "umount /etc", limit: 10,
    },
    Cause {
        make: "mount -t tmpfs -o size=8M none /var/cache/apt",
        says: &["the disk is full", "`/var/cache/apt`", "MiB are free"], mend: "umount /var/cache/apt", limit: 10,
    },
    Cause {
        make: "echo -3650d >/etc/faketimerc; echo /usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1 >/etc/ld.so.preload",
        says: &["the host's clock says 20", "this machine's says 20", "date -s"], mend: "rm /etc/ld.so.preload", limit: 10,
    },
    Cause {
        make: "nft -f - <<'X'\ntable inet badday {\n chain out {\n type filter hook output priority 0; tcp sport != 22 drop\n }\n}\nX",
        says: &["`package ", "MIRROR", "check that the host reaches its mirror"], mend: "nft delete table inet badday", limit: 60,
    },
];

#[rustfmt::skip]
pub const SECOND: [Cause; 2] = [
    Cause {
        make: "echo +2h >/etc/faketimerc; echo /usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1 >/etc/ld.so.preload",
        says: &["the host's clock says 20", "date -s"], mend: "rm /etc/ld.so.preload", limit: 10,
    },
    Cause {
        make: "cp /etc/resolv.conf /root/resolv.conf; echo nameserver 198.51.100.199 >/etc/resolv.conf",
        says: &["`package ", "MIRROR", "resolv", "resolves its name"], mend: "cp /root/resolv.conf /etc/resolv.conf", limit: 90,
    },
];

/// One clear error for each, and the host as it was.
pub fn refused(host: &Host, desk: &Desk, causes: &[Cause]) -> Result<()> {
    host.sh("apt-get -qq update && apt-get -qq -y install libfaketime nftables >/dev/null 2>&1
        rm -rf /var/lib/apt/lists/*; apt-get clean")?;
    let uri = host.sh("grep -rhoE 'https?://[^/ ]+' /etc/apt/sources.list.d | head -n 1")?;
    let mirror = uri.trim().rsplit('/').next().unwrap_or_default();
    ensure!(!mirror.is_empty(), "the host has no mirror");
    let before = host.sh(STATE)?;
    for Cause { make, says, mend, limit } in causes {
        host.sh(make)?;
        let said = desk.petasos(&["up"]);
        host.sh(mend)?;
        let said = said?;
        let words: Vec<&str> = says.iter().map(|word| if *word == "MIRROR" { mirror } else { word }).collect();
        one_error(&said, &words).with_context(|| *make)?;
        ensure!(said.took < Duration::from_secs(*limit), "`{make}` took {:?}", said.took);
        ensure!(host.sh(STATE)? == before, "`{make}`: it changed the host all the same");
    }
    Ok(())
}

/// Packages, and files with owner, mode and content; but for those that a cause changes.
const STATE: &str = "dpkg-query -W | sha256sum; cd /
    tar -cf - --sort=name --mtime=@0 --exclude=etc/resolv.conf --exclude=etc/ld.so* --exclude=etc/faketimerc etc | sha256sum";

/// Exactly one error, that says all these words; and a hint.
pub fn one_error(said: &Said, words: &[&str]) -> Result<()> {
    ensure!(said.code == 1, "it ended with {}, not 1:\n{}", said.code, said.all());
    let errors = said.err.lines().filter(|line| line.starts_with("error: ")).count();
    let hints = said.err.lines().filter(|line| line.starts_with("hint: ")).count();
    ensure!(errors == 1 && hints == 1, "not one error with one hint:\n{}", said.err);
    said.says(words)
}
