//! Role definitions in the cloud: from an import to the evidence of a finding and a role mapping.

use crate::people::Workspace;
use crate::world::World;
use plumbline_policy::catalog::ROLE_DEFINITION;
use plumbline_tests::policies::{FEATURE, Policies, feature, guid, role};
use serde_json::{Value, json};

/// Microsoft's own role.
fn built_in(name: &str, number: u32, actions: &[&str]) -> Value {
    let mut role = role(name, number, actions);
    role["isBuiltIn"] = true.into();
    role
}

/// Roles beside the policy that every tenant here has.
fn with(roles: [Value; 3]) -> Policies {
    let files = ["a", "b", "c"].map(str::to_owned).into_iter().zip(roles);
    files.chain([("f".to_owned(), feature("F", 999, "1"))]).collect()
}

#[test]
fn roles_from_a_request_to_evidence_and_a_mapping() {
    const READ: &str = "Microsoft.Intune_Audit_Read";
    const WIPE: &str = "Microsoft.Intune/RemoteTasks/Wipe";
    let world = World::new();
    let workspace = Workspace::new(&world, "olga");
    let golden = workspace.tenant("Golden");
    let (ours, theirs) = (guid(3), guid(4));
    workspace.import(
        &golden,
        &with([
            built_in("Read Only Operator", 1, &[READ, "Microsoft.Intune_Roles_Read"]),
            role("Helpdesk", 2, &[READ]),
            role("Auditors", 3, &[READ]),
        ]),
    );
    let scope = json!({ "policy_types": [FEATURE], "foundation_types": [ROLE_DEFINITION] });
    let profile =
        workspace.ask("POST", "/profiles", &json!({ "name": "Gold", "scope": scope }).to_string());
    let profile = profile["id"].as_str().unwrap();
    let run = workspace.capture(profile, &golden);
    assert_eq!(workspace.ended(&golden, &run)["outcome"], "succeeded");
    workspace.activate(profile);

    // Microsoft's role in another spelling, one role wider, and one that was made again.
    let tenant = workspace.governed(
        "Contoso",
        profile,
        &with([
            built_in("Read Only Operator", 1, &["microsoft.intune/roles/read", READ, READ]),
            role("Helpdesk", 2, &[READ, WIPE]),
            role("Auditors", 4, &[READ]),
        ]),
    );
    let compared = || {
        let run = workspace.compare(&tenant);
        let run = workspace.ended(&tenant, &run);
        assert_eq!(run["outcome"], "succeeded", "{run:#}");
        run["context"]["baseline_compare"]["rbac_role_definitions"].clone()
    };
    assert_eq!(
        compared(),
        json!({ "total_compared": 4, "unchanged": 1, "modified": 1, "missing": 1, "unexpected": 1 })
    );
    let new = |name: &str| (name.to_owned(), "new".to_owned(), 1);
    assert_eq!(workspace.drift(&tenant), [new("Auditors"), new("Auditors"), new("Helpdesk")]);
    let wider = workspace.findings(&tenant).pop().unwrap();
    assert_eq!(
        [&wider["drift"]["diff_kind"], &wider["drift"]["severity"]],
        ["permission_change", "high"]
    );
    let evidence = format!("/tenants/{tenant}/findings/{}/evidence", wider["id"].as_str().unwrap());
    let evidence = workspace.get(&evidence)["role"].clone();
    let added = json!([{ "action": WIPE, "privileged": true }]);
    assert_eq!(
        evidence["resources"],
        json!([{ "resource": "RemoteTasks", "added": added, "removed": [] }])
    );

    // Said to be one, the two Auditors are compared, and both of their findings go.
    let mapping = format!("/tenants/{tenant}/assignment/role-mappings/{ours}");
    let body = json!({ "tenant_role": theirs, "reason": "made again after a mistake" });
    workspace.ask("PUT", &mapping, &body.to_string());
    assert_eq!(
        compared(),
        json!({ "total_compared": 3, "unchanged": 2, "modified": 1, "missing": 0, "unexpected": 0 })
    );
    let states = workspace.drift(&tenant).into_iter().map(|one| (one.0, one.1));
    let state = |name: &str, status: &str| (name.to_owned(), status.to_owned());
    assert_eq!(
        states.collect::<Vec<_>>(),
        [state("Auditors", "resolved"), state("Auditors", "resolved"), state("Helpdesk", "new")]
    );
}
