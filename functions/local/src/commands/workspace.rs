//! `plumbline workspace`: the owners of baselines, their schedule and their members.

use super::EXIT_EQUAL;
use super::show::{facts, moment, show, visible};
use super::write_out;
use crate::cli::data::{DataArgs, MemberCommand, PersonArgs, ScheduleArgs, WorkspaceCommand};
use crate::data::Data;
use crate::listing::table;
use futures::executor::block_on;
use plumbline_governance::access::{Member, MemberRole};
use plumbline_governance::schedule::Schedule;
use plumbline_operations::{Person, Workspace, WorkspaceEdit};

pub(super) fn run(args: &DataArgs, command: &WorkspaceCommand) -> anyhow::Result<u8> {
    match command {
        WorkspaceCommand::Schedule(wanted) => {
            let schedule = read(wanted)?;
            let data = Data::open(args)?;
            let id = data.workspace()?.id;
            let after = block_on(data.system.edit_workspace(
                id,
                &data.actor,
                WorkspaceEdit { schedule: Some(schedule), ..WorkspaceEdit::default() },
                None,
            ))?;
            show(wanted.show, &after, |_| one(&after))
        }
        WorkspaceCommand::Create { name, show: form } => {
            let data = Data::open(args)?;
            let made = block_on(data.system.create_workspace(&data.person(), &data.actor, name))?;
            show(*form, &made, |_| {
                format!("{}\nNext: plumbline tenant add NAME --facts FILE\n", one(&made).trim_end())
            })
        }
        WorkspaceCommand::List(form) => {
            let data = Data::open(args)?;
            let all = block_on(data.system.workspaces())?;
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
            let workspace = Data::open(args)?.workspace()?;
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
    let data = Data::open(args)?;
    let id = data.workspace()?.id;
    match command {
        MemberCommand::Add { person, role, show: form } => {
            let role: MemberRole = (*role).into();
            let added =
                block_on(data.system.set_member(id, &data.actor, &who(person), role.into(), None))?;
            show(*form, &added, |_| {
                format!("{} is {} now\n", visible(&added.subject), added.role.as_str())
            })
        }
        MemberCommand::Remove { person } => {
            block_on(data.system.remove_member(id, &data.actor, &who(person), None))?;
            let line = format!("{} is no member any more\n", visible(&person.subject));
            write_out(line.as_bytes(), None)?;
            Ok(EXIT_EQUAL)
        }
        MemberCommand::List(form) => {
            let members: Vec<Member> = block_on(data.system.members(id))?;
            show(*form, &members, |style| {
                let rows = members
                    .iter()
                    .map(|one| {
                        vec![
                            visible(&one.subject),
                            visible(&one.issuer),
                            one.role.as_str().to_owned(),
                            visible(&one.added_by),
                            moment(one.added_at),
                        ]
                    })
                    .collect();
                table(&["member", "issuer", "role", "added by", "added (UTC)"], rows, style)
            })
        }
    }
}

fn who(person: &PersonArgs) -> Person {
    Person { issuer: person.issuer.clone(), subject: person.subject.clone() }
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
