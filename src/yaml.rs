//! Reading YAML: errors with file, line, caret, and what was probably meant.

use crate::fault::Fault;
use serde::de::DeserializeOwned;

/// # Errors
/// What is wrong, where, with the lines around it.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Fault> {
    // A file may have any number of comments; by default the parser keeps them, and gives up at a
    // hundred.
    let options = serde_yaml::options! { emit_comments: false };
    serde_yaml::from_str_with_options(text, options).map_err(|error| explain(file, &error.to_string()))
}

fn explain(file: &str, message: &str) -> Fault {
    let message = message.strip_prefix("error: ").unwrap_or(message).replace("<input>", file);
    let (first, rest) = message.split_once('\n').unwrap_or((&message, ""));
    let what = first.split_once(": ").filter(|(place, _)| place.starts_with("line ")).map_or(first, |(_, what)| what);
    let fault = Fault::new(format!("{what}\n{}", rest.trim_end()));
    match meant(what) {
        Some(name) => fault.hint(format!("did you mean `{name}`?")),
        None => fault,
    }
}

/// The known word nearest to the unknown one, if it is near enough.
fn meant(what: &str) -> Option<&str> {
    let unknown = what.strip_prefix("unknown field `").or_else(|| what.strip_prefix("unknown variant `"))?;
    let (unknown, rest) = unknown.split_once('`')?;
    let known = rest.split_once("expected ")?.1;
    let known = known.trim_start_matches("one of ").split([',', ' ']).map(|name| name.trim_matches('`'));
    nearest(unknown, known.filter(|name| !name.is_empty() && *name != "or"))
}

/// The word of `known` nearest to `word`, if it is near enough to have been meant.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|candidate| (strsim::jaro_winkler(name, candidate), candidate));
    near.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}
