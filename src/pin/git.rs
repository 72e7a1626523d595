//! The `git` command, as far as pinning needs it: always argv, never a shell; no prompt, no hook,
//! no template, a bounded time. The user's own settings (proxies, CAs, credentials) stay in force.
use crate::fault::Fault;
use anyhow::{Context, bail};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

/// How long one git command may take.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Settings that make the answers depend on the repository only. `tar.umask` and the rest shape
/// the bytes of `git archive`; install.sh on the host says the same words.
const SETTINGS: [&str; 9] = [
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.autocrlf=false",
    "core.eol=lf",
    "tar.umask=0002",
    "gc.auto=0",
    "maintenance.auto=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
];

/// Git's own word on its version.
///
/// # Errors
/// There is no git.
pub async fn version() -> anyhow::Result<String> {
    Ok(String::from_utf8_lossy(&output(&["--version"]).await?).trim().to_owned())
}

/// A bare repository of our own.
pub struct Repo<'a> {
    dir: &'a Path,
}

impl<'a> Repo<'a> {
    /// Makes an empty bare repository in `dir`.
    ///
    /// # Errors
    /// There is no git, or the directory cannot be written.
    pub async fn init(dir: &'a Path) -> anyhow::Result<Self> {
        let path = utf8(dir)?;
        output(&["init", "--quiet", "--bare", "--template=", path]).await?;
        Ok(Self { dir })
    }

    /// Fetches tags, and of history and files only what `filter` lets through.
    ///
    /// # Errors
    /// The source does not answer, or has no such tag.
    pub async fn fetch(&self, source: &str, tags: &[&str], filter: Option<&str>) -> anyhow::Result<()> {
        let refs: Vec<String> = tags.iter().map(|tag| format!("refs/tags/{tag}:refs/tags/{tag}")).collect();
        let mut argv = vec!["fetch", "--quiet", "--force", "--depth=1", "--no-tags"];
        if let Some(filter) = filter {
            // A promisor remote needs a name, under which missing objects are asked for later.
            self.run(&["config", "remote.origin.url", source]).await?;
            argv.extend([filter, "origin"]);
        } else {
            argv.extend(["--", source]);
        }
        argv.extend(refs.iter().map(String::as_str));
        self.run(&argv).await.map(drop)
    }

    /// The id that `name` stands for (`v1^{commit}`, `v1^{tree}`).
    ///
    /// # Errors
    /// There is no such object.
    pub async fn id(&self, name: &str) -> anyhow::Result<String> {
        let out = self.run(&["rev-parse", "--verify", "--end-of-options", name]).await?;
        Ok(String::from_utf8(out)?.trim().to_owned())
    }

    /// The bytes of an object, or nothing where the tree has no such path.
    ///
    /// # Errors
    /// git fails for another reason (a broken source).
    pub async fn object(&self, kind: &str, name: &str) -> anyhow::Result<Vec<u8>> {
        self.run(&["cat-file", kind, name]).await
    }

    /// Whether the tree of `commit` has `path` at its root.
    ///
    /// # Errors
    /// git fails.
    pub async fn has(&self, commit: &str, path: &str) -> anyhow::Result<bool> {
        Ok(!self.run(&["ls-tree", commit, "--", path]).await?.is_empty())
    }

    /// Every file of `commit`.
    ///
    /// # Errors
    /// git fails, or names a file in bytes that are not UTF-8.
    pub async fn files(&self, commit: &str) -> anyhow::Result<Vec<TreeEntry>> {
        let out = String::from_utf8(self.run(&["ls-tree", "-r", "-z", "--full-tree", commit]).await?)?;
        let entry = |line: &str| {
            let (about, path) = line.split_once('\t')?;
            let mut about = about.split(' ');
            let (mode, _, id) = (about.next()?, about.next()?, about.next()?);
            Some(TreeEntry { mode: mode.to_owned(), id: id.to_owned(), path: path.to_owned() })
        };
        Ok(out.split_terminator('\0').filter_map(entry).collect())
    }

    /// The bytes of these blobs, in order.
    ///
    /// # Errors
    /// git fails, or lacks one of them.
    pub async fn blobs(&self, ids: &[&str]) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut child = command(&["--git-dir", utf8(self.dir)?, "cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(no_git)?;
        let mut asked = child.stdin.take().context("git cat-file has no input")?;
        let mut answers = BufReader::new(child.stdout.take().context("git cat-file has no output")?);
        let asking = async {
            for id in ids {
                asked.write_all(format!("{id}\n").as_bytes()).await?;
            }
            drop(asked);
            anyhow::Ok(())
        };
        let reading = async {
            let mut blobs = Vec::new();
            for id in ids {
                let mut header = String::new();
                answers.read_line(&mut header).await?;
                let length = header.trim_end().strip_prefix(id).and_then(|rest| rest.strip_prefix(" blob "));
                let length: usize = length
                    .and_then(|length| length.parse().ok())
                    .with_context(|| format!("git cat-file answers `{}` for {id}", header.trim_end()))?;
                // A line feed ends each.
                let mut blob = vec![0; length + 1];
                answers.read_exact(&mut blob).await?;
                blob.truncate(length);
                blobs.push(blob);
            }
            anyhow::Ok(blobs)
        };
        let both = async { tokio::try_join!(asking, reading) };
        let ((), blobs) = tokio::time::timeout(TIMEOUT, both).await.context("git cat-file takes too long")??;
        Ok(blobs)
    }

    /// The SHA-256 of the uncompressed archive of `commit`, as 64 hexadecimal digits.
    ///
    /// # Errors
    /// git fails, or takes too long.
    pub async fn archive_sha256(&self, commit: &str) -> anyhow::Result<String> {
        use sha2::Digest;
        let mut child = command(&["--git-dir", utf8(self.dir)?, "archive", "--format=tar", commit])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(no_git)?;
        let mut out = child.stdout.take().context("git archive has no output")?;
        let mut hash = sha2::Sha256::new();
        let mut buffer = Vec::with_capacity(1 << 16);
        let reading = async {
            loop {
                buffer.clear();
                if out.read_buf(&mut buffer).await? == 0 {
                    break;
                }
                hash.update(&buffer);
            }
            child.wait().await
        };
        let status = tokio::time::timeout(TIMEOUT, reading).await.context("git archive takes too long")??;
        if !status.success() {
            bail!("git archive of {commit} failed: {status}");
        }
        Ok(hex(&hash.finalize()))
    }

    async fn run(&self, argv: &[&str]) -> anyhow::Result<Vec<u8>> {
        let mut whole = vec!["--git-dir", utf8(self.dir)?];
        whole.extend(argv);
        output(&whole).await
    }
}

/// A file in a commit's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    pub mode: String,
    pub id: String,
    pub path: String,
}

impl TreeEntry {
    /// Whether what lies there is a link, or another repository, and no file.
    pub fn is_link(&self) -> bool {
        !self.mode.starts_with("100")
    }
}

/// One tag of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteTag {
    pub name: String,
    /// The commit behind an annotated tag; nothing for a lightweight one.
    pub commit: Option<String>,
}

/// All tags of `source`.
///
/// # Errors
/// The source does not answer.
pub async fn remote_tags(source: &str) -> anyhow::Result<Vec<RemoteTag>> {
    let text = output(&["ls-remote", "--quiet", "--tags", "--", source]).await?;
    Ok(read_tags(&String::from_utf8(text)?))
}

/// Reads `ls-remote --tags`: an annotated tag has a second line, peeled (`^{}`).
fn read_tags(text: &str) -> Vec<RemoteTag> {
    let mut tags = std::collections::BTreeMap::<&str, Option<String>>::new();
    for line in text.lines() {
        let Some((id, name)) = line.split_once("\trefs/tags/") else {
            continue;
        };
        match name.strip_suffix("^{}") {
            Some(name) => *tags.entry(name).or_default() = Some(id.to_owned()),
            None => drop(tags.entry(name).or_default()),
        }
    }
    tags.into_iter().map(|(name, commit)| RemoteTag { name: name.to_owned(), commit }).collect()
}

/// SHA-256 of `bytes`, as 64 hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn command(argv: &[&str]) -> Command {
    let mut git = Command::new("git");
    for setting in SETTINGS {
        git.args(["-c", setting]);
    }
    git.args(argv)
        .env("GIT_TERMINAL_PROMPT", "0")
        // `ext::` sources run commands.
        .env("GIT_ALLOW_PROTOCOL", "https:ssh:file:git:http")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    // A caller inside a hook or a work tree must not lend us its repository.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"] {
        git.env_remove(name);
    }
    git
}

async fn output(argv: &[&str]) -> anyhow::Result<Vec<u8>> {
    let done = tokio::time::timeout(TIMEOUT, command(argv).output());
    let done = done.await.context("git takes too long")?.map_err(no_git)?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    let stderr = String::from_utf8_lossy(&done.stderr);
    let verb = argv.iter().find(|arg| !arg.starts_with('-') && !arg.starts_with('/'));
    bail!(Fault::new(format!("git {} failed: {}", verb.unwrap_or(&""), stderr.trim())));
}

fn no_git(error: std::io::Error) -> anyhow::Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            Fault::new("`git` is not installed on this machine").hint("install it (`apt install git`)").into()
        }
        _ => anyhow::Error::new(error).context("cannot run git"),
    }
}

fn utf8(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("the temporary directory's name is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotated_tag_has_a_peeled_line() {
        let text = "aa\trefs/tags/v1.0\nbb\trefs/tags/v1.0^{}\ncc\trefs/tags/light\n";
        let tags = read_tags(text);
        let found: Vec<_> = tags.iter().map(|t| (t.name.as_str(), t.commit.as_deref())).collect();
        assert_eq!(found, [("light", None), ("v1.0", Some("bb"))]);
    }

    #[test]
    fn digests_are_written_in_full() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b""), empty);
    }
}
