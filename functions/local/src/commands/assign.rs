//! `plumbline assign` and `plumbline unassign`: which profile a tenant is held to.

use super::EXIT_EQUAL;
use super::compare::read_scope;
use super::show::{show, visible};
use super::write_out;
use crate::cli::data::DataArgs;
use crate::cli::work::{AssignArgs, UnassignArgs};
use crate::client::Client;
use anyhow::Context as _;
use plumbline_operations::Assignment;
use serde_json::json;

pub(super) fn run(args: &DataArgs, assign: &AssignArgs) -> anyhow::Result<u8> {
    let scope = assign.scope.as_deref().map(read_scope).transpose()?;
    let client = Client::open(args)?;
    let tenant = client.tenant(&assign.tenant)?;
    let profile = client.profile(&assign.profile)?;
    let narrowed = scope.is_some();
    let wanted = json!({ "profile": profile.id, "override_scope": scope });
    let done = client.put::<Assignment>(&format!("/tenants/{}/assignment", tenant.id), &wanted);
    let assignment = match &assign.scope {
        Some(path) => done.with_context(|| format!("with the scope {}", path.display()))?,
        None => done?,
    };
    show(assign.show, &assignment, |_| {
        let name = visible(&tenant.name);
        format!(
            "{name} is held to {}{}\nNext: plumbline import --tenant \"{name}\" PATH --coverage complete, \
             then plumbline compare --tenant \"{name}\"\n",
            visible(&profile.name),
            if narrowed { ", with a scope of its own" } else { "" }
        )
    })
}

pub(super) fn unassign(args: &DataArgs, unassign: &UnassignArgs) -> anyhow::Result<u8> {
    let client = Client::open(args)?;
    let tenant = client.tenant(&unassign.tenant)?;
    client.delete(&format!("/tenants/{}/assignment", tenant.id))?;
    let line = format!(
        "{} is held to no profile; its open findings are resolved as out of scope\n",
        visible(&tenant.name)
    );
    write_out(line.as_bytes(), None)?;
    Ok(EXIT_EQUAL)
}
