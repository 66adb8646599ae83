//! `plumbline diff`: two files that hold one policy each, matched because they were named.

use super::{EXIT_DRIFT, EXIT_EQUAL, EXIT_NOT_PROVEN, check_output, write_report};
use crate::cli::DiffArgs;
use crate::folder::{Folder, Sides, ephemeral_key};
use anyhow::bail;
use plumbline_governance::compare::{CompareOptions, ReferenceMode, compare_two};
use plumbline_governance::inventory::Inventory;
use plumbline_governance::report::Facet;
use plumbline_policy::secret::SecretKey;
use std::path::Path;

pub(super) fn run(args: &DiffArgs) -> anyhow::Result<u8> {
    check_output(&args.output)?;
    let key = ephemeral_key()?;
    let (baseline, before) = one(&args.before, key.clone())?;
    let (current, after) = one(&args.after, key)?;
    let options = CompareOptions {
        facets: vec![Facet::Content, Facet::Label, Facet::Assignments],
        // The two are one policy because the caller says so; then ids are values.
        references: ReferenceMode::Literal,
        ..CompareOptions::default()
    };
    let types = (&before.subjects[0].policy_type.key, &after.subjects[0].policy_type.key);
    if types.0 != types.1 {
        bail!(
            "{} is a {}, {} is a {}; only policies of one type have a difference",
            args.before.display(),
            types.0,
            args.after.display(),
            types.1
        );
    }
    let report =
        compare_two(&before, &after, &options, &Sides { baseline: &baseline, current: &current });
    write_report(&report, &args.output)?;
    Ok(match (report.has_drift(), report.summary.gaps > 0) {
        (true, _) => EXIT_DRIFT,
        (false, true) => EXIT_NOT_PROVEN,
        (false, false) => EXIT_EQUAL,
    })
}

fn one(path: &Path, key: SecretKey) -> anyhow::Result<(Folder, Inventory)> {
    let folder = Folder::open(path, None, key)?;
    let inventory = folder.inventory(path.display().to_string(), true, &|| {});
    if let [_] = inventory.subjects.as_slice() {
        return Ok((folder, inventory));
    }
    let why = inventory.gaps.first().map_or_else(
        || format!("it holds {}", inventory.subjects.len()),
        |(gap, _)| gap.detail.clone(),
    );
    bail!("{} is not one policy that can be compared: {why}", path.display())
}
