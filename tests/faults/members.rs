//! Members at once: whatever two owners do to each other, one owner is left.

use futures::executor::block_on;
use plumbline_governance::access::MemberRole;
use plumbline_governance::ids::WorkspaceId;
use plumbline_operations::{Actor, OperationError, Person, System};
use plumbline_testkit::faults::Fault;
use plumbline_tests::stage::{Stage, must};

#[derive(Clone, Copy, Debug)]
enum Step {
    Remove,
    Demote,
}

impl Step {
    async fn take(
        self,
        system: &System,
        workspace: WorkspaceId,
        by: &str,
        from: &str,
    ) -> Result<(), OperationError> {
        let actor = Actor::new(by);
        match self {
            Self::Remove => system.remove_member(workspace, &actor, &person(from), None).await,
            Self::Demote => {
                let role = MemberRole::Viewer;
                system
                    .set_member(workspace, &actor, &person(from), role.into(), None)
                    .await
                    .map(drop)
            }
        }
    }
}

fn person(name: &str) -> Person {
    Person { issuer: "local".to_owned(), subject: name.to_owned() }
}

#[test]
fn two_owners_that_take_each_other_out_leave_one() {
    for (first, second) in [Step::Remove, Step::Demote]
        .into_iter()
        .flat_map(|first| [Step::Remove, Step::Demote].map(|second| (first, second)))
    {
        let mut at = 0;
        loop {
            let stage = Stage::new();
            let workspace = stage.workspace;
            let owner = MemberRole::Owner;
            must(block_on(stage.system.set_member(
                workspace,
                &stage.actor,
                &person("mia"),
                owner.into(),
                None,
            )));
            stage.plan.reset();
            let system = System::new(stage.raw.clone());
            let beside = move || async move {
                // It may be refused.
                let _ = second.take(&system, workspace, "mia", "eve").await;
            };
            stage.plan.at(at, Fault::delay(beside));
            let _ = block_on(first.take(&stage.system, workspace, "eve", "mia"));
            if !stage.plan.has_fired() {
                assert!(at > 2, "only {at} calls");
                break;
            }
            let members = must(block_on(stage.system.members(workspace)));
            let owners = members.iter().filter(|one| one.role == owner).count();
            assert_eq!(owners, 1, "{first:?} and {second:?}, at call {at}: {members:?}");
            at += 1;
        }
    }
}
