//! What sshd enforces, as it reports itself (`sshd -T`), for each of some users.
//!
//! The settings themselves stand in a file of Petasos's, which sshd reads first. What is judged
//! here is whether they win: sshd takes the first value that it finds, and those of a `Match` block
//! before all others (sshd_config(5)). A line elsewhere that wins against ours is turned into a
//! comment, and a main file that does not read the folder of ours is made to, on its first line.

use super::unit::reread;
use super::{Change, ResolveContext, Resource, Risk, Touches};
use crate::act::Act;
use crate::fact::sshd::{Line, Sshd};
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::{AbsPath, Account};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The file of Petasos's own; the resource writes nothing to it, and finds no fault with it.
    pub file: AbsPath,
    /// For whose login the settings must be in force.
    pub users: Vec<Account>,
    /// The one port that sshd listens at; where it is empty, the ports are not looked at.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ssh_port: String,
    /// Keyword to value; both as `sshd -T` prints them, in small letters. An empty value is not
    /// looked at.
    pub set: BTreeMap<String, String>,
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.extend(self.users.iter().cloned().map(Query::Sshd));
        queries.insert(Query::Path(self.file.clone()));
    }

    fn resolve(&self, context: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        let file_changes = match (context.provided.get(&self.file), seen(&context.facts.paths, &self.file)?) {
            (Some(want), Seen::Is(entry)) => entry.kind != crate::fact::path::PathKind::File(want.clone()),
            (Some(_), Seen::Absent | Seen::Unreadable(_)) => true,
            (None, _) => {
                return Err(Fault::new(format!("`{}` must be a `file` further up in this playbook", self.file)));
            }
        };
        let mut spec = self.clone();
        if !self.ssh_port.is_empty() {
            spec.set.insert(PORT.to_owned(), (context.text)(&self.ssh_port)?);
        }
        spec.set.retain(|_, value| !value.is_empty());
        let sshd = context.facts.sshd.as_ref().and_then(Seen::is);
        let files = sshd.iter().flat_map(|sshd| &sshd.lines).map(|line| line.file.clone()).collect();
        Ok(vec![Box::new(Effective { spec, file_changes, files })])
    }
}

struct Effective {
    spec: Spec,
    /// Whether the same plan writes the file: then what is in force now says nothing of what will
    /// be.
    file_changes: bool,
    /// All that sshd reads: an `Include` may lead anywhere.
    files: BTreeSet<String>,
}

impl Resource for Effective {
    fn id(&self) -> String {
        "sshd settings".into()
    }

    fn kind(&self) -> &'static str {
        "sshd"
    }

    fn touches(&self) -> Touches {
        let own = Touches::nothing().tree("/etc/ssh").unit(UNIT).unit("ssh.socket");
        self.files.iter().fold(own, Touches::path)
    }

    fn least_risk(&self) -> Risk {
        Risk::Lockout
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let sshd = match &facts.sshd {
            Some(Seen::Is(sshd)) => sshd,
            Some(Seen::Absent) => return Ok(vec![Change::new("installed", "no", "yes", Vec::new())]),
            Some(Seen::Unreadable(why)) => return Err(Fault::new(why)),
            None => return Err(Fault::new("sshd was not asked")),
        };
        let blocked = self.options(sshd).chain(self.addresses(sshd));
        let mut changes: Vec<Change> = self.unread(sshd).into_iter().chain(blocked).collect();
        changes.extend(self.rivals(sshd).map(|line| self.silence(line)));
        if changes.is_empty() && !self.file_changes {
            changes.extend(self.wrong(sshd)?);
        }
        Ok(changes)
    }
}

impl Effective {
    /// The line of the main file that reads the folder of ours, if it stands outside of `Match`
    /// blocks.
    fn inclusion(&self, sshd: &Sshd) -> Option<u32> {
        let dir = self.spec.file.parent();
        let pattern = format!("{dir}/*.conf");
        let reads = |value: &str| {
            value == pattern || value == self.spec.file.as_str() || format!("/etc/ssh/{value}") == pattern
        };
        let includes = |line: &&Line| line.file == MAIN && line.keyword == "include" && !line.matched;
        sshd.lines.iter().filter(includes).find(|line| line.value.split(' ').any(reads)).map(|line| line.number)
    }

    fn unread(&self, sshd: &Sshd) -> Option<Change> {
        let include = format!("Include {}/*.conf", self.spec.file.parent());
        self.inclusion(sshd).is_none().then(|| {
            let act = Act::sh("make sshd read a folder first", INCLUDE, [MAIN, &include]);
            Change::new("include", "absent", include, vec![act, reread(UNIT)])
        })
    }

    /// How many lines sshd reads before it comes to our file, or would.
    fn earlier(&self, sshd: &Sshd) -> usize {
        let (ours, dir) = (self.spec.file.as_str(), self.spec.file.parent());
        if let Some(first) = sshd.lines.iter().position(|line| line.file == ours) {
            return first;
        }
        let Some(inclusion) = self.inclusion(sshd) else { return 0 };
        let is_it = |line: &Line| line.file == MAIN && line.number == inclusion;
        let start = sshd.lines.iter().position(is_it).map_or(0, |at| at + 1);
        let behind = |line: &&Line| line.file != MAIN && !(line.file.starts_with(dir.as_str()) && *line.file > *ours);
        start + sshd.lines.iter().skip(start).take_while(behind).count()
    }

    /// Lines that win, or would win, against ours: in a `Match` block, or read earlier. Ports add
    /// up, wherever they stand.
    fn rivals<'a>(&'a self, sshd: &'a Sshd) -> impl Iterator<Item = &'a Line> {
        let (ours, earlier) = (self.spec.file.as_str(), self.earlier(sshd));
        sshd.lines.iter().enumerate().filter_map(move |(at, line)| {
            let differs = self.spec.set.get(&line.keyword).is_some_and(|want| !line.value.eq_ignore_ascii_case(want));
            // The same port twice is one that sshd cannot listen at.
            let port = line.keyword == PORT && self.spec.set.contains_key(PORT);
            (line.file != ours && (port || differs && (line.matched || at < earlier))).then_some(line)
        })
    }

    /// What sshd was started with and that wins against our file, and whose file it comes from is
    /// nobody's to tell.
    fn options<'a>(&'a self, sshd: &'a Sshd) -> impl Iterator<Item = Change> + 'a {
        sshd.options.iter().filter_map(|(keyword, value)| {
            let want = self.spec.set.get(keyword).filter(|want| !value.eq_ignore_ascii_case(want))?;
            let option = format!("-o {keyword}={value}");
            let fault = Fault::new(format!("sshd runs with `{option}`, which wins against its files"));
            let hint = "on the host take it out of SSHD_OPTS in /etc/default/ssh, or of the drop-in that `systemctl cat ssh.service` shows, and restart ssh; then run the same command again";
            let change = Change::new("option", option, format!("{keyword} {want}"), Vec::new());
            Some(Change { blocked: Some(fault.hint(hint)), ..change })
        })
    }

    /// Addresses with another port than the one that is wanted: sshd listens there whatever `Port`
    /// says (sshd_config(5), `ListenAddress`). Which addresses it is to listen at is not Petasos's
    /// to say.
    fn addresses<'a>(&'a self, sshd: &'a Sshd) -> impl Iterator<Item = Change> + 'a {
        let lines = sshd.lines.iter().filter(|line| line.keyword == "listenaddress");
        lines.filter_map(|line| {
            let want = self.spec.set.get(PORT)?;
            let port = port_of(&line.value).filter(|port| port != want)?;
            let is = format!("ListenAddress {}", line.value);
            let fault = Fault::new(format!(
                "sshd would listen at port {port} and not at {want} alone: `{is}` ({}:{})",
                line.file, line.number
            ));
            let hint = format!("on the host, write the address without `:{port}` in that line, then `sshd -t && systemctl reload ssh`; then run the same command again");
            let change = Change::new("address", is, format!("port {want}"), Vec::new());
            Some(Change { blocked: Some(fault.hint(hint)), ..change })
        })
    }

    fn silence(&self, line: &Line) -> Change {
        let from = format!("{} {} ({}:{})", line.keyword, line.value, line.file, line.number);
        let act = Act::sh(
            "turn a line of sshd's configuration into a comment",
            SILENCE,
            [line.file.clone(), line.number.to_string(), line.keyword.clone()],
        );
        let to = self.spec.set.get(&line.keyword).cloned().unwrap_or_default();
        Change::new("rival line", from, format!("{} {to}", line.keyword), vec![act, reread(UNIT)])
    }

    /// Settings that are not in force although no line is to blame that could be silenced.
    fn wrong(&self, sshd: &Sshd) -> Result<Vec<Change>, Fault> {
        let mut changes = Vec::new();
        for user in &self.spec.users {
            let effective =
                sshd.effective.get(user).ok_or_else(|| Fault::new(format!("sshd was not asked about `{user}`")))?;
            for (keyword, want) in &self.spec.set {
                let is = effective.get(keyword).map_or("", String::as_str);
                // A list is in force when it is the same list: sshd prints it in the order given.
                if !is.eq_ignore_ascii_case(want) {
                    changes.push(Change::new(&format!("{keyword} for {user}"), is, want, Vec::new()));
                }
            }
        }
        Ok(changes)
    }
}

/// The port in a value of `ListenAddress`, if there is one: `HOST:PORT`, `[HOST]:PORT`.
fn port_of(value: &str) -> Option<&str> {
    let address = value.split(' ').next()?;
    match address.strip_prefix('[') {
        Some(rest) => rest.split_once("]:").map(|(_, port)| port),
        None => address.split_once(':').map(|(_, port)| port).filter(|port| !port.contains(':')),
    }
}

const MAIN: &str = "/etc/ssh/sshd_config";
const PORT: &str = "port";
const UNIT: &str = "ssh.service";

const INCLUDE: &str = include_str!("../../remote/sshd/include.sh");

/// The line must still be the one that was seen.
const SILENCE: &str = include_str!("../../remote/sshd/silence.sh");
