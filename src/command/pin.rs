//! `petasos pin`: a version or a tag becomes facts in `petasos.lock`.
use crate::config::lock::{LockError, LockFile, Release};
use crate::fault::Fault;
use crate::pin::request::Request;
use crate::pin::resolve::{self, Resolved};
use crate::pin::verdict::Verdict;
use crate::ui::{self, exit};
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
    let mut lock = read(&args.lock)?;
    let source = args.source.unwrap_or_else(|| default_source(&lock));
    let Resolved { version, mut release, verdict } = resolve::resolve(&source, &target, &lock).await?;
    // The suite's review of this very source stays.
    let stands = lock.releases.get(&version).and_then(|known| known.policy.clone());
    release.policy = release.policy.or(stands.filter(|policy| verdict.is_covered(policy)));
    let refused = release.policy.is_none();
    let mut changes = Vec::new();
    if !refused {
        changes = resolve::add_release(&mut lock, args.host.as_deref(), &version, &release);
        if !changes.is_empty() {
            lock.save(&args.lock)?;
        }
    }
    let review = release.policy.as_ref().map_or("refused".to_owned(), |policy| policy.review.to_string());
    match args.json {
        true => ui::json_line(&json!({
            "version": version, "release": release, "changes": changes, "review": review,
            "differences": verdict.differences,
        }))?,
        false => ui::out(&text(&version, &release, &review, &verdict, &changes))?,
    }
    if refused {
        ui::error(&refusal(&version, &verdict));
        return Ok(ExitCode::from(exit::ERROR));
    }
    Ok(ExitCode::SUCCESS)
}

/// The lock, or a new one.
///
/// # Errors
/// It is there and cannot be used.
pub fn read(path: &std::path::Path) -> Result<LockFile, LockError> {
    match LockFile::load(path) {
        Err(LockError::Missing(_)) => Ok(LockFile::default()),
        read => read,
    }
}

/// The source that the default release came from: a mirror, once chosen, stays chosen.
pub fn default_source(lock: &LockFile) -> String {
    let known = lock.release.as_ref().and_then(|version| lock.releases.get(version));
    known.map_or_else(|| resolve::SOURCE.to_owned(), |release| release.source.clone())
}

fn refusal(version: &Version, verdict: &Verdict) -> Fault {
    let found = verdict.differences.len();
    let plural = if found == 1 { "" } else { "s" };
    Fault::new(format!(
        "release {version} is refused: {found} difference{plural} from the releases that were reviewed, so nothing is written"
    ))
    .hint(format!(
        "stay with the release you have, or read what differs and try it on a lab host: `petasos lab review {version}`"
    ))
}

fn text(version: &Version, release: &Release, review: &str, verdict: &Verdict, changes: &[String]) -> String {
    let signed = match release.signed {
        true => "yes (not verified)",
        false => "no",
    };
    let python = match &release.python {
        Some(python) => {
            format!("{} (downloads {} where a host's own does not fit)", release.requires_python, python.version)
        }
        None => release.requires_python.clone(),
    };
    let rows = [
        ("release", version.to_string()),
        ("tag", release.tag.to_string()),
        ("commit", release.commit.to_string()),
        ("tree", release.tree.to_string()),
        ("archive", format!("sha256:{}", release.archive_sha256)),
        ("uv.lock", format!("sha256:{}", release.uv_lock_sha256)),
        ("python", python),
        ("signed", signed.to_owned()),
        ("source", release.source.clone()),
        ("review", review.to_owned()),
    ];
    let mut out: String = rows.iter().map(|(key, value)| format!("{key:<8} {value}\n")).collect();
    out += &differences(verdict);
    out += &match changes.len() {
        0 => "0 changes\n".to_owned(),
        _ => changes.iter().map(|change| format!("changed  {change}\n")).collect(),
    };
    out
}

/// What differs, by file.
pub fn differences(verdict: &Verdict) -> String {
    let (mut out, mut file) = (String::new(), None);
    for difference in &verdict.differences {
        if file != Some(&difference.path) {
            file = Some(&difference.path);
            let path = if difference.path.is_empty() { "(anywhere)" } else { &difference.path };
            out += &format!("differs  {path}\n");
        }
        let held = if difference.is_sandboxed() { " (the kernel refuses it while `sandbox` is on)" } else { "" };
        out += &format!("           {difference}{held}\n");
    }
    out
}
