//! The badge catalog: what a status-like value looks like, decided once for every face.
//!
//! A [`Domain`] names a set of values that belong together (`finding.status`), and [`badge`] turns one
//! of its values into a label, a colour, an icon and a rank. The function is pure and total: a value
//! that is unknown, null or of another domain's spelling becomes [`Badge::UNKNOWN`], which is gray and
//! ranks next to the warnings. Unknown is never green.
//!
//! Nothing is logged here. The edge that read the value asks [`Domain::knows`] and logs an unknown
//! value once; a value of another JSON type than string is passed on as `None`.
//!
//! # Values without a badge
//!
//! A few known values carry no news (`tenant.is_current` = `false`), and the design shows nothing for
//! them. They are *quiet*: [`badge`] still answers with a neutral gray badge, so that it stays total and
//! a table cell or a filter has words to print, and [`visible_badge`] answers `None` exactly for them.
//! A face that decorates something calls [`visible_badge`]; [`Domain::is_quiet`] says which they are.
//!
//! # Spelling
//!
//! Each domain accepts what its seed lists and nothing else: `success`, `succeeded` and `completed`,
//! `canceled` and `cancelled` stay apart. Foreign spellings are translated on import, not here.

mod catalog;
mod colour;

pub use catalog::Domain;
pub use colour::{Colour, Paint, Theme};

use serde::{Serialize, Serializer};
use std::fmt;

/// A heroicon, by its name without size prefix: `clock`, not `heroicon-m-clock`.
///
/// An icon only repeats what the label says, so it is hidden from assistive technology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Icon(&'static str);

impl Icon {
    /// Returns the name of the icon, as in the file names of the heroicons set.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What a value looks like. Only the catalog makes badges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Badge {
    /// The text, never empty and always shown: colour and icon only repeat it.
    pub label: &'static str,
    /// The meaning as a colour; green is kept for a proven good end.
    pub colour: Colour,
    /// The picture beside the text.
    pub icon: Icon,
    /// The place in a sorted list, 0 being the most urgent; unique in a domain and inside the colour's
    /// [`Colour::ranks`], except for [`Badge::UNKNOWN`].
    pub rank: u8,
}

impl Badge {
    /// The badge of everything that is not known: gray, and as urgent as a warning.
    pub const UNKNOWN: Self = Self {
        label: "Unknown",
        colour: Colour::Gray,
        icon: Icon("question-mark-circle"),
        rank: 30,
    };
}

/// Looks up how `value` is shown in `domain`; anything unknown or null is [`Badge::UNKNOWN`].
#[must_use]
pub fn badge(domain: Domain, value: Option<&str>) -> Badge {
    value.and_then(|value| find(domain, value)).unwrap_or(Badge::UNKNOWN)
}

/// Looks up like [`badge`], and answers `None` for the quiet values, for which a face draws nothing.
#[must_use]
pub fn visible_badge(domain: Domain, value: Option<&str>) -> Option<Badge> {
    if value.is_some_and(|value| domain.is_quiet(value)) {
        None
    } else {
        Some(badge(domain, value))
    }
}

/// Lists every domain's every value with its badge, quiet values included, in the order of the table.
pub fn catalog() -> impl Iterator<Item = (Domain, &'static str, Badge)> {
    Domain::ALL
        .iter()
        .flat_map(|&domain| domain.rows().iter().map(move |&(value, badge)| (domain, value, badge)))
}

impl Domain {
    /// Finds the domain of that name; the spelling is exact.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|domain| domain.name() == name)
    }

    /// Tells whether `value` belongs to the domain. The edge logs those that do not, once per value.
    #[must_use]
    pub fn knows(self, value: &str) -> bool {
        find(self, value).is_some()
    }

    /// Tells whether `value` is known and carries no news, so that a face draws no badge for it.
    #[must_use]
    pub fn is_quiet(self, value: &str) -> bool {
        let quiet = matches!(
            self,
            Self::TenantIsCurrent
                | Self::EntraGroupSyncRunSafetyStopTriggered
                | Self::VerificationAcknowledged
        );
        quiet && value == "false"
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Domain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

fn find(domain: Domain, value: &str) -> Option<Badge> {
    domain.rows().iter().find(|(known, _)| *known == value).map(|&(_, badge)| badge)
}

#[cfg(test)]
mod tests;
