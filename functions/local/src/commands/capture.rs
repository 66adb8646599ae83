//! `plumbline capture`: a tenant's state becomes a snapshot of a profile.

use super::EXIT_EQUAL;
use super::show::{count, show, visible};
use super::work::check;
use crate::cli::data::{DataArgs, ShowFormat};
use crate::cli::work::CaptureArgs;
use crate::client::Client;
use plumbline_api::view::StartedRun;
use plumbline_governance::profile::{Profile, ProfileStatus};
use plumbline_governance::run::Run;
use plumbline_operations::Tenant;
use serde_json::json;

pub(super) fn run(args: &DataArgs, capture: &CaptureArgs) -> anyhow::Result<u8> {
    let client = Client::open(args)?;
    let profile = client.profile(&capture.profile)?;
    let tenant = client.tenant(&capture.tenant)?;
    let path = format!("/profiles/{}/capture", profile.id);
    let started: StartedRun = client.post(&path, &json!({ "tenant": tenant.id }))?;
    let mut ended = client.until_ended(vec![started.run], "capturing")?;
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
