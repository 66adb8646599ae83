//! `plumbline nights` and `audit`: what went on in the workspace.

use super::day::beginning;
use super::findings::tenant_names;
use super::show::{moment, show, visible};
use crate::cli::data::{DataArgs, Show};
use crate::cli::work::AuditArgs;
use crate::client::Client;
use crate::listing::{label, table};
use crate::render::Style;
use anyhow::bail;
use jiff::{SignedDuration, Timestamp};
use plumbline_governance::badge::Domain;
use plumbline_operations::{AuditEntry, NightRecord, NightStatus};
use plumbline_ports::Clock as _;
use plumbline_store_local::SystemClock;

pub(super) fn nights(args: &DataArgs, form: Show) -> anyhow::Result<u8> {
    let nights: Vec<NightRecord> = Client::open(args)?.list("/nights", &[])?;
    show(form, &nights, |style| night_table(&nights, style))
}

/// Lays nights out as a table.
pub(super) fn night_table(nights: &[NightRecord], style: Style) -> String {
    let rows = nights
        .iter()
        .map(|one| {
            let word = match one.status {
                NightStatus::Started => "started",
                NightStatus::Missed => "missed",
            };
            vec![
                one.date.to_string(),
                label(Domain::NightStatus, word),
                one.tenants.to_string(),
                moment(one.due),
            ]
        })
        .collect();
    table(&["night", "status", "tenants", "due (UTC)"], rows, style)
}

pub(super) fn audit(args: &DataArgs, wanted: &AuditArgs) -> anyhow::Result<u8> {
    let since = wanted.since.as_deref().map(beginning).transpose()?;
    let now = SystemClock.now();
    let month = SignedDuration::from_hours(24 * 30);
    let since = since.unwrap_or_else(|| now.checked_sub(month).unwrap_or(Timestamp::MIN));
    if since > now {
        bail!("--since lies in the future; it is {} UTC", moment(now));
    }
    let client = Client::open(args)?;
    let mut entries: Vec<AuditEntry> = client.list("/audit", &[("since", &since.to_string())])?;
    // What happened is told from its beginning.
    entries.reverse();
    let tenants = tenant_names(&client)?;
    show(wanted.show, &entries, |style| {
        let rows = entries
            .iter()
            .map(|one| {
                let tenant = one.tenant.and_then(|id| tenants.get(&id));
                vec![
                    moment(one.at),
                    visible(&one.actor),
                    one.action.clone(),
                    tenant.map(|name| visible(name)).unwrap_or_default(),
                    visible(&one.target),
                    one.reason.as_deref().map(visible).unwrap_or_default(),
                ]
            })
            .collect();
        table(&["when (UTC)", "who", "what", "tenant", "to what", "why"], rows, style)
    })
}
