//! `plumbline findings`: what drifted, the most urgent first.

use super::show::{moment, show, visible};
use crate::cli::data::DataArgs;
use crate::cli::work::{FindingFilter, FindingsArgs};
use crate::client::{Client, short};
use crate::listing::{label, table};
use crate::render::Style;
use clap::ValueEnum;
use plumbline_governance::badge::Domain;
use plumbline_governance::finding::record::Finding;
use plumbline_governance::ids::TenantId;
use plumbline_policy::catalog::catalog;
use std::collections::BTreeMap;

/// A finding, its counts up to date, with the name of its tenant.
pub(super) struct Listed {
    /// The tenant's name.
    pub tenant: String,
    /// The finding.
    pub finding: Finding,
}

pub(super) fn run(args: &DataArgs, findings: &FindingsArgs) -> anyhow::Result<u8> {
    let filter = &findings.filter;
    check_types(&filter.types)?;
    let client = Client::open(args)?;
    let found = select(&client, filter)?;
    let with_tenant = filter.tenant.is_none();
    let names = if with_tenant { tenant_names(&client)? } else { BTreeMap::new() };
    show(findings.show, &found, |style| {
        if found.is_empty() {
            return "No finding. `plumbline posture` shows what was compared, and how much was proven.\n"
                .to_owned();
        }
        listing(&named(&found, &names), with_tenant, style)
    })
}

/// Refuses a type that there is not, before anything is read.
pub(super) fn check_types(types: &[String]) -> anyhow::Result<()> {
    for key in types {
        if catalog().get(key).is_err() {
            anyhow::bail!("`{key}` is not a policy type; `plumbline policy-types` lists them");
        }
    }
    Ok(())
}

/// The findings that a filter chooses, the most urgent first.
pub(super) fn select(client: &Client, filter: &FindingFilter) -> anyhow::Result<Vec<Finding>> {
    let tenant = filter.tenant.as_deref().map(|name| client.tenant(name)).transpose()?;
    let profile = filter.profile.as_deref().map(|name| client.profile(name)).transpose()?;
    let statuses: Vec<&str> = filter.status.iter().map(|status| status.words()).collect();
    let query = [
        ("tenant", tenant.map(|one| one.id.to_string()).unwrap_or_default()),
        ("profile", profile.map(|one| one.id.to_string()).unwrap_or_default()),
        ("status", statuses.join(",")),
        ("severity", words(&filter.severity)),
        ("type", filter.types.join(",")),
        ("change_type", words(&filter.change_type)),
    ];
    let query: Vec<(&str, &str)> = query
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    client.findings(&query)
}

/// Words of the command line, which are those of the API, with commas.
fn words<T: ValueEnum>(all: &[T]) -> String {
    let words = all.iter().filter_map(ValueEnum::to_possible_value);
    words.map(|word| word.get_name().to_owned()).collect::<Vec<_>>().join(",")
}

/// The names of all tenants.
pub(super) fn tenant_names(client: &Client) -> anyhow::Result<BTreeMap<TenantId, String>> {
    Ok(client.tenants(None)?.into_iter().map(|one| (one.id, one.name)).collect())
}

/// Findings with the names of their tenants.
pub(super) fn named(found: &[Finding], names: &BTreeMap<TenantId, String>) -> Vec<Listed> {
    found
        .iter()
        .map(|finding| Listed {
            tenant: names.get(&finding.tenant).cloned().unwrap_or_default(),
            finding: finding.clone(),
        })
        .collect()
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
            let finding = &one.finding;
            let drift = &finding.drift;
            let mut row = vec![
                short(finding.id),
                label(Domain::FindingSeverity, drift.severity.as_str()),
                label(Domain::FindingStatus, finding.state.as_str()),
                label(Domain::FindingChangeType, drift.change_type.as_str()),
                format!("{}\n{}", visible(&drift.display_name), drift.policy_type),
                finding.seen.times.to_string(),
                moment(finding.seen.last_at),
            ];
            if with_tenant {
                row.insert(4, visible(&one.tenant));
            }
            row
        })
        .collect();
    table(&head, rows, style)
}
