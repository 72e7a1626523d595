//! The form of a playbook.

use super::Renderer;
use crate::fault::Fault;
use crate::resource::env_file::StringList;
use crate::resource::{ResourceSpec, Risk, registry};
use crate::yaml;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// A playbook with its values filled in.
#[derive(Debug, Clone)]
pub struct Playbook {
    /// Its file, for messages.
    pub name: String,
    /// In order; what stands in a group stands here one by one.
    pub entries: Vec<Entry>,
}

/// One step of a playbook: a name, conditions, and one resource of one kind.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What it is for, in the words of the hardening checklist.
    pub name: String,
    /// Expressions; the entry is left out unless all of them hold.
    pub when: Vec<String>,
    pub risk: Risk,
    /// The ids of the controls that it is a part of.
    pub controls: BTreeSet<String>,
    pub resource: Member,
}

macro_rules! entry {
    ($($key:ident: $module:ident),* $(,)?) => {
        /// An entry as it is written: with one resource, or as a group with several.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            name: String,
            /// An expression; the entry is left out where it does not hold.
            #[serde(default, skip_serializing_if = "String::is_empty")]
            when: String,
            /// `lockout` for what may shut people out when it is done wrong.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            risk: Option<Risk>,
            #[serde(default)]
            control: StringList,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            resources: Option<Vec<Member>>,
            $(
                #[serde(default, skip_serializing_if = "Option::is_none")]
                $key: Option<crate::resource::$module::Spec>,
            )*
        }

        /// One resource of one kind, with what it has of its own where it stands in a group.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Member {
            #[serde(default, skip_serializing_if = "String::is_empty")]
            when: String,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            risk: Option<Risk>,
            #[serde(default)]
            control: StringList,
            $(
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $key: Option<crate::resource::$module::Spec>,
            )*
        }

        /// The keys of all kinds.
        pub const KINDS: &[&str] = &[$(stringify!($key)),*];

        impl Member {
            fn specs(&self) -> Vec<&dyn ResourceSpec> {
                let mut specs: Vec<&dyn ResourceSpec> = Vec::new();
                $(specs.extend(self.$key.as_ref().map(|spec| spec as &dyn ResourceSpec));)*
                specs
            }
        }

        impl Written {
            /// Its own resource.
            fn member(&self) -> Member {
                Member {
                    when: String::new(),
                    risk: None,
                    control: StringList::None,
                    $($key: self.$key.clone(),)*
                }
            }
        }
    };
}
registry!(entry);

impl Written {
    /// Its resources, each as an entry.
    ///
    /// # Errors
    /// When it has none, or one of them is none, or more than one.
    fn entries(self) -> Result<Vec<Entry>, Fault> {
        let own = self.member();
        let members = match (&self.resources, own.specs().is_empty()) {
            (None, _) => return own.is_one().map(|()| vec![self.entry(own)]),
            (Some(_), false) => {
                return Err(
                    Fault::new("it has both a resource and `resources`").hint("list all of them under `resources`")
                );
            }
            (Some(members), true) => members.clone(),
        };
        if members.is_empty() {
            return Err(nothing());
        }
        let of_group = |(at, member): (usize, Member)| {
            member.is_one().map_err(|fault| fault.at(format!("number {} of its resources", at + 1)))?;
            Ok(self.entry(member))
        };
        members.into_iter().enumerate().map(of_group).collect()
    }

    fn entry(&self, member: Member) -> Entry {
        let control = if member.control == StringList::None { &self.control } else { &member.control };
        Entry {
            name: self.name.clone(),
            when: [&self.when, &member.when].into_iter().filter(|when| !when.is_empty()).cloned().collect(),
            risk: member.risk.or(self.risk).unwrap_or_default(),
            controls: control.list().into_iter().collect(),
            resource: member,
        }
    }
}

fn nothing() -> Fault {
    Fault::new("it has no resource").hint(format!("give it one of {}", KINDS.join(", ")))
}

impl Member {
    fn is_one(&self) -> Result<(), Fault> {
        match self.specs().len() {
            1 => Ok(()),
            0 => Err(nothing()),
            _ => Err(Fault::new("it has more than one resource")
                .hint("one entry, one resource; several go under `resources`")),
        }
    }
}

impl Entry {
    /// Its one resource.
    pub fn spec(&self) -> &dyn ResourceSpec {
        // `read` lets no entry pass that has not exactly one.
        self.resource.specs().into_iter().next().unwrap_or(&Nothing)
    }
}

/// Stands for an entry without a resource, which no reading lets pass.
struct Nothing;

impl ResourceSpec for Nothing {
    fn queries(&self, _: &mut BTreeSet<crate::fact::Query>) {}
    fn resolve(
        &self,
        _: &crate::resource::ResolveContext<'_>,
    ) -> Result<Vec<Box<dyn crate::resource::Resource>>, Fault> {
        Err(Fault::new("it has no resource"))
    }
}

impl Playbook {
    /// Reads a playbook and fills in the values.
    ///
    /// # Errors
    /// With file, line and caret where the text is wrong; with the entry's name where a value is.
    pub fn read(name: &str, text: &str, renderer: &Renderer) -> Result<Self, Fault> {
        let raw: Vec<Written> = yaml::read(name, text)?;
        let mut entries = Vec::new();
        for entry in raw {
            let place = |fault: Fault| fault.at(format!("`{}` in {name}", entry.name));
            // What is missing is reported before what cannot be filled in.
            entry.clone().entries().map_err(place)?;
            entries.extend(render(&entry, renderer).and_then(Written::entries).map_err(place)?);
        }
        Ok(Self { name: name.to_owned(), entries })
    }
}

/// Renders every text but those that wait for the host.
fn render<T: Serialize + DeserializeOwned>(entry: &T, renderer: &Renderer) -> Result<T, Fault> {
    let mut value = serde_json::to_value(entry).map_err(|error| Fault::new(error.to_string()))?;
    walk(&mut value, renderer)?;
    if let Some(text) = open(&value) {
        return Err(Fault::new(format!("`{text}` still has a `{{{{` after its values were filled in")));
    }
    serde_json::from_value(value).map_err(|error| Fault::new(error.to_string()))
}

/// Texts that are rendered only after the facts are gathered.
fn waits(key: &str) -> bool {
    matches!(key, "when" | "content" | "template" | "ssh_port")
}

/// A text that came out of the rendering with a `{{` in it: names with that in them are not
/// checked.
fn open(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => text.contains("{{").then_some(text.as_str()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
        Value::Array(values) => values.iter().find_map(open),
        Value::Object(fields) => fields.iter().filter(|(key, _)| !waits(key)).find_map(|(_, value)| open(value)),
    }
}

fn walk(value: &mut Value, renderer: &Renderer) -> Result<(), Fault> {
    match value {
        Value::String(text) if text.contains("{{") || text.contains("{%") => *text = renderer.text(text)?,
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::Array(values) => {
            for value in values {
                walk(value, renderer)?;
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                if !waits(key) {
                    walk(value, renderer)?;
                }
            }
        }
    }
    Ok(())
}
