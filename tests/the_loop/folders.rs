//! Two ways to one answer: what a compare of two folders finds, the loop finds too, through import,
//! capture and stored captures.

use crate::world::World;
use futures::executor::block_on;
use plumbline_governance::compare::CompareOptions;
use plumbline_governance::scope::Scope;
use plumbline_operations::{CoverageClaim, ImportOptions, NewProfile};
use plumbline_tests::{Files, compare_files, data, read_folder, samples};
use std::collections::BTreeMap;
use std::path::Path;

type Bytes = BTreeMap<String, Vec<u8>>;

fn through_the_loop(golden: &Bytes, current: &Bytes) -> Vec<String> {
    let world = World::new();
    let (source, other) = (world.tenant("golden"), world.tenant("other"));
    let new = NewProfile {
        name: "All".to_owned(),
        scope: Scope {
            policy_types: Vec::new(),
            foundation_types: vec!["intuneRoleDefinition".to_owned()],
        },
        ..NewProfile::default()
    };
    let profile = block_on(world.system.create_profile(world.workspace, &world.actor, new))
        .expect("a profile")
        .id;
    let options = ImportOptions { coverage: CoverageClaim::Complete, ..ImportOptions::default() };
    for (tenant, files) in [(source, golden), (other, current)] {
        let mut documents = files.iter().map(|(name, bytes)| Ok((name.clone(), bytes.clone())));
        block_on(world.system.import(
            world.workspace,
            &world.actor,
            tenant,
            &options,
            &mut documents,
        ))
        .unwrap();
    }
    let run = world.capture(profile, source);
    assert_eq!(run.outcome().as_str(), "succeeded", "{:?}", run.failure());
    world.activate(profile);
    world.assign(other, profile);
    world.compare(other);
    let mut out: Vec<String> = world
        .findings(other)
        .iter()
        .map(|one| {
            let drift = &one.finding.drift;
            format!(
                "{} {} {} {} {}",
                drift.change_type.as_str(),
                drift.policy_type,
                drift.display_name,
                drift.severity_rule,
                drift.changes
            )
        })
        .collect();
    out.sort();
    let checked = block_on(world.system.verify(world.workspace)).unwrap();
    assert_eq!(checked.damage, Vec::new());
    out
}

fn by_folders(golden: &Bytes, current: &Bytes) -> Vec<String> {
    let side = |files: &Bytes| Files { files: files.clone(), complete: true, ..Files::default() };
    let report = compare_files(&side(golden), &side(current), &CompareOptions::default());
    let mut out: Vec<String> = report
        .drift
        .iter()
        .map(|drift| {
            format!(
                "{} {} {} {} {}",
                drift.change_type.as_str(),
                drift.policy_type,
                drift.display_name,
                drift.severity_rule,
                drift.changes.len()
            )
        })
        .collect();
    out.sort();
    out
}

fn agree(golden: &Path, current: &Path) -> usize {
    let (golden, current) = (read_folder(golden), read_folder(current));
    let found = through_the_loop(&golden, &current);
    assert_eq!(found, by_folders(&golden, &current));
    found.len()
}

#[test]
fn the_samples_give_the_same_findings_both_ways() {
    let found = agree(&samples().join("golden"), &samples().join("tenant"));
    assert!(found > 10, "{found}");
}

#[test]
fn real_exports_give_the_same_findings_both_ways() {
    let Some(data) = data() else {
        eprintln!("PLUMBLINE_DATA is not set: real exports are skipped");
        return;
    };
    for (golden, current, least) in [("oib-vA", "oib-vB", 10), ("ca-vA", "ca-vB", 5)] {
        let found = agree(&data.join(golden), &data.join(current));
        assert!(found >= least, "{golden}: {found}");
    }
}
