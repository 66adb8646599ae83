//! `plumbline profile`: what tenants are held to.

use super::compare::read_scope;
use super::show::{count, facts, moment, or_none, show, visible};
use crate::cli::data::{DataArgs, ProfileCommand, ProfileParts, Show};
use crate::data::Data;
use crate::listing::{label, table};
use futures::executor::block_on;
use plumbline_governance::badge::Domain;
use plumbline_governance::profile::{Profile, ProfileStatus};
use plumbline_governance::report::Facet;
use plumbline_operations::{NewProfile, ProfileEdit};

pub(super) fn run(args: &DataArgs, command: &ProfileCommand) -> anyhow::Result<u8> {
    match command {
        ProfileCommand::Create { name, parts, show: form } => {
            let new = NewProfile {
                name: name.clone(),
                description: parts.description.clone(),
                version_label: parts.version_label.clone(),
                scope: parts.scope.as_deref().map(read_scope).transpose()?.unwrap_or_default(),
                facets: facets(parts).unwrap_or_default(),
                severities: parts.severity.iter().cloned().collect(),
            };
            let data = Data::open(args)?;
            let id = data.workspace()?.id;
            let made = block_on(data.system.create_profile(id, &data.actor, new))?;
            show(*form, &made, |_| {
                format!(
                    "Made {} ({}), a draft\nNext: plumbline capture --profile \"{}\" --tenant TENANT\n",
                    visible(&made.name),
                    made.id,
                    visible(&made.name)
                )
            })
        }
        ProfileCommand::List(form) => {
            let data = Data::open(args)?;
            let all = block_on(data.system.profiles(data.workspace()?.id))?;
            show(*form, &all, |style| {
                let rows = all
                    .iter()
                    .map(|one| {
                        let snapshot = one.active_snapshot.map(|id| id.to_string());
                        vec![
                            visible(&one.name),
                            label(Domain::BaselineProfileStatus, one.status.as_str()),
                            or_none(snapshot.as_deref()),
                            one.id.to_string(),
                        ]
                    })
                    .collect();
                table(&["profile", "status", "snapshot", "id"], rows, style)
            })
        }
        ProfileCommand::Show { name, show: form } => {
            let data = Data::open(args)?;
            let profile = data.profile(data.workspace()?.id, name)?;
            show(*form, &profile, |_| one(&profile))
        }
        ProfileCommand::Edit { name, rename, parts, show: form } => {
            let edit = ProfileEdit {
                name: rename.clone(),
                description: parts.description.clone().map(filled),
                version_label: parts.version_label.clone().map(filled),
                scope: parts.scope.as_deref().map(read_scope).transpose()?,
                facets: facets(parts),
                severities: (!parts.severity.is_empty())
                    .then(|| parts.severity.iter().cloned().collect()),
            };
            if edit == ProfileEdit::default() {
                anyhow::bail!(
                    "nothing is to be changed; name at least one of --rename, --scope, --facets, \
                     --severity, --description and --version-label"
                );
            }
            let data = Data::open(args)?;
            let id = data.workspace()?.id;
            let profile = data.profile(id, name)?;
            let after =
                block_on(data.system.edit_profile(id, &data.actor, profile.id, edit, None))?;
            show(*form, &after, |_| one(&after))
        }
        ProfileCommand::Activate { name, show: form } => {
            step(args, name, ProfileStatus::Active, *form)
        }
        ProfileCommand::Draft { name, show: form } => step(args, name, ProfileStatus::Draft, *form),
        ProfileCommand::Archive { name, show: form } => {
            step(args, name, ProfileStatus::Archived, *form)
        }
        ProfileCommand::Snapshots { name, show: form } => snapshots(args, name, *form),
        ProfileCommand::Promote { snapshot, show: form } => {
            let data = Data::open(args)?;
            let id = data.workspace()?.id;
            let snapshot = data.snapshot(id, snapshot)?;
            let profile = block_on(data.system.promote_snapshot(
                id,
                &data.actor,
                snapshot.profile,
                snapshot.id,
                None,
            ))?;
            show(*form, &profile, |_| one(&profile))
        }
    }
}

fn facets(parts: &ProfileParts) -> Option<Vec<Facet>> {
    parts.facets.as_ref().map(|facets| facets.iter().map(|facet| (*facet).into()).collect())
}

/// An empty text takes the old one away.
fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.trim().is_empty())
}

fn step(args: &DataArgs, name: &str, to: ProfileStatus, form: Show) -> anyhow::Result<u8> {
    let data = Data::open(args)?;
    let id = data.workspace()?.id;
    let profile = data.profile(id, name)?;
    let after = block_on(data.system.set_profile_status(id, &data.actor, profile.id, to, None))?;
    show(form, &after, |_| {
        let next = match to {
            ProfileStatus::Active => format!(
                "Next: plumbline assign --tenant TENANT --profile \"{}\"\n",
                visible(&after.name)
            ),
            ProfileStatus::Draft => {
                "Its tenants are not compared until it is active again\n".to_owned()
            }
            ProfileStatus::Archived => "Its tenants are not compared any more\n".to_owned(),
        };
        let status = label(Domain::BaselineProfileStatus, after.status.as_str()).to_lowercase();
        format!("{} is {status}\n{next}", visible(&after.name))
    })
}

fn snapshots(args: &DataArgs, name: &str, form: Show) -> anyhow::Result<u8> {
    let data = Data::open(args)?;
    let id = data.workspace()?.id;
    let profile = data.profile(id, name)?;
    let all = block_on(data.system.snapshots(id, profile.id))?;
    show(form, &all, |style| {
        let rows = all
            .iter()
            .map(|one| {
                let active = profile.active_snapshot == Some(one.id);
                vec![
                    one.id.to_string(),
                    if active { "compared with" } else { "" }.to_owned(),
                    moment(one.captured_at),
                    one.items.to_string(),
                    one.snapshot_identity_hash.short(),
                ]
            })
            .collect();
        table(&["snapshot", "use", "captured (UTC)", "policies", "identity"], rows, style)
    })
}

fn one(profile: &Profile) -> String {
    let facets: Vec<&str> = profile.facets.iter().map(|facet| facet.as_str()).collect();
    let mut severities: Vec<String> = Vec::new();
    for (rule, severity) in &profile.severities {
        severities.push(format!("{rule}={}", severity.as_str()));
    }
    let severities = severities.join(", ");
    let snapshot = profile.active_snapshot.map(|id| id.to_string());
    let scope = match profile.check() {
        Ok(scope) => count(scope.keys().count() as u64, "type", "types"),
        Err(error) => format!("not valid any more: {error}"),
    };
    facts(&[
        ("name", visible(&profile.name)),
        ("id", profile.id.to_string()),
        ("status", label(Domain::BaselineProfileStatus, profile.status.as_str())),
        ("scope", scope),
        ("facets", facets.join(", ")),
        ("severities", or_none(Some(severities.as_str()).filter(|text| !text.is_empty()))),
        ("snapshot", or_none(snapshot.as_deref())),
        ("version", or_none(profile.version_label.as_deref())),
        ("description", or_none(profile.description.as_deref())),
        ("made", format!("{} UTC by {}", moment(profile.created_at), visible(&profile.created_by))),
    ])
}
