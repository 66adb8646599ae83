//! Domain reference 2.4 and 2.5: what makes two roles equal, and how a difference is rated.

use super::build::{id, of, with, without};
use super::{Row, check, pair, row};
use plumbline_governance::report::Facet;
use serde_json::{Value, json};

const READ: &str = "Microsoft.Intune_ManagedDevices_Read";
const UPDATE: &str = "Microsoft.Intune_ManagedDevices_Update";
const VIEW: &str = "Microsoft.Intune_ManagedDevices_ViewReports";
const WIPE: &str = "Microsoft.Intune_RemoteTasks_Wipe";

/// A custom role that grants actions.
pub(super) fn role(name: &str, number: u32, allowed: &[&str]) -> Value {
    of(
        "deviceManagement/roleDefinitions",
        json!({
            "id": id(number), "displayName": name, "description": "", "isBuiltIn": false,
            "rolePermissions": [block(allowed, &[])], "roleScopeTagIds": ["0"],
        }),
    )
}

fn built_in(name: &str, number: u32, allowed: &[&str]) -> Value {
    with(role(name, number, allowed), json!({ "isBuiltIn": true }))
}

fn block(allowed: &[&str], not_allowed: &[&str]) -> Value {
    json!({ "resourceActions": [
        { "allowedResourceActions": allowed, "notAllowedResourceActions": not_allowed }
    ] })
}

fn blocks(entries: &[Value]) -> Value {
    with(role("R", 1, &[]), json!({ "rolePermissions": entries }))
}

fn equal(rule: &'static str, before: Value, after: Value) -> Row {
    pair(rule, before, after).gives(&["full, 1 unchanged"])
}

#[test]
fn spellings_of_one_role_are_equal() {
    let plain = || role("R", 1, &[READ, UPDATE]);
    check(vec![
        equal("D2.4: order", plain(), role("R", 1, &[UPDATE, READ])),
        equal("D2.4: case", plain(), role("R", 1, &[&READ.to_uppercase(), UPDATE])),
        equal(
            "D2.4: / and _",
            plain(),
            role("R", 1, &["Microsoft.Intune/ManagedDevices/Read", UPDATE]),
        ),
        equal("D2.4: duplicates", plain(), role("R", 1, &[READ, READ, UPDATE])),
        equal(
            "D2.4: blocks that take nothing back are merged",
            plain(),
            blocks(&[block(&[READ], &[]), block(&[UPDATE], &[])]),
        ),
        equal(
            "D2.4: several blocks in one entry",
            plain(),
            blocks(&[json!({ "resourceActions": [
            { "allowedResourceActions": [READ] }, { "allowedResourceActions": [UPDATE] }
        ] })]),
        ),
        equal(
            "D2.4: empty blocks are removed",
            plain(),
            blocks(&[block(&[READ, UPDATE], &[]), block(&[], &[])]),
        ),
        equal(
            "D2.4: equal blocks are one",
            blocks(&[block(&[READ, UPDATE], &[UPDATE])]),
            blocks(&[block(&[READ, UPDATE], &[UPDATE]), block(&[UPDATE, READ], &[UPDATE])]),
        ),
        equal(
            "D2.4: the order of blocks",
            blocks(&[block(&[READ], &[UPDATE]), block(&[VIEW], &[WIPE])]),
            blocks(&[block(&[VIEW], &[WIPE]), block(&[READ], &[UPDATE])]),
        ),
        equal(
            "D2.4: permissions instead of rolePermissions",
            plain(),
            with(
                without(plain(), "rolePermissions"),
                json!({ "permissions": [block(&[READ, UPDATE], &[])] }),
            ),
        ),
        equal(
            "D2.4: twins that agree",
            plain(),
            with(
                plain(),
                json!({ "permissions": [block(&[UPDATE, READ], &[])], "isBuiltInRoleDefinition": false }),
            ),
        ),
        equal(
            "D2.4: actions beside resourceActions",
            plain(),
            with(
                plain(),
                json!({ "rolePermissions": [with(block(&[READ, UPDATE], &[]), json!({ "actions": [READ, UPDATE] }))] }),
            ),
        ),
        equal(
            "D2.4: null description is none",
            plain(),
            with(plain(), json!({ "description": null })),
        ),
        equal(
            "D2.4: white space around a name",
            plain(),
            with(plain(), json!({ "displayName": " R " })),
        ),
        equal("D2.4: no permissions on both sides are equal", role("R", 1, &[]), blocks(&[])),
    ]);
}

/// Equality is decided on blocks, not on what they grant together.
#[test]
fn what_a_block_takes_back_counts() {
    check(vec![
        pair("D2.4: not allowed", blocks(&[block(&[READ, UPDATE], &[])]), blocks(&[block(&[READ, UPDATE], &[WIPE])]))
            .asking(|options| options.facets = vec![Facet::Content])
            .gives(&[
                "different_version intuneRoleDefinition R: permission_change high role.custom.rewritten, unchanged, by id 100",
                r#". content permissions/{granted with exceptions}: added - to {"allowed":["Microsoft.Intune_ManagedDevices_Read","Microsoft.Intune_ManagedDevices_Update"],"not_allowed":["Microsoft.Intune_RemoteTasks_Wipe"]}"#,
                r#". content permissions/{granted}: removed {"allowed":["Microsoft.Intune_ManagedDevices_Read","Microsoft.Intune_ManagedDevices_Update"]} to -"#,
                "full, 0 unchanged",
            ]),
    ]);
}

#[test]
fn a_body_that_contradicts_itself_gives_no_verdict() {
    let plain = || role("R", 1, &[READ]);
    let other = || role("Other", 2, &[READ]);
    let odd = |rule: &'static str, body: Value| {
        row(rule, &[("r.json", plain()), ("o.json", other())], &[
            ("r.json", body),
            ("o.json", with(other(), json!({ "description": "new" }))),
        ])
        .gives(&[
            "different_version intuneRoleDefinition Other: metadata_only low role.metadata, by id 100",
            r#". label description: added - to "new""#,
            "no verdict on intuneRoleDefinition R: content_unknown would be anything",
            "gap content_unknown current intuneRoleDefinition r.json",
            "partial_suppressed, 0 unchanged",
        ])
    };
    check(vec![
        odd("D2.4: no permission property", without(plain(), "rolePermissions")),
        odd("D2.4: a null permission property", with(plain(), json!({ "rolePermissions": null }))),
        odd(
            "D2.4: permissions differ from rolePermissions",
            with(plain(), json!({ "permissions": [block(&[WIPE], &[])] })),
        ),
        odd(
            "D2.4: actions differ from resourceActions",
            with(
                plain(),
                json!({ "rolePermissions": [with(block(&[READ], &[]), json!({ "actions": [WIPE] }))] }),
            ),
        ),
        odd(
            "D2.4: isBuiltIn and its twin differ",
            with(plain(), json!({ "isBuiltInRoleDefinition": true })),
        ),
    ]);
    let detail = |body: Value| {
        pair("", plain(), body).report().gaps.into_iter().map(|gap| gap.detail).collect::<Vec<_>>()
    };
    assert_eq!(
        detail(without(plain(), "rolePermissions")),
        ["`R`: the role has no permission property; read it again without $select"]
    );
    assert_eq!(
        detail(with(plain(), json!({ "permissions": [block(&[WIPE], &[])] }))),
        ["`R`: rolePermissions, permissions and actions say different things; read the role again"]
    );
    assert_eq!(
        detail(with(plain(), json!({ "isBuiltInRoleDefinition": true }))),
        ["`R`: isBuiltIn and isBuiltInRoleDefinition differ; read the role again"]
    );
}

#[test]
fn a_role_is_rated_by_what_changed() {
    let plain = || role("R", 1, &[READ]);
    let added = r#". content permissions/{granted}/allowed: added - to "Microsoft.Intune_ManagedDevices_Update""#;
    let removed = r#". content permissions/{granted}/allowed: removed "Microsoft.Intune_ManagedDevices_Update" to -"#;
    let viewed = r#". content permissions/{granted}/allowed: added - to "Microsoft.Intune_ManagedDevices_ViewReports""#;
    let spare = || ("z.json", role("Z", 9, &[READ]));
    check(vec![
        pair("D2.5: widened", plain(), role("R", 1, &[READ, UPDATE])).gives(&[
            "different_version intuneRoleDefinition R: permission_change high role.custom.widened, widened, by id 100",
            added,
            "full, 0 unchanged",
        ]),
        pair("D2.5: narrowed", role("R", 1, &[READ, UPDATE]), plain()).gives(&[
            "different_version intuneRoleDefinition R: permission_change high role.custom.narrowed, narrowed, by id 100",
            removed,
            "full, 0 unchanged",
        ]),
        pair("D2.5: both ways", role("R", 1, &[READ, UPDATE]), role("R", 1, &[READ, VIEW])).gives(&[
            "different_version intuneRoleDefinition R: permission_change high role.custom.widened, both, by id 100",
            removed,
            viewed,
            "full, 0 unchanged",
        ]),
        pair("D2.5: permissions are stronger than labels", plain(), role("Renamed", 1, &[READ, UPDATE])).gives(&[
            "different_version intuneRoleDefinition R: permission_change high role.custom.widened, widened, by id 100",
            added,
            r#". label displayName: changed "R" to "Renamed""#,
            "full, 0 unchanged",
        ]),
        pair("D2.5: metadata only", plain(), role("r", 1, &[READ])).gives(&[
            "different_version intuneRoleDefinition R: metadata_only low role.metadata, by id 100",
            r#". label displayName: changed "R" to "r""#,
            "full, 0 unchanged",
        ]),
        row("D2.5: custom role missing", &[("r.json", plain()), spare()], &[spare()]).gives(&[
            "missing_policy intuneRoleDefinition R: missing high role.custom.missing",
            "full, 1 unchanged",
        ]),
        row("D2.5: custom role unexpected", &[spare()], &[("r.json", plain()), spare()]).gives(&[
            "unexpected_policy intuneRoleDefinition R: unexpected medium role.custom.unexpected",
            "full, 1 unchanged",
        ]),
        row("D2.5: a privileged one", &[spare()], &[("r.json", role("R", 1, &[READ, WIPE])), spare()]).gives(&[
            "unexpected_policy intuneRoleDefinition R: unexpected high role.custom.unexpected.privileged",
            "full, 1 unchanged",
        ]),
        row("D2.5: a privilege that is taken back is none", &[spare()], &[
            ("r.json", blocks(&[block(&[READ, WIPE], &[WIPE])])),
            spare(),
        ])
        .gives(&[
            "unexpected_policy intuneRoleDefinition R: unexpected medium role.custom.unexpected",
            "full, 1 unchanged",
        ]),
        pair("D2.5: isBuiltIn differs for one id", plain(), built_in("R", 1, &[READ])).gives(&[
            "different_version intuneRoleDefinition R: permission_change high role.built_in.differs, unchanged, by id 100",
            ". content built_in: changed false to true",
            "full, 0 unchanged",
        ]),
        pair("D2.5: built-in, privileged actions added", built_in("R", 1, &[READ]), built_in("R", 1, &[READ, UPDATE]))
            .gives(&[
                "different_version intuneRoleDefinition R: permission_change medium role.built_in.changed.privileged, widened, by id 100",
                added,
                "full, 0 unchanged",
            ]),
        pair("D2.5: built-in, a read action added", built_in("R", 1, &[READ]), built_in("R", 1, &[READ, VIEW])).gives(&[
            "different_version intuneRoleDefinition R: permission_change low role.built_in.changed, widened, by id 100",
            viewed,
            "full, 0 unchanged",
        ]),
        pair("D2.5: built-in, actions removed", built_in("R", 1, &[READ, UPDATE]), built_in("R", 1, &[READ])).gives(&[
            "different_version intuneRoleDefinition R: permission_change low role.built_in.changed, narrowed, by id 100",
            removed,
            "full, 0 unchanged",
        ]),
        row("D2.5: built-in missing gives no finding", &[("r.json", built_in("R", 1, &[READ])), spare()], &[spare()])
            .gives(&[
                "no verdict on intuneRoleDefinition R: detail_missing would be missing_policy",
                "gap detail_missing baseline intuneRoleDefinition r.json",
                "partial_suppressed, 1 unchanged",
            ]),
        row("D2.5: built-in unexpected", &[spare()], &[("r.json", built_in("R", 1, &[READ, WIPE])), spare()]).gives(&[
            "unexpected_policy intuneRoleDefinition R: unexpected low role.built_in.unexpected",
            "full, 1 unchanged",
        ]),
        pair("1.6: scope tags are assignments", plain(), with(plain(), json!({ "roleScopeTagIds": ["0", "7"] })))
            .gives(&["full, 1 unchanged"]),
        pair("1.6: scope tags, when they count", plain(), with(plain(), json!({ "roleScopeTagIds": ["0", "7"] })))
            .all_facets()
            .gives(&[
                "different_version intuneRoleDefinition R: assignments_only medium role.scope_tags, by id 100",
                r#". assignments roleScopeTagIds: added - to "7""#,
                "full, 0 unchanged",
            ]),
    ]);
}

/// One missing and one unexpected custom role of one name are shown together; two of a kind are not.
#[test]
fn possibly_the_same_role() {
    let page = |items: &[Value]| super::build::page("deviceManagement/roleDefinitions", items);
    let links = |baseline: &[Value], current: &[Value]| -> Vec<Option<String>> {
        let report = pair("", page(baseline), page(current)).report();
        report.drift.into_iter().map(|drift| drift.possibly_same_as).collect()
    };
    let role = |name: &str, number| role(name, number, &[READ]);
    assert_eq!(links(&[role("A", 1)], &[role(" a", 2)]), [Some(id(2)), Some(id(1))]);
    assert_eq!(links(&[role("A", 1)], &[role("B", 2)]), [None, None]);
    assert_eq!(links(&[role("A", 1)], &[role("A", 2), role("A", 3)]), [None, None, None]);
    assert_eq!(links(&[role("A", 1)], &[built_in("A", 2, &[READ])]), [None, None]);
}

/// The summary of seed 128 counts roles apart; without a role in scope there is none.
#[test]
fn role_summary() {
    let page = |items: &[Value]| super::build::page("deviceManagement/roleDefinitions", items);
    let baseline =
        page(&[role("Same", 1, &[READ]), role("Changed", 2, &[READ]), role("Gone", 3, &[READ])]);
    let current =
        page(&[role("Same", 1, &[READ]), role("Changed", 2, &[WIPE]), role("Extra", 4, &[READ])]);
    let counts = pair("", baseline, current).report().summary.rbac_role_definitions.expect("roles");
    assert_eq!(
        (
            counts.total_compared,
            counts.unchanged,
            counts.modified,
            counts.missing,
            counts.unexpected
        ),
        (4, 1, 1, 1, 1)
    );
    let one = || super::build::feature("F", 1, "1");
    assert_eq!(pair("", one(), one()).report().summary.rbac_role_definitions, None);
}
