//! `plumbline compare`.

use super::{check_output, exit_code, write_report};
use crate::cli::CompareArgs;
use crate::folder::{Folder, Sides, ephemeral_key};
use crate::progress::Progress;
use anyhow::{Context as _, bail};
use plumbline_governance::compare::{CompareOptions, compare};
use plumbline_governance::report::{Facet, Report};
use plumbline_governance::scope::{EffectiveScope, Scope};
use std::path::Path;

/// What is to be compared.
pub(super) enum Form<'a> {
    /// Two folders.
    Folders {
        /// The golden one.
        baseline: &'a Path,
        /// The one held to it.
        current: &'a Path,
    },
    /// Tenants of the data directory.
    Data,
}

/// Tells the two forms apart; one that is neither is refused with both.
pub(super) fn form(args: &CompareArgs) -> anyhow::Result<Form<'_>> {
    let data = args.tenant.is_some() || args.all;
    match (&args.baseline, &args.current, data) {
        (Some(baseline), Some(current), false) => Ok(Form::Folders { baseline, current }),
        (None, None, true) => Ok(Form::Data),
        (None, None, false) => bail!(
            "nothing is named to compare; name two folders (--baseline DIR --current DIR), or tenants of \
             the data directory (--tenant TENANT or --all)"
        ),
        (_, _, true) => bail!(
            "--baseline and --current compare two folders, --tenant and --all compare tenants of the data \
             directory; name one of the two forms"
        ),
        (Some(_), None, false) => bail!("--current is missing; a compare of folders needs both"),
        (None, Some(_), false) => bail!("--baseline is missing; a compare of folders needs both"),
    }
}

pub(super) fn run(args: &CompareArgs, baseline: &Path, current: &Path) -> anyhow::Result<u8> {
    check_output(&args.output)?;
    let report = report(args, baseline, current)?;
    write_report(&report, &args.output)?;
    Ok(exit_code(&report, &args.verdict))
}

fn report(args: &CompareArgs, golden: &Path, other: &Path) -> anyhow::Result<Report> {
    let mut facets: Vec<Facet> = args.facets.iter().map(|facet| (*facet).into()).collect();
    facets.sort_unstable();
    facets.dedup();
    let options = CompareOptions {
        mode: args.mode.into(),
        facets,
        scope: args
            .scope
            .as_deref()
            .map(read_scope)
            .transpose()?
            .map_or_else(|| Ok(EffectiveScope::everything()), |scope| scope.effective())?,
        references: args.references.into(),
        ..CompareOptions::default()
    };
    for path in [golden, other] {
        if path.is_file() {
            bail!("{} is a file; name a folder of exported policies", path.display());
        }
    }
    let key = ephemeral_key()?;
    let baseline = Folder::open(golden, args.baseline_tenant.as_deref(), key.clone())?;
    let current = Folder::open(other, args.current_tenant.as_deref(), key)?;
    let names = (golden.display().to_string(), other.display().to_string());
    compare_folders(
        &baseline,
        &current,
        names,
        (args.complete.baseline(), args.complete.current()),
        &options,
    )
}

/// Compares two folders that are open.
pub(super) fn compare_folders(
    baseline: &Folder,
    current: &Folder,
    names: (String, String),
    complete: (bool, bool),
    options: &CompareOptions,
) -> anyhow::Result<Report> {
    let progress = Progress::new(baseline.len() + current.len(), "reading");
    let golden = baseline.inventory(names.0.clone(), complete.0, &|| progress.step());
    let other = current.inventory(names.1, complete.1, &|| progress.step());
    progress.finish();
    if golden.subjects.is_empty() && golden.gaps.iter().all(|(gap, _)| !gap.kind.lowers_trust()) {
        bail!(
            "{} holds no policy that can be compared; name the folder that an export wrote \
             (`plumbline inspect {}` shows what is in it)",
            names.0,
            names.0
        );
    }
    Ok(compare(&golden, &other, options, &Sides { baseline, current }))
}

/// Reads a scope as it is written.
pub(super) fn read_scope(path: &Path) -> anyhow::Result<Scope> {
    let bytes =
        std::fs::read(path).with_context(|| format!("cannot read the scope {}", path.display()))?;
    let scope: Scope = serde_json::from_slice(&bytes).with_context(|| {
        format!(
            "{} holds no scope; write {{\"policy_types\": [\"…\"], \"foundation_types\": [\"…\"]}}",
            path.display()
        )
    })?;
    scope.effective().with_context(|| format!("the scope {} is refused", path.display()))?;
    Ok(scope)
}
