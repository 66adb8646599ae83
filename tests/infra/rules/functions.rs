//! What functions run on.

use super::Break::{Drop, Set};
use super::Rule;
use crate::template::{Resource, Template};
use plumbline_tests::functions::FUNCTIONS;
use serde_json::json;
use std::collections::BTreeSet;

/// The longest that the gateway waits, in seconds.
const GATEWAY: u64 = 30;
/// When a worker gives back what it has not done, in seconds before its end.
const GIVES_BACK: u64 = 10;

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "the template has the functions that are built, and no others",
        faults: |template| {
            let found: BTreeSet<String> = template.functions().map(|one| one.function()).collect();
            let built: BTreeSet<String> = FUNCTIONS.map(str::to_owned).into();
            found.symmetric_difference(&built).cloned().collect()
        },
        broken_by: &[
            Drop("/DeadletterFunction"),
            Set("/OtherFunction", r#"{"Type":"AWS::Lambda::Function","Properties":{}}"#),
        ],
    },
    Rule {
        says: "a function is a program of its own on `provided.al2023`",
        faults: |template| {
            wrong(template, |one| {
                one.at("/Runtime") == "provided.al2023" && one.at("/Handler") == "bootstrap"
            })
        },
        broken_by: &[
            Set("/ApiFunction/Properties/Runtime", r#""provided.al2""#),
            Set("/ApiFunction/Properties/Handler", r#""index.handler""#),
        ],
    },
    Rule {
        says: "all functions run on the processor that the parameter names",
        faults: |template| {
            let parameter = json!([{ "Ref": "Architecture" }]);
            template
                .functions()
                .filter(|one| one.at("/Architectures") != &parameter)
                .map(|one| one.name.to_owned())
                .collect()
        },
        broken_by: &[
            Set("/CompareFunction/Properties/Architectures", r#"["arm64"]"#),
            Drop("/ApiFunction/Properties/Architectures"),
        ],
    },
    Rule {
        says: "the API answers before the gateway stops waiting, and a worker has time to work",
        faults: |template| {
            wrong(template, |one| {
                let time = one.at("/Timeout").as_u64().unwrap_or(3);
                if one.function() == "api" { time < GATEWAY } else { time > 2 * GIVES_BACK }
            })
        },
        broken_by: &[
            Set("/ApiFunction/Properties/Timeout", "60"),
            Set("/CaptureFunction/Properties/Timeout", "15"),
            Drop("/DeadletterFunction/Properties/Timeout"),
        ],
    },
    Rule {
        says: "a function has the memory that it was given",
        faults: |template| wrong(template, |one| one.at("/MemorySize").as_u64() >= Some(256)),
        broken_by: &[Drop("/ScheduleFunction/Properties/MemorySize")],
    },
];

fn wrong(template: &Template, right: fn(Resource<'_>) -> bool) -> Vec<String> {
    template.functions().filter(|one| !right(*one)).map(|one| one.name.to_owned()).collect()
}
