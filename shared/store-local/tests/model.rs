//! Random batches and questions: the embedded records answer as a map in memory does, also after they were
//! closed and opened.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use futures::executor::block_on;
use plumbline_ports::{
    Action, Batch, Condition, Index, IndexKey, IndexPosition, IndexQuery, Key, Query, Range,
    Record, Records,
};
use plumbline_store_local::{DataDir, Stores};
use plumbline_testkit::clock::ManualClock;
use plumbline_testkit::memory::MemoryRecords;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// One thing that is done to both.
#[derive(Clone, Debug)]
enum Step {
    Commit(Batch),
    Get(Key),
    Query(Query),
    QueryIndex(IndexQuery),
    Reopen,
}

/// Few texts, so that keys meet; many that begin alike or lie side by side in the order of bytes.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "a",
            "a\u{1}",
            "a#",
            "a#1",
            "a#10",
            "a#2",
            "a$",
            "ab",
            "aé",
            "b",
            "é",
            "\u{d7ff}",
            "\u{e000}",
            "\u{10ffff}",
            "a\u{10ffff}",
        ])
        .prop_map(str::to_owned),
        "[ab#]{1,3}",
    ]
}

fn key() -> impl Strategy<Value = Key> {
    (proptest::sample::select(vec!["p", "p#", "pp"]), text()).prop_map(|(pk, sk)| Key::new(pk, sk))
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        3 => Just(Condition::Always),
        1 => Just(Condition::Absent),
        1 => (0_u64..3).prop_map(Condition::Revision),
    ]
}

fn places() -> impl Strategy<Value = Vec<IndexKey>> {
    let place = |index| {
        option::of((text(), text())).prop_map(move |place| {
            place.map(|(pk, sk)| IndexKey { index, pk: pk.chars().take(1).collect(), sk })
        })
    };
    (place(Index::Findings), place(Index::Tenants))
        .prop_map(|(one, two)| one.into_iter().chain(two).collect())
}

fn batch() -> impl Strategy<Value = Batch> {
    let change = prop_oneof![
        4 => (places(), 0_u64..3, vec(any::<u8>(), 0..20), option::of(any::<i64>())).prop_map(Some),
        2 => Just(None),
    ];
    btree_map(key(), (change, condition(), any::<bool>()), 1..8).prop_map(|actions| {
        let actions = actions.into_iter().map(|(key, (change, condition, delete))| match change {
            Some((indexes, revision, body, expires_at)) => {
                Action::Put(Record { key, body, revision, indexes, expires_at }, condition)
            }
            None if delete => Action::Delete(key, condition),
            None => Action::Check(key, condition),
        });
        Batch { actions: actions.collect() }
    })
}

fn range() -> impl Strategy<Value = Range> {
    prop_oneof![
        Just(Range::All),
        text().prop_map(Range::Prefix),
        (text(), text()).prop_map(|(first, last)| Range::Between(first, last)),
    ]
}

fn query() -> impl Strategy<Value = Query> {
    (key(), range(), option::of(text()), 1_usize..9, any::<bool>()).prop_map(
        |(key, range, after, limit, descending)| Query {
            pk: key.pk,
            range,
            after,
            limit,
            descending,
        },
    )
}

fn index_query() -> impl Strategy<Value = IndexQuery> {
    let after = option::of((text(), key()).prop_map(|(sk, key)| IndexPosition { sk, key }));
    (any::<bool>(), text(), range(), after, 1_usize..9, any::<bool>()).prop_map(
        |(findings, pk, range, after, limit, descending)| IndexQuery {
            index: if findings { Index::Findings } else { Index::Tenants },
            pk: pk.chars().take(1).collect(),
            range,
            after,
            limit,
            descending,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => batch().prop_map(Step::Commit),
        3 => key().prop_map(Step::Get),
        8 => query().prop_map(Step::Query),
        8 => index_query().prop_map(Step::QueryIndex),
        1 => Just(Step::Reopen),
    ]
}

fn open(path: &Path) -> Stores {
    DataDir::open(path, Arc::new(ManualClock::default())).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn embedded_records_answer_as_a_map_does(steps in vec(step(), 1..60)) {
        let folder = TempDir::new().unwrap();
        let mut stores = open(folder.path());
        let model = MemoryRecords::default();
        for step in steps {
            match step {
                Step::Commit(batch) => {
                    let expected = block_on(model.commit(batch.clone()));
                    prop_assert_eq!(block_on(stores.records.commit(batch)), expected);
                }
                Step::Get(key) => {
                    prop_assert_eq!(block_on(stores.records.get(&key)), block_on(model.get(&key)));
                }
                Step::Query(query) => {
                    let expected = block_on(model.query(&query));
                    prop_assert_eq!(block_on(stores.records.query(&query)), expected);
                }
                Step::QueryIndex(query) => {
                    let expected = block_on(model.query_index(&query));
                    prop_assert_eq!(block_on(stores.records.query_index(&query)), expected);
                }
                Step::Reopen => {
                    drop(stores);
                    stores = open(folder.path());
                }
            }
        }
        for record in model.dump() {
            prop_assert_eq!(block_on(stores.records.get(&record.key)), Ok(Some(record)));
        }
        prop_assert_eq!(stores.check(), []);
    }
}
