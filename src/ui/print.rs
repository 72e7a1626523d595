//! The only place that prints: reports to standard output, talk to standard error.
//!
//! Any text may contain output of hosts. Letters that act on a terminal are spelt out on the way.

use super::bars::aside;
use super::visible::{in_json, visible};
use crate::fault::Fault;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// A report, or a part of one.
///
/// # Errors
/// When it cannot be written; that nobody reads on (`petasos history | head`) is no error.
pub fn out(text: &str) -> io::Result<()> {
    raw(&visible(text))
}

/// Text of our own making that must stay as it is, to the letter.
///
/// # Errors
/// As for [`out`].
pub fn raw(text: &str) -> io::Result<()> {
    unless_closed(write(&mut io::stdout().lock(), text))
}

/// A report for programs.
///
/// # Errors
/// As for [`out`].
pub fn json(value: &impl Serialize) -> io::Result<()> {
    raw(&format!("{}\n", in_json(&serde_json::to_string_pretty(value)?)))
}

/// The same in one line.
///
/// # Errors
/// As for [`out`].
pub fn json_line(value: &impl Serialize) -> io::Result<()> {
    raw(&format!("{}\n", in_json(&serde_json::to_string(value)?)))
}

/// A line of talk.
pub fn note(text: &str) {
    say(&format!("{text}\n"));
}

pub fn warning(text: &str) {
    say(&format!("warning: {text}\n"));
}

pub fn error(fault: &Fault) {
    say(&format!("error: {fault}\n"));
}

/// Asks at the terminal for a secret that is not shown; none where there is no terminal.
pub fn secret(question: &str) -> Option<String> {
    let terminal = console::Term::stderr();
    if !terminal.is_term() || !io::stdin().is_terminal() {
        return None;
    }
    aside(|| {
        let _ = write(&mut io::stderr().lock(), &visible(question));
        terminal.read_secure_line().ok()
    })
}

fn say(text: &str) {
    // Where nobody reads it, nothing is left to do.
    let _ = aside(|| write(&mut io::stderr().lock(), &visible(text)));
}

fn write(to: &mut impl Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    to.flush()
}

/// That nobody reads on is no error.
///
/// # Errors
/// Any other one.
pub fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_who_left_is_no_error_and_a_full_disk_is() {
        assert!(unless_closed(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        assert!(unless_closed(Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
