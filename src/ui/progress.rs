//! Progress: a line a host that redraws itself on a terminal, plain lines in a pipe.

use super::bars;
use super::print::note;
use super::report::size;
use super::visible::line;
use crate::run::{Event, Watch};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A watcher for the hosts named.
pub fn watch(hosts: &[String], quiet: bool) -> Watch {
    if quiet {
        return Arc::new(|_, _| ());
    }
    if std::io::stderr().is_terminal() { bars(hosts) } else { lines() }
}

/// Of something long a line for each tenth.
fn lines() -> Watch {
    let tenths: Mutex<BTreeMap<String, u64>> = Mutex::default();
    Arc::new(move |host, event| {
        if let (Event::Progress { done, of, what }, Ok(mut tenths)) = (&event, tenths.lock()) {
            let tenth = done.saturating_mul(10) / (*of).max(1);
            if tenths.insert(format!("{host} {what}"), tenth).is_none_or(|before| tenth > before) {
                note(&line(&format!("{host}: {what}: {} % of {}", (tenth * 10).min(100), size(*of))));
            }
        } else if let Some(message) = message(&event) {
            note(&line(&format!("{host}: {message}")));
        }
    })
}

/// The message of an event, for a line of its own; small ones have none.
fn message(event: &Event) -> Option<String> {
    match event {
        Event::Connecting | Event::Reached(_) => None,
        Event::HostKey(fingerprint) => Some(format!("first contact: host key {fingerprint} recorded in petasos.lock")),
        Event::Observing { user } => Some(format!("gathering facts, as {user}")),
        Event::Planned { changes, met } => Some(format!("{changes} to change, {met} unchanged")),
        Event::Step { number, of, title } => Some(format!("[{number}/{of}] {title}")),
        Event::AdminLogin { user } => Some(format!("checking a new login as {user}")),
        Event::Rechecking => Some("checking again".into()),
        Event::Learned(..) | Event::Progress { .. } => None,
        Event::Attacking => Some("attacking the host from inside".into()),
        Event::Note(note) => Some(note.clone()),
    }
}

fn bars(hosts: &[String]) -> Watch {
    let all = MultiProgress::new();
    bars::drawn(&all);
    let width = hosts.iter().map(|host| host.chars().count()).max().unwrap_or(0);
    let style = ProgressStyle::with_template("{spinner} {prefix} {bar:20} {pos:>3}/{len:3} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = |host: &String| {
        let bar = all.add(ProgressBar::new(0).with_style(style.clone()).with_prefix(format!("{host:width$}")));
        bar.enable_steady_tick(Duration::from_millis(120));
        (host.clone(), bar)
    };
    let bars: Mutex<BTreeMap<String, ProgressBar>> = Mutex::new(hosts.iter().map(bar).collect());
    Arc::new(move |host, event| {
        let Ok(bars) = bars.lock() else { return };
        let Some(bar) = bars.get(host) else { return };
        if let Event::Step { number, of, .. } = &event {
            bar.set_length(*of as u64);
            bar.set_position(number.saturating_sub(1) as u64);
        }
        if let Event::Progress { done, of, what } = &event {
            bar.set_length(of >> 20);
            bar.set_position(done >> 20);
            bar.set_message(line(&format!("{what} (MiB)")));
            return;
        }
        // What is worth a note must not be overwritten by the next event.
        match (&event, message(&event)) {
            (Event::Note(_) | Event::HostKey(_), Some(note)) => drop(all.println(line(&format!("{host}: {note}")))),
            (Event::Reached(_), _) => {}
            (_, message) => bar.set_message(line(&message.unwrap_or_else(|| "connecting".into()))),
        }
    })
}
