//! `petasos lab review`: a release that `pin` refuses, tried on a lab host by the behavioural
//! suite. If all is met, petasos.lock gets the review.

use super::demo::Petasos;
use super::pin::{default_source, differences, read};
use crate::calendar::calendar;
use crate::config::lock::{Date, LockFile, Policy, Release, Review, Sha256, Suite};
use crate::fault::Fault;
use crate::lab::{Form, Lab, LabHost};
use crate::pin::git::{self, Repo};
use crate::pin::request::Request;
use crate::pin::resolve::{self, Resolved};
use crate::ui::{self, exit};
use anyhow::{Context, Result, bail};
use include_dir::{Dir, include_dir};
use semver::Version;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use tokio::io::AsyncWriteExt;

#[derive(Debug, clap::Args)]
pub struct ReviewArgs {
    /// The release: its version (`0.20.0`) or its tag (`v2026.8.3`)
    #[arg(value_name = "VERSION|TAG")]
    pub release: String,
    /// Where the release comes from: any git URL or path [default: the source in the lock, else
    /// upstream]
    #[arg(long, value_name = "URL")]
    pub source: Option<String>,
    /// The lock file to write the review to
    #[arg(long, value_name = "FILE", default_value = "petasos.lock")]
    pub lock: PathBuf,
    /// The distribution's suite of the lab host
    #[arg(long)]
    pub suite: Option<String>,
    /// Leave the lab host running
    #[arg(long)]
    pub keep: bool,
    /// Report as JSON
    #[arg(long)]
    pub json: bool,
}

/// The behavioural suite: what is run, and all that it needs.
static SUITE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/remote/review");
/// Takes `--python` (the release's interpreter) and `--package` (the policy), needs no rights, and
/// prints a [`Report`].
const ENTRY: &str = "agent_review.py";
const RUN: &str = include_str!("../../remote/lab/suite.py");

const HOST: &str = "release-review";
/// Under which name the lab's github.com has the release.
const REPOSITORY: &str = "petasos/review";

/// What the suite says.
#[derive(Debug, Deserialize)]
struct Report {
    release: String,
    cases: Vec<Case>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Case {
    name: String,
    ok: bool,
    #[serde(default)]
    detail: String,
}

/// # Errors
/// The release cannot be had, the lab cannot be, or the suite says nothing that can be read.
pub async fn run(args: &ReviewArgs) -> Result<ExitCode> {
    let target: Request = args.release.parse()?;
    let lock = read(&args.lock)?;
    let source = args.source.clone().unwrap_or_else(|| default_source(&lock));
    let lab = Lab::open()?;
    let Resolved { version, release, verdict } = resolve::resolve(&source, &target, &lock).await?;
    if !args.json {
        ui::out(&differences(&verdict))?;
    }
    let trial = Policy { review: Review::Suite, files: verdict.files.clone(), suite: None };
    let trial = Release { policy: Some(trial), ..release.clone() };
    let tried = trying(&lab, args, &version, trial).await;
    if !args.keep {
        lab.down(HOST).await?;
    }
    let report = tried?;
    let failed = report.cases.iter().filter(|case| !case.ok).count();
    if failed == 0 {
        let suite =
            Suite { digest: digest()?, date: today()?, cases: report.cases.len(), differences: verdict.lines() };
        // Written by others meanwhile, maybe: a review takes minutes.
        let mut lock = read(&args.lock)?;
        let policy = Some(verdict.accepted(suite));
        lock.releases.insert(version.clone(), Release { policy, ..release });
        lock.save(&args.lock)?;
    }
    if args.json {
        ui::json_line(&serde_json::json!({
            "version": version, "accepted": failed == 0, "cases": report.cases, "differences": verdict.differences,
        }))?;
    } else {
        ui::out(&text(&report.cases))?;
    }
    if failed > 0 {
        let cases = report.cases.len();
        ui::error(
            &Fault::new(format!("release {version} is refused: {failed} of {cases} cases were not met"))
                .hint("stay with the release you have"),
        );
        return Ok(ExitCode::from(exit::DRIFT));
    }
    ui::note(&format!(
        "the review is in {}; `petasos pin {version}` makes it the release of your hosts",
        args.lock.display()
    ));
    Ok(ExitCode::SUCCESS)
}

fn text(cases: &[Case]) -> String {
    let line = |case: &Case| match case.ok {
        true => format!("met      {}\n", case.name),
        false => {
            format!("not met  {}\n           {}\n", case.name, case.detail.trim_end().replace('\n', "\n           "))
        }
    };
    cases.iter().map(line).collect()
}

/// A lab host with that release, and what the suite says of it.
async fn trying(lab: &Lab, args: &ReviewArgs, version: &Version, release: Release) -> Result<Report> {
    serve(lab, &release).await?;
    let form = Form { suite: args.suite.clone(), ..Form::default() };
    // What an earlier review left is no fresh host.
    lab.down(HOST).await?;
    let host = lab.up(HOST, &form, &mut |line| ui::note(line)).await?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let path = folder.path().join("petasos.lock");
    let release = Release { source: format!("https://github.com/{REPOSITORY}"), ..release };
    let releases = BTreeMap::from([(version.clone(), release)]);
    LockFile { release: Some(version.clone()), releases, ..LockFile::default() }.save(&path)?;
    // No petasos.yaml of the user's: a review is of the release, not of one host's settings.
    let petasos = Petasos { lab, host: HOST, folder: folder.path(), quiet: args.json };
    let address = format!("root@{}", host.address);
    petasos.run(&["up", &address, "--ssh-config", &host.ssh_config.to_string_lossy()]).await?;
    let said = suite(&host).await?;
    let report: Report = serde_json::from_slice(&said).with_context(|| {
        Fault::new(format!("the suite printed no report: {}", String::from_utf8_lossy(&said).trim()))
    })?;
    let ran = &report.release;
    if report.cases.is_empty() || (*ran != version.to_string() && report.cases.iter().all(|case| case.ok)) {
        bail!(Fault::new(format!("the suite ran {} cases against release `{ran}`, not {version}", report.cases.len())));
    }
    Ok(report)
}

/// Puts the release into the lab's github.com, whose hosts reach no other one.
async fn serve(lab: &Lab, release: &Release) -> Result<()> {
    let place = lab.git_dir().join(format!("{REPOSITORY}.git"));
    let folder = place.parent().context("it has a parent")?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let scratch = tempfile::tempdir_in(folder).context("cannot make a temporary folder")?;
    Repo::init(scratch.path()).await?.fetch(&release.source, &[release.tag.as_str()], None).await?;
    if place.exists() {
        std::fs::remove_dir_all(&place).with_context(|| format!("cannot remove `{}`", place.display()))?;
    }
    let made = scratch.keep();
    std::fs::set_permissions(&made, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    std::fs::rename(&made, &place).with_context(|| format!("cannot make `{}`", place.display()))
}

/// What the suite prints on the host.
async fn suite(host: &LabHost) -> Result<Vec<u8>> {
    let said = serde_json::to_string(&serde_json::json!({ "files": files()?, "entry": ENTRY }))?;
    // A JSON text is a text of Python, too.
    let program = format!("FILES = {}\n{RUN}", serde_json::to_string(&said)?);
    let mut child = tokio::process::Command::new("ssh")
        .arg("-F")
        .arg(&host.ssh_config)
        .arg(format!("ops@{}", host.address))
        .arg("sudo -n python3 -I -")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cannot run `ssh`")?;
    let mut input = child.stdin.take().context("ssh has no input")?;
    input.write_all(program.as_bytes()).await.context("cannot send the suite")?;
    drop(input);
    // Its exit code only repeats what the report says.
    Ok(child.wait_with_output().await.context("the suite does not end")?.stdout)
}

fn files() -> Result<BTreeMap<String, String>> {
    let text = |file: &include_dir::File<'_>| {
        let text = file.contents_utf8().context("a suite is text")?;
        Ok((file.path().to_string_lossy().into_owned(), text.to_owned()))
    };
    SUITE.files().map(text).collect()
}

/// The suite's version: the digest of its files.
fn digest() -> Result<Sha256> {
    let all: String = files()?.iter().map(|(name, text)| format!("{name}\n{}\n{text}", text.len())).collect();
    Ok(git::sha256(all.as_bytes()).parse()?)
}

fn today() -> Result<Date> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok(calendar(since.as_secs()).get(..10).unwrap_or_default().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suite_is_there_and_has_a_version() {
        assert!(files().unwrap().contains_key(ENTRY));
        assert_eq!(digest().unwrap(), digest().unwrap());
    }
}
