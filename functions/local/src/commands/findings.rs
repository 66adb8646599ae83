//! `plumbline findings`: what drifted, the most urgent first.

use super::show::{moment, show, visible};
use super::tenant::profile_names;
use crate::cli::data::DataArgs;
use crate::cli::work::{FindingFilter, FindingsArgs};
use crate::data::{Data, short};
use crate::listing::{label, table};
use crate::render::Style;
use futures::executor::block_on;
use plumbline_governance::badge::Domain;
use plumbline_governance::finding::record::Finding;
use plumbline_governance::ids::{ProfileId, WorkspaceId};
use plumbline_governance::severity::Severity;
use plumbline_operations::{SeenFinding, Tenant};
use plumbline_policy::catalog::catalog;
use serde_json::Value;

/// A finding with the name of its tenant.
pub(super) struct Listed {
    /// The tenant's name.
    pub tenant: String,
    /// The finding.
    pub seen: SeenFinding,
}

impl Listed {
    /// The finding's own form, with its counts up to date.
    pub(super) fn json(&self) -> Value {
        json(&self.seen)
    }
}

/// The finding's own form, with its counts up to date.
pub(super) fn json(seen: &SeenFinding) -> Value {
    let mut finding = seen.finding.clone();
    finding.seen = seen.seen;
    serde_json::to_value(&finding).unwrap_or_default()
}

pub(super) fn run(args: &DataArgs, findings: &FindingsArgs) -> anyhow::Result<u8> {
    check(&findings.filter)?;
    let data = Data::open(args)?;
    let workspace = data.workspace()?.id;
    let found = select(&data, workspace, &findings.filter)?;
    let value: Vec<Value> = found.iter().map(Listed::json).collect();
    show(findings.show, &value, |style| {
        if found.is_empty() {
            return "No finding. `plumbline posture` shows what was compared, and how much was proven.\n"
                .to_owned();
        }
        listing(&found, findings.filter.tenant.is_none(), style)
    })
}

/// Refuses a type that there is not, before anything is read.
pub(super) fn check(filter: &FindingFilter) -> anyhow::Result<()> {
    for key in &filter.types {
        if catalog().get(key).is_err() {
            anyhow::bail!("`{key}` is not a policy type; `plumbline policy-types` lists them");
        }
    }
    Ok(())
}

/// All findings of a tenant.
pub(super) fn of(data: &Data, tenant: &Tenant) -> anyhow::Result<Vec<Listed>> {
    let all = block_on(data.system.findings(tenant.workspace, tenant.id))?;
    Ok(all.into_iter().map(|seen| Listed { tenant: tenant.name.clone(), seen }).collect())
}

/// The findings that a filter chooses, the most urgent of all tenants first.
pub(super) fn select(
    data: &Data,
    workspace: WorkspaceId,
    filter: &FindingFilter,
) -> anyhow::Result<Vec<Listed>> {
    let profile = match &filter.profile {
        Some(name) => Some(data.profile(workspace, name)?.id),
        None => None,
    };
    let mut out = Vec::new();
    for tenant in data.tenants(workspace, filter.tenant.as_deref())? {
        out.extend(
            of(data, &tenant)?.into_iter().filter(|one| holds(filter, profile, &one.seen.finding)),
        );
    }
    // Each tenant's own are in order; the sort keeps that among equals.
    out.sort_by_key(|one| {
        let finding = &one.seen.finding;
        (!finding.state.is_open(), std::cmp::Reverse(finding.drift.severity))
    });
    Ok(out)
}

fn holds(filter: &FindingFilter, profile: Option<ProfileId>, finding: &Finding) -> bool {
    let any = |empty: bool, found: bool| empty || found;
    profile.is_none_or(|id| finding.profile == id)
        && any(
            filter.status.is_empty(),
            filter.status.iter().any(|status| status.holds(finding.state.as_str())),
        )
        && any(
            filter.severity.is_empty(),
            filter.severity.iter().any(|one| Severity::from(*one) == finding.drift.severity),
        )
        && any(filter.types.is_empty(), filter.types.contains(&finding.drift.policy_type))
        && any(
            filter.change_type.is_empty(),
            filter.change_type.iter().any(|one| finding.drift.change_type == (*one).into()),
        )
}

/// Lays findings out as a table.
pub(super) fn listing(all: &[Listed], with_tenant: bool, style: Style) -> String {
    let mut head = vec!["id", "severity", "status", "drift", "policy", "seen", "last (UTC)"];
    if with_tenant {
        head.insert(4, "tenant");
    }
    let rows = all
        .iter()
        .map(|one| {
            let finding = &one.seen.finding;
            let drift = &finding.drift;
            let mut row = vec![
                short(finding.id),
                label(Domain::FindingSeverity, drift.severity.as_str()),
                label(Domain::FindingStatus, finding.state.as_str()),
                label(Domain::FindingChangeType, drift.change_type.as_str()),
                format!("{}\n{}", visible(&drift.display_name), drift.policy_type),
                one.seen.seen.times.to_string(),
                moment(one.seen.seen.last_at),
            ];
            if with_tenant {
                row.insert(4, visible(&one.tenant));
            }
            row
        })
        .collect();
    table(&head, rows, style)
}

/// The name of a profile, or its id if it is gone.
pub(super) fn profile_name(
    data: &Data,
    workspace: WorkspaceId,
    id: ProfileId,
) -> anyhow::Result<String> {
    let id = id.to_string();
    Ok(profile_names(data, workspace)?.get(&id).cloned().unwrap_or(id))
}
