//! Built-in roles have one id in every tenant, and one hash: whatever version of Graph wrote them, and
//! whichever tenant they were read from.

use super::roles_and;
use futures::executor::block_on;
use plumbline_governance::compare::CompareOptions;
use plumbline_governance::notice::Notice;
use plumbline_operations::NewProfile;
use plumbline_policy::catalog::ROLE_DEFINITION;
use plumbline_tests::policies::{FEATURE, feature, policies};
use plumbline_tests::stage::{Stage, must};
use plumbline_tests::{Files, compare_files};
use serde_json::{Value, json};

/// The ids that Microsoft gave, and the names on the wire.
const BUILT_IN: [(&str, &str); 10] = [
    ("c1d9fcbb-cba5-40b0-bf6b-527006585f4b", "Application Manager"),
    ("e9a9f614-7527-44e2-a61a-1879747ccfd7", "Endpoint Privilege Manager"),
    ("9553af24-bd83-4ac3-a339-0e58f9e5478e", "Endpoint Privilege Reader"),
    ("c56d53a2-73d0-4502-b6bd-4a9d3dba28d5", "Endpoint Security Manager"),
    ("9e0cc482-82df-4ab2-a24c-0c23a3f52e1e", "Help Desk Operator"),
    ("fb2603eb-3c87-4be3-8b5b-d58a5b4a0bc0", "Intune Role Administrator"),
    ("5500eb3c-d329-45fd-b3a9-5f87c2cc5e03", "Multi Admin Approval Policy Manager"),
    ("0bd113fe-6be5-400c-a28f-ae5553f9c0be", "Policy and Profile manager"),
    ("fa1d7878-e8cb-41a1-8254-0142355c9f84", "Read Only Operator"),
    ("2f9f4f7e-2d13-427b-adf2-361a1eef7ae8", "School Administrator"),
];

/// What such a role allows; the misspelt resource is Microsoft's own.
fn actions(at: usize) -> Vec<String> {
    let resources = ["ManagedDevices", "DeviceCompliancePolices", "MobileApps", "Roles", "Audit"];
    (0..=at)
        .map(|one| format!("Microsoft.Intune_{}{one}_Read", resources[one % resources.len()]))
        .collect()
}

/// A role as the documents of v1.0 have it.
fn v1(at: usize) -> Value {
    let (id, name) = BUILT_IN[at];
    json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#deviceManagement/roleDefinitions/$entity",
        "id": id, "displayName": name, "description": format!("About {name}"), "isBuiltIn": true,
        "rolePermissions": [{ "resourceActions": [
            { "allowedResourceActions": actions(at), "notAllowedResourceActions": [] }
        ] }],
    })
}

/// The same as beta has it: derived type, twins of everything, scope tags, another order.
fn beta(at: usize) -> Value {
    let (id, name) = BUILT_IN[at];
    let mut actions = actions(at);
    actions.reverse();
    let permissions = json!([{
        "actions": actions,
        "resourceActions": [
            { "allowedResourceActions": actions, "notAllowedResourceActions": [] }
        ],
    }]);
    json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/roleDefinitions/$entity",
        "@odata.type": "#microsoft.graph.deviceAndAppManagementRoleDefinition",
        "id": id.to_uppercase(), "displayName": name, "description": format!("About {name}"),
        "isBuiltIn": true, "isBuiltInRoleDefinition": true, "roleScopeTagIds": ["0"],
        "permissions": permissions.clone(), "rolePermissions": permissions,
    })
}

/// What Microsoft makes of it later: one action more, in every list that holds them.
fn later(mut role: Value) -> Value {
    for container in ["permissions", "rolePermissions"] {
        for list in ["/0/actions", "/0/resourceActions/0/allowedResourceActions"] {
            let list = role.get_mut(container).and_then(|container| container.pointer_mut(list));
            if let Some(list) = list.and_then(Value::as_array_mut) {
                list.push(json!("Microsoft.Intune_New_Read"));
            }
        }
    }
    role
}

fn beta_later(at: usize) -> Value {
    later(beta(at))
}

fn side(write: fn(usize) -> Value) -> Files {
    let files = (0..BUILT_IN.len())
        .map(|at| (format!("{at}.json"), write(at).to_string().into_bytes()))
        .collect();
    Files { files, complete: true, ..Files::default() }
}

#[test]
fn the_ten_built_in_roles_hash_equal_in_two_tenants_and_two_versions_of_graph() {
    for (golden, other) in [(side(v1), side(beta)), (side(beta), side(v1))] {
        let report = compare_files(&golden, &other, &CompareOptions::default());
        assert!(report.drift.is_empty() && report.gaps.is_empty(), "{report:#?}");
        assert_eq!(report.summary.rbac_role_definitions.unwrap().unchanged, BUILT_IN.len());
    }
    // The hash is no constant: an action more, and each of them is another.
    let report = compare_files(&side(v1), &side(beta_later), &CompareOptions::default());
    assert_eq!(report.drift.len(), BUILT_IN.len(), "{report:#?}");
    for drift in &report.drift {
        assert_eq!(drift.severity_rule, "role.built_in.changed");
        let [golden, other] = [&drift.baseline, &drift.current].map(|one| one.as_ref().unwrap());
        assert_ne!(golden.content_hash, other.content_hash);
    }
}

/// What Microsoft changes, it changes in every tenant: one notice, however each tenant was exported.
#[test]
fn a_vendor_update_is_one_group_over_all_tenants() {
    let stage = Stage::new();
    let (workspace, actor) = (stage.workspace, &stage.actor);
    let scope = roles_and(FEATURE);
    let new = NewProfile { name: "Gold".to_owned(), scope, ..NewProfile::default() };
    let profile = must(block_on(stage.system.create_profile(workspace, actor, new))).id;
    let golden = stage.tenant("golden");
    let with = |role: Value| policies([role, feature("F", 1, "1")]);
    stage.import(golden, &with(v1(8)));
    assert_eq!(stage.capture(profile, golden).outcome().as_str(), "succeeded");
    stage.activate(profile);
    for (number, update) in [later(v1(8)), later(beta(8)), later(v1(8))].into_iter().enumerate() {
        let tenant = stage.tenant(&format!("Tenant {number}"));
        stage.import(tenant, &with(update));
        stage.assign(tenant, profile);
        assert_eq!(stage.compare(tenant).summary_counts["appeared"], 1);
    }
    stage.settle();
    let groups = must(block_on(stage.system.groups(workspace))).unwrap().groups;
    let [group] = groups.as_slice() else { panic!("one group: {groups:#?}") };
    assert_eq!((group.policy_type.as_str(), group.tenants), (ROLE_DEFINITION, 3));
    assert_eq!(group.severity.as_str(), "low", "a vendor update that only reads");
    assert_eq!(group.notice, Some(Notice::VendorUpdate), "it asks for a new capture");
}
