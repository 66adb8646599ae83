//! Contracts 4.6 and 1.6: the kind of a difference and how urgent it is.

use super::build::{feature, id, of, quality, with};
use super::{check, pair, row};
use plumbline_governance::report::Facet;
use plumbline_governance::severity::RULES;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A policy with one setting that is a list of texts.
fn listed(definition: &str, values: &[&str]) -> Value {
    let values: Vec<Value> = values.iter().map(|value| json!({ "value": value })).collect();
    of(
        "deviceManagement/configurationPolicies",
        json!({
            "id": id(1), "name": "L", "platforms": "windows10", "technologies": "mdm", "assignments": [],
            "templateReference": { "templateFamily": "none" },
            "settings": [{ "id": "0", "settingInstance": {
                "@odata.type": "#microsoft.graph.deviceManagementConfigurationSimpleSettingCollectionInstance",
                "settingDefinitionId": definition, "simpleSettingCollectionValue": values,
            } }],
        }),
    )
}

const TLS: &str = "device_vendor_msft_policy_config_cryptography_tlsciphersuites";
const RIGHTS: &str = "device_vendor_msft_policy_config_userrights_accessfromnetwork";

#[test]
fn order_counts_where_a_list_has_one() {
    let ordered = |values: &[&str]| listed(TLS, values);
    let set = |values: &[&str]| listed(RIGHTS, values);
    check(vec![
        pair("1.6: an ordered list", ordered(&["a", "b"]), ordered(&["b", "a"])).gives(&[
            "different_version settingsCatalogPolicy L: content low policy.reordered, by key 100",
            r#". content settings/{device_vendor_msft_policy_config_cryptography_tlsciphersuites}/settingInstance/simpleSettingCollectionValue: reordered [{"value":"a"},{"value":"b"}] to [{"value":"b"},{"value":"a"}]"#,
            "full, 0 unchanged",
        ]),
        pair("1.6: a set", set(&["a", "b"]), set(&["b", "a"])).gives(&["full, 1 unchanged"]),
        pair("1.6: a keyed list", ordered(&["a"]), ordered(&["a"])).gives(&["full, 1 unchanged"]),
        pair("1.6: a set loses a member", set(&["a", "b"]), set(&["b"])).gives(&[
            "different_version settingsCatalogPolicy L: content medium policy.content, by key 100",
            r#". content settings/{device_vendor_msft_policy_config_userrights_accessfromnetwork}/settingInstance/simpleSettingCollectionValue: removed {"value":"a"} to -"#,
            "full, 0 unchanged",
        ]),
    ]);
    let order_and_label =
        pair("", ordered(&["a", "b"]), with(ordered(&["b", "a"]), json!({ "description": "new" })))
            .report();
    assert_eq!(
        order_and_label.drift[0].severity_rule, "policy.reordered",
        "a label makes it no worse"
    );
    let order_and_more = pair(
        "",
        ordered(&["a", "b"]),
        with(ordered(&["b", "a"]), json!({ "technologies": "mdm,appManagement" })),
    )
    .report();
    assert_eq!(order_and_more.drift[0].severity_rule, "policy.content");
    let order_and_targets = pair(
        "",
        ordered(&["a", "b"]),
        with(ordered(&["b", "a"]), json!({ "roleScopeTagIds": ["0"] })),
    )
    .all_facets()
    .report();
    assert_ne!(
        order_and_targets.drift[0].severity.as_str(),
        "low",
        "targets that differ are medium"
    );
}

#[test]
fn each_kind_has_a_severity_and_a_rule() {
    let plain = || feature("F", 1, "1");
    let targets =
        json!([{ "target": { "@odata.type": "#microsoft.graph.allDevicesAssignmentTarget" } }]);
    let spare = || ("z.json", feature("Z", 9, "1"));
    check(vec![
        row("4.6: missing", &[("f.json", plain()), spare()], &[spare()]).gives(&[
            "missing_policy windowsFeatureUpdateProfile F: missing high policy.missing",
            "full, 1 unchanged",
        ]),
        row("4.6: unexpected", &[spare()], &[("f.json", plain()), spare()]).gives(&[
            "unexpected_policy windowsFeatureUpdateProfile F: unexpected low policy.unexpected",
            "full, 1 unchanged",
        ]),
        pair("4.6: content", plain(), feature("F", 1, "2")).gives(&[
            "different_version windowsFeatureUpdateProfile F: content medium policy.content, by key 100",
            r#". content featureUpdateVersion: changed "1" to "2""#,
            "full, 0 unchanged",
        ]),
        pair("4.6: metadata only", plain(), with(plain(), json!({ "description": "new" }))).gives(&[
            "different_version windowsFeatureUpdateProfile F: metadata_only low policy.metadata, by key 100",
            r#". label description: added - to "new""#,
            "full, 0 unchanged",
        ]),
        pair("4.6: metadata that does not count", plain(), with(plain(), json!({ "description": "new" })))
            .asking(|options| options.facets = vec![Facet::Content])
            .gives(&["full, 1 unchanged"]),
        pair("4.6: content is stronger than metadata", plain(), with(feature("F", 1, "2"), json!({ "description": "new" })))
            .gives(&[
                "different_version windowsFeatureUpdateProfile F: content medium policy.content, by key 100",
                r#". content featureUpdateVersion: changed "1" to "2""#,
                r#". label description: added - to "new""#,
                "full, 0 unchanged",
            ]),
    ]);
    let report =
        pair("4.6: assignments only", plain(), with(plain(), json!({ "assignments": targets })))
            .all_facets()
            .report();
    let [drift] = report.drift.as_slice() else { panic!("{:?}", super::words(&report)) };
    assert_eq!(
        (drift.diff_kind.as_str(), drift.severity.as_str(), drift.severity_rule),
        ("assignments_only", "medium", "policy.assignments")
    );
    assert_eq!(drift.facets, [Facet::Assignments]);
    let both = with(plain(), json!({ "assignments": targets, "description": "new" }));
    let report =
        pair("4.6: assignments are stronger than labels", plain(), both).all_facets().report();
    assert_eq!(report.drift[0].severity_rule, "policy.assignments");
    assert_eq!(report.drift[0].facets, [Facet::Label, Facet::Assignments]);
}

/// Every rule is listed once with a sentence, and nothing gives a rule that is not listed.
#[test]
fn every_rule_is_listed() {
    let ids: BTreeSet<&str> = RULES.iter().map(|(id, _, _)| *id).collect();
    assert_eq!(ids.len(), RULES.len());
    assert!(RULES.iter().all(|(_, _, text)| text.ends_with('.')));
    let report = pair("", feature("F", 1, "1"), quality("Q", 2, 1)).complete(true, true).report();
    for drift in &report.drift {
        let rule =
            RULES.iter().find(|(id, _, _)| *id == drift.severity_rule).expect("a listed rule");
        assert_eq!(rule.1, drift.severity);
    }
}

/// The most severe stands first, then by change, type and name; counts agree with the list.
#[test]
fn drift_is_sorted_and_counted() {
    let side = |version: &str, extra: Value| {
        super::build::page(
            "deviceManagement/windowsFeatureUpdateProfiles",
            &[feature("B", 2, version), feature("A", 1, version), extra],
        )
    };
    let report =
        pair("", side("1", feature("Gone", 3, "7")), side("2", feature("Extra", 4, "8"))).report();
    let order: Vec<_> =
        report.drift.iter().map(|one| (one.severity.as_str(), &*one.display_name)).collect();
    assert_eq!(order, [("high", "Gone"), ("medium", "A"), ("medium", "B"), ("low", "Extra")]);
    let summary = &report.summary;
    assert_eq!(
        (
            summary.compared,
            summary.missing_policy,
            summary.different_version,
            summary.unexpected_policy
        ),
        (4, 1, 2, 1)
    );
    assert_eq!(summary.by_severity.values().sum::<usize>(), 4);
    assert_eq!(
        (summary.by_severity["high"], summary.by_severity["medium"], summary.by_severity["low"]),
        (1, 2, 1)
    );
    let counts = summary.by_type["windowsFeatureUpdateProfile"];
    assert_eq!((counts.baseline, counts.current, counts.different_version), (3, 3, 2));
}
