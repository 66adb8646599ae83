//! Queues, their dead letters, and who works on them.

use super::Break::{Drop, Set};
use super::Rule;
use crate::template::{Resource, Template, target, texts};
use plumbline_ports::queue::{MAX_ATTEMPTS, QueueName};

/// How many times as long as its function a message is hidden, as Lambda asks: a batch may be tried again
/// while the function is throttled.
const HIDDEN: u64 = 6;

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "a message is hidden for six times as long as the function that takes it may run",
        faults: |template| {
            let short = work(template).filter(|(_, queue, function)| {
                let hidden = queue.at("/VisibilityTimeout").as_u64().unwrap_or(30);
                function.at("/Timeout").as_u64().is_none_or(|time| hidden < HIDDEN * time)
            });
            short
                .map(|(_, queue, _)| format!("{} shows messages again too soon", queue.name))
                .collect()
        },
        broken_by: &[
            Set("/CaptureQueue/Properties/VisibilityTimeout", "900"),
            Drop("/CompareDeadLetters/Properties/VisibilityTimeout"),
            Set("/CompareFunction/Properties/Timeout", "161"),
        ],
    },
    Rule {
        says: "a message is delivered as often as the port says, and then goes to dead letters of its own",
        faults: undelivered,
        broken_by: &[
            Set("/CaptureQueue/Properties/RedrivePolicy/maxReceiveCount", "3"),
            Drop("/CompareQueue/Properties/RedrivePolicy"),
            Set(
                "/CompareQueue/Properties/RedrivePolicy/deadLetterTargetArn",
                r#"{"Fn::GetAtt":["CaptureDeadLetters","Arn"]}"#,
            ),
        ],
    },
    Rule {
        says: "dead letters come from their own queue only",
        faults: |template| {
            let dead =
                template.of("AWS::SQS::Queue").filter(|queue| queue.at("/RedrivePolicy").is_null());
            let open = dead.filter(|queue| {
                let from = queue.at("/RedriveAllowPolicy/redrivePermission").as_str();
                from != Some("byQueue") && from != Some("denyAll")
            });
            open.map(|queue| format!("{} takes letters of every queue", queue.name)).collect()
        },
        broken_by: &[
            Drop("/CaptureDeadLetters/Properties/RedriveAllowPolicy"),
            Set(
                "/TickDeadLetters/Properties/RedriveAllowPolicy/redrivePermission",
                r#""allowAll""#,
            ),
        ],
    },
    Rule {
        says: "each queue of the port has its worker, and its dead letters have theirs",
        faults: unattended,
        broken_by: &[
            Drop("/CaptureFunctionWork"),
            Drop("/DeadletterFunctionCompares"),
            Set("/CompareFunctionWork/Properties/FunctionName", r#"{"Ref":"CaptureFunction"}"#),
            Set("/CompareFunctionWork/Properties/Enabled", "false"),
        ],
    },
    Rule {
        says: "one bad message does not fail its batch",
        faults: |template| {
            let whole = |mapping: &Resource<'_>| {
                !texts(mapping.at("/FunctionResponseTypes")).eq(["ReportBatchItemFailures"])
            };
            let mappings = template.of("AWS::Lambda::EventSourceMapping").filter(whole);
            mappings.map(|one| format!("{} fails whole batches", one.name)).collect()
        },
        broken_by: &[
            Drop("/CaptureFunctionWork/Properties/FunctionResponseTypes"),
            Set("/DeadletterFunctionCaptures/Properties/FunctionResponseTypes", "[]"),
        ],
    },
    Rule {
        says: "the workers of a queue are limited, those of the work by the parameter",
        faults: |template| {
            let unlimited = work(template).filter(|(mapping, queue, _)| {
                let most = mapping.at("/ScalingConfig/MaximumConcurrency");
                let parameter = most["Ref"] == "WorkerConcurrency";
                let dead = queue.at("/RedrivePolicy").is_null() && most.as_u64() >= Some(2);
                !parameter && !dead
            });
            unlimited.map(|(mapping, _, _)| format!("{} is not limited", mapping.name)).collect()
        },
        broken_by: &[
            Drop("/CaptureFunctionWork/Properties/ScalingConfig"),
            Set("/CompareFunctionWork/Properties/ScalingConfig/MaximumConcurrency", "1000"),
            Set("/DeadletterFunctionCaptures/Properties/ScalingConfig/MaximumConcurrency", "1"),
        ],
    },
    Rule {
        says: "queues are standard ones: fairness is by group, and nothing waits for the message before it",
        faults: |template| {
            let fifo = |queue: &Resource<'_>| {
                !queue.at("/FifoQueue").is_null()
                    || queue.at("/QueueName").to_string().contains(".fifo")
            };
            let queues = template.of("AWS::SQS::Queue").filter(fifo);
            queues.map(|queue| format!("{} keeps the order", queue.name)).collect()
        },
        broken_by: &[Set("/CaptureQueue/Properties/FifoQueue", "true")],
    },
];

/// Each mapping with its queue and its function.
fn work(template: &Template) -> impl Iterator<Item = (Resource<'_>, Resource<'_>, Resource<'_>)> {
    template.of("AWS::Lambda::EventSourceMapping").filter_map(|mapping| {
        let queue = target(template, mapping.at("/EventSourceArn"))?;
        let function = target(template, mapping.at("/FunctionName"))?;
        Some((mapping, queue, function))
    })
}

/// The logical ids of a queue and of its dead letters.
fn pair(queue: QueueName) -> (&'static str, &'static str, &'static str) {
    match queue {
        QueueName::Capture => ("CaptureQueue", "CaptureDeadLetters", "capture"),
        QueueName::Compare => ("CompareQueue", "CompareDeadLetters", "compare"),
    }
}

fn undelivered(template: &Template) -> Vec<String> {
    let right = |name: &QueueName| {
        let (queue, dead, _) = pair(*name);
        template.get(queue).is_some_and(|queue| {
            let policy = queue.at("/RedrivePolicy");
            let to = target(template, &policy["deadLetterTargetArn"]);
            policy["maxReceiveCount"] == MAX_ATTEMPTS && to.is_some_and(|to| to.name == dead)
        })
    };
    let wrong = QueueName::ALL.iter().filter(|name| !right(name));
    wrong.map(|name| format!("the dead letters of {name:?}")).collect()
}

fn unattended(template: &Template) -> Vec<String> {
    let worked = |queue: &str, function: &str| {
        let mut all = work(template).filter(|(_, on, _)| on.name == queue);
        all.next().is_some_and(|(mapping, _, by)| {
            by.function() == function && mapping.at("/Enabled") != false
        }) && all.next().is_none()
    };
    let left = |name: &QueueName| {
        let (queue, dead, function) = pair(*name);
        !worked(queue, function) || !worked(dead, "deadletter")
    };
    let queues = QueueName::ALL.iter().filter(|name| left(name));
    queues.map(|name| format!("nobody works on {name:?} or its dead letters")).collect()
}
