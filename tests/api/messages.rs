//! The isolation matrix's rows of messages: what a message of one workspace names of another is not there
//! for it, and nothing of the other is read or written (reliability 2.2).

use crate::world::{Holding, World};
use jiff::Timestamp;
use jiff::civil::Date;
use plumbline_governance::ids::{RunId, TenantId, WorkspaceId};
use plumbline_governance::run::RunType;
use plumbline_operations::{Actor, Handled, Work};
use plumbline_ports::{Clock as _, Outgoing, QueueName};
use plumbline_tests::stage::must;

/// What a message names.
#[derive(Clone, Copy)]
struct Named {
    workspace: WorkspaceId,
    tenant: TenantId,
    run: RunId,
}

/// Every kind of message.
const KINDS: [&str; 2] = ["run", "night"];
const RUN_TYPES: [RunType; 4] = [
    RunType::InventoryImport,
    RunType::BaselineCapture,
    RunType::BaselineCompare,
    RunType::Renormalise,
];

/// The row of a message. A new kind does not compile until it has one, and one that is not among the
/// messages below fails the test.
fn row(work: &Work) -> &'static str {
    match work {
        Work::Run { run_type, .. } => match run_type {
            RunType::InventoryImport
            | RunType::BaselineCapture
            | RunType::BaselineCompare
            | RunType::Renormalise => KINDS[0],
        },
        Work::Night { .. } => KINDS[1],
    }
}

/// One message of every kind and of every type of run.
fn messages(named: Named, now: Timestamp) -> Vec<Work> {
    let Named { workspace, tenant, run } = named;
    let mut out: Vec<Work> =
        RUN_TYPES.map(|run_type| Work::Run { workspace, tenant, run, run_type }).into();
    out.push(Work::Night { workspace, tenant, date: Date::constant(2026, 3, 1), due: now });
    for kind in KINDS {
        assert!(out.iter().any(|work| row(work) == kind), "{kind} has no message");
    }
    out
}

/// Sends a message and has it done.
fn done(world: &World, work: &Work) -> Handled {
    let outgoing = Outgoing { group: work.workspace().to_string(), body: work.to_message() };
    let queue = work.queue();
    world.runtime.block_on(async {
        assert!(must(world.stage.raw.queue.send(queue, vec![outgoing]).await).is_empty());
        let mut handled = must(world.system().work(queue, 10).await);
        assert_eq!(handled.len(), 1, "{work:?}");
        handled.remove(0)
    })
}

/// Every row and object of a workspace.
fn held(world: &World, workspace: WorkspaceId) -> Vec<String> {
    let of = |text: &String| text.contains(&workspace.to_string());
    let stores = world.stage.memory();
    let rows = stores.records.dump();
    let rows = rows.iter().map(|row| format!("{} {} {:?}", row.key, row.revision, row.body));
    let objects = stores.objects.keys();
    rows.chain(objects.iter().map(|key| format!("{key:?}"))).filter(of).collect()
}

struct Case {
    world: World,
    north: Holding,
    south: Holding,
}

impl Case {
    fn new() -> Self {
        let world = World::new();
        let (north, south) = (world.holding("olga"), world.holding("sven"));
        Self { world, north, south }
    }

    /// Has every message done, and answers what became of each. Nothing of the south is touched.
    fn all(&self, named: Named) -> Vec<(Work, Handled)> {
        let (world, south) = (&self.world, self.south.workspace);
        let before = held(world, south);
        assert!(before.len() > 20, "the south holds something");
        let mut out = Vec::new();
        for work in messages(named, world.clock.now()) {
            world.stage.plan.reset();
            let handled = done(world, &work);
            let calls = world.stage.plan.calls();
            assert!(!calls.is_empty());
            for call in calls {
                assert!(!call.what.contains(&south.to_string()), "{work:?}: {call:?}");
            }
            out.push((work, handled));
        }
        assert_eq!(held(world, south), before);
        out
    }

    /// Messages of the north that name things it does not have: nothing is done, and nothing is left.
    fn nothing(&self, tenant: TenantId, run: RunId) {
        let north = self.north.workspace;
        let before = held(&self.world, north);
        for (work, handled) in self.all(Named { workspace: north, tenant, run }) {
            assert!(matches!(handled, Handled::Nothing), "{work:?}: {handled:?}");
        }
        assert_eq!(held(&self.world, north), before);
    }
}

fn unknown<T: std::str::FromStr<Err: std::fmt::Debug>>(prefix: &str) -> T {
    format!("{prefix}_0190a5c2f0b07c3e8d1f4b6a9c0d2e11").parse().unwrap()
}

#[test]
fn a_tenant_and_a_run_of_another_workspace() {
    let case = Case::new();
    case.nothing(case.south.first, case.south.run);
}

#[test]
fn a_tenant_of_another_workspace_with_a_run_of_ones_own() {
    let case = Case::new();
    case.nothing(case.south.first, case.north.run);
}

/// A night of a tenant of one's own is one's own night, so only runs are asked for here.
#[test]
fn a_run_of_another_workspace_of_a_tenant_of_ones_own() {
    let case = Case::new();
    let named =
        Named { workspace: case.north.workspace, tenant: case.north.first, run: case.south.run };
    for (work, handled) in case.all(named) {
        let is_night = matches!(work, Work::Night { .. });
        assert!(is_night || matches!(handled, Handled::Nothing), "{work:?}: {handled:?}");
    }
}

#[test]
fn ids_that_nothing_has() {
    let case = Case::new();
    case.nothing(unknown("ten"), unknown("run"));
    let named = Named { workspace: unknown("wsp"), tenant: case.south.first, run: case.south.run };
    for (work, handled) in case.all(named) {
        assert!(matches!(handled, Handled::Nothing), "{work:?}: {handled:?}");
    }
}

#[test]
fn a_tenant_that_was_put_away() {
    let case = Case::new();
    let (world, north) = (&case.world, &case.north);
    let (system, actor) = (world.system(), Actor::new("olga"));
    let queued = world.runtime.block_on(async {
        let started = must(system.start_compare(north.workspace, &actor, north.first).await);
        must(system.archive_tenant(north.workspace, &actor, north.first, None).await);
        started.run.id
    });
    for queue in QueueName::ALL {
        for handled in world.runtime.block_on(system.work(queue, 10)).unwrap() {
            let is_over = match &handled {
                Handled::Ended(run) => run.outcome().as_str() != "succeeded",
                other => matches!(other, Handled::Nothing),
            };
            assert!(is_over, "{handled:?}");
        }
    }
    let named = Named { workspace: north.workspace, tenant: north.first, run: queued };
    for (work, handled) in case.all(named) {
        match handled {
            Handled::Nothing => {}
            Handled::Ended(run) => assert_ne!(run.outcome().as_str(), "succeeded", "{work:?}"),
            other => panic!("{work:?}: {other:?}"),
        }
    }
}

/// The control: the same messages of what is one's own are done.
#[test]
fn what_is_ones_own_is_done() {
    let case = Case::new();
    let (world, north) = (&case.world, &case.north);
    world.clock.advance_seconds(60);
    let actor = Actor::new("olga");
    let start = world.system().start_compare(north.workspace, &actor, north.second);
    must(world.runtime.block_on(start));
    let mut handled = must(world.runtime.block_on(world.system().work(QueueName::Compare, 10)));
    let night = Work::Night {
        workspace: north.workspace,
        tenant: north.second,
        date: Date::constant(2026, 3, 1),
        due: world.clock.now(),
    };
    world.stage.plan.reset();
    handled.push(done(world, &night));
    assert_eq!(handled.len(), 2);
    for one in handled {
        let Handled::Ended(run) = one else { panic!("{one:?}") };
        assert_eq!(run.outcome().as_str(), "succeeded", "{run:?}");
    }
    let of_north = north.workspace.to_string();
    assert!(world.stage.plan.calls().iter().any(|call| call.what.contains(&of_north)));
}
