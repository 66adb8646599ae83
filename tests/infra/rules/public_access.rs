//! Nothing is open to everybody.

use super::Break::{Drop, Set};
use super::Rule;
use crate::policy::{document_statements, roles, trusts};
use crate::template::{Resource, Template, refers, texts};
use serde_json::Value;

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "a bucket blocks public access in all four ways, and knows no lists of its own",
        faults: |template| template.of("AWS::S3::Bucket").flat_map(open_doors).collect(),
        broken_by: &[
            Set("/Bucket/Properties/PublicAccessBlockConfiguration/BlockPublicAcls", "false"),
            Set("/Bucket/Properties/PublicAccessBlockConfiguration/BlockPublicPolicy", "false"),
            Drop("/Bucket/Properties/PublicAccessBlockConfiguration/IgnorePublicAcls"),
            Drop("/Bucket/Properties/PublicAccessBlockConfiguration/RestrictPublicBuckets"),
            Set(
                "/Bucket/Properties/OwnershipControls/Rules/0/ObjectOwnership",
                r#""ObjectWriter""#,
            ),
        ],
    },
    Rule {
        says: "no policy lets everybody in",
        faults: |template| {
            let everybody = |principal: &Value| {
                principal == "*" || texts(&principal["AWS"]).any(|who| who == "*")
            };
            let policies = template.resources().flat_map(|resource| {
                let own = document_statements(resource.at("/PolicyDocument"));
                own.map(move |statement| (resource.name, statement))
            });
            let trusted =
                roles(template).flat_map(|role| trusts(role).map(move |one| (role.name, one)));
            let open = policies.chain(trusted).filter(|(_, statement)| {
                statement.allows()
                    && (everybody(&statement.0["Principal"])
                        || !statement.0["NotPrincipal"].is_null())
            });
            open.map(|(name, _)| format!("{name} lets everybody in")).collect()
        },
        broken_by: &[
            Set("/BucketPolicy/Properties/PolicyDocument/Statement/1/Effect", r#""Allow""#),
            Set(
                "/QueuePolicy/Properties/PolicyDocument/Statement/-",
                r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sqs:SendMessage","Resource":"*"}"#,
            ),
            Set(
                "/DataRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal",
                r#"{"AWS":["*"]}"#,
            ),
        ],
    },
    Rule {
        says: "a function is called by the gateway of this template and by nobody else from outside",
        faults: outside_callers,
        broken_by: &[
            Drop("/ApiPermission/Properties/SourceArn"),
            Set("/ApiPermission/Properties/Principal", r#""*""#),
            Set("/CaptureUrl", r#"{"Type":"AWS::Lambda::Url","Properties":{"AuthType":"NONE"}}"#),
        ],
    },
];

fn open_doors(bucket: Resource<'_>) -> Vec<String> {
    let ways =
        ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
    let open = |way: &&str| bucket.at(&format!("/PublicAccessBlockConfiguration/{way}")) != true;
    let mut faults: Vec<String> =
        ways.iter().filter(|way| open(way)).map(|way| format!("{}: {way}", bucket.name)).collect();
    if bucket.at("/OwnershipControls/Rules/0/ObjectOwnership") != "BucketOwnerEnforced" {
        faults.push(format!("{} knows lists of its own", bucket.name));
    }
    faults
}

fn outside_callers(template: &Template) -> Vec<String> {
    let urls = template.of("AWS::Lambda::Url").map(|url| format!("{} is an address", url.name));
    let open = template.of("AWS::Lambda::Permission").filter(|permission| {
        permission.at("/Principal") != "apigateway.amazonaws.com"
            || !refers(permission.at("/SourceArn")).contains("HttpApi")
    });
    urls.chain(open.map(|one| format!("{} lets others call", one.name))).collect()
}
