//! Baseline profiles and their snapshots.

use crate::error::OperationError;
use crate::repository::keys::{self, sk};
use crate::repository::rows::{NameGuard, Snapshot};
use crate::repository::{Row as _, Stored};
use crate::system::{Actor, System, digest_of};
use plumbline_governance::ids::{ProfileId, SnapshotId, WorkspaceId};
use plumbline_governance::profile::{Profile, ProfileStatus};
use plumbline_governance::report::Facet;
use plumbline_governance::scope::Scope;
use plumbline_governance::severity::Severity;
use plumbline_governance::text::{MAX_NAME, MAX_REASON, line};
use plumbline_ports::{Batch, Condition, Query};
use std::collections::BTreeMap;

pub(crate) const NAMES: &str = "PROFILE";

/// What a person gives to make a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewProfile {
    /// Its name.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// For people.
    pub version_label: Option<String>,
    /// The types it holds.
    pub scope: Scope,
    /// The facets that count; empty: content and label.
    pub facets: Vec<Facet>,
    /// Severities it gives to rules.
    pub severities: BTreeMap<String, Severity>,
}

/// What a person changes of a profile; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileEdit {
    /// Another name.
    pub name: Option<String>,
    /// Another description; the inner `None` takes it away.
    pub description: Option<Option<String>>,
    /// Another version label.
    pub version_label: Option<Option<String>>,
    /// Another scope.
    pub scope: Option<Scope>,
    /// Other facets.
    pub facets: Option<Vec<Facet>>,
    /// Other severities.
    pub severities: Option<BTreeMap<String, Severity>>,
}

fn note(what: &'static str, text: Option<&str>) -> Result<Option<String>, OperationError> {
    text.map(|text| line(what, text, MAX_REASON)).transpose().map_err(Into::into)
}

impl System {
    /// Makes a profile, as a draft.
    ///
    /// # Errors
    /// Refuses an odd name, one that is taken, and a scope with types that cannot be part of a baseline.
    pub async fn create_profile(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        new: NewProfile,
    ) -> Result<Profile, OperationError> {
        self.workspace(workspace).await?;
        let now = self.now();
        let facets =
            if new.facets.is_empty() { vec![Facet::Content, Facet::Label] } else { new.facets };
        let profile = Profile {
            id: ProfileId::from_uuid(self.mint()),
            workspace,
            name: line("the name of a profile", &new.name, MAX_NAME)?,
            description: note("the description", new.description.as_deref())?,
            version_label: note("the version label", new.version_label.as_deref())?,
            status: ProfileStatus::Draft,
            scope: new.scope,
            facets: in_order(facets),
            severities: new.severities,
            active_snapshot: None,
            created_by: actor.name().to_owned(),
            created_at: now,
            updated_at: now,
        };
        profile.check()?;
        let guard = NameGuard::of(workspace, NAMES, &profile.name, profile.id.to_string());
        let mut audit = self.audit(workspace, actor, "profile.create", profile.id);
        audit.after = digest_of(&profile);
        let batch = self.insert(Batch::new(), &guard).await?;
        let batch = self.insert(batch, &profile).await?;
        self.commit_named(batch, audit, "profile", &profile.name).await?;
        Ok(profile)
    }

    /// Lists the profiles, by id.
    ///
    /// # Errors
    /// The store's.
    pub async fn profiles(&self, workspace: WorkspaceId) -> Result<Vec<Profile>, OperationError> {
        let rows =
            self.list::<Profile>(Query::prefix(keys::workspace(workspace), sk::PROFILES)).await?;
        Ok(rows.into_iter().map(|stored| stored.row).collect())
    }

    /// Reads a profile.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn profile(
        &self,
        workspace: WorkspaceId,
        id: ProfileId,
    ) -> Result<Profile, OperationError> {
        Ok(self.stored_profile(workspace, id).await?.row)
    }

    /// Reads a profile with its revision.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn stored_profile(
        &self,
        workspace: WorkspaceId,
        id: ProfileId,
    ) -> Result<Stored<Profile>, OperationError> {
        self.read(&keys::in_workspace(workspace, sk::profile(id)))
            .await?
            .ok_or_else(|| OperationError::not_found("profile", id))
    }

    /// Changes a profile. Its snapshots stay; the next compare uses what it is then.
    ///
    /// # Errors
    /// Not found; refuses an archived profile and whatever a new profile is refused for; stale when the
    /// profile is not the one that `expect` names.
    pub async fn edit_profile(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: ProfileId,
        edit: ProfileEdit,
        expect: Option<u64>,
    ) -> Result<Profile, OperationError> {
        let stored = self.stored_profile(workspace, id).await?.expected(expect, "the profile")?;
        let before = stored.row;
        if before.status == ProfileStatus::Archived {
            return Err(OperationError::Refused(format!(
                "the profile `{}` is archived, which is final; make a new one",
                before.name
            )));
        }
        let mut profile = before.clone();
        if let Some(name) = edit.name {
            profile.name = line("the name of a profile", &name, MAX_NAME)?;
        }
        if let Some(text) = edit.description {
            profile.description = note("the description", text.as_deref())?;
        }
        if let Some(text) = edit.version_label {
            profile.version_label = note("the version label", text.as_deref())?;
        }
        profile.scope = edit.scope.unwrap_or(profile.scope);
        profile.facets = edit.facets.map_or(profile.facets, in_order);
        profile.severities = edit.severities.unwrap_or(profile.severities);
        profile.updated_at = self.now();
        profile.check()?;
        let mut audit = self.audit(workspace, actor, "profile.edit", id);
        (audit.before, audit.after) = (digest_of(&before), digest_of(&profile));
        let names = (before.name.as_str(), profile.name.as_str());
        let batch = self.rename(Batch::new(), workspace, NAMES, names, &id).await?;
        let is_renamed = !batch.actions.is_empty();
        let batch = self.update(batch, &profile, stored.revision).await?;
        if is_renamed {
            self.commit_named(batch, audit, "profile", &profile.name).await?;
        } else {
            self.commit_audited(batch, audit).await?.or_conflict("the profile")?;
        }
        Ok(profile)
    }

    /// Takes a profile a step on: draft, active, archived.
    ///
    /// # Errors
    /// Not found; refuses steps that are none, and activation without a snapshot; stale as
    /// [`System::edit_profile`].
    pub async fn set_profile_status(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        id: ProfileId,
        to: ProfileStatus,
        expect: Option<u64>,
    ) -> Result<Profile, OperationError> {
        let stored = self.stored_profile(workspace, id).await?.expected(expect, "the profile")?;
        let mut profile = stored.row.clone();
        profile.become_status(to, self.now())?;
        let mut audit = self.audit(workspace, actor, &format!("profile.{}", to.as_str()), id);
        (audit.before, audit.after) = (digest_of(&stored.row), digest_of(&profile));
        let mut batch = self.update(Batch::new(), &profile, stored.revision).await?;
        if to == ProfileStatus::Archived {
            let guard = NameGuard::of(workspace, NAMES, &profile.name, id.to_string());
            batch = batch.delete(guard.key(), Condition::Always);
        }
        self.commit_audited(batch, audit).await?.or_conflict("the profile")?;
        Ok(profile)
    }

    /// Lists the snapshots of a profile, the newest first.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn snapshots(
        &self,
        workspace: WorkspaceId,
        profile: ProfileId,
    ) -> Result<Vec<Snapshot>, OperationError> {
        self.profile(workspace, profile).await?;
        let query = Query::prefix(keys::workspace(workspace), sk::snapshots(profile));
        let mut rows: Vec<Snapshot> =
            self.list(query).await?.into_iter().map(|stored| stored.row).collect();
        rows.sort_by_key(|snapshot| std::cmp::Reverse((snapshot.captured_at, snapshot.id)));
        Ok(rows)
    }

    /// Reads a snapshot's header.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn snapshot(
        &self,
        workspace: WorkspaceId,
        profile: ProfileId,
        id: SnapshotId,
    ) -> Result<Snapshot, OperationError> {
        self.read(&Snapshot::key_of(workspace, profile, id))
            .await?
            .map(|stored| stored.row)
            .ok_or_else(|| OperationError::not_found("snapshot", id))
    }

    /// Makes an older snapshot the one that tenants are compared with.
    ///
    /// # Errors
    /// Not found; refuses an archived profile; stale as [`System::edit_profile`].
    pub async fn promote_snapshot(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        profile: ProfileId,
        snapshot: SnapshotId,
        expect: Option<u64>,
    ) -> Result<Profile, OperationError> {
        self.snapshot(workspace, profile, snapshot).await?;
        let stored =
            self.stored_profile(workspace, profile).await?.expected(expect, "the profile")?;
        let mut next = stored.row.clone();
        if next.status == ProfileStatus::Archived {
            return Err(OperationError::Refused(format!(
                "the profile `{}` is archived, which is final",
                next.name
            )));
        }
        next.active_snapshot = Some(snapshot);
        next.updated_at = self.now();
        let mut audit = self.audit(workspace, actor, "snapshot.promote", snapshot);
        (audit.before, audit.after) = (digest_of(&stored.row), digest_of(&next));
        let batch = self.update(Batch::new(), &next, stored.revision).await?;
        self.commit_audited(batch, audit).await?.or_conflict("the profile")?;
        Ok(next)
    }
}

fn in_order(mut facets: Vec<Facet>) -> Vec<Facet> {
    facets.sort_unstable();
    facets.dedup();
    facets
}
