//! What sshd has against a user's login by key, whatever the user's own files say: settings that
//! are somebody else's to change, so that nothing is begun before they are.

use crate::fact::sshd::Sshd;
use crate::fault::Fault;
use crate::name::{AbsPath, Account};
use std::collections::BTreeSet;

/// A login that sshd is asked about.
pub struct KeyLogin<'a> {
    pub user: &'a Account,
    /// All groups that the user is in, or will be.
    pub groups: &'a BTreeSet<String>,
    pub home: &'a AbsPath,
    /// The file that the user's keys are in.
    pub keys: &'a AbsPath,
}

impl KeyLogin<'_> {
    /// The setting in force that refuses the login, and what to do about it; sshd_config(5) has
    /// their order. What a file of Petasos's own says is the playbooks' to change.
    pub fn refused(&self, sshd: &Sshd) -> Option<(String, Fault)> {
        let effective = sshd.effective.get(self.user)?;
        let value = |keyword: &str| effective.get(keyword).map_or("", String::as_str);
        let words = |keyword: &str| value(keyword).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let users = |keyword| words(keyword).iter().any(|pattern| self.is_user(pattern));
        let groups = |keyword| words(keyword).iter().any(|pattern| self.is_in(pattern));
        let no_files = words("authorizedkeysfile").iter().all(|pattern| self.path(pattern) != self.keys.as_str());
        let user = self.user;
        let other = |keyword: &str| !matches!(value(keyword), "" | "none");
        let by_key = words("authenticationmethods").iter().any(|way| matches!(&**way, "any" | "publickey"));
        let methods = other("authenticationmethods") && !by_key;
        let checks = [
            ("denyusers", users("denyusers"), format!("take `{user}` off")),
            ("allowusers", other("allowusers") && !users("allowusers"), format!("add `{user}` to")),
            ("denygroups", groups("denygroups"), format!("take the group of `{user}` off")),
            ("allowgroups", other("allowgroups") && !groups("allowgroups"), format!("add `{user}`, its own group, to")),
            (
                "authorizedkeysfile",
                !value("authorizedkeysfile").is_empty() && no_files,
                "add `.ssh/authorized_keys` to".to_owned(),
            ),
            ("authenticationmethods", methods, "write `publickey` alone in".to_owned()),
            ("forcecommand", other("forcecommand"), format!("exempt `{user}` from (or remove)")),
            ("chrootdirectory", other("chrootdirectory"), format!("exempt `{user}` from (or remove)")),
        ];
        checks.into_iter().filter(|(_, refuses, _)| *refuses).find_map(|(keyword, _, remedy)| {
            let lines: Vec<_> = sshd.lines.iter().filter(|line| line.keyword == keyword).collect();
            if lines.iter().any(|line| line.file.contains("petasos")) {
                return None;
            }
            let name = NAMES.iter().find(|name| name.eq_ignore_ascii_case(keyword)).copied().unwrap_or(keyword);
            let places: Vec<String> = lines.iter().map(|line| format!("{}:{}", line.file, line.number)).collect();
            let places = if places.is_empty() { "sshd's configuration".to_owned() } else { places.join(", ") };
            let setting = format!("{name} {}", value(keyword));
            let fault = Fault::new(format!("sshd would not let `{user}` work over SSH: `{setting}` ({places})"));
            let hint = format!(
                "on the host, {remedy} that line, then `sshd -t && systemctl reload ssh`; then run the same command again"
            );
            Some((format!("refused by {setting}"), fault.hint(hint)))
        })
    }

    /// A pattern of `AllowUsers`; of `user@host` only the first part can be told from here.
    fn is_user(&self, pattern: &str) -> bool {
        matches(pattern.rsplit_once('@').map_or(pattern, |(user, _)| user), self.user.as_str())
    }

    fn is_in(&self, pattern: &str) -> bool {
        self.groups.iter().any(|group| matches(pattern, group))
    }

    /// A name of `AuthorizedKeysFile`, with its tokens filled in.
    fn path(&self, pattern: &str) -> String {
        let filled = pattern.replace("%h", self.home.as_str()).replace("%u", self.user.as_str()).replace("%%", "%");
        if filled.starts_with('/') { filled } else { format!("{}/{filled}", self.home) }
    }
}

/// As sshd_config(5) spells them; `sshd -T` prints them in small letters.
const NAMES: [&str; 8] = [
    "AuthenticationMethods",
    "DenyUsers",
    "AllowUsers",
    "DenyGroups",
    "AllowGroups",
    "AuthorizedKeysFile",
    "ForceCommand",
    "ChrootDirectory",
];

/// A pattern of ssh_config(5): `*` for any letters, `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match (rest.next(), text.chars().next()) {
        (None, first) => first.is_none(),
        (Some('*'), _) => {
            let tails = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            tails.filter_map(|at| text.get(at..)).any(|tail| matches(rest.as_str(), tail))
        }
        (Some(letter), Some(first)) if letter == '?' || letter == first => {
            matches(rest.as_str(), text.get(first.len_utf8()..).unwrap_or_default())
        }
        (Some(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::sshd::Line;
    use std::collections::BTreeMap;

    /// What sshd has against `ops`, by one setting.
    fn refused(keyword: &str, value: &str) -> Option<(String, Fault)> {
        let (user, home) = (Account::new("ops").unwrap(), AbsPath::new("/home/ops").unwrap());
        let (groups, keys) = (["ops", "sudo"].map(str::to_owned).into(), home.join(".ssh/authorized_keys").unwrap());
        let login = KeyLogin { user: &user, groups: &groups, home: &home, keys: &keys };
        let line = Line {
            file: "/etc/ssh/sshd_config".into(),
            number: 7,
            keyword: keyword.into(),
            value: value.into(),
            matched: false,
        };
        let effective = BTreeMap::from([(user.clone(), BTreeMap::from([(keyword.to_owned(), value.to_owned())]))]);
        login.refused(&Sshd { effective, lines: vec![line], options: Vec::new() })
    }

    #[test]
    fn what_refuses_is_named_with_its_place() {
        for (keyword, value) in [
            ("allowusers", "root deploy"),
            ("denyusers", "o?s"),
            ("allowgroups", "sshadmins"),
            ("denygroups", "su*"),
            ("authorizedkeysfile", "/etc/ssh/authorized_keys/%u"),
            ("authorizedkeysfile", ".ssh/authorized_keys2"),
            ("forcecommand", "/usr/sbin/nologin"),
            ("chrootdirectory", "/srv/%u"),
            ("authorizedkeysfile", "none"),
            ("authenticationmethods", "publickey,password"),
        ] {
            let (_, fault) = refused(keyword, value).unwrap_or_else(|| panic!("{keyword} {value} is let through"));
            assert!(fault.message.contains(&format!(" {value}` (/etc/ssh/sshd_config:7)")), "{}", fault.message);
        }
    }

    #[test]
    fn what_lets_in_is_nothing() {
        for (keyword, value) in [
            ("allowusers", "root o*"),
            ("allowusers", "ops@192.0.2.0/24"),
            ("denyusers", "root op"),
            ("allowgroups", "sshadmins sudo"),
            ("allowgroups", "ops"),
            ("authorizedkeysfile", ".ssh/authorized_keys .ssh/authorized_keys2"),
            ("authorizedkeysfile", "/etc/keys/%u %h/.ssh/authorized_keys"),
            ("forcecommand", "none"),
            ("authenticationmethods", "any"),
            ("authenticationmethods", "publickey,password publickey"),
        ] {
            assert_eq!(refused(keyword, value), None, "{keyword} {value}");
        }
    }
}
