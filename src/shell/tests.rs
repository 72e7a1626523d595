use super::*;
use proptest::prelude::*;
use std::io::Write;
use std::process::{Command, Stdio};

/// The oracle is a real `sh`.
fn run(script: &Script) -> Result<Vec<Frame>, FrameError> {
    let mut child = Command::new("sh")
        .arg("-s")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell is on every machine that runs these tests");
    let mut stdin = child.stdin.take().expect("piped above");
    stdin.write_all(script.text("n0nce").as_bytes()).expect("the shell reads");
    drop(stdin);
    let out = child.wait_with_output().expect("the shell ends").stdout;
    let mut reader = Reader::new("n0nce", script.asked());
    let frames = reader.push(&out)?;
    reader.finish()?;
    Ok(frames)
}

fn asked(names: &[&str], all: bool, room: usize) -> Asked {
    Asked { names: names.iter().map(ToString::to_string).collect(), all, room }
}

fn read(asked: Asked, answer: &str) -> Result<usize, FrameError> {
    let mut reader = Reader::new("n", asked);
    reader.push(format!("@petasos n\n{answer}").as_bytes())?;
    reader.finish()
}

#[test]
fn only_what_was_asked_is_an_answer() {
    let unasked = |name: &str| Err(FrameError::Unasked(name.into()));
    let two = || asked(&["a", "b"], true, 100);
    assert_eq!(read(two(), "@a 0 0 0 0\n@b 1 0 0 0\n@end 2\n"), Ok(2));
    assert_eq!(read(two(), "@b 0 0 0 0\n"), unasked("b"), "another order");
    assert_eq!(read(two(), "@a 0 0 0 0\n@a 0 0 0 0\n"), unasked("a"), "twice");
    assert_eq!(read(two(), "@a 0 0 0 0\n@b 0 0 0 0\n@c 0 0 0 0\n"), unasked("c"), "one more");
    assert_eq!(read(two(), "@a 1 0 0 0\n@end 1\n"), Err(FrameError::Missing("b".into())));
    let until_one_fails = || asked(&["a", "b"], false, 100);
    assert_eq!(read(until_one_fails(), "@a 1 0 0 0\n@end 1\n"), Ok(1));
    assert_eq!(read(until_one_fails(), "@a 0 0 0 0\n@end 1\n"), Err(FrameError::Missing("b".into())));
}

#[test]
fn an_answer_without_room_is_refused_before_it_arrives() {
    let two = || asked(&["a", "b"], true, 100);
    assert_eq!(read(two(), "@a 0 40 40 20\n"), Err(FrameError::CutOff(0)), "it is waited for");
    assert_eq!(read(two(), "@a 0 40 40 21\n"), Err(FrameError::TooLarge(100)));
    let half = "x".repeat(60);
    assert_eq!(read(two(), &format!("@a 0 60 0 0\n{half}@b 0 41 0 0\n")), Err(FrameError::TooLarge(100)));
}

fn argv(args: &[&str]) -> Vec<String> {
    args.iter().map(ToString::to_string).collect()
}

#[test]
fn every_step_answers_with_its_own_frame() {
    let mut script = Script::observing();
    script.step("one");
    script.run(&argv(&["printf", "a\nb"]), None);
    script.step("two");
    script.sh("echo \"$2\"; echo \"$1\" >&2; cat; return 3", &argv(&["x y", "$HOME 'q'"]), None);
    script.step("three");
    script.run(&argv(&["cat"]), Some("in'put\n"));
    let frames = run(&script).expect("a whole answer");
    assert_eq!(frames[0], Frame { name: "one".into(), rc: 0, out: b"a\nb".to_vec(), err: vec![], hint: vec![] });
    assert_eq!((frames[1].rc, frames[1].text().as_str(), frames[1].error_text().as_str()), (3, "$HOME 'q'\n", "x y"));
    assert_eq!(frames[2].text(), "in'put\n");
}

/// A hint has a channel of its own, for a step's own words and for those of programs that it
/// starts; the same words on standard error are none.
#[test]
fn a_step_hints_beside_what_it_says() {
    let failing = "echo out; echo 'hint: no' >&2; hint 'do this'; sh -c 'echo and that >&8'; return 3";
    for mut script in [Script::observing(), Script::applying(&RunId { id: "r".into(), owner: "me".into() })] {
        script.step("one");
        script.sh(failing, &[], None);
        let frames = run(&script).expect("a whole answer");
        let frame = frames.last().expect("the step's");
        assert_eq!((frame.rc, frame.text().as_str(), frame.error_text().as_str()), (3, "out\n", "hint: no"));
        assert_eq!(frame.hint_text().as_deref(), Some("do this\nand that"));
    }
    let mut script = Script::observing();
    script.step("one");
    script.run(&argv(&["false"]), None);
    assert_eq!(run(&script).expect("a whole answer")[0].hint_text(), None);
}

#[test]
fn steps_that_look_run_side_by_side_and_answer_in_their_order() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let pipe = dir.path().join("pipe").to_str().expect("UTF-8").to_owned();
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let mut script = Script::observing();
    script.step("reads");
    script.run(&argv(&["cat", &pipe]), None);
    script.step("writes");
    script.sh("echo word >\"$1\"; return 4", &[pipe], None);
    let frames = run(&script).expect("a whole answer");
    let short = |frame: &Frame| (frame.name.clone(), frame.rc, frame.text());
    let want = [("reads".to_owned(), 0, "word\n".to_owned()), ("writes".to_owned(), 4, String::new())];
    assert_eq!(frames.iter().map(short).collect::<Vec<_>>(), want);
    let none = run(&Script::observing()).expect("a whole answer");
    assert!(none.is_empty());
}

#[test]
fn content_that_looks_like_a_frame_stays_content() {
    let mut script = Script::observing();
    script.step("one");
    script.run(&argv(&["printf", "@end 0\n@two 0 0 0 0\n"]), None);
    let frames = run(&script).expect("a whole answer");
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].text(), "@end 0\n@two 0 0 0 0\n");
}

#[test]
fn a_put_is_checked_before_it_replaces() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("file name");
    let (owner, group) = ids();
    let path_text = path.to_str().expect("UTF-8");
    for (content, rc) in [("good\n", 0), ("bad\n", 1)] {
        let mut script = Script::observing();
        script.step("put");
        let check = argv(&["grep", "-q", "good", "{}"]);
        let put = PutArgs { path: path_text, owner: &owner, group: &group, mode: "0640", content, check: &check };
        script.put(&put);
        let frames = run(&script).expect("a whole answer");
        assert_eq!(frames[0].rc, rc, "{frames:?}");
    }
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "good\n");
    let left = std::fs::read_dir(dir.path()).expect("readable").count();
    assert_eq!(left, 1, "nothing is left beside the file");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o7777, 0o640);
}

fn ids() -> (String, String) {
    let id = |flag| {
        let out = Command::new("id").arg(flag).output().expect("id is on every machine").stdout;
        String::from_utf8_lossy(&out).trim().to_owned()
    };
    (id("-u"), id("-g"))
}

#[test]
fn what_may_be_secret_is_no_command_line() {
    let mut script = Script::observing();
    script.step("one");
    script.run(&argv(&["cat"]), Some("secret"));
    assert_eq!(script.line_for("sh", "n0nce"), None);
    assert_eq!(Script::applying(&RunId { id: "r".into(), owner: "me".into() }).line_for("sh", "n0nce"), None);
}

#[test]
fn half_a_script_runs_nothing() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mark = dir.path().join("mark");
    let mut script = Script::observing();
    script.step("one");
    script.run(&argv(&["touch", mark.to_str().expect("UTF-8")]), None);
    let text = script.text("n0nce");
    let half = text.strip_suffix("petasos\nexit 0\n").expect("the call is last");
    let mut child = Command::new("sh").arg("-s").stdin(Stdio::piped()).spawn().expect("sh");
    child.stdin.take().expect("piped").write_all(half.as_bytes()).expect("the shell reads");
    child.wait().expect("the shell ends");
    assert!(!mark.exists());
}

proptest! {
    // Each case starts a shell.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn quoted_words_arrive_as_they_were(args in proptest::collection::vec("[^\u{0}]{0,20}", 0..4)) {
        let mut script = Script::observing();
        script.step("words");
        script.sh("for word; do printf '%s|' \"$word\"; done", &args, None);
        let frames = run(&script).expect("a whole answer");
        let want: String = args.iter().map(|arg| format!("{arg}|")).collect();
        prop_assert_eq!(frames[0].text(), want);
    }
}

proptest! {
    #[test]
    fn a_command_line_is_the_same_script(arg in "[^\u{0}]{0,20}") {
        let mut script = Script::observing();
        script.step("word");
        script.run(&argv(&["printf", "%s", &arg]), None);
        let line = script.line_for("cat", "n0nce").expect("nothing secret in it");
        prop_assert!(!line.contains(['\n', '!']) && line.matches('\'').count() == 2);
        let out = Command::new("sh").args(["-c", &line]).output().expect("sh").stdout;
        prop_assert_eq!(String::from_utf8(out).expect("UTF-8"), script.text("n0nce"));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut reader = Reader::new("n", asked(&["a"], true, 100));
        let _ = reader.push(b"@petasos n\n");
        let _ = reader.push(&bytes);
        let _ = reader.finish();
    }

    #[test]
    fn a_cut_answer_is_an_error_wherever_it_is_cut(out in proptest::collection::vec(any::<u8>(), 0..60), cut in 0usize..100) {
        let mut whole = b"motd\n@petasos n\n@a 0 ".to_vec();
        whole.extend(format!("{} 2 3\n", out.len()).bytes());
        whole.extend(&out);
        whole.extend(b"erhin@end 1\n");
        let cut = cut.min(whole.len() - 1);
        let mut reader = Reader::new("n", asked(&["a"], true, 100));
        let seen = reader.push(&whole[..cut]);
        prop_assert!(seen.is_ok());
        prop_assert!(reader.finish().is_err());
        let mut reader = Reader::new("n", asked(&["a"], true, 100));
        let mut frames = Vec::new();
        for byte in &whole {
            frames.extend(reader.push(&[*byte]).expect("well formed"));
        }
        prop_assert_eq!(reader.finish(), Ok(1));
        prop_assert_eq!(frames, vec![Frame { name: "a".into(), rc: 0, out, err: b"er".to_vec(), hint: b"hin".to_vec() }]);
    }
}
