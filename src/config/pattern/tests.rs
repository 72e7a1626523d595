use super::*;

fn read(text: &str) -> Result<String, String> {
    Pattern::try_from(text.to_owned()).map(|pattern| pattern.python).map_err(|fault| fault.to_string())
}

#[test]
fn a_pattern_is_written_anew_for_python() {
    for (written, python) in [
        ("AKIA[0-9A-Z]{16}", "AKIA[0-9A-Z]{16}"),
        (r"tok_\w+", r"tok\x5f[0-9A-Z\x5fa-z]+"),
        (r"(?i)ab\.c", r"[Aa][Bb]\x2e[Cc]"),
        (r"(?x) a b # comment", "ab"),
        (r"(?P<name>a|bc)d", "(?:a|bc)d"),
        (r"\bcorp-\d{4}\b", r"(?a:\b)corp\x2d[0-9]{4}(?a:\b)"),
        (r"^x{2,5}?y$", r"\Ax{2,5}?y\Z"),
        (r"(?m)^k=.+", r"(?m:^)k\x3d[^\x0a]+"),
        (r"[[:alpha:]&&[^x]]{3}", "[A-Za-wyz]{3}"),
        ("(?s)key.{3}", r"key[\x00-\U0010ffff]{3}"),
        ("Straße", r"Stra\u00dfe"),
        (r"[^']{3}\z", r"[^\x27]{3}\Z"),
    ] {
        assert_eq!(read(written).as_deref(), Ok(python), "{written}");
    }
}

#[test]
fn what_may_search_for_hours_is_refused() {
    for bad in [
        "(a+)+$",
        "(a|a)*b",
        "(a|aa)+$",
        r"\w+\s*\w+",
        ".*.*x",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        r"\w{1,512}\s{0,512}\w{1,512}",
        "a{1,5000}b",
        "(a{1,16}){1,16}b",
        "(a|ab|b){1,30}c",
        "((((((a{60}){60}){60}){60}){60}){60}){60}",
        "(ab)+",
        "x*y",
    ] {
        assert!(
            read(bad).is_err_and(|why| why.contains("without end") || why.contains("attempts")),
            "{bad}: {:?}",
            read(bad)
        );
    }
    for good in [
        r"(\d{1,3}\.){3}\d{1,3}",
        r"[a-z]{1,64}@corp\.example",
        r#""token": "[^"]{1,100}""#,
        r"\w{1,60}\s{0,4}=\s{0,4}\S+",
        "-----BEGIN [A-Z ]{1,40}-----",
        "ghp_[A-Za-z0-9]{36,}",
        "(?:foo|bar)-[0-9]{1,9}x",
    ] {
        assert!(read(good).is_ok(), "{good}: {:?}", read(good));
    }
}

#[test]
fn what_is_no_pattern_for_python_is_refused() {
    for (bad, part) in [
        ("", "empty text"),
        ("a*", "empty text"),
        (r"\b", "empty text"),
        ("(?=a)b", "look-around"),
        (r"(a)\1", "backreferences"),
        ("(a", "cannot be read"),
        (r"\pL", "cannot be read"),
        ("[é]", "cannot be read"),
        (r"[\x80-\x90]", "not ASCII"),
        (r"\xff", "no text"),
        (r"\b{start}ab", "boundary"),
    ] {
        assert!(read(bad).is_err_and(|why| why.contains(part)), "{bad}: {:?}", read(bad));
    }
    assert!(read(&"a".repeat(600)).is_err_and(|why| why.contains("512 bytes")));
}
