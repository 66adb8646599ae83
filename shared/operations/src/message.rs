//! Messages between the parts: ids only, in a versioned envelope. What a newer program sent is kept for
//! one that understands it.

use jiff::Timestamp;
use jiff::civil::Date;
use plumbline_governance::ids::{RunId, TenantId, WorkspaceId};
use plumbline_governance::run::RunType;
use plumbline_ports::QueueName;
use serde::{Deserialize, Serialize};

/// The newest version of messages that this program understands, and the one it sends.
pub const MESSAGE_VERSION: u32 = 1;

/// What a worker is to do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Do a run that was queued.
    Run {
        /// The workspace.
        workspace: WorkspaceId,
        /// The tenant.
        tenant: TenantId,
        /// The run.
        run: RunId,
        /// What it does.
        run_type: RunType,
    },
    /// Compare a tenant for the night of a local date.
    Night {
        /// The workspace.
        workspace: WorkspaceId,
        /// The tenant.
        tenant: TenantId,
        /// The local date.
        date: Date,
        /// When the night was due.
        due: Timestamp,
    },
}

#[derive(Deserialize, Serialize)]
struct Envelope<'m> {
    v: u32,
    #[serde(flatten)]
    work: std::borrow::Cow<'m, Work>,
}

/// A message that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMessage {
    /// A newer program sent it.
    #[error("the message has version {0}, and this program knows {MESSAGE_VERSION}; upgrade")]
    Newer(u32),
    /// It is no message of ours.
    #[error("the message cannot be read: {0}")]
    Form(String),
}

#[derive(Deserialize)]
struct VersionOnly {
    v: u32,
}

impl Work {
    /// The workspace, as the group of the message.
    #[must_use]
    pub fn workspace(&self) -> WorkspaceId {
        match self {
            Self::Run { workspace, .. } | Self::Night { workspace, .. } => *workspace,
        }
    }

    /// The queue that the work goes to.
    #[must_use]
    pub fn queue(&self) -> QueueName {
        match self {
            Self::Run { run_type: RunType::BaselineCompare, .. } | Self::Night { .. } => {
                QueueName::Compare
            }
            Self::Run { .. } => QueueName::Capture,
        }
    }

    /// Writes the message.
    #[must_use]
    pub fn to_message(&self) -> String {
        let envelope = Envelope { v: MESSAGE_VERSION, work: std::borrow::Cow::Borrowed(self) };
        // Ids and words always serialise.
        serde_json::to_string(&envelope).unwrap_or_default()
    }

    /// Reads a message.
    ///
    /// # Errors
    /// Tells a newer version from what is no message at all.
    pub fn read(body: &str) -> Result<Self, BadMessage> {
        let form = |error: serde_json::Error| BadMessage::Form(error.to_string());
        let version: VersionOnly = serde_json::from_str(body).map_err(form)?;
        if version.v > MESSAGE_VERSION {
            return Err(BadMessage::Newer(version.v));
        }
        let envelope: Envelope<'_> = serde_json::from_str(body).map_err(form)?;
        Ok(envelope.work.into_owned())
    }
}
