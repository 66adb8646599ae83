//! What is kept stays, and what is not needed goes.

use super::Break::{Drop, Set};
use super::Rule;
use crate::policy::document_statements;
use crate::template::{Resource, Template, list};
use serde_json::json;

/// The longest that a table can be put back in time, in days.
const LONGEST_RECOVERY: u64 = 35;
/// The longest that a queue keeps a message, in seconds.
const LONGEST_MESSAGE: u64 = 1_209_600;

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "table, bucket and secret outlive the stack and their replacement",
        faults: |template| {
            let kept = ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"];
            let lost = |resource: &Resource<'_>| {
                kept.contains(&resource.kind())
                    && ["DeletionPolicy", "UpdateReplacePolicy"]
                        .iter()
                        .any(|policy| resource.beside(policy) != "Retain")
            };
            template.resources().filter(lost).map(|one| format!("{} is lost", one.name)).collect()
        },
        broken_by: &[
            Drop("/Table/DeletionPolicy"),
            Set("/Bucket/UpdateReplacePolicy", r#""Delete""#),
            Drop("/Secret/DeletionPolicy"),
        ],
    },
    Rule {
        says: "a table is protected against deletion",
        faults: |template| tables(template, |table| table.at("/DeletionProtectionEnabled") == true),
        broken_by: &[Drop("/Table/Properties/DeletionProtectionEnabled")],
    },
    Rule {
        says: "a table can be put back in time",
        faults: |template| {
            let specification = "/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled";
            tables(template, |table| table.at(specification) == true)
        },
        broken_by: &[
            Set(
                "/Table/Properties/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled",
                "false",
            ),
            Drop("/Table/Properties/PointInTimeRecoverySpecification"),
        ],
    },
    Rule {
        says: "a table lets go of what has run out, by the attribute that the store writes",
        faults: |template| {
            let ttl = json!({ "AttributeName": "ttl", "Enabled": true });
            tables(template, |table| table.at("/TimeToLiveSpecification") == &ttl)
        },
        broken_by: &[
            Drop("/Table/Properties/TimeToLiveSpecification"),
            Set("/Table/Properties/TimeToLiveSpecification/AttributeName", r#""expires""#),
            Set("/Table/Properties/TimeToLiveSpecification/Enabled", "false"),
        ],
    },
    Rule {
        says: "a bucket keeps what was replaced for as long as the table can be put back in time",
        faults: |template| {
            template.of("AWS::S3::Bucket").flat_map(|one| forgotten(template, one)).collect()
        },
        broken_by: &[
            Set("/Bucket/Properties/VersioningConfiguration/Status", r#""Suspended""#),
            Set(
                "/Bucket/Properties/LifecycleConfiguration/Rules/0/NoncurrentVersionExpiration/NoncurrentDays",
                "7",
            ),
            Drop("/Bucket/Properties/LifecycleConfiguration/Rules/0/NoncurrentVersionExpiration"),
            Set("/Bucket/Properties/LifecycleConfiguration/Rules/0/Status", r#""Disabled""#),
            Set("/Bucket/Properties/LifecycleConfiguration/Rules/1/ExpirationInDays", "90"),
            Set(
                "/Bucket/Properties/LifecycleConfiguration/Rules/1/Transitions",
                r#"[{"StorageClass":"GLACIER","TransitionInDays":30}]"#,
            ),
            Drop(
                "/Bucket/Properties/LifecycleConfiguration/Rules/1/AbortIncompleteMultipartUpload",
            ),
        ],
    },
    Rule {
        says: "an object is made once and replaced only by who has seen it",
        faults: |template| {
            let condition = json!({
                "Null": { "s3:if-none-match": "true", "s3:if-match": "true" },
                "Bool": { "s3:ObjectCreationOperation": "true" },
            });
            let fenced = template.of("AWS::S3::BucketPolicy").any(|policy| {
                document_statements(policy.at("/PolicyDocument")).any(|statement| {
                    !statement.allows()
                        && statement.0["Principal"] == "*"
                        && statement.actions().eq(["s3:PutObject"])
                        && statement.0["Condition"] == condition
                })
            });
            if fenced { Vec::new() } else { vec!["an object may be written over".to_owned()] }
        },
        broken_by: &[
            Drop("/BucketPolicy/Properties/PolicyDocument/Statement/1"),
            Drop(
                "/BucketPolicy/Properties/PolicyDocument/Statement/1/Condition/Null/s3:if-none-match",
            ),
        ],
    },
    Rule {
        says: "dead letters are kept for as long as a queue can keep them, longer than where they come from",
        faults: |template| {
            let kept = |queue: &Resource<'_>| queue.at("/MessageRetentionPeriod").as_u64();
            let short = |queue: &Resource<'_>| {
                let dead = queue.at("/RedrivePolicy").is_null();
                if dead {
                    kept(queue) != Some(LONGEST_MESSAGE)
                } else {
                    kept(queue) >= Some(LONGEST_MESSAGE)
                }
            };
            let queues = template.of("AWS::SQS::Queue").filter(short);
            queues.map(|queue| format!("{} forgets dead letters", queue.name)).collect()
        },
        broken_by: &[
            Set("/CaptureDeadLetters/Properties/MessageRetentionPeriod", "345600"),
            Drop("/TickDeadLetters/Properties/MessageRetentionPeriod"),
            Set("/CompareQueue/Properties/MessageRetentionPeriod", "1209600"),
        ],
    },
];

fn tables(template: &Template, keeps: impl Fn(Resource<'_>) -> bool) -> Vec<String> {
    let tables = template.of("AWS::DynamoDB::Table").filter(|table| !keeps(*table));
    tables.map(|table| table.name.to_owned()).collect()
}

fn forgotten(template: &Template, bucket: Resource<'_>) -> Vec<String> {
    let recovery = template.of("AWS::DynamoDB::Table").map(|table| {
        let days = table.at("/PointInTimeRecoverySpecification/RecoveryPeriodInDays");
        days.as_u64().unwrap_or(LONGEST_RECOVERY)
    });
    let recovery = recovery.max().unwrap_or(LONGEST_RECOVERY);
    let rules = list(bucket.at("/LifecycleConfiguration/Rules"));
    let works = |member: &str| {
        rules.iter().find(|rule| rule["Status"] == "Enabled" && !rule[member].is_null())
    };
    let replaced = works("NoncurrentVersionExpiration");
    let days =
        replaced.and_then(|rule| rule["NoncurrentVersionExpiration"]["NoncurrentDays"].as_u64());
    let mut faults = Vec::new();
    if bucket.at("/VersioningConfiguration/Status") != "Enabled" {
        faults.push("what is replaced is lost");
    }
    if days != Some(recovery) {
        faults.push("what was replaced goes at another time than the table's past");
    }
    if ["ExpirationInDays", "ExpirationDate", "Transition", "Transitions"]
        .into_iter()
        .any(|member| works(member).is_some())
    {
        faults.push("what is there goes by itself");
    }
    if works("AbortIncompleteMultipartUpload").is_none() {
        faults.push("what was broken off stays");
    }
    faults.into_iter().map(|fault| format!("{}: {fault}", bucket.name)).collect()
}
