//! What the policy says of a tool call: the host's own, or one that is not on a host yet.

use super::{Job, RunError, Session, Watch};
use crate::act::{Act, Text};
use crate::fault::Fault;
use crate::resource::program;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const TEST: &str = include_str!("../../remote/run/policy-test.py");
/// Where a host has the package.
const FOLDER: &str = "/usr/lib/petasos";

/// Python without the user's own modules; the program comes on standard input.
pub const ARGV: [&str; 5] = ["python3", "-I", "-S", "-B", "-"];

/// The package's name on a host, and there only.
pub const PACKAGE: &str = "petasos_policy";

/// A tool call that nobody makes.
#[derive(Debug, Clone, Serialize)]
pub struct Request {
    pub tool: String,
    pub args: Value,
    /// In place of the host's own.
    pub policy: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Allow,
    Refuse,
    /// A person decides.
    Ask,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explained {
    pub verdict: Verdict,
    pub rule: String,
    pub reason: String,
    /// Of `approvals`.
    pub mode: String,
    pub tool: String,
    /// The words of each command, where it is plain enough to have some.
    pub argv: Vec<Vec<String>>,
    /// What would run, with each word quoted anew.
    pub runs: Option<String>,
    /// Entries of `approvals` that would allow it, where any could: `allow: git log *`.
    pub would_allow: Vec<String>,
}

/// The files of the package, by name.
pub fn package() -> impl Iterator<Item = (&'static str, &'static str)> {
    program::texts("policy")
}

/// The program that asks the package in `folder`, for the standard input of [`ARGV`].
///
/// # Errors
/// When the request cannot be written as JSON.
pub fn program(folder: &str, request: &Request) -> Result<String, Fault> {
    let literal = |text: &str| serde_json::to_string(text);
    let call = || {
        let request = serde_json::to_string(request)?;
        // A string of JSON is one of Python, too.
        Ok(format!("{TEST}\ntest({}, {})\n", literal(folder)?, literal(&request)?))
    };
    call().map_err(|error: serde_json::Error| Fault::new(error.to_string()))
}

/// What the program printed.
///
/// # Errors
/// When it is no answer.
pub fn answer(out: &[u8]) -> Result<Explained, Fault> {
    serde_json::from_slice(out).map_err(|error| Fault::new(format!("the policy's answer cannot be parsed: {error}")))
}

impl Job {
    /// Asks the policy that the host has.
    ///
    /// # Errors
    /// When the host has none, or cannot be asked.
    pub async fn test_policy(&self, request: &Request, watch: &Watch) -> Result<Explained, RunError> {
        let stdin = program(FOLDER, request).map_err(|fault| self.host_error(fault))?;
        let mut session = Session::open(self, watch).await?;
        let act = Act::Run { argv: ARGV.map(str::to_owned).to_vec(), stdin: Some(Text::secret(stdin)) };
        let asked = session.first_frame("policy", &act).await;
        session.close().await;
        let frame = asked?;
        if frame.rc != 0 {
            return Err(self.host_error(Fault::new(frame.error_text()).hint("`petasos up` writes the host's policy")));
        }
        answer(&frame.out).map_err(|fault| self.host_error(fault))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_whole() {
        let names: Vec<&str> = package().map(|(name, _)| name).collect();
        for needed in ["__init__.py", "deny.py", "explain.py", "lexer.py", "rules.py", "settings.py"] {
            assert!(names.contains(&needed), "{needed}");
        }
    }

    #[test]
    fn a_request_is_one_literal_whatever_is_in_it() {
        let args = serde_json::json!({ "command": "a \" ' \\ \n \u{2028} é" });
        let request = Request { tool: "terminal".into(), args, policy: None };
        let text = program("/x", &request).unwrap();
        assert!(
            text.ends_with(")\n") && text.trim_end().lines().last().unwrap().starts_with("test(\"/x\", \""),
            "{text}"
        );
    }
}
