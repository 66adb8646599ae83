//! `plumbline tenant`: who is governed.

use super::show::{count, facts, moment, or_none, show, visible};
use crate::cli::data::{DataArgs, TenantCommand};
use crate::client::Client;
use crate::folder::read_facts;
use crate::listing::{label, table};
use plumbline_governance::badge::Domain;
use plumbline_governance::coverage::Coverage;
use plumbline_governance::profile::Profile;
use plumbline_operations::{Assignment, State, Tenant};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A tenant with what it is held to and what was read of it.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    tenant: Tenant,
    assignment: Option<Assignment>,
    state: Option<State>,
}

pub(super) fn run(args: &DataArgs, command: &TenantCommand) -> anyhow::Result<u8> {
    match command {
        TenantCommand::Add { name, facts: file, show: form } => {
            let given = file.as_deref().map(read_facts).transpose()?.unwrap_or_default();
            let client = Client::open(args)?;
            let added: Tenant =
                client.post("/tenants", &json!({ "name": name, "facts": given }))?;
            show(*form, &added, |_| {
                format!(
                    "Added {} ({})\nNext: plumbline import --tenant \"{}\" PATH --coverage complete\n",
                    visible(&added.name),
                    added.id,
                    visible(&added.name)
                )
            })
        }
        TenantCommand::List(form) => {
            let client = Client::open(args)?;
            let tenants = client.tenants(None)?;
            let profiles = profile_names(&client)?;
            show(*form, &tenants, |style| {
                let rows = tenants
                    .iter()
                    .map(|one| {
                        let held = one.profile.map(|id| id.to_string());
                        let held = held.map(|id| profiles.get(&id).cloned().unwrap_or(id));
                        vec![
                            visible(&one.name),
                            label(Domain::TenantStatus, one.status.as_str()),
                            or_none(held.as_deref()),
                            one.id.to_string(),
                        ]
                    })
                    .collect();
                table(&["tenant", "status", "held to", "id"], rows, style)
            })
        }
        TenantCommand::Show { name, show: form } => {
            let client = Client::open(args)?;
            let tenant = client.tenant(name)?;
            let shown = Shown {
                assignment: client.find(&format!("/tenants/{}/assignment", tenant.id))?,
                state: client.find(&format!("/tenants/{}/inventory", tenant.id))?,
                tenant,
            };
            let profiles = profile_names(&client)?;
            show(*form, &shown, |_| one(&shown, &profiles))
        }
        TenantCommand::Facts { name, file, show: form } => {
            let given = read_facts(file)?;
            let client = Client::open(args)?;
            let path = format!("/tenants/{}", client.tenant(name)?.id);
            let after: Tenant = client.patch(&path, &json!({ "facts": given }), None)?;
            show(*form, &after, |_| {
                format!(
                    "The facts of {} were replaced; import it again, so that they take effect\n",
                    visible(&after.name)
                )
            })
        }
        TenantCommand::Archive { name, show: form } => {
            let client = Client::open(args)?;
            let tenant = client.tenant(name)?;
            let after: Tenant = client.act(&format!("/tenants/{}/archive", tenant.id))?;
            show(*form, &after, |_| {
                format!(
                    "{} is put away: it is compared no more, and its name is free\n",
                    visible(&after.name)
                )
            })
        }
    }
}

/// The names of all profiles by id.
pub(super) fn profile_names(client: &Client) -> anyhow::Result<BTreeMap<String, String>> {
    let all: Vec<Profile> = client.list("/profiles", &[])?;
    Ok(all.into_iter().map(|one| (one.id.to_string(), one.name)).collect())
}

fn one(shown: &Shown, profiles: &BTreeMap<String, String>) -> String {
    let tenant = &shown.tenant;
    let held = shown.assignment.as_ref().map(|one| one.profile.to_string());
    let held = held.map(|id| profiles.get(&id).cloned().unwrap_or(id));
    let domains = tenant.facts.domains.join(", ");
    let mut out = facts(&[
        ("name", visible(&tenant.name)),
        ("id", tenant.id.to_string()),
        ("status", label(Domain::TenantStatus, tenant.status.as_str())),
        ("held to", or_none(held.as_deref())),
        ("tenant id", or_none(tenant.facts.tenant_id.as_deref())),
        ("domains", or_none(Some(domains.as_str()).filter(|text| !text.is_empty()))),
        ("account id", or_none(tenant.facts.intune_account_id.as_deref())),
    ]);
    match &shown.state {
        None => out.push_str("state       never imported\n"),
        Some(state) => {
            let _ = writeln!(
                out,
                "state       {}, read {} UTC, good until {} UTC",
                count(state.policies, "policy", "policies"),
                moment(state.read_at),
                moment(state.fresh_until)
            );
            out.push_str(&coverage(state));
        }
    }
    out
}

/// Says how much of each type was read; what was not read in full is named with its reason.
pub(super) fn coverage(state: &State) -> String {
    let map = &state.coverage;
    let mut out = String::new();
    let word = |status: Coverage| label(Domain::CoverageStatus, status.as_str());
    let _ = writeln!(
        out,
        "coverage    {}",
        match map.types.len() {
            0 => word(map.others),
            _ => format!("{}, except:", word(map.others)),
        }
    );
    for (key, one) in &map.types {
        let reason = one.reason.as_deref().map(|text| format!(": {}", visible(text)));
        let _ = writeln!(out, "  {key}  {}{}", word(one.status), reason.unwrap_or_default());
    }
    out
}
