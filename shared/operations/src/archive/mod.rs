//! Captures as objects: packs of payloads, and the index that says where each stands.
//!
//! Order of writing: packs, then the index, then the record that points to it. What was written without
//! a pointer is an orphan, which the collector takes away after a grace.

mod packs;

pub(crate) use packs::{ClosedPacks, MAX_PACKS, PackWriter, PendingFrame, compress};

use crate::error::OperationError;
use crate::repository::Stored;
use crate::repository::keys::{self, sk};
use crate::repository::rows::Doomed;
use crate::system::System;
use plumbline_governance::ids::WorkspaceId;
use plumbline_governance::index::{SnapshotIndex, StateIndex};
use plumbline_governance::run::ReasonCode;
use plumbline_policy::digest::Digest;
use plumbline_ports::{Batch, Condition, ObjectKey, PortError, PutOutcome};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The level of compression: fast, and six times smaller.
pub(crate) const LEVEL: i32 = 3;
/// No document of ours grows past this when it is unpacked; what claims more is damaged.
const MAX_UNPACKED: usize = 512 * 1024 * 1024;

/// Objects that were written and are not pointed to yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written(Vec<(ObjectKey, PutOutcome)>);

/// A document that is stored whole.
pub(crate) trait Document: Serialize + DeserializeOwned {
    const WHAT: &'static str;
    fn check(&self) -> Result<(), OperationError>;
}

impl Document for StateIndex {
    const WHAT: &'static str = "state index";
    fn check(&self) -> Result<(), OperationError> {
        Ok(Self::check(self)?)
    }
}

impl Document for SnapshotIndex {
    const WHAT: &'static str = "snapshot index";
    fn check(&self) -> Result<(), OperationError> {
        Ok(Self::check(self)?)
    }
}

pub(crate) fn object_key(folder: &str, digest: Digest) -> Result<ObjectKey, OperationError> {
    ObjectKey::new(folder, digest).map_err(|error| OperationError::Invalid(error.to_string()))
}

/// How large a compressed frame says it is; `None` when it does not say, or says too much.
pub(crate) fn unpacked_size(bytes: &[u8]) -> Option<usize> {
    zstd::zstd_safe::get_frame_content_size(bytes)
        .ok()
        .flatten()
        .and_then(|size| usize::try_from(size).ok())
        .filter(|size| *size <= MAX_UNPACKED)
}

/// Unpacks what `compress` or a document's writer made.
pub(crate) fn unpack(
    what: impl std::fmt::Display,
    bytes: &[u8],
) -> Result<Vec<u8>, OperationError> {
    let Some(limit) = unpacked_size(bytes) else {
        return Err(OperationError::damaged(what, "it does not say how large it is"));
    };
    crate::packing::unpack_frame(bytes, limit).map_err(|error| OperationError::damaged(what, error))
}

impl System {
    /// Stores an object and notes it as written.
    pub(crate) async fn store(
        &self,
        folder: &str,
        bytes: Vec<u8>,
        written: &mut Written,
    ) -> Result<Digest, OperationError> {
        let key = object_key(folder, Digest::of(&bytes))?;
        let outcome = match self.ports.objects.put(&key, bytes.clone()).await {
            // A put may be repeated without harm.
            Err(PortError::Unavailable { .. }) => self.ports.objects.put(&key, bytes).await?,
            other => other?,
        };
        let digest = key.digest();
        written.0.push((key, outcome));
        Ok(digest)
    }

    /// Stores a document.
    pub(crate) async fn store_document<D: Document>(
        &self,
        folder: &str,
        document: &D,
        written: &mut Written,
    ) -> Result<Digest, OperationError> {
        let plain = serde_json::to_vec(document)
            .map_err(|error| OperationError::damaged(D::WHAT, error))?;
        self.store(folder, compress(&plain)?, written).await
    }

    /// Reads a document and checks it. One that is gone or damaged ends the run that needs it.
    pub(crate) async fn document<D: Document>(
        &self,
        folder: &str,
        digest: Digest,
    ) -> Result<D, OperationError> {
        let key = object_key(folder, digest)?;
        // The packed bytes are not held while the plain ones are read.
        let plain = unpack(format!("the {} {key}", D::WHAT), &self.object(D::WHAT, &key).await?)?;
        let document: D = serde_json::from_slice(&plain)
            .map_err(|error| OperationError::damaged(format!("the {} {key}", D::WHAT), error))?;
        document.check()?;
        Ok(document)
    }

    /// Reads an object whole; missing and damaged ones are named.
    pub(crate) async fn object(
        &self,
        what: &str,
        key: &ObjectKey,
    ) -> Result<Vec<u8>, OperationError> {
        match self.ports.objects.get(key).await {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(missing(what, key)),
            Err(error) => Err(object_failure(error)),
        }
    }

    /// Makes the batch that points to written objects safe from the collector: an object that was there
    /// before may have been doomed, so the batch takes the doom back or fails. One that is new is looked
    /// at too: a collector that died while it deleted the object's forerunner may go on with it.
    pub(crate) async fn secure(
        &self,
        mut batch: Batch,
        workspace: WorkspaceId,
        written: &Written,
    ) -> Result<Batch, OperationError> {
        let mut looked_at = std::collections::BTreeSet::new();
        for (object, outcome) in &written.0 {
            if !looked_at.insert(object) {
                continue;
            }
            let key = keys::in_workspace(workspace, sk::doomed(object.folder(), object.digest()));
            match self.read::<Doomed>(&key).await? {
                // It would have to be doomed for a whole grace before it goes.
                None if *outcome == PutOutcome::Created => {}
                // It was there when we put it; since then a collector may have come to its end with it.
                None => {
                    if self.ports.objects.get_range(object, 0, 1).await?.is_none() {
                        let reason = format!("the collector has deleted {object}");
                        return Err(PortError::unavailable("point to an object", reason).into());
                    }
                    batch = batch.check(key, Condition::Absent);
                }
                Some(Stored { row, revision }) if !row.dying => {
                    batch = batch.delete(key, Condition::Revision(revision));
                }
                Some(_) => {
                    let reason = format!("the collector is deleting {object}");
                    return Err(PortError::unavailable("point to an object", reason).into());
                }
            }
        }
        Ok(batch)
    }
}

pub(crate) fn missing(what: &str, key: &ObjectKey) -> OperationError {
    OperationError::ends(
        ReasonCode::MissingObject,
        format!("the {what} {key} is gone; run `plumbline verify`, then import the tenant again"),
    )
}

/// What a failed read of an object means for a run.
pub(crate) fn object_failure(error: PortError) -> OperationError {
    match error {
        PortError::Corrupt { what, reason } => OperationError::ends(
            ReasonCode::CorruptObject,
            format!(
                "{what} is damaged ({reason}); run `plumbline verify`, then import the tenant again"
            ),
        ),
        other => other.into(),
    }
}
