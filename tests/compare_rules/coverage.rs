//! Contracts 3: gaps, what each takes away, and trust.

use super::build::{feature, of, page, quality, settings, with, without};
use super::{check, pair, row};
use plumbline_governance::scope::Scope;
use serde_json::json;

const CUT: &str = "{\"displayName\":";
const FEATURES: &str = "deviceManagement/windowsFeatureUpdateProfiles";

/// A policy of two types on both sides; the golden side has one more, `Gone`.
fn with_gone(rule: &'static str) -> super::Row {
    row(
        rule,
        &[
            ("f.json", feature("F", 1, "1")),
            ("gone.json", feature("Gone", 2, "1")),
            ("q.json", quality("Q", 3, 1)),
        ],
        &[("f.json", feature("F", 1, "1")), ("q.json", quality("Q", 3, 1))],
    )
}

/// The same, with the one more, `Extra`, on the other side.
fn with_extra(rule: &'static str) -> super::Row {
    row(
        rule,
        &[("f.json", feature("F", 1, "1")), ("q.json", quality("Q", 3, 1))],
        &[
            ("f.json", feature("F", 1, "1")),
            ("extra.json", feature("Extra", 2, "1")),
            ("q.json", quality("Q", 3, 1)),
        ],
    )
}

const GONE: &str = "missing_policy windowsFeatureUpdateProfile Gone: missing high policy.missing";
const EXTRA: &str =
    "unexpected_policy windowsFeatureUpdateProfile Extra: unexpected low policy.unexpected";

fn next(items: &[serde_json::Value]) -> String {
    with(page(FEATURES, items), json!({ "@odata.nextLink": "https://graph.microsoft.com/x" }))
        .to_string()
}

#[test]
fn an_unproven_side_suppresses_what_it_may_hold() {
    check(vec![
        with_gone("3: nothing is wrong, so the policy is missing").gives(&[GONE, "full, 2 unchanged"]),
        with_extra("3: nothing is wrong, so the policy is unexpected").gives(&[EXTRA, "full, 2 unchanged"]),
        with_gone("3: unreadable, type unknown, on the current side").current_file("bad.json", CUT).gives(&[
            "no verdict on windowsFeatureUpdateProfile Gone: unreadable would be missing_policy",
            "gap unreadable current - bad.json",
            "partial_suppressed, 2 unchanged",
        ]),
        with_extra("3: unreadable, type unknown, on the baseline side").baseline_file("bad.json", CUT).gives(&[
            "no verdict on windowsFeatureUpdateProfile Extra: unreadable would be unexpected_policy",
            "gap unreadable baseline - bad.json",
            "partial_suppressed, 2 unchanged",
        ]),
        with_gone("3: unreadable, type known from the folder")
            .current_file("windowsFeatureUpdateProfile/bad.json", CUT)
            .gives(&[
                "no verdict on windowsFeatureUpdateProfile Gone: unreadable would be missing_policy",
                "gap unreadable current windowsFeatureUpdateProfile windowsFeatureUpdateProfile/bad.json",
                "partial_suppressed, 2 unchanged",
            ]),
        with_extra("3: unreadable, type known from the folder, baseline")
            .baseline_file("windowsFeatureUpdateProfile/bad.json", CUT)
            .gives(&[
                "no verdict on windowsFeatureUpdateProfile Extra: unreadable would be unexpected_policy",
                "gap unreadable baseline windowsFeatureUpdateProfile windowsFeatureUpdateProfile/bad.json",
                "partial_suppressed, 2 unchanged",
            ]),
        with_gone("3: a bad file of another type takes nothing away")
            .current_file("windowsQualityUpdateProfile/bad.json", CUT)
            .gives(&[
                GONE,
                "gap unreadable current windowsQualityUpdateProfile windowsQualityUpdateProfile/bad.json",
                "partial_suppressed, 2 unchanged",
            ]),
        with_gone("3: incomplete, type known from the page").current_file("page.json", &next(&[])).gives(&[
            "no verdict on windowsFeatureUpdateProfile Gone: incomplete would be missing_policy",
            "gap incomplete current windowsFeatureUpdateProfile page.json",
            "partial_suppressed, 2 unchanged",
        ]),
        with_extra("3: incomplete, type known from the page, baseline")
            .baseline_file("page.json", &next(&[]))
            .gives(&[
                "no verdict on windowsFeatureUpdateProfile Extra: incomplete would be unexpected_policy",
                "gap incomplete baseline windowsFeatureUpdateProfile page.json",
                "partial_suppressed, 2 unchanged",
            ]),
        with_gone("3: incomplete, type unknown")
            .current_file("page.json", r#"{"value":[],"@odata.nextLink":"https://x"}"#)
            .gives(&[
                "no verdict on windowsFeatureUpdateProfile Gone: incomplete would be missing_policy",
                "gap incomplete current - page.json",
                "partial_suppressed, 2 unchanged",
            ]),
        with_gone("3: --complete does not heal what cannot be read")
            .complete(true, true)
            .current_file("bad.json", CUT)
            .gives(&[
                "no verdict on windowsFeatureUpdateProfile Gone: unreadable would be missing_policy",
                "gap unreadable current - bad.json",
                "partial_suppressed, 2 unchanged",
            ]),
        pair("3: nothing could be proven", feature("F", 1, "1"), quality("Q", 1, 1))
            .current_file("bad.json", CUT)
            .complete(true, true)
            .baseline_file("bad.json", CUT)
            .gives(&[
                "no verdict on windowsFeatureUpdateProfile F: unreadable would be missing_policy",
                "no verdict on windowsQualityUpdateProfile Q: unreadable would be unexpected_policy",
                "gap unreadable baseline - bad.json",
                "gap unreadable current - bad.json",
                "unproven_suppressed, 0 unchanged",
            ]),
    ]);
}

/// Unproven in current takes back what is missing, unproven in baseline what is unexpected (3.1), and
/// either of them what differs (decision 0005): what stands on the side that was not read in full is
/// there all the same. Other types are judged as ever.
#[test]
fn an_unproven_side_takes_back_what_it_may_explain() {
    let changed = |rule| {
        row(
            rule,
            &[("f.json", feature("F", 1, "1")), ("q.json", quality("Q", 2, 1))],
            &[("f.json", feature("F", 1, "2")), ("q.json", quality("Q", 2, 2))],
        )
    };
    let bad = "windowsFeatureUpdateProfile/bad.json";
    let other = [
        "different_version windowsQualityUpdateProfile Q: content medium policy.content, by key 100",
        ". content expeditedUpdateSettings/daysUntilForcedReboot: changed 1 to 2",
    ];
    check(vec![
        with_extra("3.1: unproven in current, unexpected").current_file(bad, CUT).gives(&[
            EXTRA,
            "gap unreadable current windowsFeatureUpdateProfile windowsFeatureUpdateProfile/bad.json",
            "partial_suppressed, 2 unchanged",
        ]),
        with_gone("3.1: unproven in baseline, missing").baseline_file(bad, CUT).gives(&[
            GONE,
            "gap unreadable baseline windowsFeatureUpdateProfile windowsFeatureUpdateProfile/bad.json",
            "partial_suppressed, 2 unchanged",
        ]),
        changed("0005: unproven in current, different").current_file(bad, CUT).gives(&[
            other[0],
            other[1],
            "no verdict on windowsFeatureUpdateProfile F: unreadable would be different_version",
            "gap unreadable current windowsFeatureUpdateProfile windowsFeatureUpdateProfile/bad.json",
            "partial_suppressed, 0 unchanged",
        ]),
        changed("0005: unproven in baseline, different").baseline_file(bad, CUT).gives(&[
            other[0],
            other[1],
            "no verdict on windowsFeatureUpdateProfile F: unreadable would be different_version",
            "gap unreadable baseline windowsFeatureUpdateProfile windowsFeatureUpdateProfile/bad.json",
            "partial_suppressed, 0 unchanged",
        ]),
    ]);
}

/// A list is a list, whatever a tool wrote beside it: what it holds is compared, not noted and forgotten.
#[test]
fn lists_of_other_tools_are_read() {
    let list = |version| json!({ "value": [feature("F", 1, version)], "Count": 1 });
    let paged = with(list("1"), json!({ "odata.nextLink": "https://x" })).to_string();
    check(vec![
        pair("a list with a count", list("1"), list("2")).gives(&[
            "different_version windowsFeatureUpdateProfile F: content medium policy.content, by key 100",
            r#". content featureUpdateVersion: changed "1" to "2""#,
            "full, 0 unchanged",
        ]),
        with_gone("3: the link to the next page under another name").current_file("page.json", &paged).gives(&[
            "no verdict on windowsFeatureUpdateProfile Gone: incomplete would be missing_policy",
            "gap incomplete current windowsFeatureUpdateProfile page.json",
            "gap not_a_policy current windowsFeatureUpdateProfile page.json",
            "partial_suppressed, 2 unchanged",
        ]),
    ]);
}

/// What may be a policy is never a mere note, and what says that it is none is no policy by its folder.
#[test]
fn what_may_be_a_policy_is_a_gap() {
    let bare = json!({ "displayName": "Comp", "passwordRequired": true }).to_string();
    let wrapped = json!({ "policies": [feature("W", 9, "1")] }).to_string();
    let batch =
        json!({ "responses": [{ "id": "1", "body": page(FEATURES, &[feature("W", 9, "1")]) }] })
            .to_string();
    let everything = |rule, text: &str| {
        with_gone(rule).current_file("odd.json", text).gives(&[
            "no verdict on windowsFeatureUpdateProfile Gone: unknown_type would be missing_policy",
            "gap unknown_type current - odd.json",
            "partial_suppressed, 2 unchanged",
        ])
    };
    let part = page(
        "deviceManagement/windowsFeatureUpdateProfiles('x')/assignments",
        &[json!({ "id": "0" })],
    );
    check(vec![
        everything("a policy without id and type", &bare),
        everything("policies in a member of a tool's own", &wrapped),
        everything("a saved batch answer", &batch),
        with_gone("a part of a policy in the folder of its type")
            .current_file("windowsFeatureUpdateProfile/part.json", &part.to_string())
            .gives(&[
                GONE,
                "gap unknown_type current - windowsFeatureUpdateProfile/part.json",
                "partial_suppressed, 2 unchanged",
            ]),
    ]);
    let report = with_gone("").current_file("odd.json", &wrapped).report();
    assert_eq!(
        report.gaps[0].detail,
        "the file wraps what looks like policies in members of its own; write each policy into a file, \
         or all into one list"
    );
    let report = with_gone("").current_file("part.json", &part.to_string()).report();
    assert_eq!(
        report.gaps[0].detail,
        "the catalog has no type for `deviceManagement/windowsFeatureUpdateProfiles('x')/assignments`; \
         it is not compared"
    );
}

/// "Type known (also from the folder)" holds for a page as for a file that cannot be read.
#[test]
fn an_incomplete_page_is_known_by_its_folder() {
    check(vec![
        with_gone("3: incomplete, type known from the folder, which is another")
            .current_file(
                "windowsQualityUpdateProfile/page.json",
                r#"{"value":[],"@odata.nextLink":"https://x"}"#,
            )
            .gives(&[
                GONE,
                "gap incomplete current windowsQualityUpdateProfile windowsQualityUpdateProfile/page.json",
                "partial_suppressed, 2 unchanged",
            ]),
    ]);
}

#[test]
fn a_gap_of_one_subject_takes_one_verdict() {
    let (whole, cut) =
        (settings("S", 1, &[("a", "1")]), without(settings("S", 1, &[("a", "1")]), "settings"));
    let beside = |one: serde_json::Value, version: &str| {
        vec![
            ("s.json", one),
            ("f.json", feature("F", 2, version)),
            ("t.json", settings("T", 3, &[("a", version)])),
        ]
    };
    let rest = [
        "different_version settingsCatalogPolicy T: content medium policy.content, by key 100",
        r#". content settings/{a}/settingInstance/choiceSettingValue/value: changed "a_1" to "a_2""#,
        "different_version windowsFeatureUpdateProfile F: content medium policy.content, by key 100",
        r#". content featureUpdateVersion: changed "1" to "2""#,
    ];
    let and = |lines: &[&'static str]| [rest.as_slice(), lines].concat();
    check(vec![
        row("3: detail missing, current", &beside(whole.clone(), "1"), &beside(cut.clone(), "2"))
            .gives(&and(&[
                "no verdict on settingsCatalogPolicy S: detail_missing would be anything",
                "gap detail_missing current settingsCatalogPolicy s.json",
                "partial_suppressed, 0 unchanged",
            ])),
        row("3: detail missing, baseline", &beside(cut.clone(), "1"), &beside(whole.clone(), "2"))
            .gives(&and(&[
                "no verdict on settingsCatalogPolicy S: detail_missing would be anything",
                "gap detail_missing baseline settingsCatalogPolicy s.json",
                "partial_suppressed, 0 unchanged",
            ])),
        row(
            "3: detail missing on both sides is not equal",
            &beside(cut.clone(), "1"),
            &beside(cut, "2"),
        )
        .gives(&and(&[
            "no verdict on settingsCatalogPolicy S: detail_missing would be anything",
            "gap detail_missing baseline settingsCatalogPolicy s.json",
            "gap detail_missing current settingsCatalogPolicy s.json",
            "partial_suppressed, 0 unchanged",
        ])),
        row(
            "3: no identity, current",
            &beside(whole.clone(), "1"),
            &[
                beside(whole.clone(), "2"),
                vec![("odd.json", without(without(feature("O", 9, "1"), "id"), "displayName"))],
            ]
            .concat(),
        )
        .gives(&and(&[
            "no verdict on windowsFeatureUpdateProfile odd.json: no_identity would be anything",
            "gap no_identity current windowsFeatureUpdateProfile odd.json",
            "partial_suppressed, 1 unchanged",
        ])),
        row(
            "3: no identity, baseline",
            &[
                beside(whole.clone(), "1"),
                vec![("odd.json", without(without(feature("O", 9, "1"), "id"), "displayName"))],
            ]
            .concat(),
            &beside(whole, "2"),
        )
        .gives(&and(&[
            "no verdict on windowsFeatureUpdateProfile odd.json: no_identity would be anything",
            "gap no_identity baseline windowsFeatureUpdateProfile odd.json",
            "partial_suppressed, 1 unchanged",
        ])),
    ]);
}

/// A navigation member that one side did not read says nothing about the other's.
#[test]
fn what_was_not_read_is_not_compared() {
    let read = feature("F", 1, "1");
    let unread = without(read.clone(), "assignments");
    check(vec![
        pair("assignments that nobody asked for", read.clone(), unread.clone())
            .gives(&["full, 1 unchanged"]),
        pair("assignments were not read in current", read.clone(), unread.clone())
            .all_facets()
            .gives(&[
                "gap detail_missing current windowsFeatureUpdateProfile c.json",
                "partial_suppressed, 1 unchanged",
            ]),
        pair("assignments were not read in baseline", unread.clone(), read).all_facets().gives(&[
            "gap detail_missing baseline windowsFeatureUpdateProfile b.json",
            "partial_suppressed, 1 unchanged",
        ]),
        pair("assignments were read nowhere", unread.clone(), unread).all_facets().gives(&[
            "gap detail_missing baseline windowsFeatureUpdateProfile b.json",
            "gap detail_missing current windowsFeatureUpdateProfile c.json",
            "partial_suppressed, 1 unchanged",
        ]),
    ]);
}

#[test]
fn notes_have_no_effect() {
    let tag = || of("deviceManagement/roleScopeTags", json!({ "id": "5", "displayName": "Tag" }));
    let manifest = r#"{"exported": "today", "policies": 2}"#;
    check(vec![
        with_gone("3: not a policy, current").current_file("manifest.json", manifest).gives(&[
            GONE,
            "gap not_a_policy current - manifest.json",
            "full, 2 unchanged",
        ]),
        with_extra("3: not a policy, baseline").baseline_file("manifest.json", manifest).gives(&[
            EXTRA,
            "gap not_a_policy baseline - manifest.json",
            "full, 2 unchanged",
        ]),
        with_gone("3: unsupported type, current")
            .current_file("tag.json", &tag().to_string())
            .gives(&[
                GONE,
                "gap unsupported_type current roleScopeTag tag.json",
                "full, 2 unchanged",
            ]),
        with_extra("3: unsupported type, baseline")
            .baseline_file("tag.json", &tag().to_string())
            .gives(&[
                EXTRA,
                "gap unsupported_type baseline roleScopeTag tag.json",
                "full, 2 unchanged",
            ]),
    ]);
}

#[test]
fn an_absent_type_is_missing_only_where_the_folder_is_complete() {
    let (f, q) = (("f.json", feature("F", 1, "1")), ("q.json", quality("Q", 2, 1)));
    let empty = ("page.json", page("deviceManagement/windowsQualityUpdateProfiles", &[]));
    let missing = "missing_policy windowsQualityUpdateProfile Q: missing high policy.missing";
    let unexpected =
        "unexpected_policy windowsQualityUpdateProfile Q: unexpected low policy.unexpected";
    let not_missing = [
        "no verdict on windowsQualityUpdateProfile Q: type_absent would be missing_policy",
        "gap type_absent current windowsQualityUpdateProfile ",
        "partial_suppressed, 1 unchanged",
    ];
    let not_unexpected = [
        "no verdict on windowsQualityUpdateProfile Q: type_absent would be unexpected_policy",
        "gap type_absent baseline windowsQualityUpdateProfile ",
        "partial_suppressed, 1 unchanged",
    ];
    let one = std::slice::from_ref(&f);
    let gone = |rule| row(rule, &[f.clone(), q.clone()], one);
    let extra = |rule| row(rule, one, &[f.clone(), q.clone()]);
    check(vec![
        gone("3: absent in current").gives(&not_missing),
        gone("3.2: the wrong side is complete").complete(true, false).gives(&not_missing),
        gone("3.2: --complete current")
            .complete(false, true)
            .gives(&[missing, "full, 1 unchanged"]),
        gone("3.2: --complete both").complete(true, true).gives(&[missing, "full, 1 unchanged"]),
        extra("3: absent in baseline").gives(&not_unexpected),
        extra("3.2: the wrong side is complete, baseline")
            .complete(false, true)
            .gives(&not_unexpected),
        extra("3.2: --complete baseline")
            .complete(true, false)
            .gives(&[unexpected, "full, 1 unchanged"]),
        row("3: an empty page is proof", &[f.clone(), q.clone()], &[f.clone(), empty.clone()])
            .gives(&[missing, "full, 1 unchanged"]),
        row("3: an empty page is proof, baseline", &[f.clone(), empty], &[f.clone(), q.clone()])
            .gives(&[unexpected, "full, 1 unchanged"]),
    ]);
}

#[test]
fn scope_filters_subjects_and_gaps() {
    let only = |key: &'static str| {
        move |options: &mut plumbline_governance::compare::CompareOptions| {
            let scope = Scope { policy_types: vec![key.to_owned()], foundation_types: Vec::new() };
            options.scope = scope.effective().expect("a type of the catalog");
        }
    };
    let bad = "windowsQualityUpdateProfile/bad.json";
    check(vec![
        with_gone("3.2: a type out of scope is not compared")
            .asking(only("windowsQualityUpdateProfile"))
            .gives(&["full, 1 unchanged"]),
        with_gone("3.2: a gap of a type out of scope is no gap")
            .asking(only("windowsFeatureUpdateProfile"))
            .current_file(bad, CUT)
            .gives(&[GONE, "full, 1 unchanged"]),
        with_gone("3.2: the same gap in scope").current_file(bad, CUT).gives(&[
            GONE,
            "gap unreadable current windowsQualityUpdateProfile windowsQualityUpdateProfile/bad.json",
            "partial_suppressed, 2 unchanged",
        ]),
        with_gone("3.2: a file of any type concerns every scope")
            .asking(only("windowsQualityUpdateProfile"))
            .current_file("bad.json", CUT)
            .gives(&["gap unreadable current - bad.json", "partial_suppressed, 1 unchanged"]),
        row("3.2: an absent type out of scope", &[("f.json", feature("F", 1, "1")), ("q.json", quality("Q", 2, 1))], &[(
            "f.json",
            feature("F", 1, "1"),
        )])
        .asking(only("windowsFeatureUpdateProfile"))
        .gives(&["full, 1 unchanged"]),
    ]);
}

/// Empty `policy_types` is every policy type, and empty `foundation_types` is none (2.4); role
/// assignments are refused wherever they are named (D 2.7).
#[test]
fn scopes_are_spelt_out_and_fail_closed() {
    let effective = |policies: &[&str], foundations: &[&str]| {
        let own = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        Scope { policy_types: own(policies), foundation_types: own(foundations) }.effective()
    };
    let all = effective(&[], &[]).expect("everything");
    assert!(all.holds("settingsCatalogPolicy") && all.holds("conditionalAccessPolicy"));
    assert!(!all.holds("intuneRoleDefinition") && !all.holds("intuneRoleAssignment"));
    assert!(
        effective(&[], &["intuneRoleDefinition"]).expect("roles").holds("intuneRoleDefinition")
    );
    for (policies, foundations) in
        [(&["intuneRoleAssignment"][..], &[][..]), (&[], &["intuneRoleAssignment"])]
    {
        assert!(effective(policies, foundations).is_err());
    }
}
