//! Filling in `{{ … }}`.

use crate::fact::Facts;
use crate::fault::Fault;
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use tera::{Context, Tera};

/// Where sshd listens without any setting.
const SSH: u16 = 22;

/// Renders texts and named templates with what `petasos.yaml` says, and later with what the host
/// is.
#[derive(Clone)]
pub struct Renderer {
    tera: Tera,
    context: Context,
}

impl Renderer {
    /// # Errors
    /// When a template does not parse; the message has its name, line and caret.
    pub fn new(templates: &BTreeMap<String, String>, vars: &Value) -> Result<Self, Fault> {
        let mut tera = Tera::default();
        // Nothing here becomes HTML; where a value goes into YAML, the template says `| json`.
        tera.autoescape_on(Vec::<&'static str>::new());
        tera.register_filter("json", |value: &tera::Value, _: tera::Kwargs, _: &tera::State<'_>| {
            let json = serde_json::to_string(value).map_err(tera::Error::message)?;
            // The agent's YAML reader rejects a file for one odd letter, and then runs without its
            // policy.
            Ok::<_, tera::Error>(crate::release::quote::yaml(&json))
        });
        tera.add_raw_templates(templates.iter().map(|(name, text)| (name.as_str(), text.as_str()))).map_err(fault)?;
        let context = Context::from_serialize(vars).map_err(fault)?;
        Ok(Self { tera, context })
    }

    /// The same, knowing the host as `host`, and its SSH's port: `ssh_port`, where it is or will
    /// be, and `moved_port`, the same where that is to be written down, else empty.
    pub fn with_host(&self, facts: &Facts) -> Self {
        let mut known = self.clone();
        known.context.insert("host", &facts.host);
        let own = facts.host.as_ref().map_or(SSH, |host| host.ssh_port);
        let wished = known.context.get("moved_port").and_then(|port| port.as_str()?.parse().ok());
        let port: u16 = wished.unwrap_or(own);
        known.context.insert("ssh_port", &port);
        if port != SSH {
            known.context.insert("moved_port", &port.to_string());
        }
        known
    }

    /// # Errors
    /// When there is no such template, or it names a value that is not there.
    pub fn template(&self, name: &str) -> Result<String, Fault> {
        self.tera.render(name, &self.context).map_err(fault)
    }

    /// # Errors
    /// When the text does not parse, or names a value that is not there.
    pub fn text(&self, text: &str) -> Result<String, Fault> {
        self.tera.render_str(text, &self.context, false).map_err(fault)
    }

    /// Whether a condition holds; an empty one does.
    ///
    /// # Errors
    /// As for [`Renderer::text`].
    pub fn holds(&self, condition: &str) -> Result<bool, Fault> {
        if condition.is_empty() {
            return Ok(true);
        }
        Ok(self.text(&format!("{{% if {condition} %}}yes{{% endif %}}"))? == "yes")
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` takes")]
fn fault(error: tera::Error) -> Fault {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    Fault::new(message.trim_start_matches("error: "))
}
