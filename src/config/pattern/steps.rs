//! How often a backtracking search may try, from one place of a text, before it gives up: an upper
//! bound, whatever the text.
//!
//! A repetition of N to M ends in M - N + 1 places, and after each of them all that follows is
//! tried again. That multiplies, unless what follows begins with something that the repetition does
//! not take: then it goes on from the last place alone. A repetition that nothing follows never
//! goes back, so only there it may be without an end.

use super::node::{Node, Set};
use crate::fault::Fault;

/// Nothing is computed more exactly than this.
const TOO_MANY: u64 = 1 << 16;

/// # Errors
/// When there is no bound.
pub fn most(node: &Node) -> Result<u64, Fault> {
    Ok(before(node, &Rest { tries: 1, begins: Vec::new(), nothing: true })?.tries)
}

/// What follows, as seen by what stands before it.
#[derive(Clone)]
struct Rest {
    /// How often it is tried from one place.
    tries: u64,
    /// The characters that it certainly begins with, one by one.
    begins: Vec<Set>,
    /// Whether it is nothing at all, so that it cannot fail.
    nothing: bool,
}

impl Rest {
    /// The one or the other.
    fn or(&self, other: &Self) -> Self {
        let first = self.begins.first().zip(other.begins.first());
        // Where their first characters differ, one of them ends there.
        let tries = match first {
            Some((own, other_first)) if own.is_apart(*other_first) => self.tries.max(other.tries) + 1,
            _ => self.tries.saturating_add(other.tries),
        };
        Self { tries, begins: first.map(|(a, b)| a.or(*b)).into_iter().collect(), nothing: false }
    }
}

/// A node and what follows it.
fn before(node: &Node, rest: &Rest) -> Result<Rest, Fault> {
    match node {
        Node::Set(set) => Ok(Rest {
            tries: rest.tries.saturating_add(1),
            begins: std::iter::once(*set).chain(rest.begins.iter().copied()).take(64).collect(),
            nothing: false,
        }),
        Node::Place(_) => Ok(Rest { tries: rest.tries.saturating_add(1), nothing: false, ..rest.clone() }),
        Node::All(list) => list.iter().rev().try_fold(rest.clone(), |rest, node| before(node, &rest)),
        Node::Either(list) => {
            let each = list.iter().map(|node| before(node, rest)).collect::<Result<Vec<_>, _>>()?;
            Ok(each.into_iter().reduce(|one, other| one.or(&other)).unwrap_or_else(|| rest.clone()))
        }
        Node::Repeat { node, min, max, .. } => match (&**node, max) {
            (Node::Set(set), Some(max)) => Ok(run(*set, *min, *max, rest)),
            (Node::Set(set), None) if rest.nothing => Ok(run(*set, *min, *min, rest)),
            (_, Some(max)) => group(node, *min, *max, rest),
            (_, None) => Err(endless(rest.nothing)),
        },
    }
}

fn endless(last: bool) -> Fault {
    let what = if last { "a group" } else { "something that more follows" };
    Fault::new(format!("repeats {what} without end"))
        .hint("give it a largest number, such as `{1,64}` for `+`: only single characters at the very end need none")
}

/// Single characters, `min` to `max` of them.
fn run(set: Set, min: u32, max: u32, rest: &Rest) -> Rest {
    let ends = u64::from(max.saturating_sub(min)) + 1;
    // Python runs over them many times as fast as it tries what follows.
    let scan = u64::from(max) / 16 + 1;
    let tries = match rest.begins.iter().zip(1_u64..).find(|(next, _)| set.is_apart(**next)) {
        _ if rest.nothing => 0,
        // Only from the last ends on, what stands there can be what must follow.
        Some((_, checked)) => ends.saturating_mul(checked).saturating_add(ends.min(checked).saturating_mul(rest.tries)),
        None => ends.saturating_mul(rest.tries),
    };
    let certain = std::iter::repeat_n(set, min.min(64) as usize);
    let begins = match (min, rest.begins.first()) {
        (0, Some(next)) if max > 0 => vec![set.or(*next)],
        (0, None) => Vec::new(),
        _ if min == max => certain.chain(rest.begins.iter().copied()).take(64).collect(),
        _ => certain.collect(),
    };
    Rest { tries: scan.saturating_add(tries), begins, nothing: false }
}

/// A group, as often as it is written out: `x{1,3}` is `x(x(x)?)?`.
fn group(node: &Node, min: u32, max: u32, rest: &Rest) -> Result<Rest, Fault> {
    let mut all = rest.clone();
    for count in (0..max).rev() {
        all = before(node, &all)?;
        if count >= min {
            all = all.or(rest);
        }
        if all.tries > TOO_MANY {
            return Ok(Rest { tries: all.tries, begins: Vec::new(), nothing: false });
        }
    }
    Ok(all)
}
