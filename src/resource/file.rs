//! A file with its content, from a template or given in place.

use super::directory::{access_changes, in_the_way};
use super::{Change, ResolveContext, Resource, Risk, Touches, access, digest, drop_in, stamp};
use crate::act::{Act, Put, Text};
use crate::fact::path::PathKind;
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::{AbsPath, Account, Mode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub path: AbsPath,
    #[serde(default = "Account::root")]
    pub owner: Account,
    #[serde(default = "Account::root")]
    pub group: Account,
    pub mode: Mode,
    /// The name of a template. Either this or `content`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The text itself; `{{ … }}` is filled in after the facts are gathered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// A command that must accept the new file before it replaces the old one; `{}` stands for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub check: Vec<String>,
    /// Never shown in plans and diffs.
    #[serde(default)]
    pub secret: bool,
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::Path(self.path.clone()));
        drop_in::queries(&self.path, queries);
    }

    fn resolve(&self, context: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        let text = match (&self.template, &self.content) {
            (Some(name), None) => (context.template)(name)?,
            (None, Some(text)) => (context.text)(text)?,
            _ => return Err(Fault::new(format!("the file `{}` needs either `template` or `content`", self.path))),
        };
        Ok(vec![Box::new(File {
            path: self.path.clone(),
            content: if self.secret { Text::secret(text) } else { Text::open(text) },
            owner: self.owner.clone(),
            group: self.group.clone(),
            mode: self.mode.clone(),
            check: self.check.clone(),
        })])
    }
}

/// A file whose content is known.
#[derive(Debug, Clone)]
pub struct File {
    pub path: AbsPath,
    pub content: Text,
    pub owner: Account,
    pub group: Account,
    pub mode: Mode,
    pub check: Vec<String>,
}

const SUDOERS: &str = "/etc/sudoers.d";

impl File {
    fn put(&self) -> Vec<Act> {
        let mut acts = vec![stamp::forget(&self.path)];
        acts.push(Act::Put(Put {
            path: self.path.clone(),
            content: self.content.clone(),
            owner: self.owner.clone(),
            group: self.group.clone(),
            mode: self.mode.clone(),
            check: self.check.clone(),
        }));
        acts.extend(stamp::reload(&self.path));
        acts
    }

    /// Whether it is a part of sudoers that lets users do everything, and says nothing else: sudo
    /// goes by the last line that fits (sudoers(5)), so a new file of such lines takes nothing from
    /// anybody. The administrator's first one is made before a fresh login can confirm anything:
    /// that login needs it. Once it is there, another text may take something away.
    fn grants_only(&self) -> bool {
        let grants = |line: &str| match line.split_whitespace().collect::<Vec<_>>()[..] {
            [] => true,
            [user, "ALL=(ALL:ALL)", "NOPASSWD:", "ALL"] => Account::new(user).is_ok(),
            [comment, ..] => comment == "#",
        };
        // sudo refuses a file that others may write to.
        let sound = self.owner.as_str() == "root" && self.mode.bits() & 0o022 == 0;
        self.path.parent().as_str() == SUDOERS && sound && self.content.reveal().lines().all(grants)
    }

    fn rewritten(&self, field: &str, from: impl Into<String>, facts: &Facts) -> Change {
        let to =
            if self.content.is_secret() { "new (secret)".to_owned() } else { short(&digest(self.content.reveal())) };
        let mut change = Change::new(field, from, to, self.put());
        if !self.content.is_secret() {
            let before = match facts.texts.get(&self.path) {
                Some(Seen::Is(text)) => Some(text.clone()),
                Some(Seen::Absent) => Some(String::new()),
                Some(Seen::Unreadable(_)) | None => None,
            };
            change.texts = before.map(|before| (before, self.content.reveal().to_owned()));
        }
        change
    }
}

/// The first digits of a digest, for people.
pub fn short(digest: &str) -> String {
    format!("sha256:{}", digest.get(..12).unwrap_or(digest))
}

impl Resource for File {
    fn id(&self) -> String {
        format!("file {}", self.path)
    }

    fn kind(&self) -> &'static str {
        "file"
    }

    fn touches(&self) -> Touches {
        drop_in::touches(&self.path, Touches::nothing().path(self.path.as_str()).tree(stamp::ALL))
    }

    fn least_risk(&self) -> Risk {
        if self.grants_only() { Risk::LockoutWhenChanged } else { access::risk_of_path(&self.path) }
    }

    fn content_digests(&self) -> Vec<(AbsPath, String)> {
        vec![(self.path.clone(), digest(self.content.reveal()))]
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let mut changes = self.own_changes(facts)?;
        changes.extend(drop_in::rivals(&self.path, self.content.reveal(), &stamp::forget(&self.path), facts)?);
        Ok(changes)
    }
}

impl File {
    /// Those of the file itself.
    fn own_changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        match seen(&facts.paths, &self.path)? {
            Seen::Absent => Ok(vec![self.rewritten("exists", "no", facts)]),
            Seen::Is(entry) => match &entry.kind {
                PathKind::File(is) if *is == digest(self.content.reveal()) => {
                    Ok(access_changes(&self.path, entry, &self.owner, &self.group, &self.mode))
                }
                // Rewritten, it gets the right owner and mode with it.
                PathKind::File(is) => {
                    let from = if self.content.is_secret() { "other (secret)".to_owned() } else { short(is) };
                    Ok(vec![self.rewritten("content", from, facts)])
                }
                PathKind::Symlink(target) => {
                    Ok(vec![self.rewritten("kind", format!("a symbolic link to {target}"), facts)])
                }
                PathKind::Directory | PathKind::Other => Ok(vec![in_the_way(&self.path, &entry.kind, "a file")]),
            },
            Seen::Unreadable(why) => Err(Fault::new(why)),
        }
    }
}
