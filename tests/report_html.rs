//! The page of `petasos verify --html`, judged by an HTML parser that is not ours (html5ever, by
//! way of `scraper`).

use petasos::ui::html;
use petasos::verify::report::{AttackOutcome, Check, ControlReport, ControlStatus, HostReport, PositiveResult, Report};
use scraper::{ElementRef, Html, Selector};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

/// A run against a lab host, as `petasos verify --full --json` printed it.
const REAL: &str = include_str!("report/one-host.json");

const HOSTILE: &str = "</p></article><script>alert(1)</script><img src=x onerror=alert(1)> \"'><svg onload=alert(1)> {{ 7 * 7 }} &lt;b&gt;";

fn real() -> Report {
    serde_json::from_str(REAL).expect("the types that it was written from")
}

fn page(report: &Report) -> String {
    html::page(report).unwrap_or_else(|why| panic!("{why}"))
}

/// The page as a browser sees it; what the standard calls a parse error fails.
fn parsed(page: &str) -> Html {
    let html = Html::parse_document(page);
    assert!(html.errors.is_empty(), "{:?}", html.errors);
    html
}

fn all<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    html.select(&Selector::parse(selector).expect("a selector")).collect()
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn collapsed(text: &str) -> String {
    text.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A report whose every text of a host's is `text`, with each verdict and each outcome once at
/// least.
fn planted(text: &str) -> Report {
    let outcomes = [
        AttackOutcome::Refused,
        AttackOutcome::Allowed,
        AttackOutcome::Silent,
        AttackOutcome::Nothing,
        AttackOutcome::Holds,
        AttackOutcome::Differs,
        AttackOutcome::Error,
    ];
    let check = |outcome| Check {
        id: text.into(),
        what: text.into(),
        outcome,
        expected: AttackOutcome::Refused,
        result: ControlStatus::NotMet,
        detail: text.into(),
        seconds: 0.1,
        control: Some(PositiveResult { what: text.into(), outcome, detail: text.into() }),
    };
    let control = |verdict| ControlReport {
        id: text.into(),
        group: text.into(),
        title: text.into(),
        claim: text.into(),
        verdict,
        why: text.into(),
        how: Some(text.into()),
        checks: outcomes.map(check).into(),
    };
    let verdicts = [ControlStatus::Met, ControlStatus::Planned, ControlStatus::Unobserved, ControlStatus::NotMet];
    let mut host = HostReport::failed(text, text, text);
    host.system = text.into();
    host.controls = verdicts.map(control).into();
    let mut reached = host.clone();
    reached.error = None;
    Report { petasos: text.into(), time: 0, hosts: vec![host, reached] }
}

fn elements(html: &Html) -> BTreeSet<String> {
    all(html, "*").iter().map(|element| element.value().name().to_owned()).collect()
}

#[test]
fn each_control_stands_there_with_its_verdict_and_its_evidence() {
    let report = real();
    let html = parsed(&page(&report));
    let host = &report.hosts[0];
    let cards = all(&html, "article");
    assert_eq!(cards.len(), host.controls.len());
    for control in &host.controls {
        let id = Selector::parse(".top .id").expect("a selector");
        let card = cards.iter().find(|card| card.select(&id).any(|it| text(it) == control.id));
        let card = card.unwrap_or_else(|| panic!("`{}` is not on the page", control.id));
        let shown = text(*card);
        let badge = Selector::parse(".top .badge").expect("a selector");
        let verdict = text(card.select(&badge).next().expect("a badge"));
        let label = match control.verdict {
            ControlStatus::Met => "✓ met",
            ControlStatus::NotMet => "✕ not met",
            ControlStatus::Unobserved => "? not observed",
            ControlStatus::Planned => "– not in this version",
        };
        assert_eq!(verdict, label, "{}", control.id);
        assert!(shown.contains(&collapsed(&control.claim)), "{}: {shown}", control.id);
        for check in &control.checks {
            assert!(shown.contains(&collapsed(&check.what)), "{}: {}", control.id, check.what);
            // Each text between two tags is told apart by its own spaces only.
            let detail = check.detail.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(shown.contains(&detail), "{}: {detail}", control.id);
            if let Some(proof) = &check.control {
                assert!(shown.contains(&collapsed(&proof.what)), "{}: {}", control.id, proof.what);
            }
        }
    }
    let headings: Vec<String> = all(&html, "h3").into_iter().map(text).collect();
    for control in &host.controls {
        assert!(headings.iter().any(|heading| heading.starts_with(&control.group)), "{}", control.group);
    }
}

#[test]
fn what_is_missing_comes_first_with_the_way_to_turn_it_on() {
    let report = real();
    let html = parsed(&page(&report));
    let missing: Vec<String> = all(&html, ".missing li").into_iter().map(text).collect();
    let expected: Vec<&ControlReport> =
        report.hosts[0].controls.iter().filter(|control| control.verdict != ControlStatus::Met).collect();
    assert_eq!(missing.len(), expected.len());
    assert!(!expected.is_empty(), "the example shows nothing missing");
    for control in expected {
        let item = missing.iter().find(|item| item.contains(&control.id)).unwrap_or_else(|| panic!("{}", control.id));
        assert!(item.contains(&collapsed(control.how.as_deref().unwrap_or_default())), "{item}");
    }
}

#[test]
fn the_counts_are_those_of_the_report() {
    let mut report = real();
    let mut second = report.hosts[0].clone();
    second.host = "second".into();
    second.controls.truncate(2);
    report.hosts.extend([second, HostReport::failed("third", "192.0.2.3", "refused\nhint: look")]);
    let html = parsed(&page(&report));
    let rows = all(&html, "tbody tr");
    assert_eq!(rows.len(), 3);
    let cells = Selector::parse("td.number").expect("a selector");
    for (row, host) in rows.into_iter().zip(&report.hosts) {
        let shown: Vec<String> = row.select(&cells).map(text).collect();
        let of = |verdict| host.controls.iter().filter(|control| control.verdict == verdict).count().to_string();
        assert_eq!(
            shown,
            [ControlStatus::Met, ControlStatus::NotMet, ControlStatus::Unobserved, ControlStatus::Planned].map(of),
            "{}",
            host.host
        );
    }
    let shown = text(html.root_element());
    assert!(shown.contains("refused hint: look"), "why a host was not tried");
}

#[test]
fn planted_markup_stays_text() {
    let tame = parsed(&page(&planted("tame")));
    let page = page(&planted(HOSTILE));
    let hostile = parsed(&page);
    // Not one element more than with harmless text, and no new kind.
    assert_eq!(elements(&hostile), elements(&tame));
    assert_eq!(all(&hostile, "*").len(), all(&tame, "*").len());
    for forbidden in ["script", "img", "svg", "iframe", "object", "form", "input"] {
        assert!(all(&hostile, forbidden).is_empty(), "{forbidden}");
    }
    for element in all(&hostile, "*") {
        let bad: Vec<&str> =
            element.value().attrs().map(|(name, _)| name).filter(|name| name.starts_with("on")).collect();
        assert!(bad.is_empty(), "{bad:?}");
    }
    let shown = text(hostile.root_element());
    let plain = collapsed(HOSTILE);
    // It is read as it was written: neither swallowed nor escaped twice.
    assert!(shown.matches(&plain).count() > 100, "{}", shown.matches(&plain).count());
    // The oracle sees what is not escaped.
    let unescaped = page.replace("&lt;", "<").replace("&gt;", ">");
    assert!(!all(&Html::parse_document(&unescaped), "body script").is_empty());
}

#[test]
fn letters_that_nobody_sees_are_spelt_out() {
    let report = planted("a\u{0}b\u{1b}[31m\u{202e}c\u{7}");
    let page = page(&report);
    parsed(&page);
    let bad = page.chars().find(|c| matches!(c, '\0' | '\u{1b}' | '\u{202e}' | '\u{7}'));
    assert_eq!(bad, None);
    assert!(page.contains("a\\u{0}b\\u{1b}[31m\\u{202e}c\\u{7}"));
}

#[test]
fn it_fetches_nothing_and_runs_nothing() {
    let page = page(&real());
    let html = parsed(&page);
    for forbidden in ["script", "link", "img", "iframe", "object", "embed", "base", "form"] {
        assert!(all(&html, forbidden).is_empty(), "{forbidden}");
    }
    for element in all(&html, "*") {
        for (name, value) in element.value().attrs() {
            let fetches = ["src", "srcset", "background", "poster", "action", "data", "ping", "style"].contains(&name);
            assert!(!fetches, "{name}={value}");
            assert!(name != "href" || value.starts_with('#'), "{name}={value}");
        }
    }
    let style = all(&html, "style").into_iter().map(text).collect::<String>();
    assert!(!style.contains("url(") && !style.contains("@import") && !style.contains("http"), "{style}");
    let policy = all(&html, "meta[http-equiv='Content-Security-Policy']");
    assert!(policy[0].attr("content").unwrap_or_default().starts_with("default-src 'none';"));
}

/// Links lead somewhere, no name is given twice, headings skip no level, and what is hidden from
/// ears is only ornament.
#[test]
fn it_can_be_walked_by_ear() {
    let mut report = real();
    report.hosts.push(report.hosts[0].clone());
    let html = parsed(&page(&report));
    let ids: Vec<&str> = all(&html, "[id]").iter().filter_map(|it| it.attr("id")).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    for (selector, attribute) in [("a[href]", "href"), ("[aria-labelledby]", "aria-labelledby")] {
        for element in all(&html, selector) {
            let to = element.attr(attribute).unwrap_or_default().trim_start_matches('#');
            assert!(ids.contains(&to), "{attribute}={to}");
        }
    }
    let mut level = 0;
    for heading in all(&html, "h1, h2, h3, h4, h5, h6") {
        let next = heading.value().name()[1..].parse::<usize>().expect("a number");
        assert!(next <= level + 1, "h{level}, then h{next}: {}", text(heading));
        level = next;
    }
    for landmark in ["header", "main", "footer", "html[lang]", "title"] {
        assert_eq!(all(&html, landmark).len(), 1, "{landmark}");
    }
    for hidden in all(&html, "[aria-hidden]") {
        assert_eq!(text(hidden).chars().count(), 1);
    }
}

#[test]
fn a_report_without_hosts_is_a_page_too() {
    let html = parsed(&page(&Report { petasos: "0.1.0".into(), time: 0, hosts: Vec::new() }));
    assert_eq!(text(all(&html, ".verdict")[0]), "? No host was checked");
}

/// `petasos verify --html` of a host that nobody listens at, in a folder of its own.
fn verify(folder: &Path, page: &str) -> Output {
    let yaml = "hosts:\n  gone: { address: root@127.0.0.1:1 }\nadmin:\n  authorized_keys: [\"ssh-ed25519 \
                AAAAC3NzaC1lZDI1NTE5AAAAIFWyJ9gT05WU9dCYBI6ShFpwzrW+ykVgEZf/QCkd3Z/2 somebody\"]\n";
    let digest = "ab".repeat(32);
    let lock = format!(
        "version: 1\nrelease: \"0.19.0\"\nreleases:\n  \"0.19.0\":\n    source: https://github.com/NousResearch/hermes-agent\n    \
         tag: v2026.7.20\n    commit: {0}\n    tree: {0}\n    archive_sha256: {digest}\n    uv_lock_sha256: {digest}\n    \
         signed: false\n    requires_python: \">=3.11,<3.14\"\n",
        "cd".repeat(20),
    );
    std::fs::write(folder.join("petasos.yaml"), yaml).expect("a writable folder");
    std::fs::write(folder.join("petasos.lock"), lock).expect("a writable folder");
    let mut petasos = Command::new(env!("CARGO_BIN_EXE_petasos"));
    petasos.args(["verify", "--html", page]).current_dir(folder).output().expect("it runs")
}

#[test]
fn the_option_writes_the_page_for_its_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = verify(folder.path(), "page.html");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let path = folder.path().join("page.html");
    let html = parsed(&std::fs::read_to_string(&path).expect("the page"));
    let shown = text(html.root_element());
    assert!(shown.contains("gone") && shown.contains("Connection refused"), "{shown}");
    let mode = path.metadata().expect("the page").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
}

#[test]
fn a_page_that_cannot_be_written_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = verify(folder.path(), "no/such/page.html");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cannot write `no/such/page.html`") && stderr.contains("\nhint: "), "{stderr}");
}
