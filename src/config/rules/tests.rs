use super::*;

fn allow(text: &str) -> Result<Allow, String> {
    Allow::try_from(text.to_owned()).map_err(|fault| fault.to_string())
}

#[test]
fn words_are_read_as_the_host_reads_them() {
    for (rule, words) in [
        ("git log *", &["git", "log", "*"][..]),
        ("  rg  -n * ", &["rg", "-n", "*"]),
        ("grep 'a|b' *.txt", &["grep", "a|b", "*.txt"]),
        (r#"echo "a \"b\" [c] \$x" 'd*'"#, &["echo", "a \"b\" [[]c[]] $x", "d[*]"]),
        ("cat 'naïve.txt'", &["cat", "naïve.txt"]),
        ("python3.1? -V", &["python3.1?", "-V"]),
    ] {
        assert_eq!(allow(rule).map(|rule| rule.words), Ok(words.iter().map(ToString::to_string).collect()), "{rule}");
    }
}

#[test]
fn a_rule_that_can_never_match_is_refused() {
    for (rule, part) in [
        ("", "it is empty"),
        ("   ", "it is empty"),
        ("git 'log", "a quote is not closed"),
        ("git \"log", "a quote is not closed"),
        ("*", "`*` names no program"),
        ("** x", "names no program"),
        ("cat ../*", "`..`"),
        ("cat /srv/../*.log", "`..`"),
        ("ls | wc", "between commands"),
        ("ls && id", "between commands"),
        ("echo $HOME", "expands"),
        ("echo \"$HOME\"", "expands"),
        ("cat ~/x", "expands"),
        ("cat naïve.txt", "outside of quotes"),
        ("cat a\tb", "U+0009"),
        ("cat 'a\u{200b}b'", "U+200B"),
        ("cat a\\ b", "backslash"),
        ("cat x > y", "redirects"),
        ("FOO=1 ls", "not the name of a program"),
        ("env ls", "never taken for a program"),
        ("eval *", "never taken for a program"),
        ("-x", "not the name of a program"),
    ] {
        let why = allow(rule).expect_err(rule);
        assert!(why.contains("can never match") && why.contains(part), "{rule}: {why}");
    }
    for rule in ["bash *", "/usr/bin/bash *", "timeout *", "ssh ?", "cat [a"] {
        assert!(allow(rule).is_err(), "{rule}");
    }
    for rule in ["bash -c *", "timeout 5 ls", "ssh"] {
        assert!(allow(rule).is_ok(), "{rule}");
    }
    for rule in ["", "\n", "[z-a]*", "a\u{7}b", "*", "* ?"] {
        assert!(Deny::try_from(rule.to_owned()).is_err(), "{rule:?}");
    }
    for rule in ["sudo *", "it's*", "[!a]*", "[*", "rm -rf /*", "café*"] {
        assert!(Deny::try_from(rule.to_owned()).is_ok(), "{rule}");
    }
}

#[test]
fn a_deny_rule_beats_an_allow_rule_only_where_nothing_is_left_of_it() {
    let beaten = |rule: &str, deny: &str| allow(rule).unwrap().is_beaten_by(&Deny::try_from(deny.to_owned()).unwrap());
    for (rule, deny) in [
        ("sudo id", "sudo *"),
        ("/usr/bin/sudo id", "sudo *"),
        ("rm *", "rm *"),
        ("sudo", "sudo *"),
        ("cat /etc/shadow", "*/etc/shadow*"),
        ("cat /etc/shadow*", "*/etc/SHADOW*"),
        ("git status", "git [a-z]tatus"),
        ("ls '*'", "ls [*]"),
        ("cat a?c", "cat ???"),
        ("git  log *", "git *"),
        ("cat 'a b'", "cat a b"),
    ] {
        assert!(beaten(rule, deny), "{rule} / {deny}");
    }
    // In time, however many stars there are.
    let (long, stars) = ("a".repeat(400), "*a".repeat(40));
    assert!(!beaten(&format!("cat {long}"), &format!("{stars}*b")) && beaten(&format!("cat {long}"), &stars));
    for (rule, deny) in [
        ("cat *", "*/etc/shadow*"),
        ("sudoedit x", "sudo *"),
        ("git *", "git push *"),
        ("cat a?c", "cat abc"),
        ("ls *", "ls ?"),
        ("cat [ab]", "cat [ac]"),
    ] {
        assert!(!beaten(rule, deny), "{rule} / {deny}");
    }
}
