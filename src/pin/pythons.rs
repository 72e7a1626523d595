//! The builds of Python that may be pinned with a release.
use crate::fault::Fault;
use crate::release::pinned::Python;
use crate::release::python;

/// Names a file that stands in the place of Petasos' own table: the lab's, whose internet has other
/// archives.
const VARIABLE: &str = "PETASOS_PYTHONS";

/// # Errors
/// The file that the variable names cannot be read, or is no such table.
pub fn table() -> Result<Vec<Python>, Fault> {
    match std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        None => python::table(),
        Some(path) => {
            let of_file = |fault: Fault| fault.at(format!("`{}`, of {VARIABLE}", path.display()));
            let text = std::fs::read_to_string(&path).map_err(|error| of_file(Fault::new(error.to_string())))?;
            python::read(&text).map_err(of_file)
        }
    }
}
