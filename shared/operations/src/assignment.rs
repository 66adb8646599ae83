//! Assignments: which profile a tenant is held to. A tenant has one at most.

use crate::error::OperationError;
use crate::repository::keys::{self, sk};
use crate::repository::rows::{Assignment, Guard, Outbox, TenantStatus, Watched};
use crate::repository::{Row as _, Stored, expected};
use crate::run::{DEADLINE, RESEND, later};
use crate::system::{Actor, System, digest_of};
use plumbline_governance::ids::{ProfileId, TenantId, WorkspaceId};
use plumbline_governance::profile::ProfileStatus;
use plumbline_governance::run::RunType;
use plumbline_governance::scope::Scope;
use plumbline_ports::{Batch, Condition};

impl System {
    /// Reads a tenant's assignment; `None` when it has none.
    ///
    /// # Errors
    /// The store's.
    pub async fn assignment(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
    ) -> Result<Option<Assignment>, OperationError> {
        Ok(self.stored_assignment(workspace, tenant).await?.map(|stored| stored.row))
    }

    /// Reads a tenant's assignment with its revision; `None` when it has none.
    ///
    /// # Errors
    /// The store's.
    pub async fn stored_assignment(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
    ) -> Result<Option<Stored<Assignment>>, OperationError> {
        self.read(&keys::in_tenant(workspace, tenant, sk::ASSIGNMENT)).await
    }

    /// Holds a tenant to a profile, perhaps with a narrower scope. Another profile before it is given up:
    /// its open findings are resolved as out of scope; what was accepted or closed stays.
    ///
    /// # Errors
    /// Not found; refuses a profile that is not active and a scope that is wider than the profile's; stale
    /// when the assignment is not the one that `expect` names.
    pub async fn assign(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        tenant: TenantId,
        profile: ProfileId,
        override_scope: Option<Scope>,
        expect: Option<u64>,
    ) -> Result<Assignment, OperationError> {
        let of = self.stored_tenant(workspace, tenant).await?;
        if of.row.status != TenantStatus::Active {
            return Err(OperationError::Refused(format!(
                "the tenant `{}` is archived and cannot be held to a profile",
                of.row.name
            )));
        }
        let to = self.profile(workspace, profile).await?;
        if to.status != ProfileStatus::Active {
            return Err(OperationError::Refused(format!(
                "the profile `{}` is not active but {}; activate it first (`plumbline profile activate`)",
                to.name,
                to.status.as_str()
            )));
        }
        let whole = to.check()?;
        if let Some(narrow) = &override_scope {
            whole.narrow(narrow)?;
        }
        let before = self.stored_assignment(workspace, tenant).await?;
        let before = expected(before, expect, "the assignment")?;
        let kept = before.as_ref().filter(|stored| stored.row.profile == profile);
        let assignment = Assignment {
            workspace,
            tenant,
            profile,
            override_scope,
            // What stands for a role of one baseline stands for nothing in another.
            role_mappings: kept.map(|stored| stored.row.role_mappings.clone()).unwrap_or_default(),
            assigned_by: actor.name().to_owned(),
            assigned_at: self.now(),
        };
        let mut row = of.row.clone();
        row.profile = Some(profile);
        let mut audit = self.audit(workspace, actor, "assignment.set", profile);
        audit.tenant = Some(tenant);
        audit.before = before.as_ref().and_then(|stored| digest_of(&stored.row));
        audit.after = digest_of(&assignment);
        let read = before.as_ref().map(|stored| stored.revision);
        let batch = self.upsert(Batch::new(), &assignment, read).await?;
        let mut batch = self.update(batch, &row, of.revision).await?;
        let old = before.as_ref().map(|stored| stored.row.profile);
        if let Some(old) = old.filter(|old| *old != profile) {
            batch = self.fence_off(batch, workspace, tenant, old).await?;
            batch = self.forget_proof(batch, workspace, tenant).await?;
            batch = self.insert(batch, &self.retirement(workspace, tenant)).await?;
        }
        self.announce_change(workspace).await?;
        self.commit_audited(batch, audit).await?.or_conflict("the assignment")?;
        self.retire_findings(workspace, tenant, Some(profile)).await?;
        Ok(assignment)
    }

    /// Holds a tenant to no profile any more. A compare that runs is ended, and open findings are
    /// resolved as out of scope; what was accepted or closed stays. A tenant without an assignment stays
    /// so.
    ///
    /// # Errors
    /// Not found, or somebody else's change at the same time; stale as [`System::assign`].
    pub async fn unassign(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        tenant: TenantId,
        expect: Option<u64>,
    ) -> Result<(), OperationError> {
        let of = self.stored_tenant(workspace, tenant).await?;
        let before = self.stored_assignment(workspace, tenant).await?;
        if let Some(before) = expected(before, expect, "the assignment")? {
            let mut row = of.row.clone();
            row.profile = None;
            let mut audit = self.audit(workspace, actor, "assignment.remove", before.row.profile);
            audit.tenant = Some(tenant);
            audit.before = digest_of(&before.row);
            let batch = Batch::new().delete(before.row.key(), Condition::Revision(before.revision));
            let batch = self.update(batch, &row, of.revision).await?;
            let batch = self.fence_off(batch, workspace, tenant, before.row.profile).await?;
            let batch = self.forget_proof(batch, workspace, tenant).await?;
            let batch = self.insert(batch, &self.retirement(workspace, tenant)).await?;
            self.announce_change(workspace).await?;
            self.commit_audited(batch, audit).await?.or_conflict("the assignment")?;
        }
        self.retire_findings(workspace, tenant, None).await
    }

    /// What was proven under one profile says nothing under another, or under none.
    async fn forget_proof(
        &self,
        batch: Batch,
        workspace: WorkspaceId,
        tenant: TenantId,
    ) -> Result<Batch, OperationError> {
        let Some(mut stored) = self.posture_row(workspace, tenant).await? else { return Ok(batch) };
        (stored.row.trust, stored.row.run, stored.row.profile) = (None, None, None);
        stored.row.updated_at = self.now();
        self.update(batch, &stored.row, stored.revision).await
    }

    /// Has the schedule see to it that the findings are retired, if we do not live to do it.
    fn retirement(&self, workspace: WorkspaceId, tenant: TenantId) -> Outbox {
        let now = self.now();
        Outbox {
            id: self.mint(),
            workspace,
            look_at: later(now, RESEND),
            deadline: later(now, DEADLINE),
            what: Watched::Retire { tenant },
        }
    }

    /// Takes the lease from a compare that may be running, so that nothing it writes can appear any more,
    /// and forgets what was remembered.
    async fn fence_off(
        &self,
        batch: Batch,
        workspace: WorkspaceId,
        tenant: TenantId,
        profile: ProfileId,
    ) -> Result<Batch, OperationError> {
        let key = Guard::key_of(workspace, tenant, RunType::BaselineCompare, &profile.to_string());
        let Some(stored) = self.read::<Guard>(&key).await? else {
            // The first compare may begin at this very moment.
            return Ok(batch.check(key, Condition::Absent));
        };
        let mut guard = stored.row;
        guard.fence = guard.fence.saturating_add(1);
        (guard.active, guard.lease_until, guard.memo) = (None, None, None);
        self.update(batch, &guard, stored.revision).await
    }
}
