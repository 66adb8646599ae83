//! What is kept is encrypted, and so is the way there.

use super::Break::{Drop, Set};
use super::Rule;
use crate::policy::{Statement, document_statements};
use crate::template::{Resource, Template, refers, texts};
use serde_json::json;

/// As many signs as hold 256 bits, of letters and digits.
const SECRET_LENGTH: u64 = 43;

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "a table is encrypted with a key of its service",
        faults: |template| {
            let open = |table: &Resource<'_>| table.at("/SSESpecification/SSEEnabled") != true;
            let tables = template.of("AWS::DynamoDB::Table").filter(open);
            tables.map(|table| format!("{} is not encrypted", table.name)).collect()
        },
        broken_by: &[
            Set("/Table/Properties/SSESpecification/SSEEnabled", "false"),
            Drop("/Table/Properties/SSESpecification"),
        ],
    },
    Rule {
        says: "a bucket encrypts what is put into it",
        faults: |template| {
            let algorithm = "/BucketEncryption/ServerSideEncryptionConfiguration/0/\
                             ServerSideEncryptionByDefault/SSEAlgorithm";
            let open = |bucket: &Resource<'_>| {
                !["AES256", "aws:kms"].map(Some).contains(&bucket.at(algorithm).as_str())
            };
            let buckets = template.of("AWS::S3::Bucket").filter(open);
            buckets.map(|bucket| format!("{} is not encrypted", bucket.name)).collect()
        },
        broken_by: &[Drop("/Bucket/Properties/BucketEncryption")],
    },
    Rule {
        says: "a queue is encrypted",
        faults: |template| {
            let open = |queue: &Resource<'_>| queue.at("/SqsManagedSseEnabled") != true;
            let queues = template.of("AWS::SQS::Queue").filter(open);
            queues.map(|queue| format!("{} is not encrypted", queue.name)).collect()
        },
        broken_by: &[
            Set("/CaptureQueue/Properties/SqsManagedSseEnabled", "false"),
            Drop("/CompareDeadLetters/Properties/SqsManagedSseEnabled"),
            Drop("/TickDeadLetters/Properties/SqsManagedSseEnabled"),
        ],
    },
    Rule {
        says: "a secret is made by its service, long enough, and stands in no template",
        faults: |template| {
            let made = |secret: &Resource<'_>| {
                secret.at("/SecretString").is_null()
                    && secret.at("/GenerateSecretString/GenerateStringKey") == "root"
                    && secret.at("/GenerateSecretString/PasswordLength").as_u64()
                        >= Some(SECRET_LENGTH)
            };
            let secrets = template.of("AWS::SecretsManager::Secret").filter(|one| !made(one));
            secrets.map(|secret| format!("{} is not made well", secret.name)).collect()
        },
        broken_by: &[
            Set("/Secret/Properties/SecretString", r#""{\"root\":\"known\"}""#),
            Set("/Secret/Properties/GenerateSecretString/PasswordLength", "16"),
            Drop("/Secret/Properties/GenerateSecretString/GenerateStringKey"),
        ],
    },
    Rule {
        says: "buckets and queues are spoken to over TLS only",
        faults: |template| {
            let kept = |kind| template.of(kind);
            let kept = kept("AWS::S3::Bucket").chain(kept("AWS::SQS::Queue"));
            let open = kept.filter(|resource| !is_tls_only(template, *resource));
            open.map(|resource| format!("{} takes requests without TLS", resource.name)).collect()
        },
        broken_by: &[
            Drop("/BucketPolicy"),
            Drop("/BucketPolicy/Properties/PolicyDocument/Statement/0/Condition"),
            Set("/BucketPolicy/Properties/PolicyDocument/Statement/0/Action", r#""s3:GetObject""#),
            Drop("/BucketPolicy/Properties/PolicyDocument/Statement/0/Resource/1"),
            Drop("/QueuePolicy/Properties/Queues/1"),
            Set(
                "/QueuePolicy/Properties/PolicyDocument/Statement/0/Principal",
                r#"{"AWS":"123456789012"}"#,
            ),
        ],
    },
];

fn is_tls_only(template: &Template, kept: Resource<'_>) -> bool {
    let (policy, names, all) = match kept.kind() {
        "AWS::S3::Bucket" => ("AWS::S3::BucketPolicy", "/Bucket", "s3:*"),
        _ => ("AWS::SQS::QueuePolicy", "/Queues", "sqs:*"),
    };
    let whole = |statement: &Statement<'_>| {
        let resources = statement.resources();
        let arn = json!({ "Fn::GetAtt": [kept.name, "Arn"] });
        let inside = json!({ "Fn::Sub": format!("${{{}.Arn}}/*", kept.name) });
        texts(&statement.0["Resource"]).any(|resource| resource == "*")
            || (resources.contains(&arn) && resources.contains(&inside))
    };
    let policies =
        template.of(policy).filter(|policy| refers(policy.at(names)).contains(kept.name));
    policies.flat_map(|policy| document_statements(policy.at("/PolicyDocument"))).any(|statement| {
        !statement.allows()
            && statement.0["Principal"] == "*"
            && statement.actions().any(|action| action == all)
            && whole(&statement)
            && statement.0["Condition"] == json!({ "Bool": { "aws:SecureTransport": "false" } })
    })
}
