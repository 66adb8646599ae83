//! `plumbline profile`: what tenants are held to.

use super::compare::read_scope;
use super::show::{count, facts, moment, or_none, show, visible};
use crate::cli::data::{DataArgs, ProfileCommand, ProfileParts, Show};
use crate::client::Client;
use crate::listing::{label, table};
use plumbline_governance::badge::Domain;
use plumbline_governance::profile::{Profile, ProfileStatus};
use plumbline_governance::report::Facet;
use plumbline_governance::severity::Severity;
use plumbline_operations::Snapshot;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) fn run(args: &DataArgs, command: &ProfileCommand) -> anyhow::Result<u8> {
    match command {
        ProfileCommand::Create { name, parts, show: form } => {
            let mut form_of = said(parts)?;
            form_of.insert("name".to_owned(), json!(name));
            let made: Profile = Client::open(args)?.post("/profiles", &form_of)?;
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
            let all: Vec<Profile> = Client::open(args)?.list("/profiles", &[])?;
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
            let profile = Client::open(args)?.profile(name)?;
            show(*form, &profile, |_| one(&profile))
        }
        ProfileCommand::Edit { name, rename, parts, show: form } => {
            let mut change = said(parts)?;
            if let Some(name) = rename {
                change.insert("name".to_owned(), json!(name));
            }
            if change.is_empty() {
                anyhow::bail!(
                    "nothing is to be changed; name at least one of --rename, --scope, --facets, \
                     --severity, --description and --version-label"
                );
            }
            let client = Client::open(args)?;
            let path = format!("/profiles/{}", client.profile(name)?.id);
            let after: Profile = client.patch(&path, &change, None)?;
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
            let client = Client::open(args)?;
            let Snapshot { id, profile, .. } = client.snapshot(snapshot)?;
            let profile: Profile =
                client.act(&format!("/profiles/{profile}/snapshots/{id}/promote"))?;
            show(*form, &profile, |_| one(&profile))
        }
    }
}

/// What a person says of a profile, as the API takes it: what is not said is not there.
fn said(parts: &ProfileParts) -> anyhow::Result<Map<String, Value>> {
    let facets = parts
        .facets
        .as_ref()
        .map(|facets| facets.iter().map(|facet| Facet::from(*facet)).collect::<Vec<_>>());
    let severities: BTreeMap<&str, Severity> =
        parts.severity.iter().map(|(rule, level)| (rule.as_str(), *level)).collect();
    let scope = parts.scope.as_deref().map(read_scope).transpose()?;
    let members = [
        ("description", parts.description.as_deref().map(|text| json!(filled(text)))),
        ("version_label", parts.version_label.as_deref().map(|text| json!(filled(text)))),
        ("scope", scope.map(|scope| json!(scope))),
        ("facets", facets.map(|facets| json!(facets))),
        ("severities", (!severities.is_empty()).then(|| json!(severities))),
    ];
    Ok(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

/// An empty text takes the old one away.
fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.trim().is_empty())
}

fn step(args: &DataArgs, name: &str, to: ProfileStatus, form: Show) -> anyhow::Result<u8> {
    let client = Client::open(args)?;
    let verb = match to {
        ProfileStatus::Active => "activate",
        ProfileStatus::Draft => "draft",
        ProfileStatus::Archived => "archive",
    };
    let after: Profile = client.act(&format!("/profiles/{}/{verb}", client.profile(name)?.id))?;
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
    let client = Client::open(args)?;
    let profile = client.profile(name)?;
    let all: Vec<Snapshot> = client.list(&format!("/profiles/{}/snapshots", profile.id), &[])?;
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
