//! `plumbline role`: which custom role of a tenant stands for which of its baseline.

use super::EXIT_EQUAL;
use super::show::{moment, show, visible};
use super::write_out;
use crate::cli::data::DataArgs;
use crate::cli::work::{RoleArgs, RoleCommand};
use crate::client::{Client, segment};
use plumbline_operations::{Assignment, RoleMapping, Tenant};
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
            show(*form, &mappings, |_| {
                if mappings.is_empty() {
                    return format!("no role of {} is mapped\n", visible(&tenant.name));
                }
                mappings.iter().map(told).collect()
            })
        }
    }
}

/// A mapping on two lines: ids are to be copied, so no table breaks them.
fn told(mapping: &RoleMapping) -> String {
    let RoleMapping { baseline_role, tenant_role, reason, mapped_by, mapped_at } = mapping;
    let (by, at, reason) = (visible(mapped_by), moment(*mapped_at), visible(reason));
    format!("{tenant_role} stands for {baseline_role}\n  {by}, {at}: {reason}\n")
}

/// The path of one mapping. What is no id is for the API to refuse.
fn mapping(tenant: &Tenant, of: &RoleArgs) -> String {
    format!("/tenants/{}/assignment/role-mappings/{}", tenant.id, segment(&of.baseline_role))
}
