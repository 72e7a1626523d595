//! A user, with the keys that open it.

use super::file::File;
use super::sshd_login::KeyLogin;
use super::{Change, ResolveContext, Resource, Risk, Touches, directory};
use crate::act::{Act, Text};
use crate::fact::account::UserAccount;
use crate::fact::{Facts, Query, Seen, seen};
use crate::fault::Fault;
use crate::name::{AbsPath, Account, Mode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub name: Account,
    /// Takes its number from the range for services.
    #[serde(default)]
    pub system: bool,
    pub home: AbsPath,
    pub shell: AbsPath,
    /// The primary group, which must exist; by default one of the user's name, made with the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Account>,
    /// All its other groups: it is taken out of the rest, unless it is one that people log in as.
    #[serde(default)]
    pub groups: Vec<Account>,
    /// The public keys that may log in, one a line; all others go.
    #[serde(default)]
    pub authorized_keys: String,
    /// Where the keys come from when none are given: the user's own file if it has keys, else the
    /// first of these that has some.
    #[serde(default)]
    pub authorized_keys_from: Vec<AbsPath>,
}

impl Spec {
    pub(super) fn wants_keys(&self) -> bool {
        !self.authorized_keys.trim().is_empty() || !self.authorized_keys_from.is_empty()
    }

    pub(super) fn ssh_dir(&self) -> Result<AbsPath, Fault> {
        self.home.join(".ssh")
    }

    pub(super) fn keys_file(&self) -> Result<AbsPath, Fault> {
        self.ssh_dir()?.join("authorized_keys")
    }

    /// The primary group: that of somebody who logs in stays, where none is asked for.
    fn kept_group(&self, facts: &Facts) -> Account {
        let is = facts.users.get(&self.name).and_then(Seen::is).filter(|_| self.wants_keys() && self.group.is_none());
        is.and_then(|user| Account::new(&user.group).ok()).unwrap_or_else(|| self.primary().clone())
    }

    fn primary(&self) -> &Account {
        self.group.as_ref().unwrap_or(&self.name)
    }

    /// Whether nobody logs in as this user: it takes its number from the range for services, and
    /// has it where it exists.
    fn is_service(&self, facts: &Facts) -> bool {
        let nobodys = NO_SHELLS.contains(&self.shell.as_str());
        let number = facts.users.get(&self.name).and_then(Seen::is).map(|user| user.uid);
        self.system && nobodys && !self.wants_keys() && number.is_none_or(|uid| (1..1000).contains(&uid))
    }
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.insert(Query::User(self.name.clone()));
        queries.insert(Query::Group(self.primary().clone()));
        if self.wants_keys() {
            queries.insert(Query::Sshd(self.name.clone()));
            let own = self.keys_file();
            let second = self.second_keys_file();
            queries.extend([self.ssh_dir(), own.clone(), second].into_iter().flatten().map(Query::Path));
            queries.extend(own.into_iter().chain(self.authorized_keys_from.clone()).map(Query::Text));
        }
    }

    fn resolve(&self, context: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        let mut resources: Vec<Box<dyn Resource>> =
            vec![Box::new(User { spec: self.clone(), is_service: self.is_service(context.facts) })];
        if self.wants_keys() {
            let (owner, group) = (self.name.clone(), self.kept_group(context.facts));
            resources.push(Box::new(directory::Spec {
                path: self.ssh_dir()?,
                owner: owner.clone(),
                group: group.clone(),
                mode: Mode::new("0700")?,
            }));
            resources.push(Box::new(File {
                path: self.keys_file()?,
                content: Text::open(self.keys(context.facts)?),
                owner,
                group,
                mode: Mode::new("0600")?,
                check: Vec::new(),
            }));
        }
        Ok(resources)
    }
}

/// The account itself.
struct User {
    spec: Spec,
    is_service: bool,
}

const NO_SHELLS: [&str; 4] = ["/usr/sbin/nologin", "/sbin/nologin", "/usr/bin/false", "/bin/false"];

/// Ends all ageing of an account (chage(1): -1 takes a limit away).
const CHAGE: [&str; 9] = ["chage", "--lastday", "-1", "--maxdays", "-1", "--inactive", "-1", "--expiredate", "-1"];

/// What useradd(8) and usermod(8) write, each with the copy that they leave.
const ACCOUNTS: [&str; 12] = [
    "/etc/passwd",
    "/etc/passwd-",
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/group",
    "/etc/group-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/subuid",
    "/etc/subuid-",
    "/etc/subgid",
    "/etc/subgid-",
];

impl Resource for User {
    fn id(&self) -> String {
        format!("user {}", self.spec.name)
    }

    fn kind(&self) -> &'static str {
        "user"
    }

    /// Its home alone: what is in there is its own.
    fn touches(&self) -> Touches {
        let own = Touches::nothing().path(self.spec.home.as_str());
        let keys = self.spec.second_keys_file().ok().filter(|_| self.spec.wants_keys());
        let own = keys.iter().fold(own, |own, keys| own.path(keys.as_str()));
        ACCOUNTS.into_iter().fold(own, Touches::path)
    }

    fn least_risk(&self) -> Risk {
        if self.is_service { Risk::None } else { Risk::LockoutWhenChanged }
    }

    fn changes(&self, facts: &Facts) -> Result<Vec<Change>, Fault> {
        let spec = &self.spec;
        let user = match seen(&facts.users, &spec.name)? {
            Seen::Absent => {
                let group_is_there = matches!(seen(&facts.groups, spec.primary())?, Seen::Is(_));
                let mut acts = vec![Act::run(spec.useradd(group_is_there))];
                acts.extend(spec.wants_keys().then(|| Act::run(spec.lock())));
                let exists = Change::new("exists", "no", "yes", acts);
                let login = self.login(facts, &BTreeSet::new())?;
                return Ok(std::iter::once(exists).chain(login).collect());
            }
            Seen::Unreadable(why) => return Err(Fault::new(why)),
            Seen::Is(user) => user,
        };
        let mut changes: Vec<Change> = self.others(user).into_iter().chain(self.login(facts, &user.groups)?).collect();
        changes.extend(self.elsewhere(user));
        changes.extend(spec.second_keys(facts)?);
        let mut differ = |field: &str, from: &str, to: &str, argv: [&str; 3]| {
            if from != to {
                let argv = argv.into_iter().chain([spec.name.as_str()]);
                changes.push(Change::new(field, from, to, vec![Act::run(argv)]));
            }
        };
        let groups: BTreeSet<String> = spec.groups.iter().map(ToString::to_string).collect();
        let joined = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(",");
        let (is, want) = (joined(&user.groups), joined(&groups));
        let group = spec.kept_group(facts);
        let (shell, home, group) = (spec.shell.as_str(), spec.home.as_str(), group.as_str());
        differ("shell", &user.shell, shell, ["usermod", "--shell", shell]);
        differ("home", &user.home, home, ["usermod", "--home", home]);
        differ("group", &user.group, group, ["usermod", "--gid", group]);
        if !spec.wants_keys() {
            differ("groups", &is, &want, ["usermod", "--groups", &want]);
        }
        let missing: BTreeSet<String> = groups.difference(&user.groups).cloned().collect();
        if spec.wants_keys() && !missing.is_empty() {
            // What else it is in, sshd or others may ask for.
            let act = Act::run(["usermod", "--append", "--groups", &joined(&missing), spec.name.as_str()]);
            let all = user.groups.union(&groups).cloned().collect();
            changes.push(Change::new("groups", is, joined(&all), vec![act]));
        }
        if spec.wants_keys() && !user.ageing.is_empty() {
            // Nobody has a password to change in time.
            let argv = CHAGE.into_iter().chain([spec.name.as_str()]);
            changes.push(Change::new("ageing", &user.ageing, "never", vec![Act::run(argv)]));
        }
        if !user.locked {
            changes.push(Change::new("password", "set", "locked", vec![Act::run(spec.lock())]));
        } else if spec.wants_keys() && user.barred {
            let from = "locked by `!`, for keys too where sshd is without PAM";
            changes.push(Change::new("password", from, "locked by `*`", vec![Act::run(spec.lock())]));
        }
        if spec.name.as_str() != "root" && user.uid == 0 {
            return Err(Fault::new(format!("the user `{}` has uid 0: it is root under another name", spec.name)));
        }
        Ok(changes)
    }
}

impl User {
    /// What sshd has against the login, where keys are to open it. `groups`: those that it is in
    /// beside the wanted ones.
    fn login(&self, facts: &Facts, groups: &BTreeSet<String>) -> Result<Option<Change>, Fault> {
        let (spec, sshd) = (&self.spec, facts.sshd.as_ref().and_then(Seen::is));
        let Some(sshd) = sshd.filter(|_| spec.wants_keys()) else { return Ok(None) };
        let wanted = spec.groups.iter().chain([spec.primary()]).map(ToString::to_string);
        let (groups, keys) = (wanted.chain(groups.iter().cloned()).collect(), spec.keys_file()?);
        let login = KeyLogin { user: &spec.name, groups: &groups, home: &spec.home, keys: &keys };
        Ok(login.refused(sshd).map(|(by, fault)| {
            let mut change = Change::new("login", by, "possible", Vec::new());
            change.blocked = Some(fault);
            change
        }))
    }

    /// Somebody who logs in has what is theirs at home: it is not ours to leave behind.
    fn elsewhere(&self, user: &UserAccount) -> Option<Change> {
        let Spec { name, home, .. } = &self.spec;
        let moved = self.spec.wants_keys() && user.home != home.as_str();
        let fault = || {
            Fault::new(format!("`{name}` is there already, with the home `{}` and not `{home}`", user.home)).hint(format!(
                "name another administrator as `admin.user`, or move it on the host: `usermod --move-home --home {home} {name}`"
            ))
        };
        let change = || Change::new("its home", &user.home, home.as_str(), Vec::new());
        moved.then(|| Change { blocked: Some(fault()), ..change() })
    }

    /// Processes of a service's user in units that are not ours: they run under none of its
    /// limits, with all that it may read; and usermod(8) refuses to change an account that has any.
    fn others(&self, user: &UserAccount) -> Option<Change> {
        // One with a shell is there to be logged in as.
        let logs_in = !NO_SHELLS.contains(&self.spec.shell.as_str());
        let ours = |group: &&String| {
            let session = group.contains("/user.slice/");
            let unit = group.rsplit('/').find(|part| part.contains('.')).unwrap_or_default();
            let at_home = user.home == self.spec.home.as_str();
            let service = unit.starts_with("hermes.") || unit.starts_with("petasos-");
            at_home && if session { logs_in } else { service }
        };
        let others: Vec<&str> = user.runs_in.iter().filter(|group| !ours(group)).map(|group| unit_of(group)).collect();
        if !self.spec.system || others.is_empty() {
            return None;
        }
        let (name, list) = (&self.spec.name, others.join(", "));
        let manager = user.runs_in.iter().any(|group| group.contains("/user.slice/"));
        let stop = if manager {
            // logind ends no manager that it has not started itself, and systemd no session.
            format!(
                "`loginctl disable-linger {name}; loginctl terminate-user {name}; systemctl stop user@$(id -u {name})` \
                 on the host, as root, ends what it runs there"
            )
        } else {
            format!("stop what is not needed on the host: `systemctl disable --now {}`", others.join(" "))
        };
        let fault = Fault::new(format!(
            "`{name}` is the user of Petasos's own service on the host, and runs something else there already: {list}"
        ));
        let mut change = Change::new("other processes", list, "none", Vec::new());
        change.blocked = Some(fault.hint(format!("{stop}; then run the same command again")));
        Some(change)
    }
}

/// The unit that a control group is: the innermost one that is named after a service or a scope.
fn unit_of(group: &str) -> &str {
    let named = |part: &&str| part.ends_with(".service") || part.ends_with(".scope");
    group.rsplit('/').find(named).unwrap_or(group)
}

impl Spec {
    /// No password opens it. `!` would bar keys too where sshd is without PAM (sshd(8)).
    fn lock(&self) -> Vec<String> {
        let lock: &[&str] = if self.wants_keys() { &["--password", "*"] } else { &["--lock"] };
        ["usermod"].iter().chain(lock).copied().chain([self.name.as_str()]).map(str::to_owned).collect()
    }

    /// useradd(8) makes no group of the user's name where there is one.
    fn useradd(&self, group_is_there: bool) -> Vec<String> {
        let mut argv: Vec<String> =
            ["useradd", "--home-dir", self.home.as_str(), "--shell", self.shell.as_str()].map(str::to_owned).to_vec();
        if self.system {
            argv.push("--system".into());
        }
        match &self.group {
            Some(group) => argv.extend(["--gid".to_owned(), group.to_string()]),
            None if group_is_there => argv.extend(["--gid".to_owned(), self.name.to_string()]),
            None => argv.push("--user-group".into()),
        }
        if !self.groups.is_empty() {
            let groups = self.groups.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            argv.extend(["--groups".to_owned(), groups]);
        }
        if self.wants_keys() {
            // Whatever login.defs and `useradd -D` have for others.
            argv.extend(["--key", "PASS_MAX_DAYS=-1", "--inactive", "-1", "--expiredate", ""].map(str::to_owned));
        }
        // The home directory is a resource of its own where its mode matters; a login user's is
        // made here, from /etc/skel.
        argv.push(if self.system { "--no-create-home".into() } else { "--create-home".into() });
        argv.push(self.name.to_string());
        argv
    }
}
