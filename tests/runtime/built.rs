//! The functions, and what must be set for each.

use plumbline_tests::functions;
use std::path::PathBuf;

/// The functions, and what must be set for each.
pub(crate) const FUNCTIONS: [(&str, &[&str]); 5] = [
    ("api", plumbline_api::NEEDS),
    ("schedule", plumbline_schedule::NEEDS),
    ("capture", plumbline_capture::NEEDS),
    ("compare", plumbline_compare::NEEDS),
    ("deadletter", plumbline_deadletter::NEEDS),
];

/// The binary of a function; `hello` is the smallest function there is.
pub(crate) fn binary(name: &str) -> PathBuf {
    if name == "hello" { functions::hello() } else { functions::binary(name) }
}
