//! Real exports, and the drift between them that was worked out without the product.

use plumbline_governance::compare::{CompareOptions, ReferenceMode};
use plumbline_governance::inventory::Reader;
use plumbline_governance::matching::MatchMode;
use plumbline_governance::report::{ChangeType, Facet, Report};
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use plumbline_tests::{Files, compare_files, data, read_folder};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

fn side(root: &Path, name: &str) -> Files {
    Files { files: read_folder(&root.join(name)), complete: true, ..Files::default() }
}

fn options(mode: MatchMode) -> CompareOptions {
    CompareOptions {
        mode,
        facets: vec![Facet::Content, Facet::Label, Facet::Assignments],
        references: ReferenceMode::Literal,
        ..CompareOptions::default()
    }
}

/// The files that a report names under one change type, golden and current where there are both.
fn found(report: &Report, change: ChangeType) -> BTreeSet<(Option<String>, Option<String>)> {
    report
        .drift
        .iter()
        .filter(|drift| drift.change_type == change)
        .map(|drift| {
            (
                drift.baseline.as_ref().map(|version| version.source_file.clone()),
                drift.current.as_ref().map(|version| version.source_file.clone()),
            )
        })
        .collect()
}

/// The same from the ground truth, without the foundations that are no subjects here (see
/// `shared/decisions/0006-ground-truth.md`).
fn expected(mode: &Value, list: &str) -> BTreeSet<(Option<String>, Option<String>)> {
    let text = |entry: &Value, name: &str| entry[name].as_str().map(str::to_owned);
    mode[list]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| entry["policy_type"] != "namedLocation")
        .map(|entry| match list {
            "missing_policy" => (text(entry, "file"), None),
            "unexpected_policy" => (None, text(entry, "file")),
            _ => (text(entry, "golden_file"), text(entry, "tenant_file")),
        })
        .collect()
}

#[test]
fn drift_agrees_with_the_ground_truth_name_by_name() {
    let Some(root) = data() else {
        println!("skipped: PLUMBLINE_DATA is not set, so no real exports were compared");
        return;
    };
    for (truth, golden, tenant) in
        [("expected-drift.json", "oib-vA", "oib-vB"), ("expected-drift-ca.json", "ca-vA", "ca-vB")]
    {
        let truth: Value =
            serde_json::from_slice(&std::fs::read(root.join(truth)).unwrap()).unwrap();
        let (baseline, current) = (side(&root, golden), side(&root, tenant));
        println!(
            "{golden}: {} files, {tenant}: {} files",
            baseline.files.len(),
            current.files.len()
        );
        for (name, mode) in [
            ("external_id", MatchMode::Id),
            ("display_name", MatchMode::Name),
            ("display_name_base", MatchMode::BaseName),
        ] {
            let report = compare_files(&baseline, &current, &options(mode));
            let mode = &truth["modes"][name];
            let different: BTreeSet<_> = expected(mode, "different_version_content")
                .union(&expected(mode, "different_version_label_only"))
                .cloned()
                .collect();
            let case = format!("{golden} to {tenant} by {name}");
            assert_eq!(
                found(&report, ChangeType::MissingPolicy),
                expected(mode, "missing_policy"),
                "{case}"
            );
            assert_eq!(
                found(&report, ChangeType::UnexpectedPolicy),
                expected(mode, "unexpected_policy"),
                "{case}"
            );
            assert_eq!(found(&report, ChangeType::DifferentVersion), different, "{case}");
            for drift in &report.drift {
                if drift.change_type == ChangeType::DifferentVersion {
                    assert!(
                        !drift.changes.is_empty(),
                        "{case}: {} has no evidence",
                        drift.display_name
                    );
                }
            }
        }
    }
}

/// Which catalog types may stand for the general type that a manifest names.
fn general_type(policy_type: &str) -> &str {
    match policy_type {
        "endpointSecurityPolicy"
        | "securityBaselinePolicy"
        | "linuxPlatformScript"
        | "windowsDevicePreparationPolicy" => "settingsCatalogPolicy",
        "windowsUpdateRing" | "appleSoftwareUpdateConfiguration" => "deviceConfiguration",
        "appProtectionPolicyIos" | "appProtectionPolicyAndroid" | "appProtectionPolicyWindows" => {
            "appProtectionPolicy"
        }
        "windowsEnrollmentStatusPage"
        | "windowsRestoreEnrollment"
        | "deviceEnrollmentLimit"
        | "deviceEnrollmentPlatformRestriction" => "deviceEnrollmentConfiguration",
        "intuneRoleDefinition" => "roleDefinition",
        other => other,
    }
}

#[test]
fn every_real_file_is_classified_or_named_as_a_gap() {
    let Some(root) = data() else {
        println!("skipped: PLUMBLINE_DATA is not set, so no real files were classified");
        return;
    };
    let reader = Reader {
        key: SecretKey::new("test", [7; 32]),
        localiser: Localiser::new(&TenantFacts::default()),
        annotations: false,
    };
    let mut read = 0;
    for folder in [
        "oib-vA",
        "oib-vB",
        "ca-vA",
        "ca-vB",
        "policy-types",
        "role-definitions",
        "graph-pages",
        "graph-docs-examples",
        "edge-cases",
    ] {
        let manifest: Value = serde_json::from_slice(
            &std::fs::read(root.join(folder).join("manifest.json")).unwrap(),
        )
        .unwrap();
        let entries = manifest["files"].as_array().or(manifest.as_array()).unwrap();
        for entry in entries {
            let file = entry["file"].as_str().unwrap();
            let reading =
                reader.read_file(file, &std::fs::read(root.join(folder).join(file)).unwrap());
            read += 1;
            let case = format!("{folder}/{file}");
            assert!(
                !reading.subjects.is_empty()
                    || !reading.gaps.is_empty()
                    || !reading.types_read.is_empty(),
                "{case} vanished"
            );
            let general = entry["policy_type"].as_str().unwrap();
            if matches!(general, "listPage" | "docsExample") {
                for subject in &reading.subjects {
                    println!("{case}: {} {}", subject.policy_type.key, subject.title());
                }
                for (gap, _) in &reading.gaps {
                    println!("{case}: gap {} {}", gap.kind.as_str(), gap.detail);
                }
                continue;
            }
            let [subject] = reading.subjects.as_slice() else {
                panic!("{case}: {:?}", reading.gaps);
            };
            assert_eq!(general_type(&subject.policy_type.key), general, "{case}");
            let id = entry["external_id"].as_str().filter(|id| !id.is_empty());
            assert_eq!(subject.external_id.as_deref(), id, "{case}");
            let name = entry["display_name"].as_str().filter(|name| !name.is_empty());
            assert_eq!(subject.display_name.as_deref(), name, "{case}");
        }
    }
    println!("{read} real files were read");
    assert!(read > 300, "only {read} real files were found");
}

#[test]
fn two_serialisations_of_one_policy_hash_equal() {
    let Some(root) = data() else {
        println!("skipped: PLUMBLINE_DATA is not set");
        return;
    };
    let reader = Reader {
        key: SecretKey::new("test", [7; 32]),
        localiser: Localiser::new(&TenantFacts::default()),
        annotations: false,
    };
    let folder = root.join("edge-cases/two-serialisations");
    let files = read_folder(&folder);
    let mut pairs = 0;
    for (name, bytes) in &files {
        let Some(rest) = name.strip_prefix("full-metadata--") else { continue };
        let other = &files[&format!("portal-export--{rest}")];
        let read = |name: &str, bytes: &[u8]| reader.read_file(name, bytes).subjects.remove(0);
        let (full, portal) = (read(name, bytes), read(name, other));
        assert_eq!(full.facets, portal.facets, "{rest}");
        assert_eq!(full.key, portal.key, "{rest}");
        pairs += 1;
    }
    assert_eq!(pairs, 2);
}
