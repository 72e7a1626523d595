//! What people mistype in petasos.yaml: one error each, in their words and not in a library's, with
//! file, line, caret and what to write instead.

use petasos::config::Config;

/// Words of the libraries that read YAML and values.
const FOREIGN: [&str; 19] = [
    "DuplicateKeyPolicy",
    "Options",
    "scalar",
    "untagged",
    "variant",
    "unknown field",
    "missing field",
    "invalid type",
    "invalid value",
    "u16",
    "u32",
    "u64",
    "struct ",
    "serde",
    "token",
    "EOF",
    "sequence",
    "from_str",
    "context",
];

/// The text of a file, what stands at the caret, and words of the error and of its hint.
const TYPOS: &[(&str, &str, &[&str])] = &[
    ("agnet: {}\n", "agnet", &["unknown key `agnet`", "did you mean `agent`?"]),
    ("agent: {}\nagent: {}\n", "agent: {}\n$", &["the key `agent` is here twice", "keep one"]),
    ("agent:\n  model: a\n  model: b\n", "model: b", &["the key `model` is here twice"]),
    ("hosts:\n\tweb: {}\n", "web", &["a tab stands where YAML has spaces", "indent with spaces"]),
    ("hosts\n  web: x\n", "hosts", &["a mapping of keys is expected here", "write `key: value`"]),
    ("hosts: [web]\n", "[web]", &["a mapping of keys is expected here"]),
    ("hosts:\n  web: root@192.0.2.7\n", "root@", &["a mapping of keys is expected here"]),
    ("hosts:\n  web: {}\n", "{}", &["the key `address` is missing here", "write `address: …`"]),
    ("hosts:\n  web: { adress: root@192.0.2.7 }\n", "adress", &["unknown key `adress`", "did you mean `address`?"]),
    ("hosts:\n  web: { address: root@192.0.2.7:99999 }\n", "root@", &["is not a host: the port is not valid"]),
    ("hosts:\n  web: { address: \"root@ 192.0.2.7\" }\n", "\"root@", &["is not a host", "write `root@"]),
    ("admin: { user: root }\n", "root", &["`root` cannot be the administrator", "name another user"]),
    ("admin: { user: hermes }\n", "hermes", &["`hermes` cannot be the administrator"]),
    ("admin: { user: petasos-sandbox }\n", "petasos-sandbox", &["cannot be the administrator"]),
    ("admin: { user: Ops }\n", "Ops", &["`Ops` is not a user or group name"]),
    ("admin: { authorized_keys: key.pub }\n", "key.pub", &["a list is expected here", "write `[one, two]`"]),
    ("admin: { authorised_keys: [] }\n", "authorised_keys", &["did you mean `authorized_keys`?"]),
    ("network: { ssh_port: ssh }\n", "ssh }", &["a number from 1 to 65535", "digits alone"]),
    ("network: { ssh_port: 0 }\n", "ssh_port", &["a number from 1 to 65535"]),
    ("network: { ssh_port: 70000 }\n", "70000", &["a number from 1 to 65535"]),
    ("network: { ssh_port: -1 }\n", "-1", &["a number from 1 to 65535"]),
    (
        "network: { egress: { mode: name } }\n",
        "name }",
        &["unknown value `name`", "did you mean `names`?", "ports, open"],
    ),
    ("network: { egress: { enforce: maybe } }\n", "maybe", &["a boolean is expected here", "`true` or `false`"]),
    ("network: { egress: { allow: [\"https://x.example.com\"] } }\n", "\"https", &["give the host name only"]),
    ("network: { ingress: [80/tcp] }\n", "ingress", &["unknown key `ingress`", "did you mean `inbound`?"]),
    ("hosts: { web: { address: root@198.51.100 } }\n", "root@", &["an IPv4 address has four numbers"]),
    ("hosts: { web: { address: root@[2001:db8::7]:22 } }\n", "root@", &["is empty", "needs quotes"]),
    ("agent:provider: x\n", "agent:provider", &["write `key: value`, with a space"]),
    ("agent:\n  provider:openrouter\n", "provider:openrouter", &["a mapping of keys", "a space after each `:`"]),
    ("agent: { limits: { tasks: .nan } }\n", ".nan", &["whole number", "digits alone"]),
    ("network: { egress: { mode: } }\n", ": } }", &["nothing is written here", "names, ports, open"]),
    ("network: { egress: { allow: x.example.com } }\n", "x.example.com", &["a list is expected here"]),
    ("network: { egress: { allow: [*.example.com] } }\n", "*.example", &["no `&` above for this `*`", "in quotes"]),
    ("network: { inbound: [443] }\n", "443", &["not a port with its protocol", "`443/tcp`"]),
    ("network: { inbound: [443/sctp] }\n", "443/sctp", &["not a port with its protocol"]),
    ("network: { egres: {} }\n", "egres", &["did you mean `egress`?"]),
    ("agent: { limits: { memory: lots } }\n", "lots", &["`lots` is no amount of memory", "`512M`"]),
    ("agent: { limits: { memory: 2GB } }\n", "2GB", &["`2GB` is no amount of memory"]),
    ("agent: { limits: { memory: 0% } }\n", "0%", &["`0%` is no amount of memory"]),
    ("agent: { limits: { cpu: 2 } }\n", "2 }", &["`2` is no share of a processor", "`200%`"]),
    ("agent: { limits: { tasks: -5 } }\n", "-5", &["a whole number from 0 to 4294967295 is expected here"]),
    ("agent: { limits: { tasks: 1.5 } }\n", "1.5", &["a whole number from 0 to 4294967295 is expected here"]),
    ("agent: { limits: { disk: [1] } }\n", "disk", &["`off` or a value is expected here, not a list", "write `off`"]),
    ("agent: { provider: [a] }\n", "[a]", &["a single value is expected here"]),
    ("agent: { model: { name: a } }\n", "{ name", &["a single value is expected here"]),
    ("agent: { platforms: { telegramm: {} } }\n", "telegramm", &["did you mean `telegram`?"]),
    ("agent: { platforms: [telegram] }\n", "[telegram]", &["a mapping of keys is expected here"]),
    ("agent: { platforms: { telegram: { allowed_users: 4242 } } }\n", "4242", &["a list is expected here"]),
    ("agent: { platforms: { telegram: { allowed_users: [1.5] } } }\n", "1.5", &["a user's number or name"]),
    ("agent: { approvals: { mode: alow } }\n", "alow", &["unknown value `alow`", "did you mean `allowlist`?"]),
    ("agent: { sandbox: yes please }\n", "sandbox", &["`off` or a mapping of its keys is expected here"]),
    ("agent: { release: v0.19 }\n", "release", &["unknown key `release`", "the keys here are provider, model"]),
    ("backup: { vault: box }\n", "box", &["petasos.yaml has no host `box`", "give a host of its own `role: vault`"]),
    (
        "backup: { vault: web }\nhosts: { web: { address: root@192.0.2.7 } }\n",
        "web }",
        &["the host `web` is no vault", "role: vault"],
    ),
    ("backup: {}\n", "{}", &["the backup goes nowhere", "`vault: NAME`", "`repository: ssh://…`"]),
    ("backup: box\n", "backup", &["a mapping of keys is expected here", "`{ key: value }`"]),
    (
        "backup: { vault: box, repository: \"s3:https://example.com/abc\" }\n",
        "\"s3:",
        &["backups go to one place", "remove one of them"],
    ),
    (
        "backup: { repository: /srv/backups }\n",
        "/srv",
        &["`/srv/backups` is no place that backups can go to", "ssh://USER@HOST:23/PATH"],
    ),
    ("backup: { repository: \"https://example.com/x\" }\n", "\"https", &["is no place that backups can go to"]),
    (
        "backup: { repository: \"ssh://u@box.example.com:23/x\" }\n",
        "\"ssh:",
        &["nobody knows the host key of `box.example.com`", "ssh-keyscan -t ed25519 -p 23 box.example.com"],
    ),
    ("backup: { repository: \"ssh://u@192.0.2.9/x\", host_key: SHA256:abc }\n", "SHA256", &["an ed25519 public key"]),
    (
        "backup: { repository: \"s3:https://example.com/abc\", limit: 5G }\n",
        "5G",
        &["`limit` is of a vault", "the provider decides"],
    ),
    (
        "backup: { repository: \"s3:https://example.com/abc\", keep: { daily: 0, weekly: 0, monthly: 0 } }\n",
        "{ daily",
        &["nothing would be kept"],
    ),
    (
        "backup: { repository: \"s3:https://example.com/abc\", at: 3am }\n",
        "3am",
        &["`3am` is no time of day", "`\"03:00\"`"],
    ),
    ("backup: { repository: \"s3:https://example.com/abc\", alarm: {} }\n", "{}", &["the alarm tells nobody"]),
    (
        "agent: { secrets: [AWS_SECRET_ACCESS_KEY] }\nbackup: { repository: \"s3:https://example.com/abc\" }\n",
        "[AWS",
        &["the agent would have `AWS_SECRET_ACCESS_KEY`", "take it out of `agent.secrets`"],
    ),
    ("backup: { repo: x }\n", "repo", &["unknown key `repo`", "the keys here are"]),
    ("guard: { confirm_timeout: soon }\n", "soon", &["a whole number from 0 to 4294967295 is expected here"]),
    ("guard: { confirm_timeout: 5 }\n", "5 }", &["write a number from 10 to 3600"]),
    ("ssh: { algorithms: strickt }\n", "strickt", &["did you mean `strict`?"]),
    ("- hosts\n", "- hosts", &["a mapping of keys is expected here"]),
    ("hosts: { web: { address: root@192.0.2.7 }\n", "{ web", &["this `{` is not closed"]),
    ("agent: { approvals: { deny: [a, b }\n", "[a", &["this `[` is closed by `}`"]),
    ("agent: { model: \"a }\n", "\"a", &["this quote is not closed"]),
    ("agent:\n  model: a: b\n", ": b", &["a `: ` stands where no key can begin", "in quotes"]),
    ("agent:\n   model: a\n  provider: b\n", "provider", &["indent"]),
    ("agent:\n  model a\n  provider: b\n", "model a", &["write `key: value`"]),
    ("agent: {}\n---\nguard: {}\n", "guard", &["a second document begins here", "remove the line `---`"]),
    ("agent: { model: %a }\n", "%a", &["in quotes"]),
    ("agent: { model: @a }\n", "@a", &["in quotes"]),
    ("agent:\n  model: \"a\\q\"\n", "\"a", &["double a `\\`"]),
    ("agent:\n  model: 'a' b\n", "b", &["there is more behind the closing quote"]),
    ("agent: { model: \"\" }\n", "\"\"", &["`` is no name", "remove the key"]),
    ("agent: {model:a}\n", "model:a", &["unknown key `model:a`", "with a space after the `:`"]),
    ("agent: { provider = a }\n", "provider", &["unknown key `provider = a`", "write `key: value`"]),
    ("agent: { model: a,, }\n", ", }", &["something is missing here", "between two commas"]),
    ("agent: { model: a } }\n", "}\n$", &["this bracket closes nothing"]),
    ("agent: { model: a }\n%YAML 9\n", "%YAML", &["no line begins with a `%`"]),
    ("agent: { model: &, }\n", "&", &["a name is missing behind this `&`"]),
    ("agent:\n  model: > a\n", "> a", &["behind `|` or `>` nothing else"]),
    ("agent: { <<: 5 }\n", "5", &["`<<` takes a mapping"]),
    ("network: { egress: { mode: [names] } }\n", "[names]", &["a single word is expected here"]),
    ("agent: { limits: { memory: 2 } }\n", "2 }", &["`2` is no amount of memory", "`512M`"]),
    ("agent: { limits: { tasks: 0 } }\n", "tasks", &["a whole number from 1 on"]),
    ("agent: { sandbox: { processes: 0 } }\n", "processes", &["a whole number from 1 on"]),
    ("agent: { sandbox: { timeout: 0 } }\n", "0 }", &["a time of zero leaves none", "`90s`"]),
    ("agent: { sandbox: { timeout: [3] } }\n", "[3]", &["a number is expected here", "`90s`"]),
    ("agent: { redact: { replacement: \"\" } }\n", "\"\"", &["cannot stand in a secret's place", "`[REDACTED]`"]),
    ("agent: { approvals: { deny: [\"\"] } }\n", "\"\"", &["can never match: it is empty", "`sudo *`"]),
    (
        "agent: { approvals: { mode: allowlist, allow: [\"ls 'a\"] } }\n",
        "\"ls",
        &["a quote is not closed", "in single quotes"],
    ),
    (
        "agent: { platforms: { telegram: { allowed_users: [7, \"@me\"] } } }\n",
        "\"@me",
        &["`@me` is no user of Telegram", "the user's number"],
    ),
    (
        "hosts:\n  ops@web: { address: h }\n",
        "ops@web",
        &["cannot be the name of a host", "an address on the command line"],
    ),
    ("hosts:\n  my web: { address: h }\n", "my web", &["cannot be the name of a host: it has white space"]),
    ("hosts: { web: { address: 1234 } }\n", "1234", &["an IPv4 address has four numbers"]),
    ("ssh: { config: \"\" }\n", "\"\"", &["`` is no name", "remove the key"]),
    ("ssh: { config: [a] }\n", "[a]", &["a single value is expected here"]),
    ("agent: { secrets: [OK, \"{{ x\"] }\n", "\"{{", &["`{{ x` is no name", "write the name itself"]),
    (
        "hosts: { web: { address: h, network: { inbound: [\"{{\"] } } }\n",
        "\"{{",
        &["`{{` is no name", "write the name itself"],
    ),
];

/// The line and the column of what stands at the caret; with `$` at the end, its last place.
fn place(text: &str, at: &str) -> String {
    let found = match at.strip_suffix('$') {
        Some(at) => text.rfind(at),
        None => text.find(at),
    };
    let before = &text[..found.unwrap_or_else(|| panic!("no `{at}` in {text}"))];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    format!("petasos.yaml:{line}:{column}\n")
}

#[test]
fn each_is_told_in_the_users_words() {
    let mut wrong = Vec::new();
    for (text, at, parts) in TYPOS {
        let Err(fault) = Config::read("petasos.yaml", text) else {
            wrong.push(format!("it is accepted: {text}"));
            continue;
        };
        let said = fault.to_string();
        let missing: Vec<&&str> = parts.iter().filter(|part| !said.contains(**part)).collect();
        let foreign: Vec<&&str> = FOREIGN.iter().filter(|word| said.contains(**word)).collect();
        // In a hint, or in the message itself: `(such as …)`.
        let tells = fault.hint.is_some() || said.contains('(');
        let place = place(text, at);
        if !missing.is_empty() || !foreign.is_empty() || !tells || !said.contains(&place) || !said.contains('^') {
            wrong.push(format!("missing {missing:?}, foreign {foreign:?}, at {}: {said}", place.trim()));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), TYPOS.len(), wrong.join("\n\n"));
    assert!(TYPOS.len() >= 80);
}

#[test]
fn a_file_that_is_no_text_is_shown_where_it_begins_to_be_none() {
    let said = Config::read_bytes("petasos.yaml", b"agent:\n  model: \"\xff\"\n").unwrap_err().to_string();
    assert!(said.contains("no text in UTF-8") && said.contains("petasos.yaml:2:11\n"), "{said}");
    assert!(said.contains("          ^ ") && said.contains("hint: save it as UTF-8"), "{said}");
    assert!(Config::read_bytes("petasos.yaml", "agent: { model: é }\n".as_bytes()).is_ok());
}

/// Nested deeper than any sound file, or the same a thousand times over.
#[test]
fn a_file_that_is_too_much_is_told_so() {
    let deep = "[".repeat(3000);
    let nine = |of: &str| [of; 9].join(", ");
    let mut wide = "agent:\n  secrets:\n    - &a [x]\n".to_owned();
    for (name, of) in [("b", "*a"), ("c", "*b"), ("d", "*c"), ("e", "*d"), ("f", "*e"), ("g", "*f")] {
        wide += &format!("    - &{name} [{}]\n", nine(of));
    }
    for text in [deep, wide] {
        let said = Config::read("petasos.yaml", &text).unwrap_err().to_string();
        let foreign: Vec<&&str> = FOREIGN.iter().filter(|word| said.contains(**word)).collect();
        assert!(foreign.is_empty() && said.contains("petasos.yaml:") && said.contains("hint: "), "{foreign:?}: {said}");
    }
}
