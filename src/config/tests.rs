//! What a user sees who writes a policy that cannot be: one error, where it stands, and what to do.

use super::Config;

fn error(yaml: &str) -> String {
    match Config::read("petasos.yaml", yaml) {
        Ok(_) => panic!("it is accepted:\n{yaml}"),
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn what_cannot_be_has_its_line_and_a_caret() {
    for (line, wrong, parts) in [
        (
            "  approvals: { mode: allowlist, allow: [ls, 'cat ../*'] }",
            "'cat ../*'",
            "can never match: `../*`|hint: write the path",
        ),
        ("  approvals: { deny: [''] }", "'']", "can never match: it is empty"),
        (
            "  approvals: { mode: allowlist, tools: [termnal] }",
            "termnal",
            "no tool `termnal`|hint: did you mean `terminal`?",
        ),
        ("  approvals: { mode: allow }", "allow }", "unknown value `allow`|did you mean `allowlist`?"),
        ("  approvals: { timeout: 0 }", "0 }", "a time of zero"),
        (
            "  approvals: { mode: allowlist, allow: [ls, 'sudo id'] }",
            "'sudo id'",
            "the deny rule `sudo *` always beats it|hint: remove one",
        ),
        (
            "  approvals: { allow: [ls] }",
            "[ls]",
            "`allow` counts with `agent.approvals.mode: allowlist` alone|hint: set",
        ),
        ("  approvals: { mode: smart, tools: [terminal] }", "[terminal]", "`tools` counts with"),
        ("  approvals: { mode: smart, unlisted: ask }", "ask }", "`unlisted` counts with"),
        ("  approvals: { compound: each }", "each }", "`compound` counts with"),
        (
            "  redact: { patterns: [ok, '(a+)+$'] }",
            "'(a+)+$'",
            "repeats something that more follows without end|hint: give it",
        ),
        ("  redact: { patterns: ['x*'] }", "'x*'", "matches the empty text"),
        ("  redact: { patterns: ['(x'] }", "'(x'", "cannot be read: unclosed group"),
        ("  redact: { replacement: '' }", "''", "must be 1 to 64 characters"),
        ("  platforms: { telegrm: {} }", "telegrm", "unknown value `telegrm`|did you mean `telegram`?"),
        ("  platforms: { telegram: { rate_limit: 0/hour } }", "0/hour", "lets nobody in|hint: `off` sets no limit"),
        ("  platforms: { telegram: { rate_limit: 30/hours } }", "30/hours", "not a unit of rates|did you mean `hour`?"),
        ("  rate_limits: { model_calls: 5 }", "5 }", "is not a rate"),
        ("  sandbox: { packages: [ripgrep, No/De] }", "No/De", "`No/De` is not a package name"),
        ("  sandbox: { packages: ['{{ x }}'] }", "'{{ x }}'", "`{{ x }}`"),
        ("  sandbox: { memory: 512 }", "512", "`512` is not a size|hint: write it with its unit"),
        ("  sandbox: { allow: [pypi.org] }", "[pypi.org]", "`allow` counts with `agent.sandbox.network: names` alone"),
        ("  sandbox: { network: names }", "names }", "no name is allowed|hint: name some under"),
        ("  sandbox: { network: names, allow: [] }", "names, allow", "no name is allowed"),
        ("  rate_limits: { model_calls: 200000/month }", "200000/month", "counts to 100000, and not to 200000"),
        ("  sandbox: on", "on", "a boolean (`on`, `yes`, `true`) says nothing|on with a value of its own"),
        ("  sandbox: { memory: 1K }", "1K", "a sandbox with `1K` of memory runs nothing|hint: give it 64M or more"),
        ("  approvals: { deny: [1] }", "1]", "a string is expected here, not the number `1`|hint: put it in quotes"),
        ("  approvals: { mode: allowlist, allow: [ls, yes] }", "yes]", "boolean `true`|YAML reads `on`, `off`, `yes`"),
        ("  provider: off", "off", "boolean `false`|hint: YAML reads `on`, `off`, `yes`"),
        ("  approvals: { timeout: -1 }", "-1 }", "`-1` is not a time|hint: write seconds"),
        ("  approvals: { timeout: 1.5 }", "1.5 }", "`1.5` is not a time|hint: write seconds"),
        (
            "  approvals: { timeout: off }",
            "off }",
            "a boolean (`on`, `off`, `yes`, `no`) is not a time|hint: write seconds",
        ),
        ("  sandbox: { memory: -1 }", "-1 }", "`-1` is not a size|hint: write it with its unit"),
        (
            "  sandbox: none",
            "sandbox: none",
            "`off` or a mapping of its keys is expected here, not the string|hint: write `off`",
        ),
        ("  approvals: { mode: allowlist, allow: x }", "x }", "a list is expected here|hint: write `[one, two]`"),
        ("  approvals: { mode: allowlist, tools: terminal }", "terminal }", "a list is expected here"),
        ("  sandbox: { packages: git }", "git }", "a list is expected here"),
        ("  approvals: off", "off", "a mapping of keys is expected here|hint: write `key: value`"),
        ("  platforms: { telegram: on }", "on }", "a mapping of keys is expected here"),
        ("  rate_limits: 5", "5", "a mapping of keys is expected here"),
        ("  rate_limit: 5", "rate_limit: 5", "unknown key `rate_limit`|did you mean `rate_limits`?"),
        ("  limits: { disk: 1M }", "1M }", "a disk of `1M` holds none of the agent's data|hint: give it 64M or more"),
        ("  limits: { disk: 4 }", "4 }", "`4` is not a size|hint: write it with its unit"),
        ("  limits: { disk: on }", "on }", "a boolean (`on`, `yes`, `true`) says nothing"),
        ("  limits: { tasks: many }", "many }", "a whole number from 0 to 4294967295 is expected here"),
        ("  sandbox: { memry: 1G }", "memry", "unknown key `memry`|did you mean `memory`?"),
    ] {
        let message = error(&format!("agent:\n{line}\n"));
        let column = line.rfind(wrong).unwrap() + 1;
        let place = format!("--> petasos.yaml:2:{column}\n");
        assert!(parts.split('|').all(|part| message.contains(part)), "{line}: {message}");
        if !line.contains("{{") {
            assert!(message.contains(&place) && message.contains(&format!("| {line}\n")), "{line}: {message}");
            assert_eq!(message.matches('^').count() - line.matches('^').count(), 1, "{message}");
            assert!(message.matches("hint: ").count() <= 1, "{message}");
        }
    }
}

#[test]
fn what_a_host_overrides_is_judged_as_the_host_gets_it() {
    let hosts = |all: &str, web: &str| {
        format!(
            "agent: {{ {all} }}\nhosts:\n  web:\n    address: h\n    agent: {{ {web} }}\n  other: {{ address: i }}\n"
        )
    };
    let sound = [
        // A list for all, and one host that goes by it.
        hosts("approvals: { allow: [ls] }", "approvals: { mode: allowlist }"),
        hosts("approvals: { mode: allowlist, allow: [ls] }", "approvals: { mode: manual }"),
        hosts("sandbox: { allow: [pypi.org] }", "sandbox: { network: names }"),
        hosts("sandbox: off", "sandbox: { memory: 2G }"),
        hosts("sandbox: { memory: 2G }", "sandbox: off"),
    ];
    for yaml in sound {
        Config::read("petasos.yaml", &yaml).unwrap_or_else(|why| panic!("{why}"));
    }
    let of_host = error(&hosts("approvals: { mode: allowlist }", "approvals: { mode: manual, allow: [ls] }"));
    assert!(of_host.contains("petasos.yaml:5:") && of_host.contains("`allow` counts with"), "{of_host}");
    let beaten =
        error(&hosts("approvals: { mode: allowlist, allow: [cat, git push] }", "approvals: { deny: ['git p*'] }"));
    assert!(beaten.contains("petasos.yaml:1:") && beaten.contains("`git p*` always beats it"), "{beaten}");
    let open = error("agent: { sandbox: { network: names } }\nnetwork: { egress: { mode: ports } }\n");
    assert!(open.contains("petasos.yaml:1:30") && open.contains("hint: set `network.egress.mode: names`"), "{open}");
}

#[test]
fn a_hosts_own_value_of_the_wrong_type_is_shown_where_it_stands() {
    let yaml = "hosts:\n  web:\n    address: h\n    agent: { approvals: { deny: [x, 2] } }\nagent: { approvals: { deny: [z] } }\n";
    let message = error(yaml);
    assert!(
        message.contains("petasos.yaml:4:37\n") && message.contains("a string is expected here, not the number `2`"),
        "{message}"
    );
}

#[test]
fn the_time_to_confirm_has_bounds() {
    for (bad, part) in
        [("0", "`0`"), ("9", "`9`"), ("3601", "`3601`"), ("off", "a whole number"), ("-1", "a whole number")]
    {
        let message = error(&format!("guard:\n  confirm_timeout: {bad}\n"));
        assert!(message.contains("petasos.yaml:2:") && message.contains(part), "{bad}: {message}");
    }
    for good in [10, 60, 3600] {
        let config = Config::read("petasos.yaml", &format!("guard: {{ confirm_timeout: {good} }}\n")).unwrap();
        assert_eq!(config.settings(None).unwrap().guard.confirm_timeout_secs, good);
    }
}

#[test]
fn off_is_off_however_yaml_takes_it() {
    let read = |agent: &str| {
        Config::read("petasos.yaml", &format!("agent: {{ {agent} }}\n")).unwrap().settings(None).unwrap().agent
    };
    assert!(read("sandbox: off").sandbox.is_none() && read("sandbox: false").sandbox.is_none());
    let limits = read("rate_limits: { webhook_route: off }, platforms: { telegram: { rate_limit: 'off' }, slack: {} }");
    assert!(limits.rate_limits.webhook_route.is_none());
    let rates: Vec<_> =
        limits.platforms.values().map(|platform| platform.rate_limit.map(|rate| rate.count.get())).collect();
    assert_eq!(rates, [None, Some(30)]);
    assert!(read("provider: x").sandbox.is_some_and(|sandbox| sandbox.packages.len() == 1));
}
