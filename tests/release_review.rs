//! `petasos pin` and a release's source: what it accepts, what it refuses, and what it says of it.
mod common_git;
use common_git::{Upstream, lock, pin, stderr, stdout};
use petasos::config::lock::{LockFile, Policy, Release, Review, Suite};
use std::path::Path;

/// The fixture, with changes to its files, as release 0.20.0.
struct Planted {
    up: Upstream,
    dir: tempfile::TempDir,
}

impl Planted {
    fn new(change: impl FnOnce(&Upstream)) -> Self {
        let up = Upstream::new();
        up.release("v2026.7.20", "0.19.0");
        change(&up);
        up.git(&["add", "-A"]);
        std::fs::write(up.path().join("pyproject.toml"), project("0.20.0")).unwrap();
        up.git(&["commit", "-qam", "0.20.0"]);
        up.git(&["tag", "-a", "v2026.8.3", "-m", "0.20.0"]);
        Self { up, dir: tempfile::tempdir().unwrap() }
    }

    fn pin(&self) -> std::process::Output {
        pin(self.dir.path(), &["0.20.0", "--source", &self.up.url()])
    }

    /// It is refused, for this alone, and nothing is written.
    fn refused(&self, differences: &[&str]) {
        let done = self.pin();
        assert_eq!(done.status.code(), Some(1), "{}{}", stdout(&done), stderr(&done));
        let found: Vec<_> =
            stdout(&done).lines().filter_map(|line| line.strip_prefix("           ").map(str::to_owned)).collect();
        assert_eq!(found, differences);
        assert!(stderr(&done).contains("hint: stay with the release you have"), "{}", stderr(&done));
        assert!(!lock(self.dir.path()).exists());
    }
}

fn project(version: &str) -> String {
    format!("[project]\nname = \"hermes-agent\"\nversion = \"{version}\"\nrequires-python = \">=3.11\"\n")
}

/// The source of a file, changed.
fn edit(up: &Upstream, path: &str, change: impl FnOnce(String) -> String) {
    let old = std::fs::read_to_string(up.path().join(path)).unwrap();
    let new = change(old.clone());
    assert_ne!(old, new, "{path} is as it was");
    up.write(path, &new);
}

fn add(up: &Upstream, path: &str, text: &str) {
    let old = std::fs::read_to_string(up.path().join(path)).unwrap_or_default();
    up.write(path, &format!("{old}{text}"));
}

fn policy(dir: &Path) -> Policy {
    let lock = LockFile::load(&lock(dir)).unwrap();
    lock.release_of("any").unwrap().1.policy.clone().unwrap()
}

#[test]
fn a_source_with_all_that_the_policy_needs_is_compatible() {
    let planted = Planted::new(|up| add(up, "agent/new.py", "import json\n\n\ndef f(x):\n    return json.dumps(x)\n"));
    let done = planted.pin();
    assert!(done.status.success(), "{}{}", stdout(&done), stderr(&done));
    assert!(stdout(&done).contains("review   compatible\n"), "{}", stdout(&done));
    let policy = policy(planted.dir.path());
    assert_eq!(policy.review, Review::Compatible);
    let file = std::fs::read(planted.up.path().join("tools/registry.py")).unwrap();
    let digest = petasos::pin::git::sha256(&file);
    let kept = policy.files.iter().find(|(module, _)| module.as_str() == "tools.registry").unwrap();
    assert_eq!(kept.1.as_str(), digest);
    assert!(policy.files.keys().any(|module| module.as_str() == "hermes_cli"));
}

#[test]
fn the_report_for_programs_names_path_and_difference() {
    let planted = Planted::new(|up| add(up, "agent/new.py", "import os\n\nos.system('id')\n"));
    let done = pin(planted.dir.path(), &["0.20.0", "--source", &planted.up.url(), "--json"]);
    let report: serde_json::Value = serde_json::from_str(&stdout(&done)).unwrap();
    assert_eq!(report["review"], "refused");
    assert_eq!(report["changes"], serde_json::json!([]));
    let difference =
        serde_json::json!([{ "path": "agent/new.py", "what": "the module starts a process: `os.system`" }]);
    assert_eq!(report["differences"], difference);
}

#[test]
fn choke_points_that_moved_are_refused() {
    let middleware = "hermes_cli/middleware.py";
    let name = "hermes_cli.middleware.run_tool_execution_middleware";
    let signature = "(tool_name, args, next_call, **context)";
    let with = |change: fn(String) -> String| Planted::new(|up| edit(up, middleware, change));
    with(|text| text.replace("tool_name, args, next_call", "tool_name, arguments, next_call"))
        .refused(&[&format!("`{name}` takes (tool_name, arguments, next_call, **context), not {signature}")]);
    with(|text| text.replace("def run_tool_execution_middleware", "async def run_tool_execution_middleware"))
        .refused(&[&format!("`{name}` takes (async: tool_name, args, next_call, **context), not {signature}")]);
    with(|text| text.replace("def run_tool_execution_middleware", "def run_tools"))
        .refused(&[&format!("`{name}` is not there: every tool call goes through it")]);
    with(|text| format!("{text}run_tool_execution_middleware = print\n"))
        .refused(&[&format!("`{name}` is defined or bound again, in the module")]);
    with(|text| {
        format!(
            "{text}def late():\n    global run_tool_execution_middleware\n    run_tool_execution_middleware = print\n"
        )
    })
    .refused(&[&format!("`{name}` is defined or bound again, in `late`")]);
    with(|text| format!("{text}def run_tool_execution_middleware(tool_name, args, next_call, **context):\n    return next_call(args)\n"))
        .refused(&[&format!("`{name}` is defined or bound again, in the module")]);
}

#[test]
fn a_setting_or_variable_that_nothing_reads_is_refused() {
    let config = "gateway/config.py";
    Planted::new(|up| edit(up, config, |text| text.replace("cron_mode", "cron_policy")))
        .refused(&["nothing reads the setting `approvals.cron_mode`"]);
    // That it is named somewhere does not help.
    let comment = |text: String| text.replace("settings.get('HERMES_MANAGED')", "'HERMES_MANAGED'  # HERMES_MANAGED");
    Planted::new(|up| edit(up, config, comment)).refused(&["nothing reads the variable `HERMES_MANAGED`"]);
}

/// Each text is a file of its own.
#[test]
fn ways_around_the_choke_points_are_found() {
    let planted: [(&str, &[&str]); 29] = [
        // A tool's handler, called directly, under another name, by way of another module, and by
        // its name in a text.
        (
            "from tools.vision_tools import run\n\n\ndef f(a):\n    return run(a)\n",
            &["`f` runs a tool: `tools.vision_tools.run`"],
        ),
        (
            "import tools.vision_tools as t\n\n\ndef f(a):\n    g = t.run\n    return g(a)\n",
            &["`f` runs a tool: `tools.vision_tools.run`"],
        ),
        ("from model_tools import run\n\nrun({})\n", &["the module runs a tool: `model_tools.run`"]),
        ("def f(r):\n    return getattr(r, 'dispatch')('x')\n", &["`f` runs a tool: `.dispatch`"]),
        (
            "def f(r):\n    return r.get_entry('x').handler({})\n",
            &["`f` runs a tool: `.get_entry`", "`f` runs a tool: `.handler`"],
        ),
        ("from tools.vision_tools import look\n\nlook({})\n", &["the module runs a tool: `tools.vision_tools.look`"]),
        (
            "import tools.vision_tools as t\n\n\ndef f(n):\n    return vars(t)[n], t.__dict__[n]\n",
            &[
                "`f` runs or imports what only shows when it runs: `.__dict__`",
                "`f` runs or imports what only shows when it runs: `vars`",
            ],
        ),
        // A second copy of what makes environments, and an environment of its own.
        (
            "from tools.environments.local import LocalEnvironment\n\n\ndef _create_environment(kind):\n    return LocalEnvironment(kind)\n",
            &[
                "`_create_environment` has the name of a choke point: `_create_environment`",
                "`_create_environment` reaches where commands run: `tools.environments.local.LocalEnvironment`",
            ],
        ),
        (
            "from tools.environments import base\n\n\nclass Mine(base.BaseEnvironment):\n    pass\n",
            &["the module reaches where commands run: `tools.environments.base.BaseEnvironment`"],
        ),
        ("def f(env):\n    return env.execute('id')\n", &["`f` reaches where commands run: `.execute`"]),
        // Processes, by any name.
        ("from subprocess import run as r\n\nr(['id'])\n", &["the module starts a process: `subprocess.run`"]),
        (
            "import subprocess\n\n\ndef f(x):\n    x.map(subprocess.Popen)\n",
            &["`f` starts a process: `subprocess.Popen`"],
        ),
        (
            "import asyncio\n\n\nasync def f():\n    await asyncio.create_subprocess_exec('id')\n",
            &["`f` starts a process: `asyncio.create_subprocess_exec`"],
        ),
        (
            "import pty, os\n\npty.spawn('sh')\nos.posix_spawnp('sh', [], {})\n",
            &["the module starts a process: `os.posix_spawnp`", "the module starts a process: `pty.spawn`"],
        ),
        ("m = __import__('os')\n", &["the module runs or imports what only shows when it runs: `import_module(os)`"]),
        (
            "def f(n):\n    return __import__(n)\n",
            &["`f` runs or imports what only shows when it runs: `import_module(…)`"],
        ),
        ("def f(n):\n    exec(n)\n", &["`f` runs or imports what only shows when it runs: `exec`"]),
        ("import ctypes\n\nctypes.CDLL(None)\n", &["the module calls machine code past Python: `ctypes.CDLL`"]),
        ("def f(g):\n    return g.__wrapped__\n", &["`f` reaches a function behind its wrapper: `.__wrapped__`"]),
        // Models, messages, turns, files.
        (
            "from openai import OpenAI\n\n\ndef f(m):\n    return OpenAI().chat.completions.create(messages=m)\n",
            &["`f` asks a model: `.completions.create`", "`f` asks a model: `openai.OpenAI`"],
        ),
        (
            "def f(http, url):\n    return http.post(f'{url}/chat/completions')\n",
            &["`f` asks a model: `\"chat/completions\"`"],
        ),
        (
            "async def f(a, e):\n    await a._message_handler(e)\n",
            &["`f` begins a turn or lets a message in: `._message_handler`"],
        ),
        (
            "class Mine:\n    async def handle_message(self, event):\n        return None\n",
            &["`Mine.handle_message` has the name of a choke point: `handle_message`"],
        ),
        ("def f(a, p):\n    return a.send_document('1', p)\n", &["`f` sends a local file: `.send_document`"]),
        (
            "def f(r, g):\n    r.dispatch = g\n",
            &["`tools.registry.ToolRegistry.dispatch` is defined or bound again, in `f`"],
        ),
        (
            "from tests.helpers import x\n",
            &[
                "imports `tests.helpers`, which this check does not read",
                "imports `tests.helpers.x`, which this check does not read",
            ],
        ),
        ("registry.register(name='spy', handler=print)\n", &["the module registers a tool: `spy`"]),
        ("def f(:\n", &["a part of it does not parse"]),
        ("x = 1  # y\rimport os\n", &["it has a carriage return within a line"]),
    ];
    let source = Planted::new(|up| {
        add(
            up,
            "tools/environments/local.py",
            "from tools.environments.base import BaseEnvironment\n\n\nclass LocalEnvironment(BaseEnvironment):\n    pass\n",
        );
        // A tool that the reviewed releases have, under another handler.
        let tool = "def look(args):\n    pass\n\n\ndef run(args):\n    return look(args)\n\n\nregistry.register(name='vision_analyze', handler=run)\n";
        add(up, "tools/vision_tools.py", tool);
        for (number, (text, _)) in planted.iter().enumerate() {
            up.write(&format!("agent/planted{number}.py"), text);
        }
    });
    let report = pin(source.dir.path(), &["0.20.0", "--source", &source.up.url(), "--json"]);
    let report: serde_json::Value = serde_json::from_str(&stdout(&report)).unwrap();
    let mut found = std::collections::BTreeMap::<&str, Vec<&str>>::new();
    for difference in report["differences"].as_array().unwrap() {
        found.entry(difference["path"].as_str().unwrap()).or_default().push(difference["what"].as_str().unwrap());
    }
    for (number, (text, differences)) in planted.iter().enumerate() {
        assert_eq!(found.remove(&*format!("agent/planted{number}.py")).unwrap_or_default(), *differences, "{text}");
    }
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_way_past_a_choke_point_in_a_function_that_leads_to_it_is_found() {
    // An early return that does the work itself.
    let early = |text: String| {
        text.replace(
            "def handle_function_call():\n",
            "def handle_function_call():\n    if fast:\n        return work(args)\n",
        )
    };
    Planted::new(|up| edit(up, "model_tools.py", early))
        .refused(&["`handle_function_call` calls on the way to a choke point: `work`"]);
    // One that runs the tool as the choke point would.
    let early = |text: String| {
        text.replace("def handle_function_call():\n", "def handle_function_call():\n    from tools.registry import registry\n    if fast:\n        return registry.dispatch(name)\n")
    };
    Planted::new(|up| edit(up, "model_tools.py", early)).refused(&[
        "`handle_function_call` calls on the way to a choke point: `tools.registry.registry.dispatch`",
        "`handle_function_call` runs a tool: `.dispatch`",
    ]);
    // And one that leaves it out.
    let without = |text: String| text.replace("run_tool_execution_middleware()", "pass");
    Planted::new(|up| edit(up, "model_tools.py", without))
        .refused(&["`handle_function_call` no longer calls `hermes_cli.middleware.run_tool_execution_middleware`"]);
}

#[test]
fn code_that_is_no_source_is_refused() {
    Planted::new(|up| up.write("tools/fast.so", "\u{7f}ELF")).refused(&["it is code and no source"]);
    Planted::new(|up| up.write("sitecustomize.py", "x = 1\n")).refused(&["Python runs it before the policy"]);
    Planted::new(|up| std::os::unix::fs::symlink("../tests/x.py", up.path().join("tools/linked.py")).unwrap())
        .refused(&["it is a link"]);
}

#[test]
fn a_moved_file_of_the_policy_is_refused() {
    let planted = Planted::new(|up| std::fs::remove_file(up.path().join("tools/tool_search.py")).unwrap());
    planted.refused(&["`tools.tool_search` is not there: the policy stands on it"]);
}

/// A lock with the suite's review of this release, which accepted these differences.
fn reviewed_by_the_suite(planted: &Planted, differences: &[&str]) {
    let report = pin(planted.dir.path(), &["0.20.0", "--source", &planted.up.url(), "--json"]);
    let report: serde_json::Value = serde_json::from_str(&stdout(&report)).unwrap();
    let mut release: Release = serde_json::from_value(report["release"].clone()).unwrap();
    // Its files, as a compatible release has them.
    let compatible = Planted::new(|_| ());
    assert!(compatible.pin().status.success());
    let suite = Suite {
        digest: "5".repeat(64).parse().unwrap(),
        date: "2026-08-04".parse().unwrap(),
        cases: 7,
        differences: differences.iter().map(|&text| text.to_owned()).collect(),
    };
    release.policy = Some(Policy { review: Review::Suite, suite: Some(suite), ..policy(compatible.dir.path()) });
    let releases = [("0.20.0".parse().unwrap(), release)].into();
    LockFile { releases, ..LockFile::default() }.save(&lock(planted.dir.path())).unwrap();
}

#[test]
fn what_the_suite_accepted_is_pinned_and_nothing_else() {
    let planted = Planted::new(|up| up.write("agent/new.py", "import os\n\nos.system('id')\n"));
    reviewed_by_the_suite(&planted, &["agent/new.py: the module starts a process: `os.system`"]);
    let done = planted.pin();
    assert!(done.status.success(), "{}{}", stdout(&done), stderr(&done));
    assert!(stdout(&done).contains("review   reviewed by the suite\n"), "{}", stdout(&done));
    assert_eq!(policy(planted.dir.path()).suite.unwrap().cases, 7);
    assert!(stdout(&planted.pin()).ends_with("0 changes\n"));
    // A review of other files is none of these.
    let path = lock(planted.dir.path());
    let text = std::fs::read_to_string(&path).unwrap();
    let digest = text.split_once("tools.registry: ").unwrap().1.lines().next().unwrap().trim_matches('"').to_owned();
    std::fs::write(&path, text.replace(&digest, &"9".repeat(64))).unwrap();
    assert_eq!(planted.pin().status.code(), Some(1));
    reviewed_by_the_suite(&planted, &["agent/new.py: the module starts a process: `os.popen`"]);
    assert_eq!(planted.pin().status.code(), Some(1));
}

/// `petasos VERB` with this lock, for a host that nobody could reach.
fn with_lock(verb: &str, lock: &str) -> std::process::Output {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("petasos.lock"), lock).unwrap();
    std::process::Command::new(env!("CARGO_BIN_EXE_petasos"))
        .current_dir(dir.path())
        .args([verb, "root@192.0.2.1"])
        .env("OPENROUTER_API_KEY", "x")
        .output()
        .unwrap()
}

#[test]
fn a_release_that_nobody_reviewed_is_not_brought_to_a_host() {
    let reviewed = include_str!("petasos.lock");
    let before = reviewed.split("    policy:").next().unwrap();
    for verb in ["up", "plan"] {
        let done = with_lock(verb, before);
        assert_eq!(done.status.code(), Some(1));
        let said = stderr(&done);
        assert!(said.contains("192.0.2.1: the lock does not say whether release 0.19.0 was reviewed"), "{said}");
        assert!(said.contains("hint: `petasos pin 0.19.0` checks its source"), "{said}");
    }
    // `render` sends nothing to a host, and asks it.
    let done = with_lock("render", before);
    assert!(!stderr(&done).contains("reviewed"), "{}", stderr(&done));
}
