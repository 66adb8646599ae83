//! Nothing costs while nothing is done, but what is named here.

use super::Break::{Drop, Set};
use super::Rule;
use crate::template::Resource;

/// What costs nothing while nothing is done: paid by request, by what is stored, or not at all.
const FREE: &[&str] = &[
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
];

/// What costs a little each month, how many of it there may be, and why.
const PAID: &[(&str, usize, &str)] = &[
    ("AWS::CloudWatch::Alarm", 25, "somebody must be told; a few cents each"),
    ("AWS::CloudWatch::Dashboard", 1, "the first of an account cost nothing"),
    ("AWS::SecretsManager::Secret", 1, "the root key; one a stage"),
];

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "every resource is of a kind that costs nothing while nothing is done, or is named with its reason",
        faults: |template| {
            let unknown = template.resources().filter(|resource| {
                !FREE.contains(&resource.kind())
                    && !PAID.iter().any(|(kind, ..)| *kind == resource.kind())
            });
            let unknown = unknown.map(|one| format!("{} is a {}", one.name, one.kind()));
            let many = PAID.iter().filter(|(kind, most, _)| template.of(kind).count() > *most);
            unknown
                .chain(many.map(|(kind, _, why)| format!("too many of {kind} for: {why}")))
                .collect()
        },
        broken_by: &[
            Set("/Gateway", r#"{"Type":"AWS::EC2::NatGateway","Properties":{}}"#),
            Set("/Key", r#"{"Type":"AWS::KMS::Key","Properties":{}}"#),
            Set(
                "/Secret2",
                r#"{"Type":"AWS::SecretsManager::Secret","DeletionPolicy":"Retain","UpdateReplacePolicy":"Retain","Properties":{"GenerateSecretString":{"GenerateStringKey":"root","PasswordLength":64}}}"#,
            ),
        ],
    },
    Rule {
        says: "a table is paid by request, and so are its indexes",
        faults: |template| {
            let provisioned = template.of("AWS::DynamoDB::Table").filter(|table| {
                table.at("/BillingMode") != "PAY_PER_REQUEST"
                    || table.at("").to_string().contains("ProvisionedThroughput")
            });
            provisioned.map(|table| table.name.to_owned()).collect()
        },
        broken_by: &[
            Set("/Table/Properties/BillingMode", r#""PROVISIONED""#),
            Drop("/Table/Properties/BillingMode"),
            Set(
                "/Table/Properties/GlobalSecondaryIndexes/0/ProvisionedThroughput",
                r#"{"ReadCapacityUnits":5,"WriteCapacityUnits":5}"#,
            ),
        ],
    },
    Rule {
        says: "no function waits warm, stands in a network, keeps concurrency or uses a key that costs",
        faults: |template| {
            let paid = [
                "/VpcConfig",
                "/KmsKeyArn",
                "/ReservedConcurrentExecutions",
                "/SnapStart",
                "/FileSystemConfigs",
            ];
            let costs = |one: &Resource<'_>| {
                paid.iter().any(|pointer| !one.at(pointer).is_null())
                    || one.at("/EphemeralStorage/Size").as_u64() > Some(512)
            };
            template.functions().filter(costs).map(|one| one.name.to_owned()).collect()
        },
        broken_by: &[
            Set("/ApiFunction/Properties/VpcConfig", r#"{"SubnetIds":["subnet-1"]}"#),
            Set("/CaptureFunction/Properties/EphemeralStorage", r#"{"Size":2048}"#),
            Set("/CompareFunction/Properties/KmsKeyArn", r#""arn:aws:kms:eu-central-1:1:key/x""#),
        ],
    },
    Rule {
        says: "no queue, bucket, log or secret uses a key that costs",
        faults: |template| {
            let keys = ["/KmsMasterKeyId", "/KmsKeyId", "/SSESpecification/KMSMasterKeyId"];
            let costs = |one: &Resource<'_>| {
                keys.iter().any(|pointer| !one.at(pointer).is_null())
                    || one.at("/BucketEncryption").to_string().contains("KMSMasterKeyID")
            };
            template.resources().filter(costs).map(|one| one.name.to_owned()).collect()
        },
        broken_by: &[
            Set("/ApiLogs/Properties/KmsKeyId", r#""arn:aws:kms:eu-central-1:1:key/x""#),
            Set("/CaptureQueue/Properties/KmsMasterKeyId", r#""alias/own""#),
        ],
    },
];
