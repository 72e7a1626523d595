//! From names as they are written to what they stand for, as far as a file's own imports and
//! definitions say it. An import counts in its scope and in those within.

use super::{Kind, Module, Scope};
use std::collections::{BTreeMap, BTreeSet};

/// A name that several imports bind stands for all of them: more than Python would see, never less.
pub fn resolve(module: &mut Module, package: bool) {
    let known = Known::of(module, package);
    module.imports = known.imports.clone();
    for scope in &mut module.scopes {
        let globals: BTreeSet<String> =
            scope.binds.keys().filter_map(|name| name.strip_prefix("global ")).map(str::to_owned).collect();
        let bound = |name: &str| match scope.kind {
            Kind::Module => Some(format!("{}.{name}", known.module)),
            Kind::Class => Some(format!("{}.{}.{name}", known.module, scope.name)),
            Kind::Function => globals.contains(name).then(|| format!("{}.{name}", known.module)),
        };
        let mut binds = BTreeMap::new();
        for (name, count) in &scope.binds {
            let name = match name.split_once(['|', ' ']) {
                Some((form @ ("import" | "from"), rest)) => known.alias(form, rest).map(|(alias, _)| alias),
                Some(_) => None,
                None => Some(name.clone()),
            };
            if let Some(name) = name.and_then(|name| bound(&name)) {
                *binds.entry(name).or_default() += count;
            }
        }
        scope.binds = binds;
        scope.sets = known.renamed(&scope.name, &scope.sets);
        scope.bases = scope.bases.iter().flat_map(|base| known.all(&scope.name, base)).collect();
        scope.calls = known.renamed(&scope.name, &scope.calls);
        scope.values = known.renamed(&scope.name, &scope.values);
        if scope.kind == Kind::Module {
            scope.values.extend(known.stars.iter().map(|star| (format!("*|{star}"), 1)));
        }
    }
    for tool in &mut module.tools {
        let place = module.scopes.get(tool.scope).map_or("", |scope| &scope.name);
        tool.handlers = tool.handlers.iter().flat_map(|handler| known.all(place, handler)).collect();
    }
}

struct Known {
    module: String,
    /// The package that relative imports start from.
    package: String,
    /// By scope, by name.
    aliases: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    own: BTreeSet<String>,
    imports: BTreeSet<String>,
    stars: BTreeSet<String>,
}

impl Known {
    fn of(module: &Module, package: bool) -> Self {
        let parent = module.name.rsplit_once('.').map_or("", |(parent, _)| parent);
        let mut known = Known {
            module: module.name.clone(),
            package: if package { module.name.clone() } else { parent.to_owned() },
            aliases: BTreeMap::new(),
            own: BTreeSet::new(),
            imports: BTreeSet::new(),
            stars: BTreeSet::new(),
        };
        for scope in &module.scopes {
            if !scope.name.is_empty() && !scope.name.contains('.') {
                known.own.insert(scope.name.clone());
            }
            for entry in scope.binds.keys() {
                match entry.split_once('|') {
                    Some((form, rest)) => known.import(scope, form, rest),
                    None if scope.kind == Kind::Module && !entry.contains(' ') => {
                        known.own.insert(entry.clone());
                    }
                    None => {}
                }
            }
        }
        known
    }

    fn import(&mut self, scope: &Scope, form: &str, rest: &str) {
        if let Some((alias, target)) = self.alias(form, rest) {
            let global = scope.binds.contains_key(&format!("global {alias}"));
            for place in [Some(scope.name.as_str()), global.then_some("")].into_iter().flatten() {
                let aliases = self.aliases.entry(place.to_owned()).or_default();
                aliases.entry(alias.clone()).or_default().insert(target.clone());
            }
        }
        let (module, name) = rest.split_once('|').unwrap_or((rest, ""));
        let module = self.absolute(module);
        match (form, name) {
            ("from", "*|") => drop(self.stars.insert(module.clone())),
            // It may be a module of a package, or a name in a module.
            ("from", name) => {
                let name = name.split('|').next().unwrap_or_default();
                self.imports.insert(format!("{module}.{name}"));
            }
            _ => {}
        }
        self.imports.insert(module);
    }

    /// The name that an import binds, and what it stands for.
    fn alias(&self, form: &str, rest: &str) -> Option<(String, String)> {
        let mut parts = rest.split('|');
        let module = self.absolute(parts.next()?);
        let (name, alias) = match form {
            "from" => (parts.next()?, parts.next()?),
            _ => ("", parts.next()?),
        };
        match (name, alias) {
            ("*", _) => None,
            // `import a.b` binds `a`.
            ("", "") => module.split('.').next().map(|head| (head.to_owned(), head.to_owned())),
            ("", alias) => Some((alias.to_owned(), module)),
            (name, "") => Some((name.to_owned(), format!("{module}.{name}"))),
            (name, alias) => Some((alias.to_owned(), format!("{module}.{name}"))),
        }
    }

    /// A relative import's module: one dot is the package itself.
    fn absolute(&self, module: &str) -> String {
        let name = module.trim_start_matches(['.', ' ']);
        let dots = module.bytes().take_while(|byte| *byte == b'.').count();
        if dots == 0 {
            return name.replace(' ', "");
        }
        let mut base = self.package.as_str();
        for _ in 1..dots {
            base = base.rsplit_once('.').map_or("", |(parent, _)| parent);
        }
        [base, name].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
    }

    /// All that a written name may stand for in a scope.
    fn all(&self, scope: &str, name: &str) -> Vec<String> {
        let (head, rest) = name.split_once('.').map_or((name, ""), |(head, rest)| (head, rest));
        let with_rest = |head: &str| if rest.is_empty() { head.to_owned() } else { format!("{head}.{rest}") };
        let around = std::iter::successors(Some(scope), |inner| {
            (!inner.is_empty()).then(|| inner.rsplit_once('.').map_or("", |(outer, _)| outer))
        });
        let bound = around.filter_map(|scope| self.aliases.get(scope)?.get(head)).flatten();
        let mut all: BTreeSet<String> = bound.map(|head| with_rest(head)).collect();
        if self.own.contains(head) {
            all.insert(with_rest(&format!("{}.{head}", self.module)));
        }
        if all.is_empty() {
            all.insert(if head == "?" { name.to_owned() } else { format!("~{name}") });
        }
        all.into_iter().collect()
    }

    fn renamed(&self, scope: &str, uses: &BTreeMap<String, usize>) -> BTreeMap<String, usize> {
        let mut renamed = BTreeMap::new();
        for (name, count) in uses {
            let names = if name.contains('|') { vec![name.clone()] } else { self.all(scope, name) };
            for name in names {
                *renamed.entry(name).or_default() += count;
            }
        }
        renamed
    }
}

#[cfg(test)]
mod tests {
    use crate::review::python::{Module, read};

    /// What a function of `agent/x.py` calls, by what it stands for.
    fn calls(text: &str, function: &str) -> Vec<String> {
        let module: Module = read("agent/x.py", text.as_bytes());
        assert_eq!(module.troubles, [""; 0]);
        let scope = module.scopes.into_iter().find(|scope| scope.name == function).unwrap();
        scope.calls.into_keys().collect()
    }

    #[test]
    fn an_import_counts_in_its_scope_and_within() {
        let text = "def f():\n    from subprocess import run as t\n    def g():\n        t()\ndef h(t):\n    t()\n";
        assert_eq!(calls(text, "f.g"), ["subprocess.run"]);
        assert_eq!(calls(text, "h"), ["~t"]);
        let late = "def f():\n    global t\n    import os as t\ndef h():\n    t.system()\n";
        assert_eq!(calls(late, "h"), ["os.system"]);
    }

    #[test]
    fn relative_imports_and_own_names_are_written_in_full() {
        let text = "from . import y\nfrom ..tools.z import q as w\nimport a.b\ndef own(): pass\ndef f():\n    y.c(); w(); a.b.d(); own(); str()\n";
        assert_eq!(calls(text, "f"), ["a.b.d", "agent.x.own", "agent.y.c", "tools.z.q", "~str"]);
        let two = "try:\n    import a as m\nexcept ImportError:\n    import b as m\ndef f():\n    m.g()\n";
        assert_eq!(calls(two, "f"), ["a.g", "b.g"]);
    }
}
