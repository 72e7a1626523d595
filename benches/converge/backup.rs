//! A first backup and one with nothing new, against restic by itself with the same store.

use crate::hosts::{Bench, Way, timed};
use crate::table::{self, Samples};
use anyhow::{Context, Result};
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

pub const HOSTS: [&str; 2] = ["b-backup", "b-vault"];
const RUN: &str = include_str!("backup.sh");
/// Nothing of an earlier round, on either side.
const NOTHING_YET: [&str; 2] = [
    "rm -rf /var/lib/petasos-backup/state/* /var/cache/petasos-backup/* /root/cache",
    "rm -rf /srv/petasos-vault/web/*",
];

pub async fn compare(bench: &Bench, pairs: usize, megabytes: u32) -> Result<()> {
    let mut ways = Vec::new();
    for name in HOSTS {
        bench.lab.down(name).await?;
        let host = bench.host(name).await?;
        ways.push(bench.way(&host, Duration::ZERO).await?);
    }
    let [web, vault] = ways.as_slice() else { anyhow::bail!("two hosts are wanted") };
    up(bench, web, vault, megabytes).await?;
    let fill = format!(
        "systemctl -q disable --now petasos-backup.timer petasos-backup-watch.timer
         d=/home/hermes/.hermes/b-data; mkdir -p $d; for n in $(seq {}); do head -c 10000000 /dev/urandom >$d/$n; done; chown -R hermes: $d",
        megabytes / 10
    );
    root(web, &fill, "").await?;
    let (mut plain, mut ours, mut again) = (Samples::new(), Samples::new(), Samples::new());
    for pair in 0..pairs {
        for by_hand in [pair % 2 == 0, pair % 2 != 0] {
            for (way, script) in [web, vault].into_iter().zip(NOTHING_YET) {
                root(way, script, "").await?;
            }
            let (name, samples) = if by_hand { ("plain", &mut plain) } else { ("ours", &mut ours) };
            let (time, peak) = root(web, RUN, name).await?;
            samples.add(time);
            eprintln!("first backup of {megabytes} MB, {name}: {:.1} s, {} KiB", time.as_secs_f64(), peak.trim());
            if !by_hand {
                again.add(root(web, RUN, "again").await?.0);
            }
        }
    }
    let title = format!("a first backup of {megabytes} MB");
    table::pair(&title, ("restic by itself", &plain), ("the host's service", &ours), Some(1.15));
    table::pair("a backup", ("the first one", &ours), ("with nothing new", &again), None);
    Ok(())
}

async fn up(bench: &Bench, web: &Way, vault: &Way, megabytes: u32) -> Result<()> {
    let config = std::fs::read_to_string(&web.ssh_config)? + &std::fs::read_to_string(&vault.ssh_config)?;
    let key = config.lines().find_map(|line| line.trim().strip_prefix("IdentityFile ")).context("no key")?;
    let key = std::fs::read_to_string(format!("{key}.pub"))?;
    let (yaml, ssh_config) = (bench.path("backup.yaml"), bench.path("backup.ssh"));
    std::fs::write(&ssh_config, &config)?;
    let text = format!(
        "hosts:\n  web: {{ address: root@{}, agent: {{ limits: {{ disk: {}M }} }} }}\n  box: {{ address: root@{}, role: vault }}\n\
         admin: {{ authorized_keys: [\"{}\"] }}\nbackup: {{ vault: box, limit: off }}\n",
        web.address,
        megabytes + megabytes / 2 + 300,
        vault.address,
        key.trim()
    );
    std::fs::write(&yaml, text)?;
    let words = ["up", "--config", &yaml.to_string_lossy(), "--ssh-config", &ssh_config.to_string_lossy()];
    timed(bench.petasos(&words)).await.map(drop)
}

/// A script of root's; how long it took, and what it said.
async fn root(way: &Way, script: &str, word: &str) -> Result<(Duration, String)> {
    let mut command = way.ssh("ops", &["sudo", "sh", "-s", "--", word]);
    let (reader, mut writer) = std::io::pipe()?;
    command.stdin(Stdio::from(reader));
    writer.write_all(script.as_bytes())?;
    drop(writer);
    let (time, output) = timed(command).await?;
    Ok((time, String::from_utf8_lossy(&output.stdout).into_owned()))
}
