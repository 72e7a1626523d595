//! Rendered texts, held to golden files beside them and judged by the programs that will read them.
use petasos::incident;
use petasos::playbook::{Renderer, Sources};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program's own renderer over its own templates, with what is the same on every host.
pub fn renderer(vars: &Value) -> Renderer {
    let mut vars = vars.clone();
    if let Value::Object(vars) = &mut vars {
        vars.insert("incident".into(), json!({ "folder": incident::FOLDER, "marker": incident::MARKER }));
    }
    Renderer::new(&Sources::embedded().templates, &vars).unwrap_or_else(|why| panic!("{why}"))
}

pub fn render(template: &str, vars: &Value) -> String {
    renderer(vars).template(template).unwrap_or_else(|why| panic!("{why}"))
}

/// `tests/render/NAME` must be this text. `UPDATE=1 cargo test` rewrites it; then read the
/// difference.
pub fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/render").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).expect("a writable tree");
    }
    let is = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(is, text, "{name} differs; see tests/judge/mod.rs");
}

/// A program that judges, by its name or its whole path. Root gets it from the distribution when it
/// is missing (a service that comes with it stays off); without it there is no verdict, and that is
/// a failure.
pub fn judge(program: &str, package: &str) -> Command {
    let missing = || panic!("`{program}` is not here to judge: apt-get install {package}");
    let found = find(program).or_else(|| {
        install(package);
        find(program)
    });
    Command::new(found.unwrap_or_else(missing))
}

fn find(program: &str) -> Option<PathBuf> {
    let dirs = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    dirs.iter().map(|dir| PathBuf::from(dir).join(program)).find(|path| path.exists())
}

/// One at a time; what goes wrong shows as a program that is still missing.
fn install(package: &str) {
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    eprintln!("installing {package} on this machine");
    let run = |argv: &[&str]| {
        let mut command = Command::new(argv[0]);
        command.args(&argv[1..]).env("DEBIAN_FRONTEND", "noninteractive").env("NEEDRESTART_MODE", "l").output().ok()
    };
    run(&["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", "update"]);
    run(&["apt-get", "-qqy", "-o", "DPkg::Lock::Timeout=300", "install", "--no-install-recommends", package]);
    if package == "openssh-server" {
        run(&["systemctl", "disable", "--now", "ssh.service", "ssh.socket"]);
    }
}

/// What a judge said, in one text, and whether it accepted.
pub fn verdict(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    (status.success(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

/// A scratch folder with one file.
pub fn folder(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a scratch folder");
    let path = dir.path().join(name);
    std::fs::write(&path, text).expect("writable");
    (dir, path)
}

/// What `systemd-analyze verify` complains about; it accepts keys that it does not know, and only
/// says so.
pub fn complaints_about_unit(name: &str, text: &str) -> String {
    let (_dir, path) = folder(name, text);
    let (accepted, said) = verdict(judge("systemd-analyze", "systemd").arg("verify").arg(path));
    if said.is_empty() && !accepted { "refused without a word".into() } else { said }
}
