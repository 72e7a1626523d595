//! The agent's audit log. The writer's own tests are Python, in `tests/audit`; here they are run,
//! and what the writer wrote is held to the two readers, the one on the host and the one here.
mod judge;

use petasos::audit::chain::{BreakKind, ChainState, Walk, judge as judged};
use petasos::audit::record::EVENTS;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn python() -> Command {
    judge::judge("python3", "python3")
}

/// One file of `tests/audit`.
fn unittest(name: &str) {
    let mut command = python();
    command.args(["-B", "-m", "unittest", "-v", name]).current_dir(root().join("tests/audit"));
    let (passed, said) = judge::verdict(&mut command);
    assert!(passed && said.contains("\nOK"), "{said}");
}

const FILES: [&str; 4] = ["test_chain", "test_counters", "test_full", "test_hostile"];

#[test]
fn the_chain_holds() {
    unittest("test_chain");
}

#[test]
fn counters_forget_nothing() {
    unittest("test_counters");
}

#[test]
fn a_full_disk_is_an_answer() {
    unittest("test_full");
}

#[test]
fn hostile_clients_harm_themselves() {
    unittest("test_hostile");
}

#[test]
fn no_file_is_forgotten() {
    let names = std::fs::read_dir(root().join("tests/audit")).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        name.strip_suffix(".py").filter(|name| name.starts_with("test_")).map(str::to_owned)
    });
    assert_eq!(names.collect::<BTreeSet<_>>(), FILES.map(str::to_owned).into());
}

#[test]
fn the_units_are_what_systemd_accepts_and_closed() {
    let [socket, service] = ["socket", "service"].map(|end| format!("petasos-audit.{end}"));
    let [door, text] = [&socket, &service].map(|name| judge::render(&format!("agent/{name}.tera"), &json!({})));
    judge::golden(&format!("agent/{socket}"), &door);
    judge::golden(&format!("agent/{service}"), &text);
    assert_eq!(judge::renderer(&json!({})).template("agent/petasos-audit.socket.tera").as_deref().ok(), Some(&*door));
    let complaints = |service_text: &str| {
        let (dir, path) = judge::folder(&service, service_text);
        std::fs::write(dir.path().join(&socket), &door).unwrap();
        judge::verdict(judge::judge("systemd-analyze", "systemd").arg("verify").arg(path)).1
    };
    assert_eq!(complaints(&text), "");
    assert!(complaints(&text.replace("ProtectSystem=strict", "ProtectSystem=strictly")).contains("strictly"));
    assert!(
        judge::complaints_about_unit(&service, "[Service]\nExecStart=/bin/true\nNoSuchKey=1\n").contains("NoSuchKey")
    );
    let closed = |text: &str| {
        let (_dir, path) = judge::folder(&service, text);
        let mut command = judge::judge("systemd-analyze", "systemd");
        // 6 stands for 0.6; for such a writer 1.5 is the limit.
        judge::verdict(command.args(["security", "--offline=yes", "--threshold=6"]).arg(path))
    };
    let (is_closed, said) = closed(&text);
    assert!(is_closed, "{said}");
    assert!(!closed(&text.replace("NoNewPrivileges=yes\n", "").replace("PrivateNetwork=yes\n", "")).0);
}

/// A log that the writer wrote, in three files.
fn written() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let program = "import sys; sys.path.insert(0, sys.argv[1])\n\
        from audit.counters import Counters; from audit.log import Log\n\
        log = Log(sys.argv[2], 2000, 9, 0, lambda text: None); log.open(Counters(), 1.8e9)\n\
        for n in range(20):\n\
        \x20   event = 'command_denied' if n % 4 == 0 else 'tool_call'\n\
        \x20   fields = {'tool': 'terminal', 'user': n % 2, 'command': 'cat é-%d' % n}\n\
        \x20   log.append(event, 5, 6, fields, 1.8e9 + n * 60)\n\
        log.close()";
    let mut command = python();
    command.args(["-I", "-B", "-c", program]).arg(root().join("remote")).arg(folder.path());
    let (done, said) = judge::verdict(&mut command);
    assert!(done, "{said}");
    assert_eq!(files(folder.path()).len(), 3);
    folder
}

/// The files of a log, the oldest first.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    // `audit-` sorts before `audit.`.
    all.sort();
    all
}

fn walked(folder: &Path) -> Walk {
    let mut walk = Walk::default();
    for path in files(folder) {
        walk.file(&path.file_name().unwrap().to_string_lossy(), &std::fs::read(&path).unwrap());
    }
    walk
}

fn read(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The walk of the reader on the host.
fn walked_there(folder: &Path) -> Walk {
    let mut command = python();
    command.arg("-I").arg(root().join("remote/run/audit_chain.py")).arg(folder).arg("without the journal");
    serde_json::from_value(read(&command.output().unwrap())["walk"].clone()).unwrap()
}

fn change(path: &Path, how: impl Fn(&mut Vec<String>)) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    how(&mut lines);
    std::fs::write(path, lines.concat()).unwrap();
}

#[test]
fn what_was_done_to_a_log_is_found_here_and_on_the_host() {
    type Change = fn(&mut Vec<String>);
    type Found = Option<(u64, BreakKind)>;
    let cases: [(&str, Change, Found); 8] = [
        ("nothing", |_| (), None),
        ("edited", |lines| lines[2] = lines[2].replace("cat", "dog"), Some((4, BreakKind::Digest))),
        ("removed", |lines| drop(lines.remove(2)), Some((3, BreakKind::Number))),
        ("swapped", |lines| lines.swap(2, 3), Some((3, BreakKind::Number))),
        ("cut off", |lines| lines[2].truncate(50), Some((3, BreakKind::Form))),
        ("added", |lines| lines.insert(2, "{}\n".into()), Some((3, BreakKind::Form))),
        ("twice", |lines| lines.insert(2, lines[1].clone()), Some((3, BreakKind::Number))),
        ("dropped end", |lines| drop(lines.pop()), None),
    ];
    for (what, how, found) in cases {
        let folder = written();
        let middle = &files(folder.path())[1];
        change(middle, how);
        let walk = walked(folder.path());
        let name = middle.file_name().unwrap().to_string_lossy().into_owned();
        match found {
            Some((line, kind)) => {
                let first = walk.breaks.first().unwrap_or_else(|| panic!("{what} is not found"));
                assert_eq!((&first.file, first.line, first.kind), (&name, line, kind), "{what}");
            }
            None if what == "nothing" => assert_eq!(walk.breaks, [], "{what}"),
            // The next file shows it.
            None => assert_eq!((walk.breaks[0].line, walk.breaks[0].kind), (1, BreakKind::Number), "{what}"),
        }
        assert_eq!(walked_there(folder.path()), walk, "{what}");
    }
}

#[test]
fn a_file_alone_is_verified_by_the_verb() {
    let folder = written();
    let verify = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_petasos"));
        let output = command.args(["audit", "verify"]).args(files(folder.path())).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = verify();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("is intact: 23 lines, 1 to 23"), "{said}");
    change(&files(folder.path())[2], |lines| lines[1] = lines[1].replace("terminal", "browser"));
    let (code, said) = verify();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("BROKEN") && said.contains("audit.jsonl:3: line "), "{said}");
    assert_eq!(judged(&walked(folder.path()), None).state, ChainState::Broken);
}

/// What the reader on the host answers.
fn asked(folder: &Path, query: &Value) -> Value {
    let mut all =
        json!({ "since": null, "cursor": null, "wait": 0, "events": [], "user": null, "tool": null, "most": 1000 });
    all.as_object_mut().unwrap().extend(query.as_object().unwrap().clone());
    let mut command = python();
    command.arg("-I").arg(root().join("remote/run/audit.py")).arg(all.to_string()).arg(folder);
    let mut answer = read(&command.output().unwrap());
    // Each is the text of a line.
    for line in answer["lines"].as_array_mut().unwrap() {
        *line = serde_json::from_str(line.as_str().expect("a line as it stands")).unwrap();
    }
    answer
}

#[test]
fn a_line_that_is_asked_for_is_that_of_the_log() {
    let folder = written();
    let all =
        json!({ "since": null, "cursor": null, "wait": 0, "events": [], "user": null, "tool": null, "most": 1000 });
    let mut command = python();
    command.arg("-I").arg(root().join("remote/run/audit.py")).arg(all.to_string()).arg(folder.path());
    let answer = read(&command.output().unwrap());
    let lines = answer["lines"].as_array().unwrap().iter().map(|line| format!("{}\n", line.as_str().unwrap()));
    let log: String = files(folder.path()).iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert_eq!(lines.collect::<String>(), log);
}

#[test]
fn every_event_is_known_by_its_name() {
    let docs = std::fs::read_to_string(root().join("docs/audit.md")).unwrap();
    let rows =
        docs.lines().skip_while(|line| !line.starts_with("| event |")).skip(2).take_while(|line| line.starts_with('|'));
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split(','));
    let explained: BTreeSet<String> = names.map(|name| name.trim().trim_matches('`').to_owned()).collect();
    assert_eq!(explained, EVENTS.map(str::to_owned).into());
}

#[test]
fn the_reader_on_the_host_picks_and_follows() {
    let folder = written();
    let seqs = |answer: &Value| -> Vec<u64> {
        answer["lines"].as_array().unwrap().iter().map(|line| line["seq"].as_u64().unwrap()).collect()
    };
    let all = asked(folder.path(), &json!({}));
    assert_eq!(seqs(&all), (1..=23).collect::<Vec<_>>());
    assert_eq!(all["lines"][2]["command"], json!("cat é-1"));
    let denied = asked(folder.path(), &json!({ "events": ["command_denied"] }));
    assert_eq!(seqs(&denied).len(), 5);
    assert_eq!(seqs(&asked(folder.path(), &json!({ "user": "1", "tool": "terminal" }))).len(), 10);
    assert_eq!(seqs(&asked(folder.path(), &json!({ "tool": "browser" }))), [0_u64; 0]);
    let newest = asked(folder.path(), &json!({ "most": 3 }));
    assert_eq!((seqs(&newest), newest["more"].as_u64()), (vec![21, 22, 23], Some(20)));
    // It goes on where the last answer ended, also when that file has been renamed since.
    let live = files(folder.path())[2].clone();
    let end = std::fs::metadata(&live).unwrap().len();
    let again = asked(folder.path(), &json!({ "cursor": all["cursor"] }));
    assert_eq!((seqs(&again).len(), &again["cursor"][1]), (0, &json!(end)));
    let line =
        |seq: u64| format!("{{\"seq\":{seq},\"time\":\"2027-01-15T09:00:00.000Z\",\"event\":\"a\",\"prev\":\"\"}}\n");
    change(&live, |lines| lines.push(line(24)));
    let renamed = folder.path().join("audit-000000000024.jsonl");
    std::fs::rename(&live, &renamed).unwrap();
    std::fs::write(&live, format!("{}{}", line(25), line(26).trim_end())).unwrap();
    let next = asked(folder.path(), &json!({ "cursor": all["cursor"] }));
    assert_eq!(seqs(&next), [24, 25], "and a line that is still being written is for the next time");
    std::fs::write(&live, format!("{}{}", line(25), line(26))).unwrap();
    assert_eq!(seqs(&asked(folder.path(), &json!({ "cursor": next["cursor"] }))), [26]);
}
