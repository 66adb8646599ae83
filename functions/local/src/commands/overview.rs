//! `plumbline nights`, `posture` and `audit`: how the workspace stands, and how it came to that.

use super::compare_tenant::open_words;
use super::day::beginning;
use super::findings::tenant_names;
use super::show::{moment, show, visible};
use crate::cli::data::{DataArgs, Show};
use crate::cli::work::{AuditArgs, PostureArgs};
use crate::client::Client;
use crate::listing::{label, table};
use crate::render::Style;
use anyhow::bail;
use jiff::{SignedDuration, Timestamp};
use plumbline_governance::badge::Domain;
use plumbline_governance::ids::TenantId;
use plumbline_operations::{AuditEntry, NightRecord, NightStatus, Posture, Tenant};
use serde_json::json;
use std::collections::BTreeMap;

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

pub(super) fn posture(args: &DataArgs, wanted: &PostureArgs) -> anyhow::Result<u8> {
    let client = Client::open(args)?;
    let tenants = client.tenants(wanted.tenant.as_deref())?;
    let postures: Vec<Posture> = match tenants.as_slice() {
        [one] if wanted.tenant.is_some() => {
            client.find(&format!("/tenants/{}/posture", one.id))?.into_iter().collect()
        }
        _ => client.list("/posture/tenants", &[])?,
    };
    let mut postures: BTreeMap<TenantId, Posture> =
        postures.into_iter().map(|one| (one.tenant, one)).collect();
    let all: Vec<(Tenant, Option<Posture>)> =
        tenants.into_iter().map(|one| (one.clone(), postures.remove(&one.id))).collect();
    let value: Vec<_> = all
        .iter()
        .map(|(tenant, posture)| {
            json!({ "tenant": tenant.id, "name": tenant.name, "posture": posture })
        })
        .collect();
    show(wanted.show, &value, |style| posture_table(&all, style))
}

/// Lays tenants out with how they stand.
pub(super) fn posture_table(all: &[(Tenant, Option<Posture>)], style: Style) -> String {
    let rows = all
        .iter()
        .map(|(tenant, posture)| {
            let of = |status: &str| {
                posture
                    .as_ref()
                    .and_then(|one| one.by_status.get(status).copied())
                    .unwrap_or_default()
                    .to_string()
            };
            let trust = posture.as_ref().and_then(|one| one.trust.as_deref());
            vec![
                visible(&tenant.name),
                label(Domain::TenantStatus, tenant.status.as_str()),
                trust.map_or_else(
                    || "never compared".to_owned(),
                    |trust| label(Domain::CompareTrust, trust),
                ),
                open_words(posture.as_ref()),
                of("accepted"),
                of("resolved"),
                of("closed"),
                posture.as_ref().map(|one| moment(one.updated_at)).unwrap_or_default(),
            ]
        })
        .collect();
    let head =
        ["tenant", "status", "trust", "open", "accepted", "resolved", "closed", "as of (UTC)"];
    table(&head, rows, style)
}

pub(super) fn audit(args: &DataArgs, wanted: &AuditArgs) -> anyhow::Result<u8> {
    let since = wanted.since.as_deref().map(beginning).transpose()?;
    let now = Timestamp::now();
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
