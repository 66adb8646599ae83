//! Contracts 4.1 and 4.2: the fingerprint names one drift exactly, the recurrence key names a subject's
//! drift over time.

use super::build::{feature, id, of, page, with};
use super::{Row, pair};
use plumbline_governance::compare::ReferenceMode;
use plumbline_governance::matching::MatchMode;
use serde_json::{Value, json};

/// Fingerprint and recurrence key of the one drift.
fn names(row: &Row) -> (String, String) {
    let report = row.report();
    let [drift] = report.drift.as_slice() else { panic!("{:?}", super::words(&report)) };
    (drift.fingerprint.clone(), drift.recurrence_key.clone())
}

fn drifted(before: Value, after: Value) -> (String, String) {
    names(&pair("", before, after))
}

#[test]
fn the_fingerprint_follows_both_sides_and_the_recurrence_key_neither() {
    let plain = |version: &str| feature("F", 1, version);
    let first = drifted(plain("1"), plain("2"));
    assert_eq!(first, drifted(plain("1"), plain("2")), "the same drift has the same names");
    for (before, after) in [
        (plain("1"), plain("3")),
        (plain("0"), plain("2")),
        (plain("2"), plain("1")),
        (plain("1"), with(plain("2"), json!({ "description": "new" }))),
    ] {
        let other = drifted(before, after);
        assert_ne!(other.0, first.0);
        assert_eq!(other.1, first.1);
    }
    // What does not count has no part in either.
    let noise = with(
        plain("2"),
        json!({ "lastModifiedDateTime": "2026-01-01T00:00:00Z", "roleScopeTagIds": ["0", "5"] }),
    );
    assert_eq!(drifted(plain("1"), noise), first);
    // Another policy, another type: other names.
    let other = drifted(feature("G", 1, "1"), feature("G", 1, "2"));
    assert_ne!((&other.0, &other.1), (&first.0, &first.1));
    assert_ne!(other.1, first.1);
}

#[test]
fn a_change_of_kind_keeps_the_recurrence_key() {
    const FEATURES: &str = "deviceManagement/windowsFeatureUpdateProfiles";
    let plain = |version: &str| feature("F", 1, version);
    let different = drifted(plain("1"), plain("2"));
    let missing = drifted(plain("1"), page(FEATURES, &[]));
    let unexpected = drifted(page(FEATURES, &[]), plain("1"));
    assert_eq!((&missing.1, &unexpected.1), (&different.1, &different.1));
    let fingerprints = [&different.0, &missing.0, &unexpected.0];
    assert!(fingerprints.iter().enumerate().all(|(at, one)| !fingerprints[..at].contains(one)));
}

#[test]
fn a_version_in_a_name_keeps_the_recurrence_key() {
    let at = |name: &str, version: &str| feature(name, 1, version);
    let old = drifted(at("A - v1.0", "1"), at("A - v1.0", "2"));
    let new = drifted(at("A - v2.0", "1"), at("A - v2.0", "2"));
    assert_eq!(old.1, new.1);
    assert_ne!(old.0, new.0);
}

#[test]
fn a_role_recurs_by_its_id() {
    let role = |name: &str, number, action| super::roles::role(name, number, &[action]);
    let one = drifted(role("A", 1, "x_Read"), role("A", 1, "x_Update"));
    let renamed = drifted(role("B", 1, "x_Read"), role("B", 1, "x_Update"));
    let other = drifted(role("A", 2, "x_Read"), role("A", 2, "x_Update"));
    assert_eq!(one.1, renamed.1);
    assert_ne!(one.1, other.1);
}

/// A policy that points to another group is another version, although its digest is the same.
#[test]
fn the_fingerprint_holds_references() {
    let access = |group: u32| {
        of(
            "identity/conditionalAccess/policies",
            json!({
                "id": id(1), "displayName": "CA", "state": "enabled",
                "conditions": { "users": { "includeGroups": [id(group)] } }, "grantControls": null,
            }),
        )
    };
    let against = |group| {
        names(
            &pair("", access(50), access(group))
                .asking(|options| options.references = ReferenceMode::Literal),
        )
    };
    let (first, second) = (against(51), against(52));
    assert_ne!(first.0, second.0);
    assert_eq!(first.1, second.1);
}

/// One drift, found another way, is one drift.
#[test]
fn the_names_do_not_depend_on_the_mode() {
    let by = |mode| {
        names(
            &pair("", feature("F", 1, "1"), feature("F", 1, "2"))
                .asking(|options| options.mode = mode),
        )
    };
    assert_eq!(by(MatchMode::Auto), by(MatchMode::Id));
    assert_eq!(by(MatchMode::Auto), by(MatchMode::BaseName));
}
