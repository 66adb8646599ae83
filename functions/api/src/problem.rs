//! What went wrong, as RFC 9457 writes it. The type is stable and made for programs, the detail and the
//! next step are for people.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plumbline_governance::ids::RunId;
use plumbline_operations::OperationError;
use plumbline_ports::PortError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What every `type` of a problem begins with.
pub const TYPE_PREFIX: &str = "urn:plumbline:problem:";

/// A problem: the body of every answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
pub struct Problem {
    /// `urn:plumbline:problem:` and the kind; stable.
    #[serde(rename = "type")]
    pub kind: Box<str>,
    /// What the kind means.
    pub title: Box<str>,
    /// The HTTP status again.
    pub status: u16,
    /// What is wrong this time.
    pub detail: Box<str>,
    /// What to do now.
    pub next_step: Box<str>,
    /// After how many seconds it is worth trying again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The run that ended so, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Which methods there are instead.
    #[serde(skip)]
    pub allow: Option<Box<str>>,
}

/// The kinds of problems: word, status, title, next step. One table for answers and for the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The last part of the type.
    pub word: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// What the kind means.
    pub title: &'static str,
    /// What to do, unless the problem says better.
    pub next_step: &'static str,
}

macro_rules! kinds {
    ($($name:ident $word:literal $status:ident $title:literal $next:literal)*) => {
        $(
            #[doc = $title]
            pub const $name: Kind = Kind {
                word: $word, status: StatusCode::$status, title: $title, next_step: $next,
            };
        )*
        /// Every kind, in the order of their statuses.
        pub const KINDS: &[Kind] = &[$($name),*];
    };
}

kinds! {
    BAD_REQUEST "bad_request" BAD_REQUEST "The request cannot be understood."
        "Correct what the detail names; /openapi.json describes every route."
    INVALID_CURSOR "invalid_cursor" BAD_REQUEST "The cursor does not belong to this list."
        "Begin again without a cursor, and keep workspace and filters the same from page to page."
    UNAUTHENTICATED "unauthenticated" UNAUTHORIZED "There is no valid token."
        "Send `Authorization: Bearer TOKEN` with an access token of a trusted issuer."
    FORBIDDEN "forbidden" FORBIDDEN "The role does not allow this."
        "Ask an owner of the workspace for a role that does."
    NOT_FOUND "not_found" NOT_FOUND "There is no such thing, or not for this caller."
        "Check the id; the list above it shows what there is."
    METHOD_NOT_ALLOWED "method_not_allowed" METHOD_NOT_ALLOWED "The path has no such method."
        "Use a method that `Allow` names."
    REFUSED "refused" CONFLICT "It cannot be done as things stand."
        "Do first what the detail names, then repeat."
    CONFLICT "conflict" CONFLICT "Somebody else changed the same thing at the same time."
        "Read it again, then repeat."
    IN_PROGRESS "in_progress" CONFLICT "The first request with this Idempotency-Key is still at work."
        "Wait, then repeat with the same key."
    STALE "stale" PRECONDITION_FAILED "It was changed since it was read."
        "Read it again, look at the change, and repeat with the new ETag."
    TOO_LARGE "too_large" PAYLOAD_TOO_LARGE "The body is too large."
        "Send less at once; inventories go through an upload."
    UNSUPPORTED "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The body is of a type that is not taken."
        "Send application/json, or for an inventory application/x-ndjson; gzip and zstd are taken."
    INVALID "invalid" UNPROCESSABLE_ENTITY "What was given cannot be taken."
        "Correct what the detail names, then repeat."
    KEY_REUSED "idempotency_key_reused" UNPROCESSABLE_ENTITY "The Idempotency-Key belongs to another request."
        "Use a new key for a new request."
    RATE_LIMITED "rate_limited" TOO_MANY_REQUESTS "Too many requests."
        "Wait as long as `Retry-After` says."
    INTERNAL "internal" INTERNAL_SERVER_ERROR "The server could not do its work."
        "Repeat later; if it stays so, tell the operator the time and the path."
    DAMAGED "damaged" INTERNAL_SERVER_ERROR "Stored data is not what it must be."
        "Tell the operator to run `plumbline verify`."
    NEWER "newer_version" SERVICE_UNAVAILABLE "The data was written by a newer version of the program."
        "Repeat later; the operator has to finish the upgrade."
    UNAVAILABLE "unavailable" SERVICE_UNAVAILABLE "A store does not answer."
        "Repeat after a while, with the same Idempotency-Key if there was one."
}

impl Kind {
    /// A problem of this kind.
    pub fn because(self, detail: impl Into<String>) -> Problem {
        Problem {
            kind: format!("{TYPE_PREFIX}{}", self.word).into(),
            title: self.title.into(),
            status: self.status.as_u16(),
            detail: detail.into().into(),
            next_step: self.next_step.into(),
            retry_after: None,
            run: None,
            allow: None,
        }
    }
}

impl Problem {
    /// The same with another next step.
    #[must_use]
    pub fn next(mut self, step: impl Into<String>) -> Self {
        self.next_step = step.into().into();
        self
    }

    /// The same with a time after which it is worth trying again.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// The same with the run that ended so.
    #[must_use]
    pub fn of_run(mut self, run: RunId) -> Self {
        self.run = Some(run);
        self
    }

    /// The last part of the type.
    #[must_use]
    pub fn word(&self) -> &str {
        self.kind.strip_prefix(TYPE_PREFIX).unwrap_or(&self.kind)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        let mut add = |name, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        };
        if let Some(seconds) = self.retry_after {
            add(header::RETRY_AFTER, seconds.to_string());
        }
        if let Some(allow) = self.allow {
            add(header::ALLOW, allow.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            add(header::WWW_AUTHENTICATE, "Bearer realm=\"plumbline\"".to_owned());
        }
        response
    }
}

impl From<OperationError> for Problem {
    /// The edge: what an operation could not do is told here, and logged here if the caller is not to
    /// blame.
    fn from(error: OperationError) -> Self {
        let detail = error.to_string();
        match error {
            // The same words for what is missing and what is another's (contracts 6.2).
            OperationError::NotFound { what, .. } => {
                NOT_FOUND.because(format!("there is no such {what}"))
            }
            OperationError::Invalid(_) => INVALID.because(detail),
            OperationError::Refused(_) | OperationError::Ends(_) => REFUSED.because(detail),
            OperationError::Conflict(_) => CONFLICT.because(detail),
            OperationError::Stale(_) => STALE.because(detail),
            OperationError::Newer { .. } => {
                tracing::error!("{detail}");
                NEWER.because("the stored form is newer than this program").after(60)
            }
            OperationError::Damaged { .. } => {
                tracing::error!("{detail}");
                DAMAGED.because("a stored record or object is damaged")
            }
            OperationError::Port(error) => {
                tracing::error!("{detail}");
                if matches!(error, PortError::Unavailable { .. }) {
                    UNAVAILABLE.because("a store does not answer at the moment").after(5)
                } else {
                    INTERNAL.because("a store refused what the program asked of it")
                }
            }
        }
    }
}
