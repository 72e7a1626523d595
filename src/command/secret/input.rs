//! Names and values as users give them. Nothing of what may be a value is ever shown.

use crate::act::Text;
use crate::fault::Fault;
use crate::name::EnvName;
use crate::release::environment;
use crate::ui;
use anyhow::{Result, bail};
use std::collections::BTreeMap;
use std::io::{IsTerminal, Read};
use std::path::Path;

/// No secret is longer, and nobody means to store a disk.
const MOST: u64 = 64 * 1024;

/// The name of a secret; what comes behind it is none's business.
///
/// # Errors
/// When it is none, or a value was given with it.
pub fn name(given: &str, value: &[String]) -> Result<EnvName> {
    if !value.is_empty() || given.contains('=') {
        let seen =
            Fault::new("`secret set` takes a name and no value: process lists and the shell's history would show it");
        bail!(seen.hint("`petasos secret set NAME` asks for it, or reads it from standard input: `… set NAME < FILE`"));
    }
    // It may be the value, by mistake.
    let wrong = || {
        Fault::new("that is not the name of an environment variable (capitals, digits and `_`)")
            .hint("write the name alone, such as `OPENROUTER_API_KEY`")
    };
    Ok(EnvName::new(given).map_err(|_| wrong())?)
}

/// A value, from the terminal or from standard input.
///
/// # Errors
/// When there is none, or it is no text.
pub fn value(name: &EnvName) -> Result<String> {
    if std::io::stdin().is_terminal() {
        let typed = ui::secret(&format!("value of {name}, which is not shown: "));
        return typed.ok_or_else(|| {
            Fault::new("there is no terminal to ask at").hint("`petasos secret set NAME < FILE`").into()
        });
    }
    let mut text = text("standard input", std::io::stdin().lock())?;
    // The line break that `echo` and editors put behind it.
    for end in ["\n", "\r"] {
        if let Some(shorter) = text.strip_suffix(end) {
            text.truncate(shorter.len());
        }
    }
    Ok(text)
}

fn text(what: &str, from: impl Read) -> Result<String> {
    let mut bytes = Vec::new();
    from.take(MOST + 1).read_to_end(&mut bytes).map_err(|error| Fault::new(format!("cannot read {what}: {error}")))?;
    if bytes.len() as u64 > MOST {
        bail!(Fault::new(format!("{what} has more than {MOST} bytes, which no secret has")));
    }
    let no_text = || Fault::new(format!("{what} is no text in UTF-8")).hint("encode it, such as by `base64 -w0`");
    Ok(String::from_utf8(bytes).map_err(|_| no_text())?)
}

/// The pairs of a file of `NAME=value` lines; `-` is standard input.
///
/// # Errors
/// When a line is no such pair, or a name stands there twice.
pub fn pairs(file: &Path) -> Result<BTreeMap<EnvName, Text>> {
    let shown = if file == Path::new("-") { "standard input".to_owned() } else { format!("`{}`", file.display()) };
    let text = if file == Path::new("-") {
        text(&shown, std::io::stdin().lock())?
    } else {
        let opened = std::fs::File::open(file);
        text(&shown, opened.map_err(|error| Fault::new(format!("cannot read {shown}: {error}")))?)?
    };
    let mut pairs = BTreeMap::new();
    for (line, pair) in environment::pairs(&text) {
        let wrong = |why: &str| Fault::new(format!("line {line} of {shown} {why}"));
        let (name, value) = pair.ok_or_else(|| wrong("is no `NAME=value`"))?;
        let name = EnvName::new(name).map_err(|_| wrong("has no name of capitals, digits and `_` before its `=`"))?;
        environment::line(name.as_str(), &value)
            .map_err(|why| why.fault().at(format_args!("line {line} of {shown}")))?;
        if pairs.insert(name.clone(), Text::secret(value)).is_some() {
            bail!(wrong(&format!("has `{name}` a second time")).hint("leave one of them"));
        }
    }
    if pairs.is_empty() {
        bail!(Fault::new(format!("{shown} has no `NAME=value` line")));
    }
    Ok(pairs)
}
