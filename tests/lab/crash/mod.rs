//! The crash table: the client dies, or the cable is cut, after any single step of a first run; the
//! next `up` converges, and the host is then, file by file, what an undisturbed run makes of it,
//! with nobody locked out.
//!
//! A spread sample runs by default. All steps: `cargo test --test lab -- --ignored crash`;
//! PETASOS_CRASH=17,30-40 runs these steps alone.

mod stop;

use super::harness::world::lock;
use super::harness::{Desk, Host, ignored, ready, ready_machine, trial};
use anyhow::{Context, Result, anyhow, ensure};
use libtest_mimic::Trial;
use std::collections::{BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use stop::Run;

/// How many hosts the whole table uses side by side.
const HOSTS: usize = 2;

const EVERY_STEP: &str = "a row for every step of a first run takes more than an hour; a sample runs by default";
const CUTS: &str = "a cut that ssh notices takes more than a minute; a sample of shorter ones runs by default";
const EMULATED: &str = "the processor of a virtual machine is emulated: ten rows take an hour";
const MIDWAY: &str = "a whole first run of its own; badday::packages has a step that outlives its connection too";

pub fn trials() -> Vec<Trial> {
    vec![
        in_turn("the client dies or the cable is cut after a step, a sample", sample),
        in_turn("a second run takes nothing back while the first is alive", second),
        ignored(in_turn("the client dies after every single step", || every_step(Part::Whole)), EVERY_STEP),
        ignored(in_turn("the client dies after every step of the hardening", || every_step(Part::Base)), EVERY_STEP),
        ignored(in_turn("the cable is cut after spread steps", cuts), CUTS),
        ignored(in_turn("the client dies after spread steps on a virtual machine", machines), EMULATED),
        ignored(in_turn("the client dies while dpkg works on a fresh host", dpkg), MIDWAY),
        ignored(in_turn("the client dies while the release is built", build), MIDWAY),
    ]
}

/// One at a time: each brings its own hosts.
fn in_turn(name: &str, test: fn() -> Result<()>) -> Trial {
    static TURN: Mutex<()> = Mutex::new(());
    trial(&format!("crash::{name}"), move || {
        let _turn = lock(&TURN);
        test()
    })
}

/// What the run brings about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The host's hardening alone, which takes seconds.
    Base,
    /// The same, of a host with a kernel of its own.
    Machine,
    /// The agent too.
    Whole,
}

impl Part {
    /// The snapshot that a row's host starts from.
    fn start(self) -> Result<&'static str> {
        match self {
            Part::Machine => ready_machine(),
            Part::Base | Part::Whole => ready(),
        }
    }
}

/// What befalls the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// The client gets SIGKILL; its ssh lives on for a while, as it does.
    Killed,
    /// The cable is cut and stays so, the client is killed: the host hears nothing of either.
    Cut,
    /// The cable is cut for longer than ssh waits; the client sees for itself what to do.
    CutForLong,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    part: Part,
    after: usize,
    blow: Blow,
}

/// An undisturbed run, and what it made of the host.
struct Undisturbed {
    steps: usize,
    /// The step after which the administrator can log in, and is not root yet.
    keys: usize,
    /// One of those that are made under the guard.
    armed: usize,
    state: BTreeSet<String>,
}

fn desk(host: &Host, part: Part) -> Result<Desk> {
    let mut desk = match part {
        Part::Whole => Desk::of(&[host])?,
        Part::Base | Part::Machine => Desk::of_hardening(host)?,
    };
    // What a killed client leaves here goes with the desk.
    desk.set("TMPDIR", Some(&desk.path("").display().to_string()));
    Ok(desk)
}

fn state(host: &Host) -> Result<BTreeSet<String>> {
    Ok(host.sh(include_str!("state.sh"))?.lines().map(str::to_owned).collect())
}

fn undisturbed(part: Part) -> Result<&'static Undisturbed> {
    static BASE: OnceLock<Result<Undisturbed, String>> = OnceLock::new();
    static MACHINE: OnceLock<Result<Undisturbed, String>> = OnceLock::new();
    static WHOLE: OnceLock<Result<Undisturbed, String>> = OnceLock::new();
    let make = || -> Result<Undisturbed> {
        let host = Host::from(&format!("crash-{part:?}").to_lowercase(), part.start()?)?;
        let desk = desk(&host, part)?;
        let run = Run::start(&host, &desk, 0)?;
        let (took, steps, talk) = run.ends_well()?;
        // A look, and what is kept for an undo, come before the first.
        let step = |words: &str| {
            let line = talk.lines().find(|line| line.contains(words)).with_context(|| format!("no step {words}"))?;
            let number = line.split(['[', '/']).nth(1).and_then(|number| number.parse::<usize>().ok());
            anyhow::Ok(number.context("no number")? + 2)
        };
        let (keys, armed) = (step("/.ssh/authorized_keys: ")?, step("ufw firewall: ")?);
        sound(&host, &desk, part)?;
        eprintln!("crash: a first run ({part:?}) is {steps} steps and takes {:.1} s", took.as_secs_f64());
        Ok(Undisturbed { steps, keys, armed, state: state(&host)? })
    };
    let place = match part {
        Part::Base => &BASE,
        Part::Machine => &MACHINE,
        Part::Whole => &WHOLE,
    };
    place.get_or_init(|| make().map_err(|error| format!("{error:#}"))).as_ref().map_err(|why| anyhow!("{why}"))
}

/// Nobody is locked out, nothing is armed, the agent answers, and there is nothing more to do.
fn sound(host: &Host, desk: &Desk, part: Part) -> Result<()> {
    let said = host.login("ops", &["ControlPath=none", "ConnectTimeout=10"], "sudo -n id -u")?;
    ensure!(said.code == 0 && said.out.trim() == "0", "the administrator is locked out:\n{}", said.all());
    host.sh("cd /var/lib/petasos/guard; ! ls -d armed reverting new 2>/dev/null").context("the guard waits")?;
    if part == Part::Whole {
        host.sh("curl -fsS --max-time 5 http://127.0.0.1:8642/health").context("the agent does not answer")?;
    }
    desk.petasos(&["plan"])?.ended(0).context("the plan is not empty")?.says(&[": 0 changes"])
}

/// One row; says after which step it was.
fn row(slot: &str, case: Case) -> Result<String> {
    let wanted = undisturbed(case.part)?;
    let host = Host::from(&format!("crash-{slot}"), case.part.start()?)?;
    let desk = desk(&host, case.part)?;
    let mut run = Run::start(&host, &desk, case.after)?;
    let step = run.stopped()?;
    match case.blow {
        Blow::Killed => run.kill()?,
        Blow::Cut => {
            host.plug(false)?;
            run.go_on()?;
            // The host works on, and nobody hears what it says.
            std::thread::sleep(Duration::from_secs(3));
            run.kill()?;
            host.plug(true)?;
        }
        Blow::CutForLong => {
            host.plug(false)?;
            run.go_on()?;
            run.ends(Duration::from_secs(70))?;
            host.plug(true)?;
            let said = run.ends(Duration::from_secs(300))?.context("the client does not end")?;
            ensure!(!said.contains("panicked"), "{said}");
        }
    }
    let up = desk.petasos(&["up"])?;
    let talk = || format!("after `{step}` of a run that said:\n{}\n", run.talk());
    let judged = || -> Result<()> {
        ensure!(up.code == 0, "the next `up` ended with {}:\n{}", up.code, up.all());
        sound(&host, &desk, case.part)?;
        let is = state(&host)?;
        let lines = |sign: &str, lines: Vec<&String>| -> String {
            lines.into_iter().take(15).map(|line| format!("{sign} {line}\n")).collect()
        };
        let (gone, come) = (wanted.state.difference(&is).collect(), is.difference(&wanted.state).collect());
        ensure!(is == wanted.state, "not what an undisturbed run makes:\n{}{}", lines("-", gone), lines("+", come));
        Ok(())
    };
    judged().with_context(|| format!("{}the next `up` said:\n{}", talk(), up.all()))?;
    Ok(step)
}

/// Rows, on some hosts side by side; all of them, whatever becomes of one.
fn table(name: &str, cases: Vec<Case>, hosts: usize) -> Result<()> {
    let (all, began) = (cases.len(), Instant::now());
    let cases = Mutex::new(VecDeque::from(cases));
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for slot in 0..hosts {
            let (cases, failures) = (&cases, &failures);
            scope.spawn(move || {
                loop {
                    let Some(case) = lock(cases).pop_front() else { break };
                    let began = Instant::now();
                    let (word, step) = match row(&format!("{name}{slot}"), case) {
                        Ok(step) => ("sound", step),
                        Err(error) => {
                            lock(failures).push(format!("{case:?}: {error:#}"));
                            ("FAILED", format!("{error:#}"))
                        }
                    };
                    let Case { part, after, blow } = case;
                    let took = began.elapsed().as_secs_f64();
                    eprintln!("crash: {blow:?} after step {after} ({part:?}): {word} ({took:.0} s): {step}");
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let took = began.elapsed().as_secs();
    eprintln!("crash: {name}: {} of {all} rows converge, in {took} s", all - failures.len());
    ensure!(failures.is_empty(), "{} of {all} rows fail:\n{}", failures.len(), failures.join("\n\n"));
    Ok(())
}

/// `count` numbers from 1 to `steps`, evenly spread.
fn spread(steps: usize, count: usize) -> Vec<usize> {
    (0..count).map(|n| 1 + n * (steps - 1) / (count - 1).max(1)).collect()
}

fn sample() -> Result<()> {
    let Undisturbed { steps, keys, armed, .. } = undisturbed(Part::Base)?;
    let case = |blow| move |after| Case { part: Part::Base, after, blow };
    let kills = spread(steps - 1, 2).into_iter().chain([*keys]).map(case(Blow::Killed));
    // In the middle of what may lock people out.
    let cuts = [*armed].into_iter().map(case(Blow::Cut));
    table("s", kills.chain(cuts).collect(), 1)
}

fn every_step(part: Part) -> Result<()> {
    let steps = undisturbed(part)?.steps;
    let asked = asked()?;
    let wanted = |step: &usize| asked.is_empty() || asked.iter().any(|range| range.contains(step));
    let cases = (1..=steps).filter(wanted).map(|after| Case { part, after, blow: Blow::Killed });
    table(if part == Part::Base { "b" } else { "w" }, cases.collect(), HOSTS)
}

fn machines() -> Result<()> {
    let steps = undisturbed(Part::Machine)?.steps;
    let case = |after| Case { part: Part::Machine, after, blow: Blow::Killed };
    table("m", spread(steps - 1, 10).into_iter().map(case).collect(), 1)
}

/// The steps named in PETASOS_CRASH; none for all.
fn asked() -> Result<Vec<RangeInclusive<usize>>> {
    let Ok(words) = std::env::var("PETASOS_CRASH") else { return Ok(Vec::new()) };
    let range = |word: &str| {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    words.split(',').map(range).collect::<Option<_>>().with_context(|| format!("PETASOS_CRASH={words} names no steps"))
}

/// Most of this is waiting: one host more.
fn cuts() -> Result<()> {
    let steps = undisturbed(Part::Whole)?.steps;
    let blows = [Blow::CutForLong, Blow::Cut].into_iter().cycle();
    let case = |(after, blow)| Case { part: Part::Whole, after, blow };
    table("c", spread(steps - 1, 10).into_iter().zip(blows).map(case).collect(), HOSTS + 1)
}

/// The first run stands still while its guarded changes wait for their confirmation.
fn second() -> Result<()> {
    let host = Host::from("crash-second", ready()?)?;
    let desk = desk(&host, Part::Base)?;
    let mut run = Run::start(&host, &desk, undisturbed(Part::Base)?.armed)?;
    run.stopped()?;
    let armed = "test -e /var/lib/petasos/guard/armed";
    host.sh(armed).context("nothing is armed at that step")?;
    desk.petasos(&["up"])?.ended(1)?.says(&["another run is in progress"])?;
    host.sh(armed).context("the second run took the first one's change back")?;
    run.go_on()?;
    run.ends_well()?;
    sound(&host, &desk, Part::Base)
}

/// The client dies in the middle of a step, which goes on to its end on the host while the next run
/// begins already.
fn midway(host: &Host, part: Part, waits: &str) -> Result<()> {
    let desk = desk(host, part)?;
    let mut run = Run::start(host, &desk, 0)?;
    host.sh(waits).context("the step never came")?;
    run.kill()?;
    let up = desk.petasos(&["up"])?;
    ensure!(up.code == 0, "the next `up` ended with {}:\n{}\nafter one that said:\n{}", up.code, up.all(), run.talk());
    eprintln!("crash: midway: the next `up` said:\n{}", up.err);
    sound(host, &desk, part)
}

/// On a host where nothing is there yet.
fn dpkg() -> Result<()> {
    let waits = "for n in $(seq 1000); do pgrep -x dpkg >/dev/null && exit; sleep 0.1; done; exit 1";
    midway(&Host::fresh("crash-dpkg", "trixie")?, Part::Base, waits)
}

fn build() -> Result<()> {
    let host = Host::from("crash-build", ready()?)?;
    let waits = "for n in $(seq 1000); do ls -d /opt/hermes/releases/.staging-*/venv >/dev/null 2>&1 && exit; sleep 0.1; done; exit 1";
    midway(&host, Part::Whole, waits)
}
