//! Compares of all tenants of a profile, started a page at a time.

use crate::error::OperationError;
use crate::lists::TenantFilter;
use crate::paging::{Page, Position};
use crate::repository::rows::TenantStatus;
use crate::run::Started;
use crate::system::{Actor, System};
use plumbline_governance::ids::{ProfileId, TenantId, WorkspaceId};

/// The most compares that one call starts.
pub const MAX_STARTED: usize = 100;

impl System {
    /// Starts a compare of every tenant that is held to a profile, a page a call. A tenant that was let go
    /// meanwhile is left out.
    ///
    /// # Errors
    /// Not found; refuses a profile that is not in force, limits over [`MAX_STARTED`] and places that are none; the store's.
    pub async fn start_compares(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        profile: ProfileId,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<Started>, OperationError> {
        if limit > MAX_STARTED {
            return Err(OperationError::Invalid(format!(
                "one call starts 1 to {MAX_STARTED} compares, not {limit}"
            )));
        }
        self.profile(workspace, profile).await?;
        let filter = TenantFilter {
            within: None,
            profile: Some(profile),
            status: Some(TenantStatus::Active),
        };
        let page = self.tenant_page(workspace, &filter, after, limit).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for tenant in page.items {
            match self.start_compare(workspace, actor, tenant.id).await {
                Ok(started) => items.push(started),
                Err(error @ (OperationError::Refused(_) | OperationError::NotFound { .. })) => {
                    if self.is_held(workspace, tenant.id, profile).await? {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Page { items, next: page.next })
    }

    /// Whether a tenant is still governed and held to a profile.
    async fn is_held(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        profile: ProfileId,
    ) -> Result<bool, OperationError> {
        match self.tenant(workspace, tenant).await {
            Ok(now) => Ok(now.status == TenantStatus::Active && now.profile == Some(profile)),
            Err(OperationError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
