//! What `petasos doctor` found: a line each.

use super::report::count;
use super::visible::line;
use crate::run::doctor::{Finding, Level};

/// The lines of each place, and how many findings are in the way.
pub fn text(places: &[(String, Vec<Finding>)]) -> String {
    let width = places.iter().map(|(place, _)| place.chars().count()).max().unwrap_or(0);
    let findings = || places.iter().flat_map(|(place, findings)| findings.iter().map(move |finding| (place, finding)));
    let lines: String = findings().map(|(place, finding)| shown(place, width, finding)).collect();
    let stops = findings().filter(|(_, finding)| finding.level == Level::InTheWay).count();
    let end = match stops {
        0 => "nothing is in the way\n".to_owned(),
        1 => "1 finding is in the way\n".to_owned(),
        stops => format!("{} are in the way\n", count(stops, "finding")),
    };
    lines + &end
}

fn shown(place: &str, width: usize, finding: &Finding) -> String {
    let sign = match finding.level {
        Level::Ok => "ok  ",
        Level::Note => "note",
        Level::InTheWay => "STOP",
    };
    let hint = finding.fault.hint.as_deref().map(|hint| format!(" -> {hint}")).unwrap_or_default();
    line(&format!("{sign}  {place:width$}  {}: {}{hint}", finding.about, one_line(&finding.fault.message))) + "\n"
}

/// A message of several lines: with the place that a caret shows, or one after the other.
fn one_line(message: &str) -> String {
    let mut lines = message.lines().map(str::trim);
    let first = lines.next().unwrap_or_default().to_owned();
    let rest: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    match rest.iter().find_map(|line| line.strip_prefix("--> ")) {
        Some(place) => format!("{first} ({place})"),
        None => [vec![first.as_str()], rest].concat().join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    #[test]
    fn each_finding_is_one_line_with_where_what_and_what_to_do() {
        let caret = "unknown key `x`\n --> petasos.yaml:2:3\n  |\n2 |   x: 1\n  |   ^ unknown key `x`";
        let here = vec![
            Finding::ok("ssh", "OpenSSH 9.2"),
            Finding::in_the_way("petasos.yaml", Fault::new(caret).hint("did you mean `y`?")),
        ];
        let web = vec![Finding::note("host key", "it differs\n  the host shows: a\n  recorded:       b")];
        let expected = "\
ok    here  ssh: OpenSSH 9.2
STOP  here  petasos.yaml: unknown key `x` (petasos.yaml:2:3) -> did you mean `y`?
note  web   host key: it differs; the host shows: a; recorded:       b
1 finding is in the way
";
        assert_eq!(text(&[("here".into(), here), ("web".into(), web)]), expected);
        assert_eq!(
            text(&[("here".into(), vec![Finding::ok("ssh", "x")])]),
            "ok    here  ssh: x\nnothing is in the way\n"
        );
    }
}
