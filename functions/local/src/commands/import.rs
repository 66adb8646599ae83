//! `plumbline import`: exported policies become the new state of a tenant.

use super::show::{count, show, visible};
use super::tenant::coverage;
use super::work::check;
use crate::cli::data::DataArgs;
use crate::cli::work::ImportArgs;
use crate::data::Data;
use crate::documents::Documents;
use crate::listing::{label, table};
use crate::progress::Progress;
use crate::render::Style;
use anyhow::bail;
use futures::executor::block_on;
use plumbline_governance::badge::Domain;
use plumbline_governance::index::StoredGap;
use plumbline_operations::{CoverageClaim, ImportOptions, Imported, Tenant};
use serde_json::json;
use std::fmt::Write as _;

/// Gaps that are shown; `--format json` has all.
const MOST_GAPS: usize = 20;

pub(super) fn run(args: &DataArgs, import: &ImportArgs) -> anyhow::Result<u8> {
    let options = ImportOptions {
        coverage: claim(&import.coverage)?,
        confirm_empty: import.confirm_empty.clone(),
    };
    let data = Data::open(args)?;
    let workspace = data.workspace()?.id;
    let tenant = data.tenant(workspace, &import.tenant)?;
    let mut documents = Documents::open(&import.paths)?;
    let progress = Progress::endless("importing");
    let mut counted = documents.by_ref().inspect(|_| progress.step());
    let imported =
        block_on(data.system.import(workspace, &data.actor, tenant.id, &options, &mut counted));
    progress.finish();
    let imported = imported?;
    let value = json!({ "run": imported.run, "state": imported.state, "gaps": imported.gaps });
    if imported.run.failure().is_none() {
        show(import.show, &value, |style| told(&tenant, &imported, documents.left_aside(), style))?;
    } else if import.show.format == crate::cli::data::ShowFormat::Json {
        show(import.show, &value, |_| String::new())?;
    }
    check(&imported.run, &tenant.name)?;
    Ok(super::EXIT_EQUAL)
}

/// What the sender says of the documents.
fn claim(text: &str) -> anyhow::Result<CoverageClaim> {
    match text.trim() {
        "complete" => Ok(CoverageClaim::Complete),
        "unknown" => Ok(CoverageClaim::Unknown),
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
            Ok(CoverageClaim::Types(types))
        }
    }
}

fn told(tenant: &Tenant, imported: &Imported, left_aside: usize, style: Style) -> String {
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
        assert_eq!(claim("complete").unwrap(), CoverageClaim::Complete);
        assert_eq!(claim("unknown").unwrap(), CoverageClaim::Unknown);
        let types = |keys: &[&str]| {
            CoverageClaim::Types(keys.iter().map(|key| (*key).to_owned()).collect())
        };
        assert_eq!(claim("a, b,").unwrap(), types(&["a", "b"]));
        for wrong in ["", " , ", "complete,a", "a,unknown"] {
            assert!(claim(wrong).is_err(), "{wrong:?}");
        }
    }
}
