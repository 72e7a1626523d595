//! What `petasos verify` found, as one page that needs nothing else: for a security team's mailbox,
//! its printer and its archive.
//!
//! What hosts say is hostile text. Tera escapes each value, no template says `safe`, `visible`
//! shows what an eye would not see, and the page's own policy forbids it to run or fetch anything.

mod phrases;
mod view;

use super::visible::visible;
use crate::fault::Fault;
use crate::verify::report::Report;
use serde_json::Value;
use tera::{Context, Tera};

/// Part of the program, so that a report looks the same wherever it was made; `.html` is what Tera
/// escapes by itself.
const TEMPLATE: (&str, &str) = ("verify.html", include_str!("../../templates/report/verify.html.tera"));

/// The page.
///
/// # Errors
/// When the template does not fit the types, which the tests would have seen.
pub fn page(report: &Report) -> Result<String, Fault> {
    let mut tera = Tera::default();
    tera.add_raw_templates([TEMPLATE]).map_err(|why| Fault::new(why.to_string()))?;
    let mut value = serde_json::to_value(view::page(report)).map_err(|why| Fault::new(why.to_string()))?;
    in_each_text(&mut value);
    let context = Context::from_serialize(&value).map_err(|why| Fault::new(why.to_string()))?;
    tera.render(TEMPLATE.0, &context).map_err(|why| Fault::new(why.to_string()))
}

fn in_each_text(value: &mut Value) {
    match value {
        Value::String(text) => *text = visible(text),
        Value::Array(values) => values.iter_mut().for_each(in_each_text),
        Value::Object(values) => values.values_mut().for_each(in_each_text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
