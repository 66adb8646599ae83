//! `plumbline import`: exported policies become the new state of a tenant.

use super::findings::check_types;
use super::show::{count, show, visible};
use super::tenant::coverage;
use super::work::check;
use crate::cli::data::{DataArgs, ShowFormat};
use crate::cli::work::ImportArgs;
use crate::client::{Client, Import};
use crate::documents::Documents;
use crate::listing::{label, table};
use crate::progress::Progress;
use crate::render::Style;
use anyhow::bail;
use plumbline_api::view::ImportView;
use plumbline_governance::badge::Domain;
use plumbline_governance::index::StoredGap;
use plumbline_operations::{State, Tenant};
use serde_json::json;
use std::fmt::Write as _;
use std::sync::Arc;

/// Gaps that are shown; `--format json` has all.
const MOST_GAPS: usize = 20;

pub(super) fn run(args: &DataArgs, import: &ImportArgs) -> anyhow::Result<u8> {
    let coverage = claim(&import.coverage)?;
    check_types(&import.confirm_empty)?;
    let confirmed = import.confirm_empty.join(",");
    let mut options = vec![("coverage", coverage.as_str())];
    if !confirmed.is_empty() {
        options.push(("confirm_empty", &confirmed));
    }
    let client = Client::open(args)?;
    let tenant = client.tenant(&import.tenant)?;
    let documents = Documents::open(&import.paths)?;
    let left_aside = documents.left_aside();
    let progress = Arc::new(Progress::endless("importing"));
    let counting = Arc::clone(&progress);
    let imported = client.import(tenant.id, &options, documents.inspect(move |_| counting.step()));
    progress.finish();
    match imported? {
        Import::Taken(view) => {
            show(import.show, &view, |style| told(&tenant, &view, left_aside, style))
        }
        Import::Refused(run) => {
            if import.show.format == ShowFormat::Json {
                let state: Option<State> =
                    client.find(&format!("/tenants/{}/inventory", tenant.id))?;
                show(import.show, &json!({ "run": run, "state": state, "gaps": [] }), |_| {
                    String::new()
                })?;
            }
            check(&run, &tenant.name)?;
            Ok(super::EXIT_EQUAL)
        }
    }
}

/// What the sender says of the documents.
fn claim(text: &str) -> anyhow::Result<String> {
    match text.trim() {
        word @ ("complete" | "unknown") => Ok(word.to_owned()),
        other => {
            let types: Vec<String> = other
                .split(',')
                .map(|key| key.trim().to_owned())
                .filter(|key| !key.is_empty())
                .collect();
            if types.is_empty() {
                bail!("--coverage is empty; it is complete, unknown, or policy types with commas");
            }
            if let Some(word) =
                types.iter().find(|key| ["complete", "unknown"].contains(&key.as_str()))
            {
                bail!("--coverage is either `{word}` or a list of policy types, not both");
            }
            check_types(&types)?;
            Ok(types.join(","))
        }
    }
}

fn told(tenant: &Tenant, imported: &ImportView, left_aside: usize, style: Style) -> String {
    let mut out = String::new();
    let name = visible(&tenant.name);
    if let Some(result) = &imported.run.context.inventory_import {
        let _ = writeln!(
            out,
            "Imported {name}: {}, {} new or changed, {} as before{}",
            count(result.policies, "policy", "policies"),
            result.written,
            result.kept,
            if result.changed { "" } else { "; the state is the same" }
        );
    }
    if left_aside > 0 {
        let _ = writeln!(
            out,
            "Left aside: {} that no export writes",
            count(left_aside as u64, "file", "files")
        );
    }
    if let Some(state) = &imported.state {
        out.push_str(&coverage(state));
    }
    out.push_str(&gaps(&imported.gaps, style));
    let next = if tenant.profile.is_some() {
        format!("plumbline compare --tenant \"{name}\"")
    } else {
        format!(
            "plumbline capture --profile PROFILE --tenant \"{name}\", or plumbline assign --tenant \
             \"{name}\" --profile PROFILE"
        )
    };
    let _ = writeln!(out, "Next: {next}");
    out
}

fn gaps(gaps: &[StoredGap], style: Style) -> String {
    let that_count: Vec<&StoredGap> = gaps.iter().filter(|gap| gap.kind.lowers_trust()).collect();
    if that_count.is_empty() {
        return String::new();
    }
    let rows = that_count
        .iter()
        .take(MOST_GAPS)
        .map(|gap| {
            vec![
                label(Domain::CompareGap, gap.kind.as_str()),
                visible(&gap.source_file),
                visible(&gap.detail),
            ]
        })
        .collect();
    let mut out = table(&["gap", "document", "what it is"], rows, style);
    if that_count.len() > MOST_GAPS {
        let rest = (that_count.len() - MOST_GAPS) as u64;
        let _ = writeln!(out, "… {}; --format json has all", count(rest, "more gap", "more gaps"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sender_says() {
        let of = |text: &str| claim(text).unwrap();
        assert_eq!((of("complete"), of(" unknown")), ("complete".to_owned(), "unknown".to_owned()));
        let types = "windowsFeatureUpdateProfile,intuneRoleDefinition";
        assert_eq!(of("windowsFeatureUpdateProfile, intuneRoleDefinition,"), types);
        for wrong in ["", " , ", "complete,a", "a,unknown", "a"] {
            assert!(claim(wrong).is_err(), "{wrong:?}");
        }
    }
}
