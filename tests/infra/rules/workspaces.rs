//! Workers reach the data of one workspace at a time, through one role.

use super::Break::{Drop, Set};
use super::Rule;
use super::environment::{DATA_ROLE, variables};
use crate::policy::{grants, trusts};
use crate::template::{refers, target};
use serde_json::json;
use std::collections::BTreeSet;

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "the data role trusts the roles of the workers that are told of it, and nobody else",
        faults: |template| {
            let told = template.functions().filter(|one| variables(*one).contains_key(DATA_ROLE));
            let told: BTreeSet<String> = told
                .filter_map(|one| target(template, one.at("/Role")))
                .map(|role| role.name.to_owned())
                .collect();
            let trusted: Vec<_> = template.get("DataRole").into_iter().flat_map(trusts).collect();
            let trusted: BTreeSet<String> = trusted
                .iter()
                .flat_map(|statement| match statement.0["Principal"].get("AWS") {
                    Some(roles) => refers(roles),
                    None => BTreeSet::from(["somebody else".to_owned()]),
                })
                .collect();
            told.symmetric_difference(&trusted).cloned().collect()
        },
        broken_by: &[
            Set(
                "/DataRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal/AWS/-",
                r#"{"Fn::GetAtt":["ApiRole","Arn"]}"#,
            ),
            Drop("/DataRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal/AWS/0"),
            Set(
                "/DataRole/Properties/AssumeRolePolicyDocument/Statement/-",
                r#"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}"#,
            ),
        ],
    },
    Rule {
        says: "the data role reaches records of workspaces only, and never by a request that names no partition",
        faults: |template| {
            let fence = json!({
                "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["WS#*"] },
                "Null": { "dynamodb:LeadingKeys": "false" },
            });
            let records = grants(template, "DataRole").into_iter().filter(|statement| {
                statement.actions().any(|action| action.starts_with("dynamodb:"))
            });
            let open = records.filter(|statement| statement.0["Condition"] != fence);
            open.map(|statement| statement.0.to_string()).collect()
        },
        broken_by: &[
            Drop("/DataRole/Properties/Policies/0/PolicyDocument/Statement/0/Condition/Null"),
            Set(
                "/DataRole/Properties/Policies/0/PolicyDocument/Statement/0/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys/-",
                r#""OUTBOX*""#,
            ),
            Drop("/DataRole/Properties/Policies/0/PolicyDocument/Statement/0/Condition"),
        ],
    },
    Rule {
        says: "who is told of the data role has no right to table, bucket or secret of its own",
        faults: |template| {
            let told = template.functions().filter(|one| variables(*one).contains_key(DATA_ROLE));
            let roles = told.filter_map(|one| target(template, one.at("/Role")));
            let own = roles.filter(|role| {
                let reached = grants(template, role.name);
                let reached: BTreeSet<String> =
                    reached.iter().flat_map(|one| refers(&one.0["Resource"])).collect();
                ["Table", "Bucket", "Secret"].iter().any(|kept| reached.contains(*kept))
            });
            own.map(|role| format!("{} needs no session", role.name)).collect()
        },
        broken_by: &[Set(
            "/DeadletterRole/Properties/Policies/0/PolicyDocument/Statement/-",
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":{"Fn::Sub":"${Bucket.Arn}/ws/*"}}"#,
        )],
    },
    Rule {
        says: "a worker is made after the policy that lets it take on the data role",
        faults: |template| {
            let told = template.functions().filter(|one| variables(*one).contains_key(DATA_ROLE));
            let early = told.filter(|one| one.beside("DependsOn") != "DataPolicy");
            early.map(|one| one.name.to_owned()).collect()
        },
        broken_by: &[Drop("/CompareFunction/DependsOn")],
    },
];
