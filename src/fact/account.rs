//! Users and groups, as the name service switch reports them.

use super::{Facts, Family, Query, Seen};
use crate::fault::Fault;
use crate::name::Account;
use crate::shell::Frame;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserAccount {
    pub uid: u32,
    /// The primary group.
    pub group: String,
    pub home: String,
    pub shell: String,
    /// The other groups.
    pub groups: BTreeSet<String>,
    /// Whether no password can open it.
    pub locked: bool,
    /// Whether that is so by a `!`, which sshd without PAM takes as a lock for keys too; `*` is
    /// none.
    #[serde(default)]
    pub barred: bool,
    /// Why it will be closed one day, by its key too; empty if it will not (shadow(5)).
    #[serde(default)]
    pub ageing: String,
    /// The control groups that its processes are in: `/system.slice/hermes.service`.
    #[serde(default)]
    pub runs_in: BTreeSet<String>,
}

pub const FAMILY: Family = Family { name: "account", fragment, parse };

// Of the password only "locked or not" leaves the host.
const FRAGMENT: &str = include_str!("../../remote/fact/account.sh");

fn fragment(queries: &BTreeSet<Query>) -> Option<(&'static str, Vec<String>)> {
    let args: Vec<String> = queries
        .iter()
        .filter_map(|query| match query {
            Query::User(name) => Some(format!("u:{name}")),
            Query::Group(name) => Some(format!("g:{name}")),
            _ => None,
        })
        .collect();
    (!args.is_empty()).then_some((FRAGMENT, args))
}

fn parse(_: &BTreeSet<Query>, frame: &Frame, facts: &mut Facts) -> Result<(), Fault> {
    if frame.rc != 0 {
        return Err(Fault::new(frame.error_text()));
    }
    for line in frame.text().lines() {
        let unexpected = || Fault::new(format!("unexpected line `{line}`"));
        let mut fields = line.split('\t');
        let (kind, name) = fields.next().and_then(|head| head.split_once(':')).ok_or_else(unexpected)?;
        let name = Account::new(name)?;
        let rest: Vec<&str> = fields.collect();
        match (kind, rest.as_slice()) {
            ("user", []) => {
                facts.users.insert(name, Seen::Absent);
            }
            ("user", [entry, group, groups, locked, ages, units]) => {
                let mut user = user(entry, group, groups, locked, ages).ok_or_else(unexpected)?;
                user.runs_in = units.split_whitespace().map(str::to_owned).collect();
                facts.users.insert(name, Seen::Is(user));
            }
            ("group", [""]) => {
                facts.groups.insert(name, Seen::Absent);
            }
            ("group", [entry]) => {
                let gid = entry.split(':').nth(2).and_then(|gid| gid.parse().ok()).ok_or_else(unexpected)?;
                facts.groups.insert(name, Seen::Is(gid));
            }
            _ => return Err(unexpected()),
        }
    }
    Ok(())
}

/// A line of passwd(5), the primary group's name, all groups' names, `yes` (by a `!`), `*` or `no`,
/// and what [`ageing`] reads.
fn user(entry: &str, group: &str, groups: &str, locked: &str, ages: &str) -> Option<UserAccount> {
    let [_, _, uid, _, _, home, shell] = entry.split(':').collect::<Vec<_>>()[..] else { return None };
    Some(UserAccount {
        uid: uid.parse().ok()?,
        group: group.to_owned(),
        home: home.to_owned(),
        shell: shell.to_owned(),
        groups: groups.split(' ').filter(|other| *other != group).map(str::to_owned).collect(),
        locked: locked != "no",
        barred: locked == "yes",
        ageing: ageing(ages)?,
        runs_in: BTreeSet::new(),
    })
}

/// What login.defs(5) has for "never".
const NEVER: i64 = 99_999;

/// Three fields of shadow(5): when the password was changed, how many days it lasts, when the
/// account expires.
fn ageing(fields: &str) -> Option<String> {
    let [changed, lasts, expires] = fields.split(':').collect::<Vec<_>>()[..] else { return None };
    let lasts = lasts.parse().ok().filter(|days: &i64| (0..NEVER).contains(days));
    Some(match (changed, lasts, expires) {
        (_, _, expires) if !expires.is_empty() => format!("the account expires on day {expires} since 1970"),
        ("0", _, _) => "its password must be changed".to_owned(),
        (_, Some(days), _) => format!("its password lasts {days} days"),
        (_, None, _) => String::new(),
    })
}
