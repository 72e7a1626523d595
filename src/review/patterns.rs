//! Names by pattern, of which there are hundreds for hundreds of thousands of names.

use std::collections::HashMap;

/// Patterns by the word that they begin with.
#[derive(Debug, Default)]
pub struct Patterns {
    /// `subprocess`, `os.exec*`: from the name's head on.
    heads: HashMap<String, Vec<String>>,
    /// `.completions.create`: anywhere behind the head.
    attributes: HashMap<String, Vec<String>>,
}

impl Patterns {
    pub fn of(patterns: &[String]) -> Self {
        let mut all = Self::default();
        for pattern in patterns {
            let (map, words) = match pattern.strip_prefix('.') {
                Some(words) => (&mut all.attributes, words),
                None => (&mut all.heads, pattern.as_str()),
            };
            map.entry(key(words).to_owned()).or_default().push(pattern.clone());
        }
        all
    }

    /// The first pattern that `name` falls under: it is what the pattern says, or below it.
    pub fn find(&self, name: &str) -> Option<&str> {
        let heads = self.heads.get(key(name)).into_iter().flatten();
        let head = heads.map(String::as_str).find(|pattern| is_head(pattern, name));
        head.or_else(|| {
            let mut words = name.split('.').skip(1).filter_map(|word| self.attributes.get(word)).flatten();
            words.find(|pattern| format!("{name}.").contains(&format!("{pattern}."))).map(String::as_str)
        })
    }
}

/// Up to the first dot; of what is no name (`import|os`) up to its bar.
fn key(name: &str) -> &str {
    let head = name.split(['.', '*']).next().unwrap_or(name);
    match name.find('|') {
        Some(bar) => name.get(..=bar).unwrap_or(head),
        None => head,
    }
}

fn is_head(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name
            .strip_prefix(pattern)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || pattern.ends_with('|')),
    }
}

#[cfg(test)]
mod tests {
    use super::Patterns;

    #[test]
    fn a_pattern_is_a_name_or_what_is_below_it() {
        let list = ["subprocess", "os.exec*", ".completions.create", "import|os", "*|", "~eval"];
        let patterns = Patterns::of(&list.map(str::to_owned));
        for (name, pattern) in [
            ("subprocess", Some("subprocess")),
            ("subprocess.run", Some("subprocess")),
            ("subprocesses.run", None),
            ("os.execv", Some("os.exec*")),
            ("os.path.join", None),
            ("~client.chat.completions.create", Some(".completions.create")),
            ("?.completions.create.raw", Some(".completions.create")),
            ("completions.create", None),
            ("~x.completions.created", None),
            ("import|os", Some("import|os")),
            ("import|osx", None),
            ("*|tools.registry", Some("*|")),
            ("~eval", Some("~eval")),
            ("eval", None),
        ] {
            assert_eq!(patterns.find(name), pattern, "{name}");
        }
    }
}
