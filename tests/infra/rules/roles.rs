//! Each role may do what its function does, and nothing else.

use super::Break::{Drop, Set};
use super::Rule;
use super::environment::variables;
use crate::policy::{Statement, grants, roles, trusts};
use crate::template::{Resource, Template, list, refers, target, texts};
use std::collections::BTreeSet;

/// Who does what. What is not listed nobody does: no object is deleted, no queue emptied, no table read as a
/// whole, no secret written.
const ACTIONS: &[(&str, &[&str])] = &[
    (
        "logs:CreateLogStream",
        &["ApiRole", "ScheduleRole", "CaptureRole", "CompareRole", "DeadletterRole"],
    ),
    (
        "logs:PutLogEvents",
        &["ApiRole", "ScheduleRole", "CaptureRole", "CompareRole", "DeadletterRole"],
    ),
    ("dynamodb:GetItem", &["ApiRole", "ScheduleRole", "DataRole"]),
    ("dynamodb:Query", &["ApiRole", "ScheduleRole", "DataRole"]),
    ("dynamodb:PutItem", &["ApiRole", "ScheduleRole", "DataRole"]),
    ("dynamodb:DeleteItem", &["ApiRole", "ScheduleRole", "DataRole"]),
    ("dynamodb:ConditionCheckItem", &["ApiRole", "ScheduleRole", "DataRole"]),
    ("s3:GetObject", &["ApiRole", "ScheduleRole", "DataRole"]),
    ("s3:PutObject", &["ApiRole", "ScheduleRole", "DataRole"]),
    ("s3:ListBucket", &["ApiRole", "ScheduleRole", "DataRole"]),
    (
        "sqs:SendMessage",
        &["ApiRole", "ScheduleRole", "CaptureRole", "CompareRole", "DeadletterRole", "TickRole"],
    ),
    (
        "sqs:GetQueueAttributes",
        &["ApiRole", "ScheduleRole", "CaptureRole", "CompareRole", "DeadletterRole"],
    ),
    ("sqs:ReceiveMessage", &["CaptureRole", "CompareRole", "DeadletterRole"]),
    ("sqs:DeleteMessage", &["CaptureRole", "CompareRole", "DeadletterRole"]),
    ("sqs:ChangeMessageVisibility", &["CaptureRole", "CompareRole", "DeadletterRole"]),
    ("secretsmanager:GetSecretValue", &["ApiRole"]),
    ("sts:AssumeRole", &["CaptureRole", "CompareRole", "DeadletterRole"]),
    ("lambda:InvokeFunction", &["TickRole"]),
];

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "a role may do what is listed for it, action by action, and all of it",
        faults: |template| {
            let wanted: BTreeSet<(&str, &str)> = ACTIONS
                .iter()
                .flat_map(|(action, roles)| roles.iter().map(move |role| (*role, *action)))
                .collect();
            let found: BTreeSet<(&str, &str)> = granted(template)
                .flat_map(|(role, statement)| {
                    statement.actions().map(move |action| (role.name, action))
                })
                .collect();
            let differ = wanted.symmetric_difference(&found);
            differ.map(|(role, action)| format!("{role}: {action}")).collect()
        },
        broken_by: &[
            Set(
                "/CaptureRole/Properties/Policies/0/PolicyDocument/Statement/1/Action/-",
                r#""sqs:PurgeQueue""#,
            ),
            Set(
                "/DataRole/Properties/Policies/0/PolicyDocument/Statement/1/Action/-",
                r#""s3:DeleteObject""#,
            ),
            Set(
                "/ApiRole/Properties/Policies/0/PolicyDocument/Statement/1/Action/-",
                r#""dynamodb:Scan""#,
            ),
            Drop("/ApiRole/Properties/Policies/0/PolicyDocument/Statement/1/Action/4"),
            Set(
                "/CompareRole/Properties/Policies/0/PolicyDocument/Statement/-",
                r#"{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":{"Ref":"Secret"}}"#,
            ),
            Set(
                "/CompareRole/Properties/Policies/0/PolicyDocument/Statement/-",
                r#"{"Effect":"Allow","Action":"dynamodb:PutItem","Resource":{"Fn::GetAtt":["Table","Arn"]}}"#,
            ),
            Set("/DataPolicy/Properties/Roles/-", r#"{"Ref":"ApiRole"}"#),
            Drop("/DataPolicy/Properties/Roles/0"),
        ],
    },
    Rule {
        says: "an action is named in full, a resource is one of the template's, and nothing is allowed by exception",
        faults: |template| {
            granted(template)
                .filter(|(_, statement)| is_loose(template, *statement))
                .map(|(role, statement)| format!("{}: {}", role.name, statement.0))
                .collect()
        },
        broken_by: &[
            Set("/ApiRole/Properties/Policies/0/PolicyDocument/Statement/2/Action", r#""s3:*""#),
            Set("/ApiRole/Properties/Policies/0/PolicyDocument/Statement/2/Action", r#""*""#),
            Set("/ApiRole/Properties/Policies/0/PolicyDocument/Statement/2/Resource", r#""*""#),
            Set(
                "/CaptureRole/Properties/Policies/0/PolicyDocument/Statement/0/Resource",
                r#"{"Fn::Sub":"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"}"#,
            ),
            Set(
                "/ApiRole/Properties/Policies/0/PolicyDocument/Statement/2/NotAction",
                r#""s3:DeleteBucket""#,
            ),
        ],
    },
    Rule {
        says: "a role reaches only what its function is told of, its log and what it works on",
        faults: |template| template.functions().flat_map(|one| overreach(template, one)).collect(),
        broken_by: &[
            Set(
                "/CaptureRole/Properties/Policies/0/PolicyDocument/Statement/1/Resource",
                r#"[{"Fn::GetAtt":["CaptureQueue","Arn"]},{"Fn::GetAtt":["CompareQueue","Arn"]}]"#,
            ),
            Set(
                "/ScheduleRole/Properties/Policies/0/PolicyDocument/Statement/4/Resource/-",
                r#"{"Fn::GetAtt":["TickDeadLetters","Arn"]}"#,
            ),
            Set(
                "/CompareRole/Properties/Policies/0/PolicyDocument/Statement/0/Resource",
                r#"{"Fn::GetAtt":["CaptureLogs","Arn"]}"#,
            ),
        ],
    },
    Rule {
        says: "objects are reached below `ws/` alone",
        faults: |template| {
            let objects = |statement: &Statement<'_>| {
                statement
                    .actions()
                    .any(|action| action.starts_with("s3:") && action.ends_with("Object"))
            };
            let wide = |statement: &Statement<'_>| {
                statement.resources().iter().any(|one| one["Fn::Sub"] != "${Bucket.Arn}/ws/*")
            };
            let found = granted(template).filter(|(_, one)| objects(one) && wide(one));
            found.map(|(role, _)| format!("{} reaches every object", role.name)).collect()
        },
        broken_by: &[Set(
            "/DataRole/Properties/Policies/0/PolicyDocument/Statement/1/Resource",
            r#"{"Fn::Sub":"${Bucket.Arn}/*"}"#,
        )],
    },
    Rule {
        says: "each function has a role of its own, which its service alone takes on",
        faults: |template| {
            let shared = template.functions().filter(|one| !has_own_role(template, *one));
            shared.map(|one| format!("{}: its role", one.name)).collect()
        },
        broken_by: &[
            Set("/CompareFunction/Properties/Role", r#"{"Fn::GetAtt":["CaptureRole","Arn"]}"#),
            Set(
                "/ApiRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal/Service",
                r#"["lambda.amazonaws.com","ec2.amazonaws.com"]"#,
            ),
            Set(
                "/ApiRole/Properties/AssumeRolePolicyDocument/Statement/-",
                r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}"#,
            ),
        ],
    },
    Rule {
        says: "no role has a policy that somebody else writes, and nobody is a user",
        faults: |template| {
            let managed = |role: &Resource<'_>| !list(role.at("/ManagedPolicyArns")).is_empty();
            let roles = roles(template).filter(managed).map(|role| role.name.to_owned());
            let people = [
                "AWS::IAM::User",
                "AWS::IAM::Group",
                "AWS::IAM::AccessKey",
                "AWS::IAM::ManagedPolicy",
            ];
            let people = template.resources().filter(move |one| people.contains(&one.kind()));
            roles.chain(people.map(|one| one.name.to_owned())).collect()
        },
        broken_by: &[
            Set(
                "/ApiRole/Properties/ManagedPolicyArns",
                r#"["arn:aws:iam::aws:policy/AdministratorAccess"]"#,
            ),
            Set("/Somebody", r#"{"Type":"AWS::IAM::User","Properties":{}}"#),
        ],
    },
];

/// Every statement that allows something, with its role.
pub(super) fn granted(template: &Template) -> impl Iterator<Item = (Resource<'_>, Statement<'_>)> {
    roles(template)
        .flat_map(|role| grants(template, role.name).into_iter().map(move |one| (role, one)))
}

fn is_loose(template: &Template, statement: Statement<'_>) -> bool {
    let own = |resource| target(template, resource).is_some();
    !statement.0["NotAction"].is_null()
        || !statement.0["NotResource"].is_null()
        || statement.actions().any(|action| action.contains('*'))
        || statement.resources().is_empty()
        || !statement.resources().iter().all(own)
}

fn overreach(template: &Template, function: Resource<'_>) -> Vec<String> {
    let mut known: BTreeSet<String> = variables(function).into_values().flat_map(refers).collect();
    known.extend(refers(function.at("/LoggingConfig")));
    for mapping in template.of("AWS::Lambda::EventSourceMapping") {
        if refers(mapping.at("/FunctionName")).contains(function.name) {
            known.extend(refers(mapping.at("/EventSourceArn")));
        }
    }
    let role = target(template, function.at("/Role")).map(|role| role.name).unwrap_or_default();
    let reached = grants(template, role).into_iter().flat_map(|one| refers(&one.0["Resource"]));
    let beyond = reached.filter(|name| !known.contains(name));
    beyond.map(|name| format!("{role} reaches {name}")).collect()
}

fn has_own_role(template: &Template, function: Resource<'_>) -> bool {
    let role =
        |function: Resource<'_>| target(template, function.at("/Role")).map(|role| role.name);
    let Some(own) = target(template, function.at("/Role")) else { return false };
    let mut trusted = trusts(own);
    let service = trusted.next().is_some_and(|statement| {
        texts(&statement.0["Principal"]["Service"]).eq(["lambda.amazonaws.com"])
            && statement.0["Principal"].as_object().is_some_and(|who| who.len() == 1)
    });
    service
        && trusted.next().is_none()
        && template.functions().filter(|other| role(*other) == Some(own.name)).count() == 1
}
