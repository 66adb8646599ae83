//! Role mappings: which custom role of a tenant stands for which of its baseline. Roles are matched by
//! their ids, which every tenant makes for itself; equal names are never enough (seed 128). So a person
//! says it, with a reason, and the audit keeps it.

use crate::error::OperationError;
use crate::repository::Stored;
use crate::repository::rows::{Assignment, RoleMapping};
use crate::system::{Actor, System, digest_of};
use plumbline_governance::ids::{TenantId, WorkspaceId};
use plumbline_governance::index::Entry;
use plumbline_governance::text::{MAX_REASON, line};
use plumbline_policy::catalog::ROLE_DEFINITION;
use plumbline_policy::reference::find_guid;
use plumbline_ports::Batch;

/// A mapping to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRoleMapping {
    /// The id of the role in the baseline.
    pub baseline_role: String,
    /// The id of the role in the tenant.
    pub tenant_role: String,
    /// Why the two are one.
    pub reason: String,
}

/// The most mappings of one tenant.
const MAX_ROLE_MAPPINGS: usize = 200;

impl System {
    /// Says that a custom role of a tenant stands for one of its baseline, from the next compare on.
    /// Another mapping of that role of the baseline is replaced.
    ///
    /// # Errors
    /// Not found: the tenant, its assignment, the roles. Refuses built-in roles, which are one and the same
    /// in every tenant, a role that the tenant holds under the baseline's own id, and a role that stands
    /// for another already; stale when the assignment is not the one that `expect` names.
    pub async fn map_role(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        tenant: TenantId,
        new: NewRoleMapping,
        expect: Option<u64>,
    ) -> Result<Assignment, OperationError> {
        let reason = line("the reason", &new.reason, MAX_REASON)?;
        let baseline_role = role_id("the baseline's role", &new.baseline_role)?;
        let tenant_role = role_id("the tenant's role", &new.tenant_role)?;
        if baseline_role == tenant_role {
            return Err(OperationError::Invalid(format!(
                "{tenant_role} is one id; roles of one id are matched without a mapping"
            )));
        }
        let before = self.mapped_assignment(workspace, tenant, expect).await?;
        let profile = self.profile(workspace, before.row.profile).await?;
        let snapshot = profile.active_snapshot.ok_or_else(|| {
            OperationError::Refused(format!(
                "the profile `{}` has no snapshot; capture one first",
                profile.name
            ))
        })?;
        let golden = self.golden_entries(workspace, profile.id, snapshot).await?;
        custom("the baseline", &golden, &baseline_role)?;
        let held = self.inventory_index(workspace, tenant).await?;
        let held = held.map(|index| index.entries).unwrap_or_default();
        custom("the tenant", &held, &tenant_role)?;
        if find(&held, &baseline_role).is_some() {
            return Err(OperationError::Refused(format!(
                "the tenant holds {baseline_role} itself, so no other role stands for it"
            )));
        }
        let mut assignment = before.row.clone();
        assignment.role_mappings.retain(|one| one.baseline_role != baseline_role);
        if let Some(other) =
            assignment.role_mappings.iter().find(|one| one.tenant_role == tenant_role)
        {
            return Err(OperationError::Refused(format!(
                "{tenant_role} stands for {} already; take that mapping away first",
                other.baseline_role
            )));
        }
        if assignment.role_mappings.len() >= MAX_ROLE_MAPPINGS {
            return Err(OperationError::Refused(format!(
                "the tenant has {MAX_ROLE_MAPPINGS} role mappings, and may have no more"
            )));
        }
        assignment.role_mappings.push(RoleMapping {
            baseline_role: baseline_role.clone(),
            tenant_role,
            reason: reason.clone(),
            mapped_by: actor.name().to_owned(),
            mapped_at: self.now(),
        });
        assignment
            .role_mappings
            .sort_unstable_by(|one, other| one.baseline_role.cmp(&other.baseline_role));
        let change = ("role_mapping.set", baseline_role.as_str(), Some(reason));
        self.remap(actor, &before, assignment, change).await
    }

    /// Takes a mapping away: from the next compare on, the two roles are two again. A role that is not
    /// mapped stays so.
    ///
    /// # Errors
    /// Not found: the tenant; refuses a tenant that is held to no profile; stale as [`System::map_role`].
    pub async fn unmap_role(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        tenant: TenantId,
        baseline_role: &str,
        expect: Option<u64>,
    ) -> Result<Assignment, OperationError> {
        let baseline_role = role_id("the baseline's role", baseline_role)?;
        let before = self.mapped_assignment(workspace, tenant, expect).await?;
        let mut assignment = before.row.clone();
        assignment.role_mappings.retain(|one| one.baseline_role != baseline_role);
        if assignment.role_mappings.len() == before.row.role_mappings.len() {
            return Ok(assignment);
        }
        let change = ("role_mapping.remove", baseline_role.as_str(), None);
        self.remap(actor, &before, assignment, change).await
    }

    async fn mapped_assignment(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        expect: Option<u64>,
    ) -> Result<Stored<Assignment>, OperationError> {
        let of = self.tenant(workspace, tenant).await?;
        let stored = self.stored_assignment(workspace, tenant).await?.ok_or_else(|| {
            OperationError::Refused(format!(
                "the tenant `{}` is held to no profile; assign one first (`plumbline assign`)",
                of.name
            ))
        })?;
        stored.expected(expect, "the assignment")
    }

    async fn remap(
        &self,
        actor: &Actor,
        before: &Stored<Assignment>,
        after: Assignment,
        (action, role, reason): (&str, &str, Option<String>),
    ) -> Result<Assignment, OperationError> {
        let mut audit = self.audit(after.workspace, actor, action, role);
        audit.tenant = Some(after.tenant);
        audit.reason = reason;
        audit.before = digest_of(&before.row);
        audit.after = digest_of(&after);
        let batch = self.update(Batch::new(), &after, before.revision).await?;
        self.commit_audited(batch, audit).await?.or_conflict("the assignment")?;
        Ok(after)
    }
}

/// An id of a role as mappings keep it.
fn role_id(what: &str, text: &str) -> Result<String, OperationError> {
    let text = text.trim();
    if find_guid(text) == Some(0..text.len()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(OperationError::Invalid(format!(
        "`{text}` is no id of a role; {what} is named by its id in Graph, such as \
         0bd113fe-6be5-400c-a28f-ae5553f9c0be"
    )))
}

fn find<'e>(entries: &'e [Entry], id: &str) -> Option<&'e Entry> {
    entries.iter().find(|entry| {
        entry.policy_type == ROLE_DEFINITION
            && entry.external_id.as_deref().is_some_and(|held| held.eq_ignore_ascii_case(id))
    })
}

/// Checks that a side holds a role that may be mapped.
fn custom(whose: &str, entries: &[Entry], id: &str) -> Result<(), OperationError> {
    let entry = find(entries, id).ok_or_else(|| {
        OperationError::Refused(format!(
            "{whose} holds no role {id}; look at its roles, and read it again if the role is new"
        ))
    })?;
    if entry.role.is_some_and(|role| role.built_in) {
        return Err(OperationError::Refused(format!(
            "{id} is a built-in role; built-in roles have one id in every tenant and need no mapping"
        )));
    }
    Ok(())
}
