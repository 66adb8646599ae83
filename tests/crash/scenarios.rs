//! What is swept.

use crate::sweep::{Scenario, sweep};
use futures::executor::block_on;
use jiff::SignedDuration;
use plumbline_governance::access::MemberRole;
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::ids::{FindingId, ProfileId, RunId, TenantId, UploadId};
use plumbline_operations::{KeptAnswer, Once, OnceKey, Person, ReplayOptions, TenantEdit};
use plumbline_policy::digest::Digest;
use plumbline_ports::Clock as _;
use plumbline_tests::policies::{FEATURE, Policies, QUALITY, feature, policies, quality};
use plumbline_tests::stage::{Stage, must};

const TYPES: &[&str] = &[FEATURE, QUALITY];

/// Three feature profiles and two quality profiles.
fn golden() -> Policies {
    policies([
        feature("Ring a", 1, "22H2"),
        feature("Ring b", 2, "23H2"),
        feature("Ring c", 3, "24H2"),
        quality("Fast d", 4, 1),
        quality("Slow e", 5, 5),
    ])
}

/// One changed, one missing, one too many.
fn drifted() -> Policies {
    policies([
        feature("Ring a", 1, "22H2"),
        feature("Ring b", 2, "25H2"),
        quality("Fast d", 4, 1),
        quality("Slow e", 5, 5),
        quality("Extra f", 6, 3),
    ])
}

/// A tenant with three findings, one of them acknowledged.
fn with_findings(stage: &Stage) -> (TenantId, ProfileId) {
    let (_, tenant, profile) = stage.governed(TYPES, &golden());
    stage.import(tenant, &drifted());
    stage.compare(tenant);
    assert_eq!(stage.findings(tenant).len(), 3);
    let id = stage.finding(tenant, "Ring c").finding.id;
    stage.act(tenant, id, &FindingAction::Acknowledge);
    (tenant, profile)
}

#[test]
fn f01_a_crash_in_an_import() {
    sweep(&Scenario {
        name: "the first import",
        setup: |stage: &Stage| stage.tenant("one"),
        call: |stage: &Stage, tenant: &TenantId| {
            stage.try_import(*tenant, &golden(), &plumbline_tests::stage::complete()).map(drop)
        },
        works: false,
    });
    sweep(&Scenario {
        name: "an import over another",
        setup: |stage: &Stage| {
            let tenant = stage.tenant("one");
            stage.import(tenant, &golden());
            tenant
        },
        call: |stage: &Stage, tenant: &TenantId| {
            stage.try_import(*tenant, &drifted(), &plumbline_tests::stage::complete()).map(drop)
        },
        works: false,
    });
}

#[test]
fn f02_a_crash_in_a_capture() {
    sweep(&Scenario {
        name: "the first capture",
        setup: |stage: &Stage| {
            let source = stage.tenant("golden");
            let profile = stage.profile("Gold", TYPES);
            stage.import(source, &golden());
            (source, profile)
        },
        call: |stage: &Stage, (source, profile): &(TenantId, ProfileId)| {
            stage.start_capture(*profile, *source).map(drop)
        },
        works: true,
    });
    sweep(&Scenario {
        name: "a capture of something else",
        setup: |stage: &Stage| {
            let (source, _, profile) = stage.governed(TYPES, &golden());
            stage.import(source, &drifted());
            (source, profile)
        },
        call: |stage: &Stage, (source, profile): &(TenantId, ProfileId)| {
            stage.start_capture(*profile, *source).map(drop)
        },
        works: true,
    });
    sweep(&Scenario {
        name: "a capture of the same",
        setup: |stage: &Stage| {
            let (source, _, profile) = stage.governed(TYPES, &golden());
            (source, profile)
        },
        call: |stage: &Stage, (source, profile): &(TenantId, ProfileId)| {
            stage.start_capture(*profile, *source).map(drop)
        },
        works: true,
    });
}

#[test]
fn f03_a_crash_in_a_compare() {
    let compare =
        |stage: &Stage, (tenant, _): &(TenantId, ProfileId)| stage.start_compare(*tenant).map(drop);
    sweep(&Scenario {
        name: "a compare that finds drift",
        setup: |stage: &Stage| {
            let (_, tenant, profile) = stage.governed(TYPES, &golden());
            stage.import(tenant, &drifted());
            (tenant, profile)
        },
        call: compare,
        works: true,
    });
    sweep(&Scenario {
        name: "a compare that resolves and finds",
        setup: |stage: &Stage| {
            let (tenant, profile) = with_findings(stage);
            let mut fixed = golden();
            fixed.insert("0000".to_owned(), feature("Ring a", 1, "broken"));
            stage.import(tenant, &fixed);
            (tenant, profile)
        },
        call: compare,
        works: true,
    });
    sweep(&Scenario {
        name: "a compare of what did not change",
        setup: |stage: &Stage| {
            let told = with_findings(stage);
            stage.wait(60);
            told
        },
        call: compare,
        works: true,
    });
}

#[test]
fn f05_a_crash_in_a_night() {
    let setup = |stage: &Stage| {
        let (_, tenant, profile) = stage.governed(TYPES, &golden());
        let more = stage.tenant("third");
        stage.import(more, &golden());
        stage.assign(more, profile);
        stage.compare(more);
        stage.schedule("02:00", "Europe/Berlin");
        (tenant, more)
    };
    let night = |stage: &Stage, _: &(TenantId, TenantId)| stage.tick().map(drop);
    sweep(&Scenario {
        name: "a night with drift in one tenant",
        setup: |stage: &Stage| {
            let told = setup(stage);
            stage.import(told.0, &drifted());
            stage.clock.advance(SignedDuration::from_hours(26));
            told
        },
        call: night,
        works: true,
    });
    sweep(&Scenario {
        name: "a night without a change",
        setup: |stage: &Stage| {
            let told = setup(stage);
            stage.compare(told.0);
            stage.clock.advance(SignedDuration::from_hours(26));
            told
        },
        call: night,
        works: true,
    });
    sweep(&Scenario {
        name: "a tick that sends a lost message again",
        setup: |stage: &Stage| {
            let (_, tenant, _) = stage.governed(TYPES, &golden());
            stage.import(tenant, &drifted());
            let call = |call: &plumbline_testkit::faults::Call| call.op == "send messages";
            stage.plan.next(call, plumbline_testkit::faults::Fault::Fail);
            must(stage.start_compare(tenant));
            assert!(stage.drain().is_empty(), "the message was lost");
            stage.wait(3 * 60);
            (tenant, tenant)
        },
        call: night,
        works: true,
    });
}

/// What a person does with the finding of `Ring b`; the finding is brought to `before` first.
fn action(name: &'static str, before: &'static [FindingAction], action: &'static FindingAction) {
    sweep(&Scenario {
        name,
        setup: |stage: &Stage| {
            let (tenant, _) = with_findings(stage);
            let id = stage.finding(tenant, "Ring b").finding.id;
            for one in before {
                stage.act(tenant, id, one);
            }
            (tenant, id)
        },
        call: |stage: &Stage, (tenant, id): &(TenantId, FindingId)| {
            stage.try_act(*tenant, *id, action)
        },
        works: false,
    });
}

#[test]
fn a_crash_in_an_action() {
    fn leak<T>(value: T) -> &'static T {
        Box::leak(Box::new(value))
    }
    let why = || "agreed".to_owned();
    let stage = Stage::new();
    let until = stage.clock.now().checked_add(SignedDuration::from_hours(240)).ok();
    action("acknowledge", &[], &FindingAction::Acknowledge);
    action("close", &[], leak(FindingAction::Close { reason: why() }));
    action("accept", &[], leak(FindingAction::Accept { reason: why(), until: None }));
    action("accept until", &[], leak(FindingAction::Accept { reason: why(), until }));
    action(
        "reopen a closed one",
        leak([FindingAction::Close { reason: why() }]),
        leak(FindingAction::Reopen { reason: why() }),
    );
    action(
        "reopen an accepted one",
        leak([FindingAction::Accept { reason: why(), until: None }]),
        leak(FindingAction::Reopen { reason: why() }),
    );
    action(
        "take an acknowledgement back",
        leak([FindingAction::Acknowledge]),
        leak(FindingAction::Reopen { reason: why() }),
    );
}

#[test]
fn a_crash_in_assignments() {
    sweep(&Scenario {
        name: "unassign",
        setup: with_findings,
        call: |stage: &Stage, (tenant, _): &(TenantId, ProfileId)| stage.unassign(*tenant),
        works: false,
    });
    sweep(&Scenario {
        name: "assign another profile",
        setup: |stage: &Stage| {
            let (tenant, _) = with_findings(stage);
            let source = stage.tenant("source");
            stage.import(source, &golden());
            let other = stage.profile("Silver", TYPES);
            stage.capture(other, source);
            stage.activate(other);
            (tenant, other)
        },
        call: |stage: &Stage, (tenant, other): &(TenantId, ProfileId)| {
            block_on(stage.system.assign(
                stage.workspace,
                &stage.actor,
                *tenant,
                *other,
                None,
                None,
            ))
            .map(drop)
        },
        works: false,
    });
    sweep(&Scenario {
        name: "put a tenant away",
        setup: with_findings,
        call: |stage: &Stage, (tenant, _): &(TenantId, ProfileId)| {
            block_on(stage.system.archive_tenant(stage.workspace, &stage.actor, *tenant, None))
                .map(drop)
        },
        works: false,
    });
}

#[test]
fn a_crash_in_a_change_of_what_is_set_up() {
    sweep(&Scenario {
        name: "rename a tenant",
        setup: with_findings,
        call: |stage: &Stage, (tenant, _): &(TenantId, ProfileId)| {
            let edit = TenantEdit { name: Some("renamed".to_owned()), facts: None };
            block_on(stage.system.edit_tenant(stage.workspace, &stage.actor, *tenant, edit, None))
                .map(drop)
        },
        works: false,
    });
    sweep(&Scenario {
        name: "add a member",
        setup: with_findings,
        call: |stage: &Stage, _: &(TenantId, ProfileId)| {
            let bob = Person { issuer: "local".to_owned(), subject: "bob".to_owned() };
            let change = MemberRole::Operator.into();
            let (system, ws, actor) = (&stage.system, stage.workspace, &stage.actor);
            block_on(system.set_member(ws, actor, &bob, change, None)).map(drop)
        },
        works: false,
    });
    sweep(&Scenario {
        name: "make an overview",
        setup: with_findings,
        call: |stage: &Stage, _: &(TenantId, ProfileId)| {
            block_on(stage.system.refresh_overview(stage.workspace)).map(drop)
        },
        works: false,
    });
}

#[test]
fn a_crash_in_an_upload_and_a_request_that_is_done_once() {
    sweep(&Scenario {
        name: "send a part of an upload",
        setup: |stage: &Stage| {
            let tenant = stage.tenant("sender");
            let start = stage.system.start_upload(stage.workspace, &stage.actor, tenant);
            (tenant, must(block_on(start)).id)
        },
        call: |stage: &Stage, (tenant, id): &(TenantId, UploadId)| {
            let bytes = b"a part".to_vec();
            let put = stage.system.put_part(stage.workspace, *tenant, *id, 1, bytes);
            let whole = block_on(put)?;
            assert_eq!(block_on(stage.system.part_bytes(&whole, 1))?, b"a part");
            Ok(())
        },
        works: false,
    });
    sweep(&Scenario {
        name: "do a request once",
        setup: |_: &Stage| (),
        call: |stage: &Stage, (): &()| {
            let person = Person { issuer: "local".to_owned(), subject: "eve".to_owned() };
            let key = OnceKey {
                workspace: Some(stage.workspace),
                person: &person,
                route: "POST /v1/x",
                key: "k",
            };
            let answer =
                KeptAnswer { status: 201, location: None, etag: None, body: b"done".to_vec() };
            let request = Digest::of(b"x");
            match block_on(stage.system.begin_once(&key, request))? {
                Once::First(ticket) => block_on(stage.system.keep_answer(ticket, answer)),
                Once::Done(kept) => {
                    assert_eq!(kept, answer);
                    Ok(())
                }
                // Whoever comes again within the minute waits for it.
                Once::Busy => {
                    stage.wait(60);
                    let again = block_on(stage.system.begin_once(&key, request))?;
                    assert!(matches!(again, Once::First(_) | Once::Done(_)), "{again:?}");
                    Ok(())
                }
                Once::Different => panic!("it is the same request"),
            }
        },
        works: false,
    });
}

#[test]
fn a_crash_in_a_cancel() {
    sweep(&Scenario {
        name: "cancel",
        setup: |stage: &Stage| {
            let (_, tenant, _) = stage.governed(TYPES, &golden());
            (tenant, must(stage.start_compare(tenant)).run.id)
        },
        call: |stage: &Stage, (tenant, run): &(TenantId, RunId)| {
            block_on(stage.system.cancel_run(stage.workspace, &stage.actor, *tenant, *run))
                .map(drop)
        },
        works: false,
    });
}

#[test]
fn a_crash_in_a_change_of_rules() {
    let aged = |stage: &Stage| {
        let (tenant, _) = with_findings(stage);
        let id = stage.finding(tenant, "Ring b").finding.id;
        let reason = "agreed".to_owned();
        stage.act(tenant, id, &FindingAction::Accept { reason, until: None });
        plumbline_tests::aged::age(&stage.raw, stage.workspace);
        tenant
    };
    sweep(&Scenario {
        name: "renormalise",
        setup: aged,
        call: |stage: &Stage, _: &TenantId| {
            block_on(stage.system.renormalise(stage.workspace, &stage.actor)).map(drop)
        },
        works: false,
    });
    sweep(&Scenario {
        name: "renormalise, then compare",
        setup: aged,
        call: |stage: &Stage, tenant: &TenantId| {
            block_on(stage.system.renormalise(stage.workspace, &stage.actor))?;
            stage.start_compare(*tenant).map(drop)
        },
        works: true,
    });
    sweep(&Scenario {
        name: "replay",
        setup: aged,
        call: |stage: &Stage, _: &TenantId| {
            block_on(stage.system.replay(stage.workspace, &ReplayOptions::default())).map(drop)
        },
        works: false,
    });
}
