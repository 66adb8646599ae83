//! What is written down, and for how long.

use super::Break::{Drop, Set};
use super::Rule;
use crate::template::{Resource, Template, refers, target};

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "a log is kept for as long as the parameter says",
        faults: |template| {
            let endless = |log: &Resource<'_>| {
                !refers(log.at("/RetentionInDays")).contains("LogRetentionDays")
            };
            let logs = template.of("AWS::Logs::LogGroup").filter(endless);
            logs.map(|log| format!("{} is kept for ever", log.name)).collect()
        },
        broken_by: &[
            Drop("/ApiLogs/Properties/RetentionInDays"),
            Drop("/HttpApiLogs/Properties/RetentionInDays"),
        ],
    },
    Rule {
        says: "each function has a log of its own in the template, so that none is made that is kept for ever",
        faults: |template| {
            let lost = |function: &Resource<'_>| !has_log(template, *function);
            let functions = template.functions().filter(lost);
            functions.map(|function| format!("{} has no log of its own", function.name)).collect()
        },
        broken_by: &[
            Drop("/CaptureFunction/Properties/LoggingConfig"),
            Set("/CompareFunction/Properties/LoggingConfig/LogGroup", r#"{"Ref":"CaptureLogs"}"#),
        ],
    },
    Rule {
        says: "the gateway writes down each request, without token, address or path",
        faults: |template| {
            let kept = |stage: &Resource<'_>| {
                let format = stage.at("/AccessLogSettings/Format").as_str().unwrap_or_default();
                let secret =
                    ["authorizer.claims", "sourceIp", "userAgent", "$context.path", "rawPath"];
                target(template, stage.at("/AccessLogSettings/DestinationArn")).is_some()
                    && format.contains("$context.requestId")
                    && format.contains("$context.status")
                    && !secret.iter().any(|name| format.contains(name))
            };
            let stages = template.of("AWS::ApiGatewayV2::Stage").filter(|stage| !kept(stage));
            stages.map(|stage| format!("{}: its log", stage.name)).collect()
        },
        broken_by: &[
            Drop("/Stage/Properties/AccessLogSettings"),
            Set(
                "/Stage/Properties/AccessLogSettings/Format",
                r#""$context.requestId $context.status $context.identity.sourceIp""#,
            ),
        ],
    },
];

fn has_log(template: &Template, function: Resource<'_>) -> bool {
    let log = |function: Resource<'_>| {
        let log = target(template, function.at("/LoggingConfig/LogGroup"));
        log.filter(|log| log.kind() == "AWS::Logs::LogGroup").map(|log| log.name)
    };
    let own = log(function);
    own.is_some() && template.functions().filter(|other| log(*other) == own).count() == 1
}
