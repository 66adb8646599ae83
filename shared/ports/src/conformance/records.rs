//! What holds of every adapter of [`Records`].

#![expect(
    clippy::missing_panics_doc,
    reason = "a rule that does not hold panics; nothing else does"
)]
#![expect(clippy::unwrap_used, reason = "a rule that does not hold panics")]

use crate::records::{
    MAX_BATCH_ACTIONS, MAX_INDEX_BYTES, MAX_PAGE_BYTES, MAX_PK_BYTES, MAX_RECORD_BYTES,
    MAX_SK_BYTES,
};
use crate::{
    Action, Batch, CommitError, Condition, Index, IndexKey, IndexQuery, Key, PortError, Query,
    Range, Record, Records,
};
use futures::executor::block_on;
use futures::future::join_all;

/// How many rounds a race has.
const ROUNDS: u64 = 200;
/// How many writers race.
const WRITERS: u64 = 12;

/// Runs every rule.
pub async fn all(records: &dyn Records) {
    rows_come_back(records).await;
    conditions(records).await;
    a_batch_is_taken_whole_or_not_at_all(records).await;
    batches_over_a_limit_are_refused(records).await;
    keys_over_a_limit_are_refused(records).await;
    keys_with_a_nul_are_refused(records).await;
    index_keys_over_a_limit_are_refused(records).await;
    queries_over_a_limit_are_refused(records).await;
    ranges(records).await;
    partitions_are_not_confused(records).await;
    keys_are_in_the_order_of_their_bytes(records).await;
    pages_end_before_they_pass_the_limit(records).await;
    paging_gives_exactly_the_rows(records).await;
    paging_goes_on_while_rows_come_and_go(records).await;
    index_keys_follow_their_rows(records).await;
    index_ranges(records).await;
    index_pages_tell_rows_of_one_sort_key_apart(records).await;
    expired_rows_stand_until_they_are_taken_away(records).await;
    races(records).await;
}

/// A row without index keys and expiry.
#[must_use]
pub fn row(pk: &str, sk: &str, revision: u64, body: impl Into<Vec<u8>>) -> Record {
    Record {
        key: Key::new(pk, sk),
        body: body.into(),
        revision,
        indexes: Vec::new(),
        expires_at: None,
    }
}

async fn put(records: &dyn Records, record: Record) {
    records.commit(Batch::new().put(record, Condition::Always)).await.unwrap();
}

async fn put_all(records: &dyn Records, rows: Vec<Record>) {
    for chunk in rows.chunks(5) {
        let actions = chunk.iter().map(|row| Action::Put(row.clone(), Condition::Always)).collect();
        records.commit(Batch { actions }).await.unwrap();
    }
}

fn question(pk: &str, range: Range) -> Query {
    Query { pk: pk.to_owned(), range, after: None, limit: usize::MAX, descending: false }
}

/// More pages than any question here has; who pages on from the same place does not end.
const MANY_PAGES: usize = 10_000;

/// Reads all rows of a query, page by page.
async fn read_all(records: &dyn Records, mut query: Query) -> Result<Vec<Record>, PortError> {
    let mut out = Vec::new();
    for _ in 0..MANY_PAGES {
        let page = records.query(&query).await?;
        out.extend(page.records);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(out),
        }
    }
    panic!("paging does not end: {query:?}");
}

fn sort_keys(rows: &[Record]) -> Vec<&str> {
    rows.iter().map(|row| row.key.sk.as_str()).collect()
}

/// What was written is read, every field of it; a write replaces the whole row.
pub async fn rows_come_back(records: &dyn Records) {
    let key = Key::new("rows_come_back", "ä\u{10ffff}\u{1}");
    assert_eq!(records.get(&key).await, Ok(None), "nothing was written yet");
    let full = Record {
        key: key.clone(),
        body: (0..=255).collect(),
        revision: u64::MAX,
        indexes: vec![IndexKey {
            index: Index::Tenants,
            pk: "rows_come_back".into(),
            sk: "é".into(),
        }],
        expires_at: Some(4_102_444_800),
    };
    put(records, full.clone()).await;
    assert_eq!(records.get(&key).await, Ok(Some(full)));
    let bare = row(&key.pk, &key.sk, 0, "");
    put(records, bare.clone()).await;
    assert_eq!(records.get(&key).await, Ok(Some(bare)), "nothing of the old row stays");
    records.commit(Batch::new().delete(key.clone(), Condition::Always)).await.unwrap();
    assert_eq!(records.get(&key).await, Ok(None));
    records.commit(Batch::new().delete(key, Condition::Always)).await.unwrap();
}

/// Each condition on each kind of action, on a row that stands and on one that does not.
pub async fn conditions(records: &dyn Records) {
    let pk = "conditions";
    let cases = [
        (Condition::Always, true, true),
        (Condition::Absent, false, true),
        (Condition::Revision(7), true, false),
        (Condition::Revision(8), false, false),
        (Condition::Revision(0), false, false),
    ];
    for (number, (condition, on_row, on_none)) in cases.into_iter().enumerate() {
        for (there, holds) in [(true, on_row), (false, on_none)] {
            for kind in ["put", "delete", "check"] {
                let sk = format!("{kind} {number} {there}");
                let key = Key::new(pk, sk.clone());
                if there {
                    put(records, row(pk, &sk, 7, "old")).await;
                }
                let before = records.get(&key).await.unwrap();
                let (batch, after) = match kind {
                    "put" => {
                        let new = row(pk, &sk, 9, "new");
                        (Batch::new().put(new.clone(), condition), Some(new))
                    }
                    "delete" => (Batch::new().delete(key.clone(), condition), None),
                    _ => (Batch::new().check(key.clone(), condition), before.clone()),
                };
                let told = records.commit(batch).await;
                let stands = records.get(&key).await.unwrap();
                if holds {
                    assert_eq!(told, Ok(()), "{sk}: {condition:?} holds");
                    assert_eq!(stands, after, "{sk}: {condition:?} holds, so the action is taken");
                } else {
                    let failed = vec![0];
                    assert_eq!(told, Err(CommitError::Condition { failed }), "{sk}: {condition:?}");
                    assert_eq!(stands, before, "{sk}: {condition:?} fails, so nothing changes");
                }
            }
        }
    }
}

/// One failed condition keeps every action back, and every failed place is named.
pub async fn a_batch_is_taken_whole_or_not_at_all(records: &dyn Records) {
    let pk = "whole";
    put_all(records, vec![row(pk, "stands", 3, "old"), row(pk, "goes", 1, "old")]).await;
    let batch = || {
        Batch::new()
            .put(row(pk, "new", 1, "new"), Condition::Absent)
            .check(Key::new(pk, "stands"), Condition::Revision(4))
            .delete(Key::new(pk, "goes"), Condition::Revision(1))
            .put(row(pk, "stands too", 1, "new"), Condition::Revision(1))
            .check(Key::new(pk, "nobody"), Condition::Absent)
    };
    let before = read_all(records, question(pk, Range::All)).await.unwrap();
    let told = records.commit(batch()).await;
    assert_eq!(told, Err(CommitError::Condition { failed: vec![1, 3] }));
    assert_eq!(read_all(records, question(pk, Range::All)).await.unwrap(), before);
    put_all(records, vec![row(pk, "stands", 4, "old"), row(pk, "stands too", 1, "old")]).await;
    records.commit(batch()).await.unwrap();
    let after = read_all(records, question(pk, Range::All)).await.unwrap();
    assert_eq!(sort_keys(&after), ["new", "stands", "stands too"]);
    assert_eq!(after[2].body, b"new");

    // As many actions as a batch takes; the last one fails.
    let last = MAX_BATCH_ACTIONS - 1;
    let mut full = Batch::new();
    for number in 0..last {
        full = full.put(row("whole, full", &format!("{number:03}"), 1, "x"), Condition::Absent);
    }
    let missing = Key::new("whole, full", "missing");
    let told = records.commit(full.clone().check(missing.clone(), Condition::Revision(1))).await;
    assert_eq!(told, Err(CommitError::Condition { failed: vec![last] }));
    let found = read_all(records, question("whole, full", Range::All)).await.unwrap();
    assert!(found.is_empty(), "nothing of a failed batch is written");
    records.commit(full.check(missing, Condition::Absent)).await.unwrap();
    let found = read_all(records, question("whole, full", Range::All)).await.unwrap();
    assert_eq!(found.len(), last);
}

async fn assert_refused(records: &dyn Records, batch: Batch, word: &str) {
    match records.commit(batch).await {
        Err(CommitError::Port(PortError::Refused { reason, .. })) => {
            assert!(reason.contains(word), "`{reason}` does not say `{word}`");
        }
        other => panic!("a batch that is {word}: {other:?}"),
    }
}

/// Batches that are too long, too heavy or contradict themselves are refused, and nothing is written.
pub async fn batches_over_a_limit_are_refused(records: &dyn Records) {
    let pk = "batch limits";
    assert_refused(records, Batch::new(), "empty").await;

    let small = |number: usize| row(pk, &format!("{number:03}"), 1, "x");
    let rows = |count: usize| {
        (0..count).fold(Batch::new(), |batch, number| batch.put(small(number), Condition::Always))
    };
    assert_refused(records, rows(MAX_BATCH_ACTIONS + 1), "actions").await;

    let twice = rows(2).delete(small(0).key, Condition::Always);
    assert_refused(records, twice, "two actions on one row").await;
    let twice = rows(2).check(small(1).key, Condition::Always);
    assert_refused(records, twice, "two actions on one row").await;

    let weigh = |size: usize| {
        let empty = row(pk, "heavy", 1, "").size();
        row(pk, "heavy", 1, vec![b'x'; size - empty])
    };
    let heavy = rows(1).put(weigh(MAX_RECORD_BYTES + 1), Condition::Always);
    assert_refused(records, heavy, "weighs").await;

    let four_megabytes = (0..11).fold(rows(1), |batch, number| {
        let record = row(pk, &format!("part {number:02}"), 1, vec![b'x'; 390 * 1024]);
        batch.put(record, Condition::Always)
    });
    assert_refused(records, four_megabytes, "bytes, but a batch takes").await;

    let place = |sk: &str| IndexKey { index: Index::Findings, pk: pk.into(), sk: sk.into() };
    let doubled = Record { indexes: vec![place("1"), place("2")], ..small(1) };
    assert_refused(records, rows(1).put(doubled, Condition::Always), "two keys for one index")
        .await;

    let found = read_all(records, question(pk, Range::All)).await.unwrap();
    assert!(found.is_empty(), "a refused batch writes nothing: {:?}", sort_keys(&found));

    put(records, weigh(MAX_RECORD_BYTES)).await;
    let found = read_all(records, question(pk, Range::All)).await.unwrap();
    assert_eq!(found, [weigh(MAX_RECORD_BYTES)], "as much as a record takes");
}

/// Keys that are empty or too long are refused wherever they stand.
pub async fn keys_over_a_limit_are_refused(records: &dyn Records) {
    let longest = Key::new("k".repeat(MAX_PK_BYTES), "k".repeat(MAX_SK_BYTES));
    let wrong = [
        Key::new("", "s"),
        Key::new("p", ""),
        Key::new("k".repeat(MAX_PK_BYTES + 1), "s"),
        Key::new("key limits", "k".repeat(MAX_SK_BYTES + 1)),
    ];
    let other = row("key limits", "other", 1, "x");
    for key in wrong {
        let with = || Batch::new().put(other.clone(), Condition::Always);
        let record = Record { key: key.clone(), ..other.clone() };
        let place = IndexKey { index: Index::Tenants, pk: key.pk.clone(), sk: key.sk.clone() };
        let placed = Record { indexes: vec![place], ..row("key limits", "placed", 1, "x") };
        for batch in [
            with().put(record, Condition::Always),
            with().delete(key.clone(), Condition::Always),
            with().check(key.clone(), Condition::Absent),
            with().put(placed, Condition::Always),
        ] {
            assert_refused(records, batch, "bytes, but takes 1 to").await;
        }
        let told = records.get(&key).await;
        assert!(matches!(told, Err(PortError::Refused { .. })), "{told:?}");
    }
    assert_eq!(records.get(&other.key).await, Ok(None), "a refused batch writes nothing");

    let record = Record { key: longest.clone(), ..other };
    put(records, record.clone()).await;
    assert_eq!(records.get(&longest).await, Ok(Some(record)));
}

/// No key holds a NUL, which parts what an adapter joins.
pub async fn keys_with_a_nul_are_refused(records: &dyn Records) {
    for key in [Key::new("nul\0", "s"), Key::new("nul", "\0s"), Key::new("\0", "\0")] {
        let place = IndexKey { index: Index::Findings, pk: key.pk.clone(), sk: key.sk.clone() };
        let placed = Record { indexes: vec![place], ..row("nul", "placed", 1, "x") };
        let record = Record { key: key.clone(), ..row("nul", "s", 1, "x") };
        for batch in [
            Batch::new().put(record, Condition::Always),
            Batch::new().delete(key.clone(), Condition::Always),
            Batch::new().check(key.clone(), Condition::Absent),
            Batch::new().put(placed, Condition::Always),
        ] {
            assert_refused(records, batch, "NUL").await;
        }
        let told = records.get(&key).await;
        assert!(matches!(told, Err(PortError::Refused { .. })), "{told:?}");
        let told = records.query(&question(&key.pk, Range::Prefix(key.sk.clone()))).await;
        assert!(matches!(told, Err(PortError::Refused { .. })), "{told:?}");
    }
    let found = read_all(records, question("nul", Range::All)).await.unwrap();
    assert!(found.is_empty(), "a refused batch writes nothing");
}

/// The sort key in an index and the row's own key are as long together as they may be, and no longer.
pub async fn index_keys_over_a_limit_are_refused(records: &dyn Records) {
    let partition = "index limits";
    let with = |bytes: usize, pk: &str, sk: &str| {
        let place = place(Index::Findings, partition, &"i".repeat(bytes - pk.len() - sk.len()));
        Record { indexes: vec![place], ..row(pk, sk, 1, "x") }
    };
    let (pk, sk) = ("index limits".repeat(30), "s".repeat(200));
    for (pk, sk) in [(partition, "s"), (pk.as_str(), sk.as_str())] {
        let batch = Batch::new().put(with(MAX_INDEX_BYTES + 1, pk, sk), Condition::Always);
        assert_refused(records, batch, "but an index takes").await;
        put(records, with(MAX_INDEX_BYTES, pk, sk)).await;
    }
    let all = in_index(records, index_question(Index::Findings, partition)).await;
    let expected = [with(MAX_INDEX_BYTES, &pk, &sk), with(MAX_INDEX_BYTES, partition, "s")];
    assert_eq!(all, expected);
    let longest = expected[1].indexes[0].sk.clone();
    for range in [Range::Prefix(longest.clone()), Range::Between(longest.clone(), longest.clone())]
    {
        let query = IndexQuery { range, ..index_question(Index::Findings, partition) };
        assert_eq!(in_index(records, query).await, expected[1..]);
    }
    let range = Range::Prefix("i".repeat(MAX_INDEX_BYTES - 1));
    let query = IndexQuery { range, ..index_question(Index::Findings, partition) };
    let told = records.query_index(&query).await;
    assert!(matches!(told, Err(PortError::Refused { .. })), "longer than any: {told:?}");
}

/// Questions that no adapter can answer are refused.
pub async fn queries_over_a_limit_are_refused(records: &dyn Records) {
    let long = "k".repeat(MAX_SK_BYTES + 1);
    let wrong = [
        question("", Range::All),
        question(&"k".repeat(MAX_PK_BYTES + 1), Range::All),
        question("p", Range::Prefix(long.clone())),
        question("p", Range::Between("a".into(), long.clone())),
        question("p", Range::Between(long, "z".into())),
        Query { limit: 0, ..question("p", Range::All) },
    ];
    for query in wrong {
        let told = records.query(&query).await;
        assert!(matches!(told, Err(PortError::Refused { .. })), "{query:?}: {told:?}");
        let Query { pk, range, limit, .. } = query;
        let index = Index::Findings;
        let query = IndexQuery { index, pk, range, after: None, limit, descending: false };
        let told = records.query_index(&query).await;
        assert!(matches!(told, Err(PortError::Refused { .. })), "{query:?}: {told:?}");
    }
}

/// Sort keys that are each other's beginnings, or lie beside one another in the order of bytes.
const TRICKY: [&str; 18] = [
    "\u{1}",
    "A",
    "A#",
    "A#1",
    "A#10",
    "A#2",
    "A$",
    "AB",
    "AB#1",
    "B",
    "a",
    "a\u{1}",
    "a\u{7f}",
    "aé",
    "aê",
    "a\u{d7ff}",
    "a\u{e000}",
    "a\u{10ffff}",
];

/// Every question about the tricky sort keys.
fn tricky_ranges() -> Vec<Range> {
    let mut out = vec![Range::All, Range::Prefix(String::new())];
    let ends = ["A", "A#", "A#1", "A#5", "B", "Z", "a", "aé", "a\u{d7ff}", "a\u{10ffff}", "b"];
    for one in ends {
        out.push(Range::Prefix(one.to_owned()));
        for two in ends {
            out.push(Range::Between(one.to_owned(), two.to_owned()));
        }
    }
    out
}

/// Prefixes, ends and the whole partition, in both directions, with and without a limit.
pub async fn ranges(records: &dyn Records) {
    let pk = "ranges";
    put_all(records, TRICKY.map(|sk| row(pk, sk, 1, sk)).to_vec()).await;
    for range in tricky_ranges() {
        for descending in [false, true] {
            let mut expected: Vec<&str> = TRICKY.into_iter().filter(|sk| range.holds(sk)).collect();
            expected.sort_unstable();
            if descending {
                expected.reverse();
            }
            let whole = Query { descending, ..question(pk, range.clone()) };
            let found = read_all(records, whole.clone()).await.unwrap();
            assert_eq!(sort_keys(&found), expected, "{whole:?}");
            for limit in [1, 2, 5] {
                let some = Query { limit, ..whole.clone() };
                let page = records.query(&some).await.unwrap();
                assert!(page.records.len() <= limit, "{some:?}");
                let paged = read_all(records, some.clone()).await.unwrap();
                assert_eq!(sort_keys(&paged), expected, "{some:?}, page by page");
            }
        }
    }
}

/// No partition sees the rows of another, however alike the names are.
pub async fn partitions_are_not_confused(records: &dyn Records) {
    let names = ["p", "p\u{1}", "p#", "p#1", "pp", "pé", "P", "p\u{10ffff}"];
    let mut rows = Vec::new();
    for pk in names {
        rows.push(row(pk, "1", 1, pk));
        rows.push(row(pk, "p", 1, pk));
        rows.push(row(pk, "\u{10ffff}", 1, pk));
    }
    // The same text when partition and sort key are simply joined.
    rows.push(row("p#1", "#1", 1, "p#1"));
    rows.push(row("p", "#1#1", 1, "p"));
    put_all(records, rows).await;
    for pk in names {
        let more = usize::from(pk == "p" || pk == "p#1");
        for descending in [false, true] {
            let query = Query { descending, ..question(pk, Range::All) };
            let found = read_all(records, query).await.unwrap();
            assert_eq!(found.len(), 3 + more, "the rows of `{pk}`");
            assert!(found.iter().all(|row| row.key.pk == pk && row.body == pk.as_bytes()));
        }
    }
}

/// Sort keys are ordered by bytes, not by any language's rules.
pub async fn keys_are_in_the_order_of_their_bytes(records: &dyn Records) {
    let pk = "bytes";
    let mut sorted = vec![
        "\u{1}", "\t", "#", "-", "/", "0", "10", "2", ":", "A", "Z", "_", "a", "aa", "b", "z", "~",
        "\u{7f}", "ß", "é", "ü", "日", "\u{ffff}", "😀",
    ];
    let rows = sorted.iter().rev().map(|sk| row(pk, sk, 1, "x")).collect();
    put_all(records, rows).await;
    let found = read_all(records, question(pk, Range::All)).await.unwrap();
    assert_eq!(sort_keys(&found), sorted);
    sorted.reverse();
    let query = Query { descending: true, ..question(pk, Range::All) };
    assert_eq!(sort_keys(&read_all(records, query).await.unwrap()), sorted);
}

/// A page ends before it passes its limit of bytes; the pages together are all rows.
pub async fn pages_end_before_they_pass_the_limit(records: &dyn Records) {
    let pk = "page bytes";
    // 300 KB each: three fit, a fourth does not. The last is as large as a row gets.
    let mut rows: Vec<Record> =
        (0..8).map(|number| row(pk, &format!("{number}"), 1, vec![b'x'; 300 * 1024])).collect();
    let empty = row(pk, "9", 1, "").size();
    rows.push(row(pk, "9", 1, vec![b'x'; MAX_RECORD_BYTES - empty]));
    put_all(records, rows.clone()).await;
    for descending in [false, true] {
        let mut query = Query { descending, ..question(pk, Range::All) };
        let (mut found, mut pages) = (Vec::new(), 0);
        loop {
            let page = records.query(&query).await.unwrap();
            let bytes: usize = page.records.iter().map(Record::size).sum();
            assert!(bytes <= MAX_PAGE_BYTES, "a page of {bytes} bytes");
            found.extend(page.records);
            pages += 1;
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        if descending {
            found.reverse();
        }
        assert_eq!(found, rows, "the pages together are all rows");
        assert!((3..=9).contains(&pages), "{pages} pages");
    }
}

/// Whatever the size of the pages, they give each row once and in order.
pub async fn paging_gives_exactly_the_rows(records: &dyn Records) {
    let pk = "paging";
    let names: Vec<String> = (0..100).map(|number| format!("A#{number:03}")).collect();
    let around = [row(pk, "A\u{22}", 1, "x"), row(pk, "A$", 1, "x"), row("paging ", "A#5", 1, "x")];
    let rows = names.iter().map(|sk| row(pk, sk, 1, "x")).chain(around).collect();
    put_all(records, rows).await;
    for limit in [1, 7, 33, 99, 100, 101] {
        for descending in [false, true] {
            let query = Query { limit, descending, ..Query::prefix(pk, "A#") };
            let mut found = read_all(records, query).await.unwrap();
            if descending {
                found.reverse();
            }
            assert_eq!(sort_keys(&found), names, "pages of {limit}");
        }
    }
    let range = Range::Between("A#010".into(), "A#019".into());
    for (after, descending, expected) in [
        ("A#014", false, 5),
        ("A#014", true, 4),
        ("A#009", false, 10),
        ("A#020", true, 10),
        ("A#019", false, 0),
        ("A#010", true, 0),
        ("A#0145", false, 5),
        ("A#0145", true, 5),
    ] {
        let after = Some(after.to_owned());
        let query = Query { after, descending, ..question(pk, range.clone()) };
        let found = read_all(records, query.clone()).await.unwrap();
        assert_eq!(found.len(), expected, "{query:?}");
    }
}

/// Rows that come or go behind the cursor change nothing; before it they are seen or missed, each once.
pub async fn paging_goes_on_while_rows_come_and_go(records: &dyn Records) {
    let pk = "cursor";
    let even = |number: usize| format!("{:03}", number * 2);
    put_all(records, (0..50).map(|number| row(pk, &even(number), 1, "x")).collect()).await;
    let mut query = Query { limit: 10, ..question(pk, Range::All) };
    let page = records.query(&query).await.unwrap();
    let mut found = page.records;
    let cursor = page.next.unwrap();
    assert_eq!(cursor, "018", "the page ended with its last row");
    let changes = Batch::new()
        .put(row(pk, "001", 1, "behind the cursor"), Condition::Absent)
        .put(row(pk, "0185", 1, "directly before it"), Condition::Absent)
        .put(row(pk, "051", 1, "far before it"), Condition::Absent)
        .delete(Key::new(pk, "000"), Condition::Always)
        .delete(Key::new(pk, "018"), Condition::Always)
        .delete(Key::new(pk, "060"), Condition::Always);
    records.commit(changes).await.unwrap();
    query.after = Some(cursor);
    found.extend(read_all(records, query).await.unwrap());
    let mut expected: Vec<String> = (0..50).map(even).filter(|sk| sk != "060").collect();
    expected.extend(["0185".to_owned(), "051".to_owned()]);
    expected.sort();
    assert_eq!(sort_keys(&found), expected);
}

fn place(index: Index, pk: &str, sk: &str) -> IndexKey {
    IndexKey { index, pk: pk.to_owned(), sk: sk.to_owned() }
}

async fn in_index(records: &dyn Records, mut query: IndexQuery) -> Vec<Record> {
    let mut out = Vec::new();
    for _ in 0..MANY_PAGES {
        let page = records.query_index(&query).await.unwrap();
        assert!(page.records.len() <= query.limit);
        out.extend(page.records);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return out,
        }
    }
    panic!("paging does not end: {query:?}");
}

fn index_question(index: Index, pk: &str) -> IndexQuery {
    IndexQuery {
        index,
        pk: pk.to_owned(),
        range: Range::All,
        after: None,
        limit: usize::MAX,
        descending: false,
    }
}

/// Index entries come, move and vanish with their rows, each index for itself.
pub async fn index_keys_follow_their_rows(records: &dyn Records) {
    let pk = "follow";
    let listed = async |index, partition| {
        let found = in_index(records, index_question(index, partition)).await;
        found.iter().map(|row| (row.key.sk.clone(), row.body.clone())).collect::<Vec<_>>()
    };
    let entry = |body: &str| ("1".to_owned(), body.as_bytes().to_vec());
    let with = |indexes: Vec<IndexKey>, body: &str| Record { indexes, ..row(pk, "1", 1, body) };

    put(records, with(vec![], "plain")).await;
    assert_eq!(listed(Index::Findings, "follow").await, []);
    put(records, with(vec![place(Index::Findings, "follow", "b")], "one")).await;
    assert_eq!(listed(Index::Findings, "follow").await, [entry("one")]);
    assert_eq!(listed(Index::Tenants, "follow").await, [], "the other index");
    let both =
        vec![place(Index::Tenants, "follow", "t"), place(Index::Findings, "follow too", "b")];
    put(records, with(both.clone(), "two")).await;
    assert_eq!(listed(Index::Findings, "follow").await, [], "the entry moved away");
    assert_eq!(listed(Index::Findings, "follow too").await, [entry("two")]);
    assert_eq!(listed(Index::Tenants, "follow").await, [entry("two")]);
    put(records, with(both, "three")).await;
    assert_eq!(listed(Index::Tenants, "follow").await, [entry("three")], "the row as it stands");
    let failed = Batch::new()
        .put(with(vec![], "never"), Condition::Always)
        .check(Key::new(pk, "nobody"), Condition::Revision(1));
    assert!(records.commit(failed).await.is_err());
    assert_eq!(listed(Index::Tenants, "follow").await, [entry("three")], "a failed batch");
    put(records, with(vec![place(Index::Tenants, "follow", "t")], "four")).await;
    assert_eq!(listed(Index::Findings, "follow too").await, [], "the row named no key any more");
    records.commit(Batch::new().delete(Key::new(pk, "1"), Condition::Always)).await.unwrap();
    assert_eq!(listed(Index::Tenants, "follow").await, [], "the row is gone");
}

/// Index questions take the same ranges as others, over the index's own keys.
pub async fn index_ranges(records: &dyn Records) {
    let partition = "index ranges";
    let rows = TRICKY.iter().enumerate().map(|(number, sk)| Record {
        indexes: vec![place(Index::Findings, partition, sk)],
        ..row(&format!("index ranges {}", number % 3), &format!("{}", 90 - number), 1, *sk)
    });
    put_all(records, rows.collect()).await;
    for near in ["index range", "index ranges\u{1}", "index rangess"] {
        let indexes = vec![place(Index::Findings, near, "A")];
        put(records, Record { indexes, ..row("index ranges, near", near, 1, near) }).await;
    }
    for range in tricky_ranges() {
        for (descending, limit) in [(false, usize::MAX), (true, usize::MAX), (false, 3), (true, 3)]
        {
            let mut expected: Vec<&str> = TRICKY.into_iter().filter(|sk| range.holds(sk)).collect();
            expected.sort_unstable();
            if descending {
                expected.reverse();
            }
            let range = range.clone();
            let query = IndexQuery {
                range,
                limit,
                descending,
                ..index_question(Index::Findings, partition)
            };
            let found = in_index(records, query.clone()).await;
            let found: Vec<&[u8]> = found.iter().map(|row| row.body.as_slice()).collect();
            let expected: Vec<&[u8]> = expected.into_iter().map(str::as_bytes).collect();
            assert_eq!(found, expected, "{query:?}");
        }
    }
}

/// Many rows with one index key are paged without loss and without doubles.
pub async fn index_pages_tell_rows_of_one_sort_key_apart(records: &dyn Records) {
    let partition = "one sort key";
    let mut rows = Vec::new();
    for number in 0..60 {
        let sk = ["same", "same", "same too"][number % 3];
        let pk = format!("one sort key {}", number % 4);
        let indexes = vec![place(Index::Tenants, partition, sk)];
        rows.push(Record { indexes, ..row(&pk, &format!("{number:02}"), 1, "x") });
    }
    put_all(records, rows.clone()).await;
    rows.sort_by_key(|row| (row.indexes[0].sk.clone(), row.key.clone()));
    for limit in [1, 7, 40, 60] {
        for descending in [false, true] {
            let query =
                IndexQuery { limit, descending, ..index_question(Index::Tenants, partition) };
            let mut found = in_index(records, query).await;
            if descending {
                found.reverse();
            }
            assert_eq!(found, rows, "pages of {limit}");
        }
    }
    // Pages of an index are limited in bytes as well.
    let heavy: Vec<Record> = (0..5)
        .map(|number| Record {
            indexes: vec![place(Index::Tenants, "heavy index", "same")],
            ..row("heavy index", &format!("{number}"), 1, vec![b'x'; 350 * 1024])
        })
        .collect();
    put_all(records, heavy.clone()).await;
    let page = records.query_index(&index_question(Index::Tenants, "heavy index")).await.unwrap();
    assert!(page.records.iter().map(Record::size).sum::<usize>() <= MAX_PAGE_BYTES);
    assert!(page.next.is_some(), "five rows of 350 KB are more than a page");
    let found = in_index(records, index_question(Index::Tenants, "heavy index")).await;
    assert_eq!(found, heavy);
}

/// A row past its time still counts for conditions; readers filter, the port does not.
pub async fn expired_rows_stand_until_they_are_taken_away(records: &dyn Records) {
    let pk = "expired";
    let old = Record { expires_at: Some(1), ..row(pk, "1", 1, "old") };
    put(records, old.clone()).await;
    // Stores that take such rows away do so in their own time; here nobody asked them to.
    assert_eq!(records.get(&old.key).await, Ok(Some(old.clone())));
    let told = records.commit(Batch::new().put(old.clone(), Condition::Absent)).await;
    assert_eq!(told, Err(CommitError::Condition { failed: vec![0] }));
    let new = Record { revision: 2, expires_at: None, ..old };
    let batch = Batch::new().put(new.clone(), Condition::Revision(1));
    records.commit(batch).await.unwrap();
    assert_eq!(records.get(&new.key).await, Ok(Some(new)));
}

/// Of many writers at one time exactly one wins each round; calls run side by side in one task.
pub async fn races(records: &dyn Records) {
    for round in 0..ROUNDS {
        let writers = (0..WRITERS).map(|writer| contend(records, "race", round, writer));
        let won = join_all(writers).await.into_iter().filter(|won| *won).count();
        assert_eq!(won, 1, "round {round}: writers of one new row");
        join_all((0..WRITERS).map(|_| count_up(records, "race"))).await;
    }
    assert_counted(records, "race").await;
}

/// As [`races`], on threads; for adapters that need no runtime.
pub fn races_on_threads(records: &dyn Records) {
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn(move || {
                    let mut won = 0;
                    for round in 0..ROUNDS {
                        won += u64::from(block_on(contend(records, "threads", round, writer)));
                        block_on(count_up(records, "threads"));
                    }
                    won
                })
            })
            .collect();
        let won: u64 = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
        assert_eq!(won, ROUNDS, "each new row has one writer");
    });
    block_on(assert_counted(records, "threads"));
}

/// Tries to be the one who makes a row; a row of the writer's own says who did.
async fn contend(records: &dyn Records, pk: &str, round: u64, writer: u64) -> bool {
    let who = format!("{writer:02}");
    let batch = Batch::new()
        .put(row(pk, &format!("round {round:03}"), 1, who.as_str()), Condition::Absent)
        .put(row(pk, &format!("win {round:03} {who}"), 1, "x"), Condition::Absent);
    match records.commit(batch).await {
        Ok(()) => true,
        Err(CommitError::Condition { failed }) => {
            assert_eq!(failed, [0], "the writer's own row was never written before");
            false
        }
        Err(CommitError::Port(error)) => panic!("{error}"),
    }
}

/// Counts one up, as often as somebody else was faster.
async fn count_up(records: &dyn Records, pk: &str) {
    let key = Key::new(pk, "counter");
    loop {
        let before = records.get(&key).await.unwrap();
        let (revision, condition) = match before {
            None => (1, Condition::Absent),
            Some(row) => (row.revision + 1, Condition::Revision(row.revision)),
        };
        let next = row(pk, "counter", revision, revision.to_string());
        match records.commit(Batch::new().put(next, condition)).await {
            Ok(()) => return,
            Err(CommitError::Condition { .. }) => {}
            Err(CommitError::Port(error)) => panic!("{error}"),
        }
    }
}

async fn assert_counted(records: &dyn Records, pk: &str) {
    let counter = records.get(&Key::new(pk, "counter")).await.unwrap().unwrap();
    assert_eq!(counter.revision, ROUNDS * WRITERS, "no count is lost and none is double");
    assert_eq!(counter.body, counter.revision.to_string().as_bytes());
    let wins = read_all(records, Query::prefix(pk, "win ")).await.unwrap();
    assert_eq!(wins.len() as u64, ROUNDS, "the losers wrote nothing");
}
