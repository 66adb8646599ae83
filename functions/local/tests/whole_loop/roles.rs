//! Roles of a tenant that stand for roles of its baseline.

use super::World;
use serde_json::{Value, json};

const GOLDEN: &str = "5e11ab1e-0000-4000-8000-000000000021";
const OWN: &str = "5e11ab1e-0000-4000-8000-000000000022";

fn role(id: &str) -> Value {
    json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/roleDefinitions/$entity",
        "id": id, "displayName": "Helpers", "description": "", "isBuiltIn": false,
        "rolePermissions": [{ "resourceActions": [{
            "allowedResourceActions": ["Microsoft.Intune_ManagedDevices_Read"],
            "notAllowedResourceActions": [],
        }] }],
        "roleScopeTagIds": ["0"],
    })
}

#[test]
fn a_role_is_mapped_and_unmapped() {
    let world = World::with_tenants();
    let scope = json!({
        "policy_types": ["windowsFeatureUpdateProfile"], "foundation_types": ["intuneRoleDefinition"],
    });
    world.write("scope.json", scope.to_string());
    for (folder, id) in [("golden", GOLDEN), ("other", OWN)] {
        world.policies(folder, "1");
        world.write(&format!("{folder}/role.json"), role(id).to_string());
    }
    for step in [
        "import --tenant Golden golden --coverage complete",
        "import --tenant Other other --coverage complete",
        "profile create Gold --scope scope.json",
        "capture --profile Gold --tenant Golden",
        "profile activate Gold",
    ] {
        world.line(step).with(0);
    }
    let map = |role: &str| {
        let reason = ["--reason", "made by hand in both tenants"];
        let named = ["role", "map", "--tenant", "Other", role, OWN];
        world.run(&[&named[..], &reason[..]].concat())
    };
    map(GOLDEN)
        .fails("the tenant `Other` is held to no profile; assign one first (`plumbline assign`)");
    world.line("assign --tenant Other --profile Gold").with(0);
    world.line("compare --tenant Other").with(2);
    assert_eq!(world.line("role mappings --tenant Other").with(0), "no role of Other is mapped\n");

    map("../Helpers?")
        .fails_with(&["`../Helpers?` is no id of a role", "named by its id in Graph"]);
    map(OWN).fails_with(&["is one id"]);
    assert_eq!(
        map(GOLDEN).with(0),
        format!("{OWN} stands for {GOLDEN} in Other\nNext: plumbline compare --tenant \"Other\"\n")
    );
    world.line("compare --tenant Other").with(0);
    let listed = world.line("role mappings --tenant Other").with(0);
    assert!(listed.starts_with(&format!("{OWN} stands for {GOLDEN}\n  eve, ")), "{listed}");
    assert!(listed.ends_with(": made by hand in both tenants\n"), "{listed}");
    let audit = world.line("audit").with(0);
    assert!(audit.contains("role_mapping.set") && audit.contains("made by hand"), "{audit}");

    world.line(&format!("role unmap --tenant Other {GOLDEN}")).with(0);
    world.line("compare --tenant Other").with(2);
    assert!(world.line("verify").with(0).ends_with("nothing is wrong\n"));
}
