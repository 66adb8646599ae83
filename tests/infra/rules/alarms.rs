//! What somebody is told of.

use super::Break::{Drop, Set};
use super::Rule;
use crate::template::{Resource, Template, list, refers};
use serde_json::{Value, json};

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "there is an alarm when a function fails or is not let run",
        faults: |template| {
            let functions =
                template.functions().flat_map(|one| ["Errors", "Throttles"].map(|of| (one, of)));
            let silent = functions.filter(|(one, of)| !rings(template, "AWS/Lambda", of, one.name));
            silent.map(|(one, of)| format!("{}: {of}", one.name)).collect()
        },
        broken_by: &[
            Drop("/ApiErrorsAlarm"),
            Drop("/DeadletterThrottlesAlarm"),
            Set(
                "/CaptureErrorsAlarm/Properties/Dimensions/0/Value",
                r#"{"Ref":"CompareFunction"}"#,
            ),
            Set("/CompareErrorsAlarm/Properties/Threshold", "1000"),
            Set("/ScheduleErrorsAlarm/Properties/ComparisonOperator", r#""LessThanThreshold""#),
        ],
    },
    Rule {
        says: "there is an alarm when a message waits too long, is given up, or is not read among the dead letters",
        faults: |template| {
            let worked =
                template.of("AWS::SQS::Queue").filter(|queue| queue.name != "TickDeadLetters");
            let silent = worked.filter(|queue| {
                let waits = rings(template, "AWS/SQS", "ApproximateAgeOfOldestMessage", queue.name);
                let dead = queue.at("/RedrivePolicy").is_null();
                !waits
                    || dead && !rings(template, "AWS/SQS", "NumberOfMessagesReceived", queue.name)
            });
            silent.map(|queue| queue.name.to_owned()).collect()
        },
        broken_by: &[
            Drop("/CaptureDeadAlarm"),
            Drop("/CompareOldestAlarm"),
            Drop("/CompareDeadUnreadAlarm"),
            Set(
                "/CompareDeadAlarm/Properties/Dimensions/0/Value",
                r#"{"Fn::GetAtt":["CompareQueue","QueueName"]}"#,
            ),
        ],
    },
    Rule {
        says: "there is an alarm when nights are missed, ticks are lost or the API fails",
        faults: |template| {
            let wanted = [
                ("Plumbline", "NightsMissed", "ScheduleFunction"),
                ("AWS/SQS", "NumberOfMessagesSent", "TickDeadLetters"),
                ("AWS/ApiGateway", "5xx", "HttpApi"),
            ];
            let silent =
                wanted.iter().filter(|(space, metric, of)| !rings(template, space, metric, of));
            silent.map(|(_, metric, of)| format!("{of}: {metric}")).collect()
        },
        broken_by: &[
            Set("/MissedNightsAlarm/Properties/MetricName", r#""NightMissed""#),
            Drop("/LostTicksAlarm"),
            Drop("/HttpApiErrorsAlarm"),
        ],
    },
    Rule {
        says: "there is an alarm when nothing ticks: silence is a fault there",
        faults: |template| {
            let silence = template.of("AWS::CloudWatch::Alarm").any(|alarm| {
                measures(alarm, "AWS/Lambda", "Invocations", "ScheduleFunction")
                    && alarm.at("/TreatMissingData") == "breaching"
                    && alarm.at("/ComparisonOperator") == "LessThanThreshold"
            });
            if silence { Vec::new() } else { vec!["no ticks".to_owned()] }
        },
        broken_by: &[
            Drop("/NoTicksAlarm"),
            Set("/NoTicksAlarm/Properties/TreatMissingData", r#""notBreaching""#),
        ],
    },
    Rule {
        says: "every alarm tells the topic, if there is one, and says what it means",
        faults: |template| {
            let topic = json!({
                "Fn::If": ["HasAlarmTopic", [{ "Ref": "AlarmTopic" }], { "Ref": "AWS::NoValue" }],
            });
            let mute = template.of("AWS::CloudWatch::Alarm").filter(|alarm| {
                alarm.at("/AlarmActions") != &topic
                    || alarm.at("/ActionsEnabled") == false
                    || alarm.at("/AlarmDescription").as_str().is_none_or(str::is_empty)
            });
            mute.map(|alarm| alarm.name.to_owned()).collect()
        },
        broken_by: &[
            Drop("/CaptureDeadAlarm/Properties/AlarmActions"),
            Set("/NoTicksAlarm/Properties/ActionsEnabled", "false"),
            Drop("/LostTicksAlarm/Properties/AlarmDescription"),
        ],
    },
];

/// Whether an alarm goes off when a measure of a resource rises.
fn rings(template: &Template, space: &str, metric: &str, of: &str) -> bool {
    template.of("AWS::CloudWatch::Alarm").any(|alarm| {
        let threshold = alarm.at("/Threshold");
        let none = threshold == 0;
        let age = metric.contains("Age") && (threshold.is_u64() || threshold["Ref"].is_string());
        measures(alarm, space, metric, of)
            && alarm.at("/ComparisonOperator") == "GreaterThanThreshold"
            && (none || age)
    })
}

fn measures(alarm: Resource<'_>, space: &str, metric: &str, of: &str) -> bool {
    let values: Value =
        list(alarm.at("/Dimensions")).iter().map(|one| one["Value"].clone()).collect();
    alarm.at("/Namespace") == space
        && alarm.at("/MetricName") == metric
        && refers(&values).contains(of)
}
