//! What a check of the stores finds.

use std::fmt;

/// Something that is wrong in a data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, row or object.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
    /// What to do.
    pub advice: &'static str,
}

impl Problem {
    /// Damage.
    pub(crate) fn backup(place: impl Into<String>, reason: impl Into<String>) -> Self {
        let advice = "restore it from a backup";
        Self { place: place.into(), reason: reason.into(), advice }
    }

    /// A file that does not belong there.
    pub(crate) fn stray(place: impl Into<String>) -> Self {
        let reason = "it does not belong in a data directory".to_owned();
        Self { place: place.into(), reason, advice: "move it away" }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}; {}", self.place, self.reason, self.advice)
    }
}
