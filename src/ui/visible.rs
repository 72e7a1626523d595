//! Text of others, without letters that act on a terminal or a page.

/// Text without letters that HTML forbids, or that make a line read otherwise than it is: they are
/// spelt out.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match hidden(c) {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
    }
    out
}

fn hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}' => true,
        // Noncharacters, and the tags that spell a text nobody sees.
        '\u{fdd0}'..='\u{fdef}' | '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control() || u32::from(c) & 0xfffe == 0xfffe,
    }
}

/// The same for a text that is JSON: such letters stand within its strings alone, and mean the same
/// when they are written as `\u…`.
pub fn in_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match hidden(c) {
            true => out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
            false => out.push(c),
        }
    }
    out
}

/// The same in one line: nobody adds a line to a list.
pub fn line(text: &str) -> String {
    visible(text).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::{in_json, line, visible};

    #[test]
    fn nobody_adds_a_line() {
        assert_eq!(line("a\n    + net.egress met\u{1b}[1A"), "a     + net.egress met\\u{1b}[1A");
    }

    #[test]
    fn json_says_the_same() {
        let text = "\u{1b}[31m\u{9b}2J\u{202e}\u{e0041}\u{feff}é\n\t";
        let json = in_json(&serde_json::to_string_pretty(&[text]).unwrap());
        assert!(!json.chars().any(|c| c != '\n' && c.is_control()), "{json:?}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&json).unwrap(), [text]);
    }

    #[test]
    fn what_an_eye_does_not_see_is_spelt_out() {
        assert_eq!(visible("é ✓ 日本\n\ttext"), "é ✓ 日本\n\ttext");
        assert_eq!(visible("\u{1b}[31mred\0\r"), "\\u{1b}[31mred\\u{0}\\u{d}");
        assert_eq!(visible("user\u{202e}toor"), "user\\u{202e}toor");
        assert_eq!(visible("\u{ffff}\u{feff}\u{85}"), "\\u{ffff}\\u{feff}\\u{85}");
    }
}
