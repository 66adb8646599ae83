//! Governed tenants.

use crate::error::OperationError;
use crate::repository::keys::{self, sk};
use crate::repository::rows::{NameGuard, Tenant, TenantStatus};
use crate::system::{Actor, System, digest_of};
use plumbline_governance::ids::{TenantId, WorkspaceId};
use plumbline_governance::text::{MAX_NAME, line};
use plumbline_policy::tenant::TenantFacts;
use plumbline_ports::{Batch, Condition, Query};

const NAMES: &str = "TENANT";

impl System {
    /// Adds a tenant.
    ///
    /// # Errors
    /// Refuses an odd name, one that is taken, and facts that are none.
    pub async fn add_tenant(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        name: &str,
        facts: TenantFacts,
    ) -> Result<Tenant, OperationError> {
        self.workspace(workspace).await?;
        check_facts(&facts)?;
        let tenant = Tenant {
            id: TenantId::from_uuid(self.mint()),
            workspace,
            name: line("the name of a tenant", name, MAX_NAME)?,
            status: TenantStatus::Active,
            facts,
            profile: None,
            created_at: self.now(),
        };
        let guard = NameGuard::of(workspace, NAMES, &tenant.name, tenant.id.to_string());
        let mut audit = self.audit(workspace, actor, "tenant.add", tenant.id);
        (audit.tenant, audit.after) = (Some(tenant.id), digest_of(&tenant));
        let batch = self.insert(Batch::new(), &guard).await?;
        let batch = self.insert(batch, &tenant).await?;
        let batch = self.insert(batch, &audit).await?;
        self.commit_named(batch, "tenant", &tenant.name).await?;
        Ok(tenant)
    }

    /// Commits a batch whose first action takes a name.
    pub(crate) async fn commit_named(
        &self,
        batch: Batch,
        what: &str,
        name: &str,
    ) -> Result<(), OperationError> {
        use plumbline_ports::CommitError;
        match self.commit(batch).await {
            Ok(()) => Ok(()),
            Err(CommitError::Condition { failed }) if failed.contains(&0) => {
                Err(OperationError::Refused(format!(
                    "a {what} of this workspace is called `{name}` already; choose another name"
                )))
            }
            Err(error) => Err(OperationError::commit(error, format!("the {what}"))),
        }
    }

    /// Lists the tenants, by id.
    ///
    /// # Errors
    /// The store's.
    pub async fn tenants(&self, workspace: WorkspaceId) -> Result<Vec<Tenant>, OperationError> {
        let rows =
            self.list::<Tenant>(Query::prefix(keys::workspace(workspace), sk::TENANTS)).await?;
        Ok(rows.into_iter().map(|stored| stored.row).collect())
    }

    /// Replaces what is known of a tenant: its Entra id, domains and Intune account id.
    ///
    /// # Errors
    /// Not found; refuses facts that are none.
    pub async fn set_tenant_facts(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: TenantId,
        facts: TenantFacts,
    ) -> Result<Tenant, OperationError> {
        check_facts(&facts)?;
        let stored = self.stored_tenant(workspace, id).await?;
        let mut tenant = stored.row.clone();
        tenant.facts = facts;
        let mut audit = self.audit(workspace, actor, "tenant.facts", id);
        audit.tenant = Some(id);
        (audit.before, audit.after) = (digest_of(&stored.row), digest_of(&tenant));
        let batch = self.update(Batch::new(), &tenant, stored.revision).await?;
        let batch = self.insert(batch, &audit).await?;
        self.commit(batch).await.map_err(|error| OperationError::commit(error, "the tenant"))?;
        Ok(tenant)
    }

    /// Puts a tenant away: it is compared no more, and its name is free again. What was found stays
    /// readable.
    ///
    /// # Errors
    /// Not found; refuses one that is put away already.
    pub async fn archive_tenant(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: TenantId,
    ) -> Result<Tenant, OperationError> {
        self.unassign(workspace, actor, id).await?;
        let stored = self.stored_tenant(workspace, id).await?;
        let mut tenant = stored.row.clone();
        if tenant.status == TenantStatus::Archived {
            return Err(OperationError::Refused(format!(
                "the tenant `{}` is archived",
                tenant.name
            )));
        }
        tenant.status = TenantStatus::Archived;
        let guard = NameGuard::of(workspace, NAMES, &tenant.name, String::new());
        let mut audit = self.audit(workspace, actor, "tenant.archive", id);
        audit.tenant = Some(id);
        (audit.before, audit.after) = (digest_of(&stored.row), digest_of(&tenant));
        let batch = self.update(Batch::new(), &tenant, stored.revision).await?;
        let batch = batch.delete(crate::repository::Row::key(&guard), Condition::Always);
        let batch = self.insert(batch, &audit).await?;
        self.commit(batch).await.map_err(|error| OperationError::commit(error, "the tenant"))?;
        Ok(tenant)
    }
}

fn check_facts(facts: &TenantFacts) -> Result<(), OperationError> {
    let is_guid = |text: &str| uuid::Uuid::try_parse(text).is_ok() && text.len() == 36;
    for (what, id) in
        [("tenant id", &facts.tenant_id), ("Intune account id", &facts.intune_account_id)]
    {
        if let Some(id) = id.as_deref().filter(|id| !is_guid(id)) {
            return Err(OperationError::Invalid(format!(
                "`{id}` is no {what}; it is a GUID such as 7dfa8454-8c39-41e0-86ca-e6456c027be2"
            )));
        }
    }
    let is_domain = |text: &str| {
        text.contains('.')
            && text.len() <= 253
            && text.split('.').all(|label| {
                !label.is_empty()
                    && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            })
    };
    match facts.domains.iter().find(|domain| !is_domain(domain)) {
        Some(domain) => Err(OperationError::Invalid(format!(
            "`{domain}` is no domain; write one such as contoso.example"
        ))),
        None => Ok(()),
    }
}
