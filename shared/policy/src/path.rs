//! Paths that a person understands: `settings/{definition id}/choiceSettingValue/value`.

use std::borrow::Cow;
use std::fmt;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step<'a> {
    /// A member of an object.
    Member(Cow<'a, str>),
    /// An item of a keyed list; `nth` counts items of the same key from 0.
    Key {
        /// The key.
        key: Cow<'a, str>,
        /// The place among items of the same key.
        nth: usize,
    },
    /// An item of a list with order, from 0.
    Index(usize),
    /// An item of a set, by the first digits of its digest.
    Item(String),
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(name) => formatter.write_str(name),
            Self::Key { key, nth: 0 } => write!(formatter, "{{{key}}}"),
            Self::Key { key, nth } => write!(formatter, "{{{key}}}#{}", nth + 1),
            Self::Index(index) => write!(formatter, "[{index}]"),
            Self::Item(digest) => write!(formatter, "~{digest}"),
        }
    }
}

/// Joins steps with `/`.
#[must_use]
pub fn join(steps: &[Step<'_>]) -> String {
    use fmt::Write as _;
    let mut out = String::new();
    for (index, step) in steps.iter().enumerate() {
        if index > 0 {
            out.push('/');
        }
        // Writing to a string cannot fail.
        let _ = write!(out, "{step}");
    }
    out
}
