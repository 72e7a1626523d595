//! The lock that a run holds on a host: what is asked of its record, and what the answers mean. The
//! record's form is known to `remote/lock/record.sh` alone.

use crate::act::Act;
use crate::shell::Frame;

/// The record of who holds the lock; a run that ended takes it away.
pub const RECORD: &str = "/run/petasos/holder";

/// The exit status of a script that found the lock taken.
const LOCKED: i32 = 75;

const HELD: &str = include_str!("../../remote/lock/held.sh");
const STEAL: &str = include_str!("../../remote/lock/steal.sh");
const STATE: &str = include_str!("../../remote/lock/state.sh");

/// Asks whether another run has the lock; see [`Held`].
pub fn held(run: &str) -> Act {
    Act::sh("report who holds the lock", HELD, [run])
}

/// Frees the lock of an owner who is gone, after its last step.
pub fn steal(owner: &str) -> Act {
    Act::sh("free a dead run's lock", STEAL, [owner])
}

/// Asks whether the host can be gone on with; see [`State`].
pub fn state(run: &str) -> Act {
    Act::sh("report whether the host is ready to go on", STATE, [run])
}

/// Frees this run's own lock.
pub fn release() -> Act {
    Act::sh("free the lock", "drop_record", Vec::<String>::new())
}

/// How the script that changes a host fared with the lock, by its first frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockAnswer {
    /// The script ran; the lock may have been a dead run's.
    Ours { dead: Option<String> },
    /// Nothing was done: this run has it.
    Taken { owner: String },
}

impl LockAnswer {
    /// None for a frame that is no answer.
    pub fn read(frame: &Frame) -> Option<Self> {
        match frame.rc {
            0 => {
                let dead = frame.text().trim().to_owned();
                Some(Self::Ours { dead: Some(dead).filter(|dead| !dead.is_empty()) })
            }
            LOCKED => Some(Self::Taken { owner: frame.error_text() }),
            _ => None,
        }
    }
}

/// Whether another run that lives has the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    Free,
    By(String),
}

impl Held {
    /// None for a frame that is no answer.
    pub fn read(frame: &Frame) -> Option<Self> {
        let text = frame.text();
        match (frame.rc, text.trim()) {
            (0, "free") => Some(Self::Free),
            (0, text) => text.strip_prefix("held ").map(|owner| Self::By(owner.trim().to_owned())),
            _ => None,
        }
    }
}

/// The state of a host that was reached again in the middle of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing of this run is at work there.
    Free,
    /// What an earlier connection began is still at work.
    Busy,
    /// The host goes down.
    Down,
}

impl State {
    /// What is no clear answer may be anything: nothing must be begun beside it.
    pub fn read(frame: &Frame) -> Self {
        match (frame.rc, frame.text().trim()) {
            (0, "free") => Self::Free,
            (0, "down") => Self::Down,
            _ => Self::Busy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::{Reader, RunId, Script};
    use std::io::Write;
    use std::path::Path;
    use std::process::{Command, Stdio};

    fn answer(rc: i32, out: &str) -> Frame {
        Frame { name: "x".into(), rc, out: out.into(), err: Vec::new(), hint: Vec::new() }
    }

    #[test]
    fn only_the_word_free_is_free() {
        assert_eq!(State::read(&answer(0, "free\n")), State::Free);
        assert_eq!(State::read(&answer(0, "down\n")), State::Down);
        for (rc, out) in [(0, "busy\n"), (0, ""), (0, "fre"), (0, "free\nbusy\n"), (2, "free\n"), (127, ""), (0, "?")] {
            assert_eq!(State::read(&answer(rc, out)), State::Busy, "{rc} {out:?}");
        }
        assert_eq!(Held::read(&answer(0, "free\n")), Some(Held::Free));
        assert_eq!(
            Held::read(&answer(0, "held ada on laptop, process 7\n")),
            Some(Held::By("ada on laptop, process 7".into()))
        );
        for (rc, out) in [(0, ""), (1, "free\n"), (0, "no\n"), (2, "")] {
            assert_eq!(Held::read(&answer(rc, out)), None, "{rc} {out:?}");
        }
        assert_eq!(LockAnswer::read(&answer(71, "")), None);
    }

    /// A host's `/run/petasos`, as a folder here; the shell is a real `sh`, the processes are real.
    struct ScratchHost(tempfile::TempDir);

    impl ScratchHost {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn record(&self) -> std::path::PathBuf {
            self.0.path().join("holder")
        }

        fn frames(&self, script: &Script) -> Vec<Frame> {
            let here = Path::new(RECORD).parent().unwrap().to_str().unwrap();
            // The scratch directory of a script has its own name there.
            let text = script.text("n").replace(&format!("{here}/"), &format!("{}/", self.0.path().display()));
            let text = text.replace(&format!("mkdir -p {here}\n"), ":\n");
            let mut child = Command::new("sh").arg("-s").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
            let out = child.wait_with_output().unwrap().stdout;
            let mut reader = Reader::new("n", script.asked());
            let frames = reader.push(&out).unwrap();
            reader.finish().unwrap();
            frames
        }

        fn asked(&self, act: &Act) -> Frame {
            let mut script = Script::observing();
            script.step("asked");
            act.write(&mut script);
            self.frames(&script).remove(0)
        }

        /// The answer to a run that writes the lock's record.
        fn begins(&self, id: &str, owner: &str) -> Option<LockAnswer> {
            let mut script = Script::applying(&RunId { id: id.into(), owner: owner.into() });
            script.step("nothing");
            LockAnswer::read(&self.frames(&script)[0])
        }

        fn writes(&self, run: &str, shell: u32, start: &str, owner: &str) {
            std::fs::write(self.record(), format!("{run} {shell} {start} {shell} {start} {owner}\n")).unwrap();
        }
    }

    /// When a process started, by proc(5): its 22nd field.
    fn start_of(process: u32) -> String {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap().to_owned()
    }

    const OWNER: &str = "ada on laptop, process 7";

    #[test]
    fn a_live_run_holds_the_lock_and_a_dead_one_does_not() {
        let host = ScratchHost::new();
        assert_eq!(Held::read(&host.asked(&held("1-b"))), Some(Held::Free));
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        host.writes("1-a", child.id(), &start_of(child.id()), OWNER);
        assert_eq!(Held::read(&host.asked(&held("1-b"))), Some(Held::By(OWNER.into())));
        assert_eq!(Held::read(&host.asked(&held("1-a"))), Some(Held::Free), "a run is not in its own way");
        assert_eq!(host.begins("1-b", "bob"), Some(LockAnswer::Taken { owner: OWNER.into() }));
        assert_eq!(State::read(&host.asked(&state("1-a"))), State::Busy);
        assert_eq!(State::read(&host.asked(&state("1-b"))), State::Free);
        // Another process that has the number of a dead one.
        host.writes("1-a", child.id(), "1", OWNER);
        assert_eq!(Held::read(&host.asked(&held("1-b"))), Some(Held::Free));
        child.kill().unwrap();
        child.wait().unwrap();
        host.writes("1-a", child.id(), "1", OWNER);
        assert_eq!(host.begins("1-b", "bob"), Some(LockAnswer::Ours { dead: Some(OWNER.into()) }));
        let record = std::fs::read_to_string(host.record()).unwrap();
        assert!(record.starts_with("1-b ") && record.ends_with(" bob\n"), "{record}");
        assert_eq!(host.begins("1-b", "bob"), Some(LockAnswer::Ours { dead: None }));
    }

    #[test]
    fn a_record_that_breaks_off_holds_nothing() {
        let host = ScratchHost::new();
        for text in ["", "1-a", "1-a 999999999", "1-a 999999999 \n", "\n"] {
            std::fs::write(host.record(), text).unwrap();
            assert_eq!(Held::read(&host.asked(&held("1-b"))), Some(Held::Free), "{text:?}");
            assert_eq!(State::read(&host.asked(&state("1-a"))), State::Free, "{text:?}");
        }
    }

    #[test]
    fn a_lock_is_stolen_from_its_owner_alone_and_released() {
        let host = ScratchHost::new();
        host.writes("1-a", 999_999_999, "1", OWNER);
        host.asked(&steal("bob on laptop, process 8"));
        assert!(host.record().exists(), "somebody else's");
        host.asked(&steal("ada on laptop, process"));
        assert!(host.record().exists(), "a part of a name is none");
        host.asked(&steal(OWNER));
        assert!(!host.record().exists());
        host.writes("1-a", 999_999_999, "1", OWNER);
        assert_eq!(host.asked(&release()).rc, 0);
        assert!(!host.record().exists());
    }

    /// The last step of a run writes to the host's record of runs, and then frees the lock.
    #[test]
    fn what_comes_before_the_release_loses_nothing() {
        let host = ScratchHost::new();
        let log = host.0.path().join("log");
        std::fs::write(&log, "line\n").unwrap();
        host.writes("1-a", 999_999_999, "1", OWNER);
        let mut script = Script::observing();
        script.step("ended");
        Act::sh("x", "record=$1 holder=$1 lock=$1", [log.to_str().unwrap()]).write(&mut script);
        release().write(&mut script);
        host.frames(&script);
        assert!(log.exists() && !host.record().exists());
    }

    #[test]
    fn one_file_alone_knows_the_record() {
        let remote = Path::new(env!("CARGO_MANIFEST_DIR")).join("remote");
        let has = |name: &str| std::fs::read_to_string(remote.join(name)).unwrap().contains(RECORD);
        assert!(has("lock/record.sh"));
        for other in ["prelude.sh", "lock/held.sh", "lock/steal.sh", "lock/state.sh"] {
            assert!(!has(other), "{other}");
        }
    }
}
