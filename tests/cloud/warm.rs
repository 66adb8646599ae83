//! Before the first event: what a function's environment names is there, or the function says what is not.

use crate::stage::{Stage, ports, run};
use plumbline_ports::conformance::records::row;
use plumbline_ports::{Batch, CommitError, Condition, Key, ObjectKey, PortError, QueueName};
use plumbline_store_aws::{Aws, QueueUrls, Settings};
use plumbline_tests::ministack::REGION;
use serde_json::json;
use std::collections::BTreeMap;

/// What a function says before its first event.
async fn told(stage: &Stage<'_>, settings: Settings) -> Result<(), PortError> {
    Aws::connect_to(&stage.server(), settings).await.warm().await
}

#[test]
fn what_is_there_is_proven_and_billed_little() {
    let stage = Stage::new();
    run(async {
        let aws = stage.aws().await;
        aws.warm().await.unwrap();
        let bill = aws.bill();
        assert_eq!((bill.record_requests, bill.object_gets, bill.object_puts), (1, 1, 0));
        assert_eq!((bill.queue_requests, bill.secret_requests), (4, 1));
        aws.of_workspace("wsp_1", ports(&aws).clock, ports(&aws).ids).await.unwrap();
        assert_eq!(aws.bill().sessions, 0, "without a data role there are no sessions");
        told(&stage, Settings::default()).await.unwrap();
    });
}

#[test]
fn what_is_not_there_is_named() {
    let stage = Stage::new();
    run(async {
        let whole = || stage.settings.clone();
        let absent = |name: &str| {
            let url = stage.urls(QueueName::Compare).queue.clone().unwrap();
            Some(url.replace("compare", name))
        };
        let queue = QueueUrls { queue: absent("absent"), dead_letters: None };
        let dead = QueueUrls { queue: None, dead_letters: absent("absent-dead") };
        let role = format!("arn:aws:iam::{}:role/absent", stage.account.id());
        for (settings, name) in [
            (Settings { table: Some("absent-table".into()), ..whole() }, "absent-table"),
            (Settings { bucket: Some("absent-bucket".into()), ..whole() }, "absent-bucket"),
            (Settings { secret: Some("absent-secret".into()), ..whole() }, "absent-secret"),
            (
                Settings { queues: BTreeMap::from([(QueueName::Compare, queue)]), ..whole() },
                "absent",
            ),
            (
                Settings { queues: BTreeMap::from([(QueueName::Capture, dead)]), ..whole() },
                "absent-dead",
            ),
        ] {
            let error = told(&stage, settings).await.unwrap_err();
            assert!(matches!(error, PortError::Refused { .. }), "{error}");
            assert!(error.to_string().contains(name), "{error}");
            assert!(error.to_string().contains("environment"), "it says what to do: {error}");
        }
        // The server lets anybody be any role; one that is no role at all is refused here.
        let settings = Settings { data_role: Some(role.replace("role/", "user/")), ..whole() };
        let error = told(&stage, settings).await.unwrap_err();
        assert!(error.to_string().contains("user/absent"), "{error}");
    });
}

#[test]
fn a_secret_that_holds_no_key_is_named() {
    let stage = Stage::new();
    run(async {
        for (number, text) in ["", "text", r#"{"version":1}"#].into_iter().enumerate() {
            let name = format!("bad-{number}");
            let text = if text.is_empty() { "{}" } else { text };
            let make = json!({ "Name": name, "SecretString": text });
            stage.account.call("secretsmanager", "create_secret", &make);
            let settings = Settings { secret: Some(name.clone()), ..stage.settings.clone() };
            let error = told(&stage, settings).await.unwrap_err();
            assert!(error.to_string().contains(&name), "{error}");
            assert!(error.to_string().contains("restore the version"), "{error}");
            assert!(!error.is_retryable());
        }
    });
}

#[test]
fn a_port_without_its_setting_names_the_variable() {
    let stage = Stage::new();
    run(async {
        let aws = Aws::connect_to(&stage.server(), Settings::default()).await;
        let ports = ports(&aws);
        let told = ports.records.get(&Key::new("p", "s")).await.unwrap_err();
        assert!(told.to_string().contains("`PLUMBLINE_TABLE` is not set"), "{told}");
        let batch = Batch::new().put(row("p", "s", 1, "x"), Condition::Always);
        let told = ports.records.commit(batch).await.unwrap_err();
        assert!(matches!(told, CommitError::Port(PortError::Refused { .. })), "{told}");
        let key = ObjectKey::of("ws/a", b"x").unwrap();
        let told = ports.objects.put(&key, b"x".to_vec()).await.unwrap_err();
        assert!(told.to_string().contains("`PLUMBLINE_BUCKET` is not set"), "{told}");
        let told = ports.queue.dead_letters(QueueName::Compare, 1).await.unwrap_err();
        assert!(told.to_string().contains("`PLUMBLINE_DEAD_COMPARE` is not set"), "{told}");
        let told = ports.secrets.root_key().await.unwrap_err();
        assert!(told.to_string().contains("`PLUMBLINE_SECRET` is not set"), "{told}");
        assert_eq!(aws.bill(), plumbline_store_aws::Bill::default(), "nothing was asked");
    });
}

/// An error of a server that is not there is worth another try, and says where it was looked for.
#[test]
fn a_server_that_does_not_answer_is_unavailable() {
    let stage = Stage::new();
    run(async {
        let mut server = stage.server();
        // A port that nothing listens on.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        server.url = format!("http://{free}");
        assert_eq!(server.region, REGION);
        let aws = Aws::connect_to(&server, stage.settings.clone()).await;
        let told = ports(&aws).records.get(&Key::new("p", "s")).await.unwrap_err();
        assert!(told.is_retryable(), "{told}");
    });
}
