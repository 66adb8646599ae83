//! The audit is a chain: whatever is done to a stored entry, the check names it.

use futures::executor::block_on;
use jiff::{SignedDuration, Timestamp};
use plumbline_operations::{Actor, AuditEntry, Damage, record_as_json};
use plumbline_ports::{Batch, Condition, Record};
use plumbline_tests::stage::{Stage, must};
use serde_json::{Value, json};

/// A workspace with an audit of eight entries over three months.
fn told() -> Stage {
    let stage = Stage::new();
    let actor = Actor::new("eve").by("local").from("192.0.2.7");
    for (nth, name) in ["a", "b", "c", "d", "e", "f", "g"].into_iter().enumerate() {
        if nth % 3 == 2 {
            stage.clock.advance(SignedDuration::from_hours(24 * 31));
        }
        let facts = plumbline_policy::tenant::TenantFacts::default();
        must(block_on(stage.system.add_tenant(stage.workspace, &actor, name, facts)));
    }
    stage
}

fn entries(stage: &Stage) -> Vec<Record> {
    let mut rows = stage.memory().records.dump();
    rows.retain(|row| row.key.pk.contains("#AUDIT#"));
    rows
}

fn body(record: &Record) -> Value {
    serde_json::from_slice(&record_as_json(&record.body).unwrap()).unwrap()
}

/// The entries as they stand in the store, the oldest first.
fn stored(stage: &Stage) -> Vec<AuditEntry> {
    let row = |record: &Record| serde_json::from_value(body(record)["row"].clone()).unwrap();
    entries(stage).iter().map(row).collect()
}

fn put(stage: &Stage, record: &Record, body: &Value) {
    let record = Record { body: body.to_string().into_bytes(), ..record.clone() };
    let batch = Batch::new().put(record, Condition::Always);
    block_on(stage.raw.records.commit(batch)).unwrap();
}

fn damage(stage: &Stage) -> Vec<Damage> {
    must(block_on(stage.system.verify(stage.workspace))).damage
}

/// Every page of the audit, in one list.
fn pages(
    stage: &Stage,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    limit: usize,
) -> Vec<AuditEntry> {
    let (mut out, mut after) = (Vec::new(), None);
    loop {
        let page =
            block_on(stage.system.audit_page(stage.workspace, since, until, after.as_ref(), limit));
        let page = must(page);
        assert!(page.items.len() <= limit);
        out.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return out,
        }
    }
}

#[test]
fn entries_name_the_one_before_them_and_say_from_where() {
    let stage = told();
    let all = stored(&stage);
    assert_eq!(all.len(), 8);
    assert_eq!(all[0].previous, None);
    for pair in all.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1);
        assert_eq!(pair[1].previous, Some(pair[0].digest()));
    }
    assert_eq!(all[7].issuer.as_deref(), Some("local"));
    assert_eq!(all[7].from.as_deref(), Some("192.0.2.7"));
    assert!(all[7].before.is_none() && all[7].after.is_some());
    assert_eq!(damage(&stage), Vec::new());
}

#[test]
fn pages_of_the_audit_are_newest_first_whatever_their_size() {
    let stage = told();
    let mut all = stored(&stage);
    all.reverse();
    for limit in 1..=9 {
        assert_eq!(pages(&stage, None, None, limit), all, "{limit}");
    }
    let (since, until) = (all[5].at, all[1].at);
    let asked: Vec<AuditEntry> =
        all.iter().filter(|one| since <= one.at && one.at < until).cloned().collect();
    assert!(!asked.is_empty() && asked.len() < all.len());
    for limit in [1, 2, 100] {
        assert_eq!(pages(&stage, Some(since), Some(until), limit), asked);
    }
}

#[test]
fn every_changed_member_of_every_entry_is_found() {
    let reference = told();
    let members: Vec<String> =
        body(&entries(&reference)[3])["row"].as_object().unwrap().keys().cloned().collect();
    assert!(members.len() >= 11, "{members:?}");
    for nth in 0..8 {
        for member in &members {
            let stage = told();
            let record = entries(&stage)[nth].clone();
            let mut changed = body(&record);
            let row = &mut changed["row"];
            let other = match &row[member] {
                Value::Number(number) => json!(number.as_u64().unwrap() + 1),
                Value::Null => {
                    json!("0000000000000000000000000000000000000000000000000000000000000000")
                }
                Value::String(text) => {
                    if let Ok(at) = text.parse::<Timestamp>() {
                        json!(at.checked_add(SignedDuration::from_secs(1)).unwrap())
                    } else {
                        let last = if text.ends_with('0') { "1" } else { "0" };
                        json!(format!("{}{last}", &text[..text.len() - 1]))
                    }
                }
                other => panic!("{other}"),
            };
            row[member] = other;
            put(&stage, &record, &changed);
            let sequence = (nth + 1).to_string();
            let found = damage(&stage);
            assert!(
                found.iter().any(|one| one.what.contains("audit entr")
                    && (one.what.contains(&sequence) || one.reason.contains(&sequence))),
                "{member} of {sequence}: {found:?}"
            );
        }
    }
}

#[test]
fn missing_and_extra_entries_are_found() {
    for nth in 0..8 {
        let stage = told();
        let record = entries(&stage)[nth].clone();
        let batch = Batch::new().delete(record.key.clone(), Condition::Always);
        block_on(stage.raw.records.commit(batch)).unwrap();
        let found = damage(&stage);
        assert!(
            found.iter().any(|one| one.what == format!("the audit entry {}", nth + 1)
                && one.reason.starts_with("missing")),
            "{nth}: {found:?}"
        );
    }
    // One more at the end, made as it should be, but without the head.
    let stage = told();
    let record = entries(&stage)[7].clone();
    let last = stored(&stage);
    let mut extra = body(&record);
    extra["row"]["sequence"] = json!(9);
    extra["row"]["previous"] = json!(last[7].digest());
    let mut at = record.clone();
    at.key.sk = "000000000009".to_owned();
    put(&stage, &at, &extra);
    let found = damage(&stage);
    assert!(found.iter().any(|one| one.what.contains("audit entry 9")), "{found:?}");
    // Two that changed places.
    let stage = told();
    let rows = entries(&stage);
    let (one, other) = (body(&rows[2]), body(&rows[1]));
    put(&stage, &rows[2], &other);
    put(&stage, &rows[1], &one);
    let found = damage(&stage);
    assert!(found.iter().any(|one| one.what.contains("000000000002")), "{found:?}");
}

#[test]
fn a_changed_or_lost_head_is_found() {
    for (member, other) in [
        ("sequence", json!(7)),
        ("sequence", json!(9)),
        ("digest", json!("0000000000000000000000000000000000000000000000000000000000000000")),
        ("at", json!("2027-01-01T00:00:00Z")),
    ] {
        let stage = told();
        let mut rows = stage.memory().records.dump();
        rows.retain(|row| row.key.sk == "AUDIT_HEAD");
        let mut changed = body(&rows[0]);
        changed["row"][member] = other;
        put(&stage, &rows[0], &changed);
        assert!(!damage(&stage).is_empty(), "{member}");
    }
    let stage = told();
    let mut rows = stage.memory().records.dump();
    rows.retain(|row| row.key.sk == "AUDIT_HEAD");
    let batch = Batch::new().delete(rows[0].key.clone(), Condition::Always);
    block_on(stage.raw.records.commit(batch)).unwrap();
    assert_eq!(damage(&stage)[0].what, "the head of the audit");
}

#[test]
fn a_clock_that_was_set_back_turns_no_order() {
    let stage = told();
    stage.clock.advance(SignedDuration::from_hours(-24 * 40));
    stage.tenant("later");
    let all = pages(&stage, None, None, 3);
    assert_eq!(all.len(), 9);
    assert!(all[0].at >= all[1].at && all[0].sequence == 9);
    assert_eq!(damage(&stage), Vec::new());
}

#[test]
fn people_who_act_at_the_same_time_are_all_in_the_chain() {
    let stage = Stage::new();
    let (threads, each) = (6, 20);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let stage = &stage;
            scope.spawn(move || {
                for nth in 0..each {
                    let name = format!("{thread} {nth}");
                    let facts = plumbline_policy::tenant::TenantFacts::default;
                    let add = || {
                        block_on(stage.system.add_tenant(
                            stage.workspace,
                            &stage.actor,
                            &name,
                            facts(),
                        ))
                    };
                    // So many at once may be in each other's way longer than one tries.
                    while let Err(error) = add() {
                        assert!(error.is_retryable(), "{error}");
                    }
                }
            });
        }
    });
    let all = stored(&stage);
    assert_eq!(all.len(), 1 + threads * each);
    assert_eq!(damage(&stage), Vec::new());
}
