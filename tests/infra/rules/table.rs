//! The table and its indexes are those that the store on `DynamoDB` asks.

use super::Break::{Drop, Set};
use super::Rule;
use crate::template::{Template, list};
use serde_json::{Value, json};

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "a record is found by `pk` and `sk`",
        faults: |template| wrong(template, "/KeySchema", &keys("pk", "sk")),
        broken_by: &[
            Set("/Table/Properties/KeySchema/1/AttributeName", r#""rk""#),
            Drop("/Table/Properties/KeySchema/1"),
        ],
    },
    Rule {
        says: "the indexes are the two that the store asks, each with the whole record",
        faults: |template| {
            let indexes = ports_indexes();
            let found = template.of("AWS::DynamoDB::Table").flat_map(|table| {
                list(table.at("/GlobalSecondaryIndexes"))
                    .iter()
                    .chain(list(table.at("/LocalSecondaryIndexes")))
            });
            let (found, wanted): (Vec<&Value>, Vec<&Value>) =
                (found.collect(), indexes.iter().collect());
            if found == wanted { Vec::new() } else { vec![format!("{found:?} is not {wanted:?}")] }
        },
        broken_by: &[
            Set("/Table/Properties/GlobalSecondaryIndexes/0/IndexName", r#""findings""#),
            Set("/Table/Properties/GlobalSecondaryIndexes/1/KeySchema/1/AttributeName", r#""sk""#),
            Set(
                "/Table/Properties/GlobalSecondaryIndexes/0/Projection/ProjectionType",
                r#""KEYS_ONLY""#,
            ),
            Drop("/Table/Properties/GlobalSecondaryIndexes/1"),
            Set("/Table/Properties/GlobalSecondaryIndexes/-", r#"{"IndexName":"More"}"#),
        ],
    },
    Rule {
        says: "keys are texts",
        faults: |template| {
            let names = ["pk", "sk", "fpk", "fsk", "tpk", "tsk"];
            let texts = names.map(|name| json!({ "AttributeName": name, "AttributeType": "S" }));
            wrong(template, "/AttributeDefinitions", &json!(texts))
        },
        broken_by: &[Set("/Table/Properties/AttributeDefinitions/3/AttributeType", r#""B""#)],
    },
];

/// The indexes of `plumbline_ports::records::Index`, as the store on `DynamoDB` calls them.
fn ports_indexes() -> Vec<Value> {
    use plumbline_ports::records::Index;
    let index = |index: Index| {
        let (name, pk, sk) = match index {
            Index::Findings => ("Findings", "fpk", "fsk"),
            Index::Tenants => ("Tenants", "tpk", "tsk"),
        };
        json!({
            "IndexName": name, "KeySchema": keys(pk, sk), "Projection": { "ProjectionType": "ALL" },
        })
    };
    Index::ALL.map(index).into()
}

fn keys(hash: &str, range: &str) -> Value {
    json!([
        { "AttributeName": hash, "KeyType": "HASH" },
        { "AttributeName": range, "KeyType": "RANGE" },
    ])
}

fn wrong(template: &Template, pointer: &str, wanted: &Value) -> Vec<String> {
    let tables = template.of("AWS::DynamoDB::Table").filter(|table| table.at(pointer) != wanted);
    tables.map(|table| format!("{}{pointer} is not {wanted}", table.name)).collect()
}
