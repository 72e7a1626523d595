//! The credentials of a host, each with what became of it.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What the host says of its credentials.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// A digest of each one's value, with a salt of the operator's.
    pub secrets: BTreeMap<String, String>,
    /// Those of them that the host itself has made.
    pub made_here: BTreeSet<String>,
    /// Whom the agent is logged in with.
    pub logins: Vec<String>,
    /// Whether the host has a key to a vault.
    pub backup: bool,
}

/// What an operator said of a credential that nobody else can judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotated {
    /// Why it stays as it is; none where it was made anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
    pub by: String,
    /// In seconds since the epoch.
    pub time: u64,
}

/// A credential that whoever was in may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Credential {
    pub name: String,
    pub state: State,
    /// Where it is made anew, and the old one taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// What it is, and what to do.
    pub what: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The operator has a new value, which `close` puts on the host.
    New,
    /// `close` makes it anew by itself.
    ByClose,
    /// An operator says that it is done.
    Done(String),
    Waived(String),
    /// The operator's value is still the one that the host had.
    Old,
    /// The operator has no value of it.
    NoValue,
    /// Nobody has said anything of it yet.
    ToDo,
}

impl State {
    /// Whether the host may be opened again as far as this one goes.
    pub fn settled(&self) -> bool {
        !matches!(self, Self::Old | Self::NoValue | Self::ToDo)
    }
}

/// What is no file's line, and still lets somebody in.
const BY_PEOPLE: [(&str, &str); 2] = [
    (
        "ssh-logins",
        "who may log in: compare disk/login-keys of the evidence with your keys, `getent passwd` and /etc/sudoers.d on the host with what you know; remove what is not yours",
    ),
    (
        "ssh-host-keys",
        "the host's own SSH keys: if nobody was root, waive them; else take a new machine, or make new ones as docs/incident.md says",
    ),
];

/// All of them. `given` is such a digest of the operator's own value, `page` knows where one is
/// made anew; `let_in` is what people do about the backups' key where Petasos has no login.
pub fn credentials(
    answers: &Answers,
    said: &BTreeMap<String, Rotated>,
    let_in: Option<&str>,
    given: impl Fn(&str) -> Option<String>,
    page: impl Fn(&str) -> Option<String>,
) -> Vec<Credential> {
    let of = |name: &str, judged: State, what: &str| Credential {
        state: settled(judged, said.get(name)),
        page: page(name),
        name: name.to_owned(),
        what: what.to_owned(),
    };
    let of_file = |(name, digest): (&String, &String)| {
        if answers.made_here.contains(name) {
            return of(name, State::ByClose, "made on the host: `close` makes a new one");
        }
        match given(name) {
            None => of(name, State::NoValue, "no value is here: make a new one, and keep it by `petasos secret set`"),
            Some(own) if own == *digest => {
                of(name, State::Old, "the value here is the host's: make a new one, and take the old one back")
            }
            Some(_) => of(name, State::New, "a new value is here: `close` puts it on the host"),
        }
    };
    let of_login = |login: &String| {
        let what = "the agent's login there: end it at the provider, and log in again once the host is open";
        of(&format!("login:{login}"), State::ToDo, what)
    };
    let backup = answers.backup.then(|| {
        let what = "password, key and repository of its backups: `close` makes new ones, the old repository stays";
        of("backup", State::ByClose, what)
    });
    let mut all: Vec<Credential> = answers.secrets.iter().map(of_file).collect();
    all.extend(answers.logins.iter().map(of_login).chain(backup));
    all.extend(let_in.map(|what| of("backup-login", State::ToDo, what)));
    all.extend(BY_PEOPLE.map(|(name, what)| of(name, State::ToDo, what)));
    all
}

/// Whoever has a new value needs no waiver; that one was made anew counts only where nobody can
/// look.
fn settled(judged: State, said: Option<&Rotated>) -> State {
    match (judged, said) {
        (judged @ (State::New | State::ByClose), _) | (judged, None) => judged,
        (_, Some(Rotated { waived: Some(why), .. })) => State::Waived(why.clone()),
        (State::ToDo, Some(Rotated { by, .. })) => State::Done(by.clone()),
        (judged, Some(_)) => judged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Answers {
        let secrets = ["API_SERVER_KEY", "A", "B", "C"];
        Answers {
            secrets: secrets.map(|name| (name.to_owned(), format!("digest of {name}"))).into(),
            made_here: ["API_SERVER_KEY".to_owned()].into(),
            logins: vec!["nous".into()],
            backup: true,
        }
    }

    fn said(name: &str, waived: Option<&str>) -> (String, Rotated) {
        (name.to_owned(), Rotated { waived: waived.map(str::to_owned), by: "ada".into(), time: 1 })
    }

    #[test]
    fn what_can_be_looked_at_is_not_believed() {
        let rows = |said: BTreeMap<_, _>| {
            let given = |name: &str| match name {
                "A" => Some("digest of A".to_owned()),
                "B" => Some("digest of another".to_owned()),
                _ => None,
            };
            let all = credentials(&answers(), &said, Some("remove it"), given, |_| None);
            all.into_iter().map(|one| (one.name, one.state)).collect::<BTreeMap<_, _>>()
        };
        let names =
            ["A", "API_SERVER_KEY", "B", "C", "backup", "backup-login", "login:nous", "ssh-host-keys", "ssh-logins"];
        let open = rows(BTreeMap::new());
        assert_eq!(open.keys().map(String::as_str).collect::<Vec<_>>(), names);
        let settled = |rows: &BTreeMap<String, State>| {
            rows.iter().filter(|(_, state)| state.settled()).map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(settled(&open), ["API_SERVER_KEY", "B", "backup"]);
        let all = rows(names.map(|name| said(name, None)).into());
        assert_eq!(
            settled(&all),
            ["API_SERVER_KEY", "B", "backup", "backup-login", "login:nous", "ssh-host-keys", "ssh-logins"]
        );
        let waived = rows(names.map(|name| said(name, Some("it is a lab"))).into());
        assert_eq!(settled(&waived).len(), names.len());
        assert_eq!(waived["B"], State::New);
    }
}
