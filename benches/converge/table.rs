//! Samples, and the table that they end in.

use std::time::Duration;

/// How long something took, each time.
#[derive(Debug, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn add(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64());
        self.0.sort_by(f64::total_cmp);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn median(&self) -> f64 {
        let (low, high) = (self.0.get(self.len().saturating_sub(1) / 2), self.0.get(self.len() / 2));
        low.zip(high).map_or(f64::NAN, |(low, high)| (low + high) / 2.0)
    }

    fn range(&self) -> String {
        match (self.0.first(), self.0.last()) {
            (Some(first), Some(last)) => format!("{first:.2} to {last:.2}"),
            _ => String::new(),
        }
    }
}

pub fn head() {
    println!("{:<46} {:>7} {:>10} {:>18} {:>7}  target", "", "samples", "median (s)", "range (s)", "ratio");
}

/// What is measured against, then what is measured.
pub fn pair(title: &str, base: (&str, &Samples), tried: (&str, &Samples), target: Option<f64>) {
    println!("{title}");
    let row = |(name, samples): (&str, &Samples), ratio: String, target: String| {
        let name = format!("  {name}");
        let (count, median, range) = (samples.len(), samples.median(), samples.range());
        println!("{name:<46} {count:>7} {median:>10.3} {range:>18} {ratio:>7}  {target}");
    };
    row(base, String::new(), String::new());
    row(
        tried,
        format!("{:.2}x", tried.1.median() / base.1.median()),
        target.map_or_else(String::new, |target| format!("at most {target}x")),
    );
}
