//! `plumbline inspect`: how a file or a folder is understood.

use super::{EXIT_EQUAL, style, write_out};
use crate::cli::{InspectArgs, TableFormat};
use crate::folder::{Folder, ephemeral_key};
use crate::listing::{label, table};
use crate::render;
use anyhow::bail;
use plumbline_governance::badge::Domain;
use plumbline_governance::inventory::Inventory;
use plumbline_governance::subject::Subject;
use plumbline_policy::classify::Evidence;
use plumbline_policy::digest::NORMALISER_VERSION;
use plumbline_policy::normalise::{Dropped, normalise};
use serde::Serialize;
use std::fmt::Write as _;

/// A text with its control characters made visible.
fn visible(text: &str) -> String {
    render::visible(text).into_owned()
}

/// Everything that is known of one policy.
#[derive(Serialize)]
struct Inspection {
    source_file: String,
    entry: usize,
    policy_type: String,
    told_by: Evidence,
    support: &'static str,
    subject_key: Option<String>,
    display_name: Option<String>,
    external_id: Option<String>,
    normaliser_version: u32,
    facets: plumbline_policy::policy::Facets,
    references: Vec<plumbline_policy::reference::Reference>,
    redactions: Vec<Redaction>,
    missing_detail: Vec<&'static str>,
    not_expanded: Vec<&'static str>,
    dropped: Vec<DroppedMember>,
}

/// A secret that was taken out: where and why, never what.
#[derive(Serialize)]
struct Redaction {
    pointer: String,
    reason: plumbline_policy::secret::SecretReason,
}

#[derive(Serialize)]
struct DroppedMember {
    path: String,
    rule: String,
}

pub(super) fn run(args: &InspectArgs) -> anyhow::Result<u8> {
    let folder =
        Folder::open(&args.path, args.tenant.as_deref(), ephemeral_key()?)?.with_annotations();
    let inventory = folder.inventory(args.path.display().to_string(), false, &|| {});
    let subjects: Vec<&Subject> = inventory.subjects.iter().chain(&inventory.targets).collect();
    if subjects.is_empty() && inventory.gaps.is_empty() {
        bail!("{} holds no file", args.path.display());
    }
    let inspections: Vec<Inspection> =
        subjects.iter().filter_map(|subject| inspect(&folder, subject)).collect();
    let out = match args.format {
        TableFormat::Json => {
            let gaps: Vec<_> = inventory.gaps.iter().map(|(gap, _)| gap).collect();
            let report = serde_json::json!({ "policies": inspections, "gaps": gaps });
            let mut out = serde_json::to_string_pretty(&report)?;
            out.push('\n');
            out
        }
        TableFormat::Text if inspections.len() == 1 && inventory.gaps.is_empty() => {
            one(&inspections[0])
        }
        TableFormat::Text => many(&inspections, &inventory),
    };
    write_out(out.as_bytes(), None)?;
    Ok(EXIT_EQUAL)
}

fn inspect(folder: &Folder, subject: &Subject) -> Option<Inspection> {
    let (payload, told_by) = folder.payload(&subject.source)?;
    let mut dropped: Vec<Dropped> = Vec::new();
    // Only what is left out is asked for. The normal form of a role keeps no trace; the rules of its
    // places say the same.
    let _ = normalise(
        &payload.document,
        payload.policy_type,
        &payload.secrets,
        &folder.reader().localiser,
        Some(&mut dropped),
    );
    Some(Inspection {
        source_file: subject.source.file.clone(),
        entry: subject.source.index,
        policy_type: subject.policy_type.key.clone(),
        told_by,
        support: subject.policy_type.support.as_str(),
        subject_key: subject.key.clone(),
        display_name: subject.display_name.clone(),
        external_id: subject.external_id.clone(),
        normaliser_version: NORMALISER_VERSION,
        facets: subject.facets,
        references: subject.references.clone(),
        redactions: payload
            .secrets
            .iter()
            .map(|secret| Redaction { pointer: secret.pointer.clone(), reason: secret.reason })
            .collect(),
        missing_detail: subject.missing_detail.clone(),
        not_expanded: subject.not_expanded.clone(),
        dropped: dropped
            .into_iter()
            .map(|member| DroppedMember { path: member.path, rule: member.rule })
            .collect(),
    })
}

fn one(found: &Inspection) -> String {
    let mut out = String::new();
    let none = || "none".to_owned();
    let rows = vec![
        ("file", found.source_file.clone()),
        ("type", found.policy_type.clone()),
        ("told by", found.told_by.as_str().replace('_', " ")),
        ("baseline", label(Domain::BaselineSupport, found.support)),
        ("name", found.display_name.as_deref().map_or_else(none, visible)),
        ("id", found.external_id.as_deref().map_or_else(none, visible)),
        ("subject key", found.subject_key.as_deref().map_or_else(none, visible)),
        ("content", found.facets.content.to_string()),
        ("label", found.facets.label.to_string()),
        ("assignments", found.facets.assignments.to_string()),
        ("rules version", found.normaliser_version.to_string()),
    ];
    for (name, value) in rows {
        let _ = writeln!(out, "{name:<14}{value}");
    }
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = writeln!(out, "\n{title} ({})", lines.len());
            for line in lines {
                let _ = writeln!(out, "  {line}");
            }
        }
    };
    section(
        "Not in the export",
        found.missing_detail.iter().chain(&found.not_expanded).map(|m| (*m).to_owned()).collect(),
    );
    section(
        "References",
        found
            .references
            .iter()
            .map(|one| format!("{}  {} {}", visible(&one.path), one.kind.as_str(), one.external_id))
            .collect(),
    );
    section(
        "Secrets taken out",
        found
            .redactions
            .iter()
            .map(|one| format!("{}  told by {}", visible(&one.pointer), reason(one)))
            .collect(),
    );
    section(
        "Left out",
        found.dropped.iter().map(|one| format!("{}  {}", visible(&one.path), one.rule)).collect(),
    );
    out
}

fn reason(redaction: &Redaction) -> String {
    serde_json::to_value(redaction.reason)
        .ok()
        .and_then(|value| value.as_str().map(|text| text.replace('_', " ")))
        .unwrap_or_default()
}

fn many(found: &[Inspection], inventory: &Inventory) -> String {
    let style = style(None);
    let rows = found
        .iter()
        .map(|one| {
            vec![
                visible(&one.source_file),
                one.policy_type.clone(),
                label(Domain::BaselineSupport, one.support),
                one.display_name.as_deref().map(visible).unwrap_or_default(),
                one.facets.content.short(),
                one.references.len().to_string(),
                one.redactions.len().to_string(),
                one.dropped.len().to_string(),
            ]
        })
        .collect();
    let head = ["file", "type", "baseline", "name", "content", "references", "secrets", "left out"];
    let mut out = if found.is_empty() { String::new() } else { table(&head, rows, style) };
    if !inventory.gaps.is_empty() {
        let rows = inventory
            .gaps
            .iter()
            .map(|(gap, _)| {
                vec![
                    label(Domain::CompareGap, gap.kind.as_str()),
                    visible(&gap.source_file),
                    visible(&gap.detail),
                ]
            })
            .collect();
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&table(&["gap", "file", "what it is"], rows, style));
    }
    out
}
