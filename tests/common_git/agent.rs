//! A source that has what the structural check asks for, and nothing else: made of the tables, as
//! the agent's own is not ours to keep here.
use petasos::release::reviewed;
use petasos::review::{Census, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A class or function, and what stands in it.
#[derive(Default)]
struct Node {
    is_async: bool,
    parameters: Vec<String>,
    lines: Vec<String>,
    inner: BTreeMap<String, Node>,
}

impl Node {
    fn at(&mut self, names: &str) -> &mut Node {
        names
            .split('.')
            .filter(|name| !name.is_empty())
            .fold(self, |node, name| node.inner.entry(name.into()).or_default())
    }

    fn write(&self, out: &mut String, depth: usize) {
        let pad = "    ".repeat(depth);
        for (name, node) in &self.inner {
            let is_class = name.trim_start_matches('_').starts_with(char::is_uppercase) && node.parameters.is_empty();
            let kind = if node.is_async { "async def" } else { "def" };
            match is_class {
                true => writeln!(out, "{pad}class {name}:").unwrap(),
                false => writeln!(out, "{pad}{kind} {name}({}):", node.parameters.join(", ")).unwrap(),
            }
            node.write(out, depth + 1);
            writeln!(out, "{pad}    pass").unwrap();
        }
        for line in &self.lines {
            writeln!(out, "{pad}{line}").unwrap();
        }
    }
}

/// Every file of it, by path.
pub fn source(version: &str) -> BTreeMap<String, String> {
    let (table, census, reviewed) = (Table::built_in().unwrap(), Census::built_in(), reviewed::all().unwrap());
    let modules: BTreeSet<&str> =
        reviewed.iter().flat_map(|known| known.files.keys()).map(petasos::config::lock::ModuleName::as_str).collect();
    let mut files: BTreeMap<String, Node> = modules.iter().map(|name| (file(name), Node::default())).collect();
    for choke in table.chokes.iter().chain(&table.uses) {
        let (module, inner) = split(&choke.at, &modules);
        let root = files.entry(file(module)).or_default();
        match &choke.parameters {
            Some(parameters) => {
                let node = root.at(inner);
                node.is_async = choke.is_async;
                node.parameters.clone_from(parameters);
            }
            None => root.lines.push(format!("{inner} = None")),
        }
    }
    for (site, count) in census.0.iter().filter(|(site, _)| site.way == "wired") {
        let (module, inner) = split(&site.name, &modules);
        let last = inner.rsplit('.').next().unwrap_or_default();
        // As the real one calls it, where the function is one that leads to a choke point.
        let beside = census.0.keys().find(|other| {
            let here = (&other.path, &other.function) == (&site.path, &site.function);
            here && other.way == "path" && other.name.ends_with(&format!(".{last}"))
        });
        let called = beside.map_or(site.name.as_str(), |beside| beside.name.trim_start_matches('~'));
        let method = inner.contains('.');
        let node = files.entry(site.path.clone()).or_default().at(&site.function);
        let own = file(module) == site.path;
        for _ in 0..*count {
            node.lines.extend(match (method, beside) {
                (true, Some(_)) if called.starts_with("tools.registry.") => {
                    vec!["from tools.registry import registry".to_owned(), format!("registry.{last}()")]
                }
                (true, Some(_)) => vec![format!("{called}()")],
                (true, None) => vec![format!("thing.{last}()")],
                (false, _) if own => vec![format!("{last}()")],
                (false, _) => vec![format!("from {module} import {last}"), format!("{last}()")],
            });
        }
    }
    let root = files.entry("hermes_cli/__init__.py".into()).or_default();
    root.lines.push(format!("__version__ = '{version}'"));
    let root = files.entry("gateway/config.py".into()).or_default();
    let words = table
        .settings
        .iter()
        .flat_map(|setting| setting.split('.'))
        .chain(table.environment.iter().map(String::as_str));
    root.at("load").lines.extend(words.map(|word| format!("settings.get('{word}')")));
    let text = |node: Node| {
        let mut text = String::new();
        node.write(&mut text, 0);
        text
    };
    files.into_iter().map(|(path, node)| (path, text(node))).collect()
}

fn file(module: &str) -> String {
    match module {
        "hermes_cli" => "hermes_cli/__init__.py".into(),
        module => format!("{}.py", module.replace('.', "/")),
    }
}

/// The longest module, and the name in it.
fn split<'a>(at: &'a str, modules: &BTreeSet<&str>) -> (&'a str, &'a str) {
    let dots = at.match_indices('.').map(|(dot, _)| dot).rev();
    dots.map(|dot| (&at[..dot], &at[dot + 1..]))
        .find(|(module, _)| modules.contains(module))
        .expect("a module of the policy")
}
