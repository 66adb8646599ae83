//! `plumbline capture`: a tenant's state becomes a snapshot of a profile.

use super::EXIT_EQUAL;
use super::show::{count, show, visible};
use super::work::{check, until_ended};
use crate::cli::data::{DataArgs, ShowFormat};
use crate::cli::work::CaptureArgs;
use crate::data::Data;
use futures::executor::block_on;
use plumbline_governance::profile::{Profile, ProfileStatus};
use plumbline_governance::run::Run;
use plumbline_operations::Tenant;
use plumbline_ports::QueueName;

pub(super) fn run(args: &DataArgs, capture: &CaptureArgs) -> anyhow::Result<u8> {
    let data = Data::open(args)?;
    let workspace = data.workspace()?.id;
    let profile = data.profile(workspace, &capture.profile)?;
    let tenant = data.tenant(workspace, &capture.tenant)?;
    let started =
        block_on(data.system.start_capture(workspace, &data.actor, profile.id, tenant.id))?;
    let mut ended = until_ended(&data, QueueName::Capture, vec![started.run], "capturing")?;
    if let Some(run) = ended.pop() {
        if run.failure().is_none() || capture.show.format == ShowFormat::Json {
            show(capture.show, &run, |_| told(&run, &profile, &tenant))?;
        }
        check(&run, &tenant.name)?;
    }
    Ok(EXIT_EQUAL)
}

fn told(run: &Run, profile: &Profile, tenant: &Tenant) -> String {
    let items = run.context.baseline_capture.as_ref().map_or(0, |result| result.items);
    let known = run.context.baseline_capture.as_ref().is_some_and(|one| one.confirmed_existing);
    let snapshot = run.context.baseline_snapshot_id.map(|id| id.to_string()).unwrap_or_default();
    let name = visible(&profile.name);
    let next = match profile.status {
        ProfileStatus::Draft => format!("plumbline profile activate \"{name}\""),
        _ => "plumbline compare --all".to_owned(),
    };
    format!(
        "Captured {name} from {}: {}{}\n{snapshot}\nNext: {next}\n",
        visible(&tenant.name),
        count(items, "policy", "policies"),
        if known { "; the profile held an equal snapshot already, which is confirmed" } else { "" },
    )
}
