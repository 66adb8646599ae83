//! Why an operation was not done. Every message names the thing, the reason and the next step.

use plumbline_governance::access::BadMember;
use plumbline_governance::finding::state::BadAction;
use plumbline_governance::index::IndexError;
use plumbline_governance::profile::BadProfile;
use plumbline_governance::run::{BadStep, Failure, ReasonCode};
use plumbline_governance::scope::ScopeError;
use plumbline_governance::text::BadText;
use plumbline_ports::PortError;

/// Why an operation was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// Nothing of that name or id is there, or the caller may not know of it.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// What was asked for, such as `tenant`.
        what: &'static str,
        /// The name or id that was given.
        id: String,
    },
    /// What was given cannot be taken.
    #[error("{0}")]
    Invalid(String),
    /// What was given is right, but not as things stand.
    #[error("{0}")]
    Refused(String),
    /// Somebody else changed the same thing at the same time.
    #[error("{0} was changed by somebody else at the same time; look at it again, then repeat")]
    Conflict(String),
    /// The thing is not what the caller saw when they decided to change it.
    #[error("{0} was changed since you read it; read it again")]
    Stale(String),
    /// A run cannot go on; it ends with this reason.
    #[error("{}", .0.message)]
    Ends(Failure),
    /// A row or an object was written by a newer program.
    #[error(
        "{what} was written by a newer version of the program (form {found}, this one knows {known}); upgrade"
    )]
    Newer {
        /// What was read.
        what: String,
        /// Its form.
        found: u32,
        /// The newest form this program knows.
        known: u32,
    },
    /// Stored data is not what it must be.
    #[error("{what} is damaged: {reason}; run `plumbline verify`")]
    Damaged {
        /// What was read.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// A store did not do its work.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl OperationError {
    /// Builds [`OperationError::NotFound`].
    pub fn not_found(what: &'static str, id: impl std::fmt::Display) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    /// Builds [`OperationError::Damaged`].
    pub fn damaged(what: impl std::fmt::Display, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { what: what.to_string(), reason: reason.to_string() }
    }

    /// Ends a run with a reason.
    pub fn ends(reason_code: ReasonCode, message: impl Into<String>) -> Self {
        Self::Ends(Failure { reason_code, message: message.into() })
    }

    /// Whether the same operation may succeed later, as it is.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Port(error) => error.is_retryable(),
            Self::Conflict(_) | Self::Newer { .. } => true,
            _ => false,
        }
    }
}

impl From<BadText> for OperationError {
    fn from(error: BadText) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<ScopeError> for OperationError {
    fn from(error: ScopeError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<BadMember> for OperationError {
    fn from(error: BadMember) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<BadProfile> for OperationError {
    fn from(error: BadProfile) -> Self {
        match error {
            BadProfile::Status { .. } | BadProfile::NoSnapshot => Self::Refused(error.to_string()),
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl From<BadAction> for OperationError {
    fn from(error: BadAction) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<BadStep> for OperationError {
    fn from(error: BadStep) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<IndexError> for OperationError {
    fn from(error: IndexError) -> Self {
        Self::Damaged { what: "an index".to_owned(), reason: error.to_string() }
    }
}
