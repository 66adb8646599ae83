//! Workspaces and their members.

use crate::error::OperationError;
use crate::repository::keys::{self, sk};
use crate::repository::rows::{Due, MemberRow, OverviewDue, SubjectRow, Workspace, WorkspaceEntry};
use crate::repository::{Row as _, Stored, expected};
use crate::system::{Actor, System, digest_of};
use plumbline_governance::access::{Member, MemberChange, MemberRole, member_id};
use plumbline_governance::ids::WorkspaceId;
use plumbline_governance::schedule::Schedule;
use plumbline_governance::text::{MAX_NAME, line};
use plumbline_ports::{Batch, Condition, Query};

/// How old an inventory may be unless the workspace says otherwise: three days, so that one failed night
/// does not hold every verdict back.
pub const DEFAULT_MAX_AGE_HOURS: u32 = 72;
/// How old a workspace may let an inventory be: a year. Older than that, nothing can be concluded from it.
const MAX_AGE_HOURS: u32 = 24 * 366;

/// What makes a person known: who vouches for them, and their name there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who vouches.
    pub issuer: String,
    /// The name.
    pub subject: String,
}

impl Person {
    /// A member is found by exactly what its issuer says, so that is what is kept; it must be plain.
    fn check(&self) -> Result<(), OperationError> {
        line("the issuer of a member", &self.issuer, MAX_NAME)?;
        line("the subject of a member", &self.subject, MAX_NAME)?;
        Ok(())
    }

    /// What names the person as a member, in every workspace.
    #[must_use]
    pub fn member_id(&self) -> String {
        member_id(&self.issuer, &self.subject)
    }
}

/// What a person changes of a workspace; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkspaceEdit {
    /// Another name.
    pub name: Option<String>,
    /// When nightly compares start; the inner `None`: never.
    pub schedule: Option<Option<Schedule>>,
    /// How old an inventory may be, in hours, before nothing is concluded from it.
    pub inventory_max_age_hours: Option<u32>,
}

impl System {
    /// Makes a workspace; the creator is its first owner.
    ///
    /// # Errors
    /// Refuses an empty or odd name.
    pub async fn create_workspace(
        &self,
        creator: &Person,
        actor: &Actor,
        name: &str,
    ) -> Result<Workspace, OperationError> {
        creator.check()?;
        let now = self.now();
        let workspace = Workspace {
            id: WorkspaceId::from_uuid(self.mint()),
            name: line("the name of a workspace", name, MAX_NAME)?,
            schedule: None,
            next_night: None,
            inventory_max_age_hours: DEFAULT_MAX_AGE_HOURS,
            created_at: now,
        };
        let owner = MemberRow {
            workspace: workspace.id,
            member: Member {
                issuer: creator.issuer.clone(),
                subject: creator.subject.clone(),
                role: MemberRole::Owner,
                tenants: None,
                until: None,
                added_by: creator.subject.clone(),
                added_at: now,
            },
        };
        let mut audit = self.audit(workspace.id, actor, "workspace.create", workspace.id);
        audit.after = digest_of(&workspace);
        let batch = self.insert(Batch::new(), &workspace).await?;
        let batch = self.insert(batch, &WorkspaceEntry { id: workspace.id }).await?;
        let batch = self.insert(batch, &owner).await?;
        let batch = self.insert(batch, &SubjectRow::of(&owner)).await?;
        let batch = self.insert(batch, &OverviewDue { workspace: workspace.id, at: now }).await?;
        self.commit_audited(batch, audit).await?.or_conflict("the workspace")?;
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

    /// Changes a workspace: its name, when nightly compares start, how old an inventory may be.
    ///
    /// # Errors
    /// Not found; refuses odd names and ages; stale when the workspace is not the one that `expect`
    /// names; or somebody else's change at the same time.
    pub async fn edit_workspace(
        &self,
        id: WorkspaceId,
        actor: &Actor,
        edit: WorkspaceEdit,
        expect: Option<u64>,
    ) -> Result<Workspace, OperationError> {
        let stored = self.stored_workspace(id).await?.expected(expect, "the workspace")?;
        let before = stored.row;
        let mut workspace = before.clone();
        if let Some(name) = edit.name {
            workspace.name = line("the name of a workspace", &name, MAX_NAME)?;
        }
        if let Some(hours) = edit.inventory_max_age_hours {
            if !(1..=MAX_AGE_HOURS).contains(&hours) {
                return Err(OperationError::Invalid(format!(
                    "an inventory is good for 1 to {MAX_AGE_HOURS} hours, not {hours}"
                )));
            }
            workspace.inventory_max_age_hours = hours;
        }
        let mut next = None;
        if let Some(schedule) = edit.schedule {
            next = schedule.as_ref().and_then(|schedule| schedule.next(self.now()));
            workspace.schedule = schedule;
            workspace.next_night = next.map(|night| night.due);
        }
        let mut audit = self.audit(id, actor, "workspace.edit", id);
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
        self.commit_audited(batch, audit).await?.or_conflict("the workspace")?;
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

    /// Adds a member, or makes one another.
    ///
    /// # Errors
    /// Refuses to take a lasting owner from a workspace that has only one, and limits that are none;
    /// stale when the member is not the one that `expect` names.
    pub async fn set_member(
        &self,
        id: WorkspaceId,
        actor: &Actor,
        person: &Person,
        change: MemberChange,
        expect: Option<u64>,
    ) -> Result<Member, OperationError> {
        self.workspace(id).await?;
        person.check()?;
        change.check(self.now())?;
        for tenant in change.tenants.iter().flatten() {
            self.tenant(id, *tenant).await?;
        }
        let row = MemberRow {
            workspace: id,
            member: Member {
                issuer: person.issuer.clone(),
                subject: person.subject.clone(),
                role: change.role,
                tenants: change.tenants,
                until: change.until,
                added_by: actor.name().to_owned(),
                added_at: self.now(),
            },
        };
        let key = row.key();
        let stored = expected(self.read::<MemberRow>(&key).await?, expect, "the member")?;
        let mut batch = Batch::new();
        if !row.member.is_lasting_owner() {
            batch = self.keep_an_owner(batch, id, person).await?;
        }
        let mut audit = self.audit(id, actor, "member.set", &key.sk);
        audit.before = stored.as_ref().and_then(|stored| digest_of(&stored.row));
        audit.after = digest_of(&row);
        // A membership that has ended may stand there still.
        let read = match stored {
            Some(stored) => Some(stored.revision),
            None => self.standing_revision(&key).await?,
        };
        let batch = self.upsert(batch, &row, read).await?;
        let subject = SubjectRow::of(&row);
        let read = self.standing_revision(&subject.key()).await?;
        let batch = self.upsert(batch, &subject, read).await?;
        self.commit_audited(batch, audit).await?.or_conflict("the member")?;
        Ok(row.member)
    }

    /// Takes a member out.
    ///
    /// # Errors
    /// Not found; refuses to take out the last lasting owner; stale as [`System::set_member`].
    pub async fn remove_member(
        &self,
        id: WorkspaceId,
        actor: &Actor,
        person: &Person,
        expect: Option<u64>,
    ) -> Result<(), OperationError> {
        let key = MemberRow::key_of(id, &person.issuer, &person.subject);
        let stored = self
            .read::<MemberRow>(&key)
            .await?
            .ok_or_else(|| OperationError::not_found("member", &person.subject))?
            .expected(expect, "the member")?;
        let batch = self.keep_an_owner(Batch::new(), id, person).await?;
        let mut audit = self.audit(id, actor, "member.remove", &key.sk);
        audit.before = digest_of(&stored.row);
        let batch = batch.delete(key, Condition::Revision(stored.revision));
        let batch = batch.delete(SubjectRow::of(&stored.row).key(), Condition::Always);
        self.commit_audited(batch, audit).await?.or_conflict("the member")
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
            .filter(|stored| stored.row.member.is_lasting_owner())
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
