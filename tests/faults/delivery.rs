//! Messages that come twice, late, out of order, damaged or not at all.

use futures::executor::block_on;
use plumbline_governance::run::{ReasonCode, RunType};
use plumbline_operations::{Handled, MESSAGE_VERSION, System, Work};
use plumbline_ports::{Key, Outgoing, QueueName};
use plumbline_testkit::faults::{Call, Fault};
use plumbline_tests::check::{assert_whole, body_of, pending_runs, unrest};
use plumbline_tests::policies::{FEATURE, many};
use plumbline_tests::stage::{Stage, must};

const TYPES: &[&str] = &[FEATURE];

pub(crate) fn send(stage: &Stage, queue: QueueName, body: &str) {
    let message = Outgoing { group: stage.workspace.to_string(), body: body.to_owned() };
    must(block_on(stage.raw.queue.send(queue, vec![message])));
}

fn reason(
    stage: &Stage,
    tenant: plumbline_governance::ids::TenantId,
) -> (String, Option<ReasonCode>) {
    let run = must(block_on(stage.system.runs(stage.workspace, tenant, 1))).remove(0);
    (run.outcome().as_str().to_owned(), run.failure().map(|failure| failure.reason_code))
}

#[test]
fn f06_a_message_that_comes_twice() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(4, 0));
    stage.import(tenant, &many(4, 1));
    let started = must(stage.start_compare(tenant));
    let work = Work::Run {
        workspace: stage.workspace,
        tenant,
        run: started.run.id,
        run_type: RunType::BaselineCompare,
    };
    stage.drain();
    let before = stage.view();
    let rows = stage.dump();
    for _ in 0..3 {
        send(&stage, QueueName::Compare, &work.to_message());
    }
    let handled = must(block_on(stage.system.work(QueueName::Compare, 10)));
    assert!(handled.iter().all(|one| matches!(one, Handled::Nothing)), "{handled:?}");
    assert_eq!(stage.view(), before);
    assert_eq!(stage.dump(), rows, "a second delivery writes nothing");
    assert!(stage.memory().queue.is_empty(QueueName::Compare));
}

#[test]
fn f06_a_night_that_comes_twice() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(4, 0));
    stage.schedule("02:00", "UTC");
    stage.wait(26 * 3_600);
    must(stage.tick());
    stage.drain();
    let date = must(block_on(stage.system.nights(stage.workspace)))[0].clone();
    let work = Work::Night { workspace: stage.workspace, tenant, date: date.date, due: date.due };
    let rows = stage.dump();
    for _ in 0..2 {
        send(&stage, QueueName::Compare, &work.to_message());
    }
    stage.drain();
    assert_eq!(stage.dump(), rows);
}

#[test]
fn f08_an_older_night_after_a_newer_one() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(4, 0));
    stage.schedule("02:00", "UTC");
    stage.wait(26 * 3_600);
    let call = |call: &Call| call.op == "send messages";
    // The first night's message stays away; the second night is done.
    stage.plan.next(call, Fault::Fail);
    let _ = stage.tick();
    let first = must(block_on(stage.system.nights(stage.workspace)))[0].clone();
    stage.wait(24 * 3_600);
    must(stage.tick());
    stage.drain();
    let view = stage.view();
    let work = Work::Night { workspace: stage.workspace, tenant, date: first.date, due: first.due };
    send(&stage, QueueName::Compare, &work.to_message());
    stage.drain();
    let id = plumbline_governance::ids::RunId::scheduled(
        stage.workspace,
        tenant,
        RunType::BaselineCompare,
        first.date,
        first.due,
    );
    let run = must(block_on(stage.system.run(stage.workspace, tenant, id)));
    let failure = run.failure().expect("a reason");
    // It may have been given up before the message came; it never counts as a compare.
    assert!(
        matches!(failure.reason_code, ReasonCode::Superseded | ReasonCode::NoDelivery),
        "{failure:?}"
    );
    assert_eq!(stage.view().tenants[&tenant].findings, view.tenants[&tenant].findings);
    assert_whole(&stage, "f08");
}

#[test]
fn f09_a_message_that_is_lost() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(4, 0));
    stage.plan.next(|call| call.op == "send messages", Fault::Fail);
    let started = must(stage.start_compare(tenant));
    stage.wait(3 * 60);
    let ticked = must(stage.tick());
    assert_eq!(ticked.sent_again, 1);
    stage.drain();
    assert_eq!(stage.run(tenant, &started).outcome().as_str(), "succeeded");
}

#[test]
fn f09_a_message_that_never_comes() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(4, 0));
    let started = must(stage.start_compare(tenant));
    // No worker is there, for hours.
    for _ in 0..8 {
        stage.wait(3_600);
        must(stage.tick());
    }
    let run = stage.run(tenant, &started);
    assert_eq!(run.outcome().as_str(), "failed");
    let failure = run.failure().expect("a reason");
    assert_eq!(failure.reason_code, ReasonCode::NoDelivery);
    assert!(failure.message.contains("compare or capture again"), "{}", failure.message);
    // The late messages do nothing, and the next compare is not held up.
    stage.drain();
    let next = stage.compare(tenant);
    assert_eq!(next.outcome().as_str(), "succeeded", "{:?}", next.failure());
    stage.settle();
    assert_eq!(unrest(&stage), Vec::<String>::new());
}

/// A tick reads what is due and nothing else, however much is watched.
#[test]
fn a_tick_reads_only_what_is_due() {
    let stage = Stage::new();
    let (_, tenant, profile) = stage.governed(TYPES, &many(3, 0));
    let mut tenants = vec![tenant];
    for name in ["two", "three"] {
        let more = stage.tenant(name);
        stage.import(more, &many(3, 0));
        stage.assign(more, profile);
        tenants.push(more);
    }
    stage.settle();
    for tenant in &tenants {
        must(stage.start_compare(*tenant));
    }
    // This one adds up what is shown.
    must(stage.tick());
    stage.plan.reset();
    must(stage.tick());
    assert_eq!(stage.plan.count(), 3, "due of nights, of the outbox and of overviews: nothing");

    // Of a night, only those are watched on whose part is not over.
    stage.settle();
    stage.schedule("02:00", "UTC");
    let day = 86_400;
    stage.wait(day - stage.second().rem_euclid(day) + 2 * 3_600);
    assert_eq!(must(stage.tick()).started.len(), 1);
    let kept = must(block_on(stage.raw.queue.receive(
        QueueName::Compare,
        1,
        std::time::Duration::from_hours(10),
    )));
    assert_eq!(stage.drain().len(), 2);
    stage.wait(31 * 60);
    assert_eq!(must(stage.tick()).sent_again, 1);
    let watched = || {
        let rows = stage.dump().into_iter().filter(|row| row.key.pk.starts_with("OUTBOX"));
        let bodies: Vec<_> = rows.map(|row| body_of(&row).expect("JSON")).collect();
        bodies.iter().map(|one| one["row"]["what"]["tenants"].clone()).collect::<Vec<_>>()
    };
    let left = watched();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].as_array().map(Vec::len), Some(1), "{left:?}");
    assert!(kept[0].body.contains(left[0][0].as_str().expect("a tenant")));
    stage.drain();
    stage.settle();
    assert_eq!(watched(), Vec::<serde_json::Value>::new());
}

#[test]
fn f13_messages_that_are_none() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(4, 0));
    let other = Stage::new();
    let foreign = other.tenant("theirs");
    let id = |text: &str| format!("{text}_{:032}", 7);
    let run = format!(
        r#"{{"v":1,"kind":"run","workspace":"{}","tenant":"{}","run":"{}","run_type":"baseline_compare"}}"#,
        stage.workspace,
        tenant,
        id("run")
    );
    let bad = [
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "\u{7f}".to_owned(),
        r#"{"v":1}"#.to_owned(),
        r#"{"v":-1,"kind":"run"}"#.to_owned(),
        r#"{"v":1,"kind":"unknown"}"#.to_owned(),
        r#"{"v":1.5,"kind":"run"}"#.to_owned(),
        run.replace("wsp_", "ten_"),
        run.replace(&tenant.to_string(), &tenant.to_string().to_uppercase()),
        run.replace(&tenant.to_string(), "ten_../../x"),
        format!("{}{}", "[".repeat(30_000), "]".repeat(30_000)),
        format!(r#"{{"v":1,"pad":"{}"}}"#, "x".repeat(60_000)),
    ];
    let mut buried = 0;
    for body in &bad {
        send(&stage, QueueName::Compare, body);
        for handled in must(block_on(stage.system.work(QueueName::Compare, 10))) {
            let Handled::Buried(why) = handled else { panic!("{body:.60}: {handled:?}") };
            assert!(why.starts_with("the message cannot be read"), "{why}");
            buried += 1;
        }
    }
    assert_eq!(buried, bad.len());
    // What names a run that is not there, or a foreign tenant, is done with at once.
    send(&stage, QueueName::Compare, &run);
    send(&stage, QueueName::Compare, &run.replace(&tenant.to_string(), &foreign.to_string()));
    let handled = must(block_on(stage.system.work(QueueName::Compare, 10)));
    assert!(handled.iter().all(|one| matches!(one, Handled::Nothing)), "{handled:?}");
    let letters = must(block_on(stage.system.bury_dead(QueueName::Compare)));
    assert_eq!(letters.len(), bad.len());
    assert_eq!(pending_runs(&stage), Vec::<String>::new());
    let huge = Outgoing { group: "g".to_owned(), body: "x".repeat(64 * 1024 + 1) };
    assert!(block_on(stage.raw.queue.send(QueueName::Compare, vec![huge])).is_err());
}

#[test]
fn f14_dead_letters_end_their_runs_also_twice() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(4, 0));
    let started = must(stage.start_compare(tenant));
    // Delivered, and never settled: the worker dies each time.
    for _ in 0..6 {
        must(block_on(stage.raw.queue.receive(
            QueueName::Compare,
            10,
            std::time::Duration::from_mins(1),
        )));
        stage.wait(61);
    }
    let letters =
        |stage: &Stage| must(block_on(stage.raw.queue.dead_letters(QueueName::Compare, 10))).len();
    assert_eq!(letters(&stage), 1);
    for fault in [Fault::Fail, Fault::LoseReply] {
        stage.plan.next(|call| call.op == "forget a dead letter", fault);
        assert!(block_on(stage.system.bury_dead(QueueName::Compare)).is_err());
        let run = stage.run(tenant, &started);
        assert_eq!(reason(&stage, tenant), ("failed".to_owned(), Some(ReasonCode::PoisonMessage)));
        assert!(run.is_completed());
    }
    must(block_on(stage.system.bury_dead(QueueName::Compare)));
    assert_eq!(letters(&stage), 0);
    assert_whole(&stage, "f14");
}

#[test]
fn f14_a_letter_that_cannot_be_buried_holds_no_other_up() {
    let stage = Stage::new();
    let (_, tenant, profile) = stage.governed(TYPES, &many(4, 0));
    let second = stage.tenant("second");
    stage.import(second, &many(4, 0));
    stage.assign(second, profile);
    let broken = must(stage.start_compare(tenant));
    let sound = must(stage.start_compare(second));
    // The row of the first run is damaged.
    let key =
        Key::new(format!("WS#{}#TEN#{tenant}", stage.workspace), format!("RUN#{}", broken.run.id));
    let mut row = must(block_on(stage.raw.records.get(&key))).expect("a row");
    row.body = b"{\"form\":1,\"row\":{}}".to_vec();
    let batch = plumbline_ports::Batch::new().put(row, plumbline_ports::Condition::Always);
    must(block_on(stage.raw.records.commit(batch)));
    for body in [&broken, &sound].map(|one| {
        Work::Run {
            workspace: stage.workspace,
            tenant: one.run.tenant,
            run: one.run.id,
            run_type: RunType::BaselineCompare,
        }
        .to_message()
    }) {
        send(&stage, QueueName::Compare, &body);
    }
    stage.drain();
    assert_eq!(stage.run(second, &sound).outcome().as_str(), "succeeded");
    for _ in 0..8 {
        stage.wait(20 * 60);
        let _ = stage.tick();
        stage.drain();
        let _ = block_on(stage.system.bury_dead(QueueName::Compare));
    }
    assert!(stage.memory().queue.is_empty(QueueName::Compare), "nothing is tried for ever");
    assert_eq!(must(block_on(stage.raw.queue.dead_letters(QueueName::Compare, 10))).len(), 0);
}

#[test]
fn f15_one_that_fails_holds_no_other_up() {
    let stage = Stage::new();
    let (_, tenant, profile) = stage.governed(TYPES, &many(3, 0));
    let mut tenants = vec![tenant];
    for at in 0..9 {
        let tenant = stage.tenant(&format!("more {at}"));
        stage.import(tenant, &many(3, 0));
        stage.assign(tenant, profile);
        tenants.push(tenant);
    }
    let started: Vec<_> =
        tenants.iter().map(|tenant| (*tenant, must(stage.start_compare(*tenant)))).collect();
    for at in [2, 5, 8] {
        let mark = format!("RUN#{}", started[at].1.run.id);
        let is_meant = move |call: &Call| call.op == "get a record" && call.what.contains(&mark);
        stage.plan.next(is_meant, Fault::Fail);
    }
    let handled = must(block_on(stage.system.work(QueueName::Compare, 10)));
    let again = handled.iter().filter(|one| matches!(one, Handled::Again { .. })).count();
    let ended = handled.iter().filter(|one| matches!(one, Handled::Ended(_))).count();
    assert_eq!((again, ended), (3, 7), "{handled:?}");
    stage.wait(60);
    assert_eq!(stage.drain().len(), 3);
}

#[test]
fn f15_a_message_that_cannot_be_settled_holds_no_other_up() {
    let stage = Stage::new();
    let (_, tenant, profile) = stage.governed(TYPES, &many(3, 0));
    let second = stage.tenant("second");
    stage.import(second, &many(3, 0));
    stage.assign(second, profile);
    must(stage.start_compare(tenant));
    must(stage.start_compare(second));
    stage.plan.next(|call| call.op == "delete a message", Fault::Fail);
    let handled = must(block_on(stage.system.work(QueueName::Compare, 10)));
    assert_eq!(handled.len(), 2, "{handled:?}");
    stage.wait(17 * 60);
    stage.drain();
    assert_eq!(pending_runs(&stage), Vec::<String>::new());
}

#[test]
fn f20_messages_that_are_not_taken() {
    let stage = Stage::new();
    let (_, _, profile) = stage.governed(TYPES, &many(3, 0));
    for at in 0..24 {
        let tenant = stage.tenant(&format!("more {at}"));
        stage.import(tenant, &many(3, 0));
        stage.assign(tenant, profile);
    }
    stage.schedule("02:00", "UTC");
    stage.wait(26 * 3_600);
    for _ in 0..3 {
        stage.plan.next(|call| call.op == "send messages", Fault::TakeHalf);
    }
    // One message of the first ten is left after three tries; the others are not held up.
    let error = stage.tick().expect_err("the trouble is told");
    assert!(error.to_string().contains("1 messages were not taken"), "{error}");
    assert_eq!(stage.drain().len(), 24);
    stage.wait(31 * 60);
    must(stage.tick());
    assert_eq!(stage.drain().len(), 1, "the last one is sent again");
}

#[test]
fn f46_a_message_of_a_newer_program() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(3, 0));
    let started = must(stage.start_compare(tenant));
    let work = Work::Run {
        workspace: stage.workspace,
        tenant,
        run: started.run.id,
        run_type: RunType::BaselineCompare,
    };
    let newer = work
        .to_message()
        .replace(&format!("\"v\":{MESSAGE_VERSION}"), &format!("\"v\":{}", MESSAGE_VERSION + 1))
        .replace("\"kind\":\"run\"", "\"kind\":\"something_new\"");
    stage.drain();
    send(&stage, QueueName::Compare, &newer);
    for _ in 0..40 {
        stage.drain();
        must(block_on(stage.system.bury_dead(QueueName::Compare)));
        stage.wait(3_601);
        let kept = stage.memory().queue.len(QueueName::Compare);
        let dead = must(block_on(stage.raw.queue.dead_letters(QueueName::Compare, 10))).len();
        assert_eq!(kept + dead, 1, "it waits for a program that understands it");
    }
}

#[test]
fn f17_stores_that_are_throttled_for_a_while() {
    for calls in [1, 2, 3, 5, 8, 13, 21] {
        let stage = Stage::new();
        let (_, tenant, _) = stage.governed(TYPES, &many(6, 0));
        stage.import(tenant, &many(6, 2));
        let started = must(stage.start_compare(tenant));
        stage.plan.reset();
        stage.plan.at(calls, Fault::Throttle(calls));
        stage.drain();
        stage.settle();
        let run = stage.run(tenant, &started);
        assert_eq!(run.outcome().as_str(), "succeeded", "{calls}: {:?}", run.failure());
        assert_eq!(stage.findings(tenant).len(), 2, "{calls}");
        assert_whole(&stage, "f17");
    }
}

#[test]
fn f23_small_and_empty_pages() {
    use plumbline_testkit::faults::SmallPages;
    let stage = Stage::new();
    let (_, tenant, profile) = stage.governed(TYPES, &many(30, 0));
    for at in 0..20 {
        let more = stage.tenant(&format!("more {at:02}"));
        stage.import(more, &many(30, 0));
        stage.assign(more, profile);
    }
    stage.import(tenant, &many(30, 11));
    let mut ports = stage.raw.clone();
    ports.records = std::sync::Arc::new(SmallPages::new(ports.records, 2));
    let paged = System::new(ports);
    must(block_on(paged.start_compare(stage.workspace, &stage.actor, tenant)));
    let handled = must(block_on(paged.work(QueueName::Compare, 10)));
    assert!(matches!(handled.as_slice(), [Handled::Ended(_)]), "{handled:?}");
    assert_whole(&stage, "f23");
    assert_eq!(must(block_on(paged.findings(stage.workspace, tenant))).len(), 11);
    assert_eq!(must(block_on(paged.tenants(stage.workspace))).len(), 22);
    assert_eq!(stage.findings(tenant).len(), 11);
    stage.schedule("02:00", "UTC");
    stage.wait(26 * 3_600);
    must(block_on(paged.tick()));
    assert_eq!(stage.drain().len(), 21, "the night holds every tenant");
    let runs = must(block_on(paged.runs(stage.workspace, tenant, 100)));
    assert_eq!(runs, must(block_on(stage.system.runs(stage.workspace, tenant, 100))));
}

#[test]
fn f24_nothing_is_decided_on_an_index() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(6, 0));
    stage.import(tenant, &many(6, 2));
    stage.compare(tenant);
    stage.schedule("02:00", "UTC");
    stage.wait(26 * 3_600);
    let before = stage.plan.calls().len();
    must(stage.tick());
    let after = stage.plan.calls().len();
    stage.drain();
    must(stage.unassign(tenant));
    let calls = stage.plan.calls();
    let by_index = |call: &Call| call.op == "query records by an index";
    assert!(!calls[..before].iter().chain(&calls[after..]).any(by_index));
    // The tick adds up what is shown. It does so at its end, and writes nothing from it but the sums.
    let tick = &calls[before..after];
    let sums = tick.iter().position(by_index).unwrap_or(tick.len());
    let of_sums =
        |call: &Call| ["OVERVIEW", "GROUPS", "TREND"].iter().any(|one| call.what.contains(one));
    let written: Vec<&Call> =
        tick[sums..].iter().filter(|call| call.op == "commit records").collect();
    assert!(!written.is_empty() && written.into_iter().all(of_sums));
}

#[test]
fn f42_a_start_whose_reply_was_lost() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(6, 0));
    for fault in [Fault::CrashAfter, Fault::LoseReply] {
        stage.wait(60);
        stage.plan.next(|call| call.op == "commit records", fault);
        let first = stage.start_compare(tenant);
        stage.plan.restart();
        let second = must(stage.start_compare(tenant));
        assert!(second.was_active, "{first:?}");
        if let Ok(first) = first {
            assert_eq!(first.run.id, second.run.id);
        }
        stage.wait(180);
        stage.settle();
        assert_eq!(stage.run(tenant, &second).outcome().as_str(), "succeeded");
    }
    let runs = must(block_on(stage.system.runs(stage.workspace, tenant, 100)));
    let compares = runs.iter().filter(|run| run.run_type == RunType::BaselineCompare).count();
    assert_eq!(compares, 2, "one run each time");
}
