//! Whether what the policy wraps, calls and replaces is there, once, and takes what it is given.

use super::difference::{Difference, What};
use super::python::{Kind, Module, Scope};
use super::table::{Choke, Table};

pub fn differences(table: &Table, modules: &[Module]) -> Vec<Difference> {
    let mut found = Vec::new();
    for choke in table.chokes.iter().chain(&table.uses) {
        let Some((module, inner)) = place(modules, &choke.at) else {
            found.push(Difference::new(&file(&choke.at), missing(choke)));
            continue;
        };
        found.extend(one(choke, module, inner).map(|what| Difference::new(&module.path, what)));
    }
    for choke in &table.chokes {
        for module in modules {
            let bound = module.scopes.iter().filter(|scope| {
                scope.binds.contains_key(&choke.at) || scope.sets.keys().any(|name| sets(choke, name))
            });
            let again = |scope: &Scope| What::Again { name: choke.at.clone(), place: scope.name.clone() };
            found.extend(bound.map(|scope| Difference::new(&module.path, again(scope))));
        }
    }
    found
}

/// The module that `at` is in, and its name within; a class's method has more than one word.
fn place<'a>(modules: &'a [Module], at: &'a str) -> Option<(&'a Module, &'a str)> {
    let words = at.match_indices('.').map(|(dot, _)| dot).rev();
    words
        .filter_map(|dot| Some((at.get(..dot)?, at.get(dot + 1..)?)))
        .find_map(|(module, inner)| Some((modules.iter().find(|known| known.name == module)?, inner)))
}

/// Where a name would be, for a module that is not there.
fn file(at: &str) -> String {
    let module: Vec<&str> =
        at.split('.').take_while(|word| !word.starts_with(char::is_uppercase) && !word.starts_with('_')).collect();
    let all = at.split('.').count() == module.len();
    let module = if all { module.get(..module.len().saturating_sub(1)).unwrap_or_default() } else { &module };
    format!("{}.py", module.join("/"))
}

fn missing(choke: &Choke) -> What {
    What::Missing { name: choke.at.clone(), holds: choke.holds.clone() }
}

fn one(choke: &Choke, module: &Module, inner: &str) -> Option<What> {
    let mut defined = module.scopes.iter().filter(|scope| scope.kind == Kind::Function && scope.name == inner);
    let Some(wanted) = &choke.parameters else {
        let bound = module.scopes.iter().any(|scope| scope.binds.contains_key(&choke.at) || scope.name == inner);
        return (!bound).then(|| missing(choke));
    };
    let Some(function) = defined.next() else { return Some(missing(choke)) };
    if defined.next().is_some() {
        return Some(What::Again { name: choke.at.clone(), place: String::new() });
    }
    if fits(wanted, &function.parameters) && function.is_async == choke.is_async {
        return None;
    }
    let shown = |is_async: bool, list: &[String]| format!("{}{}", if is_async { "async: " } else { "" }, list.join(", "));
    let (wanted, found) = (shown(choke.is_async, wanted), shown(function.is_async, &function.parameters));
    Some(What::Parameters { name: choke.at.clone(), wanted, found })
}

/// Whether a call that fits `wanted` also fits `found`: the same names in the same places; what is
/// added has a default.
fn fits(wanted: &[String], found: &[String]) -> bool {
    let (wanted_at, wanted_by) = halves(wanted);
    let (found_at, found_by) = halves(found);
    let same = |wanted: &str, found: &str| wanted == found || format!("{wanted}=") == found;
    let placed = wanted_at.iter().enumerate().all(|(at, wanted)| found_at.get(at).is_some_and(|found| same(wanted, found)));
    let named = wanted_by.iter().all(|wanted| found_by.iter().chain(&found_at).any(|found| same(wanted, found)));
    let free = |found: &&String| found.ends_with('=') || found.starts_with('*');
    let known = |found: &&String| wanted.iter().any(|wanted| same(wanted, found));
    placed && named && found_at.iter().chain(&found_by).all(|found| free(found) || known(found))
}

/// What is given by place and what by name alone; `**kwargs` is among the latter.
fn halves(parameters: &[String]) -> (Vec<&String>, Vec<&String>) {
    let is_star = |name: &&String| name.starts_with('*') && !name.starts_with("**");
    let at = parameters.iter().position(|name| is_star(&name)).unwrap_or(parameters.len());
    let (by_place, by_name) = parameters.split_at(at.min(parameters.len()));
    let (rest, by_place): (Vec<_>, Vec<_>) = by_place.iter().filter(|name| *name != "/").partition(|name| name.starts_with("**"));
    (by_place, by_name.iter().filter(|name| *name != "*").chain(rest).collect())
}

/// Whether setting this attribute could put something else in the choke point's place.
fn sets(choke: &Choke, set: &str) -> bool {
    set.strip_suffix(choke.name()).is_some_and(|before| before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn parameters_may_grow_but_not_move() {
        let list = |text: &str| text.split(", ").map(str::to_owned).collect::<Vec<_>>();
        let wanted = list("name, args, *, id=, **kwargs");
        for good in ["name, args, *, id=, **kwargs", "name, args, more=, *, other=, id=, **kwargs", "name, args=, id=, **kwargs"] {
            assert!(fits(&wanted, &list(good)), "{good}");
        }
        for bad in [
            "args, name, *, id=, **kwargs",
            "name, arguments, *, id=, **kwargs",
            "name, args, *, **kwargs",
            "name, args, *, id=",
            "name, args, more, *, id=, **kwargs",
            "name, args, *, needed, id=, **kwargs",
        ] {
            assert!(!fits(&wanted, &list(bad)), "{bad}");
        }
    }
}
