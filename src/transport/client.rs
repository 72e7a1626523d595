//! What the ssh of this machine can do, and what it has to log in with.

use super::{Login, Resolved, host_key};
use crate::fault::Fault;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The oldest OpenSSH that Petasos works with: `KnownHostsCommand` came with it.
const OLDEST: (u32, u32) = (8, 5);

/// Its version, as people write it.
///
/// # Errors
/// When there is none, it is another program, or it is too old.
pub fn ssh_version() -> Result<String, Fault> {
    let output = run("ssh", &["-V"])
        .ok_or_else(|| Fault::new("there is no `ssh` on this machine").hint("install OpenSSH's client"))?;
    version(&String::from_utf8_lossy(&output.stderr))
}

fn version(text: &str) -> Result<String, Fault> {
    let (major, minor) = OLDEST;
    let oldest = format!("install OpenSSH {major}.{minor} or later");
    let word = text.split([' ', ',']).next().unwrap_or_default().trim();
    let named = word.strip_prefix("OpenSSH_");
    let named = named.ok_or_else(|| Fault::new(format!("`ssh` is `{word}`, not OpenSSH")).hint(&oldest))?;
    let digits = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok());
    let found = named.split_once('.').and_then(|(major, minor)| Some((digits(major)?, digits(minor)?)));
    match found {
        Some(found) if found < OLDEST => {
            Err(Fault::new(format!("this is OpenSSH {named}, which is too old")).hint(oldest))
        }
        Some(_) => Ok(format!("OpenSSH {named}")),
        None => Err(Fault::new(format!("the version of OpenSSH cannot be read: `{word}`")).hint(oldest)),
    }
}

/// Whether this machine can compare host keys.
///
/// # Errors
/// When it has no ssh-keygen.
pub fn keygen() -> Result<String, Fault> {
    // Without arguments it would make a key; for an option that it does not have it prints its
    // usage.
    match run("ssh-keygen", &["-?"]) {
        Some(_) => Ok("there".into()),
        None => Err(Fault::new("there is no `ssh-keygen` on this machine").hint("install OpenSSH's client")),
    }
}

/// Whether it can agree on keys with a host whose `ssh.algorithms` are `strict`.
///
/// # Errors
/// When it cannot.
pub fn withstands(resolved: &Resolved) -> Result<(), Fault> {
    let agrees = |name: &String| name.starts_with("mlkem768x25519-") || name.starts_with("sntrup761x25519-");
    if resolved.key_exchanges.iter().any(agrees) {
        return Ok(());
    }
    let message = "the ssh here offers none of the key exchanges that the hardened host will have";
    Err(Fault::new(message).hint("use OpenSSH 9.0 or later, or set `ssh: { algorithms: compatible }` for the host"))
}

/// What ssh has to log in with: how many keys.
///
/// # Errors
/// When it has none that works without a question.
pub fn keys(login: &Login) -> Result<String, Fault> {
    let resolved = &login.resolved;
    let given = login.options.identity.iter();
    if let Some(missing) = given.clone().find(|file| !file.is_file()) {
        let fault = Fault::new(format!("`--identity` names `{}`, which is no file", missing.display()));
        return Err(fault.hint("name a private key, or leave the option out"));
    }
    let files: Vec<&PathBuf> = given.chain(&resolved.identities).filter(|file| file.is_file()).collect();
    let (open, closed): (Vec<&PathBuf>, Vec<&PathBuf>) = files.into_iter().partition(|file| is_open(file));
    let held = in_agent(resolved.agent.as_deref());
    match (held.unwrap_or(0), open.as_slice(), closed.as_slice()) {
        (0, [], _) if resolved.other_keys => Ok("a token of the ssh configuration".into()),
        (0, [], []) => Err(Fault::new(match held {
            Some(_) => "ssh has no key to log in with: ssh-agent holds none, and there is no file of one",
            None => "ssh has no key to log in with: no ssh-agent runs, and there is no file of one",
        })
        .hint("`ssh-keygen -t ed25519` makes one; give its `.pub` to the host, or `--identity FILE` for another")),
        (0, [], [first, ..]) => {
            let file = first.display();
            let fault =
                Fault::new(format!("`{file}` has a passphrase or cannot be read, and ssh-agent does not hold it"));
            Err(fault.hint(format!("`ssh-add {file}`, in a shell with an ssh-agent (`eval \"$(ssh-agent)\"`)")))
        }
        (0, [first, ..], _) => Ok(format!("`{}`", first.display())),
        (held, _, _) => Ok(format!("{held} in ssh-agent")),
    }
}

/// How many keys the ssh-agent holds; none where there is no agent.
fn in_agent(socket: Option<&str>) -> Option<usize> {
    let mut command = Command::new("ssh-add");
    command.arg("-l");
    if let Some(socket) = socket {
        command.env("SSH_AUTH_SOCK", socket);
    }
    let output = command.stdin(std::process::Stdio::null()).output().ok()?;
    match output.status.code() {
        Some(0) => Some(String::from_utf8_lossy(&output.stdout).lines().count()),
        Some(1) => Some(0),
        _ => None,
    }
}

/// Whether a private key can be read without a passphrase.
fn is_open(file: &Path) -> bool {
    let output = run("ssh-keygen", &["-y", "-P", "", "-f", &file.to_string_lossy()]);
    output.is_some_and(|output| output.status.success())
}

/// Whether connections can be made from here: ssh needs a place for a socket.
///
/// # Errors
/// When nothing can be written there.
pub fn temporary_folder() -> Result<String, Fault> {
    let (usual, used) = (std::env::temp_dir(), host_key::scratch());
    let written = tempfile::Builder::new().prefix("petasos-doctor.").tempdir_in(&used);
    written.map_err(|error| {
        Fault::new(format!("nothing can be written to `{}`: {error}", used.display()))
            .hint("make room there, or set TMPDIR to a folder of your own with a short path")
    })?;
    Ok(match usual == used {
        true => format!("`{}`", used.display()),
        false => format!("`{}`, as `{}` does not do for ssh's sockets", used.display(), usual.display()),
    })
}

fn run(program: &str, args: &[&str]) -> Option<Output> {
    Command::new(program).args(args).stdin(std::process::Stdio::null()).output().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Target;
    use crate::transport::{HostKey, SshOptions};
    use std::sync::Arc;

    #[test]
    fn versions_are_compared_as_numbers() {
        for good in [
            "OpenSSH_8.5p1, OpenSSL 1.1",
            "OpenSSH_9.2p1 Debian-2+deb12u3, OpenSSL 3",
            "OpenSSH_10.0p2",
            "OpenSSH_8.10p1",
        ] {
            assert!(version(good).is_ok_and(|version| version.starts_with("OpenSSH ")), "{good}");
        }
        for (bad, why) in [
            ("OpenSSH_8.4p1 Debian", "8.4p1, which is too old"),
            ("OpenSSH_7.9p1", "too old"),
            ("Dropbear v2022.83", "not OpenSSH"),
            ("OpenSSH_x", "cannot be read"),
            ("", "not OpenSSH"),
        ] {
            let fault = version(bad).unwrap_err();
            assert!(fault.message.contains(why) && fault.hint.is_some(), "{bad}: {fault}");
        }
    }

    fn login(resolved: Resolved, identity: Option<PathBuf>) -> Login {
        let target = Target::try_from("root@192.0.2.7".to_owned()).unwrap();
        let options = SshOptions { identity, ..SshOptions::default() };
        Login { target, options, host_key: Arc::new(HostKey::new(None, false)), resolved: Arc::new(resolved) }
    }

    /// The keys are real ones, and so is the ssh-agent that is not there.
    #[test]
    fn a_key_with_a_passphrase_needs_an_agent() {
        let folder = tempfile::tempdir().unwrap();
        let key = |name: &str, passphrase: &str| {
            let file = folder.path().join(name);
            let made = run("ssh-keygen", &["-q", "-t", "ed25519", "-N", passphrase, "-f", &file.to_string_lossy()]);
            assert!(made.unwrap().status.success());
            file
        };
        let of = |identities: Vec<PathBuf>| {
            let agent = Some(folder.path().join("nobody").display().to_string());
            keys(&login(Resolved { identities, agent, ..Resolved::default() }, None))
        };
        let (open, closed) = (key("open", ""), key("closed", "Correct-horse-7"));
        let nothing = of(vec![folder.path().join("absent")]).unwrap_err();
        assert!(nothing.message.contains("no ssh-agent runs"), "{nothing}");
        let shut = of(vec![closed.clone()]).unwrap_err();
        assert!(
            shut.message.contains("has a passphrase") && shut.hint.unwrap().contains("ssh-add"),
            "{}",
            shut.message
        );
        assert!(of(vec![closed, open]).is_ok_and(|keys| keys.contains("/open`")));
        let given = keys(&login(Resolved::default(), Some(folder.path().join("absent")))).unwrap_err();
        assert!(given.message.contains("--identity"), "{given}");
    }

    #[test]
    fn an_old_ssh_cannot_agree_with_a_strict_host() {
        let offers = |names: &[&str]| Resolved {
            key_exchanges: names.iter().map(ToString::to_string).collect(),
            ..Resolved::default()
        };
        assert!(withstands(&offers(&["curve25519-sha256", "sntrup761x25519-sha512@openssh.com"])).is_ok());
        assert!(withstands(&offers(&["mlkem768x25519-sha256"])).is_ok());
        assert!(withstands(&offers(&["curve25519-sha256"])).is_err_and(|fault| fault.hint.is_some()));
    }
}
