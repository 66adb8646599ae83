//! Where a finding stands, and what a person may do with it (contracts 4.3).

use jiff::Timestamp;
use plumbline_policy::digest::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a finding stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum FindingState {
    /// Nobody has looked at it.
    New,
    /// Somebody knows of it.
    Acknowledged {
        /// Who.
        by: String,
        /// When.
        #[schemars(with = "crate::schema::Moment")]
        at: Timestamp,
    },
    /// It was resolved, accepted or closed, and is drift again.
    Reopened {
        /// When.
        #[schemars(with = "crate::schema::Moment")]
        at: Timestamp,
    },
    /// It is no drift any more.
    Resolved {
        /// When.
        #[schemars(with = "crate::schema::Moment")]
        at: Timestamp,
        /// How that is known.
        because: Resolution,
    },
    /// A person wants to hear no more of exactly this drift.
    Closed {
        /// Who.
        by: String,
        /// When.
        #[schemars(with = "crate::schema::Moment")]
        at: Timestamp,
        /// Why.
        reason: String,
        /// The drift that was closed; another one begins a new occurrence.
        fingerprint: Digest,
    },
    /// A person allows exactly this drift, perhaps until a date.
    Accepted {
        /// Who.
        by: String,
        /// When.
        #[schemars(with = "crate::schema::Moment")]
        at: Timestamp,
        /// Why.
        reason: String,
        /// Until when; `None` without an end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<crate::schema::Moment>")]
        until: Option<Timestamp>,
        /// The drift that was accepted; another one reopens the finding.
        fingerprint: Digest,
    },
}

/// How it is known that a finding is no drift any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// A compare proved it.
    Proven,
    /// The profile's scope or the tenant's override no longer holds the type. This is no proof of
    /// anything; the finding reopens with the scope.
    OutOfScope,
}

/// What a person does with a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FindingAction {
    /// "I know of it."
    Acknowledge,
    /// "I want to hear no more of it."
    Close {
        /// Why.
        reason: String,
    },
    /// "It may be so."
    Accept {
        /// Why.
        reason: String,
        /// Until when.
        until: Option<Timestamp>,
    },
    /// "It counts again."
    Reopen {
        /// Why.
        reason: String,
    },
}

impl FindingAction {
    /// The word used in the audit and on the command line.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Close { .. } => "close",
            Self::Accept { .. } => "accept",
            Self::Reopen { .. } => "reopen",
        }
    }

    /// The same with another wording of the reason, where one is asked for.
    #[must_use]
    pub fn with_reason(&self, reason: String) -> Self {
        match self {
            Self::Acknowledge => Self::Acknowledge,
            Self::Close { .. } => Self::Close { reason },
            Self::Accept { until, .. } => Self::Accept { reason, until: *until },
            Self::Reopen { .. } => Self::Reopen { reason },
        }
    }

    /// The reason that was given.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Acknowledge => None,
            Self::Close { reason } | Self::Accept { reason, .. } | Self::Reopen { reason } => {
                Some(reason)
            }
        }
    }
}

/// Why an action is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAction {
    /// The status does not allow it.
    #[error("the finding is {status}, so it cannot be {verb}; {hint}")]
    Status {
        /// Where it stands.
        status: &'static str,
        /// What was to be done.
        verb: &'static str,
        /// What to do instead.
        hint: &'static str,
    },
    /// An acceptance that ends before it begins.
    #[error("the acceptance would end at {0}, which is past; give a later date")]
    Past(Timestamp),
}

impl FindingState {
    /// Why a person decided so, where a reason is asked for.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Closed { reason, .. } | Self::Accepted { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// The word used in JSON and in the badge catalog.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Reopened { .. } => "reopened",
            Self::Resolved { .. } => "resolved",
            Self::Closed { .. } => "closed",
            Self::Accepted { .. } => "accepted",
        }
    }

    /// Every word, in the order of a finding's life.
    pub const WORDS: [&'static str; 6] =
        ["new", "acknowledged", "reopened", "accepted", "resolved", "closed"];

    /// Whether somebody still has to do something about it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::New | Self::Acknowledged { .. } | Self::Reopened { .. })
    }

    /// Whether an acceptance holds at a moment.
    #[must_use]
    pub fn is_accepted_at(&self, now: Timestamp) -> bool {
        matches!(self, Self::Accepted { until, .. } if until.is_none_or(|until| now < until))
    }

    /// Does what a person asks. `fingerprint` is the finding's present drift.
    ///
    /// # Errors
    /// Says why the status does not allow it.
    pub fn act(
        &self,
        action: &FindingAction,
        actor: &str,
        now: Timestamp,
        fingerprint: Digest,
    ) -> Result<Self, BadAction> {
        let refuse = |verb, hint| Err(BadAction::Status { status: self.as_str(), verb, hint });
        let by = actor.to_owned();
        match (action, self) {
            (FindingAction::Acknowledge, Self::New | Self::Reopened { .. }) => {
                Ok(Self::Acknowledged { by, at: now })
            }
            (FindingAction::Acknowledge, Self::Acknowledged { .. }) => {
                refuse("acknowledged", "it is already")
            }
            (FindingAction::Acknowledge, _) => refuse("acknowledged", "only open findings can"),
            (FindingAction::Accept { until: Some(until), .. }, _) if *until <= now => {
                Err(BadAction::Past(*until))
            }
            (FindingAction::Close { .. } | FindingAction::Accept { .. }, Self::Resolved { .. }) => {
                refuse(
                    if matches!(action, FindingAction::Close { .. }) {
                        "closed"
                    } else {
                        "accepted"
                    },
                    "there is no drift; it reopens by itself if the drift returns",
                )
            }
            (FindingAction::Close { .. }, Self::Closed { .. }) => refuse("closed", "it is already"),
            (FindingAction::Accept { .. }, Self::Closed { .. }) => {
                refuse("accepted", "reopen it first")
            }
            (FindingAction::Close { reason }, _) => {
                Ok(Self::Closed { by, at: now, reason: reason.clone(), fingerprint })
            }
            (FindingAction::Accept { reason, until }, _) => {
                let (reason, until) = (reason.clone(), *until);
                Ok(Self::Accepted { by, at: now, reason, until, fingerprint })
            }
            (FindingAction::Reopen { .. }, Self::Acknowledged { .. }) => Ok(Self::New),
            (FindingAction::Reopen { .. }, Self::Closed { .. } | Self::Accepted { .. }) => {
                Ok(Self::Reopened { at: now })
            }
            (FindingAction::Reopen { .. }, Self::Resolved { .. }) => {
                refuse("reopened", "it reopens by itself if the drift returns")
            }
            (FindingAction::Reopen { .. }, Self::New | Self::Reopened { .. }) => {
                refuse("reopened", "it is open")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_may_do_at_each_status() {
        let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let fingerprint = Digest::of(b"drift");
        let by = || "eve".to_owned();
        let why = || "because".to_owned();
        let states = [
            FindingState::New,
            FindingState::Acknowledged { by: by(), at: now },
            FindingState::Reopened { at: now },
            FindingState::Resolved { at: now, because: Resolution::Proven },
            FindingState::Closed { by: by(), at: now, reason: why(), fingerprint },
            FindingState::Accepted { by: by(), at: now, reason: why(), until: None, fingerprint },
        ];
        let actions = [
            FindingAction::Acknowledge,
            FindingAction::Close { reason: why() },
            FindingAction::Accept { reason: why(), until: None },
            FindingAction::Reopen { reason: why() },
        ];
        let expected = [
            ["acknowledged", "closed", "accepted", "-"],
            ["-", "closed", "accepted", "new"],
            ["acknowledged", "closed", "accepted", "-"],
            ["-", "-", "-", "-"],
            ["-", "-", "-", "reopened"],
            ["-", "closed", "accepted", "reopened"],
        ];
        for (state, row) in states.iter().zip(expected) {
            for (action, expected) in actions.iter().zip(row) {
                let became = state.act(action, "eve", now, fingerprint);
                let word = became.as_ref().map_or("-", FindingState::as_str);
                assert_eq!(word, expected, "{} {}", state.as_str(), action.as_str());
            }
        }
    }

    #[test]
    fn an_acceptance_cannot_end_in_the_past() {
        let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let accept = FindingAction::Accept { reason: "x".to_owned(), until: Some(now) };
        let became = FindingState::New.act(&accept, "eve", now, Digest::of(b""));
        assert_eq!(became, Err(BadAction::Past(now)));
    }
}
