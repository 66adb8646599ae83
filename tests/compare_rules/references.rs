//! Contracts 1.3: references are judged after matching.

use super::build::{feature, id, of, with};
use super::{Row, check, pair, row};
use plumbline_governance::compare::ReferenceMode;
use plumbline_governance::matching::MatchMode;
use serde_json::{Value, json};

/// A conditional access policy that includes and excludes things.
fn access(number: u32, users: &Value, locations: &Value) -> Value {
    of(
        "identity/conditionalAccess/policies",
        json!({
            "id": id(number), "displayName": "CA", "state": "enabled",
            "conditions": { "users": users, "locations": locations },
            "grantControls": { "operator": "OR", "builtInControls": ["block"] },
        }),
    )
}

fn groups(include: &[u32], exclude: &[u32]) -> Value {
    let ids = |numbers: &[u32]| numbers.iter().map(|n| id(*n)).collect::<Vec<_>>();
    access(
        1,
        &json!({ "includeGroups": ids(include), "excludeGroups": ids(exclude) }),
        &Value::Null,
    )
}

fn include(member: &str, ids: &[&str]) -> Value {
    access(1, &json!({ member: ids }), &Value::Null)
}

fn locations(include: &[u32], exclude: &[u32]) -> Value {
    let ids = |numbers: &[u32]| numbers.iter().map(|n| id(*n)).collect::<Vec<_>>();
    access(
        1,
        &json!({ "includeUsers": ["All"] }),
        &json!({ "includeLocations": ids(include), "excludeLocations": ids(exclude) }),
    )
}

fn location(name: &str, number: u32) -> Value {
    of(
        "identity/conditionalAccess/namedLocations",
        json!({ "@odata.type": "#microsoft.graph.ipNamedLocation", "id": id(number), "displayName": name }),
    )
}

/// Both sides hold the locations `North` and `South`, under ids of their own.
fn located(rule: &'static str, baseline: Value, current: Value) -> Row {
    row(
        rule,
        &[
            ("ca.json", baseline),
            ("n.json", location("North", 10)),
            ("s.json", location("South", 11)),
        ],
        &[
            ("ca.json", current),
            ("n.json", location("North", 20)),
            ("s.json", location("South", 21)),
        ],
    )
}

const NOTES: [&str; 4] = [
    "gap unsupported_type baseline namedLocation n.json",
    "gap unsupported_type baseline namedLocation s.json",
    "gap unsupported_type current namedLocation n.json",
    "gap unsupported_type current namedLocation s.json",
];
const CA: &str =
    "different_version conditionalAccessPolicy CA: content medium policy.content, by key 100";

impl Row {
    fn references(self, mode: ReferenceMode) -> Self {
        self.asking(|options| options.references = mode)
    }

    /// The verdict, then the notes on unsupported types, then the last line.
    fn gives_noted(self, lines: &[&'static str], last: &'static str) -> Self {
        self.gives(&[lines, &NOTES, &[last]].concat())
    }
}

#[test]
fn portable_references_are_judged_by_their_targets() {
    check(vec![
        located("1.3: one matched pair", locations(&[10], &[]), locations(&[20], &[]))
            .gives_noted(&[], "full, 1 unchanged"),
        located("1.3: two matched pairs in any order", locations(&[10, 11], &[]), locations(&[21, 20], &[]))
            .gives_noted(&[], "full, 1 unchanged"),
        located("1.3: different pairs", locations(&[10], &[]), locations(&[21], &[])).gives_noted(
            &[
                CA,
                r#". content conditions/locations/includeLocations: changed "North (5e11ab1e-0000-4000-8000-000000000010)" to "South (5e11ab1e-0000-4000-8000-000000000021)""#,
            ],
            "full, 0 unchanged",
        ),
        located("1.3: an equal raw id proves nothing", locations(&[10], &[]), locations(&[10], &[])).gives(&[
            "no verdict on conditionalAccessPolicy CA: unresolved_reference would be anything",
            "gap unresolved_reference both conditionalAccessPolicy ca.json",
            NOTES[0],
            NOTES[1],
            NOTES[2],
            NOTES[3],
            "unproven_suppressed, 0 unchanged",
        ]),
        located("1.3: swapped between include and exclude", locations(&[10], &[11]), locations(&[21], &[20]))
            .gives_noted(
                &[
                    CA,
                    r#". content conditions/locations/excludeLocations: changed "South (5e11ab1e-0000-4000-8000-000000000011)" to "North (5e11ab1e-0000-4000-8000-000000000020)""#,
                    r#". content conditions/locations/includeLocations: changed "North (5e11ab1e-0000-4000-8000-000000000010)" to "South (5e11ab1e-0000-4000-8000-000000000021)""#,
                ],
                "full, 0 unchanged",
            ),
        located("1.3: moved from include to exclude", locations(&[10, 11], &[]), locations(&[20], &[21])).gives_noted(
            &[
                CA,
                r#". content conditions/locations/excludeLocations: added - to "South (5e11ab1e-0000-4000-8000-000000000021)""#,
                r#". content conditions/locations/includeLocations: removed "South (5e11ab1e-0000-4000-8000-000000000011)" to -"#,
                "full, 0 unchanged",
            ][..3],
            "full, 0 unchanged",
        ),
        pair("1.3: unknown on both sides", groups(&[50], &[]), groups(&[60], &[])).gives(&[
            "no verdict on conditionalAccessPolicy CA: unresolved_reference would be anything",
            "gap unresolved_reference both conditionalAccessPolicy c.json",
            "unproven_suppressed, 0 unchanged",
        ]),
        pair("1.3: the count differs", groups(&[50], &[]), groups(&[60, 61], &[])).gives(&[
            CA,
            r#". content conditions/users/includeGroups: removed "5e11ab1e-0000-4000-8000-000000000050" to -"#,
            r#". content conditions/users/includeGroups: added - to "5e11ab1e-0000-4000-8000-000000000060""#,
            r#". content conditions/users/includeGroups: added - to "5e11ab1e-0000-4000-8000-000000000061""#,
            "full, 0 unchanged",
        ]),
        pair("1.3: one of two is gone", groups(&[], &[50, 51]), groups(&[], &[50])).gives(&[
            CA,
            r#". content conditions/users/excludeGroups: removed "5e11ab1e-0000-4000-8000-000000000051" to -"#,
            "full, 0 unchanged",
        ]),
        pair(
            "3: an unknown reference takes its leaf's verdict only",
            groups(&[50], &[]),
            with(groups(&[60], &[]), json!({ "state": "disabled" })),
        )
        .gives(&[
            CA,
            r#". content state: changed "enabled" to "disabled""#,
            "gap unresolved_reference both conditionalAccessPolicy c.json",
            "partial_suppressed, 0 unchanged",
        ]),
    ]);
    let report = pair("", groups(&[50], &[]), groups(&[60], &[])).report();
    assert_eq!(
        report.gaps[0].detail,
        "`CA`: conditions/users/includeGroups: 1 group reference(s) whose targets are not known on both \
         sides; add their objects to both exports, or compare with --references literal if both sides \
         come from one tenant"
    );
}

#[test]
fn well_known_objects_are_one_everywhere() {
    const ALL_USERS: &str = "acacacac-9df4-4c7d-9d50-4ef0226f57a9";
    const ALL_DEVICES: &str = "adadadad-808e-44e2-905a-0b7873a8a531";
    const ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
    const READER: &str = "f2ef992c-3afb-46b9-b7cf-a126ee74c451";
    const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
    const NONE: &str = "00000000-0000-0000-0000-000000000000";
    let same = |rule, member: &str, word: &str| {
        pair(rule, include(member, &[word]), include(member, &[&word.to_uppercase()]))
    };
    let unchanged = |row: Row| row.gives(&["full, 1 unchanged"]);
    let app = |word: &str| {
        with(
            access(1, &Value::Null, &Value::Null),
            json!({ "conditions": { "applications": { "includeApplications": [word] } } }),
        )
    };
    check(vec![
        unchanged(same("1.3: all users", "includeGroups", ALL_USERS)),
        unchanged(same("1.3: all devices", "includeGroups", ALL_DEVICES)),
        unchanged(same("1.3: a role template", "includeRoles", ADMINISTRATOR)),
        unchanged(same("1.3: all zero", "includeUsers", NONE)),
        unchanged(pair("1.3: a first-party app", app(EXCHANGE), app(EXCHANGE))),
        pair("1.3: an unknown app", app(&id(5)), app(&id(5))).gives(&[
            "no verdict on conditionalAccessPolicy CA: unresolved_reference would be anything",
            "gap unresolved_reference both conditionalAccessPolicy c.json",
            "unproven_suppressed, 0 unchanged",
        ]),
        pair("1.3: two role templates", include("includeRoles", &[ADMINISTRATOR]), include("includeRoles", &[READER]))
            .gives(&[
                CA,
                r#". content conditions/users/includeRoles: changed "62e90394-69f5-4237-9190-012177145e10" to "f2ef992c-3afb-46b9-b7cf-a126ee74c451""#,
                "full, 0 unchanged",
            ]),
        pair("1.3: a word is a value", include("includeUsers", &["All"]), include("includeUsers", &["None"])).gives(&[
            CA,
            r#". content conditions/users/includeUsers: removed "All" to -"#,
            r#". content conditions/users/includeUsers: added - to "None""#,
            "full, 0 unchanged",
        ]),
    ]);
}

fn tagged(tags: &[&str]) -> Value {
    with(feature("F", 1, "1"), json!({ "roleScopeTagIds": tags }))
}

const F: &str = "different_version windowsFeatureUpdateProfile F: assignments_only medium policy.assignments, by key 100";

#[test]
fn scope_tags() {
    let tag = |name: &str, id: &str| {
        of("deviceManagement/roleScopeTags", json!({ "id": id, "displayName": name })).to_string()
    };
    let note = [
        "gap unsupported_type baseline roleScopeTag tag.json",
        "gap unsupported_type current roleScopeTag tag.json",
    ];
    check(vec![
        pair("1.3: the default tag", tagged(&["0"]), tagged(&["0"])).all_facets().gives(&["full, 1 unchanged"]),
        pair("1.3: tag ids are local", tagged(&["0", "4"]), tagged(&["0", "4"])).all_facets().gives(&[
            "no verdict on windowsFeatureUpdateProfile F: unresolved_reference would be anything",
            "gap unresolved_reference both windowsFeatureUpdateProfile c.json",
            "unproven_suppressed, 0 unchanged",
        ]),
        pair("1.3: tags are not compared unless asked for", tagged(&["0"]), tagged(&["7"]))
            .gives(&["full, 1 unchanged"]),
        pair("1.3: one tag by name", tagged(&["0", "4"]), tagged(&["9", "0"]))
            .all_facets()
            .baseline_file("tag.json", &tag("Branch", "4"))
            .current_file("tag.json", &tag("Branch", "9"))
            .gives(&[note[0], note[1], "full, 1 unchanged"]),
        pair("1.3: default against another tag", tagged(&["0"]), tagged(&["4"])).all_facets().gives(&[
            F,
            r#". assignments roleScopeTagIds: changed "0" to "4""#,
            "full, 0 unchanged",
        ]),
        pair("1.3: a tag more", tagged(&["0"]), tagged(&["0", "4"])).all_facets().gives(&[
            F,
            r#". assignments roleScopeTagIds: added - to "4""#,
            "full, 0 unchanged",
        ]),
    ]);
}

#[test]
fn literal_references_are_values() {
    let literal = |row: Row| row.references(ReferenceMode::Literal);
    check(vec![
        literal(pair("1.3: literal, equal", groups(&[50], &[51]), groups(&[50], &[51]))).gives(&["full, 1 unchanged"]),
        literal(pair("1.3: literal, order is none", groups(&[50, 51], &[]), groups(&[51, 50], &[])))
            .gives(&["full, 1 unchanged"]),
        literal(pair("1.3: literal, differs", groups(&[50], &[]), groups(&[60], &[]))).gives(&[
            CA,
            r#". content conditions/users/includeGroups: changed "5e11ab1e-0000-4000-8000-000000000050" to "5e11ab1e-0000-4000-8000-000000000060""#,
            "full, 0 unchanged",
        ]),
        literal(pair("1.3: literal, swapped", groups(&[50], &[51]), groups(&[51], &[50]))).gives(&[
            CA,
            r#". content conditions/users/excludeGroups: changed "5e11ab1e-0000-4000-8000-000000000051" to "5e11ab1e-0000-4000-8000-000000000050""#,
            r#". content conditions/users/includeGroups: changed "5e11ab1e-0000-4000-8000-000000000050" to "5e11ab1e-0000-4000-8000-000000000051""#,
            "full, 0 unchanged",
        ]),
        pair("1.3: auto is literal with --match id", groups(&[50], &[]), groups(&[50], &[]))
            .asking(|options| options.mode = MatchMode::Id)
            .gives(&["full, 1 unchanged"]),
        pair("1.3: portable holds with --match id too", groups(&[50], &[]), groups(&[50], &[]))
            .asking(|options| options.mode = MatchMode::Id)
            .references(ReferenceMode::Portable)
            .gives(&[
                "no verdict on conditionalAccessPolicy CA: unresolved_reference would be anything",
                "gap unresolved_reference both conditionalAccessPolicy c.json",
                "unproven_suppressed, 0 unchanged",
            ]),
    ]);
}

/// An assignment to a group, or an exclusion of one.
fn target(kind: &str, group: u32) -> Value {
    json!({ "id": "x", "target": {
        "@odata.type": format!("#microsoft.graph.{kind}AssignmentTarget"), "groupId": id(group),
        "deviceAndAppManagementAssignmentFilterId": null, "deviceAndAppManagementAssignmentFilterType": "none",
    } })
}

fn filtered(kind: &str, filter: u32) -> Value {
    json!({ "id": "x", "target": {
        "@odata.type": "#microsoft.graph.allDevicesAssignmentTarget",
        "deviceAndAppManagementAssignmentFilterId": id(filter), "deviceAndAppManagementAssignmentFilterType": kind,
    } })
}

fn assigned(targets: &[Value]) -> Value {
    with(feature("F", 1, "1"), json!({ "assignments": targets }))
}

fn filter(name: &str, number: u32) -> Value {
    of(
        "deviceManagement/assignmentFilters",
        json!({ "id": id(number), "displayName": name, "platform": "windows10AndLater", "rule": "(1 -eq 1)" }),
    )
}

/// The evidence names the group, also of a target that was put in or taken away as a whole, and no group
/// that stayed.
#[test]
fn evidence_names_who_was_added_and_removed() {
    let literal = |row: Row| row.all_facets().references(ReferenceMode::Literal);
    check(vec![
        literal(pair("1.3: one more group", assigned(&[target("group", 50)]), assigned(&[target("group", 50), target("group", 51)])))
            .gives(&[
                F,
                r#". assignments assignments/{groupAssignmentTarget+none}#2: added - to {"target":{"@odata.type":"groupAssignmentTarget","deviceAndAppManagementAssignmentFilterType":"none","groupId":"5e11ab1e-0000-4000-8000-000000000051"}}"#,
                "full, 0 unchanged",
            ]),
        literal(pair("1.3: an exclusion is gone", assigned(&[target("group", 50), target("exclusionGroup", 51)]), assigned(&[target("group", 50)])))
            .gives(&[
                F,
                r#". assignments assignments/{exclusionGroupAssignmentTarget+none}: removed {"target":{"@odata.type":"exclusionGroupAssignmentTarget","deviceAndAppManagementAssignmentFilterType":"none","groupId":"5e11ab1e-0000-4000-8000-000000000051"}} to -"#,
                "full, 0 unchanged",
            ]),
    ]);
}

/// A policy with thousands of references costs no more than their number.
#[test]
fn many_references_are_judged_in_linear_time() {
    let many: Vec<u32> = (0..100_000).collect();
    let (most, others) = (&many[..99_999], &many[1..]);
    let report = pair("", groups(most, &[]), groups(others, &[]))
        .asking(|options| options.references = ReferenceMode::Literal)
        .report();
    let [drift] = report.drift.as_slice() else { panic!("{}", report.drift.len()) };
    assert_eq!(drift.changes.len(), 1);
}

#[test]
fn assignments() {
    let group = "assignments[,#microsoft.graph.groupAssignmentTarget,none]/target/groupId";
    let literal = |row: Row| row.all_facets().references(ReferenceMode::Literal);
    let swapped = literal(pair(
        "1.3: groups swapped between assignment and exclusion",
        assigned(&[target("group", 50), target("exclusionGroup", 51)]),
        assigned(&[target("group", 51), target("exclusionGroup", 50)]),
    ));
    let report = swapped.report();
    let [drift] = report.drift.as_slice() else { panic!("{:?}", super::words(&report)) };
    assert_eq!((drift.diff_kind.as_str(), drift.changes.len()), ("assignments_only", 2), "{group}");

    let filters = |rule, baseline: Value, current: Value| {
        row(
            rule,
            &[
                ("f.json", baseline),
                ("n.json", filter("North", 10)),
                ("s.json", filter("South", 11)),
            ],
            &[
                ("f.json", current),
                ("n.json", filter("North", 20)),
                ("s.json", filter("South", 21)),
            ],
        )
        .all_facets()
    };
    let kind = |row: Row| {
        let report = row.report();
        let drift: Vec<_> =
            report.drift.iter().map(|one| (one.diff_kind.as_str(), one.changes.len())).collect();
        (drift, report.summary.unchanged, report.trust.as_str())
    };
    assert_eq!(
        kind(filters(
            "one filter by name",
            assigned(&[filtered("include", 10)]),
            assigned(&[filtered("include", 20)])
        )),
        (Vec::new(), 1, "full")
    );
    assert_eq!(
        kind(filters(
            "another filter",
            assigned(&[filtered("include", 10)]),
            assigned(&[filtered("include", 21)])
        )),
        (vec![("assignments_only", 1)], 0, "full")
    );
    let sides = |a, b| assigned(&[filtered("include", a), filtered("exclude", b)]);
    assert_eq!(
        kind(filters("filters swapped between include and exclude", sides(10, 11), sides(21, 20))),
        (vec![("assignments_only", 2)], 0, "full")
    );
    // Who gets it is another place: a group that becomes an exclusion is a change of the structure.
    let report =
        pair("", assigned(&[target("group", 50)]), assigned(&[target("exclusionGroup", 60)]))
            .all_facets()
            .report();
    assert_eq!(report.drift.len(), 1, "{:?}", super::words(&report));
    assert_eq!(report.drift[0].diff_kind.as_str(), "assignments_only");
}
