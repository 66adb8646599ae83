//! Once more on a server that evaluates policies: everything works with the role of each function and a
//! session for each workspace, and what no function needs is denied to it. The server evaluates policies
//! of roles and sessions, leading keys as `tests/src/emulator.py` tells them; it is an approximation of
//! AWS, and no proof. What it does not evaluate is looked up in the policies (`tests/infra`).

use crate::people::Workspace;
use crate::world::World;
use plumbline_store_aws::{Fence, policy};
use plumbline_tests::bridge::Credentials;
use plumbline_tests::ministack::{Policies, REGION};
use plumbline_tests::policies::{FEATURE, many};
use serde_json::{Value, json};

/// A stack on a server that evaluates policies.
fn world() -> World {
    World::under(Policies::Evaluated)
}

/// The role of a function, or the data role under the session of a workspace.
struct Caller {
    name: String,
    keys: Credentials,
}

/// Takes a role on. Only who it is meant for may do so; the account's root is added to them for the test,
/// and what the role may do stays as it is.
fn assume(world: &World, name: &str, role: &str, session: Option<&str>) -> Caller {
    let role_name = role.rsplit('/').next().unwrap();
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": { "AWS": format!("arn:aws:iam::{}:root", world.account().id()) },
        }],
    });
    let asked = json!({ "RoleName": role_name, "PolicyDocument": trust.to_string() });
    let before = world.account().call("iam", "get_role", &json!({ "RoleName": role_name }));
    world.account().call("iam", "update_assume_role_policy", &asked);
    let mut asked = json!({ "RoleArn": role, "RoleSessionName": "somebody" });
    if let Some(policy) = session {
        asked["Policy"] = json!(policy);
    }
    let given = world.account().call("sts", "assume_role", &asked)["Credentials"].take();
    let trust = before["Role"]["AssumeRolePolicyDocument"].to_string();
    let back = json!({ "RoleName": role_name, "PolicyDocument": trust });
    world.account().call("iam", "update_assume_role_policy", &back);
    let text = |name: &str| given[name].as_str().unwrap().to_owned();
    let keys = Credentials {
        key: text("AccessKeyId"),
        secret: text("SecretAccessKey"),
        token: Some(text("SessionToken")),
    };
    Caller { name: name.to_owned(), keys }
}

fn function(world: &World, name: &str) -> Caller {
    let asked = json!({ "FunctionName": world.function(name) });
    let found = world.account().call("lambda", "get_function_configuration", &asked);
    assume(world, name, found["Role"].as_str().unwrap(), None)
}

fn session(world: &World, workspace: &str) -> Caller {
    let role = world.setting("compare", "PLUMBLINE_DATA_ROLE");
    let (table, bucket) =
        (world.setting("compare", "PLUMBLINE_TABLE"), world.setting("compare", "PLUMBLINE_BUCKET"));
    let account = world.account();
    let fence = Fence {
        partition: "aws",
        region: REGION,
        account: account.id(),
        table: Some(&table),
        bucket: Some(&bucket),
        workspace,
    };
    assume(world, &format!("a session of {workspace}"), &role, Some(&policy(&fence)))
}

/// Calls that somebody makes, and whether each is allowed.
struct Calls<'w> {
    world: &'w World,
    wrong: Vec<String>,
    count: [u32; 2],
}

impl Calls<'_> {
    fn make(&mut self, who: &Caller, call: (&str, &str, Value), allowed: bool) {
        let (service, operation, arguments) = call;
        self.count[usize::from(allowed)] += 1;
        let answer = self.world.account().call_as(&who.keys, service, operation, &arguments);
        let is_denied = answer.as_ref().is_err_and(|refusal| refusal.code.contains("AccessDenied"));
        let is_right = if allowed { answer.is_ok() } else { is_denied };
        if !is_right {
            let told = answer.map_or_else(|told| told.to_string(), |_| "allowed".to_owned());
            self.wrong.push(format!("{}: {operation} {arguments}: {told}", who.name));
        }
    }

    fn allowed(&mut self, who: &Caller, call: (&str, &str, Value)) {
        self.make(who, call, true);
    }

    fn denied(&mut self, who: &Caller, call: (&str, &str, Value)) {
        self.make(who, call, false);
    }
}

/// The calls, with what the stack is called.
struct Names {
    table: String,
    bucket: String,
}

type Call = (&'static str, &'static str, Value);

impl Names {
    fn key(pk: &str) -> Value {
        json!({ "pk": { "S": pk }, "sk": { "S": "TRIED" } })
    }

    fn get(&self, pk: &str) -> Call {
        ("dynamodb", "get_item", json!({ "TableName": self.table, "Key": Self::key(pk) }))
    }

    fn put(&self, pk: &str) -> Call {
        ("dynamodb", "put_item", json!({ "TableName": self.table, "Item": Self::key(pk) }))
    }

    fn scan(&self) -> Call {
        ("dynamodb", "scan", json!({ "TableName": self.table }))
    }

    fn batch_get(&self, partitions: &[&str]) -> Call {
        let keys: Vec<Value> = partitions.iter().map(|pk| Self::key(pk)).collect();
        ("dynamodb", "batch_get_item", json!({ "RequestItems": { &self.table: { "Keys": keys } } }))
    }

    fn transact(&self, partitions: &[&str]) -> Call {
        let put = |pk: &&str| json!({ "Put": { "TableName": self.table, "Item": Self::key(pk) } });
        let items: Vec<Value> = partitions.iter().map(put).collect();
        ("dynamodb", "transact_write_items", json!({ "TransactItems": items }))
    }

    fn query(&self, index: Option<&str>, name: &str, pk: &str) -> Call {
        let mut asked = json!({
            "TableName": self.table,
            "KeyConditionExpression": "#pk = :pk",
            "ExpressionAttributeNames": { "#pk": name },
            "ExpressionAttributeValues": { ":pk": { "S": pk } },
        });
        if let Some(index) = index {
            asked["IndexName"] = json!(index);
        }
        ("dynamodb", "query", asked)
    }

    fn object(&self, operation: &'static str, key: &str) -> Call {
        let mut asked = json!({ "Bucket": self.bucket, "Key": key });
        if operation == "put_object" {
            asked["Body"] = json!({ "$bytes": "dHJpZWQ=" });
        }
        ("s3", operation, asked)
    }

    fn list(&self, prefix: &str) -> Call {
        ("s3", "list_objects_v2", json!({ "Bucket": self.bucket, "Prefix": prefix }))
    }
}

fn names(world: &World) -> Names {
    Names {
        table: world.setting("compare", "PLUMBLINE_TABLE"),
        bucket: world.setting("compare", "PLUMBLINE_BUCKET"),
    }
}

#[test]
fn the_loop_works_with_the_role_of_each_function() {
    let world = &world();
    for person in ["olga", "paul"] {
        let workspace = Workspace::new(world, person);
        let (profile, _) = workspace.golden(&[FEATURE], &many(20, 0));
        let tenant = workspace.governed("Contoso", &profile, &many(20, 3));
        let run = workspace.compare(&tenant);
        let ended = workspace.ended(&tenant, &run);
        assert_eq!(ended["outcome"], "succeeded", "{ended}");
        assert_eq!(workspace.drift(&tenant).len(), 3);
        // A message of this workspace that can never be done goes through every function that has to do
        // with dead letters.
        world.deliver("compare", false);
        let run = workspace.compare(&tenant);
        let url = world.setting("deadletter", crate::messages::COMPARE);
        world.account().call("sqs", "purge_queue", &json!({ "QueueUrl": url }));
        let wrong = crate::messages::message(&workspace, &tenant, &run, "baseline_capture");
        world.enqueue(crate::messages::DEAD_COMPARE, &workspace.id, &[wrong]);
        world.deliver("compare", true);
        assert_eq!(workspace.ended(&tenant, &run)["failure"]["reason_code"], "poison_message");
    }
    let ticked = world.invoke("schedule", &json!({})).unwrap();
    assert!(ticked["nightsStarted"].is_u64(), "{ticked}");
}

/// Each call that is denied has one beside it that is allowed, of the same kind where the caller has any.
#[test]
fn a_session_reaches_one_workspace() {
    let world = &world();
    let names = names(world);
    let (ours, theirs) = (Workspace::new(world, "olga").id, Workspace::new(world, "paul").id);
    let session = session(world, &ours);
    let (our, their) = (format!("WS#{ours}"), format!("WS#{theirs}"));
    let (our_tenant, their_tenant) = (format!("{our}#TEN#ten_1"), format!("{their}#TEN#ten_1"));
    let mut calls = Calls { world, wrong: Vec::new(), count: [0; 2] };
    for pk in [&our, &our_tenant] {
        calls.allowed(&session, names.get(pk));
        calls.allowed(&session, names.put(pk));
        calls.allowed(&session, names.query(None, "pk", pk));
    }
    calls.allowed(&session, names.query(Some("Findings"), "fpk", &our));
    calls.allowed(&session, names.query(Some("Tenants"), "tpk", &our));
    calls.allowed(&session, names.transact(&[&our, &our_tenant]));
    let shared = ["OUTBOX#0", "DUE", "OVERVIEWS", "WORKSPACES", "SUBJECT#1"];
    let longer = format!("{our}1");
    for pk in [&*their, &*their_tenant, &*longer].into_iter().chain(shared) {
        calls.denied(&session, names.get(pk));
        calls.denied(&session, names.put(pk));
        calls.denied(&session, names.query(None, "pk", pk));
        calls.denied(&session, names.transact(&[&our, pk]));
        calls.denied(&session, names.batch_get(&[&our, pk]));
    }
    calls.denied(&session, names.query(Some("Findings"), "fpk", &their));
    calls.denied(&session, names.query(Some("Tenants"), "tpk", &their));
    calls.denied(&session, names.scan());
    let (object, foreign) = (format!("ws/{ours}/tried"), format!("ws/{theirs}/tried"));
    calls.allowed(&session, names.object("put_object", &object));
    calls.allowed(&session, names.object("get_object", &object));
    calls.allowed(&session, names.list(&format!("ws/{ours}/")));
    calls.denied(&session, names.object("put_object", &foreign));
    calls.denied(&session, names.object("get_object", &foreign));
    calls.denied(&session, names.object("delete_object", &foreign));
    calls.denied(&session, names.object("delete_object", &object));
    calls.denied(&session, names.list(&format!("ws/{theirs}/")));
    calls.denied(&session, names.list("ws/"));
    println!("{} calls denied, {} allowed", calls.count[0], calls.count[1]);
    assert!(calls.wrong.is_empty(), "{:#?}", calls.wrong);
}

#[test]
fn a_function_may_do_what_it_needs() {
    let world = &world();
    let names = names(world);
    let ours = Workspace::new(world, "olga").id;
    let our = format!("WS#{ours}");
    let object = format!("ws/{ours}/tried");
    let by_root = names.object("put_object", &object);
    world.account().call(by_root.0, by_root.1, &by_root.2);
    let other = json!({ "Name": "another", "SecretString": "tried" });
    world.account().call("secretsmanager", "create_secret", &other);
    let secret = |id: &str| ("secretsmanager", "get_secret_value", json!({ "SecretId": id }));
    let url = |name: &str| world.setting("deadletter", name);
    let queue = |operation: &'static str, name: &str| {
        let mut asked = json!({ "QueueUrl": url(name) });
        if operation == "send_message" {
            // It is no message of ours, and no worker sees it.
            asked["MessageBody"] = json!("tried");
            asked["DelaySeconds"] = json!(900);
        }
        ("sqs", operation, asked)
    };
    let mut calls = Calls { world, wrong: Vec::new(), count: [0; 2] };
    let stage = world.setting("api", "PLUMBLINE_SECRET");
    let (capture, compare) = ("PLUMBLINE_QUEUE_CAPTURE", "PLUMBLINE_QUEUE_COMPARE");
    let (dead_capture, dead_compare) = ("PLUMBLINE_DEAD_CAPTURE", "PLUMBLINE_DEAD_COMPARE");
    for name in plumbline_tests::functions::FUNCTIONS {
        let who = function(world, name);
        calls.denied(&who, secret("another"));
        calls.denied(&who, names.scan());
        calls.denied(&who, names.object("delete_object", &object));
        calls.denied(&who, ("iam", "list_roles", json!({})));
        calls.denied(&who, ("lambda", "list_functions", json!({})));
    }
    let api = function(world, "api");
    calls.allowed(&api, secret(&stage));
    calls.allowed(&api, names.get(&our));
    calls.allowed(&api, names.put("OUTBOX#0"));
    calls.allowed(&api, names.object("get_object", &object));
    calls.allowed(&api, queue("send_message", capture));
    calls.allowed(&api, queue("send_message", compare));
    for name in [capture, compare, dead_capture, dead_compare] {
        calls.denied(&api, queue("receive_message", name));
    }
    calls.denied(&api, queue("send_message", dead_compare));
    let schedule = function(world, "schedule");
    calls.allowed(&schedule, names.get("DUE"));
    calls.allowed(&schedule, names.put("OUTBOX#0"));
    calls.allowed(&schedule, queue("send_message", compare));
    calls.denied(&schedule, secret(&stage));
    calls.denied(&schedule, queue("receive_message", compare));
    calls.denied(&schedule, queue("send_message", dead_compare));
    for (name, own, dead, foreign, foreign_dead) in [
        ("capture", capture, dead_capture, compare, dead_compare),
        ("compare", compare, dead_compare, capture, dead_capture),
    ] {
        let worker = function(world, name);
        calls.allowed(&worker, queue("receive_message", own));
        calls.allowed(&worker, queue("send_message", dead));
        calls.denied(&worker, queue("receive_message", foreign));
        calls.denied(&worker, queue("receive_message", dead));
        calls.denied(&worker, queue("receive_message", foreign_dead));
        calls.denied(&worker, queue("send_message", foreign_dead));
        calls.denied(&worker, secret(&stage));
        // Records and objects are reached through a session alone.
        for pk in [&*our, "OUTBOX#0", "DUE", "WORKSPACES"] {
            calls.denied(&worker, names.get(pk));
            calls.denied(&worker, names.put(pk));
        }
        calls.denied(&worker, names.object("get_object", &object));
    }
    let letters = function(world, "deadletter");
    calls.allowed(&letters, queue("receive_message", dead_compare));
    calls.allowed(&letters, queue("send_message", compare));
    calls.denied(&letters, queue("receive_message", compare));
    calls.denied(&letters, secret(&stage));
    println!("{} calls denied, {} allowed", calls.count[0], calls.count[1]);
    assert!(calls.wrong.is_empty(), "{:#?}", calls.wrong);
}
