//! Stacks made from `infra/template.yaml` on a server that plays AWS.

use crate::functions::{FUNCTIONS, package};
use crate::ministack::Account;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// Where packages are put before a stack is made of them.
const CODE: &str = "plumbline-code";
/// How long a stack may take: longer than ever measured, on a machine that builds besides.
const PATIENCE: Duration = Duration::from_secs(90);

/// The template.
#[must_use]
pub fn template() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/template.yaml")
}

/// A stack that was made.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Its outputs, by name.
    pub outputs: BTreeMap<String, String>,
    /// The physical id of each of its resources, by logical id.
    pub resources: BTreeMap<String, String>,
}

impl Stack {
    /// The physical id of a resource.
    ///
    /// # Panics
    /// When the stack has none of that name.
    #[must_use]
    pub fn resource(&self, logical: &str) -> &str {
        self.resources.get(logical).unwrap_or_else(|| {
            let all: Vec<&String> = self.resources.keys().collect();
            panic!("the stack has no {logical}: {all:?}")
        })
    }
}

/// Makes a stack from the template with the functions that this program builds.
///
/// # Panics
/// When it cannot be made; with what the server says of each resource.
#[must_use]
pub fn deploy(account: &Account<'_>, name: &str, parameters: &[(&str, &str)]) -> Stack {
    deploy_packages(account, name, parameters, package)
}

/// Makes a stack from the template with other packages, given by the name of the function.
///
/// # Panics
/// As [`deploy`].
#[must_use]
pub fn deploy_packages(
    account: &Account<'_>,
    name: &str,
    parameters: &[(&str, &str)],
    package: fn(&str) -> PathBuf,
) -> Stack {
    let read = std::fs::read_to_string(template());
    let text = read.unwrap_or_else(|error| panic!("{}: {error}", template().display()));
    account.call("s3", "create_bucket", &json!({
        "Bucket": CODE, "CreateBucketConfiguration": { "LocationConstraint": crate::ministack::REGION },
    }));
    for function in FUNCTIONS {
        let key = format!("{function}.zip");
        let file = package(function);
        let arguments = json!({ "Filename": file, "Bucket": CODE, "Key": key });
        account.call("s3", "upload_file", &arguments);
    }
    let parameters: Vec<Value> = parameters
        .iter()
        .map(|(name, value)| json!({ "ParameterKey": name, "ParameterValue": value }))
        .collect();
    account.call(
        "cloudformation",
        "create_stack",
        &json!({
            "StackName": name,
            "TemplateBody": with_code(&text),
            "Parameters": parameters,
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            "OnFailure": "DO_NOTHING",
        }),
    );
    let outputs = made(account, name);
    correct_numbers(account);
    Stack { name: name.to_owned(), outputs, resources: resources(account, name) }
}

/// The template with the functions' packages in the place of their sources.
fn with_code(template: &str) -> String {
    let line = |line: &str| match line.split_once("CodeUri:") {
        Some((indent, source)) => {
            let source = source.trim().trim_end_matches('/');
            let function = source.rsplit('/').next().unwrap_or(source);
            format!("{indent}CodeUri: s3://{CODE}/{function}.zip\n")
        }
        None => format!("{line}\n"),
    };
    template.lines().map(line).collect()
}

/// Waits until a stack is made, and gives its outputs.
fn made(account: &Account<'_>, name: &str) -> BTreeMap<String, String> {
    let until = Instant::now() + PATIENCE;
    loop {
        let found =
            account.call("cloudformation", "describe_stacks", &json!({ "StackName": name }));
        let stack = &found["Stacks"][0];
        match stack["StackStatus"].as_str() {
            Some("CREATE_COMPLETE") => {
                return pairs(&stack["Outputs"], "OutputKey", "OutputValue");
            }
            Some("CREATE_IN_PROGRESS") if Instant::now() < until => {
                thread::sleep(Duration::from_millis(100));
            }
            status => {
                let asked = json!({ "StackName": name });
                let events = account.call("cloudformation", "describe_stack_events", &asked);
                panic!("the stack is {status:?}: {events:#}");
            }
        }
    }
}

/// The server keeps the most workers of a mapping as the text that the parameter is, and then cannot count
/// with it; AWS takes it for the number that it says.
fn correct_numbers(account: &Account<'_>) {
    let mappings = account.call("lambda", "list_event_source_mappings", &json!({}));
    for mapping in mappings["EventSourceMappings"].as_array().into_iter().flatten() {
        let most = &mapping["ScalingConfig"]["MaximumConcurrency"];
        if let Some(most) = most.as_str().and_then(|text| text.parse::<u32>().ok()) {
            let scaling = json!({ "MaximumConcurrency": most });
            let asked = json!({ "UUID": mapping["UUID"], "ScalingConfig": scaling });
            account.call("lambda", "update_event_source_mapping", &asked);
        }
    }
}

fn resources(account: &Account<'_>, name: &str) -> BTreeMap<String, String> {
    let asked = json!({ "StackName": name });
    let found = account.call("cloudformation", "describe_stack_resources", &asked);
    pairs(&found["StackResources"], "LogicalResourceId", "PhysicalResourceId")
}

/// A list of objects as a map of two of their members.
fn pairs(list: &Value, name: &str, value: &str) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|one| (text(&one[name]), text(&one[value]))).collect()
}
