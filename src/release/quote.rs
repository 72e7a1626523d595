//! Values in the agent's YAML. The agent ignores a whole file with one unreadable character in it,
//! and with it all policy, so what JSON lets through and YAML does not is escaped as well.

/// JSON (as `serde_json` writes it) made into a YAML flow value of plain ASCII.
pub fn yaml(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        match u32::from(letter) {
            0x20..=0x7e => out.push(letter),
            // Only inside of a string: JSON's own syntax is ASCII.
            code @ ..=0xffff => out.push_str(&format!("\\u{code:04x}")),
            code => out.push_str(&format!("\\U{code:08x}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_comes_back_from_yaml() {
        for letter in (0..=0x2fff).chain(0xd000..=0x10_ffff).filter_map(char::from_u32) {
            // A whole sweep would take a minute; the planes above the second are alike.
            if u32::from(letter) > 0x1_ffff && u32::from(letter) % 4099 != 0 {
                continue;
            }
            let text = format!("a{letter}: [");
            let written = yaml(&serde_json::to_string(&text).unwrap());
            assert!(written.bytes().all(|b| (0x20..0x7f).contains(&b)), "{letter:?}");
            assert_eq!(serde_yaml::from_str::<String>(&written).unwrap(), text, "{letter:?}");
        }
    }
}
