//! What a port answers when it cannot do its work.

/// A port that did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// The other side did not answer, was throttled or broke off: whether the call took effect is not
    /// known. Worth another try.
    #[error("{op}: {reason}; try again")]
    Unavailable {
        /// What was asked, such as `put object`.
        op: &'static str,
        /// What the other side said.
        reason: String,
    },
    /// The request breaks a limit of the port. Another try ends the same way.
    #[error("{op}: {reason}")]
    Refused {
        /// What was asked.
        op: &'static str,
        /// Which limit, with both numbers.
        reason: String,
    },
    /// Stored bytes are not what they were: they do not have the digest they are filed under, or they
    /// cannot be read. Nothing may be concluded from them.
    #[error("{what} is damaged: {reason}; run `plumbline verify`, then restore it from a backup")]
    Corrupt {
        /// What is damaged, by key.
        what: String,
        /// How that was seen.
        reason: String,
    },
}

impl PortError {
    /// Builds [`PortError::Unavailable`].
    pub fn unavailable(op: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Unavailable { op, reason: reason.to_string() }
    }

    /// Builds [`PortError::Refused`].
    pub fn refused(op: &'static str, reason: impl Into<String>) -> Self {
        Self::Refused { op, reason: reason.into() }
    }

    /// Builds [`PortError::Corrupt`].
    pub fn corrupt(what: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self::Corrupt { what: what.into(), reason: reason.to_string() }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
