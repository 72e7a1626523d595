//! What `petasos doctor` looks at on this machine.

use super::wrong;
use crate::act::Text;
use crate::calendar::calendar;
use crate::config::Target;
use crate::config::settings::SshAlgorithms;
use crate::desired::{Choice, packs, secrets as needed};
use crate::fault::Fault;
use crate::name::EnvName;
use crate::pin::git;
use crate::playbook::Sources;
use crate::run::doctor::Finding;
use crate::run::now;
use crate::transport::{HostKey, Login, SshOptions, client, resolve};
use std::sync::Arc;

/// The day of the newest release that was reviewed for this version, 2026-07-20: no clock that is
/// right shows an earlier one.
const WRITTEN: u64 = 1_784_505_600;

fn found(about: &'static str, looked: Result<String, Fault>) -> Finding {
    looked.map_or_else(|fault| Finding::in_the_way(about, fault), |message| Finding::ok(about, message))
}

/// Its programs, its room and its clock. `pinned`: whether git has done its work already.
pub async fn of_machine(pinned: bool) -> Vec<Finding> {
    let git = match git::version().await {
        Ok(version) => Finding::ok("git", version),
        Err(error) if pinned => Finding { level: crate::run::doctor::Level::Note, ..wrong("git", &error) },
        Err(error) => wrong("git", &error),
    };
    vec![
        found("ssh", client::ssh_version()),
        found("ssh-keygen", client::keygen()),
        git,
        found("temporary files", client::temporary_folder()),
        found("clock", clock(now())),
    ]
}

fn clock(now: u64) -> Result<String, Fault> {
    let shown = calendar(now);
    if now < WRITTEN {
        let message = format!("this machine's clock says {shown}, which is before this petasos was written");
        return Err(Fault::new(message).hint("correct it: TLS certificates and packages would be refused"));
    }
    Ok(shown)
}

/// What ssh has for a host.
pub fn of_login(choice: &Choice, login: &Login) -> Vec<Finding> {
    let mut findings = vec![found("keys", client::keys(login))];
    let strict = choice.settings.ssh.algorithms == SshAlgorithms::Strict;
    if let (true, Err(fault)) = (strict, client::withstands(&login.resolved)) {
        findings.push(Finding::in_the_way("ssh", fault));
    }
    findings
}

/// What ssh has for any host, where none is named.
pub fn of_nobody(options: SshOptions) -> Vec<Finding> {
    let nobody = Finding::note(
        "hosts",
        Fault::new("none is named, here or in petasos.yaml, so none was looked at")
            .hint("`petasos doctor root@203.0.113.7`"),
    );
    let resolved = Target::try_from("root@host.invalid".to_owned()).and_then(|target| {
        let resolved = Arc::new(resolve(&target, &options)?);
        Ok(Login { target, options, host_key: Arc::new(HostKey::new(None, false)), resolved })
    });
    let keys = resolved.and_then(|login| client::keys(&login));
    vec![found("keys", keys), nobody]
}

/// The environment variables of a host's agent, by name: never a value. `stored`: what the file of
/// secrets has.
pub fn secrets(choice: &Choice, sources: &Sources, stored: &dyn Fn(&EnvName) -> Option<Text>) -> Vec<Finding> {
    let settings = &choice.settings;
    // A provider that nobody knows is a finding of its own.
    let Ok(needs) = packs::needs(settings, sources) else { return Vec::new() };
    let in_environment = |name: &EnvName| std::env::var(name.as_str()).is_ok_and(|value| !value.is_empty());
    let is_set = |name: &EnvName| in_environment(name) || stored(name).is_some();
    let required = needed::required(settings, &needs);
    let keys = packs::provider_keys(settings, &needs);
    let key_is_set = keys.is_empty() || keys.iter().any(is_set);
    let mut unset: Vec<String> = required.iter().filter(|name| !is_set(name)).map(|name| format!("`{name}`")).collect();
    if !key_is_set {
        unset.push(keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" or "));
    }
    if unset.is_empty() {
        let set = required.into_iter().chain(keys.iter().find(|key| is_set(key)));
        let set: Vec<String> = set.map(|name| format!("`{name}`")).collect();
        let names = if set.is_empty() { "none is needed".to_owned() } else { format!("{} set", set.join(", ")) };
        return vec![Finding::ok("secrets", names)];
    }
    let fault = Fault::new(format!("neither set in this environment nor stored: {}", unset.join(", ")));
    vec![Finding::note(
        "secrets",
        fault.hint("`petasos secret set NAME`, or `export NAME=…`, before the first `petasos up`; a host keeps those that it has"),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::run::doctor::Level;

    #[test]
    fn a_clock_of_the_past_is_in_the_way() {
        assert!(clock(WRITTEN).is_ok());
        let fault = clock(1_420_070_400).unwrap_err();
        assert!(fault.message.contains("2015-01-01") && fault.hint.is_some(), "{fault}");
    }

    #[test]
    fn what_is_not_set_is_named() {
        let of = |agent: &str| {
            let config =
                Config::read("p.yaml", &format!("hosts: {{ web: {{ address: h }} }}\nagent: {{ {agent} }}\n")).unwrap();
            let stored = |name: &EnvName| (name.as_str() == "STORED").then(|| Text::secret("x"));
            secrets(&Choice::of(&config, "web").unwrap(), &Sources::embedded(), &stored).remove(0)
        };
        let unset = of("provider: gemini, secrets: [PETASOS_TEST_NOBODY_SETS_IT]");
        assert_eq!(unset.level, Level::Note);
        for name in ["`PETASOS_TEST_NOBODY_SETS_IT`", "`GOOGLE_API_KEY` or `GEMINI_API_KEY`"] {
            assert!(unset.fault.message.contains(name), "{}", unset.fault);
        }
        assert_eq!(of("provider: nous, secrets: [PATH, STORED]").fault.message, "`PATH`, `STORED` set");
        assert_eq!(of("provider: nous").fault.message, "none is needed");
    }
}
