//! Governed tenants.

use crate::error::OperationError;
use crate::repository::keys::{self, sk};
use crate::repository::rows::{AuditEntry, NameGuard, Tenant, TenantStatus};
use crate::repository::{Committed, Row as _};
use crate::system::{Actor, System, digest_of};
use plumbline_governance::ids::{TenantId, WorkspaceId};
use plumbline_governance::text::{MAX_NAME, line};
use plumbline_policy::tenant::TenantFacts;
use plumbline_ports::{Batch, Condition, Query};

pub(crate) const NAMES: &str = "TENANT";

/// What a person changes of a tenant; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantEdit {
    /// Another name.
    pub name: Option<String>,
    /// Other facts: its Entra id, domains and Intune account id.
    pub facts: Option<TenantFacts>,
}

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
        self.announce_change(workspace).await?;
        self.commit_named(batch, audit, "tenant", &tenant.name).await?;
        Ok(tenant)
    }

    /// Commits a batch whose first action takes a name.
    pub(crate) async fn commit_named(
        &self,
        batch: Batch,
        audit: AuditEntry,
        what: &str,
        name: &str,
    ) -> Result<(), OperationError> {
        match self.commit_audited(batch, audit).await? {
            Committed::Moved(failed) if failed.contains(&0) => {
                Err(OperationError::Refused(format!(
                    "a {what} of this workspace is called `{name}` already; choose another name"
                )))
            }
            other => other.or_conflict(format!("the {what}")),
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

    /// Changes a tenant: its name, or what is known of it.
    ///
    /// # Errors
    /// Not found; refuses an archived tenant, a name that is taken, and facts that are none; stale when
    /// the tenant is not the one that `expect` names.
    pub async fn edit_tenant(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: TenantId,
        edit: TenantEdit,
        expect: Option<u64>,
    ) -> Result<Tenant, OperationError> {
        let stored = self.stored_tenant(workspace, id).await?.expected(expect, "the tenant")?;
        let before = stored.row;
        let mut tenant = before.clone();
        if let Some(facts) = edit.facts {
            check_facts(&facts)?;
            tenant.facts = facts;
        }
        let mut batch = Batch::new();
        if let Some(name) = edit.name {
            if before.status == TenantStatus::Archived {
                return Err(OperationError::Refused(format!(
                    "the tenant `{}` is archived and keeps its name",
                    before.name
                )));
            }
            tenant.name = line("the name of a tenant", &name, MAX_NAME)?;
            batch = self.rename(batch, workspace, NAMES, (&before.name, &tenant.name), &id).await?;
        }
        let mut audit = self.audit(workspace, actor, "tenant.edit", id);
        audit.tenant = Some(id);
        (audit.before, audit.after) = (digest_of(&before), digest_of(&tenant));
        let is_renamed = !batch.actions.is_empty();
        let batch = self.update(batch, &tenant, stored.revision).await?;
        if is_renamed {
            self.commit_named(batch, audit, "tenant", &tenant.name).await?;
        } else {
            self.commit_audited(batch, audit).await?.or_conflict("the tenant")?;
        }
        Ok(tenant)
    }

    /// Adds to an empty batch that a name gives way to another. Names that are alike are one.
    pub(crate) async fn rename(
        &self,
        batch: Batch,
        workspace: WorkspaceId,
        kind: &str,
        (old, new): (&str, &str),
        owner: &(impl std::fmt::Display + Sync),
    ) -> Result<Batch, OperationError> {
        let old = NameGuard::of(workspace, kind, old, owner.to_string());
        let new = NameGuard::of(workspace, kind, new, owner.to_string());
        if old == new {
            return Ok(batch);
        }
        Ok(self.insert(batch, &new).await?.delete(old.key(), Condition::Always))
    }

    /// Puts a tenant away: it is compared no more, and its name is free again. What was found stays
    /// readable.
    ///
    /// # Errors
    /// Not found; refuses one that is put away already; stale as [`System::edit_tenant`].
    pub async fn archive_tenant(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: TenantId,
        expect: Option<u64>,
    ) -> Result<Tenant, OperationError> {
        // Looked at before the assignment goes, which changes the tenant's row.
        self.stored_tenant(workspace, id).await?.expected(expect, "the tenant")?;
        self.unassign(workspace, actor, id, None).await?;
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
        let batch = batch.delete(guard.key(), Condition::Always);
        self.announce_change(workspace).await?;
        self.commit_audited(batch, audit).await?.or_conflict("the tenant")?;
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
