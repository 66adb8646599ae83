//! Names wherever an id may stand. Names are compared folded, as everywhere.

use super::Data;
use anyhow::bail;
use futures::executor::block_on;
use plumbline_governance::ids::{FindingId, ProfileId, RunId, SnapshotId, TenantId, WorkspaceId};
use plumbline_governance::profile::{Profile, ProfileStatus};
use plumbline_governance::run::Run;
use plumbline_operations::{SeenFinding, Snapshot, Tenant, TenantStatus, Workspace};
use plumbline_policy::name::fold;

/// Something with a name and an id.
pub(super) trait Named {
    /// Its name.
    fn name(&self) -> &str;
    /// Its id, as it is written.
    fn id(&self) -> String;
    /// Whether it was put away, so that its name is free for another.
    fn is_away(&self) -> bool;
}

impl Named for Workspace {
    fn name(&self) -> &str {
        &self.name
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn is_away(&self) -> bool {
        false
    }
}

impl Named for Tenant {
    fn name(&self) -> &str {
        &self.name
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn is_away(&self) -> bool {
        self.status == TenantStatus::Archived
    }
}

impl Named for Profile {
    fn name(&self) -> &str {
        &self.name
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn is_away(&self) -> bool {
        self.status == ProfileStatus::Archived
    }
}

/// Lists things by name and id.
pub(super) fn list<T: Named>(all: &[T]) -> String {
    all.iter().map(|one| format!("`{}` ({})", one.name(), one.id())).collect::<Vec<_>>().join(", ")
}

/// Finds the one of that name. One in use goes before those that were put away.
pub(super) fn one<T: Named>(what: &str, name: &str, all: Vec<T>) -> anyhow::Result<T> {
    let wanted = fold(name);
    let known = all.len();
    let (used, away): (Vec<T>, Vec<T>) =
        all.into_iter().filter(|one| fold(one.name()) == wanted).partition(|one| !one.is_away());
    let found = if used.is_empty() { away } else { used };
    match <[T; 1]>::try_from(found) {
        Ok([only]) => Ok(only),
        Err(none) if none.is_empty() => bail!(
            "there is no {what} `{name}`; `plumbline {what} list` shows {}",
            match known {
                0 => "that there is none yet".to_owned(),
                1 => "the one there is".to_owned(),
                many => format!("the {many} there are"),
            }
        ),
        Err(several) => bail!(
            "several {what}s are called `{name}`; give the id of one: {}",
            several.iter().map(Named::id).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// The letters of a finding's id that a table shows. Such ids are digests, so that a few of them tell
/// findings apart.
const SHORT: usize = "fnd_".len() + 12;

/// Writes the id of a finding short, for a table.
#[must_use]
pub(crate) fn short(id: FindingId) -> String {
    id.to_string().chars().take(SHORT).collect()
}

impl Data {
    /// The tenant of a name or id.
    ///
    /// # Errors
    /// Says that there is none, or lists the ids of several.
    pub(crate) fn tenant(&self, workspace: WorkspaceId, text: &str) -> anyhow::Result<Tenant> {
        match text.parse::<TenantId>() {
            Ok(id) => Ok(block_on(self.system.tenant(workspace, id))?),
            Err(_) => one("tenant", text, block_on(self.system.tenants(workspace))?),
        }
    }

    /// The profile of a name or id.
    ///
    /// # Errors
    /// Says that there is none, or lists the ids of several.
    pub(crate) fn profile(&self, workspace: WorkspaceId, text: &str) -> anyhow::Result<Profile> {
        match text.parse::<ProfileId>() {
            Ok(id) => Ok(block_on(self.system.profile(workspace, id))?),
            Err(_) => one("profile", text, block_on(self.system.profiles(workspace))?),
        }
    }

    /// The tenants of the workspace, or the one that was named.
    ///
    /// # Errors
    /// As [`Data::tenant`].
    pub(crate) fn tenants(
        &self,
        workspace: WorkspaceId,
        named: Option<&str>,
    ) -> anyhow::Result<Vec<Tenant>> {
        match named {
            Some(text) => Ok(vec![self.tenant(workspace, text)?]),
            None => Ok(block_on(self.system.tenants(workspace))?),
        }
    }

    /// The snapshot of an id, whatever profile it belongs to.
    ///
    /// # Errors
    /// Says that there is none.
    pub(crate) fn snapshot(&self, workspace: WorkspaceId, text: &str) -> anyhow::Result<Snapshot> {
        let id: SnapshotId = text.parse()?;
        for profile in block_on(self.system.profiles(workspace))? {
            let snapshots = block_on(self.system.snapshots(workspace, profile.id))?;
            if let Some(found) = snapshots.into_iter().find(|one| one.id == id) {
                return Ok(found);
            }
        }
        bail!("there is no snapshot `{text}`; `plumbline profile snapshots PROFILE` lists them");
    }

    /// The run of an id, whatever tenant it belongs to.
    ///
    /// # Errors
    /// Says that there is none.
    pub(crate) fn run(&self, workspace: WorkspaceId, text: &str) -> anyhow::Result<Run> {
        let id: RunId = text.parse()?;
        for tenant in block_on(self.system.tenants(workspace))? {
            match block_on(self.system.run(workspace, tenant.id, id)) {
                Ok(run) => return Ok(run),
                Err(plumbline_operations::OperationError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        bail!("there is no run `{text}`; `plumbline runs` lists them");
    }

    /// The findings of ids, or of the first letters of ids.
    ///
    /// # Errors
    /// Names the first id that is none, or that several findings have.
    pub(crate) fn findings_of(
        &self,
        workspace: WorkspaceId,
        ids: &[String],
    ) -> anyhow::Result<Vec<SeenFinding>> {
        let mut all = Vec::new();
        for tenant in block_on(self.system.tenants(workspace))? {
            all.extend(block_on(self.system.findings(workspace, tenant.id))?);
        }
        ids.iter().map(|id| finding(id, &all)).collect()
    }
}

fn finding(text: &str, all: &[SeenFinding]) -> anyhow::Result<SeenFinding> {
    let text = text.trim();
    if !text.starts_with("fnd_") {
        bail!(
            "`{text}` is no id of a finding; `plumbline findings` shows them, such as fnd_0190a5c2f0b0"
        );
    }
    let found: Vec<&SeenFinding> =
        all.iter().filter(|one| one.finding.id.to_string().starts_with(text)).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => bail!("there is no finding `{text}`; `plumbline findings` lists them"),
        several => bail!(
            "several findings begin with `{text}`; give more of the id: {}",
            several
                .iter()
                .take(5)
                .map(|one| one.finding.id.to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}
