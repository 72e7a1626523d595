//! What a converged host lets nobody do, tried from outside and, as the agent, from inside. Each
//! refusal has its positive control.

use super::harness::{Host, Shared, shared, trial};
use super::names::agent;
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

pub fn trials() -> Vec<Trial> {
    let both = ["trixie", "bookworm"].into_iter().flat_map(|suite| {
        vec![
            trial(&format!("inside::keys open ops and nothing opens root, {suite}"), move || logins(suite)),
            trial(&format!("inside::the agent answers and uses its tool, {suite}"), move || answers(suite)),
            trial(&format!("inside::what the agent must not, it cannot, {suite}"), move || attacks(suite)),
            trial(&format!("inside::systemd's own rating, {suite}"), move || rating(suite)),
        ]
    });
    let password = trial("inside::no password opens anything", passwords);
    both.chain([password]).collect()
}

fn logins(suite: &str) -> Result<()> {
    let host = &shared(suite)?.host;
    let ops = host.login("ops", &[], "id -un; sudo -n id -u")?.ended(0)?;
    ensure!(ops.out == "ops\n0\n", "{}", ops.all());
    // The same key that opened root before.
    host.login("root", &[], "true")?.ended(255)?.says(&["Permission denied (publickey)"])?;
    host.login("hermes", &[], "true")?.ended(255)?.says(&["Permission denied (publickey)"])
}

pub(super) const PASSWORD: &str = "Correct-horse-7";

/// Tries a password login with the right password.
pub(super) fn password_login(host: &Host, user: &str) -> Result<super::harness::Said> {
    let folder = tempfile::tempdir()?;
    let asked = folder.path().join("askpass");
    std::fs::write(&asked, format!("#!/bin/sh\necho {PASSWORD}\n"))?;
    std::fs::set_permissions(&asked, std::fs::Permissions::from_mode(0o700))?;
    let askpass = asked.to_str().context("a strange folder")?;
    let env = [("SSH_ASKPASS", askpass), ("SSH_ASKPASS_REQUIRE", "force"), ("DISPLAY", ":0")];
    let options = [
        "BatchMode=no",
        "PubkeyAuthentication=no",
        "PreferredAuthentications=password,keyboard-interactive",
        "NumberOfPasswordPrompts=1",
    ];
    host.login_with(user, &options, "id -un", &env)
}

fn passwords() -> Result<()> {
    let set = format!("echo USER:{PASSWORD} | chpasswd");
    // The control: as the provider hands a host over, the right password is let in.
    let open = Host::fresh("open", "trixie")?;
    open.sh(&format!("useradd --create-home ops; {}", set.replace("USER", "ops")))?;
    ensure!(password_login(&open, "ops")?.ended(0)?.out == "ops\n");
    let Shared { host, desk } = &*shared("trixie")?;
    for user in ["ops", "root"] {
        host.sh(&set.replace("USER", user))?;
        let refused = password_login(host, user)?.ended(255)?;
        ensure!(refused.err.trim_end().ends_with("Permission denied (publickey)."), "{user}: {}", refused.all());
    }
    // It is a drift too, and `up` takes it away.
    desk.petasos(&["plan"])?.ended(2)?.says(&["user ops: password: set -> locked"])?;
    desk.petasos(&["up"])?.ended(0)?;
    ensure!(host.sh("passwd --status ops")?.starts_with("ops L "));
    host.sh("passwd --lock root").map(drop)
}

fn answers(suite: &str) -> Result<()> {
    let host = &shared(suite)?.host;
    ensure!(host.chat("hello from the lab")? == "STUB OK: hello from the lab");
    let said = host.chat("RUN: id -un")?;
    ensure!(said.starts_with("TOOL SAID: ") && said.contains("\"sandbox\""), "{said}");
    // Every process of the unit, by the kernel's word.
    let processes = "cat $(find /sys/fs/cgroup/system.slice/hermes.service -name cgroup.procs)";
    let owners = host.sh(&format!("for pid in $({processes}); do stat -c '%U' /proc/$pid; done | sort | uniq -c"))?;
    ensure!(owners.lines().count() == 1 && owners.trim().ends_with(" hermes"), "{owners}");
    let main = host.unit("hermes.service", "MainPID")?;
    let status = host.sh(&format!("grep -E '^(Uid|NoNewPrivs|Seccomp|CapBnd|CapEff):' /proc/{main}/status"))?;
    for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "CapBnd:\t0000000000000000", "CapEff:\t0000000000000000"] {
        ensure!(status.contains(line), "{status}");
    }
    Ok(())
}

fn rows(text: &str) -> BTreeMap<String, String> {
    text.lines().filter_map(|line| line.split_once(": ")).map(|(name, said)| (name.into(), said.into())).collect()
}

fn attacks(suite: &str) -> Result<()> {
    const PROBE: &str = include_str!("probe.sh");
    let host = &shared(suite)?.host;
    // The control: nothing but being the agent stands in the way.
    let control = rows(&host.sh(PROBE)?);
    let failed: Vec<_> =
        control.iter().filter(|(name, said)| *name != "user" && *name != "manager" && *said != "yes").collect();
    ensure!(control.len() > 15 && failed.is_empty(), "root itself cannot: {failed:?}");

    let refused = "nft -j list counter inet petasos refused_tcp | grep -o '\"packets\": *[0-9]*' | grep -o '[0-9]*'";
    let before: u64 = host.sh(refused)?.trim().parse()?;
    // Somebody who has taken the gateway over.
    refuses(&rows(&agent(host, PROBE)?), "hermes", &["own-workspace", "https"], control.len())?;
    let after: u64 = host.sh(refused)?.trim().parse()?;
    ensure!(after >= before + 5, "the kernel counted {} refusals of five", after - before);
    // Somebody who talks the agent into it: a command in its sandbox.
    let place = "/usr/local/share/lab-probe.sh";
    host.with_args("printf '%s' \"$2\" >\"$1\"", &[place, PROBE])?.ended(0)?;
    let said = host.chat(&format!("RUN: sh {place}"))?;
    host.sh(&format!("rm -f {place}"))?;
    let output = said.strip_prefix("TOOL SAID: ").with_context(|| said.clone())?;
    let output: serde_json::Value = serde_json::from_str(output).with_context(|| said.clone())?;
    let output = output.get("output").and_then(|text| text.as_str()).with_context(|| said.clone())?;
    refuses(&rows(output), "sandbox", &[], control.len())
}

/// Whether a probe of so many lines was refused all but what is `open`, by the kernel.
fn refuses(found: &BTreeMap<String, String>, user: &str, open: &[&str], lines: usize) -> Result<()> {
    ensure!(found.get("user").is_some_and(|own| own == user), "{found:?}");
    ensure!(found.len() == lines, "{found:?}");
    for (name, said) in found.iter().filter(|(name, _)| *name != "user") {
        if open.contains(&name.as_str()) {
            ensure!(said == "yes", "{name}: {found:?}");
            continue;
        }
        let kernel = [
            "Read-only file system",
            "Permission denied",
            "Connection refused",
            "No route to host",
            "No such file or directory",
            // As dash puts it.
            "Directory nonexistent",
            "Network is unreachable",
            "Name or service not known",
            "Temporary failure in name resolution",
        ];
        let manager = ["connect to bus", "connect to system scope bus", "System has not been booted"];
        let by = if name == "manager" { &manager[..] } else { &kernel[..] };
        ensure!(said.starts_with("no: ") && by.iter().any(|word| said.contains(word)), "{user}: {name}: {said}");
    }
    Ok(())
}

fn rating(suite: &str) -> Result<()> {
    let host = &shared(suite)?.host;
    for (unit, most) in [("hermes.service", 1.2), ("petasos-sandbox@none.service", 1.5), ("petasos-audit.service", 1.5)]
    {
        let said = host.sh(&format!("systemd-analyze security --no-pager {unit} | tail -n 1"))?;
        eprintln!("{suite}: {}", said.trim());
        let level = said.split(": ").nth(1).and_then(|rest| rest.split_whitespace().next()).context("no rating")?;
        ensure!(level.parse::<f64>()? <= most, "{said}");
    }
    Ok(())
}
