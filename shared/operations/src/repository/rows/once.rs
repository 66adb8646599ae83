//! Requests that are done once, with their answers.

use crate::idempotency::KeptAnswer;
use crate::repository::Row;
use crate::repository::keys::{self, folder, sk};
use jiff::Timestamp;
use plumbline_governance::ids::WorkspaceId;
use plumbline_policy::digest::Digest;
use plumbline_ports::Key;
use serde::{Deserialize, Serialize};

/// How long an answer is kept, in hours.
pub(crate) const ONCE_HOURS: i64 = 24;

/// A request that was begun, and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct OnceRow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) workspace: Option<WorkspaceId>,
    /// Who sent it, hashed.
    pub(crate) member_id: String,
    /// Route and key, hashed.
    pub(crate) key: String,
    /// Digest of the request.
    pub(crate) request: Digest,
    pub(crate) begun_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<StoredAnswer>,
}

/// An answer as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct StoredAnswer {
    status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    body: Body,
}

/// Nearly every body is text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<KeptAnswer> for StoredAnswer {
    fn from(answer: KeptAnswer) -> Self {
        let KeptAnswer { status, location, etag, body } = answer;
        let body = match String::from_utf8(body) {
            Ok(text) => Body::Text(text),
            Err(other) => Body::Bytes(other.into_bytes()),
        };
        Self { status, location, etag, body }
    }
}

impl From<StoredAnswer> for KeptAnswer {
    fn from(answer: StoredAnswer) -> Self {
        let StoredAnswer { status, location, etag, body } = answer;
        let body = match body {
            Body::Text(text) => text.into_bytes(),
            Body::Bytes(bytes) => bytes,
        };
        Self { status, location, etag, body }
    }
}

impl OnceRow {
    pub(crate) fn hashed(route: &str, key: &str) -> String {
        // Each part by itself, so that no end of one reads as the beginning of the other.
        let part = |text: &str| keys::hashed(&[text]);
        keys::hashed(&[&part(route), &part(key)])
    }
}

impl Row for OnceRow {
    const WHAT: &'static str = "request";
    fn key(&self) -> Key {
        match self.workspace {
            Some(workspace) => {
                Key::new(keys::idempotency(workspace), format!("{}#{}", self.member_id, self.key))
            }
            None => Key::new(keys::subject(&self.member_id), sk::once(&self.key)),
        }
    }
    fn expires_at(&self) -> Option<i64> {
        Some(self.expires_at.as_second())
    }
    fn spill_folder(&self) -> String {
        match self.workspace {
            Some(workspace) => folder::answers(workspace),
            // Such rows are too small for that.
            None => "answers".to_owned(),
        }
    }
}
