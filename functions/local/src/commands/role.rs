//! `plumbline role`: which custom role of a tenant stands for which of its baseline.

use super::EXIT_EQUAL;
use super::show::{moment, show, visible};
use super::write_out;
use crate::cli::data::DataArgs;
use crate::cli::work::{RoleArgs, RoleCommand};
use crate::client::Client;
use crate::listing::table;
use plumbline_operations::{Assignment, Tenant};
use serde_json::json;

pub(super) fn run(args: &DataArgs, command: &RoleCommand) -> anyhow::Result<u8> {
    let client = Client::open(args)?;
    match command {
        RoleCommand::Map { of, tenant_role, reason, show: form } => {
            let tenant = client.tenant(&of.tenant)?;
            let body = json!({ "tenant_role": tenant_role, "reason": reason });
            let assignment: Assignment = client.put(&mapping(&tenant, of), &body)?;
            show(*form, &assignment, |_| {
                format!(
                    "{} stands for {} in {}\nNext: plumbline compare --tenant \"{}\"\n",
                    visible(tenant_role),
                    visible(&of.baseline_role),
                    visible(&tenant.name),
                    visible(&tenant.name)
                )
            })
        }
        RoleCommand::Unmap(of) => {
            let tenant = client.tenant(&of.tenant)?;
            client.delete(&mapping(&tenant, of))?;
            let role = visible(&of.baseline_role);
            let line = format!("nothing stands for {role} in {} any more\n", visible(&tenant.name));
            write_out(line.as_bytes(), None)?;
            Ok(EXIT_EQUAL)
        }
        RoleCommand::Mappings { tenant, show: form } => {
            let tenant = client.tenant(tenant)?;
            let found: Option<Assignment> =
                client.find(&format!("/tenants/{}/assignment", tenant.id))?;
            let mappings = found.map(|one| one.role_mappings).unwrap_or_default();
            show(*form, &mappings, |style| {
                if mappings.is_empty() {
                    return format!("no role of {} is mapped\n", visible(&tenant.name));
                }
                let rows = mappings
                    .iter()
                    .map(|one| {
                        vec![
                            one.baseline_role.clone(),
                            one.tenant_role.clone(),
                            visible(&one.reason),
                            visible(&one.mapped_by),
                            moment(one.mapped_at),
                        ]
                    })
                    .collect();
                table(&["baseline's role", "tenant's role", "reason", "by", "at"], rows, style)
            })
        }
    }
}

/// The path of one mapping. What is no id is for the API to refuse.
fn mapping(tenant: &Tenant, of: &RoleArgs) -> String {
    let role: String = of.baseline_role.chars().filter(|one| !"/?#%".contains(*one)).collect();
    format!("/tenants/{}/assignment/role-mappings/{}", tenant.id, role.trim())
}
