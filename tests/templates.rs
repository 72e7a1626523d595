//! Every playbook and template is filled in by what petasos.yaml and petasos.lock say, whatever is
//! chosen: none names a value that is not there.

use petasos::act::Text;
use petasos::config::Config;
use petasos::config::lock::LockFile;
use petasos::desired::vars::desired_state;
use petasos::desired::{Choice, Operator};
use petasos::fact::disk::Disk;
use petasos::fact::host::Host;
use petasos::fact::{Facts, Offer, Query, Seen};
use petasos::playbook::Sources;
use std::collections::BTreeSet;
use std::path::Path;

const LOCK: &str = include_str!("petasos.lock");

/// Of a host that has nothing of what is asked for.
fn bare(queries: &BTreeSet<Query>, host: Host) -> Facts {
    let mut facts = Facts { host: Some(host), ..Facts::default() };
    for query in queries.iter().cloned() {
        match query {
            Query::Package(name) => drop(facts.packages.insert(name, Seen::Absent)),
            Query::Offer(name) => drop(facts.offers.insert(name, Seen::Is(Offer::There))),
            Query::User(name) => drop(facts.users.insert(name, Seen::Absent)),
            Query::Group(name) => drop(facts.groups.insert(name, Seen::Absent)),
            Query::Path(path) => drop(facts.paths.insert(path, Seen::Absent)),
            Query::Text(path) => drop(facts.texts.insert(path, Seen::Absent)),
            Query::Unit(name) => drop(facts.units.insert(name, Seen::Absent)),
            Query::Listener(port) => drop(facts.listeners.insert(port, Seen::Absent)),
            Query::Sysctl(key) => drop(facts.sysctls.insert(key, Seen::Absent)),
            Query::Later(path) => drop(facts.later.insert(path, Vec::new())),
            Query::Sshd(_) => facts.sshd = Some(Seen::Absent),
            Query::Ufw => facts.ufw = Some(Seen::Absent),
            // A file can be mounted there.
            Query::Disk { mount, .. } => {
                facts.disks.insert(mount, Seen::Is(Disk { loops: true, ..Disk::default() }));
            }
            Query::Table { table, .. } => drop(facts.tables.insert(table, Seen::Absent)),
        }
    }
    facts
}

fn filled_in(yaml: &str, host: Host) -> Result<usize, String> {
    let config = Config::read("petasos.yaml", yaml).map_err(|why| why.to_string())?;
    let lock = LockFile::parse(LOCK, Path::new("petasos.lock")).expect("a sound lock");
    let choice = Choice::of(&config, "web").expect("it is in the file");
    let operator = Operator {
        variable: &|_| Some("value".to_owned()),
        stored: &|_| None,
        file: &|_| Ok("ssh-ed25519 AAAA you@desk".to_owned()),
        seed: Text::secret("0".repeat(64)),
    };
    let desired =
        desired_state(&choice, &config, &lock, &Sources::embedded(), &operator).map_err(|why| why.to_string())?;
    let resources = desired.resolve(&bare(&desired.queries(), host)).map_err(|why| why.to_string())?;
    Ok(resources.len())
}

#[test]
fn no_template_lacks_a_value() {
    let settings = [
        "{}",
        "{ network: { egress: { mode: ports } } }",
        "{ network: { egress: { mode: open } } }",
        "{ network: { ssh_port: 2222, egress: { allow: [\"git.example.com:22\", \"localhost:11434\"], enforce: false } } }",
        "{ agent: { platforms: { telegram: {}, discord: {}, slack: {} } } }",
        "{ agent: { sandbox: off } }",
        "{ agent: { sandbox: { packages: [] } } }",
        "{ agent: { sandbox: { network: names, allow: [pypi.org, \"*.example.net\", \"git.example.com:22\"], packages: [ripgrep, nodejs] } } }",
        "{ agent: { approvals: { mode: allowlist, allow: [ls], unlisted: ask } } }",
    ];
    for own in settings {
        let own = own.trim_start_matches('{').trim_end_matches('}');
        let comma = if own.is_empty() { "" } else { "," };
        let yaml = format!(
            "hosts: {{ web: {{ address: root@203.0.113.7, admin: {{ authorized_keys: [key.pub] }}{comma}{own} }} }}\n"
        );
        for host in [
            Host { ssh_port: 22, ..Host::default() },
            Host { container: true, ssh_port: 22, ..Host::default() },
            Host {
                ssh_port: 2022,
                ssh_socket: true,
                ipv6: true,
                web_server: true,
                mlkem: true,
                njs: true,
                nginx_e: true,
                ..Host::default()
            },
        ] {
            let count = filled_in(&yaml, host).unwrap_or_else(|why| panic!("{own}: {why}"));
            assert!(count > 40, "{own}: {count} resources only");
        }
    }
}
