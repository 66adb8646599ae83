//! `plumbline replay` and `plumbline renormalise`: stored captures under other rules.

use super::compare::read_scope;
use super::show::{count, show, visible};
use crate::cli::data::{DataArgs, Show};
use crate::cli::work::ReplayArgs;
use crate::client::one;
use crate::data::Data;
use crate::listing::{label, table};
use crate::render::Style;
use futures::executor::block_on;
use plumbline_governance::badge::Domain;
use plumbline_governance::severity::Severity;
use plumbline_operations::{ReplayOptions, Replayed};
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) fn replay(args: &DataArgs, wanted: &ReplayArgs) -> anyhow::Result<u8> {
    let scope = wanted.scope.as_deref().map(read_scope).transpose()?;
    let data = Data::open(args)?;
    let workspace = data.workspace()?.id;
    let tenants = block_on(data.system.tenants(workspace))?;
    let profiles = block_on(data.system.profiles(workspace))?;
    let names: BTreeMap<String, String> = tenants
        .iter()
        .map(|one| (one.id.to_string(), one.name.clone()))
        .chain(profiles.iter().map(|one| (one.id.to_string(), one.name.clone())))
        .collect();
    let tenant = wanted.tenant.as_deref().map(|name| one("tenant", name, tenants)).transpose()?;
    let profile =
        wanted.profile.as_deref().map(|name| one("profile", name, profiles)).transpose()?;
    let options = ReplayOptions {
        tenant: tenant.map(|one| one.id),
        profile: profile.map(|one| one.id),
        severities: (!wanted.severity.is_empty())
            .then(|| wanted.severity.iter().cloned().collect()),
        facets: wanted
            .facets
            .as_ref()
            .map(|facets| facets.iter().map(|facet| (*facet).into()).collect()),
        scope,
    };
    let replayed = block_on(data.system.replay(workspace, &options))?;
    show(wanted.show, &replayed, |style| told(&replayed, &names, style))
}

fn told(replayed: &Replayed, names: &BTreeMap<String, String>, style: Style) -> String {
    let mut out = String::new();
    if !replayed.findings.is_empty() {
        let severity = |one: Severity| label(Domain::FindingSeverity, one.as_str());
        let rows = replayed
            .findings
            .iter()
            .map(|one| {
                vec![
                    visible(&one.tenant_name),
                    match one.event {
                        "appeared" => "would appear",
                        "changed" => "would change",
                        "reopened" => "would reopen",
                        "resolved" => "would be resolved",
                        other => other,
                    }
                    .to_owned(),
                    match one.severity_before.filter(|before| *before != one.severity_after) {
                        Some(before) => {
                            format!("{} → {}", severity(before), severity(one.severity_after))
                        }
                        None => severity(one.severity_after),
                    },
                    format!("{}\n{}", visible(&one.display_name), one.policy_type),
                    one.severity_rule.clone(),
                ]
            })
            .collect();
        out.push_str(&table(&["tenant", "finding", "severity", "policy", "rule"], rows, style));
        out.push('\n');
    }
    for (tenant, reason) in &replayed.left_out {
        let id = tenant.to_string();
        let name = names.get(&id).unwrap_or(&id);
        let _ = writeln!(out, "Left out: {}: {}", visible(name), visible(reason));
    }
    let _ = writeln!(
        out,
        "{} tried: {}; nothing was changed",
        count(replayed.tenants, "tenant", "tenants"),
        match replayed.findings.len() {
            0 => "no finding would change".to_owned(),
            number => count(number as u64, "finding would change", "findings would change"),
        }
    );
    out
}

pub(super) fn renormalise(args: &DataArgs, form: Show) -> anyhow::Result<u8> {
    let data = Data::open(args)?;
    let done = block_on(data.system.renormalise(data.workspace()?.id, &data.actor))?;
    show(form, &done, |_| {
        format!(
            "Taken over: {}, {}; {}\n",
            count(done.snapshots, "snapshot", "snapshots"),
            count(done.tenants, "tenant", "tenants"),
            count(
                done.repinned,
                "acceptance or closing pinned again",
                "acceptances and closings pinned again"
            )
        )
    })
}
