//! What may be done to a host, as data.

use crate::name::{AbsPath, Account, Mode};
use crate::shell::{PutArgs, Script};
use serde::{Serialize, Serializer};
use std::fmt;

/// Text that goes into a file or to a command's standard input. A secret one is never shown: not by
/// `Debug`, not by `Serialize`.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    text: String,
    secret: bool,
}

impl Text {
    pub fn open(text: impl Into<String>) -> Self {
        Self { text: text.into(), secret: false }
    }

    pub fn secret(text: impl Into<String>) -> Self {
        Self { text: text.into(), secret: true }
    }

    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// The text itself, for the script and for comparisons; not for people's eyes.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The text as it may be shown.
    pub fn shown(&self) -> &str {
        if self.secret { "********" } else { &self.text }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.shown())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.shown())
    }
}

/// A file to put in place, whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Put {
    pub path: AbsPath,
    pub content: Text,
    pub owner: Account,
    pub group: Account,
    pub mode: Mode,
    /// A command that must accept the new file before it replaces the old one; `{}` stands for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub check: Vec<String>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A command; what it reads on standard input is in no process list.
    Run {
        argv: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        stdin: Option<Text>,
    },
    /// A fixed text of shell, with arguments.
    Sh {
        #[serde(skip)]
        text: &'static str,
        /// What the text does, for people.
        what: &'static str,
        args: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        stdin: Option<Text>,
    },
    Put(Put),
    Remove(AbsPath),
}

impl Act {
    pub fn run<W: Into<String>>(argv: impl IntoIterator<Item = W>) -> Self {
        Self::Run { argv: argv.into_iter().map(Into::into).collect(), stdin: None }
    }

    pub fn sh<W: Into<String>>(what: &'static str, text: &'static str, args: impl IntoIterator<Item = W>) -> Self {
        Self::Sh { text, what, args: args.into_iter().map(Into::into).collect(), stdin: None }
    }

    /// Writes itself into the script's current step.
    pub fn write(&self, script: &mut Script) {
        match self {
            Self::Run { argv, stdin } => script.run(argv, stdin.as_ref().map(Text::reveal)),
            Self::Sh { text, args, stdin, .. } => script.sh(text, args, stdin.as_ref().map(Text::reveal)),
            Self::Put(put) => script.put(&PutArgs {
                path: put.path.as_str(),
                owner: put.owner.as_str(),
                group: put.group.as_str(),
                mode: put.mode.as_str(),
                content: put.content.reveal(),
                check: &put.check,
            }),
            Self::Remove(path) => script.remove(path.as_str()),
        }
    }
}
