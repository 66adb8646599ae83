//! Contracts 2: subjects, keys and the matching ladder.

use super::build::{feature, id, of, page, settings, with, without};
use super::{Row, check, pair, row};
use plumbline_governance::matching::MatchMode;
use plumbline_governance::report::MatchedBy;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const FEATURES: &str = "deviceManagement/windowsFeatureUpdateProfiles";

fn pages(rule: &'static str, baseline: &[Value], current: &[Value]) -> Row {
    row(rule, &[("b.json", page(FEATURES, baseline))], &[("c.json", page(FEATURES, current))])
}

impl Row {
    fn by(self, mode: MatchMode) -> Self {
        self.asking(|options| options.mode = mode)
    }

    fn content_only(self) -> Self {
        self.asking(|options| options.facets.truncate(1))
    }
}

#[test]
fn a_key_is_type_platform_family_and_folded_name() {
    let plain = || settings("Win - Laps", 1, &[("a", "1")]);
    let mac = || with(settings("Win - Laps", 2, &[("a", "1")]), json!({ "platforms": "macOS" }));
    let security = |number| {
        let reference =
            json!({ "templateId": "t_1", "templateFamily": "endpointSecurityFirewall" });
        with(
            settings("Win - Laps", number, &[("a", "1")]),
            json!({ "templateReference": reference }),
        )
    };
    let disk = |number| {
        let reference =
            json!({ "templateId": "t_1", "templateFamily": "endpointSecurityDiskEncryption" });
        with(
            settings("Win - Laps", number, &[("a", "1")]),
            json!({ "templateReference": reference }),
        )
    };
    check(vec![
        pair(
            "2.1: case, outer and inner white space",
            plain(),
            settings("  WIN -  LAPS ", 9, &[("a", "1")]),
        )
        .content_only()
        .gives(&["full, 1 unchanged"]),
        row(
            "2.1: platforms tell apart",
            &[("b.json", plain()), ("m.json", mac())],
            &[("m.json", mac())],
        )
        .gives(&[
            "missing_policy settingsCatalogPolicy Win - Laps: missing high policy.missing",
            "full, 1 unchanged",
        ]),
        row(
            "2.1: template families tell apart",
            &[("s.json", security(3)), ("d.json", disk(4))],
            &[("d.json", disk(5))],
        )
        .gives(&[
            "missing_policy endpointSecurityPolicy Win - Laps: missing high policy.missing",
            "full, 1 unchanged",
        ]),
        pair(
            "2.1: a default object is its suffix, whatever its name and account",
            limit("5e11ab1e-0000-4000-8000-00000000000a_DefaultLimit", "All Users"),
            limit("5e11ab1e-0000-4000-8000-00000000000b_DefaultLimit", "Alle Benutzer"),
        )
        .content_only()
        .gives(&["full, 1 unchanged"]),
    ]);
}

fn limit(id: &str, name: &str) -> Value {
    of(
        "deviceManagement/deviceEnrollmentConfigurations",
        json!({
            "@odata.type": "#microsoft.graph.deviceEnrollmentLimitConfiguration",
            "id": id, "displayName": name, "limit": 5, "assignments": [],
        }),
    )
}

#[test]
fn subjects_that_share_a_key_are_told_apart() {
    let twin = |number, version: &str| feature("Twin", number, version);
    let versioned =
        |n: u32, number, version: &str| feature(&format!("Base - v{n}.0"), number, version);
    let changed = |by: &'static str| -> [&'static str; 2] {
        match by {
            "key" => [
                "different_version windowsFeatureUpdateProfile Twin: content medium policy.content, by key 95",
                r#". content featureUpdateVersion: changed "2" to "3""#,
            ],
            _ => [
                "different_version windowsFeatureUpdateProfile Base - v2.0: content medium policy.content, by base_name 95",
                r#". content featureUpdateVersion: changed "2" to "3""#,
            ],
        }
    };
    let [key, key_change] = changed("key");
    let [base, base_change] = changed("base");
    check(vec![
        pages("2.2: by id", &[twin(1, "1"), twin(2, "2")], &[twin(2, "3"), twin(1, "1")]).gives(&[
            key,
            key_change,
            "full, 1 unchanged",
        ]),
        pages("2.2: id goes before equal content", &[twin(1, "1"), twin(2, "2")], &[twin(1, "2"), twin(2, "1")])
            .gives(&[
                "different_version windowsFeatureUpdateProfile Twin: content medium policy.content, by key 95",
                r#". content featureUpdateVersion: changed "2" to "1""#,
                "different_version windowsFeatureUpdateProfile Twin: content medium policy.content, by key 95",
                r#". content featureUpdateVersion: changed "1" to "2""#,
                "full, 0 unchanged",
            ]),
        pages(
            "2.2: by id alone, where the base name is shared and no name is",
            &[versioned(1, 1, "1"), versioned(2, 2, "2")],
            &[versioned(3, 2, "1"), versioned(4, 1, "2")],
        )
        .by(MatchMode::BaseName)
        .content_only()
        .gives(&[
            "different_version windowsFeatureUpdateProfile Base - v1.0: content medium policy.content, by base_name 95",
            r#". content featureUpdateVersion: changed "1" to "2""#,
            "different_version windowsFeatureUpdateProfile Base - v2.0: content medium policy.content, by base_name 95",
            r#". content featureUpdateVersion: changed "2" to "1""#,
            "pair Base - v1.0 = Base - v4.0 by base_name 95",
            "pair Base - v2.0 = Base - v3.0 by base_name 95",
            "full, 0 unchanged",
        ]),
        pages(
            "2.2: by name, where the base name is shared",
            &[versioned(1, 1, "1"), versioned(2, 2, "2")],
            &[versioned(2, 8, "3"), versioned(1, 9, "1")],
        )
        .by(MatchMode::BaseName)
        .gives(&[
            base,
            base_change,
            "pair Base - v1.0 = Base - v1.0 by base_name 95",
            "pair Base - v2.0 = Base - v2.0 by base_name 95",
            "full, 1 unchanged",
        ]),
        pages("2.2: by equal content, then the one left", &[twin(1, "1"), twin(2, "2")], &[twin(8, "3"), twin(9, "1")])
            .gives(&[
                key,
                key_change,
                "pair Twin = Twin by key 95",
                "pair Twin = Twin by key 95",
                "full, 1 unchanged",
            ]),
        pages("2.2: a leftover is missing", &[twin(1, "1"), twin(2, "2")], &[twin(2, "2")]).gives(&[
            "missing_policy windowsFeatureUpdateProfile Twin: missing high policy.missing",
            "full, 1 unchanged",
        ]),
        pages("2.2: a leftover is unexpected", &[twin(1, "1")], &[twin(1, "1"), twin(2, "2")]).gives(&[
            "unexpected_policy windowsFeatureUpdateProfile Twin: unexpected low policy.unexpected",
            "full, 1 unchanged",
        ]),
        pages("2.2: ambiguous with two free candidates", &[twin(1, "1")], &[twin(8, "2"), twin(9, "3")]).gives(&[
            "no verdict on windowsFeatureUpdateProfile Twin: ambiguous_match would be anything",
            "no verdict on windowsFeatureUpdateProfile Twin: ambiguous_match would be anything",
            "no verdict on windowsFeatureUpdateProfile Twin: ambiguous_match would be anything",
            "gap ambiguous_match baseline windowsFeatureUpdateProfile b.json",
            "gap ambiguous_match current windowsFeatureUpdateProfile c.json",
            "unproven_suppressed, 0 unchanged",
        ]),
        pages(
            "2.2: ambiguity takes no other subject's verdict",
            &[twin(1, "1"), feature("Other", 3, "1")],
            &[twin(8, "2"), twin(9, "3"), feature("Other", 3, "2")],
        )
        .gives(&[
            "different_version windowsFeatureUpdateProfile Other: content medium policy.content, by key 100",
            r#". content featureUpdateVersion: changed "1" to "2""#,
            "no verdict on windowsFeatureUpdateProfile Twin: ambiguous_match would be anything",
            "no verdict on windowsFeatureUpdateProfile Twin: ambiguous_match would be anything",
            "no verdict on windowsFeatureUpdateProfile Twin: ambiguous_match would be anything",
            "gap ambiguous_match baseline windowsFeatureUpdateProfile b.json",
            "gap ambiguous_match current windowsFeatureUpdateProfile c.json",
            "partial_suppressed, 0 unchanged",
        ]),
    ]);
}

#[test]
fn each_mode_matches_by_its_own_word() {
    let gone = "missing_policy windowsFeatureUpdateProfile Old: missing high policy.missing";
    let extra =
        "unexpected_policy windowsFeatureUpdateProfile New: unexpected low policy.unexpected";
    let (old, new) = (|| feature("Old", 1, "1"), |number| feature("New", number, "1"));
    let renamed = "different_version windowsFeatureUpdateProfile Old: metadata_only low policy.metadata, by id 100";
    let renamed_name = r#". label displayName: changed "Old" to "New""#;
    let versions = |rule| {
        pair(rule, feature("A - v1.0", 1, "1"), feature("A - v2.0.1", 2, "1")).content_only()
    };
    check(vec![
        pair("2.2: id: a rename is a label", old(), new(1)).by(MatchMode::Id).gives(&[
            renamed,
            renamed_name,
            "full, 0 unchanged",
        ]),
        pair("2.2: id: another id is another policy", old(), new(2)).by(MatchMode::Id).gives(&[
            gone,
            extra,
            "full, 0 unchanged",
        ]),
        pair("2.2: id: no id is a gap", old(), without(old(), "id")).by(MatchMode::Id).gives(&[
            "missing_policy windowsFeatureUpdateProfile Old: missing high policy.missing",
            "no verdict on windowsFeatureUpdateProfile Old: no_identity would be anything",
            "gap no_identity current windowsFeatureUpdateProfile c.json",
            "partial_suppressed, 0 unchanged",
        ]),
        pair("2.2: name: a rename is two policies", old(), new(1)).by(MatchMode::Name).gives(&[
            gone,
            extra,
            "full, 0 unchanged",
        ]),
        pair("2.2: name: no name is a gap", old(), without(old(), "displayName")).by(MatchMode::Name).gives(&[
            gone,
            "no verdict on windowsFeatureUpdateProfile 5e11ab1e-0000-4000-8000-000000000001: no_identity would be anything",
            "gap no_identity current windowsFeatureUpdateProfile c.json",
            "partial_suppressed, 0 unchanged",
        ]),
        versions("2.2: name: a version is part of it").by(MatchMode::Name).gives(&[
            "missing_policy windowsFeatureUpdateProfile A - v1.0: missing high policy.missing",
            "unexpected_policy windowsFeatureUpdateProfile A - v2.0.1: unexpected low policy.unexpected",
            "full, 0 unchanged",
        ]),
        versions("2.2: base name: a version is not").by(MatchMode::BaseName).gives(&[
            "pair A - v1.0 = A - v2.0.1 by base_name 100",
            "full, 1 unchanged",
        ]),
        versions("2.2: auto: base name").gives(&[
            "pair A - v1.0 = A - v2.0.1 by base_name 90",
            "full, 1 unchanged",
        ]),
        pair("2.2: auto: id", old(), with(new(1), json!({ "featureUpdateVersion": "9" }))).content_only().gives(&[
            "different_version windowsFeatureUpdateProfile Old: content medium policy.content, by id 95",
            r#". content featureUpdateVersion: changed "1" to "9""#,
            "pair Old = New by id 95",
            "full, 0 unchanged",
        ]),
        pair("2.2: auto: content", old(), new(2)).content_only().gives(&[
            "pair Old = New by content 85",
            "full, 1 unchanged",
        ]),
        pair("2.2: auto: neither", old(), feature("New", 2, "2")).gives(&[gone, extra, "full, 0 unchanged"]),
    ]);
}

/// The ladder: an exact key wins over an id, an id over a base name, a base name over equal content.
#[test]
fn the_ladder_goes_from_strong_to_weak() {
    check(vec![
        pages(
            "2.2: key before id",
            &[feature("A", 1, "1"), feature("B", 2, "2")],
            &[feature("A", 2, "1"), feature("B", 1, "2")],
        )
        .gives(&["full, 2 unchanged"]),
        pages(
            "2.2: id before base name",
            &[feature("A - v1", 1, "1"), feature("B", 2, "9")],
            &[feature("A - v2", 2, "9"), feature("C - v2", 1, "1")],
        )
        .content_only()
        .gives(&[
            "pair A - v1 = C - v2 by id 95",
            "pair B = A - v2 by id 95",
            "full, 2 unchanged",
        ]),
        pages(
            "2.2: base name before content",
            &[feature("A - v1", 1, "1")],
            &[feature("A - v2", 8, "2"), feature("Z", 9, "1")],
        )
        .content_only()
        .gives(&[
            "different_version windowsFeatureUpdateProfile A - v1: content medium policy.content, by base_name 90",
            r#". content featureUpdateVersion: changed "1" to "2""#,
            "unexpected_policy windowsFeatureUpdateProfile Z: unexpected low policy.unexpected",
            "pair A - v1 = A - v2 by base_name 90",
            "full, 0 unchanged",
        ]),
    ]);
}

#[test]
fn similarity_needs_a_clear_best_partner() {
    let chosen = |changed: usize| -> Vec<(String, String)> {
        (0..10).map(|n| (format!("d{n}"), if n < changed { "9" } else { "1" }.to_owned())).collect()
    };
    let policy = |name: &str, number, changed| {
        let chosen = chosen(changed);
        let chosen: Vec<(&str, &str)> =
            chosen.iter().map(|(d, o)| (d.as_str(), o.as_str())).collect();
        settings(name, number, &chosen)
    };
    let gone = "missing_policy settingsCatalogPolicy Old: missing high policy.missing";
    let rows = vec![
        pair("2.2: one of ten settings differs", policy("Old", 1, 0), policy("New", 2, 1))
            .content_only(),
        pair("2.2: nine of ten settings differ", policy("Old", 1, 0), policy("New", 2, 9))
            .content_only()
            .gives(&[
                gone,
                "unexpected_policy settingsCatalogPolicy New: unexpected low policy.unexpected",
                "full, 0 unchanged",
            ]),
        row(
            "2.2: two partners as good as each other",
            &[("b.json", policy("Old", 1, 0))],
            &[("c.json", policy("New", 2, 1)), ("d.json", policy("Newer", 3, 1))],
        )
        .content_only()
        .gives(&[
            gone,
            "unexpected_policy settingsCatalogPolicy New: unexpected low policy.unexpected",
            "unexpected_policy settingsCatalogPolicy Newer: unexpected low policy.unexpected",
            "full, 0 unchanged",
        ]),
    ];
    let similar = rows[0].report();
    let [drift] = similar.drift.as_slice() else { panic!("{:?}", super::words(&similar)) };
    assert_eq!(drift.matched_by, Some(MatchedBy::Similarity));
    assert!(drift.confidence.is_some_and(|score| (60..100).contains(&score)), "{drift:?}");
    assert_eq!(drift.changes.len(), 1);
    let [pair] = similar.pairs.as_slice() else { panic!("{:?}", similar.pairs) };
    assert_eq!(
        pair.reason,
        format!(
            "names and ids differ; {} % of the settings are equal, and no other policy comes near",
            pair.confidence
        )
    );
    check(rows.into_iter().skip(1).collect());
}

/// Why two were taken for one, in a sentence.
#[test]
fn a_pair_says_why() {
    let reason = |before: Value, after: Value| {
        pair("", before, after)
            .content_only()
            .report()
            .pairs
            .first()
            .map(|pair| pair.reason.clone())
    };
    let old = || feature("Old - v1", 1, "1");
    assert_eq!(reason(old(), feature("Old - v1", 2, "1")), None, "an exact match needs no reason");
    for (after, expected) in [
        (feature("New", 1, "1"), "the ids are equal, the names differ"),
        (with(old(), json!({ "platform": "other" })), "the ids are equal, the platforms differ"),
        (feature("Old - v2", 2, "1"), "the names are equal without their versions"),
        (feature("New", 2, "1"), "names and ids differ, every setting is equal"),
    ] {
        assert_eq!(reason(old(), after).as_deref(), Some(expected));
    }
}

/// Policies that share a name were paired by less than the name, and each pair says by what.
#[test]
fn a_pair_that_was_told_apart_says_by_what() {
    let twin = |number, version: &str| feature("Twin", number, version);
    let report = pages("", &[twin(1, "1"), twin(2, "2")], &[twin(8, "3"), twin(9, "1")]).report();
    let reasons: BTreeSet<&str> = report.pairs.iter().map(|pair| pair.reason.as_str()).collect();
    assert_eq!(
        reasons.into_iter().collect::<Vec<_>>(),
        [
            "several policies share the name; every setting of these two is equal",
            "several policies share the name; these two are the only ones left",
        ]
    );
}

#[test]
fn roles_match_by_id_in_every_mode() {
    let role =
        |name: &str, number| super::roles::role(name, number, &["Microsoft.Intune_Roles_Read"]);
    for mode in [MatchMode::Auto, MatchMode::Id, MatchMode::Name, MatchMode::BaseName] {
        check(vec![
            pair("2.2: another name", role("A", 1), role("B", 1)).by(mode).content_only().gives(&["full, 1 unchanged"]),
            row("2.2: another id", &[("b.json", role("A", 1))], &[("c.json", role("A", 2))]).by(mode).gives(&[
                "missing_policy intuneRoleDefinition A: missing high role.custom.missing, possibly 5e11ab1e-0000-4000-8000-000000000002",
                "unexpected_policy intuneRoleDefinition A: unexpected medium role.custom.unexpected, possibly 5e11ab1e-0000-4000-8000-000000000001",
                "full, 0 unchanged",
            ]),
        ]);
    }
    check(vec![pair("2.1: a role without id", role("A", 1), without(role("A", 1), "id")).gives(
        &[
            "missing_policy intuneRoleDefinition A: missing high role.custom.missing",
            "no verdict on intuneRoleDefinition A: no_identity would be anything",
            "gap no_identity current intuneRoleDefinition c.json",
            "partial_suppressed, 0 unchanged",
        ],
    )]);
    assert!(id(1) < id(2));
}
