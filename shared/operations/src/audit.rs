//! The audit: what was changed, by whom and why. Lines are only ever added.

use crate::error::OperationError;
use crate::repository::keys;
use crate::repository::rows::AuditEntry;
use crate::system::System;
use jiff::{SignedDuration, Timestamp};
use plumbline_governance::ids::WorkspaceId;
use plumbline_ports::Query;

impl System {
    /// Lists the audit of a workspace from a moment on, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn audit_since(
        &self,
        workspace: WorkspaceId,
        since: Timestamp,
    ) -> Result<Vec<AuditEntry>, OperationError> {
        let mut out = Vec::new();
        let now = self.now();
        let mut partitions = std::collections::BTreeSet::from([keys::audit(workspace, now)]);
        let mut at = since;
        while at < now {
            partitions.insert(keys::audit(workspace, at));
            at = crate::run::later(at, SignedDuration::from_hours(24 * 27));
        }
        for partition in partitions {
            let rows = self.list::<AuditEntry>(Query::prefix(partition, "")).await?;
            out.extend(rows.into_iter().map(|stored| stored.row).filter(|row| row.at >= since));
        }
        Ok(out)
    }
}
