//! Names wherever an id may stand. Names are compared folded, as everywhere.

use super::Client;
use anyhow::{Context as _, bail};
use plumbline_api::view::FindingView;
use plumbline_governance::finding::record::Finding;
use plumbline_governance::ids::{FindingId, ProfileId, RunId, SnapshotId, TenantId};
use plumbline_governance::profile::{Profile, ProfileStatus};
use plumbline_governance::run::Run;
use plumbline_operations::{Snapshot, Tenant, TenantStatus, Workspace};
use plumbline_policy::name::fold;
use serde::de::DeserializeOwned;
use std::str::FromStr;

/// Something with a name and an id.
pub(crate) trait Named {
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

/// Finds the one of that name or id. One in use goes before those that were put away.
pub(crate) fn one<T: Named>(what: &str, name: &str, mut all: Vec<T>) -> anyhow::Result<T> {
    if let Some(at) = all.iter().position(|one| one.id() == name) {
        return Ok(all.swap_remove(at));
    }
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

/// Says that one of several workspaces is to be named.
pub(crate) fn several(all: &[Workspace]) -> String {
    let list = all.iter().map(|one| format!("`{}` ({})", one.name(), one.id()));
    format!(
        "there are several workspaces; name one with --workspace: {}",
        list.collect::<Vec<_>>().join(", ")
    )
}

impl Client {
    /// The tenant of a name or id.
    ///
    /// # Errors
    /// Says that there is none, or lists the ids of several.
    pub(crate) fn tenant(&self, text: &str) -> anyhow::Result<Tenant> {
        self.of_name::<Tenant, TenantId>("tenant", text)
    }

    /// The profile of a name or id.
    ///
    /// # Errors
    /// Says that there is none, or lists the ids of several.
    pub(crate) fn profile(&self, text: &str) -> anyhow::Result<Profile> {
        self.of_name::<Profile, ProfileId>("profile", text)
    }

    fn of_name<T: Named + DeserializeOwned, I: FromStr>(
        &self,
        what: &str,
        text: &str,
    ) -> anyhow::Result<T> {
        let list = format!("/{what}s");
        if text.parse::<I>().is_ok() {
            return self
                .find(&format!("{list}/{text}"))?
                .with_context(|| format!("there is no {what} `{text}`"));
        }
        match self.list(&list, &[("name", text)])?.pop() {
            Some(only) => Ok(only),
            // What was put away has given its name up, and is found by it all the same.
            None => one(what, text, self.list(&list, &[])?),
        }
    }

    /// The tenants of the workspace, or the one that was named.
    ///
    /// # Errors
    /// As [`Client::tenant`].
    pub(crate) fn tenants(&self, named: Option<&str>) -> anyhow::Result<Vec<Tenant>> {
        match named {
            Some(text) => Ok(vec![self.tenant(text)?]),
            None => self.list("/tenants", &[]),
        }
    }

    /// The snapshot of an id, whatever profile it belongs to.
    ///
    /// # Errors
    /// Says that there is none.
    pub(crate) fn snapshot(&self, text: &str) -> anyhow::Result<Snapshot> {
        let id: SnapshotId = text.parse()?;
        for profile in self.list::<Profile>("/profiles", &[])? {
            let path = format!("/profiles/{}/snapshots/{id}", profile.id);
            if let Some(found) = self.find(&path)? {
                return Ok(found);
            }
        }
        bail!("there is no snapshot `{text}`; `plumbline profile snapshots PROFILE` lists them");
    }

    /// The run of an id, whatever tenant it belongs to, with the tenant.
    ///
    /// # Errors
    /// Says that there is none.
    pub(crate) fn run(&self, text: &str) -> anyhow::Result<(Run, Tenant)> {
        let id: RunId = text.parse()?;
        for tenant in self.tenants(None)? {
            if let Some(run) = self.find(&format!("/tenants/{}/runs/{id}", tenant.id))? {
                return Ok((run, tenant));
            }
        }
        bail!("there is no run `{text}`; `plumbline runs` lists them");
    }

    /// The findings of ids, or of the first letters of ids.
    ///
    /// # Errors
    /// Names the first id that is none, or that several findings have.
    pub(crate) fn findings_of(&self, ids: &[String]) -> anyhow::Result<Vec<Finding>> {
        let all = self.findings(&[])?;
        ids.iter().map(|id| finding(id, &all)).collect()
    }

    /// The findings that a filter chooses, the most urgent first, with their counts up to date.
    ///
    /// # Errors
    /// The API's.
    pub(crate) fn findings(&self, filter: &[(&str, &str)]) -> anyhow::Result<Vec<Finding>> {
        let found: Vec<FindingView> = self.list("/findings", filter)?;
        Ok(found.into_iter().map(counted).collect())
    }
}

/// The finding of a view, with the counts that the view has.
pub(crate) fn counted(view: FindingView) -> Finding {
    let mut finding = view.finding;
    finding.seen.times = view.times_seen;
    finding.seen.last_at = view.last_seen_at;
    finding
}

fn finding(text: &str, all: &[Finding]) -> anyhow::Result<Finding> {
    let text = text.trim();
    if !text.starts_with("fnd_") {
        bail!(
            "`{text}` is no id of a finding; `plumbline findings` shows them, such as fnd_0190a5c2f0b0"
        );
    }
    let found: Vec<&Finding> =
        all.iter().filter(|one| one.id.to_string().starts_with(text)).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => bail!("there is no finding `{text}`; `plumbline findings` lists them"),
        several => bail!(
            "several findings begin with `{text}`; give more of the id: {}",
            several.iter().take(5).map(|one| one.id.to_string()).collect::<Vec<_>>().join(", ")
        ),
    }
}
