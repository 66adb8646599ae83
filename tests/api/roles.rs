//! Role definitions over HTTP: real rows from import to evidence, and the gates before assignments of roles.

use crate::world::{Answer, Call, World};
use plumbline_policy::role::actions::canonical_action;
use plumbline_policy::role::is_privileged;
use plumbline_ports::{Batch, Condition};
use plumbline_tests::check::body_of;
use plumbline_tests::policies::{FEATURE, feature, guid};
use plumbline_tests::stage::must;
use plumbline_tests::{data, read_folder, samples};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ROLE: &str = "intuneRoleDefinition";
const ASSIGNMENT: &str = "intuneRoleAssignment";
/// An action that none of the rows has, spelled with slashes.
const ROTATE: &str = "Microsoft.Intune/RemoteTasks/RotateFileVaultKey";

/// A workspace of somebody who sends requests.
struct Space {
    world: World,
    at: String,
}

impl Space {
    fn new() -> Self {
        let world = World::new();
        let made = world.send_as("olga", Call::post("/v1/workspaces", json!({ "name": "Roles" })));
        assert_eq!(made.status, 201, "{}", made.text());
        let at = format!("/v1/workspaces/{}", made.json()["id"].as_str().unwrap());
        Self { world, at }
    }

    fn send(&self, call: Call) -> Answer {
        self.world.send_as("olga", call)
    }

    fn get(&self, path: &str) -> Value {
        let answer = self.send(Call::get(format!("{}{path}", self.at)));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Sends what makes or starts something, does what it queued, and gives the answer.
    fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let call = Call::new(method, format!("{}{path}", self.at)).json(body);
        let answer = self.send(call);
        assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.text());
        self.world.runtime.block_on(self.world.drain());
        answer.json()
    }

    /// Makes something that has an id, and gives its path.
    fn made(&self, list: &str, body: Value) -> String {
        let made = self.done("POST", list, body);
        format!("{list}/{}", made["id"].as_str().unwrap())
    }

    fn tenant(&self, name: &str) -> String {
        self.made("/tenants", json!({ "name": name }))
    }

    fn profile(&self, name: &str) -> String {
        let scope = json!({ "policy_types": [FEATURE], "foundation_types": [ROLE] });
        self.made("/profiles", json!({ "name": name, "scope": scope }))
    }

    /// Imports lists as Graph answers them, declared complete.
    fn import(&self, tenant: &str, lists: &[(&str, &[Value])]) -> Value {
        let body: String = lists
            .iter()
            .map(|(collection, rows)| {
                json!({
                    "@odata.context": format!(
                        "https://graph.microsoft.com/beta/$metadata#deviceManagement/{collection}"
                    ),
                    "value": rows,
                })
                .to_string()
                    + "\n"
            })
            .collect();
        let path = format!("{}{tenant}/inventory?coverage=complete", self.at);
        let answer = self.send(Call::new("POST", path).raw("application/x-ndjson", body));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    fn import_roles(&self, tenant: &str, roles: &[Value]) -> Value {
        let other = [feature("F", 999, "1")];
        self.import(tenant, &[("roleDefinitions", roles), ("windowsFeatureUpdateProfiles", &other)])
    }

    /// The run that was started last of a tenant.
    fn last_run(&self, tenant: &str) -> Value {
        let id = tenant.rsplit('/').next().unwrap();
        let runs = self.get(&format!("/runs?tenant={id}&limit=1"));
        runs["items"][0].clone()
    }

    fn findings(&self, tenant: &str) -> Vec<Value> {
        let id = tenant.rsplit('/').next().unwrap();
        self.get(&format!("/findings?tenant={id}&limit=100"))["items"].as_array().unwrap().clone()
    }

    fn evidence(&self, tenant: &str, finding: &Value) -> Value {
        self.get(&format!("{tenant}/findings/{}/evidence", finding["id"].as_str().unwrap()))
    }

    /// Sees a request refused with a problem, and nothing written.
    fn refused(&self, call: Call, status: u16, word: &str) -> Value {
        let before = self.world.rows();
        let about = format!("{} {}", call.method, call.path);
        let answer = self.send(call);
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (status, word),
            "{about}: {}",
            answer.text()
        );
        assert_eq!(self.world.rows(), before, "{about} wrote something");
        let problem = answer.json();
        assert!(problem["detail"].as_str().unwrap().contains(ASSIGNMENT), "{about}: {problem}");
        problem
    }
}

/// Rows as Graph and its clients wrote them; without the real ones, those that are shipped.
#[expect(clippy::print_stderr, reason = "whoever runs the suite is told what it skips")]
fn rows() -> Vec<Value> {
    let folders = if let Some(data) = data() {
        vec![data.join("role-definitions")]
    } else {
        eprintln!("PLUMBLINE_DATA is not set: real rows of role definitions are skipped");
        ["golden", "tenant"].map(|side| samples().join(side).join(ROLE)).to_vec()
    };
    let mut seen = BTreeSet::new();
    let rows: Vec<Value> = folders
        .iter()
        .flat_map(|folder| read_folder(folder).into_values())
        .map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap())
        // The sample tenants share built-in roles.
        .filter(|row| row["id"].as_str().is_none_or(|id| seen.insert(id.to_owned())))
        .collect();
    assert!(rows.len() >= 3, "{}", rows.len());
    rows
}

/// What a row allows, wherever it says so.
fn allowed(row: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, out: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value.as_array() {
                        Some(list) if name == "allowedResourceActions" || name == "actions" => {
                            out.extend(list.iter().map(|one| one.as_str().unwrap().to_owned()));
                        }
                        _ => walk(value, out),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, out)),
            _ => {}
        }
    }
    let mut out = BTreeSet::new();
    walk(row, &mut out);
    out
}

/// Adds an action to every list that holds some.
fn widen(value: &mut Value, action: &str) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_array_mut() {
                    Some(list) if name == "allowedResourceActions" || name == "actions" => {
                        list.push(action.into());
                    }
                    _ => widen(value, action),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| widen(item, action)),
        _ => {}
    }
}

/// The actions that evidence lists under a resource's `member`, as they stand there.
fn listed(evidence: &Value, member: &str) -> Vec<String> {
    evidence["role"]["resources"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|of| of[member].as_array().unwrap())
        .map(|one| one["action"].as_str().unwrap().to_owned())
        .collect()
}

/// Whether no action that only reads stands before a privileged one of the same list.
fn privileged_first(evidence: &Value) -> bool {
    let lists = evidence["role"]["resources"].as_array().unwrap().iter();
    lists.flat_map(|of| [&of["added"], &of["removed"]]).all(|list| {
        let marks: Vec<bool> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                let told = one["privileged"].as_bool().unwrap();
                let action = canonical_action(one["action"].as_str().unwrap());
                assert_eq!(told, is_privileged(&action), "{action}");
                told
            })
            .collect();
        marks.is_sorted_by(|one, other| one >= other)
    })
}

/// Import, capture, compare, findings and evidence of real rows. Those without an id have no identity, which
/// is a gap and no drift.
#[test]
fn real_rows_go_from_import_to_evidence() {
    let space = Space::new();
    let (golden, same, other) =
        (space.tenant("golden"), space.tenant("same"), space.tenant("other"));
    let profile = space.profile("Gold");
    let rows = rows();
    let sound: Vec<&Value> =
        rows.iter().filter(|row| row["id"].is_string() && !allowed(row).is_empty()).collect();
    let custom: Vec<&Value> =
        sound.iter().copied().filter(|row| row["isBuiltIn"] != json!(true)).collect();
    let built_in: Vec<&Value> =
        sound.iter().copied().filter(|row| row["isBuiltIn"] == json!(true)).collect();
    assert!(custom.len() >= 2 && !built_in.is_empty(), "{} and {}", custom.len(), built_in.len());

    // A row without permissions is content unknown: with it there is no baseline.
    let golden_id = golden.rsplit('/').next().unwrap();
    let capture = || {
        space.done("POST", &format!("{profile}/capture"), json!({ "tenant": golden_id }));
        space.last_run(&golden)
    };
    let (rows, empty): (Vec<Value>, Vec<Value>) =
        rows.iter().cloned().partition(|row| !allowed(row).is_empty());
    if let Some(row) = empty.first() {
        space.import_roles(&golden, &[rows.clone(), empty.clone()].concat());
        let run = capture();
        assert_eq!(run["outcome"], "blocked", "{run:#}");
        let message = run["failure"]["message"].as_str().unwrap();
        assert!(message.contains(row["displayName"].as_str().unwrap()), "{message}");
    }
    space.import_roles(&golden, &rows);
    let run = capture();
    assert_eq!(run["outcome"], "succeeded", "{run:#}");
    space.done("POST", &format!("{profile}/activate"), json!({}));
    let profile_id = profile.rsplit('/').next().unwrap();

    // The same rows, in another order: nothing.
    let mut changed = rows.clone();
    changed.reverse();
    space.import_roles(&same, &changed);
    // And with one role wider, one gone, one that nobody approved, and built-in roles that Microsoft changed.
    let (wider, gone) = (custom[0]["id"].clone(), custom[1]["id"].clone());
    changed.retain(|row| row["id"] != gone);
    for row in &mut changed {
        if row["id"] == wider || built_in.iter().any(|one| one["id"] == row["id"]) {
            widen(row, ROTATE);
        }
    }
    let mut shadow = custom[1].clone();
    shadow["id"] = guid(77).into();
    shadow["displayName"] = "Shadow".into();
    changed.push(shadow.clone());
    space.import_roles(&other, &changed);
    for tenant in [&same, &other] {
        space.done("PUT", &format!("{tenant}/assignment"), json!({ "profile": profile_id }));
        space.done("POST", &format!("{tenant}/compare"), json!({}));
    }
    assert_eq!(space.findings(&same), Vec::<Value>::new(), "{:#}", space.last_run(&same));
    let counts = &space.last_run(&same)["context"]["baseline_compare"]["rbac_role_definitions"];
    assert_eq!(counts["unchanged"], sound.len(), "{counts}");

    let findings = space.findings(&other);
    assert_eq!(findings.len(), 3 + built_in.len(), "{findings:#?}");
    let of = |id: &Value| -> (Value, Value) {
        let finding =
            findings.iter().find(|one| one["drift"]["subject_external_id"] == *id).unwrap();
        (finding["drift"].clone(), space.evidence(&other, finding))
    };
    let (drift, evidence) = of(&wider);
    assert_eq!(
        (&drift["diff_kind"], &drift["severity"]),
        (&json!("permission_change"), &json!("high"))
    );
    assert_eq!(listed(&evidence, "added"), [ROTATE], "the spelling of the source");
    assert_eq!(listed(&evidence, "removed"), Vec::<String>::new());
    assert_eq!(evidence["role"]["resources"][0]["resource"], "RemoteTasks");
    let (drift, evidence) = of(&gone);
    assert_eq!(drift["severity_rule"], "role.custom.missing");
    assert_eq!(
        listed(&evidence, "removed").into_iter().collect::<BTreeSet<_>>(),
        allowed(custom[1])
    );
    assert_eq!(evidence["role"]["baseline"]["description"], custom[1]["description"]);
    assert!(privileged_first(&evidence), "{evidence:#}");
    let (_, evidence) = of(&shadow["id"]);
    assert_eq!(listed(&evidence, "added").into_iter().collect::<BTreeSet<_>>(), allowed(custom[1]));
    for role in built_in {
        let (drift, evidence) = of(&role["id"]);
        assert_eq!(drift["severity_rule"], "role.built_in.changed.privileged");
        assert_eq!(listed(&evidence, "added"), [ROTATE]);
        assert_eq!(evidence["role"]["baseline"]["built_in"], true);
    }

    // The evidence stands alone: with the golden tenant put away it is the same.
    let before: Vec<Value> = findings.iter().map(|one| space.evidence(&other, one)).collect();
    space.done("POST", &format!("{golden}/archive"), json!({}));
    let after: Vec<Value> = findings.iter().map(|one| space.evidence(&other, one)).collect();
    assert_eq!(before, after);
}

/// A vendor update is told as one: the group carries the notice, and its word is in the badge catalog.
#[test]
fn a_vendor_update_is_one_notice_over_http() {
    let space = Space::new();
    let role = |actions: &[&str]| {
        json!({
            "id": guid(5), "displayName": "Read Only Operator", "isBuiltIn": true,
            "rolePermissions": [{ "resourceActions": [{ "allowedResourceActions": actions }] }],
        })
    };
    let custom = |actions: &[&str]| {
        let mut custom = role(actions);
        custom["id"] = guid(6).into();
        custom["isBuiltIn"] = false.into();
        custom
    };
    let read = "Microsoft.Intune_Audit_Read";
    let golden = space.tenant("golden");
    let profile = space.profile("Gold");
    space.import_roles(&golden, &[role(&[read]), custom(&[read])]);
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    space.done("POST", &format!("{profile}/capture"), json!({ "tenant": id(&golden) }));
    space.done("POST", &format!("{profile}/activate"), json!({}));
    for name in ["one", "two", "three"] {
        let tenant = space.tenant(name);
        let wide = [read, "Microsoft.Intune_Reports_Read"];
        space.import_roles(&tenant, &[role(&wide), custom(&wide)]);
        space.done("PUT", &format!("{tenant}/assignment"), json!({ "profile": id(&profile) }));
        space.done("POST", &format!("{tenant}/compare"), json!({}));
    }
    let workspace = id(&space.at).parse().unwrap();
    let refreshed = space.world.system().refresh_overview(workspace);
    must(space.world.runtime.block_on(refreshed));
    let groups = space.get("/posture/groups");
    let told: BTreeSet<(String, u64, Option<&str>)> = groups["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let key = one["subject_key"].as_str().unwrap();
            let which = if key.contains(&guid(5)) { "built-in" } else { "custom" };
            (which.to_owned(), one["tenants"].as_u64().unwrap(), one["notice"].as_str())
        })
        .collect();
    assert_eq!(
        told,
        [("built-in".to_owned(), 3, Some("vendor_update")), ("custom".to_owned(), 3, None)].into(),
        "{groups:#}"
    );
    let badges = space.send(Call::get("/v1/badges")).text();
    assert!(badges.contains("drift_group.notice") && badges.contains("vendor_update"), "{badges}");
}

/// Seed 128: a snapshot's item of a role carries the marker of its identity and a reference that no tenant
/// stands in; of any other type the id is a keyed reference.
#[test]
fn snapshot_items_carry_an_identity_and_no_tenant() {
    let space = Space::new();
    let golden = space.tenant("golden");
    let profile = space.profile("Gold");
    let role = json!({
        "id": guid(5), "displayName": "Helpers", "isBuiltIn": false,
        "rolePermissions": [{ "resourceActions": [{ "allowedResourceActions": [ROTATE] }] }],
    });
    space.import_roles(&golden, &[role]);
    let golden_id = golden.rsplit('/').next().unwrap();
    space.done("POST", &format!("{profile}/capture"), json!({ "tenant": golden_id }));
    let snapshots = space.get(&format!("{profile}/snapshots"));
    let snapshot = snapshots["items"][0]["id"].as_str().unwrap();
    let page = space.get(&format!("{profile}/snapshots/{snapshot}/items"));
    let items = page["items"].as_array().unwrap();
    let of = |key: &str| items.iter().find(|one| one["policy_type"] == key).unwrap();
    let item = of(ROLE);
    assert_eq!(item["identity"], json!({ "strategy": "external_id", "value": guid(5) }));
    assert_eq!(item["built_in"], false);
    assert_eq!(item["display_name"], "Helpers");
    assert!(item["subject_key"].as_str().unwrap().contains(&guid(5)), "{item}");
    let other = of(FEATURE);
    assert_eq!(other["identity"]["strategy"], "keyed_reference");
    assert_eq!(other.get("built_in"), None);
    let text = page.to_string();
    assert!(!text.contains(&guid(999)), "the raw id of a policy: {text}");
    let bare = golden_id.trim_start_matches("ten_");
    assert!(!text.contains(bare), "the golden tenant: {text}");
    let path = format!(
        "{profile}/snapshots/{snapshot}/items/{}/payload",
        item["item_id"].as_str().unwrap()
    );
    let payload = space.get(&path);
    assert_eq!(payload["displayName"], "Helpers");
    assert_eq!(allowed(&payload), [ROTATE.to_owned()].into(), "{payload}");
}

/// Domain 2.7, every gate that a request reaches: profiles that are made or edited, overrides, imports, and
/// what is queued from them.
#[test]
fn role_assignments_are_refused_at_every_gate() {
    let space = Space::new();
    let (golden, other) = (space.tenant("golden"), space.tenant("other"));
    let profile = space.profile("Gold");
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let scopes = [
        json!({ "policy_types": [FEATURE], "foundation_types": [ASSIGNMENT] }),
        json!({ "policy_types": [FEATURE], "foundation_types": [ROLE, ASSIGNMENT] }),
        json!({ "policy_types": [ASSIGNMENT], "foundation_types": [] }),
    ];
    let at = |path: &str| format!("{}{path}", space.at);
    for scope in &scopes {
        let new = json!({ "name": "New", "scope": scope });
        space.refused(Call::post(at("/profiles"), new), 422, "invalid");
        let edit = Call::new("PATCH", at(&profile)).json(json!({ "scope": scope }));
        space.refused(edit, 422, "invalid");
    }
    let kept = space.get(&profile);
    assert_eq!(kept["scope"]["foundation_types"], json!([ROLE]), "a refused edit changes nothing");

    // Those that an import holds reach no list, not even when it claims to hold all of them.
    let row = json!({
        "@odata.type": "#microsoft.graph.deviceAndAppManagementRoleAssignment",
        "id": guid(3), "displayName": "Helpers", "description": "", "members": [guid(99)],
        "scopeType": "resourceScope", "resourceScopes": [guid(98)],
    });
    let claim = at(&format!("{golden}/inventory?coverage={ASSIGNMENT}"));
    let claimed = space.send(Call::new("POST", claim).raw("application/x-ndjson", row.to_string()));
    assert_eq!(claimed.json()["state"]["by_type"], json!({}), "{}", claimed.text());
    let role = json!({
        "id": guid(5), "displayName": "Helpers", "isBuiltIn": false,
        "rolePermissions": [{ "resourceActions": [{ "allowedResourceActions": [ROTATE] }] }],
    });
    let rows = |assignments: &[Value]| {
        let (roles, features) = ([role.clone()], [feature("F", 1, "1")]);
        let lists: [(&str, &[Value]); 3] = [
            ("roleDefinitions", &roles),
            ("windowsFeatureUpdateProfiles", &features),
            ("roleAssignments", assignments),
        ];
        lists.map(|(name, rows)| (name, rows.to_vec()))
    };
    let import = |tenant: &str, assignments: &[Value]| {
        let lists = rows(assignments);
        let lists: Vec<(&str, &[Value])> =
            lists.iter().map(|(name, rows)| (*name, rows.as_slice())).collect();
        space.import(tenant, &lists)
    };
    let view = import(&golden, std::slice::from_ref(&row));
    let gaps = view["gaps"].to_string();
    assert!(gaps.contains("unsupported_type") && gaps.contains(ASSIGNMENT), "{gaps}");
    let items = space.get(&format!("{golden}/inventory/items"));
    assert!(!items.to_string().contains(ASSIGNMENT) && !items.to_string().contains(&guid(3)));

    // Neither snapshot, summary nor finding holds one.
    space.done("POST", &format!("{profile}/capture"), json!({ "tenant": id(&golden) }));
    space.done("POST", &format!("{profile}/activate"), json!({}));
    for scope in &scopes {
        let held = json!({ "profile": id(&profile), "override_scope": scope });
        let put = Call::new("PUT", at(&format!("{other}/assignment"))).json(held);
        space.refused(put, 422, "invalid");
    }
    space.done("PUT", &format!("{other}/assignment"), json!({ "profile": id(&profile) }));
    import(&other, &[]);
    space.done("POST", &format!("{other}/compare"), json!({}));
    let run = space.last_run(&other);
    assert_eq!(run["outcome"], "succeeded", "{run:#}");
    assert!(!run["summary_counts"].to_string().contains("role"), "{run:#}");
    assert!(!run.to_string().contains(ASSIGNMENT), "{run:#}");
    assert_eq!(space.findings(&other), Vec::<Value>::new());
    let asked = Call::get(at(&format!("/findings?type={ASSIGNMENT}")));
    let answer = space.send(asked);
    assert!(
        answer.status == 422 || answer.json()["items"] == json!([]),
        "no list knows them: {}",
        answer.text()
    );
    let types = space.send(Call::get("/v1/policy-types")).json();
    let support = |key: &str| -> Value {
        let rows = types["policy_types"].as_array().unwrap();
        rows.iter().find(|one| one["key"] == key).unwrap()["support"].clone()
    };
    assert_eq!((support(ROLE), support(ASSIGNMENT)), (json!("supported"), json!("unsupported")));
}

/// A scope that an older release left in the store is neither obeyed nor read as "all": what is asked for
/// over HTTP is refused by name.
#[test]
fn a_stored_scope_of_role_assignments_starts_nothing_over_http() {
    let space = Space::new();
    let (golden, other) = (space.tenant("golden"), space.tenant("other"));
    let profile = space.profile("Gold");
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    space.import_roles(&golden, &[]);
    space.import_roles(&other, &[]);
    space.done("POST", &format!("{profile}/capture"), json!({ "tenant": id(&golden) }));
    space.done("POST", &format!("{profile}/activate"), json!({}));
    space.done("PUT", &format!("{other}/assignment"), json!({ "profile": id(&profile) }));
    let rows = space.world.stage.memory().records.dump();
    let row = rows.into_iter().find(|row| row.key.sk.starts_with("PROFILE#")).unwrap();
    let mut body = body_of(&row).unwrap();
    body["row"]["scope"]["foundation_types"] = json!([ROLE, ASSIGNMENT]);
    let mut changed = row.clone();
    changed.body = serde_json::to_vec(&body).unwrap();
    changed.revision += 1;
    let batch = Batch::new().put(changed, Condition::Revision(row.revision));
    must(space.world.runtime.block_on(space.world.stage.raw.records.commit(batch)));
    let at = |path: &str| format!("{}{path}", space.at);
    let capture = json!({ "tenant": id(&golden) });
    let compare = Call::new("POST", at(&format!("{other}/compare")));
    space.refused(Call::post(at(&format!("{profile}/capture")), capture), 422, "invalid");
    space.refused(compare, 422, "invalid");
}
