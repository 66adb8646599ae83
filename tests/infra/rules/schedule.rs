//! The clock that wakes the schedule.

use super::Break::{Drop, Set};
use super::Rule;
use crate::policy::trusts;
use crate::template::{Resource, Template, refers, target};

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "the schedule is woken every minute, and a tick that is lost is counted",
        faults: |template| {
            let mut ticks = template.of("AWS::Scheduler::Schedule");
            let right =
                ticks.next().is_some_and(|tick| wakes(template, tick)) && ticks.next().is_none();
            if right { Vec::new() } else { vec!["the tick".to_owned()] }
        },
        broken_by: &[
            Drop("/Tick"),
            Set("/Tick/Properties/State", r#""DISABLED""#),
            Set("/Tick/Properties/ScheduleExpression", r#""rate(1 day)""#),
            Drop("/Tick/Properties/Target/DeadLetterConfig"),
            Set(
                "/Tick/Properties/Target/DeadLetterConfig/Arn",
                r#"{"Fn::GetAtt":["CompareDeadLetters","Arn"]}"#,
            ),
            Set("/Tick/Properties/Target/Arn", r#"{"Fn::GetAtt":["CaptureFunction","Arn"]}"#),
        ],
    },
    Rule {
        says: "an old tick is not given late: the next one makes up for it",
        faults: |template| {
            let old = |pointer: &'static str| {
                move |one: &Resource<'_>| one.at(pointer).as_u64().is_none_or(|age| age > 60)
            };
            let ticks = template.of("AWS::Scheduler::Schedule");
            let ticks = ticks.filter(old("/Target/RetryPolicy/MaximumEventAgeInSeconds"));
            let schedules = template.functions().filter(|one| one.function() == "schedule");
            let kept = schedules.filter(|function| {
                !template.of("AWS::Lambda::EventInvokeConfig").any(|config| {
                    refers(config.at("/FunctionName")).contains(function.name)
                        && config.at("/MaximumRetryAttempts") == 0
                        && !old("/MaximumEventAgeInSeconds")(&config)
                })
            });
            ticks.chain(kept).map(|one| one.name.to_owned()).collect()
        },
        broken_by: &[
            Drop("/Tick/Properties/Target/RetryPolicy"),
            Drop("/ScheduleFunctionEventInvokeConfig"),
            Set("/ScheduleFunctionEventInvokeConfig/Properties/MaximumRetryAttempts", "2"),
        ],
    },
    Rule {
        says: "the tick's role is taken on by the scheduler of this account alone",
        faults: |template| {
            let ticks = template.of("AWS::Scheduler::Schedule");
            let roles = ticks.filter_map(|tick| target(template, tick.at("/Target/RoleArn")));
            let open = roles.filter(|role| {
                !trusts(*role).all(|statement| {
                    let account = &statement.0["Condition"]["StringEquals"]["aws:SourceAccount"];
                    statement.0["Principal"]["Service"] == "scheduler.amazonaws.com"
                        && account["Ref"] == "AWS::AccountId"
                })
            });
            open.map(|role| role.name.to_owned()).collect()
        },
        broken_by: &[
            Drop("/TickRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition"),
            Set(
                "/TickRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal/Service",
                r#""events.amazonaws.com""#,
            ),
        ],
    },
];

fn wakes(template: &Template, tick: Resource<'_>) -> bool {
    let dead = target(template, tick.at("/Target/DeadLetterConfig/Arn"));
    tick.at("/State") == "ENABLED"
        && tick.at("/ScheduleExpression") == "rate(1 minute)"
        && refers(tick.at("/Target/Arn")).contains("ScheduleFunction")
        && dead.is_some_and(|queue| queue.name == "TickDeadLetters")
}
