//! What happens in the story, one step a function: an import, a person's decision, a night.

use super::SAMPLES;
use super::clock::StoryClock;
use crate::commands::work::until_ended;
use crate::data::Data;
use anyhow::{Context as _, bail};
use futures::executor::block_on;
use jiff::Timestamp;
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::ids::{FindingId, ProfileId, TenantId, WorkspaceId};
use plumbline_governance::profile::ProfileStatus;
use plumbline_governance::run::{Run, RunType};
use plumbline_governance::schedule::Schedule;
use plumbline_operations::{
    Actor, CoverageClaim, Handled, ImportOptions, NamedBytes, NewProfile, Ticked, WorkspaceEdit,
};
use plumbline_policy::tenant::TenantFacts;
use plumbline_ports::{Clock, QueueName};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The files of one tenant, as an export would write them.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// The files of a sample.
pub(super) fn sample(name: &str) -> anyhow::Result<Files> {
    let folder = SAMPLES.get_dir(name).with_context(|| format!("the samples hold no {name}"))?;
    let mut out = Files::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder.files() {
            let path = file.path().strip_prefix(name).unwrap_or(file.path());
            let parts: Vec<_> =
                path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            out.insert(parts.join("/"), file.contents().to_vec());
        }
    }
    Ok(out)
}

fn facts(file: &str) -> anyhow::Result<TenantFacts> {
    let file = SAMPLES.get_file(file).with_context(|| format!("the samples hold no {file}"))?;
    Ok(serde_json::from_slice(file.contents())?)
}

/// Changes one text of one file.
pub(super) fn edit(files: &mut Files, file: &str, from: &str, to: &str) -> anyhow::Result<()> {
    let bytes = files.get_mut(file).with_context(|| format!("the samples hold no {file}"))?;
    let text = std::str::from_utf8(bytes)?;
    if !text.contains(from) {
        bail!("{file} of the samples does not say {from}");
    }
    *bytes = text.replace(from, to).into_bytes();
    Ok(())
}

/// A workspace whose clock is the story's.
pub(super) struct Story {
    data: Data,
    clock: Arc<StoryClock>,
    workspace: WorkspaceId,
    /// The tenant that is held to the baseline.
    pub tenant: TenantId,
    /// How many policies the baseline holds.
    pub items: u64,
}

impl Story {
    /// Everything up to the first night: both tenants, the baseline, the assignment, the schedule.
    pub(super) fn begin(folder: &Path, now: Timestamp) -> anyhow::Result<Self> {
        let clock = Arc::new(StoryClock::at(now));
        let mut data = Data::open_with(folder, Arc::clone(&clock) as Arc<dyn Clock>, None)?;
        data.actor = Actor::new("eve");
        let (system, actor) = (&data.system, &data.actor);
        let workspace = block_on(system.create_workspace(&data.person(), actor, "Demo"))?.id;
        let schedule = Schedule::parse("02:00", "UTC")?;
        block_on(system.edit_workspace(
            workspace,
            actor,
            WorkspaceEdit { schedule: Some(Some(schedule)), ..WorkspaceEdit::default() },
            None,
        ))?;
        let add = |name: &str, file: &str| -> anyhow::Result<TenantId> {
            Ok(block_on(system.add_tenant(workspace, actor, name, facts(file)?))?.id)
        };
        let golden = add("Alder & Finch", "golden-tenant.json")?;
        let tenant = add("Brightwater", "tenant-tenant.json")?;
        let new = NewProfile { name: "Workplace".to_owned(), ..NewProfile::default() };
        let profile: ProfileId = block_on(system.create_profile(workspace, actor, new))?.id;
        let mut story = Self { data, clock, workspace, tenant, items: 0 };
        story.import(golden, &sample("golden")?)?;
        let (system, actor) = (&story.data.system, &story.data.actor);
        let started = block_on(system.start_capture(workspace, actor, profile, golden))?;
        let captured = until_ended(&story.data, vec![started.run], "capturing")?;
        story.items = captured
            .first()
            .and_then(|run| run.context.baseline_capture.as_ref())
            .map(|result| result.items)
            .context("the sample cannot be captured")?;
        block_on(system.set_profile_status(
            workspace,
            actor,
            profile,
            ProfileStatus::Active,
            None,
        ))?;
        block_on(system.assign(workspace, actor, tenant, profile, None, None))?;
        Ok(story)
    }

    /// The data directory of the story.
    pub(super) fn data(&self) -> &Data {
        &self.data
    }

    /// The workspace of the story.
    pub(super) fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    /// Moves the story on.
    pub(super) fn set(&self, now: Timestamp) {
        self.clock.set(now);
    }

    /// Imports files as the whole of a tenant.
    pub(super) fn import(&self, tenant: TenantId, files: &Files) -> anyhow::Result<()> {
        let options =
            ImportOptions { coverage: CoverageClaim::Complete, ..ImportOptions::default() };
        let mut documents = files
            .iter()
            .map(|(name, bytes)| -> Result<NamedBytes, _> { Ok((name.clone(), bytes.clone())) });
        let (system, actor) = (&self.data.system, &self.data.actor);
        let imported =
            block_on(system.import(self.workspace, actor, tenant, &options, &mut documents))?;
        crate::commands::work::check(&imported.run, "the sample")
    }

    /// The finding of a policy.
    pub(super) fn finding(&self, policy: &str) -> anyhow::Result<FindingId> {
        block_on(self.data.system.findings(self.workspace, self.tenant))?
            .into_iter()
            .find(|one| one.finding.drift.display_name == policy)
            .map(|one| one.finding.id)
            .with_context(|| format!("`{policy}` of the samples has no finding"))
    }

    /// Does what a person decides.
    pub(super) fn act(&self, policy: &str, action: &FindingAction) -> anyhow::Result<()> {
        let id = self.finding(policy)?;
        let (system, actor) = (&self.data.system, &self.data.actor);
        block_on(system.act(self.workspace, actor, self.tenant, id, action, None))?;
        Ok(())
    }

    /// Lets a night pass: what is due starts and is done.
    pub(super) fn night(&self) -> anyhow::Result<(Ticked, Run)> {
        let ticked = block_on(self.data.system.tick())?;
        let mut last = None;
        loop {
            let handled = block_on(self.data.system.work(QueueName::Compare, 10))?;
            if handled.is_empty() {
                break;
            }
            for one in handled {
                if let Handled::Ended(run) = one
                    && run.run_type == RunType::BaselineCompare
                {
                    last = Some(*run);
                }
            }
        }
        Ok((ticked, last.context("no compare ran in the night")?))
    }
}
