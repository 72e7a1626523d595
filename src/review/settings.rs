//! Whether every setting and every variable that Petasos writes is read somewhere.

use super::difference::{Difference, What};
use super::python::Module;
use super::table::Table;

pub fn differences(table: &Table, modules: &[Module]) -> Vec<Difference> {
    let needed = table.settings.iter().filter(|name| !table.may_lack.contains(name));
    let settings = needed.filter(|name| !is_read(modules, name));
    let settings = settings.map(|name| What::Unread { name: name.clone(), is: "setting" });
    let known = |name: &str| modules.iter().any(|module| module.lookups.contains(name));
    let variables = table.environment.iter().filter(|name| !known(name));
    let variables = variables.map(|name| What::Unread { name: name.clone(), is: "variable" });
    settings.chain(variables).map(|what| Difference::new("", what)).collect()
}

/// Some file looks up the last word of the setting, and has the others.
fn is_read(modules: &[Module], setting: &str) -> bool {
    let (above, last) = setting.rsplit_once('.').unwrap_or(("", setting));
    let has = |module: &Module, word: &str| module.lookups.contains(word) || module.texts.contains(word);
    let words = || above.split('.').filter(|word| !word.is_empty());
    modules.iter().any(|module| module.lookups.contains(last) && words().all(|word| has(module, word)))
        || modules.iter().any(|module| module.lookups.contains(setting))
}
