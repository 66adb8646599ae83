//! What people do with a workspace, over HTTP.

use crate::issuer::Issuer;
use crate::world::World;
use plumbline_tests::policies::Policies;
use serde_json::{Value, json};

/// A workspace, and its owner.
pub(crate) struct Workspace<'w> {
    pub(crate) world: &'w World,
    pub(crate) id: String,
    token: String,
}

/// The id of something that the API gave.
fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}

impl<'w> Workspace<'w> {
    /// A new workspace of a person.
    pub(crate) fn new(world: &'w World, person: &str) -> Self {
        let token = Issuer::shared().token(person);
        let body = json!({ "name": format!("The workspace of {person}") }).to_string();
        let made = world.send(Some(&token), "POST", "/v1/workspaces", &body);
        assert_eq!(made.status, 201, "{made:?}");
        Self { world, id: id(&made.body), token }
    }

    /// Asks something of the workspace that must succeed.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let path = format!("/v1/workspaces/{}{path}", self.id);
        let answer = self.world.send(Some(&self.token), method, &path, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
        answer.body
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.ask("GET", path, "")
    }

    pub(crate) fn tenant(&self, name: &str) -> String {
        id(&self.ask("POST", "/tenants", &json!({ "name": name }).to_string()))
    }

    /// Imports policies as everything that a tenant has.
    pub(crate) fn import(&self, tenant: &str, policies: &Policies) -> Value {
        let lines: Vec<String> = policies.values().map(Value::to_string).collect();
        let path = format!("/tenants/{tenant}/inventory?coverage=complete");
        self.ask("POST", &path, &lines.join("\n"))
    }

    pub(crate) fn profile(&self, name: &str, types: &[&str]) -> String {
        let body = json!({ "name": name, "scope": { "policy_types": types } });
        id(&self.ask("POST", "/profiles", &body.to_string()))
    }

    /// Starts a capture; gives its run.
    pub(crate) fn capture(&self, profile: &str, tenant: &str) -> String {
        let body = json!({ "tenant": tenant }).to_string();
        id(&self.ask("POST", &format!("/profiles/{profile}/capture"), &body)["run"])
    }

    pub(crate) fn activate(&self, profile: &str) {
        self.ask("POST", &format!("/profiles/{profile}/activate"), "");
    }

    pub(crate) fn assign(&self, tenant: &str, profile: &str) {
        let body = json!({ "profile": profile }).to_string();
        self.ask("PUT", &format!("/tenants/{tenant}/assignment"), &body);
    }

    /// Starts a compare; gives its run.
    pub(crate) fn compare(&self, tenant: &str) -> String {
        id(&self.ask("POST", &format!("/tenants/{tenant}/compare"), "")["run"])
    }

    pub(crate) fn run(&self, tenant: &str, run: &str) -> Value {
        self.get(&format!("/tenants/{tenant}/runs/{run}"))
    }

    /// Waits until a run has ended.
    pub(crate) fn ended(&self, tenant: &str, run: &str) -> Value {
        self.world.until(&format!("the end of {run}"), || {
            let run = self.run(tenant, run);
            (run["status"] == "completed").then_some(run)
        })
    }

    /// The findings of a tenant, in the order of their names.
    pub(crate) fn findings(&self, tenant: &str) -> Vec<Value> {
        let page = self.get(&format!("/findings?tenant={tenant}"));
        let mut found = page["items"].as_array().unwrap().clone();
        found.sort_by_key(|one| one["drift"]["display_name"].as_str().map(str::to_owned));
        found
    }

    /// Name, status and times seen of each finding of a tenant.
    pub(crate) fn drift(&self, tenant: &str) -> Vec<(String, String, u64)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let found = self.findings(tenant);
        let row = |one: &Value| {
            (
                text(&one["drift"]["display_name"]),
                text(&one["status"]),
                one["times_seen"].as_u64().unwrap(),
            )
        };
        found.iter().map(row).collect()
    }

    /// A profile captured from a golden tenant, in force; gives it and the golden tenant.
    pub(crate) fn golden(&self, types: &[&str], policies: &Policies) -> (String, String) {
        let golden = self.tenant("Golden");
        self.import(&golden, policies);
        let profile = self.profile("Gold", types);
        let run = self.capture(&profile, &golden);
        let run = self.ended(&golden, &run);
        assert_eq!(run["outcome"], "succeeded", "{run}");
        self.activate(&profile);
        (profile, golden)
    }

    /// A tenant that is held to a profile and has these policies.
    pub(crate) fn governed(&self, name: &str, profile: &str, policies: &Policies) -> String {
        let tenant = self.tenant(name);
        self.import(&tenant, policies);
        self.assign(&tenant, profile);
        tenant
    }
}
