//! What `petasos verify` found, as one page that needs nothing else: for a security team's mailbox, its printer and its archive.
//!
//! What hosts say is hostile text. Tera escapes each value, no template says `safe`, [`visible`] shows what an eye would not see,
//! and the page's own policy forbids it to run or fetch anything.

mod view;
mod words;

use crate::prove::report::Report;
use serde_json::Value;
use tera::{Context, Tera};

/// Part of the program, so that a report looks the same wherever it was made; `.html` is what Tera escapes by itself.
const TEMPLATE: (&str, &str) = ("verify.html", include_str!("../../templates/report/verify.html.tera"));

/// The page.
///
/// # Errors
/// When the template does not fit the types, which the tests would have seen.
pub fn page(report: &Report) -> Result<String, String> {
    let mut tera = Tera::default();
    tera.add_raw_templates([TEMPLATE]).map_err(|why| why.to_string())?;
    let mut value = serde_json::to_value(view::page(report)).map_err(|why| why.to_string())?;
    in_each_text(&mut value);
    let context = Context::from_serialize(&value).map_err(|why| why.to_string())?;
    tera.render(TEMPLATE.0, &context).map_err(|why| why.to_string())
}

fn in_each_text(value: &mut Value) {
    match value {
        Value::String(text) => *text = visible(text),
        Value::Array(values) => values.iter_mut().for_each(in_each_text),
        Value::Object(values) => values.values_mut().for_each(in_each_text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Text without letters that HTML forbids, or that make a line read otherwise than it is: they are spelt out.
fn visible(text: &str) -> String {
    let hidden = |c: char| match c {
        '\n' | '\t' => false,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}' => true,
        // Noncharacters, and the tags that spell a text nobody sees.
        '\u{fdd0}'..='\u{fdef}' | '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control() || u32::from(c) & 0xfffe == 0xfffe,
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match hidden(c) {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn what_an_eye_does_not_see_is_spelt_out() {
        assert_eq!(visible("é ✓ 日本\n\ttext"), "é ✓ 日本\n\ttext");
        assert_eq!(visible("\u{1b}[31mred\0\r"), "\\u{1b}[31mred\\u{0}\\u{d}");
        assert_eq!(visible("user\u{202e}toor"), "user\\u{202e}toor");
        assert_eq!(visible("\u{ffff}\u{feff}\u{85}"), "\\u{ffff}\\u{feff}\\u{85}");
    }
}
