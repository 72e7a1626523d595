//! backup.nightly: every night the agent's data goes off the host, encrypted, to where the host
//! cannot take it away again.

use super::answer::{Erased, FoundBackup, FoundVault};
use super::attack::{Attack, PositiveControl as By, attack, inspection};
use super::call::{Call, Endpoint, Port};
use super::evidence::Evidence;
use super::report::{AttackOutcome, Check, ControlStatus, PositiveResult};
use super::{Claims, Control};
use crate::config::settings::Role;
use crate::fault::Fault;

pub const CONTROL: Control = Control {
    id: "backup.nightly",
    group: "Backups and incidents",
    title: "Nightly backup",
    claim: "Every night the agent's data goes off the host, encrypted there with a key that the agent cannot read. The host can add to its backups, and take nothing away.",
    attacks,
    inspections,
    short: undeclared,
    limits: "one file of the last good snapshot was restored and compared; a drill restores all of them",
    how: Some(
        "`backup: { vault: NAME }` in petasos.yaml and a host with `role: vault`, or `backup: { repository: ssh://… }`; then `petasos up`",
    ),
};

/// How old the last good backup may be, in seconds: a night, and what it may take.
const STALE_SECS: i64 = 30 * 3600;
/// How old the vault's hourly look may be.
const LATE_SECS: i64 = 3 * 3600;

/// Where no vault is named there is nothing to prove.
pub fn undeclared(claims: &Claims) -> Option<(ControlStatus, String)> {
    let declared = claims.role == Role::Vault || claims.vault.is_some();
    (!declared).then(|| (ControlStatus::Planned, "not set up: petasos.yaml has no `backup` for this host".to_owned()))
}

fn attacks(claims: &Claims) -> Vec<Attack> {
    let Some(vault) = &claims.vault else { return Vec::new() };
    let read = |id, what, path| attack(id, what, Call::Read { path }, By::SameByRoot);
    let mut attacks = vec![
        read("backup.key", "the key that opens the vault", "/etc/petasos/backup/key"),
        read("backup.password", "the password that opens the backups", "/etc/petasos/backup/password"),
    ];
    if vault.bucket {
        attacks.push(read("backup.bucket", "the keys of the bucket", "/etc/petasos/backup/secrets.env"));
    }
    // A name is asked for by ssh alone.
    let dial = |address| {
        let to = Call::Tcp(Endpoint { address, port: Port::Number(vault.port) });
        attack("backup.vault", "a connection to the vault", to, By::SameByRoot)
    };
    attacks.extend(vault.address.filter(|_| claims.filtered()).map(dial));
    attacks
}

fn inspections(claims: &Claims, evidence: &Evidence) -> Vec<Check> {
    match (claims.role, &claims.vault) {
        (Role::Vault, _) => of_vault(evidence),
        (Role::Agent, Some(_)) => of_host(evidence),
        (Role::Agent, None) => Vec::new(),
    }
}

fn of_host(evidence: &Evidence) -> Vec<Check> {
    let found = || evidence.inspected().backup.found();
    let judged = |judge: fn(&FoundBackup) -> Result<(bool, String), Fault>| found().and_then(judge);
    vec![
        inspection("backup.fresh", "the last backup is good, and not older than 30 hours", judged(fresh)),
        inspection(
            "backup.timer",
            "there is a next one",
            found().map(|found| (found.timer == "active enabled", found.timer.clone())),
        ),
        inspection("backup.restored", "a file of it, out of the vault, is the one that went in", judged(restored)),
        inspection("backup.sealed", "a wrong password does not open it", judged(sealed)),
        kept(evidence),
    ]
}

fn fresh(found: &FoundBackup) -> Result<(bool, String), Fault> {
    let Some(last) = &found.last else { return Ok((false, "there was none yet".to_owned())) };
    let hours = |seconds: i64| seconds / 3600;
    let age = found
        .age
        .map_or("none was good yet".to_owned(), |age| format!("the last good one is {} hours old", hours(age)));
    let recent = found.age.is_some_and(|age| (0..=STALE_SECS).contains(&age));
    Ok(match last.outcome.as_str() {
        "good" => (recent, age),
        outcome => (false, format!("the last one was not good ({outcome}): {}; {age}", last.why)),
    })
}

fn restored(found: &FoundBackup) -> Result<(bool, String), Fault> {
    let digest = found.restored.found()?;
    let good = found.good.as_ref().ok_or_else(|| Fault::new("there was no good backup yet"))?;
    let short = |text: &str| text.chars().take(12).collect::<String>();
    Ok((
        *digest == good.report,
        format!("{} out of snapshot {}, {} went in", short(digest), short(&good.snapshot), short(&good.report)),
    ))
}

fn sealed(found: &FoundBackup) -> Result<(bool, String), Fault> {
    // The right one opens it: otherwise a refusal means nothing.
    found.restored.found()?;
    let said = found.wrong_password.found()?;
    match said.as_str() {
        "" => Ok((false, "any password opens it".to_owned())),
        said if said.contains("wrong password") => Ok((true, said.to_owned())),
        said => Err(Fault::new(said)),
    }
}

fn kept(evidence: &Evidence) -> Check {
    let found = evidence.inspected().backup.found().and_then(|found| found.erased.found());
    let judged = match &found {
        Ok(erased) => match erased.kind.as_str() {
            "sftp" => Ok((false, by_sftp(erased))),
            "s3" => Ok(by_lock(erased)),
            _ => return by_command(erased),
        },
        Err(why) => Err(Fault::new(why.to_string())),
    };
    inspection("backup.kept", "the host takes a backup away", judged)
}

fn by_sftp(erased: &Erased) -> String {
    let seen = if erased.beside.is_empty() { "" } else { ": a file was put there and taken away again" };
    format!("not append-only{seen}; `repository: ssh://…` or a vault is")
}

/// A bucket keeps each version of an object as long as its default retention says. Restic asks for
/// none of its own.
fn by_lock(Erased { mode, days, versions, .. }: &Erased) -> (bool, String) {
    match (mode.as_str(), days) {
        ("", _) | (_, 0) => {
            (false, "not append-only: the bucket has no object lock with a default retention".to_owned())
        }
        // What a new backup goes on using was locked once, when it arrived.
        ("COMPLIANCE", days) if *versions => (
            false,
            format!(
                "object lock: COMPLIANCE, {days} days, and its key may delete versions (s3:DeleteObjectVersion): what is older goes, and with it all that builds on it"
            ),
        ),
        ("COMPLIANCE", days) => (true, format!("object lock: COMPLIANCE, {days} days")),
        (mode, days) => (false, format!("object lock: {mode}, {days} days: who may bypass it takes them away")),
    }
}

/// A snapshot that is not there cannot be taken away; a lock may be: so rclone tells one from the
/// other before it looks for either.
fn by_command(Erased { answers: [snapshot, lock], beside, .. }: &Erased) -> Check {
    let told = |answer: &Option<String>| answer.clone().unwrap_or("nothing".to_owned());
    let found = match snapshot.as_deref() {
        _ if !beside.is_empty() => {
            Ok((false, format!("its key opens more than one command there: {}: not append-only", beside.join(", "))))
        }
        Some("403" | "405") => Ok((true, format!("it answers {}", told(snapshot)))),
        Some(_) => Ok((false, format!("it answers {}: it is not append-only", told(snapshot)))),
        None => Err(Fault::new("it gives no answer")),
    };
    let mut check = inspection("backup.kept", "the host takes a backup away", found);
    let sees = lock.as_ref().is_some_and(|answer| answer == "404" || answer.starts_with('2'));
    check.control = Some(PositiveResult {
        what: "a lock, which a host may take away".to_owned(),
        outcome: if sees { AttackOutcome::Allowed } else { AttackOutcome::Error },
        detail: lock.as_ref().map_or("it gives no answer".to_owned(), |answer| format!("it answers {answer}")),
    });
    if !sees && check.result == ControlStatus::Met {
        check.result = ControlStatus::Unobserved;
    }
    check
}

fn of_vault(evidence: &Evidence) -> Vec<Check> {
    let found = || evidence.inspected().vault.found();
    vec![
        inspection("vault.fresh", "each host's newest backup is not stale, by its arrival", found().map(arrived)),
        inspection("vault.sound", "what the vault's own looks found", found().map(sound)),
    ]
}

fn arrived(found: &FoundVault) -> (bool, String) {
    let stale: Vec<&str> = found.hosts.iter().filter(|(_, stale)| **stale).map(|(host, _)| host.as_str()).collect();
    let looked = (0..=LATE_SECS).contains(&found.age);
    match (looked, stale.is_empty()) {
        (false, _) => (false, format!("its last look was {} minutes ago", found.age / 60)),
        (true, false) => (false, format!("stale: {}", stale.join(", "))),
        (true, true) => (true, format!("{} hosts", found.hosts.len())),
    }
}

fn sound(found: &FoundVault) -> (bool, String) {
    let scrub = match (found.scrub.as_str(), found.scrubbed) {
        (_, false) => "not scrubbed yet".to_owned(),
        (result, true) => format!("scrub: {result}, {}", found.scrub_said.join(" ")),
    };
    let sound = found.wrong.is_empty() && (!found.scrubbed || found.scrub == "success");
    (sound, found.wrong.iter().cloned().chain([scrub]).collect::<Vec<_>>().join("; "))
}
