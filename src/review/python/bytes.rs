//! Bytes that Python reads otherwise than a reader, or a parser of UTF-8, does.

/// Each is a reason not to trust what the parser sees.
pub fn troubles(text: &[u8]) -> Vec<String> {
    let mut troubles = Vec::new();
    let mut trouble = |found: bool, what: &str| {
        if found {
            troubles.push(what.to_owned());
        }
    };
    trouble(std::str::from_utf8(text).is_err(), "it is not UTF-8");
    trouble(text.contains(&0), "it has a NUL byte");
    // For Python a lone carriage return ends a line, so also a comment.
    let lone = text.windows(2).any(|pair| matches!(pair, [b'\r', after] if *after != b'\n'));
    trouble(lone || text.last() == Some(&b'\r'), "it has a carriage return within a line");
    trouble(text.contains(&0x0c), "it has a form feed, which hides indentation");
    trouble(text.split(|byte| *byte == b'\n').take(2).any(declares_encoding), "it declares an encoding of its own");
    troubles
}

/// PEP 263: a comment in the first two lines with `coding:` or `coding=`, other than UTF-8.
fn declares_encoding(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line).to_ascii_lowercase();
    let Some(comment) = line.trim_start().strip_prefix('#') else { return false };
    let named = ["coding:", "coding="].iter().find_map(|mark| Some(comment.split_once(mark)?.1.trim_start()));
    named.is_some_and(|name| !name.starts_with("utf-8") && !name.starts_with("utf8"))
}

#[cfg(test)]
mod tests {
    use super::troubles;

    #[test]
    fn bytes_that_hide_code_are_named() {
        for (hidden, what) in [
            (&b"# x\rimport os\n"[..], "carriage return"),
            (b"#!/usr/bin/python\n# -*- coding: utf-7 -*-\n", "encoding"),
            (b"x = '\xff'\n", "UTF-8"),
            (b"x = 1\0\n", "NUL"),
            (b"if x:\n\x0c  y()\n", "form feed"),
        ] {
            assert!(troubles(hidden).iter().any(|trouble| trouble.contains(what)), "{what}");
        }
        assert_eq!(troubles(b"# -*- coding: utf-8 -*-\r\nx = 'encoding: latin-1'\n"), [""; 0]);
    }
}
