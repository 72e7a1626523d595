//! Names of petasos.yaml that could not be used as such.

use super::KeyFault;
use super::network::Network;
use super::settings::{Admin, Agent};
use crate::fault::Fault;

/// A host that no command line could name.
pub fn no_name_of_a_host(name: &str) -> Option<KeyFault> {
    let why = match name {
        "" => "it is empty",
        _ if name.contains('@') => "a word with `@` is an address on the command line",
        _ if name.starts_with('-') => "a word that begins with `-` is an option on the command line",
        _ if name.contains(|c: char| c.is_whitespace() || c.is_control()) => "it has white space in it",
        _ => return None,
    };
    let fault = Fault::new(format!("`{}` cannot be the name of a host: {why}", name.escape_debug()));
    Some(KeyFault::of(&["hosts", name], fault.hint("write a word of your choice, such as `staging`")))
}

/// A name that only a playbook may hold: one with a `{{` in it.
pub fn open_name(admin: &Admin, agent: &Agent, network: &Network) -> Option<KeyFault> {
    let wrong = |name: &str, keys: &[&str]| {
        let fault = Fault::new(format!("`{name}` is no name: it has `{{{{` in it, which only playbooks may"));
        KeyFault::of(keys, fault.hint("write the name itself"))
    };
    let user = Some(&admin.user).filter(|user| user.is_open()).map(|user| wrong(user.as_str(), &["admin", "user"]));
    let first = |names: Vec<(&str, bool)>, keys: &[&str]| {
        let at = names.iter().position(|(_, open)| *open)?;
        names.get(at).map(|(name, _)| wrong(name, keys).entry(at))
    };
    let secrets = agent.secrets.iter().map(|name| (name.as_str(), name.is_open())).collect();
    let services = network.inbound.iter().map(|service| (service.as_str(), service.is_open())).collect();
    let packages = agent.sandbox.iter().flat_map(|sandbox| &sandbox.packages);
    let packages = packages.map(|name| (name.as_str(), name.is_open())).collect();
    user.or_else(|| first(secrets, &["agent", "secrets"]))
        .or_else(|| first(services, &["network", "inbound"]))
        .or_else(|| first(packages, &["agent", "sandbox", "packages"]))
}
