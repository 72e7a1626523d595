//! `petasos incident evidence`: from the host to the operator, whole and signed, and to the vault.

use super::{hex, opened, subject};
use crate::command::hosts::HostArgs;
use crate::command::private_keys::PrivateKeys;
use crate::config::store::Login;
use crate::config::{Settings, atomic};
use crate::fault::Fault;
use crate::run::incident::{Incident, IncidentRecord, Sealed, SealedFile};
use crate::run::{Job, Watch};
use crate::ui;
use crate::ui::report::size;
use anyhow::{Context, Result, bail};
use rustix::fs::statvfs;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Beside petasos.yaml.
const FOLDER: &str = "incidents";
const MANIFEST: &str = "MANIFEST.sha256";
/// Of ssh-keygen's signatures.
const NAMESPACE: &str = "petasos-incident";

/// # Errors
/// When no incident is open, or the evidence does not arrive whole.
pub async fn run(args: &HostArgs) -> Result<ExitCode> {
    let (job, settings) = subject(args, "evidence")?;
    let watch = args.watch(std::slice::from_ref(&job.name), args.json);
    let state = job.incident(&watch).await?;
    let incident = opened(&job, &state)?;
    let sealed = job.seal(&incident, &watch).await?;
    let place = Place { args, job: &job, settings: &settings, watch: &watch };
    let kept = place.keep(&incident, &sealed).await?;
    drop(watch);
    if args.json {
        ui::json(&kept)?;
    } else {
        ui::out(&format!("{}: {}\n", job.name, kept.text()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Where evidence comes from and goes to.
pub struct Place<'a> {
    pub args: &'a HostArgs,
    pub job: &'a Job,
    pub settings: &'a Settings,
    pub watch: &'a Watch,
}

/// What of the evidence is where.
#[derive(Debug, Serialize)]
pub struct Kept {
    pub folder: PathBuf,
    pub files: usize,
    /// The key that signed the manifest, if there was one.
    pub signed_by: Option<PathBuf>,
    /// The snapshot where its backups go, or why there is none; none of a host without a backup.
    pub vault: Option<Result<String, String>>,
}

impl Kept {
    pub fn text(&self) -> String {
        let signed = self.signed_by.as_ref().map_or_else(
            || "NOT SIGNED, for no private key of OpenSSH was usable: `petasos incident evidence HOST --identity FILE` signs it".to_owned(),
            |key| format!("signed with `{}`", key.display()),
        );
        let vault = match &self.vault {
            None => String::new(),
            Some(Ok(snapshot)) => {
                format!("; where its backups go: snapshot {}", ui::line(snapshot.get(..8).unwrap_or_default()))
            }
            Some(Err(why)) => format!("; NOT where its backups go: {}", ui::line(why)),
        };
        format!("{} files in `{}`, as the host sealed them, {signed}{vault}", self.files, self.folder.display())
    }
}

impl Place<'_> {
    /// Brings it here and to the vault, and tells the host that it is here.
    ///
    /// # Errors
    /// When it does not arrive whole here.
    pub async fn keep(&self, incident: &Incident, sealed: &Sealed) -> Result<Kept> {
        let (fetched, vault) = tokio::join!(Box::pin(self.fetch(incident, sealed)), Box::pin(self.send(incident)));
        let folder = fetched?;
        let signed_by = if incident.drill { None } else { self.sign(&folder)? };
        let record = IncidentRecord { fetched: Some(hex(&Sha256::digest(&sealed.manifest))), ..Default::default() };
        self.job.update_incident(&record, self.watch).await?;
        Ok(Kept { folder, files: sealed.files.len(), signed_by, vault })
    }

    async fn send(&self, incident: &Incident) -> Option<Result<String, String>> {
        let backup = self.settings.backup.as_ref().filter(|_| !incident.drill)?;
        if let Some(store) = &backup.repository
            && store.login().and_then(Login::address).is_none()
        {
            return Some(Err(format!(
                "`{}` has a name, and no name is resolved while the host is closed off",
                store.as_str()
            )));
        }
        Some(match self.job.send_evidence(self.watch).await {
            Ok(run) if run.good() => Ok(run.record.map(|record| record.snapshot).unwrap_or_default()),
            Ok(run) => Err(run.record.map_or_else(|| run.said.join(" / "), |record| record.why)),
            Err(error) => Err(error.fault().message),
        })
    }

    /// Into a folder of its own, which takes its name once all of it has come as it was sealed.
    async fn fetch(&self, incident: &Incident, sealed: &Sealed) -> Result<PathBuf> {
        let folder = self.folder(incident)?;
        let all = folder.parent().context("a folder without a parent")?.to_owned();
        let unwritten = |error: io::Error| Fault::new(format!("cannot write below `{}`: {error}", all.display()));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&all);
        made.and_then(|()| std::fs::write(all.join(".gitignore"), "*\n")).map_err(unwritten)?;
        let room = statvfs(&all).map(|disk| disk.f_bavail * disk.f_frsize).map_err(|error| unwritten(error.into()))?;
        let bytes = sealed.files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
        if bytes > room {
            let fault = Fault::new(format!(
                "the evidence has {}, and `{}` has room for {}",
                size(bytes),
                all.display(),
                size(room)
            ));
            bail!(fault.hint(format!("make room, then `petasos incident evidence {}`", self.job.name)));
        }
        let here = tempfile::Builder::new()
            .prefix(".arriving-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&all)
            .map_err(unwritten)?;
        let mut manifest = String::new();
        for file in &sealed.files {
            let digest = digest_of(sealed, file).with_context(|| {
                let fault = Fault::new(format!("`{}` of the evidence is not in its manifest", ui::line(&file.name)));
                fault.at(&self.job.name).to_string()
            })?;
            let mut sink = Sink { file: private(&here.path().join(&file.name))?, digest: Sha256::new() };
            self.job.fetch(&incident.id, file, &mut sink, self.watch).await?;
            sink.file.sync_all()?;
            let arrived = hex(&sink.digest.finalize());
            if arrived != digest {
                let fault = Fault::new(format!("`{}` is not as the host sealed it: {arrived}", file.name));
                bail!(fault.hint(format!("`petasos incident evidence {}` fetches it again", self.job.name)));
            }
            manifest += &format!("{digest}  {}\n", file.name);
        }
        atomic::write(&here.path().join(MANIFEST), manifest.as_bytes(), 0o600)?;
        if incident.drill {
            return Ok(folder);
        }
        match std::fs::read_to_string(folder.join(MANIFEST)) {
            Ok(there) if there == manifest => {}
            Ok(_) => {
                let fault = Fault::new(format!("`{}` is there, with other evidence", folder.display()));
                bail!(fault.hint("move it away, if it is not to be kept where it is"));
            }
            Err(_) => std::fs::rename(here.keep(), &folder).map_err(unwritten)?,
        }
        Ok(folder)
    }

    /// For the operator's eyes, and for no repository.
    fn folder(&self, incident: &Incident) -> Result<PathBuf> {
        let number = |part: &str, digits: usize| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        if !incident.id.split_once('-').is_some_and(|(day, time)| number(day, 8) && number(time, 6)) {
            bail!(Fault::new("the host names its incident in a way that Petasos never does").at(&self.job.name));
        }
        Ok(self.args.files.folder().join(FOLDER).join(format!("{}-{}", self.job.name, incident.id)))
    }

    /// With the operator's ssh key, so that others can tell whose evidence it is.
    fn sign(&self, folder: &Path) -> Result<Option<PathBuf>> {
        let keys = PrivateKeys::of(self.args.age.age_identity.as_deref(), self.args.identity.as_deref());
        let Some(key) = keys.ssh() else { return Ok(None) };
        let manifest = folder.join(MANIFEST);
        let _ = std::fs::remove_file(folder.join(format!("{MANIFEST}.sig")));
        let done = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"])
            .arg(&key)
            .arg(&manifest)
            .stdin(Stdio::null())
            .output();
        match done {
            Ok(done) if done.status.success() => Ok(Some(key)),
            Ok(done) => {
                let said = String::from_utf8_lossy(&done.stderr);
                ui::warning(&format!("`{}` does not sign the evidence: {}", key.display(), ui::line(said.trim())));
                Ok(None)
            }
            Err(error) => Err(Fault::new(format!("ssh-keygen does not run: {error}")).into()),
        }
    }
}

/// As the manifest has it, of a file with a plain name.
fn digest_of<'a>(sealed: &'a Sealed, file: &SealedFile) -> Option<&'a str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !file.name.bytes().all(plain) || file.name.starts_with('.') || file.name == MANIFEST {
        return None;
    }
    let lines = sealed.manifest.lines().filter_map(|line| line.split_once("  "));
    lines.filter(|(_, name)| *name == file.name).map(|(digest, _)| digest).next()
}

fn private(path: &Path) -> Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    Ok(file.map_err(|error| Fault::new(format!("cannot write `{}`: {error}", path.display())))?)
}

/// A file that is digested as it is written.
struct Sink {
    file: File,
    digest: Sha256,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.digest.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
