//! A program of Petasos's own on the host: a folder of `remote/`, file by file as it is. Nothing is
//! filled in, so the text may have any braces.

use super::file::File;
use super::{ResolveContext, Resource, directory};
use crate::act::Text;
use crate::fact::Query;
use crate::fault::Fault;
use crate::name::{AbsPath, Account, Mode};
use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

static FOLDERS: [(&str, Dir<'_>); 6] = [
    ("alarm", include_dir!("$CARGO_MANIFEST_DIR/remote/alarm")),
    ("audit", include_dir!("$CARGO_MANIFEST_DIR/remote/audit")),
    ("backup", include_dir!("$CARGO_MANIFEST_DIR/remote/backup")),
    ("policy", include_dir!("$CARGO_MANIFEST_DIR/remote/policy")),
    ("sandbox", include_dir!("$CARGO_MANIFEST_DIR/remote/sandbox")),
    ("vault", include_dir!("$CARGO_MANIFEST_DIR/remote/vault")),
];

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Where it goes.
    pub path: AbsPath,
    /// The folder, or one file in it.
    pub source: String,
}

impl Spec {
    /// Its files, by where they go; no name is a single file's.
    fn files(&self) -> Result<BTreeMap<AbsPath, &'static str>, Fault> {
        let (folder, file) = self.source.split_once('/').map_or((self.source.as_str(), None), |(a, b)| (a, Some(b)));
        let known = || FOLDERS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let nothing =
            || Fault::new(format!("there is no program `{}`", self.source)).hint(format!("known are {}", known()));
        let dir = FOLDERS.iter().find(|(name, _)| *name == folder).map(|(_, dir)| dir).ok_or_else(nothing)?;
        let mut files = BTreeMap::new();
        for entry in dir.files() {
            let Some(name) = entry.path().to_str().filter(|name| name.ends_with(".py")) else { continue };
            let text = entry.contents_utf8().ok_or_else(|| Fault::new(format!("`{folder}/{name}` is not text")))?;
            match file {
                None => drop(files.insert(self.path.join(name)?, text)),
                Some(file) if file == name => drop(files.insert(self.path.clone(), text)),
                Some(_) => {}
            }
        }
        if files.is_empty() { Err(nothing()) } else { Ok(files) }
    }

    fn is_folder(&self) -> bool {
        !self.source.contains('/')
    }
}

/// The texts of a program, by the names of its files.
pub fn texts(program: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let dir = FOLDERS.iter().find(|(name, _)| *name == program).map(|(_, dir)| dir);
    let files = dir.into_iter().flat_map(Dir::files);
    files.filter_map(|file| Some((file.path().to_str()?, file.contents_utf8()?)))
}

impl super::ResourceSpec for Spec {
    fn queries(&self, queries: &mut BTreeSet<Query>) {
        queries.extend(self.is_folder().then(|| Query::Path(self.path.clone())));
        // What is not there is an error when it is resolved.
        queries.extend(self.files().into_iter().flat_map(BTreeMap::into_keys).map(Query::Path));
    }

    fn resolve(&self, _: &ResolveContext<'_>) -> Result<Vec<Box<dyn Resource>>, Fault> {
        let (owner, group) = (Account::root(), Account::root());
        let mut resources: Vec<Box<dyn Resource>> = Vec::new();
        if self.is_folder() {
            let (path, mode) = (self.path.clone(), Mode::new("0755")?);
            resources.push(Box::new(directory::Spec { path, owner: owner.clone(), group: group.clone(), mode }));
        }
        for (path, text) in self.files()? {
            resources.push(Box::new(File {
                path,
                content: Text::open(text),
                owner: owner.clone(),
                group: group.clone(),
                mode: Mode::new("0644")?,
                check: Vec::new(),
            }));
        }
        Ok(resources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_of_a_program_is_laid_down_and_nothing_else() {
        for (name, _) in &FOLDERS {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("remote").join(name);
            let here = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let here: BTreeMap<String, String> = here
                .filter(|path| path.extension().is_some_and(|end| end == "py"))
                .map(|path| {
                    (format!("/x/{}", path.file_name().unwrap().display()), std::fs::read_to_string(&path).unwrap())
                })
                .collect();
            let spec = Spec { path: AbsPath::new("/x").unwrap(), source: (*name).to_owned() };
            let files = spec.files().unwrap().into_iter().map(|(path, text)| (path.to_string(), text.to_owned()));
            assert_eq!(
                files.collect::<BTreeMap<_, _>>(),
                here,
                "{name}: `touch src/resource/program.rs` after adding a file"
            );
            assert!(!here.is_empty());
        }
    }
}
