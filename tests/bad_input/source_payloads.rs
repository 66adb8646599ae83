//! Source payloads: 14 kinds.

use super::build::{feature, id, of, page, quality, settings, side, with, without};
use super::{
    BAD, TYPE, assert_equal, assert_refused, changes, compare_documents, compare_sides, drift,
};
use plumbline_governance::compare::CompareOptions;
use plumbline_governance::gap::GapKind;
use plumbline_governance::matching::MatchMode;
use plumbline_governance::report::{MatchedBy, Report, Trust};
use plumbline_tests::compare_files;
use serde_json::{Value, json};

const FEATURES: &str = "deviceManagement/windowsFeatureUpdateProfiles";

fn compare_by_id(before: &Value, after: &Value) -> Report {
    let options = CompareOptions { mode: MatchMode::Id, ..CompareOptions::default() };
    let one = |value: &Value| side(&[("one.json", value.clone())]);
    compare_files(&one(before), &one(after), &options)
}

/// Without an id, a policy is known by its name; a compare by id says what it lacks.
#[track_caller]
fn assert_no_id(odd: &Value) {
    let plain = feature("Equal", 1, "24H2");
    assert_equal(&compare_documents(&plain, odd));
    let report = compare_by_id(&plain, odd);
    let gaps: Vec<_> = report.gaps.iter().map(|gap| (gap.kind, gap.side, &*gap.detail)).collect();
    let detail = "`Equal`: the policy has no id, and the compare matches by id; use --match auto";
    assert_eq!(gaps, [(GapKind::NoIdentity, Some("current"), detail)]);
    let suppressed: Vec<_> = report.suppressed.iter().map(|one| (one.gap, &*one.reason)).collect();
    assert_eq!(suppressed, [(GapKind::NoIdentity, detail)]);
}

/// A list of settings that the service counts and the export does not hold was not read: no drift.
#[test]
fn source_payload_settings_counted_and_not_there() {
    let golden = settings("S", 1, &[("one", "1")]);
    let hollow = with(golden.clone(), json!({ "settings": [], "settingCount": 1 }));
    let report = compare_documents(&golden, &hollow);
    assert!(drift(&report).is_empty());
    let gaps: Vec<GapKind> = report.gaps.iter().map(|gap| gap.kind).collect();
    assert_eq!(gaps, [GapKind::DetailMissing]);
}

/// A manifest is a note, also in a folder that is named as a type.
#[test]
fn source_payload_manifest_in_a_folder_of_a_type() {
    let manifest = json!({ "exported": "2026-01-01", "files": ["a.json"] });
    let golden = side(&[("windowsFeatureUpdateProfile/a.json", feature("A", 1, "24H2"))]);
    let current = side(&[
        ("windowsFeatureUpdateProfile/a.json", feature("A", 1, "24H2")),
        ("windowsFeatureUpdateProfile/manifest.json", manifest),
    ]);
    let report = compare_sides(&golden, &current);
    assert_eq!(report.trust, Trust::Full);
    let gaps: Vec<_> = report.gaps.iter().map(|gap| (gap.kind, &*gap.detail)).collect();
    assert_eq!(gaps, [(GapKind::NotAPolicy, "the file holds no policy")]);
}

#[test]
fn source_payload_missing_id() {
    assert_no_id(&without(feature("Equal", 1, "24H2"), "id"));
}

#[test]
fn source_payload_empty_id() {
    for empty in [json!(""), json!(" "), Value::Null, json!(7)] {
        assert_no_id(&with(feature("Equal", 1, "24H2"), json!({ "id": empty })));
    }
}

/// Two policies under one id are two policies: each is judged by its name, whatever the mode.
#[test]
fn source_payload_two_items_same_id() {
    let items = [feature("A", 1, "24H2"), feature("B", 1, "23H2")];
    let golden = page(FEATURES, &items);
    for mode in [MatchMode::Auto, MatchMode::Id, MatchMode::Name, MatchMode::BaseName] {
        let options = CompareOptions { mode, ..CompareOptions::default() };
        let compare = |items: &[Value]| {
            let one = |value: Value| side(&[("page.json", value)]);
            compare_files(&one(golden.clone()), &one(page(FEATURES, items)), &options)
        };
        let swapped = compare(&[items[1].clone(), items[0].clone()]);
        assert_eq!((drift(&swapped), swapped.trust), (Vec::new(), Trust::Full), "{mode:?}");
        assert_eq!(swapped.summary.unchanged, 2);
        let changed = compare(&[items[0].clone(), feature("B", 1, "22H2")]);
        assert_eq!(drift(&changed), [format!("different_version {TYPE} B")], "{mode:?}");
    }
}

#[test]
fn source_payload_id_case_differs() {
    let plain = feature("A", 0xABC, "24H2");
    let id = "ABCDEF00-0000-4000-8000-0000000000AB";
    let upper = with(plain.clone(), json!({ "id": id }));
    let lower = with(plain, json!({ "id": id.to_lowercase(), "displayName": "Renamed" }));
    let report = compare_by_id(&upper, &lower);
    assert_eq!(drift(&report), [format!("different_version {TYPE} A")]);
    assert_eq!(report.drift[0].matched_by, Some(MatchedBy::Id));
    assert_eq!(report.gaps, []);
}

/// What `OData` adds to a payload is no setting.
#[test]
fn source_payload_odata_noise() {
    let mut noisy = feature("A", 1, "24H2");
    for (name, value) in [
        ("@odata.id", json!("deviceManagement/windowsFeatureUpdateProfiles('1')")),
        ("@odata.editLink", json!("deviceManagement/windowsFeatureUpdateProfiles('1')")),
        ("@odata.etag", json!("W/\"1\"")),
        ("featureUpdateVersion@odata.type", json!("#String")),
        ("createdDateTime@odata.type", json!("#DateTimeOffset")),
        ("createdDateTime", json!("2025-01-01T00:00:00Z")),
        ("lastModifiedDateTime", json!("2026-01-01T00:00:00Z")),
        ("assignments@odata.context", json!("https://graph.microsoft.com/beta/$metadata#x")),
        ("assignments@odata.navigationLink", json!("https://graph.microsoft.com/beta/x")),
        ("#microsoft.graph.assign", json!({ "title": "assign", "target": "https://x" })),
    ] {
        noisy = with(noisy, json!({ name: value }));
    }
    assert_equal(&compare_documents(&feature("A", 1, "24H2"), &noisy));
    // A binding is no noise: it says which certificate a profile trusts.
    let bound = with(
        feature("A", 1, "24H2"),
        json!({ "rootCertificate@odata.bind": "https://graph.microsoft.com/beta/x('1')" }),
    );
    assert_eq!(drift(&compare_documents(&feature("A", 1, "24H2"), &bound)).len(), 1);
}

/// A type that the catalog does not hold is named; no other type is in doubt because of it.
#[test]
fn source_payload_unknown_type() {
    let stranger = json!({
        "@odata.type": "#microsoft.graph.quantumPolicy", "id": id(9), "displayName": "Stranger",
    });
    let (baseline, mut current) = super::world();
    current.files.insert("odd.json".to_owned(), stranger.to_string().into_bytes());
    let report = compare_sides(&baseline, &current);
    let gaps: Vec<_> =
        report.gaps.iter().map(|gap| (gap.kind, &*gap.source_file, &*gap.detail)).collect();
    let detail = "`Stranger`: the catalog has no type for `#microsoft.graph.quantumPolicy`; it is not compared";
    assert_eq!(gaps, [(GapKind::UnknownType, "odd.json", detail)]);
    assert_eq!(report.trust, Trust::PartialSuppressed);
    assert_eq!(
        (drift(&report), &report.suppressed),
        (drift(&compare_sides(&baseline, &super::world().1)), &Vec::new())
    );
}

/// Without anything that tells the type, every type may lack a policy.
#[test]
fn source_payload_without_a_type() {
    let (baseline, mut current) = super::world();
    let stranger = json!({ "id": id(9), "displayName": "Stranger" });
    current.files.insert("odd.json".to_owned(), stranger.to_string().into_bytes());
    let report = compare_sides(&baseline, &current);
    let gaps: Vec<_> =
        report.gaps.iter().map(|gap| (gap.kind, &*gap.source_file, &*gap.detail)).collect();
    let detail = "`Stranger`: nothing tells the type (no @odata.context, no @odata.type, no folder named as \
                  a policy type); put it into a folder such as settingsCatalogPolicy/";
    assert_eq!(gaps, [(GapKind::UnknownType, "odd.json", detail)]);
    assert!(report.suppressed.iter().any(|one| one.display_name == "Gone"));
    assert!(drift(&report).iter().all(|line| !line.starts_with("missing_policy")));
}

/// One id under two types is two subjects; under two shapes of one type it is one that changed.
#[test]
fn source_payload_type_changed_for_the_same_id() {
    let mut golden = side(&[("one.json", feature("A", 1, "24H2"))]);
    let mut other = side(&[("one.json", quality("A", 1, 3))]);
    golden.complete = true;
    other.complete = true;
    let options = CompareOptions { mode: MatchMode::Id, ..CompareOptions::default() };
    for options in [CompareOptions::default(), options] {
        assert_eq!(
            drift(&compare_files(&golden, &other, &options)),
            [
                format!("missing_policy {TYPE} A"),
                "unexpected_policy windowsQualityUpdateProfile A".to_owned()
            ]
        );
    }
    let shape = |odata_type: &str| {
        of(
            "deviceManagement/deviceConfigurations",
            json!({
                "@odata.type": format!("#microsoft.graph.{odata_type}"), "id": id(1), "displayName": "A",
                "assignments": [],
            }),
        )
    };
    let found = changes(&compare_documents(
        &shape("windows10GeneralConfiguration"),
        &shape("windows10EndpointProtectionConfiguration"),
    ));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "@odata.type");
}

/// Null, missing, empty text and empty list are one; false and 0 are values.
#[test]
fn source_payload_null_and_absent() {
    let plain = feature("A", 1, "24H2");
    for empty in [Value::Null, json!(""), json!([]), json!({})] {
        let odd = with(plain.clone(), json!({ "rolloutSettings": empty }));
        assert_equal(&compare_documents(&plain, &odd));
        assert_equal(&compare_documents(&odd, &plain));
    }
    for value in [json!(false), json!(0)] {
        let odd = with(plain.clone(), json!({ "installLatest": value }));
        assert_eq!(
            changes(&compare_documents(&plain, &odd)),
            [("installLatest".to_owned(), None, Some(value))]
        );
    }
}

/// The order of settings moves from export to export; so does the order of policies in a page.
#[test]
fn source_payload_list_order_noise() {
    let (a, b) = (("one", "1"), ("two", "2"));
    assert_equal(&compare_documents(&settings("A", 1, &[a, b]), &settings("A", 1, &[b, a])));
    let items: Vec<Value> = (1..9).map(|n| feature(&format!("P{n}"), n, "24H2")).collect();
    let turned: Vec<Value> = items.iter().rev().cloned().collect();
    let report = compare_documents(&page(FEATURES, &items), &page(FEATURES, &turned));
    assert_eq!((drift(&report), report.summary.unchanged), (Vec::new(), 8));
}

fn many_settings(count: usize, changed: Option<usize>, padding: usize) -> Value {
    let names: Vec<String> =
        (0..count).map(|n| format!("definition_{n}_{}", "x".repeat(padding))).collect();
    let chosen: Vec<(&str, &str)> = names
        .iter()
        .enumerate()
        .map(|(n, name)| (name.as_str(), if changed == Some(n) { "1" } else { "0" }))
        .collect();
    settings("Many", 1, &chosen)
}

#[test]
fn source_payload_306_settings_in_one_policy() {
    let plain = many_settings(306, None, 0);
    assert_equal(&compare_documents(&plain, &plain));
    for at in [0, 152, 305] {
        let found = changes(&compare_documents(&plain, &many_settings(306, Some(at), 0)));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].0.contains(&format!("definition_{at}_")), "{found:?}");
    }
    let found = changes(&compare_documents(&plain, &many_settings(305, None, 0)));
    assert_eq!(found.len(), 1);
}

#[test]
fn source_payload_644_kb_policy() {
    let plain = many_settings(1_000, None, 250);
    assert!(plain.to_string().len() > 644 << 10);
    assert_equal(&compare_documents(&plain, &plain));
    assert_eq!(changes(&compare_documents(&plain, &many_settings(1_000, Some(999), 250))).len(), 1);
}

/// An empty list is proof only when it is a whole page of the collection.
#[test]
fn source_payload_0_items_after_5_000() {
    let items: Vec<Value> = (0..5_000).map(|n| feature(&format!("P{n}"), n, "24H2")).collect();
    let golden = side(&[("page.json", page(FEATURES, &items))]);
    let against = |document: Option<Value>| {
        let other = document.map_or_else(
            || side(&[("q.json", quality("Q", 1, 1))]),
            |document| side(&[("page.json", document)]),
        );
        compare_sides(&golden, &other)
    };
    let proven = against(Some(page(FEATURES, &[])));
    assert_eq!((proven.summary.missing_policy, proven.trust), (5_000, Trust::Full));
    assert_eq!(proven.suppressed, []);

    // No file of the type at all.
    let absent = against(None);
    assert_eq!((absent.summary.missing_policy, absent.summary.suppressed), (0, 5_001));
    let details: Vec<_> = absent.gaps.iter().map(|gap| (gap.kind, &*gap.detail)).collect();
    assert_eq!(
        details,
        [
            (
                GapKind::TypeAbsent,
                "the current side holds no windowsFeatureUpdateProfile; if its export is complete, say \
                 --complete current"
            ),
            (
                GapKind::TypeAbsent,
                "the baseline side holds no windowsQualityUpdateProfile; if its export is complete, say \
                 --complete baseline"
            ),
        ]
    );
    assert_eq!(
        absent.suppressed[0].reason,
        "the other side holds no windowsFeatureUpdateProfile at all; if its export is complete, say so \
         with --complete"
    );

    // A page that says that more follow, and one that does not say what it lists.
    let link = json!({ "@odata.nextLink": "https://graph.microsoft.com/beta/next" });
    for page in [with(page(FEATURES, &[]), link), json!({ "value": [] })] {
        let unproven = against(Some(page));
        assert_eq!((unproven.summary.missing_policy, unproven.summary.suppressed), (0, 5_000));
        assert_eq!(unproven.trust, Trust::UnprovenSuppressed);
    }
}

/// A link is never followed: whatever it names, the list is not whole.
#[test]
fn source_payload_next_link() {
    let host = "graph.microsoft.com/beta/deviceManagement/windowsFeatureUpdateProfiles";
    for link in [
        format!("https://{host}?$skiptoken=1"),
        format!("https://{host}"),
        "https://attacker.example/beta/deviceManagement/windowsFeatureUpdateProfiles".to_owned(),
        format!("http://{host}?$skiptoken=1"),
        format!("https://user:pass@{host}?$skiptoken=1"),
        "file:///etc/passwd".to_owned(),
    ] {
        let page = with(
            page(FEATURES, &[feature("Equal", 1, "24H2")]),
            json!({ "@odata.nextLink": link }),
        );
        let (baseline, mut current) = super::world();
        current.files.remove("windowsFeatureUpdateProfile/equal.json");
        current.files.insert(BAD.to_owned(), page.to_string().into_bytes());
        let report = compare_sides(&baseline, &current);
        let gaps: Vec<_> =
            report.gaps.iter().map(|gap| (gap.kind, &*gap.source_file, &*gap.detail)).collect();
        let detail = "the page says that more pages follow (@odata.nextLink), and nothing proves that \
                      they are here; export the whole list";
        assert_eq!(gaps, [(GapKind::Incomplete, BAD, detail)], "{link}");
        assert_eq!(report.gaps[0].policy_type.as_deref(), Some(TYPE));
        assert_eq!(drift(&report), ["different_version windowsQualityUpdateProfile Changed"]);
        assert_eq!((report.summary.unchanged, report.suppressed.len()), (1, 1));
        assert_eq!(report.suppressed[0].display_name, "Gone");
    }
}

/// What a server said instead of a list, saved as if it were one.
#[test]
fn source_payload_html_or_error_body() {
    assert_refused(
        "<!DOCTYPE html>\n<html><body>Sign in</body></html>",
        GapKind::Unreadable,
        "line 1, column 1: this is not JSON: expected value",
    );
    assert_refused(
        r#"{"error":{"code":"Forbidden","message":"Application is not authorized"}}"#,
        GapKind::Unreadable,
        "the file holds an error answer of Graph, not a policy; read it again",
    );
    assert_refused("", GapKind::Unreadable, "line 1, column 1: the file is empty");
}
