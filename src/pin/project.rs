//! The `pyproject.toml` of a release.
use anyhow::Context;

/// What a `pyproject.toml` says of its package.
#[derive(Debug)]
pub struct Project {
    pub name: String,
    pub version: String,
    pub requires_python: String,
}

impl Project {
    /// # Errors
    /// It is not TOML, or one of the three is not a plain string in its `[project]`.
    pub fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        let document: toml_edit::DocumentMut = std::str::from_utf8(bytes)?.parse()?;
        let field = |name: &str| {
            let table = document.get("project").and_then(|item| item.as_table_like());
            let value = table.and_then(|table| table.get(name)?.as_str());
            value.map(str::to_owned).with_context(|| format!("no `{name}` in its `[project]`"))
        };
        Ok(Self { name: field("name")?, version: field("version")?, requires_python: field("requires-python")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_without_a_version_is_an_error() {
        let error = Project::read(b"[project]\nname = \"x\"\n").unwrap_err();
        assert!(error.to_string().contains("`version`"));
        assert!(Project::read(b"[project\n").is_err());
    }
}
