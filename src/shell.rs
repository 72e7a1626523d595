//! Scripts: the only quoting and the only framing between Petasos and a host.
//!
//! A script is a list of named steps. It travels on the standard input of one `sh -s` and answers
//! with one frame a step: `@name rc outlen errlen hintlen`, a newline, that many bytes of standard
//! output, of standard error and of what is to be done about a failure. The last line is `@end N`.
//! Lengths make the answer binary-safe, so that no content can pass for a frame; a missing end
//! makes a cut-off answer an error. The whole script is one function, called on its last line: a
//! shell that got only half of it runs nothing.

mod frame;

pub use frame::{Asked, Frame, FrameError, Reader};

use std::time::Duration;

/// Words as the shell must see them: single quotes around, and each inner single quote taken out of
/// them.
pub fn quote(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        return arg.to_owned();
    }
    format!("'{}'", arg.replace('\'', r"'\''"))
}

fn quoted(args: &[String]) -> String {
    args.iter().map(|arg| quote(arg)).collect::<Vec<_>>().join(" ")
}

/// What happens after a step that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Go on: every step is asked for what it knows, all at the same time.
    GoOn,
    /// Stop: later steps build on earlier ones.
    Stop,
}

/// A file that a step puts in place: written beside its target, checked, then renamed over it.
#[derive(Debug, Clone, Copy)]
pub struct PutArgs<'a> {
    pub path: &'a str,
    pub owner: &'a str,
    pub group: &'a str,
    pub mode: &'a str,
    pub content: &'a str,
    /// A command that must accept the new file first; the word `{}` stands for it.
    pub check: &'a [String],
}

/// What a run shows at the host's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunId {
    /// One word, unlike any other run's.
    pub id: String,
    /// Who and where, for people.
    pub owner: String,
}

/// A script in the making.
#[derive(Debug, Clone)]
pub struct Script {
    on_failure: Failure,
    /// For the lock on the host; none for a script that only looks.
    run_id: Option<RunId>,
    steps: Vec<(String, String)>,
    /// Whether it carries a text that may be secret.
    fed: bool,
    patience: Duration,
}

/// What a step may take that says nothing else, and what all of a script's answers may have, in
/// bytes: the facts of a host are a few hundred KiB, with what its files say some five MiB; what is
/// read takes some five times as much memory.
const PATIENCE: Duration = Duration::from_secs(120);
const ROOM: usize = 8 << 20;
/// The lock's frame comes before those of the steps.
const LOCK: &str = "lock";

impl Script {
    /// A script that only looks: the steps run side by side, and each runs whatever the others
    /// said.
    pub fn observing() -> Self {
        Self::new(Failure::GoOn, None)
    }

    /// A script that changes the host: it holds the host's lock for a run, and stops at the first
    /// step that fails. Its first frame is named `lock`: status 75 and the holder on standard error
    /// where another run has it, else on standard output a dead run's holder, if any.
    pub fn applying(run_id: &RunId) -> Self {
        Self::new(Failure::Stop, Some(run_id.clone()))
    }

    fn new(on_failure: Failure, run_id: Option<RunId>) -> Self {
        Self { on_failure, run_id, steps: Vec::new(), fed: false, patience: PATIENCE }
    }

    /// Allows it this much more time, for a step that takes long.
    pub fn allow(&mut self, more: Duration) {
        self.patience += more;
    }

    /// How long its answer may take, from the first byte sent to the last one received.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// What it may answer.
    pub fn asked(&self) -> Asked {
        let lock = self.run_id.iter().map(|_| LOCK.to_owned());
        let names = lock.chain(self.steps.iter().map(|(name, _)| name.clone())).collect();
        Asked { names, all: self.on_failure == Failure::GoOn, room: ROOM }
    }

    /// Begins a step. Names are single words, and `end` is that of the answer's last line; a step's
    /// lines run in one subshell.
    pub fn step(&mut self, name: &str) {
        debug_assert!(name != "end", "a frame of that name would end the answer");
        debug_assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_graphic()), "a frame's name is one word");
        self.steps.push((name.to_owned(), String::new()));
    }

    pub fn len(&self) -> usize {
        self.steps.len()
    }

    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    fn line(&mut self, line: &str) {
        if let Some((_, body)) = self.steps.last_mut() {
            body.push_str(line);
            body.push('\n');
        }
    }

    /// A command, with what it reads on standard input; that never becomes an argument of any
    /// process (`printf` is the shell's own).
    pub fn run(&mut self, argv: &[String], stdin: Option<&str>) {
        self.fed |= stdin.is_some();
        let line = match stdin {
            Some(text) => format!("printf %s {} | {}", quote(text), quoted(argv)),
            None => quoted(argv),
        };
        self.line(&line);
    }

    /// A fixed text of shell with its arguments as `$1`, `$2`, …
    pub fn sh(&mut self, text: &'static str, args: &[String], stdin: Option<&str>) {
        self.fed |= stdin.is_some();
        self.line("body() {");
        self.line(text.trim_end());
        self.line("}");
        let call = format!("body {}", quoted(args));
        match stdin {
            Some(text) => self.line(&format!("printf %s {} | {call}", quote(text))),
            None => self.line(call.trim_end()),
        }
    }

    pub fn put(&mut self, put: &PutArgs<'_>) {
        self.fed = true;
        let args = [put.path, put.owner, put.group, put.mode].map(quote).join(" ");
        let check = quoted(put.check);
        let line = format!("printf %s {} | put {args} {check}", quote(put.content));
        self.line(line.trim_end());
    }

    pub fn remove(&mut self, path: &str) {
        self.line(&format!("rm -rf -- {}", quote(path)));
    }

    /// The whole script as one command line, which saves the round trip after which sshd takes
    /// standard input; none for a script that could hold a secret (every user of the host may read
    /// a command line) or is too long for one. `shell` reads the script.
    ///
    /// The word is in the form of printf's `%b`, without any character that bash, dash, zsh, fish
    /// or csh would treat in its own way.
    pub fn line_for(&self, shell: &str, nonce: &str) -> Option<String> {
        if self.fed || self.run_id.is_some() {
            return None;
        }
        let mut escaped = String::new();
        for c in self.text(nonce).chars() {
            match c {
                '\n' => escaped.push_str("\\n"),
                '\\' | '\'' | '!' => escaped.push_str(&format!("\\0{:03o}", u32::from(c))),
                other => escaped.push(other),
            }
        }
        (escaped.len() < LONGEST_WORD).then(|| format!("printf %b '{escaped}' | {shell}"))
    }

    /// The text for `sh -s`. `nonce` opens the answer, so that nothing printed before it (a login
    /// banner) is taken for a frame.
    pub fn text(&self, nonce: &str) -> String {
        let mut text = String::from(PRELUDE);
        text.push_str("petasos() {\n");
        // What the login shell printed before may end without a newline.
        text.push_str(&format!("printf '\\n@petasos %s\\n' {}\n", quote(nonce)));
        let first = usize::from(self.run_id.is_some());
        if let Some(RunId { id: run, owner }) = &self.run_id {
            text.push_str(&format!("lock {} {} || return 0\n", quote(run), quote(owner)));
        }
        for (index, (name, body)) in self.steps.iter().enumerate() {
            let body = if body.is_empty() { ":\n" } else { body };
            text.push_str(&format!("step{index}() {{\n{body}}}\n"));
            match self.on_failure {
                Failure::GoOn => text.push_str(&format!("ask {} step{index} -u\n", quote(name))),
                Failure::Stop => {
                    text.push_str(&format!("frame {} step{index} -eu\n", quote(name)));
                    text.push_str(&format!("[ $rc = 0 ] || {{ echo '@end {}'; return 0; }}\n", first + index + 1));
                }
            }
        }
        if self.on_failure == Failure::GoOn && !self.is_empty() {
            text.push_str("answers || return 0\n");
        }
        text.push_str(&format!("echo '@end {}'\n}}\npetasos\nexit 0\n", first + self.steps.len()));
        text
    }
}

/// Linux takes 128 KiB for one argument.
const LONGEST_WORD: usize = 96 * 1024;

/// The functions that every script starts with.
const PRELUDE: &str = concat!(include_str!("../remote/prelude.sh"), include_str!("../remote/lock/record.sh"));

#[cfg(test)]
mod tests;
