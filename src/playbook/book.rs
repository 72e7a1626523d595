//! The form of a playbook.

use super::Renderer;
use crate::resource::{Risk, Spec, registry};
use crate::yaml;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A playbook with its values filled in.
#[derive(Debug, Clone)]
pub struct Playbook {
    /// Its file, for messages.
    pub name: String,
    pub entries: Vec<Entry>,
}

macro_rules! entry {
    ($($key:ident: $module:ident),* $(,)?) => {
        /// One step of a playbook: a name, conditions, and one resource of one kind.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Entry {
            /// What it is for, in the words of the hardening checklist.
            pub name: String,
            /// An expression; the entry is left out where it does not hold.
            #[serde(default, skip_serializing_if = "String::is_empty")]
            pub when: String,
            /// `lockout` for what may shut people out when it is done wrong.
            #[serde(default)]
            pub risk: Risk,
            $(
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $key: Option<crate::resource::$module::Spec>,
            )*
        }

        /// The keys of all kinds.
        pub const KINDS: &[&str] = &[$(stringify!($key)),*];

        impl Entry {
            fn specs(&self) -> Vec<&dyn Spec> {
                let mut specs: Vec<&dyn Spec> = Vec::new();
                $(specs.extend(self.$key.as_ref().map(|spec| spec as &dyn Spec));)*
                specs
            }
        }
    };
}
registry!(entry);

impl Entry {
    /// Its one resource.
    pub fn spec(&self) -> &dyn Spec {
        // `read` lets no entry pass that has not exactly one.
        self.specs().into_iter().next().unwrap_or(&Nothing)
    }
}

/// Stands for an entry without a resource, which no reading lets pass.
struct Nothing;

impl Spec for Nothing {
    fn queries(&self, _: &mut std::collections::BTreeSet<crate::fact::Query>) {}
    fn resolve(
        &self,
        _: &crate::resource::ResolveContext<'_>,
    ) -> Result<Vec<Box<dyn crate::resource::Resource>>, String> {
        Err("it has no resource".into())
    }
}

impl Playbook {
    /// Reads a playbook and fills in the values.
    ///
    /// # Errors
    /// With file, line and caret where the text is wrong; with the entry's name where a value is.
    pub fn read(name: &str, text: &str, renderer: &Renderer) -> Result<Self, String> {
        let raw: Vec<Entry> = yaml::read(name, text)?;
        let entries: Result<Vec<Entry>, String> = raw
            .into_iter()
            .map(|entry| {
                let place = |why: String| format!("`{}` in {name}: {why}", entry.name);
                match entry.specs().len() {
                    1 => render(&entry, renderer).map_err(place),
                    0 => Err(place(format!("it has no resource\nhint: give it one of {}", KINDS.join(", ")))),
                    _ => Err(place("it has more than one resource\nhint: one entry, one resource".into())),
                }
            })
            .collect();
        Ok(Self { name: name.to_owned(), entries: entries? })
    }
}

/// Renders every text but those that wait for the host.
fn render<T: Serialize + DeserializeOwned>(entry: &T, renderer: &Renderer) -> Result<T, String> {
    let mut value = serde_json::to_value(entry).map_err(|error| error.to_string())?;
    walk(&mut value, renderer)?;
    if let Some(text) = open(&value) {
        return Err(format!("`{text}` still has a `{{{{` after its values were filled in"));
    }
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// Texts that are rendered only after the host was looked at.
fn waits(key: &str) -> bool {
    matches!(key, "when" | "content" | "template")
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

fn walk(value: &mut Value, renderer: &Renderer) -> Result<(), String> {
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
