//! `plumbline posture`: how the workspace and its tenants stand, what many tenants share, and how it was.

use super::compare_tenant::{open_words, severity_words};
use super::show::{facts, moment, show, visible};
use super::tenant::profile_names;
use crate::cli::data::{DataArgs, Show};
use crate::cli::work::PostureArgs;
use crate::client::{Client, Refusal};
use crate::listing::{label, table};
use crate::render::Style;
use anyhow::Context as _;
use axum::http::StatusCode;
use plumbline_api::view::Trend;
use plumbline_governance::badge::Domain;
use plumbline_governance::ids::TenantId;
use plumbline_operations::{DriftGroup, DriftGroups, Overview, Posture, Tenant};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) fn run(args: &DataArgs, wanted: &PostureArgs) -> anyhow::Result<u8> {
    let client = Client::open(args)?;
    if let Some(name) = &wanted.tenant {
        let tenant = client.tenant(name)?;
        let posture = client.find(&format!("/tenants/{}/posture", tenant.id))?;
        let one = [(tenant, posture)];
        return show(wanted.show, &values(&one), |style| posture_table(&one, style));
    }
    client.refresh_sums()?;
    if wanted.groups {
        return groups(&client, wanted.show);
    }
    if let Some(days) = wanted.trend {
        return trend(&client, days, wanted.show);
    }
    let overview = sums(&client)?;
    let postures: Vec<Posture> = client.list("/posture/tenants", &[])?;
    let mut postures: BTreeMap<TenantId, Posture> =
        postures.into_iter().map(|one| (one.tenant, one)).collect();
    let all: Vec<(Tenant, Option<Posture>)> = client
        .tenants(None)?
        .into_iter()
        .map(|one| {
            let posture = postures.remove(&one.id);
            (one, posture)
        })
        .collect();
    let value = json!({ "workspace": overview, "tenants": values(&all) });
    show(wanted.show, &value, |style| {
        let sums = overview.as_ref().map(|sums| told(&client.workspace.name, sums) + "\n");
        sums.unwrap_or_default() + &posture_table(&all, style)
    })
}

/// The sums of the workspace, if they were made and are for whoever asks.
fn sums(client: &Client) -> anyhow::Result<Option<Overview>> {
    match client.find("/posture") {
        Err(error)
            if Refusal::in_error(&error)
                .is_some_and(|problem| problem.status == StatusCode::FORBIDDEN) =>
        {
            Ok(None)
        }
        found => found,
    }
}

fn values(all: &[(Tenant, Option<Posture>)]) -> Vec<Value> {
    all.iter()
        .map(|(tenant, posture)| {
            json!({ "tenant": tenant.id, "name": tenant.name, "posture": posture })
        })
        .collect()
}

/// Says how the whole workspace stands.
fn told(name: &str, overview: &Overview) -> String {
    let sums = &overview.totals;
    let list = |counts: &BTreeMap<String, u64>, word: &dyn Fn(&str) -> String| {
        let parts: Vec<String> = counts
            .iter()
            .filter(|(_, number)| **number > 0)
            .map(|(key, number)| format!("{number} {}", word(key).to_lowercase()))
            .collect();
        if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
    };
    let trust = |key: &str| match key {
        "never_compared" => "never compared".to_owned(),
        known => label(Domain::CompareTrust, known),
    };
    let mut rows = vec![
        ("workspace", visible(name)),
        ("as of", format!("{} UTC", moment(overview.as_of))),
        ("tenants", format!("{}, {} of them held to no profile", sums.tenants, sums.unassigned)),
        ("compared", list(&sums.by_trust, &trust)),
        ("open", severity_words(&sums.open_by_severity)),
        ("findings", list(&sums.by_status, &|key| label(Domain::FindingStatus, key))),
    ];
    if overview.unreadable > 0 {
        rows.push(("unreadable", format!("{} rows; run plumbline verify", overview.unreadable)));
    }
    facts(&rows)
}

fn groups(client: &Client, form: Show) -> anyhow::Result<u8> {
    let groups: DriftGroups = client.find("/posture/groups")?.context(
        "the groups of drift are not made yet; that is done within minutes of the first compare",
    )?;
    let profiles = profile_names(client)?;
    show(form, &groups, |style| {
        if groups.groups.is_empty() {
            return "No drift is open\n".to_owned();
        }
        let change = |one: &DriftGroup| label(Domain::FindingChangeType, one.change_type.as_str());
        let rows = groups
            .groups
            .iter()
            .map(|one| {
                let profile = one.profile.to_string();
                vec![
                    one.tenants.to_string(),
                    label(Domain::FindingSeverity, one.severity.as_str()),
                    one.notice.map_or_else(
                        || change(one),
                        |notice| {
                            let notice = label(Domain::DriftGroupNotice, notice.as_str());
                            format!("{}\n{notice}", change(one))
                        },
                    ),
                    format!("{}\n{}", visible(&one.display_name), one.policy_type),
                    visible(profiles.get(&profile).unwrap_or(&profile)),
                ]
            })
            .collect();
        let more = if groups.truncated { "… smaller groups are left out\n" } else { "" };
        table(&["tenants", "severity", "drift", "policy", "profile"], rows, style)
            + more
            + &notices(&groups)
    })
}

/// Says once what each kind of notice in the table means.
fn notices(groups: &DriftGroups) -> String {
    let explained: BTreeMap<&str, &str> = groups
        .groups
        .iter()
        .filter_map(|one| one.notice)
        .map(|notice| (notice.as_str(), notice.explain()))
        .collect();
    let mut out = String::new();
    for (word, meaning) in explained {
        let _ = writeln!(out, "{}: {meaning}", label(Domain::DriftGroupNotice, word));
    }
    out
}

fn trend(client: &Client, days: u16, form: Show) -> anyhow::Result<u8> {
    let trend: Trend = client.get(&format!("/posture/trend?days={days}"))?;
    show(form, &trend, |style| {
        let rows = trend
            .points
            .iter()
            .map(|point| {
                let sums = &point.totals;
                let of = |counts: &BTreeMap<String, u64>, key: &str| {
                    counts.get(key).copied().unwrap_or_default().to_string()
                };
                vec![
                    point.date.to_string(),
                    sums.tenants.to_string(),
                    of(&sums.by_trust, "full"),
                    severity_words(&sums.open_by_severity),
                    of(&sums.by_status, "accepted"),
                    of(&sums.by_status, "resolved"),
                    of(&sums.by_status, "closed"),
                ]
            })
            .collect();
        let head = ["day", "tenants", "fully proven", "open", "accepted", "resolved", "closed"];
        table(&head, rows, style)
    })
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
