//! A stage in an account of its own: table, bucket, queues and secret as the template makes them.

use plumbline_ports::queue::MAX_ATTEMPTS;
use plumbline_ports::{Ports, QueueName};
use plumbline_store_aws::{Aws, QueueUrls, Server, Settings};
use plumbline_testkit::clock::ManualClock;
use plumbline_testkit::ids::CountedIds;
use plumbline_tests::ministack::{Account, Ministack, REGION};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

pub(crate) const TABLE: &str = "plumbline";
pub(crate) const SECRET: &str = "plumbline-key";

pub(crate) struct Stage<'m> {
    pub(crate) account: Account<'m>,
    pub(crate) settings: Settings,
}

impl Stage<'static> {
    /// A stage in the server that all tests share.
    pub(crate) fn new() -> Self {
        Self::on(Ministack::shared())
    }
}

impl<'m> Stage<'m> {
    pub(crate) fn on(server: &'m Ministack) -> Self {
        let account = server.account();
        account.call("dynamodb", "create_table", &table());
        let bucket = format!("plumbline-{}", account.id());
        let place = json!({ "LocationConstraint": REGION });
        account.call(
            "s3",
            "create_bucket",
            &json!({ "Bucket": bucket, "CreateBucketConfiguration": place }),
        );
        let queues = QueueName::ALL.map(|name| (name, queues(&account, name.as_str())));
        let root = "r".repeat(43) + account.id();
        account.call(
            "secretsmanager",
            "create_secret",
            &json!({
                "Name": SECRET,
                "SecretString": json!({ "version": 1, "root": root }).to_string(),
            }),
        );
        let settings = Settings {
            table: Some(TABLE.to_owned()),
            bucket: Some(bucket),
            queues: BTreeMap::from(queues),
            secret: Some(SECRET.to_owned()),
            data_role: None,
        };
        Self { account, settings }
    }

    pub(crate) fn bucket(&self) -> &str {
        self.settings.bucket.as_deref().unwrap()
    }

    pub(crate) fn urls(&self, name: QueueName) -> &QueueUrls {
        &self.settings.queues[&name]
    }

    pub(crate) fn server(&self) -> Server {
        Server {
            url: self.account.server.url(),
            region: REGION.to_owned(),
            access_key: self.account.root.key.clone(),
            secret_key: self.account.root.secret.clone(),
        }
    }

    pub(crate) async fn aws(&self) -> Aws {
        Aws::connect_to(&self.server(), self.settings.clone()).await
    }

    /// Every port, with the account's own rights.
    pub(crate) async fn ports(&self) -> Ports {
        ports(&self.aws().await)
    }
}

pub(crate) fn ports(aws: &Aws) -> Ports {
    aws.ports(Arc::new(ManualClock::default()), Arc::new(CountedIds::default()))
}

/// The ports of one workspace.
pub(crate) async fn ports_of(aws: &Aws, workspace: &str) -> Ports {
    let (clock, ids) = (Arc::new(ManualClock::default()), Arc::new(CountedIds::default()));
    aws.of_workspace(workspace, clock, ids).await.unwrap()
}

fn table() -> Value {
    let text = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let keys = |pk: &str, sk: &str| {
        json!([
            { "AttributeName": pk, "KeyType": "HASH" },
            { "AttributeName": sk, "KeyType": "RANGE" },
        ])
    };
    let index = |name: &str, pk: &str, sk: &str| {
        json!({
            "IndexName": name,
            "KeySchema": keys(pk, sk),
            "Projection": { "ProjectionType": "ALL" },
        })
    };
    let attributes = ["pk", "sk", "fpk", "fsk", "tpk", "tsk"].map(text);
    json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "KeySchema": keys("pk", "sk"),
        "GlobalSecondaryIndexes":
            [index("Findings", "fpk", "fsk"), index("Tenants", "tpk", "tsk")],
    })
}

fn queues(account: &Account<'_>, name: &str) -> QueueUrls {
    let make = |name: String, attributes: Value| {
        let made = account.call(
            "sqs",
            "create_queue",
            &json!({ "QueueName": name, "Attributes": attributes }),
        );
        made["QueueUrl"].as_str().unwrap().to_owned()
    };
    let dead = make(format!("{name}-dead"), json!({}));
    let arn = format!("arn:aws:sqs:{REGION}:{}:{name}-dead", account.id());
    let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": MAX_ATTEMPTS });
    let queue = make(name.to_owned(), json!({ "RedrivePolicy": redrive.to_string() }));
    QueueUrls { queue: Some(queue), dead_letters: Some(dead) }
}

/// Runs a test to its end.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().unwrap().block_on(test)
}
