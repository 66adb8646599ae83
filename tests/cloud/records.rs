//! What only a table of `DynamoDB` does: pages of a megabyte, its own weights, transactions that conflict,
//! throttling, lost replies, units.

use crate::between::{Between, Fault, refusal};
use crate::stage::{Stage, TABLE, ports, run};
use plumbline_ports::conformance::records::row;
use plumbline_ports::records::{MAX_INDEX_BYTES, MAX_PK_BYTES, MAX_RECORD_BYTES, MAX_SK_BYTES};
use plumbline_ports::{
    Action, Batch, CommitError, Condition, Index, IndexKey, IndexQuery, Key, Ports, Query, Range,
    Record,
};
use plumbline_store_aws::{Aws, Server};
use serde_json::{Value, json};

/// The ports over something between, and what lies between.
async fn through(stage: &Stage<'_>) -> (Ports, Between) {
    let between = Between::before(&stage.account.server.url()).await;
    let server = Server { url: between.url(), ..stage.server() };
    let aws = Aws::connect_to(&server, stage.settings.clone()).await;
    (ports(&aws), between)
}

fn one(sk: &str, condition: Condition) -> Batch {
    Batch::new().put(row("p", sk, 1, "x"), condition)
}

fn two(sk: &str) -> Batch {
    one(sk, Condition::Absent).check(Key::new("p", "nobody"), Condition::Absent)
}

/// The heaviest record with everything that a record can have.
fn heaviest() -> Record {
    let place =
        |index, sk: &str| IndexKey { index, pk: "i".repeat(MAX_PK_BYTES), sk: sk.to_owned() };
    let sk = "é".repeat(100);
    let rest = "s".repeat(MAX_INDEX_BYTES - sk.len() - 1);
    let empty = Record {
        key: Key::new("h", sk),
        body: Vec::new(),
        revision: u64::MAX,
        indexes: vec![place(Index::Findings, &rest), place(Index::Tenants, "t")],
        // A number weighs less when it ends with zeros; the port does not count on it.
        expires_at: Some(4_102_444_801),
    };
    Record { body: vec![255; MAX_RECORD_BYTES - empty.size()], ..empty }
}

/// The item of a row as it lies in the table.
fn item(stage: &Stage<'_>, key: &Key) -> Value {
    let key = json!({ "pk": { "S": key.pk }, "sk": { "S": key.sk } });
    let found = stage.account.call(
        "dynamodb",
        "get_item",
        &json!({ "TableName": TABLE, "Key": key, "ConsistentRead": true }),
    );
    found["Item"].clone()
}

#[test]
fn a_record_of_exactly_the_limit_is_taken_and_the_table_takes_no_more() {
    let stage = Stage::new();
    run(async {
        let records = stage.ports().await.records;
        let record = heaviest();
        let batch = Batch::new().put(record.clone(), Condition::Absent);
        records.commit(batch).await.unwrap();
        assert_eq!(records.get(&record.key).await, Ok(Some(record.clone())));
        // The port's weight is the table's: one byte more is too much there as well.
        let mut item = item(&stage, &record.key);
        item["x"] = json!({ "S": "" });
        let told = stage.account.try_call(
            "dynamodb",
            "put_item",
            &json!({ "TableName": TABLE, "Item": item }),
        );
        let refusal = told.unwrap_err();
        assert_eq!(refusal.code, "ValidationException");
        assert!(refusal.message.contains("Item size"), "{refusal}");
    });
}

#[test]
fn the_longest_keys_are_taken() {
    let stage = Stage::new();
    run(async {
        let records = stage.ports().await.records;
        let key = Key::new("p".repeat(MAX_PK_BYTES), "s".repeat(MAX_SK_BYTES));
        let record = Record { key: key.clone(), ..row("", "", 1, "x") };
        let batch = Batch::new().put(record.clone(), Condition::Absent);
        records.commit(batch).await.unwrap();
        assert_eq!(records.get(&key).await, Ok(Some(record)));
        let after = Some(key.sk.clone());
        let query = Query { after, ..Query::prefix(key.pk, "") };
        assert_eq!(records.query_all(query).await, Ok(Vec::new()));
    });
}

#[test]
fn a_partition_past_one_megabyte_comes_in_pages() {
    let stage = Stage::new();
    run(async {
        let aws = stage.aws().await;
        let records = ports(&aws).records;
        for number in 0..30 {
            let record = row("large", &format!("{number:02}"), 1, vec![b'x'; 100 * 1024]);
            records.commit(Batch::new().put(record, Condition::Absent)).await.unwrap();
        }
        let before = aws.bill();
        let found = records.query_all(Query::prefix("large", "")).await.unwrap();
        assert_eq!(found.len(), 30);
        let requests = aws.bill().record_requests - before.record_requests;
        assert!((3..=5).contains(&requests), "{requests} pages of 3 megabytes");
    });
}

#[test]
fn rows_with_one_sort_key_of_an_index_are_in_the_order_of_their_keys() {
    let stage = Stage::new();
    run(async {
        let records = stage.ports().await.records;
        let partition = "one sort key";
        let with = |number: u32| {
            let place =
                IndexKey { index: Index::Findings, pk: partition.into(), sk: "same".into() };
            let sk = format!("{:02}", 29 - number);
            Record { indexes: vec![place], ..row(&format!("{}", number % 3), &sk, 1, "x") }
        };
        for number in 0..30 {
            records.commit(Batch::new().put(with(number), Condition::Absent)).await.unwrap();
        }
        let mut expected: Vec<Key> = (0..30).map(|number| with(number).key).collect();
        expected.sort();
        for range in [Range::All, Range::Between("same".into(), "same".into())] {
            let mut query = IndexQuery {
                index: Index::Findings,
                pk: partition.into(),
                range,
                after: None,
                limit: 4,
                descending: false,
            };
            let mut found = Vec::new();
            loop {
                let page = records.query_index(&query).await.unwrap();
                found.extend(page.records.into_iter().map(|record| record.key));
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected);
        }
    });
}

#[test]
fn throttling_passes_and_is_told_when_it_does_not() {
    let stage = Stage::new();
    run(async {
        let (ports, between) = through(&stage).await;
        let slow = refusal(400, "ProvisionedThroughputExceededException");
        between.plan("PutItem", vec![slow.clone(); 2]);
        ports.records.commit(one("passes", Condition::Absent)).await.unwrap();
        assert_eq!(between.calls("PutItem"), 3);
        between.plan("PutItem", vec![slow; 9]);
        let told = ports.records.commit(one("stays", Condition::Absent)).await.unwrap_err();
        let CommitError::Port(error) = told else { panic!("{told:?}") };
        assert!(error.is_retryable(), "{error}");
        assert!(error.to_string().contains("ProvisionedThroughputExceededException"), "{error}");
        assert_eq!(between.calls("PutItem"), 3 + 4, "four tries");
        between.plan("GetItem", vec![refusal(400, "ThrottlingException"); 2]);
        assert!(ports.records.get(&Key::new("p", "passes")).await.unwrap().is_some());
    });
}

#[test]
fn a_conflict_of_transactions_is_worth_another_try() {
    let stage = Stage::new();
    run(async {
        let (ports, between) = through(&stage).await;
        let cancelled = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "message": "Transaction cancelled",
            "CancellationReasons": [
                { "Code": "TransactionConflict", "Message": "ongoing" }, { "Code": "None" },
            ],
        });
        between.plan("TransactWriteItems", [Fault::Answer(400, cancelled.to_string())]);
        let told = ports.records.commit(two("conflict")).await.unwrap_err();
        let retryable = matches!(&told, CommitError::Port(error) if error.is_retryable());
        assert!(retryable, "{told:?}");
        ports.records.commit(two("conflict")).await.unwrap();
        between.plan("PutItem", [refusal(400, "TransactionConflictException")]);
        let told = ports.records.commit(one("single", Condition::Absent)).await.unwrap_err();
        let retryable = matches!(&told, CommitError::Port(error) if error.is_retryable());
        assert!(retryable, "{told:?}");
    });
}

/// A single write has no token. Sent again after a lost reply it would fail on itself, so it is not.
#[test]
fn a_write_whose_reply_is_lost_is_not_called_a_failed_condition() {
    let stage = Stage::new();
    run(async {
        let (ports, between) = through(&stage).await;
        for (operation, batch) in [
            ("PutItem", one("lost", Condition::Absent)),
            ("DeleteItem", Batch::new().delete(Key::new("p", "lost"), Condition::Revision(1))),
        ] {
            between.plan(operation, [Fault::LostReply]);
            let told = ports.records.commit(batch).await.unwrap_err();
            let retryable = matches!(&told, CommitError::Port(error) if error.is_retryable());
            assert!(retryable, "{told:?}");
            assert_eq!(between.calls(operation), 1, "sent once");
            let there = ports.records.get(&Key::new("p", "lost")).await.unwrap().is_some();
            assert_eq!(there, operation == "PutItem", "it was done");
        }
    });
}

/// A transaction has a token: the SDK sends it again, and it is taken once.
#[test]
fn a_transaction_whose_reply_is_lost_is_sent_again() {
    let stage = Stage::new();
    run(async {
        let (ports, between) = through(&stage).await;
        between.plan("TransactWriteItems", [Fault::LostReply]);
        ports.records.commit(two("token")).await.unwrap();
        assert_eq!(between.calls("TransactWriteItems"), 2);
        let told = ports.records.commit(two("token")).await;
        assert_eq!(told, Err(CommitError::Condition { failed: vec![0] }));
    });
}

#[test]
fn a_damaged_item_is_named() {
    let stage = Stage::new();
    run(async {
        let records = stage.ports().await.records;
        records.commit(one("damaged", Condition::Absent)).await.unwrap();
        let key = Key::new("p", "damaged");
        let mut item = item(&stage, &key);
        item["body"] = json!({ "S": "text" });
        stage.account.call("dynamodb", "put_item", &json!({ "TableName": TABLE, "Item": item }));
        let told = records.get(&key).await.unwrap_err().to_string();
        assert!(told.contains("the row p damaged") && told.contains("`body`"), "{told}");
    });
}

#[test]
fn units_are_counted_as_the_table_tells_them() {
    let stage = Stage::new();
    run(async {
        let aws = stage.aws().await;
        let records = ports(&aws).records;
        let spent = |before: plumbline_store_aws::Bill| {
            let now = aws.bill();
            (
                now.record_requests - before.record_requests,
                now.record_read_halves - before.record_read_halves,
                now.record_write_units - before.record_write_units,
            )
        };
        let place = IndexKey { index: Index::Tenants, pk: "i".into(), sk: "s".into() };
        let plain = row("p", "plain", 1, vec![b'x'; 1_500]);
        let placed = Record { indexes: vec![place], ..row("p", "placed", 1, "x") };
        for (action, units) in [
            (Action::Put(plain.clone(), Condition::Absent), 2),
            (Action::Put(placed, Condition::Absent), 2),
            (Action::Delete(plain.key.clone(), Condition::Always), 2),
        ] {
            let before = aws.bill();
            records.commit(Batch { actions: vec![action] }).await.unwrap();
            assert_eq!(spent(before), (1, 0, units));
        }
        let before = aws.bill();
        records.commit(two("both")).await.unwrap();
        assert_eq!(spent(before), (1, 0, 4), "a transaction is billed double");
        let before = aws.bill();
        records.get(&Key::new("p", "placed")).await.unwrap();
        assert_eq!(spent(before), (1, 2, 0), "a read that does not lag is a unit");
        let before = aws.bill();
        let query = IndexQuery {
            index: Index::Tenants,
            pk: "i".into(),
            range: Range::All,
            after: None,
            limit: 1,
            descending: false,
        };
        assert_eq!(records.query_index(&query).await.unwrap().records.len(), 1);
        assert_eq!(spent(before), (1, 1, 0), "one that may lag is half a unit");
    });
}
