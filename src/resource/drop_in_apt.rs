//! The syntax of apt.conf(5), as far as it is written one setting a line: `A::B "value";`, and
//! scopes `A { B "value"; };` over any number of lines.

/// A setting of a file: the number of its line, counted from 0; its name in lower case; its value.
pub type Setting = (usize, String, String);

/// The settings of lines of files; those of one file follow each other.
pub fn settings<'a>(lines: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Setting> {
    let (mut found, mut reader, mut last) = (Vec::new(), Reader::default(), "");
    for (at, (file, line)) in lines.enumerate() {
        if file != last {
            (reader, last) = (Reader::default(), file);
        }
        found.extend(reader.line(line).into_iter().map(|(key, value)| (at, key, value)));
    }
    found
}

/// Whether a line holds this one setting and nothing else, so that it can go alone.
pub fn stands_alone(line: &str) -> bool {
    let line = line.trim();
    !line.contains(['{', '}']) && line.ends_with(';') && line.matches(';').count() == 1
}

/// Takes a setting back; not a comment, though it looks like one.
const CLEAR: &str = "#clear";

#[derive(Default)]
struct Reader {
    scopes: Vec<String>,
    words: Vec<String>,
    in_comment: bool,
}

impl Reader {
    fn line(&mut self, line: &str) -> Vec<(String, String)> {
        let (mut found, mut word, mut quoted) = (Vec::new(), String::new(), false);
        let line = line.trim_start();
        if !self.in_comment && line.starts_with('#') && !line.starts_with(CLEAR) {
            return found;
        }
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            let next = chars.peek().copied();
            match c {
                '*' if self.in_comment && next == Some('/') => {
                    chars.next();
                    self.in_comment = false;
                }
                _ if self.in_comment => {}
                '"' => quoted = !quoted,
                _ if quoted => word.push(c),
                '/' if next == Some('/') => break,
                '/' if next == Some('*') => self.in_comment = true,
                '{' | ';' | '}' => {
                    self.word(&mut word);
                    found.extend(self.end(c));
                }
                _ if c.is_whitespace() => self.word(&mut word),
                _ => word.push(c),
            }
        }
        self.word(&mut word);
        found
    }

    fn word(&mut self, word: &mut String) {
        if !word.is_empty() {
            self.words.push(std::mem::take(word));
        }
    }

    /// What ends a statement, opens a scope or closes one.
    fn end(&mut self, c: char) -> Option<(String, String)> {
        let words = std::mem::take(&mut self.words);
        match (c, words.as_slice()) {
            ('{', _) => self.scopes.push(words.join(" ")),
            ('}', _) => drop(self.scopes.pop()),
            (_, [word, key]) if word == CLEAR => return Some((key.to_lowercase(), String::new())),
            (_, [key, value]) => {
                let parts = self.scopes.iter().chain([key]).map(String::as_str);
                return Some((parts.collect::<Vec<_>>().join("::").to_lowercase(), value.clone()));
            }
            _ => {}
        }
        None
    }
}
