//! Uploads: what is too large for one request comes in parts, and is imported when all are there. What
//! nobody imports within a day goes.

use crate::archive::{Written, object_key};
use crate::error::OperationError;
use crate::repository::keys::{self, sk};
use crate::repository::rows::{PartRow, TenantStatus, UploadRow};
use crate::repository::{Row as _, Stored};
use crate::run::later;
use crate::system::{Actor, System};
use jiff::{SignedDuration, Timestamp};
use plumbline_governance::ids::{TenantId, UploadId, WorkspaceId};
use plumbline_policy::digest::Digest;
use plumbline_ports::{Batch, Condition, Query};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The most parts of an upload.
pub const MAX_PARTS: u32 = 1_000;
/// The most bytes of a part.
pub const MAX_PART_BYTES: usize = 16 * 1024 * 1024;
/// How long an upload is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// An upload, with the parts that are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The tenant whose inventory it is to be.
    pub tenant: TenantId,
    /// Who started it.
    pub started_by: String,
    /// When.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub started_at: Timestamp,
    /// When it goes.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub expires_at: Timestamp,
    /// The parts by number.
    pub parts: BTreeMap<u32, UploadPart>,
}

/// One part of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UploadPart {
    /// Digest of its bytes.
    pub digest: Digest,
    /// How many bytes it has.
    pub bytes: u64,
}

impl Upload {
    /// How many bytes the parts have together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.values().map(|part| part.bytes).sum()
    }

    /// The numbers of the parts in order, if the upload is whole: from 1, without a hole.
    ///
    /// # Errors
    /// Names the first part that is not there.
    pub fn numbers(&self) -> Result<Vec<u32>, OperationError> {
        let numbers: Vec<u32> = self.parts.keys().copied().collect();
        let hole = (1_u32..).zip(&numbers).find(|(nth, number)| nth != *number);
        let missing = hole.map_or(numbers.is_empty().then_some(1), |(nth, _)| Some(nth));
        match missing {
            Some(missing) => Err(OperationError::Refused(format!(
                "the part {missing} of the upload {} is not there; send it first",
                self.id
            ))),
            None => Ok(numbers),
        }
    }
}

impl System {
    /// Starts an upload of what a tenant has.
    ///
    /// # Errors
    /// Not found; refuses an archived tenant.
    pub async fn start_upload(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        tenant: TenantId,
    ) -> Result<Upload, OperationError> {
        let of = self.tenant(workspace, tenant).await?;
        if of.status != TenantStatus::Active {
            return Err(OperationError::Refused(format!(
                "the tenant `{}` is archived; nothing is imported for it",
                of.name
            )));
        }
        let now = self.now();
        let row = UploadRow {
            id: UploadId::from_uuid(self.mint()),
            workspace,
            tenant,
            started_by: actor.name().to_owned(),
            started_at: now,
            expires_at: later(now, KEPT),
        };
        let batch = self.insert(Batch::new(), &row).await?;
        if !self.commit_if(batch).await? {
            return Err(OperationError::Conflict(format!("the upload {}", row.id)));
        }
        Ok(with_parts(row, Vec::new()))
    }

    /// Keeps a part of an upload; one of the same number takes its place.
    ///
    /// # Errors
    /// Not found; refuses numbers and sizes that are none.
    pub async fn put_part(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        id: UploadId,
        number: u32,
        bytes: Vec<u8>,
    ) -> Result<Upload, OperationError> {
        if !(1..=MAX_PARTS).contains(&number) {
            return Err(OperationError::Invalid(format!(
                "the parts of an upload have the numbers 1 to {MAX_PARTS}, not {number}"
            )));
        }
        if bytes.is_empty() || bytes.len() > MAX_PART_BYTES {
            return Err(OperationError::Invalid(format!(
                "a part of an upload has 1 to {MAX_PART_BYTES} bytes, not {}",
                bytes.len()
            )));
        }
        let upload = self.stored_upload(workspace, tenant, id).await?;
        let size = bytes.len() as u64;
        let mut written = Written::default();
        let folder = PartRow::folder(workspace, tenant);
        let digest = self.store(&folder, bytes, &mut written).await?;
        let row = PartRow {
            upload: id,
            workspace,
            tenant,
            number,
            digest,
            bytes: size,
            expires_at: upload.row.expires_at,
        };
        for _ in 0..5 {
            let read = self.standing_revision(&row.key()).await?;
            let batch = self.upsert(Batch::new(), &row, read).await?;
            // An upload that was given up meanwhile gets no part any more.
            let batch = batch.check(upload.row.key(), Condition::Revision(upload.revision));
            let batch = self.secure(batch, workspace, &written).await?;
            if self.commit_if(batch).await? {
                return self.upload(workspace, tenant, id).await;
            }
            self.stored_upload(workspace, tenant, id).await?;
        }
        Err(OperationError::Conflict(format!("the part {number} of the upload {id}")))
    }

    /// Reads an upload.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn upload(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        id: UploadId,
    ) -> Result<Upload, OperationError> {
        let row = self.stored_upload(workspace, tenant, id).await?.row;
        let query = Query::prefix(keys::tenant(workspace, tenant), sk::upload_parts(id));
        let parts = self.list::<PartRow>(query).await?;
        Ok(with_parts(row, parts.into_iter().map(|stored| stored.row).collect()))
    }

    /// Reads the bytes of one part. Read one after the other, an import holds one part at a time.
    ///
    /// # Errors
    /// Not found; says when the bytes are gone or damaged.
    pub async fn part_bytes(
        &self,
        upload: &Upload,
        number: u32,
    ) -> Result<Vec<u8>, OperationError> {
        let what = || format!("the part {number} of the upload {}", upload.id);
        let part =
            upload.parts.get(&number).ok_or_else(|| OperationError::not_found("part", number))?;
        let key = object_key(&PartRow::folder(upload.workspace, upload.tenant), part.digest)?;
        match self.ports.objects.get(&key).await {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(OperationError::Refused(format!("{} is gone; send it again", what()))),
            Err(plumbline_ports::PortError::Corrupt { reason, .. }) => Err(
                OperationError::Refused(format!("{} is damaged ({reason}); send it again", what())),
            ),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives an upload up, or lets one go that was imported. Its bytes go with the next collection.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn abort_upload(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        id: UploadId,
    ) -> Result<(), OperationError> {
        let upload = self.stored_upload(workspace, tenant, id).await?;
        // The upload first: without it, no part comes any more.
        let batch = Batch::new().delete(upload.row.key(), Condition::Revision(upload.revision));
        self.commit_if(batch).await?;
        let mut query = Query::prefix(keys::tenant(workspace, tenant), sk::upload_parts(id));
        query.limit = plumbline_ports::records::MAX_BATCH_ACTIONS;
        loop {
            let page = self.ports.records.query(&query).await?;
            let mut batch = Batch::new();
            for record in &page.records {
                batch = batch.delete(record.key.clone(), Condition::Always);
            }
            if !batch.actions.is_empty() {
                self.commit_if(batch).await?;
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn stored_upload(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        id: UploadId,
    ) -> Result<Stored<UploadRow>, OperationError> {
        self.read(&keys::in_tenant(workspace, tenant, sk::upload(id)))
            .await?
            .ok_or_else(|| OperationError::not_found("upload", id))
    }
}

fn with_parts(row: UploadRow, parts: Vec<PartRow>) -> Upload {
    let UploadRow { id, workspace, tenant, started_by, started_at, expires_at } = row;
    let parts = parts
        .into_iter()
        .map(|part| (part.number, UploadPart { digest: part.digest, bytes: part.bytes }))
        .collect();
    Upload { id, workspace, tenant, started_by, started_at, expires_at, parts }
}
