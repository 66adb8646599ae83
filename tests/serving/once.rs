//! Requests that are sent twice are done once.

use futures::executor::block_on;
use plumbline_operations::{KeptAnswer, Once, OnceKey, OnceTicket, Person};
use plumbline_policy::digest::Digest;
use plumbline_tests::stage::{Stage, must};

fn person(subject: &str) -> Person {
    Person { issuer: "https://issuer.example".to_owned(), subject: subject.to_owned() }
}

fn answer(body: &[u8]) -> KeptAnswer {
    KeptAnswer {
        status: 202,
        location: Some("/v1/runs/1".to_owned()),
        etag: None,
        body: body.to_vec(),
    }
}

fn begin(stage: &Stage, key: &OnceKey<'_>, request: &str) -> Once {
    must(block_on(stage.system.begin_once(key, Digest::of(request.as_bytes()))))
}

fn first(once: Once) -> OnceTicket {
    match once {
        Once::First(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_request_works_and_those_after_it_get_its_answer() {
    let stage = Stage::new();
    let eve = person("eve");
    for workspace in [Some(stage.workspace), None] {
        let key = OnceKey { workspace, person: &eve, route: "POST /v1/runs", key: "k1" };
        let ticket = first(begin(&stage, &key, "compare"));
        assert_eq!(begin(&stage, &key, "compare"), Once::Busy);
        assert_eq!(begin(&stage, &key, "capture"), Once::Different);
        must(block_on(stage.system.keep_answer(ticket, answer(b"{\"id\":1}"))));
        assert_eq!(begin(&stage, &key, "compare"), Once::Done(answer(b"{\"id\":1}")));
        assert_eq!(begin(&stage, &key, "capture"), Once::Different);
        // Another key, route, person or workspace is another request.
        let bob = person("bob");
        let elsewhere = must(block_on(stage.system.create_workspace(&eve, &stage.actor, "W"))).id;
        for other in [
            OnceKey { key: "k2", ..key },
            OnceKey { route: "POST /v1/tenants", ..key },
            OnceKey { person: &bob, ..key },
            OnceKey { workspace: Some(elsewhere), ..key },
        ] {
            first(begin(&stage, &other, "compare"));
        }
        stage.wait(24 * 3_600);
        first(begin(&stage, &key, "something else, a day later"));
    }
    assert_eq!(must(block_on(stage.system.workspaces_of(&eve, None, 10))).items.len(), 2);
}

#[test]
fn what_nobody_finished_is_taken_over_after_a_minute() {
    let stage = Stage::new();
    let eve = person("eve");
    let workspace = Some(stage.workspace);
    let key = OnceKey { workspace, person: &eve, route: "POST /v1/runs", key: "k1" };
    let slow = first(begin(&stage, &key, "compare"));
    stage.wait(59);
    assert_eq!(begin(&stage, &key, "compare"), Once::Busy);
    stage.wait(1);
    let quick = first(begin(&stage, &key, "compare"));
    must(block_on(stage.system.keep_answer(quick, answer(b"quick"))));
    // The one that was overtaken keeps nothing and takes nothing away.
    must(block_on(stage.system.keep_answer(slow.clone(), answer(b"slow"))));
    must(block_on(stage.system.forget(slow)));
    assert_eq!(begin(&stage, &key, "compare"), Once::Done(answer(b"quick")));
}

#[test]
fn a_request_that_was_not_done_may_come_again() {
    let stage = Stage::new();
    let eve = person("eve");
    let key = OnceKey { workspace: None, person: &eve, route: "POST /v1/workspaces", key: "k1" };
    let ticket = first(begin(&stage, &key, "make"));
    must(block_on(stage.system.forget(ticket)));
    first(begin(&stage, &key, "make it otherwise"));
}

#[test]
fn answers_of_any_size_and_form_come_back() {
    let stage = Stage::new();
    let eve = person("eve");
    let large: Vec<u8> = (0_u64..100_000).flat_map(|n| (n * n).to_string().into_bytes()).collect();
    for (key, body) in [("bytes", vec![0, 255, 128, 7]), ("large", large), ("none", Vec::new())] {
        let workspace = Some(stage.workspace);
        let key = OnceKey { workspace, person: &eve, route: "GET /v1/x", key };
        let ticket = first(begin(&stage, &key, "x"));
        must(block_on(stage.system.keep_answer(ticket, answer(&body))));
        assert_eq!(begin(&stage, &key, "x"), Once::Done(answer(&body)));
    }
    let options = |delete| plumbline_operations::CollectOptions {
        delete,
        ..plumbline_operations::CollectOptions::default()
    };
    let collect = |delete| must(block_on(stage.system.collect(stage.workspace, options(delete))));
    let kept = collect(true);
    assert_eq!((kept.kept.objects, kept.doomed.objects), (1, 0), "the large one is an object");
    stage.wait(25 * 3_600);
    assert_eq!(collect(true).doomed.objects, 1);
    stage.wait(49 * 3_600);
    assert_eq!(collect(true).deleted.objects, 1);
    // What belongs to no workspace has no room for large ones.
    let key = OnceKey { workspace: None, person: &eve, route: "GET /v1/x", key: "own" };
    let ticket = first(begin(&stage, &key, "x"));
    assert!(block_on(stage.system.keep_answer(ticket, answer(&vec![b'x'; 200_000]))).is_err());
}

#[test]
fn of_many_at_once_one_is_the_first() {
    let stage = Stage::new();
    let eve = person("eve");
    let workspace = Some(stage.workspace);
    let key = OnceKey { workspace, person: &eve, route: "POST /v1/runs", key: "k1" };
    let firsts: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| usize::from(matches!(begin(&stage, &key, "x"), Once::First(_))))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(firsts, 1);
}
