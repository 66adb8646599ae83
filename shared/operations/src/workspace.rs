//! Workspaces and their members.

use crate::error::OperationError;
use crate::repository::keys::{self, sk};
use crate::repository::rows::{Due, MemberRow, Workspace, WorkspaceEntry};
use crate::repository::{Row as _, Stored};
use crate::system::{Actor, System, digest_of};
use plumbline_governance::access::{Member, MemberRole};
use plumbline_governance::ids::WorkspaceId;
use plumbline_governance::schedule::Schedule;
use plumbline_governance::text::{MAX_NAME, line};
use plumbline_ports::{Batch, Condition, Query};

/// How old an inventory may be unless the workspace says otherwise: three days, so that one failed night
/// does not hold every verdict back.
pub const DEFAULT_MAX_AGE_HOURS: u32 = 72;

/// What makes a person known: who vouches for them, and their name there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who vouches.
    pub issuer: String,
    /// The name.
    pub subject: String,
}

impl System {
    /// Makes a workspace; the creator is its first owner.
    ///
    /// # Errors
    /// Refuses an empty or odd name.
    pub async fn create_workspace(
        &self,
        creator: &Person,
        name: &str,
    ) -> Result<Workspace, OperationError> {
        let now = self.now();
        let workspace = Workspace {
            id: WorkspaceId::from_uuid(self.mint()),
            name: line("the name of a workspace", name, MAX_NAME)?,
            schedule: None,
            next_night: None,
            inventory_max_age_hours: DEFAULT_MAX_AGE_HOURS,
            created_at: now,
        };
        let actor = Actor::new(creator.subject.clone());
        let owner = MemberRow {
            workspace: workspace.id,
            member: Member {
                issuer: creator.issuer.clone(),
                subject: line("the subject of a member", &creator.subject, MAX_NAME)?,
                role: MemberRole::Owner,
                added_by: creator.subject.clone(),
                added_at: now,
            },
        };
        let mut audit = self.audit(workspace.id, &actor, "workspace.create", workspace.id);
        audit.after = digest_of(&workspace);
        let batch = self.insert(Batch::new(), &workspace).await?;
        let batch = self.insert(batch, &WorkspaceEntry { id: workspace.id }).await?;
        let batch = self.insert(batch, &owner).await?;
        let batch = self.insert(batch, &audit).await?;
        self.commit(batch).await.map_err(|error| OperationError::commit(error, "the workspace"))?;
        Ok(workspace)
    }

    /// Lists all workspaces of the store; for the command on its own data and for the schedule.
    ///
    /// # Errors
    /// The store's.
    pub async fn workspaces(&self) -> Result<Vec<Workspace>, OperationError> {
        let entries = self.list::<WorkspaceEntry>(Query::prefix(keys::WORKSPACES, "")).await?;
        let mut out = Vec::with_capacity(entries.len());
        for entry in entries {
            out.push(self.workspace(entry.row.id).await?);
        }
        Ok(out)
    }

    /// Sets when nightly compares start, or that they do not.
    ///
    /// # Errors
    /// Not found, or somebody else's change at the same time.
    pub async fn set_schedule(
        &self,
        id: WorkspaceId,
        actor: &Actor,
        schedule: Option<Schedule>,
    ) -> Result<Workspace, OperationError> {
        let stored = self.stored_workspace(id).await?;
        let before = stored.row.clone();
        let mut workspace = stored.row;
        let next = schedule.as_ref().and_then(|schedule| schedule.next(self.now()));
        workspace.schedule = schedule;
        workspace.next_night = next.map(|night| night.due);
        let mut audit = self.audit(id, actor, "workspace.schedule", id);
        (audit.before, audit.after) = (digest_of(&before), digest_of(&workspace));
        let mut batch = self.update(Batch::new(), &workspace, stored.revision).await?;
        if before.next_night != workspace.next_night {
            if let Some(due) = before.next_night {
                batch = batch.delete(Due::key_of(due, id), Condition::Always);
            }
            if let Some(night) = next {
                let due = Due { workspace: id, date: night.date, at: night.due };
                batch = self.insert(batch, &due).await?;
            }
        }
        let batch = self.insert(batch, &audit).await?;
        self.commit(batch).await.map_err(|error| OperationError::commit(error, "the workspace"))?;
        Ok(workspace)
    }

    /// Lists the members.
    ///
    /// # Errors
    /// The store's.
    pub async fn members(&self, id: WorkspaceId) -> Result<Vec<Member>, OperationError> {
        let rows = self.list::<MemberRow>(Query::prefix(keys::workspace(id), sk::MEMBERS)).await?;
        Ok(rows.into_iter().map(|stored| stored.row.member).collect())
    }

    /// Adds a member, or gives one another role.
    ///
    /// # Errors
    /// Refuses to take the role of owner from the last owner.
    pub async fn set_member(
        &self,
        id: WorkspaceId,
        actor: &Actor,
        person: &Person,
        role: MemberRole,
    ) -> Result<Member, OperationError> {
        self.workspace(id).await?;
        let key = MemberRow::key_of(id, &person.issuer, &person.subject);
        let stored = self.read::<MemberRow>(&key).await?;
        let mut batch = Batch::new();
        if role != MemberRole::Owner {
            batch = self.keep_an_owner(batch, id, person).await?;
        }
        let row = MemberRow {
            workspace: id,
            member: Member {
                issuer: person.issuer.clone(),
                subject: line("the subject of a member", &person.subject, MAX_NAME)?,
                role,
                added_by: actor.name().to_owned(),
                added_at: self.now(),
            },
        };
        let mut audit = self.audit(id, actor, "member.set", &key.sk);
        audit.before = stored.as_ref().and_then(|stored| digest_of(&stored.row));
        audit.after = digest_of(&row);
        let read = stored.map(|stored| stored.revision);
        let batch = self.upsert(batch, &row, read).await?;
        let batch = self.insert(batch, &audit).await?;
        self.commit(batch).await.map_err(|error| OperationError::commit(error, "the member"))?;
        Ok(row.member)
    }

    /// Takes a member out.
    ///
    /// # Errors
    /// Not found; refuses to take out the last owner.
    pub async fn remove_member(
        &self,
        id: WorkspaceId,
        actor: &Actor,
        person: &Person,
    ) -> Result<(), OperationError> {
        let key = MemberRow::key_of(id, &person.issuer, &person.subject);
        let stored = self
            .read::<MemberRow>(&key)
            .await?
            .ok_or_else(|| OperationError::not_found("member", &person.subject))?;
        let batch = self.keep_an_owner(Batch::new(), id, person).await?;
        let mut audit = self.audit(id, actor, "member.remove", &key.sk);
        audit.before = digest_of(&stored.row);
        let batch = batch.delete(key, Condition::Revision(stored.revision));
        let batch = self.insert(batch, &audit).await?;
        self.commit(batch).await.map_err(|error| OperationError::commit(error, "the member"))
    }

    /// Somebody who is an owner no more leaves another one behind. The batch holds on to that other, so
    /// that two owners cannot take each other out at the same moment.
    async fn keep_an_owner(
        &self,
        batch: Batch,
        id: WorkspaceId,
        person: &Person,
    ) -> Result<Batch, OperationError> {
        let rows = self.list::<MemberRow>(Query::prefix(keys::workspace(id), sk::MEMBERS)).await?;
        let (own, others): (Vec<_>, Vec<_>) = rows
            .iter()
            .filter(|stored| stored.row.member.role == MemberRole::Owner)
            .partition(|Stored { row: MemberRow { member, .. }, .. }| {
                member.issuer == person.issuer && member.subject == person.subject
            });
        match others.first() {
            _ if own.is_empty() => Ok(batch),
            Some(other) => Ok(batch.check(other.row.key(), Condition::Revision(other.revision))),
            None => Err(OperationError::Refused(format!(
                "`{}` is the only owner; make somebody else an owner first",
                person.subject
            ))),
        }
    }
}
