//! Who does what: every place of a source that could lead around the policy, by function; and what
//! of it no reviewed release has.

use super::difference::{Difference, What};
use super::patterns::Patterns;
use super::python::{Kind, Module, Scope};
use super::table::{Choke, Table, Way};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A place: what is done, where, and by what name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    pub way: String,
    pub path: String,
    pub function: String,
    pub name: String,
}

/// How often each is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census(pub BTreeMap<Site, usize>);

/// Where a choke point is called: here less is the danger, and the census keeps the least.
const WIRED: &str = "wired";
/// A call in a function that leads to a choke point.
const PATH: &str = "path";
/// A function or class of a name that the policy stands on.
const NAMESAKE: &str = "namesake";
/// A tool, by its name.
const TOOL: &str = "registers";

impl Census {
    /// That of the reviewed releases.
    pub fn built_in() -> Self {
        Self::parse(include_str!("../../reviewed/census.txt"))
    }

    pub fn of(table: &Table, modules: &[Module]) -> Self {
        let index = Index::of(table, modules);
        let mut census = Census::default();
        for module in modules {
            for tool in &module.tools {
                let name = if tool.name.is_empty() { "(computed)" } else { &tool.name };
                census.add(TOOL, module, "", name, 1);
            }
            for (at, scope) in module.scopes.iter().enumerate() {
                let registered = module.tools.iter().filter(|tool| tool.scope == at).flat_map(|tool| &tool.handlers);
                let registered: Vec<&str> = registered.map(String::as_str).collect();
                census.scope(table, &index, module, scope, &registered);
            }
        }
        census
    }

    fn add(&mut self, way: &str, module: &Module, function: &str, name: &str, count: usize) {
        if count == 0 {
            return;
        }
        let (way, path) = (way.to_owned(), module.path.clone());
        *self.0.entry(Site { way, path, function: function.to_owned(), name: name.to_owned() }).or_default() += count;
    }

    fn scope(&mut self, table: &Table, index: &Index<'_>, module: &Module, scope: &Scope, registered: &[&str]) {
        let full = format!("{}.{}", module.name, scope.name);
        let last = scope.name.rsplit('.').next().unwrap_or_default();
        let namesake = index.chokes.get(last).into_iter().flatten().any(|choke| choke.at != full);
        if scope.kind != Kind::Module && namesake {
            self.add(NAMESAKE, module, &scope.name, last, 1);
        }
        let on_path = index.paths.find(&full).is_some();
        let uses = scope.calls.iter().map(|(name, count)| (name, *count, true));
        let uses = uses.chain(scope.values.iter().map(|(name, count)| (name, *count, false)));
        for (name, count, called) in uses {
            // Where a tool is registered, its handler is named and not run.
            let registered = registered.iter().filter(|handler| *handler == name).count();
            let run = count.saturating_sub(registered);
            for (way, names) in &index.ways {
                let count = if way.way == "tool" { run } else { count };
                if let Some(shown) = names.find(way, name, called).filter(|_| !is_database(name, scope)) {
                    self.add(&way.way, module, &scope.name, shown, count);
                }
            }
            if index.is_handler(module, name) {
                self.add("tool", module, &scope.name, name, run);
            }
            if index.is_environment(module, name) {
                self.add("sandbox", module, &scope.name, name, count);
            }
            let last = name.rsplit('.').next().unwrap_or_default();
            for choke in index.chokes.get(last).into_iter().flatten().filter(|choke| choke.is(name)) {
                self.add(WIRED, module, &scope.name, &choke.at, count);
            }
            if called && on_path && index.plain.find(name).is_none() {
                self.add(PATH, module, &scope.name, name, count);
            }
        }
        for (text, count) in &scope.texts {
            for (way, part) in table.ways.iter().flat_map(|way| way.texts.iter().map(move |part| (way, part))) {
                if text.contains(part.as_str()) {
                    self.add(&way.way, module, &scope.name, &format!("\"{part}\""), *count);
                }
            }
        }
    }

    /// What either has, as often as in the one that has it more often; where less is the danger,
    /// what both have, as often as in the one that has it less often.
    pub fn union(mut self, other: Self) -> Self {
        let wired = |site: &Site| site.way == WIRED;
        self.0.retain(|site, _| !wired(site) || other.0.contains_key(site));
        for (site, count) in other.0 {
            let own = self.0.get(&site).copied();
            let both = match own {
                Some(own) if wired(&site) => own.min(count),
                None if wired(&site) => continue,
                own => own.unwrap_or_default().max(count),
            };
            self.0.insert(site, both);
        }
        self
    }

    /// One place a line.
    pub fn render(&self) -> String {
        let line = |(site, count): (&Site, &usize)| {
            let Site { way, path, function, name } = site;
            format!("{way}\t{path}\t{function}\t{name}\t{count}\n")
        };
        self.0.iter().map(line).collect()
    }

    /// What [`Census::render`] wrote; a line of another form is left out.
    pub fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let mut fields = line.split('\t').map(str::to_owned);
            let mut field = || fields.next();
            let site = Site { way: field()?, path: field()?, function: field()?, name: field()? };
            Some((site, field()?.parse().ok()?))
        };
        Self(text.lines().filter_map(line).collect())
    }
}

/// A way's patterns.
struct Names {
    all: Patterns,
    but: Patterns,
}

impl Names {
    /// As what `name` goes into the census. What an attribute is asked of has changing names.
    fn find<'a>(&'a self, way: &Way, name: &'a str, called: bool) -> Option<&'a str> {
        let pattern = self.all.find(name)?;
        let only_called = !called && way.calls.iter().any(|only| only == pattern);
        let counts = !only_called && self.but.find(name).is_none();
        counts.then_some(if pattern.starts_with('.') { pattern } else { name })
    }
}

/// What a census looks names up in.
struct Index<'a> {
    ways: Vec<(&'a Way, Names)>,
    plain: Patterns,
    paths: Patterns,
    /// By their last word.
    chokes: HashMap<&'a str, Vec<&'a Choke>>,
    /// Functions that tools are registered with.
    handlers: HashSet<&'a str>,
    /// The last words of their names, and of what they call in their own modules.
    handled: HashSet<&'a str>,
    /// Classes of environments, by their last words.
    environments: BTreeSet<&'a str>,
    modules: HashSet<&'a str>,
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

impl<'a> Index<'a> {
    fn of(table: &'a Table, modules: &'a [Module]) -> Self {
        let names = |way: &'a Way| (way, Names { all: Patterns::of(&way.names), but: Patterns::of(&way.but) });
        let mut chokes: HashMap<&str, Vec<&Choke>> = HashMap::new();
        for choke in &table.chokes {
            chokes.entry(choke.name()).or_default().push(choke);
        }
        let handlers = modules.iter().flat_map(|module| &module.tools).flat_map(|tool| &tool.handlers);
        let handlers: HashSet<&str> =
            handlers.map(String::as_str).filter(|name| !name.starts_with(['~', '?'])).collect();
        let behind: Vec<&str> = modules.iter().flat_map(|module| behind(module, &handlers)).collect();
        let classes = || modules.iter().flat_map(|module| &module.scopes).filter(|scope| scope.kind == Kind::Class);
        let mut environments = BTreeSet::from(["BaseEnvironment"]);
        // Until no class is added that derives from one that is there.
        loop {
            let known = environments.len();
            let derived = classes().filter(|class| class.bases.iter().any(|base| environments.contains(last(base))));
            let derived: Vec<&str> = derived.map(|class| last(&class.name)).collect();
            environments.extend(derived);
            if environments.len() == known {
                break;
            }
        }
        Self {
            ways: table.ways.iter().map(names).collect(),
            plain: Patterns::of(&table.plain),
            paths: Patterns::of(&table.paths),
            chokes,
            handled: handlers.iter().chain(&behind).map(|name| last(name)).collect(),
            handlers,
            environments,
            modules: modules.iter().map(|module| module.name.as_str()).collect(),
        }
    }

    /// A tool's handler; for other modules also what is behind it, or has the name of either.
    fn is_handler(&self, module: &Module, name: &str) -> bool {
        let Some((place, last)) = name.rsplit_once('.') else { return false };
        let elsewhere = place != module.name && self.modules.contains(place);
        self.handlers.contains(name) || elsewhere && self.handled.contains(last)
    }

    /// A class of environments, outside of their own folder.
    fn is_environment(&self, module: &Module, name: &str) -> bool {
        !module.path.starts_with("tools/environments/") && self.environments.contains(last(name))
    }
}

/// The functions of a module that handlers in it call.
fn behind<'a>(module: &'a Module, handlers: &HashSet<&str>) -> Vec<&'a str> {
    let own = |name: &&String| name.rsplit_once('.').is_some_and(|(place, _)| place == module.name);
    let handles = |scope: &&Scope| handlers.contains(&*format!("{}.{}", module.name, scope.name));
    let called = module.scopes.iter().filter(handles).flat_map(|scope| scope.calls.keys());
    called.filter(own).map(String::as_str).collect()
}

/// `execute` of a database: its connection is called so, or statements stand in the function.
fn is_database(name: &str, scope: &Scope) -> bool {
    const STATEMENTS: [&str; 11] =
        ["SELECT", "INSERT", "UPDATE", "DELETE", "PRAGMA", "CREATE", "BEGIN", "COMMIT", "ROLLBACK", "VACUUM", "ALTER"];
    let Some(of) = name.strip_suffix(".execute") else { return false };
    let connection = ["conn", "cur", "cursor", "db", "_conn", "connection"].contains(&last(of).trim_start_matches('~'));
    let statement = |text: &String| STATEMENTS.iter().any(|word| text.trim_start().starts_with(word));
    connection || scope.texts.keys().any(statement)
}

pub fn differences(table: &Table, reviewed: &Census, now: &Census) -> Vec<Difference> {
    let mut found = Vec::new();
    for (site, least) in reviewed.0.iter().filter(|(site, _)| site.way == WIRED) {
        if now.0.get(site).is_none_or(|count| count < least) {
            let what = What::Unwired { function: site.function.clone(), name: site.name.clone() };
            found.push(Difference::new(&site.path, what));
        }
    }
    for (site, count) in now.0.iter().filter(|(site, _)| site.way != WIRED) {
        let known = reviewed.0.get(site).copied().unwrap_or_default();
        // Of what a function on the way calls, only its own closures count by number.
        let local = site.name.starts_with('~') && !site.name.contains('.');
        if *count > known && (known == 0 || site.way != PATH || local) {
            let way = table.ways.iter().find(|way| way.way == site.way);
            let says = match (way, site.way.as_str()) {
                (Some(way), _) => way.says.as_str(),
                (None, PATH) => "calls on the way to a choke point",
                (None, NAMESAKE) => "has the name of a choke point",
                _ => "registers a tool",
            };
            let (says, function, name) = (says.to_owned(), site.function.clone(), site.name.clone());
            let sandboxed = way.is_some_and(|way| way.sandboxed);
            found.push(Difference::new(&site.path, What::Way { says, function, name, more: known > 0, sandboxed }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One place, and what is said when it is there `now` times after it was there `before` times.
    fn said(way: &str, name: &str, before: usize, now: usize) -> Vec<String> {
        let census = |count: usize| {
            let site = Site { way: way.into(), path: "a.py".into(), function: "f".into(), name: name.into() };
            Census([(site, count)].into_iter().filter(|(_, count)| *count > 0).collect())
        };
        let found = differences(&Table::built_in().unwrap(), &census(before), &census(now));
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn more_of_a_way_is_a_difference_and_less_of_a_choke_point() {
        assert_eq!(said("model", ".converse", 0, 1), ["`f` asks a model: `.converse`"]);
        assert_eq!(said("model", ".converse", 2, 3), ["`f` asks a model once more: `.converse`"]);
        assert_eq!(said("model", ".converse", 3, 2), [""; 0]);
        assert_eq!(said(WIRED, "a.b", 2, 1), ["`f` no longer calls `a.b`"]);
        assert_eq!(said(WIRED, "a.b", 1, 0), ["`f` no longer calls `a.b`"]);
        assert_eq!(said(WIRED, "a.b", 1, 2), [""; 0]);
        // On the way to a choke point by what is called; only of its own closures by how often.
        assert_eq!(said(PATH, "a.b", 1, 2), [""; 0]);
        assert_eq!(said(PATH, "~agent.x", 1, 2), [""; 0]);
        assert_eq!(said(PATH, "~_execute", 1, 2), ["`f` calls on the way to a choke point once more: `_execute`"]);
    }

    #[test]
    fn a_census_is_read_as_it_was_written_and_both_count() {
        let one = Census::parse("tool\ta.py\tf\tx\t2\nwired\ta.py\tf\ty\t2\nwired\ta.py\tg\ty\t1\n");
        assert_eq!(Census::parse(&one.render()), one);
        let other = Census::parse("tool\ta.py\tf\tx\t1\ntool\ta.py\th\tx\t1\nwired\ta.py\tf\ty\t1\n");
        let both = "tool\ta.py\tf\tx\t2\ntool\ta.py\th\tx\t1\nwired\ta.py\tf\ty\t1\n";
        assert_eq!(one.union(other).render(), both);
        assert!(Census::built_in().0.len() > 1000);
    }
}
