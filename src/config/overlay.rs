//! A host's own words over those for all hosts, and where a value stands among them.

use crate::yaml::Step;
use serde_json::Value;
use serde_path_to_error::Segment;

/// Maps are merged, everything else is replaced.
pub fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        // A section that says nothing leaves what all hosts say.
        (Value::Object(_), Value::Null) => {}
        (under, over) => *under = over,
    }
}

/// How many steps of a path there are.
pub fn depth(mut at: &Value, path: &[Step]) -> usize {
    for (done, step) in path.iter().enumerate() {
        let next = match step {
            Step::Key(key) => at.get(key),
            Step::At(number) => at.get(number),
        };
        match next {
            Some(next) if !next.is_null() => at = next,
            _ => return done,
        }
    }
    path.len()
}

/// A step of serde's own.
pub fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Seq { index } => Some(Step::At(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}
