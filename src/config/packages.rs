//! The packages that petasos.yaml names, and where: whether a distribution has them only a host
//! knows.

use super::{Config, Settings};
use crate::name::PackageName;
use crate::yaml::{Place, Step};

/// The key that names them.
pub const KEY: [&str; 3] = ["agent", "sandbox", "packages"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPackage {
    pub name: PackageName,
    /// None for one that is a default.
    pub place: Option<Place>,
}

/// Those of one host, or of one that the file does not have; `settings` are what holds for it.
pub fn named(config: &Config, host: Option<&str>, settings: &Settings) -> Vec<NamedPackage> {
    let packages = settings.agent.sandbox.iter().flat_map(|sandbox| &sandbox.packages).enumerate();
    let path = |at| KEY.iter().map(|key| Step::Key((*key).to_owned())).chain([Step::At(at)]).collect();
    packages.map(|(at, name)| NamedPackage { name: name.clone(), place: config.place(host, path(at)) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    const FILE: &str = "\
hosts:
  one: { address: h1, agent: { sandbox: { packages: [jq] } } }
  two: { address: h2 }
agent:
  sandbox:
    packages: [ripgrep, nodejs]
";

    /// Name by name, `line:column`.
    fn places(text: &str, host: &str) -> Vec<String> {
        let config = Config::read("p.yaml", text).unwrap();
        let shown = |package: NamedPackage| {
            let place = package.place.map(|place| place.point(Fault::new("no")).message).unwrap_or_default();
            let at = place.lines().nth(1).and_then(|line| line.trim().strip_prefix("--> p.yaml:")).unwrap_or("nowhere");
            format!("{} {at}", package.name)
        };
        named(&config, Some(host), &config.settings(Some(host)).unwrap()).into_iter().map(shown).collect()
    }

    #[test]
    fn each_stands_where_the_host_has_it_from() {
        assert_eq!(places(FILE, "one"), ["jq 2:54"]);
        assert_eq!(places(FILE, "two"), ["ripgrep 6:16", "nodejs 6:25"]);
        assert_eq!(places("hosts: { two: { address: h2 } }", "two"), ["ripgrep nowhere"]);
        assert!(places("hosts: { two: { address: h2 } }\nagent: { sandbox: off }", "two").is_empty());
    }
}
