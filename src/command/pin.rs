//! `petasos pin`: a version or a tag becomes facts in `petasos.lock`.
use crate::config::lock::{LockError, LockFile, Release};
use crate::pin::request::Request;
use crate::pin::resolve;
use crate::ui;
use semver::Version;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct PinArgs {
    /// The release: its version (`0.19.0`) or its tag (`v2026.7.20`)
    #[arg(value_name = "VERSION|TAG")]
    pub release: String,
    /// Where releases come from: any git URL or path [default: the source in the lock, else
    /// upstream]
    #[arg(long, value_name = "URL")]
    pub source: Option<String>,
    /// The lock file to write
    #[arg(long, value_name = "FILE", default_value = "petasos.lock")]
    pub lock: PathBuf,
    /// Pin for this host only; the default release stays as it is
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// Report as JSON
    #[arg(long)]
    pub json: bool,
}

pub async fn run(args: PinArgs) -> anyhow::Result<ExitCode> {
    let target: Request = args.release.parse()?;
    let mut lock = match LockFile::load(&args.lock) {
        Err(LockError::Missing(_)) => LockFile::default(),
        read => read?,
    };
    let source = args.source.unwrap_or_else(|| default_source(&lock));
    let (version, release) = resolve::resolve(&source, &target, &lock).await?;
    let changes = resolve::add_release(&mut lock, args.host.as_deref(), &version, &release);
    if !changes.is_empty() {
        lock.save(&args.lock)?;
    }
    match args.json {
        true => ui::json_line(&json!({ "version": version, "release": release, "changes": changes }))?,
        false => ui::out(&text(&version, &release, &changes))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The source that the default release came from: a mirror, once chosen, stays chosen.
fn default_source(lock: &LockFile) -> String {
    let known = lock.release.as_ref().and_then(|version| lock.releases.get(version));
    known.map_or_else(|| resolve::SOURCE.to_owned(), |release| release.source.clone())
}

fn text(version: &Version, release: &Release, changes: &[String]) -> String {
    let signed = match release.signed {
        true => "yes (not verified)",
        false => "no",
    };
    let rows = [
        ("release", version.to_string()),
        ("tag", release.tag.to_string()),
        ("commit", release.commit.to_string()),
        ("tree", release.tree.to_string()),
        ("archive", format!("sha256:{}", release.archive_sha256)),
        ("uv.lock", format!("sha256:{}", release.uv_lock_sha256)),
        ("python", release.requires_python.clone()),
        ("signed", signed.to_owned()),
        ("source", release.source.clone()),
    ];
    let mut out: String = rows.iter().map(|(key, value)| format!("{key:<8} {value}\n")).collect();
    out += &match changes.len() {
        0 => "0 changes\n".to_owned(),
        _ => changes.iter().map(|change| format!("changed  {change}\n")).collect(),
    };
    out
}
