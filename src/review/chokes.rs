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
            let bound = module
                .scopes
                .iter()
                .filter(|scope| scope.binds.contains_key(&choke.at) || scope.sets.keys().any(|name| sets(choke, name)));
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
    let shown =
        |is_async: bool, list: &[String]| format!("{}{}", if is_async { "async: " } else { "" }, list.join(", "));
    let (wanted, found) = (shown(choke.is_async, wanted), shown(function.is_async, &function.parameters));
    Some(What::Parameters { name: choke.at.clone(), wanted, found })
}

/// Whether `found` begins with `wanted`, as the policy compares them when it starts: by name,
/// `*` before those that must be named, `**x` for all others.
fn fits(wanted: &[String], found: &[String]) -> bool {
    let mut names: Vec<&str> = Vec::new();
    for name in found.iter().filter(|name| *name != "/") {
        let name = name.trim_end_matches('=');
        let is_rest = name.starts_with('*') && name != "*" && !name.starts_with("**");
        names.push(if is_rest { name.trim_start_matches('*') } else { name });
        // After `*args`, too, a parameter must be named.
        if is_rest {
            names.push("*");
        }
    }
    names.len() >= wanted.len() && wanted.iter().zip(names).all(|(wanted, found)| wanted == found)
}

/// Whether setting this attribute could put something else in the choke point's place.
fn sets(choke: &Choke, set: &str) -> bool {
    set.strip_suffix(choke.name()).is_some_and(|before| before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn parameters_may_grow_at_their_end_and_nowhere_else() {
        let list = |text: &str| text.split(", ").map(str::to_owned).collect::<Vec<_>>();
        let wanted = list("name, args, *, id");
        for good in ["name, args, *, id=", "name, /, args=, *, id, more=, **kwargs"] {
            assert!(fits(&wanted, &list(good)), "{good}");
        }
        for bad in [
            "args, name, *, id=",
            "name, arguments, *, id=",
            "name, args, more=, *, id=",
            "name, args, *",
            "name, args, id=",
            "name, args, *, more, id=",
        ] {
            assert!(!fits(&wanted, &list(bad)), "{bad}");
        }
        assert!(fits(&list("name, **context"), &list("name, **context")));
        assert!(!fits(&list("name, **context"), &list("name, **kwargs")));
        assert!(fits(&list("name, rest, *, id"), &list("name, *rest, id=")));
    }
}
