//! `plumbline workspace`: the owners of baselines, their schedule and their members.

use super::EXIT_EQUAL;
use super::day::end_of_day;
use super::show::{facts, moment, show, visible};
use super::write_out;
use crate::cli::data::{DataArgs, MemberCommand, PersonArgs, ScheduleArgs, WorkspaceCommand};
use crate::client::{Client, Wire};
use crate::listing::table;
use anyhow::bail;
use jiff::Timestamp;
use plumbline_api::view::MemberView;
use plumbline_governance::access::{MemberRole, member_id};
use plumbline_governance::ids::TenantId;
use plumbline_governance::schedule::Schedule;
use plumbline_operations::{Tenant, Workspace};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) fn run(args: &DataArgs, command: &WorkspaceCommand) -> anyhow::Result<u8> {
    match command {
        WorkspaceCommand::Schedule(wanted) => {
            let schedule = read(wanted)?;
            let client = Client::open(args)?;
            let after: Workspace = client.patch("", &json!({ "schedule": schedule }), None)?;
            show(wanted.show, &after, |_| one(&after))
        }
        WorkspaceCommand::Edit { rename, inventory_max_age, show: form } => {
            let mut change = Map::new();
            if let Some(name) = rename {
                change.insert("name".to_owned(), json!(name));
            }
            if let Some(hours) = inventory_max_age {
                change.insert("inventory_max_age_hours".to_owned(), json!(hours));
            }
            let after: Workspace = Client::open(args)?.patch("", &change, None)?;
            show(*form, &after, |_| one(&after))
        }
        WorkspaceCommand::Create { name, show: form } => {
            let wire = Wire::open(args)?;
            let made: Workspace = wire.post("/v1/workspaces", &json!({ "name": name }))?;
            show(*form, &made, |_| {
                format!("{}\nNext: plumbline tenant add NAME --facts FILE\n", one(&made).trim_end())
            })
        }
        WorkspaceCommand::List(form) => {
            let all = Wire::open(args)?.workspaces()?;
            show(*form, &all, |style| {
                let rows = all
                    .iter()
                    .map(|one| {
                        vec![
                            visible(&one.name),
                            one.id.to_string(),
                            nightly(one),
                            moment(one.created_at),
                        ]
                    })
                    .collect();
                table(&["name", "id", "nightly", "made (UTC)"], rows, style)
            })
        }
        WorkspaceCommand::Show(form) => {
            let workspace = Client::open(args)?.workspace;
            show(*form, &workspace, |_| one(&workspace))
        }
        WorkspaceCommand::Member(command) => member(args, command),
    }
}

fn read(args: &ScheduleArgs) -> anyhow::Result<Option<Schedule>> {
    match (&args.time, &args.zone) {
        (Some(time), Some(zone)) => Ok(Some(Schedule::parse(time, zone)?)),
        // Clap lets nothing but `--never` come here.
        _ => Ok(None),
    }
}

fn member(args: &DataArgs, command: &MemberCommand) -> anyhow::Result<u8> {
    match command {
        MemberCommand::Add { person, role, tenants, until, show: form } => {
            let until = until.as_deref().map(end).transpose()?;
            let client = Client::open(args)?;
            let mut change = Map::new();
            let role: MemberRole = (*role).into();
            change.insert("role".to_owned(), json!(role));
            if let Some(names) = tenants {
                change.insert("tenants".to_owned(), json!(limit(&client, names)?));
            }
            if let Some(until) = until {
                change.insert("until".to_owned(), json!(until));
            }
            let added = set(&client, person, change)?;
            show(*form, &added, |_| {
                let member = &added.member;
                format!("{} is {} now\n", visible(&member.subject), member.role.as_str())
            })
        }
        MemberCommand::Remove { person } => {
            let client = Client::open(args)?;
            if !client.delete(&path(person))? {
                bail!("there is no member `{}`", person.subject);
            }
            let line = format!("{} is no member any more\n", visible(&person.subject));
            write_out(line.as_bytes(), None)?;
            Ok(EXIT_EQUAL)
        }
        MemberCommand::List(form) => {
            let client = Client::open(args)?;
            let members: Vec<MemberView> = client.list("/members", &[])?;
            let tenants: Vec<Tenant> = client.list("/tenants", &[])?;
            let names: BTreeMap<_, _> =
                tenants.iter().map(|one| (one.id, visible(&one.name))).collect();
            show(*form, &members, |style| {
                let rows = members.iter().map(|one| row(one, &names)).collect();
                let head = [
                    "member",
                    "issuer",
                    "role",
                    "tenants",
                    "until (UTC)",
                    "added by",
                    "added (UTC)",
                ];
                table(&head, rows, style)
            })
        }
    }
}

fn path(person: &PersonArgs) -> String {
    format!("/members/{}", member_id(&person.issuer, &person.subject))
}

/// Adds a member, or changes one as they are now.
fn set(
    client: &Client,
    person: &PersonArgs,
    mut change: Map<String, Value>,
) -> anyhow::Result<MemberView> {
    let path = path(person);
    if let Some((_, revision)) = client.find_tagged::<MemberView>(&path)? {
        return client.patch(&path, &change, revision);
    }
    change.insert("issuer".to_owned(), json!(person.issuer));
    change.insert("subject".to_owned(), json!(person.subject));
    client.post("/members", &change)
}

/// The tenants that a member is limited to; `all` is no limit.
fn limit(client: &Client, names: &[String]) -> anyhow::Result<Option<Vec<TenantId>>> {
    match names {
        [only] if only == "all" => Ok(None),
        names => {
            names.iter().map(|name| Ok(client.tenant(name)?.id)).collect::<Result<_, _>>().map(Some)
        }
    }
}

/// When a membership ends; `never` is no end.
fn end(text: &str) -> anyhow::Result<Option<Timestamp>> {
    if text == "never" { Ok(None) } else { end_of_day(text).map(Some) }
}

fn row(view: &MemberView, names: &BTreeMap<TenantId, String>) -> Vec<String> {
    let one = &view.member;
    let tenants = one.tenants.as_ref().map_or_else(
        || "all".to_owned(),
        |ids| {
            let names =
                ids.iter().map(|id| names.get(id).cloned().unwrap_or_else(|| id.to_string()));
            names.collect::<Vec<_>>().join(", ")
        },
    );
    vec![
        visible(&one.subject),
        visible(&one.issuer),
        one.role.as_str().to_owned(),
        tenants,
        one.until.map_or_else(|| "never".to_owned(), moment),
        visible(&one.added_by),
        moment(one.added_at),
    ]
}

fn nightly(workspace: &Workspace) -> String {
    workspace.schedule.as_ref().map_or_else(
        || "never".to_owned(),
        |schedule| format!("{} {}", schedule.time(), schedule.zone()),
    )
}

fn one(workspace: &Workspace) -> String {
    facts(&[
        ("name", visible(&workspace.name)),
        ("id", workspace.id.to_string()),
        ("nightly", nightly(workspace)),
        (
            "next night",
            workspace
                .next_night
                .map_or_else(|| "none".to_owned(), |at| format!("{} UTC", moment(at))),
        ),
        ("inventory", format!("good for {} hours", workspace.inventory_max_age_hours)),
    ])
}
