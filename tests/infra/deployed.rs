//! A stack made from the template on a server that plays AWS: what its services say of each resource. The
//! server takes no notice of a table's TTL, recovery and encryption, a bucket's lifecycle, the limits of a
//! gateway and how often an event is tried again; those stand in the rules over the translated template.

use plumbline_ports::queue::MAX_ATTEMPTS;
use plumbline_tests::deploy::{Stack, deploy_packages};
use plumbline_tests::ministack::{Account, Ministack, REGION};
use plumbline_tests::python::{Packages, Python};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;
use tempfile::TempDir;

const ISSUER: &str = "https://issuer.test/";

/// One stack for all tests of this suite: they only look.
static DEPLOYED: LazyLock<(Account<'static>, Stack)> = LazyLock::new(|| {
    let account = Ministack::shared().account();
    let parameters = [
        ("Issuer", ISSUER),
        ("Audience", "plumbline"),
        ("JwksUri", "https://issuer.test/keys"),
        ("Architecture", "x86_64"),
        ("WorkerConcurrency", "7"),
        ("LogRetentionDays", "14"),
        ("AlarmTopic", "arn:aws:sns:eu-central-1:123456789012:operators"),
    ];
    let stack = deploy_packages(&account, "stage", &parameters, package);
    (account, stack)
});

/// A package that starts nothing: no function is called here.
fn package(name: &str) -> PathBuf {
    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
    let program = FOLDER.path().join(name);
    std::fs::write(&program, "#!/bin/sh\nexit 1\n").unwrap();
    let zip = program.with_extension("zip");
    let pack =
        "import sys, zipfile; zipfile.ZipFile(sys.argv[2], 'w').write(sys.argv[1], 'bootstrap')";
    let mut python = Python::ready(Packages::Cloud).interpreter();
    let packed = python.args(["-c", pack]).args([&program, &zip]).status().unwrap();
    assert!(packed.success());
    zip
}

fn call(service: &str, operation: &str, arguments: &Value) -> Value {
    DEPLOYED.0.call(service, operation, arguments)
}

fn id(logical: &str) -> &'static str {
    DEPLOYED.1.resource(logical)
}

fn arn(service: &str, rest: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{}:{rest}", DEPLOYED.0.id())
}

/// JSON that stands in a text of an answer.
fn inner(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

fn function(name: &str) -> Value {
    call("lambda", "get_function_configuration", &json!({ "FunctionName": id(name) }))
}

#[test]
fn queues_hide_encrypt_and_give_up_as_the_template_says() {
    let queues = [
        ("CaptureQueue", "stage-capture", Some("stage-capture-dead"), "345600"),
        ("CaptureDeadLetters", "stage-capture-dead", None, "1209600"),
        ("CompareQueue", "stage-compare", Some("stage-compare-dead"), "345600"),
        ("CompareDeadLetters", "stage-compare-dead", None, "1209600"),
        ("TickDeadLetters", "stage-tick-dead", None, "1209600"),
    ];
    for (logical, name, dead, kept) in queues {
        let asked = json!({ "QueueUrl": id(logical), "AttributeNames": ["All"] });
        let found = call("sqs", "get_queue_attributes", &asked)["Attributes"].clone();
        assert_eq!(found["QueueArn"], arn("sqs", name), "{logical}");
        assert_eq!(found["SqsManagedSseEnabled"], "true", "{logical}");
        assert_eq!(found["MessageRetentionPeriod"], kept, "{logical}");
        assert!(found.get("FifoQueue").is_none(), "{logical}");
        let policy = inner(&found["Policy"]);
        let tls = json!({ "Bool": { "aws:SecureTransport": "false" } });
        assert_eq!(policy["Statement"][0]["Effect"], "Deny", "{logical}");
        assert_eq!(policy["Statement"][0]["Condition"], tls, "{logical}");
        if let Some(dead) = dead {
            let wanted =
                json!({ "deadLetterTargetArn": arn("sqs", dead), "maxReceiveCount": MAX_ATTEMPTS });
            assert_eq!(inner(&found["RedrivePolicy"]), wanted, "{logical}");
        } else {
            assert!(found.get("RedrivePolicy").is_none(), "{logical}");
        }
    }
}

#[test]
fn messages_are_hidden_for_six_times_as_long_as_their_function_runs() {
    for mapping in mappings() {
        let name = mapping["EventSourceArn"].as_str().unwrap().rsplit(':').next().unwrap();
        let url = call("sqs", "get_queue_url", &json!({ "QueueName": name }))["QueueUrl"].clone();
        let asked = json!({ "QueueUrl": url, "AttributeNames": ["VisibilityTimeout"] });
        let found = call("sqs", "get_queue_attributes", &asked);
        let hidden: u64 =
            found["Attributes"]["VisibilityTimeout"].as_str().unwrap().parse().unwrap();
        let asked = json!({ "FunctionName": mapping["FunctionArn"] });
        let time =
            call("lambda", "get_function_configuration", &asked)["Timeout"].as_u64().unwrap();
        assert!(hidden >= 6 * time, "{name}: {hidden} s is less than 6 × {time} s");
    }
}

#[test]
fn batches_answer_message_by_message_and_workers_are_limited() {
    let found: BTreeSet<(String, String, u64)> = mappings()
        .iter()
        .map(|mapping| {
            assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
            assert_eq!(mapping["State"], "Enabled");
            let last =
                |name: &str| mapping[name].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
            let most = mapping["ScalingConfig"]["MaximumConcurrency"].as_u64().unwrap();
            (last("EventSourceArn"), last("FunctionArn"), most)
        })
        .collect();
    let wanted = [
        ("stage-capture", "stage-capture", 7),
        ("stage-capture-dead", "stage-deadletter", 2),
        ("stage-compare", "stage-compare", 7),
        ("stage-compare-dead", "stage-deadletter", 2),
    ];
    let wanted =
        wanted.map(|(queue, function, most)| (queue.to_owned(), function.to_owned(), most));
    assert_eq!(found, BTreeSet::from(wanted));
}

fn mappings() -> Vec<Value> {
    let found = call("lambda", "list_event_source_mappings", &json!({}));
    found["EventSourceMappings"].as_array().unwrap().clone()
}

#[test]
fn the_bucket_is_private_encrypted_and_keeps_versions() {
    let ask = |operation| call("s3", operation, &json!({ "Bucket": id("Bucket") }));
    let encryption = ask("get_bucket_encryption");
    let rule = &encryption["ServerSideEncryptionConfiguration"]["Rules"][0];
    assert_eq!(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256");
    let block = json!({
        "BlockPublicAcls": true, "IgnorePublicAcls": true,
        "BlockPublicPolicy": true, "RestrictPublicBuckets": true,
    });
    assert_eq!(ask("get_public_access_block")["PublicAccessBlockConfiguration"], block);
    assert_eq!(ask("get_bucket_versioning")["Status"], "Enabled");
    let owner = &ask("get_bucket_ownership_controls")["OwnershipControls"]["Rules"][0];
    assert_eq!(owner["ObjectOwnership"], "BucketOwnerEnforced");
    let policy = inner(&ask("get_bucket_policy")["Policy"]);
    let statements = policy["Statement"].as_array().unwrap();
    assert!(statements.iter().all(|one| one["Effect"] == "Deny" && one["Principal"] == "*"));
    let whole = format!("arn:aws:s3:::{}", id("Bucket"));
    assert_eq!(statements[0]["Resource"], json!([whole, format!("{whole}/*")]));
    assert_eq!(statements[0]["Condition"], json!({ "Bool": { "aws:SecureTransport": "false" } }));
}

#[test]
fn the_table_has_the_keys_and_indexes_of_the_store_and_is_paid_by_request() {
    let found = call("dynamodb", "describe_table", &json!({ "TableName": id("Table") }));
    let table = &found["Table"];
    let keys = |of: &Value| {
        let name =
            |place: usize| of["KeySchema"][place]["AttributeName"].as_str().unwrap().to_owned();
        (name(0), name(1))
    };
    let own = |pk: &str, sk: &str| (pk.to_owned(), sk.to_owned());
    assert_eq!(keys(table), own("pk", "sk"));
    assert_eq!(table["DeletionProtectionEnabled"], true);
    assert_eq!(table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST");
    let indexes = table["GlobalSecondaryIndexes"].as_array().unwrap();
    let indexes: BTreeSet<_> = indexes
        .iter()
        .map(|index| {
            assert_eq!(index["Projection"]["ProjectionType"], "ALL");
            (index["IndexName"].as_str().unwrap(), keys(index))
        })
        .collect();
    let wanted = [("Findings", own("fpk", "fsk")), ("Tenants", own("tpk", "tsk"))];
    assert_eq!(indexes, BTreeSet::from(wanted));
}

#[test]
fn functions_run_on_what_the_parameters_say() {
    let functions = [
        ("ApiFunction", 512, 29),
        ("ScheduleFunction", 256, 120),
        ("CaptureFunction", 512, 160),
        ("CompareFunction", 512, 160),
        ("DeadletterFunction", 256, 60),
    ];
    for (name, memory, time) in functions {
        let found = function(name);
        assert_eq!(found["Architectures"], json!(["x86_64"]), "{name}");
        assert_eq!(found["Runtime"], "provided.al2023", "{name}");
        assert_eq!(
            (&found["MemorySize"], &found["Timeout"]),
            (&json!(memory), &json!(time)),
            "{name}"
        );
        let short = name.trim_end_matches("Function");
        let role = format!("arn:aws:iam::{}:role/{}", DEPLOYED.0.id(), id(&format!("{short}Role")));
        assert_eq!(found["Role"], role, "{name}");
        let log = format!("/aws/lambda/stage-{}", short.to_lowercase());
        assert_eq!(found["LoggingConfig"]["LogGroup"], log, "{name}");
    }
}

#[test]
fn functions_are_told_of_what_was_made() {
    let all = [
        "ApiFunction",
        "ScheduleFunction",
        "CaptureFunction",
        "CompareFunction",
        "DeadletterFunction",
    ];
    let told = all.map(|name| function(name)["Environment"]["Variables"].clone());
    let data = format!("arn:aws:iam::{}:role/{}", DEPLOYED.0.id(), id("DataRole"));
    let made = [
        ("PLUMBLINE_TABLE", id("Table"), 5),
        ("PLUMBLINE_BUCKET", id("Bucket"), 5),
        ("PLUMBLINE_QUEUE_CAPTURE", id("CaptureQueue"), 4),
        ("PLUMBLINE_QUEUE_COMPARE", id("CompareQueue"), 4),
        ("PLUMBLINE_DEAD_CAPTURE", id("CaptureDeadLetters"), 2),
        ("PLUMBLINE_DEAD_COMPARE", id("CompareDeadLetters"), 2),
        ("PLUMBLINE_DATA_ROLE", &data, 3),
    ];
    for (variable, value, functions) in made {
        let found: Vec<&Value> = told.iter().filter_map(|one| one.get(variable)).collect();
        assert_eq!(found.len(), functions, "{variable}");
        assert!(found.iter().all(|found| **found == value), "{variable}: {found:?} is not {value}");
    }
    assert_eq!(inner(&told[0]["PLUMBLINE_ISSUERS"])[0]["issuer"], ISSUER);
    // The secret that the API is told of is there, and its key was made.
    let secret = json!({ "SecretId": told[0]["PLUMBLINE_SECRET"] });
    let secret = inner(&call("secretsmanager", "get_secret_value", &secret)["SecretString"]);
    assert_eq!(secret["version"], 1);
    assert!(secret["root"].as_str().unwrap().len() >= 43);
    assert!(told[1..].iter().all(|one| one.get("PLUMBLINE_SECRET").is_none()));
}

#[test]
fn the_clock_wakes_the_schedule_and_lost_ticks_are_kept() {
    let tick = call("scheduler", "get_schedule", &json!({ "Name": "stage-tick" }));
    assert_eq!(tick["State"], "ENABLED");
    assert_eq!(tick["ScheduleExpression"], "rate(1 minute)");
    let target = &tick["Target"];
    assert_eq!(target["Arn"], arn("lambda", "function:stage-schedule"));
    assert_eq!(target["DeadLetterConfig"]["Arn"], arn("sqs", "stage-tick-dead"));
    assert_eq!(target["RetryPolicy"]["MaximumEventAgeInSeconds"], 60);
    assert!(target["RoleArn"].as_str().unwrap().ends_with(id("TickRole")));
}

#[test]
fn routes_want_a_token_of_the_issuer_but_for_the_public_ones() {
    let asked = json!({ "ApiId": id("HttpApi") });
    let authorizers = call("apigatewayv2", "get_authorizers", &asked);
    let authorizer = &authorizers["Items"][0];
    let wanted = json!({ "Audience": ["plumbline"], "Issuer": ISSUER });
    assert_eq!(authorizer["JwtConfiguration"], wanted);
    let integrations = call("apigatewayv2", "get_integrations", &asked);
    let integration = &integrations["Items"][0];
    assert_eq!(integration["IntegrationUri"], arn("lambda", "function:stage-api"));
    assert_eq!(integration["PayloadFormatVersion"], "2.0");
    let routes = call("apigatewayv2", "get_routes", &asked);
    let mut open = BTreeSet::new();
    for route in routes["Items"].as_array().unwrap() {
        let target = format!("integrations/{}", integration["IntegrationId"].as_str().unwrap());
        assert_eq!(route["Target"], target);
        let key = route["RouteKey"].as_str().unwrap();
        if key == "$default" {
            assert_eq!(route["AuthorizationType"], "JWT");
            assert_eq!(route["AuthorizerId"], authorizer["AuthorizerId"]);
            assert_eq!(route["AuthorizationScopes"], json!(["plumbline"]));
        } else {
            assert_eq!(route["AuthorizationType"], "NONE");
            open.insert(key);
        }
    }
    assert_eq!(open, BTreeSet::from(["GET /health", "GET /openapi.json", "GET /reference"]));
    let log = &call("apigatewayv2", "get_stages", &asked)["Items"][0]["AccessLogSettings"];
    assert!(log["DestinationArn"].as_str().unwrap().contains("log-group:/aws/http-api/stage"));
    let policy = call("lambda", "get_policy", &json!({ "FunctionName": "stage-api" }));
    let policy = inner(&policy["Policy"]);
    let from = arn("execute-api", &format!("{}/*", id("HttpApi")));
    assert_eq!(policy["Statement"][0]["Condition"]["ArnLike"]["AWS:SourceArn"], from);
}

#[test]
fn roles_name_what_was_made() {
    let policy = |role: &str, name: &str| {
        let asked = json!({ "RoleName": id(role), "PolicyName": name });
        call("iam", "get_role_policy", &asked)["PolicyDocument"]["Statement"].clone()
    };
    let resource = |statements: &Value, sid: &str| {
        let found = statements.as_array().unwrap().iter().find(|one| one["Sid"] == sid);
        found.unwrap_or_else(|| panic!("{sid} is not in {statements}"))["Resource"].clone()
    };
    let table = arn("dynamodb", &format!("table/{}", id("Table")));
    let objects = format!("arn:aws:s3:::{}/ws/*", id("Bucket"));
    for (role, name) in [("DataRole", "data"), ("ApiRole", "api"), ("ScheduleRole", "schedule")] {
        let statements = policy(role, name);
        assert_eq!(resource(&statements, "Records"), json!([table, format!("{table}/index/*")]));
        assert_eq!(resource(&statements, "Objects"), objects);
    }
    let data = format!("arn:aws:iam::{}:role/{}", DEPLOYED.0.id(), id("DataRole"));
    for (role, name, queue) in
        [("CaptureRole", "capture", "stage-capture"), ("CompareRole", "compare", "stage-compare")]
    {
        let statements = policy(role, name);
        assert_eq!(resource(&statements, "TakeWork"), arn("sqs", queue));
        assert_eq!(resource(&statements, "GiveUp"), arn("sqs", &format!("{queue}-dead")));
        assert_eq!(policy(role, "data")[0]["Resource"], data);
    }
    let role = call("iam", "get_role", &json!({ "RoleName": id("DataRole") }));
    let trusted = &role["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"];
    let workers = ["CaptureRole", "CompareRole", "DeadletterRole"];
    let workers = workers.map(|role| format!("arn:aws:iam::{}:role/{}", DEPLOYED.0.id(), id(role)));
    assert_eq!(trusted, &json!(workers));
}

#[test]
fn alarms_tell_the_topic_and_logs_are_kept_as_long_as_the_parameter_says() {
    let found = call("cloudwatch", "describe_alarms", &json!({}));
    let alarms = found["MetricAlarms"].as_array().unwrap();
    let made = DEPLOYED.1.resources.keys().filter(|name| name.ends_with("Alarm")).count();
    assert_eq!(alarms.len(), made);
    for alarm in alarms {
        let topic = json!(["arn:aws:sns:eu-central-1:123456789012:operators"]);
        assert_eq!(alarm["AlarmActions"], topic, "{}", alarm["AlarmName"]);
        assert!(!alarm["Dimensions"][0]["Value"].as_str().unwrap().contains("${"));
    }
    let found = call("logs", "describe_log_groups", &json!({}));
    let logs = found["logGroups"].as_array().unwrap();
    assert_eq!(logs.len(), 6);
    assert!(logs.iter().all(|log| log["retentionInDays"] == 14), "{logs:?}");
    let dashboards = call("cloudwatch", "list_dashboards", &json!({}));
    assert_eq!(dashboards["DashboardEntries"].as_array().map(Vec::len), Some(1));
}
