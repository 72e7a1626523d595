//! What was refused, grouped by its shape; and the smallest rule that would allow each group, where
//! a rule should.

use super::record::Record;
use super::rule::{common, exact, runs_a_text, shape, starts_others};
use super::words::words;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Of each list as many as a person reads.
const MOST: usize = 5;

/// What was refused, of one shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    pub tool: String,
    /// `git log …`; the tool's name where it is none that takes a command.
    pub shape: String,
    pub count: u64,
    pub first: String,
    pub last: String,
    /// Who asked, and how often.
    pub who: BTreeMap<String, u64>,
    /// Some of the commands, as they were written.
    pub examples: Vec<String>,
    pub proposal: Proposal,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proposal {
    /// Rules for `agent.approvals.allow`.
    Allow(Vec<String>),
    /// A name for `agent.approvals.tools`.
    Tool(String),
    /// Nothing is proposed, and why.
    None(String),
}

/// Where in petasos.yaml the lists are that count for a host, by their name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    pub file: String,
    pub allow: Place,
    pub tools: Place,
}

/// A list's keys from the outermost on, and how many of them are there already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    pub path: Vec<String>,
    pub stated: usize,
}

/// What one record is about, and why it was refused.
enum About {
    Words(Vec<String>),
    Tool,
    Never(String),
}

/// The tool, the shape, and why nothing is proposed.
type Key = (String, String, String);
/// A refusal, and its words where a rule may be made of them.
type Refusal<'a> = (&'a Record, Vec<String>);

/// What the policy calls at each start to see itself refuse it: remote/policy/selftest.py.
const SELF_TEST: &str = "petasos_selftest";

/// What anybody but the self-test was refused, the most frequent first.
pub fn groups(records: &[Record]) -> Vec<Group> {
    grouped(records, |record| record.text("tool") != SELF_TEST)
}

/// The same for the self-test's refusals too.
pub fn all_groups(records: &[Record]) -> Vec<Group> {
    grouped(records, |_| true)
}

fn grouped(records: &[Record], counts: impl Fn(&Record) -> bool) -> Vec<Group> {
    let mut found: BTreeMap<Key, Vec<Refusal<'_>>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.event == "command_denied" && counts(record)) {
        let (tool, command) = (record.text("tool"), record.text("command"));
        let (shape, why, argv) = match about(record, &tool, &command) {
            About::Words(argv) => (format!("{} …", exact(&shape(&argv))), String::new(), argv),
            About::Tool => (tool.clone(), String::new(), Vec::new()),
            About::Never(why) if command.is_empty() => (tool.clone(), why, Vec::new()),
            About::Never(why) => (format!("{} …", command.split_whitespace().next().unwrap_or("")), why, Vec::new()),
        };
        found.entry((tool, shape, why)).or_default().push((record, argv));
    }
    let mut groups: Vec<Group> = found.into_iter().map(|(key, all)| group(key, &all)).collect();
    groups.sort_by(|one, two| two.count.cmp(&one.count).then_with(|| one.shape.cmp(&two.shape)));
    groups
}

/// By the rule that refused it (see `remote/policy/rules.py`).
fn about(record: &Record, tool: &str, command: &str) -> About {
    let (rule, reason) = (record.text("rule"), record.text("reason"));
    let because = |text: &str| About::Never(if reason.is_empty() { text.to_owned() } else { reason.clone() });
    match rule.as_str() {
        rule if rule == "deny" || rule.starts_with("deny:") => {
            About::Never(format!("a deny rule refused it ({rule}), and deny always wins"))
        }
        "plain words" => because("bash would interpret it"),
        "mode: allowlist" => because("commands run one by one"),
        "compound" => About::Never("it joins commands: allow each of them, and set `compound: each`".into()),
        "tools" if !tool.is_empty() => About::Tool,
        "unlisted" | "" if !command.is_empty() => match words(command) {
            Ok(argv) if runs_a_text(&argv) => About::Never("an interpreter would run any text that it is given".into()),
            Ok(argv) => About::Words(argv),
            Err(why) => About::Never(why.message),
        },
        rule => because(&format!("no allow rule decides this ({rule})")),
    }
}

fn group((tool, shape, why): Key, all: &[Refusal<'_>]) -> Group {
    let records = || all.iter().map(|(record, _)| *record);
    let mut who = BTreeMap::new();
    records().for_each(|record| *who.entry(record.who()).or_insert(0) += 1);
    let distinct: BTreeSet<String> = records().map(|record| record.text("command")).collect();
    let argvs: Vec<&Vec<String>> = all.iter().map(|(_, argv)| argv).collect::<BTreeSet<_>>().into_iter().collect();
    let proposal = match why {
        why if !why.is_empty() => Proposal::None(why),
        _ if argvs.iter().any(|argv| !argv.is_empty()) => allow(&argvs),
        _ => Proposal::Tool(tool.clone()),
    };
    Group {
        tool,
        shape,
        count: u64::try_from(all.len()).unwrap_or(u64::MAX),
        first: records().map(|record| record.time.clone()).min().unwrap_or_default(),
        last: records().map(|record| record.time.clone()).max().unwrap_or_default(),
        who,
        examples: distinct.into_iter().filter(|command| !command.is_empty()).take(MOST).collect(),
        proposal,
    }
}

fn allow(argvs: &[&Vec<String>]) -> Proposal {
    match argvs {
        [one] => Proposal::Allow(vec![exact(one)]),
        all if all.iter().any(|argv| starts_others(argv)) => {
            Proposal::Allow(all.iter().take(MOST).map(|argv| exact(argv)).collect())
        }
        all => Proposal::Allow(match common(all) {
            Some(rule) => vec![rule],
            None => all.iter().take(MOST).map(|argv| exact(argv)).collect(),
        }),
    }
}
