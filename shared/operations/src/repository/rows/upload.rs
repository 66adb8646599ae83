//! Uploads: documents that come in parts before they are imported.

use crate::repository::Row;
use crate::repository::keys::{self, folder, sk};
use jiff::Timestamp;
use plumbline_governance::ids::{TenantId, UploadId, WorkspaceId};
use plumbline_policy::digest::Digest;
use plumbline_ports::Key;
use serde::{Deserialize, Serialize};

/// An upload, without its parts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct UploadRow {
    pub(crate) id: UploadId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) tenant: TenantId,
    pub(crate) started_by: String,
    pub(crate) started_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl Row for UploadRow {
    const WHAT: &'static str = "upload";
    fn key(&self) -> Key {
        keys::in_tenant(self.workspace, self.tenant, sk::upload(self.id))
    }
    fn expires_at(&self) -> Option<i64> {
        Some(self.expires_at.as_second())
    }
    fn spill_folder(&self) -> String {
        folder::tenant(self.workspace, self.tenant, "spill")
    }
}

/// One part of an upload. The object it names holds its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct PartRow {
    pub(crate) upload: UploadId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) tenant: TenantId,
    pub(crate) number: u32,
    pub(crate) digest: Digest,
    pub(crate) bytes: u64,
    /// With its upload.
    pub(crate) expires_at: Timestamp,
}

impl PartRow {
    /// The folder of the objects.
    pub(crate) fn folder(workspace: WorkspaceId, tenant: TenantId) -> String {
        folder::tenant(workspace, tenant, "upload")
    }
}

impl Row for PartRow {
    const WHAT: &'static str = "part of an upload";
    fn key(&self) -> Key {
        keys::in_tenant(self.workspace, self.tenant, sk::upload_part(self.upload, self.number))
    }
    fn expires_at(&self) -> Option<i64> {
        Some(self.expires_at.as_second())
    }
    fn spill_folder(&self) -> String {
        folder::tenant(self.workspace, self.tenant, "spill")
    }
}
