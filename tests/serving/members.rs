//! Members that are limited or end, workspaces by person, and changes of what a caller saw.

use futures::executor::block_on;
use jiff::SignedDuration;
use plumbline_governance::access::{MemberChange, MemberRole};
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::profile::ProfileStatus;
use plumbline_operations::{OperationError, Person, ProfileEdit, TenantEdit, WorkspaceEdit};
use plumbline_tests::policies::{FEATURE, many};
use plumbline_tests::stage::{Stage, must};

fn person(subject: &str) -> Person {
    Person { issuer: "https://issuer.example".to_owned(), subject: subject.to_owned() }
}

fn set(stage: &Stage, who: &str, change: MemberChange) -> Result<(), OperationError> {
    block_on(stage.system.set_member(stage.workspace, &stage.actor, &person(who), change, None))
        .map(drop)
}

#[test]
fn a_membership_ends_by_itself() {
    let stage = Stage::new();
    let until = stage.system.now().checked_add(SignedDuration::from_hours(1)).unwrap();
    let change = MemberChange { until: Some(until), ..MemberRole::Operator.into() };
    must(set(&stage, "bob", change.clone()));
    let who = person("bob");
    let member = must(block_on(stage.system.member(stage.workspace, &who))).unwrap();
    assert_eq!(member.until, Some(until));
    let id = member.member_id();
    assert_eq!(must(block_on(stage.system.member_by_id(stage.workspace, &id))), Some(member));
    assert_eq!(must(block_on(stage.system.workspaces_of(&who, None, 10))).items.len(), 1);
    assert_eq!(must(block_on(stage.system.member_page(stage.workspace, None, 10))).items.len(), 2);

    stage.wait(3_600);
    assert_eq!(must(block_on(stage.system.member(stage.workspace, &who))), None);
    assert_eq!(must(block_on(stage.system.member_by_id(stage.workspace, &id))), None);
    assert!(must(block_on(stage.system.workspaces_of(&who, None, 10))).items.is_empty());
    assert_eq!(must(block_on(stage.system.member_page(stage.workspace, None, 10))).items.len(), 1);
    // It may begin again although the row of the old one stands still.
    assert!(set(&stage, "bob", change).unwrap_err().to_string().contains("past"));
    must(set(&stage, "bob", MemberRole::Viewer.into()));
    assert_eq!(must(block_on(stage.system.workspaces_of(&who, None, 10))).items.len(), 1);
}

#[test]
fn the_last_owner_cannot_be_given_an_end() {
    let stage = Stage::new();
    let eve = Person { issuer: "local".to_owned(), subject: "eve".to_owned() };
    let until = stage.system.now().checked_add(SignedDuration::from_hours(1)).ok();
    let change = MemberChange { until, ..MemberRole::Owner.into() };
    let set_eve = |change| {
        block_on(stage.system.set_member(stage.workspace, &stage.actor, &eve, change, None))
    };
    assert!(set_eve(change.clone()).is_err());
    must(set(&stage, "support", change.clone()));
    assert!(set_eve(change.clone()).is_err(), "an owner with an end is no lasting one");
    must(set(&stage, "bob", MemberRole::Owner.into()));
    must(set_eve(change));
}

#[test]
fn a_member_is_limited_to_tenants_that_are_there() {
    let stage = Stage::new();
    let one = stage.tenant("One");
    let other = stage.tenant("Other");
    let limited = |tenants: &[_]| MemberChange {
        tenants: Some(tenants.iter().copied().collect()),
        ..MemberRole::Viewer.into()
    };
    must(set(&stage, "bob", limited(&[one])));
    let member = must(block_on(stage.system.member(stage.workspace, &person("bob")))).unwrap();
    assert!(member.sees(one) && !member.sees(other));
    let absent = plumbline_governance::ids::TenantId::from_custom_bytes([7; 16]);
    let refused = set(&stage, "bob", limited(&[absent])).unwrap_err();
    assert!(matches!(refused, OperationError::NotFound { what: "tenant", .. }), "{refused}");
}

#[test]
fn workspaces_of_a_person_come_in_pages() {
    let stage = Stage::new();
    let bob = person("bob");
    let mut made: Vec<_> = (0..5)
        .map(|nth| {
            must(block_on(stage.system.create_workspace(&bob, &stage.actor, &format!("W{nth}")))).id
        })
        .collect();
    made.sort_unstable();
    for limit in 1..=6 {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = must(block_on(stage.system.workspaces_of(&bob, after.as_ref(), limit)));
            found.extend(page.items.into_iter().map(|(workspace, member)| {
                assert_eq!(member.role, MemberRole::Owner);
                workspace.id
            }));
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(found, made, "{limit}");
    }
    let place = must(block_on(stage.system.workspaces_of(&bob, None, 1))).next;
    let wrong = block_on(stage.system.member_page(stage.workspace, place.as_ref(), 1));
    assert!(matches!(wrong, Err(OperationError::Invalid(_))), "a place of another list");
    for limit in [0, 1_001] {
        let wrong = block_on(stage.system.workspaces_of(&bob, None, limit));
        assert!(matches!(wrong, Err(OperationError::Invalid(_))));
    }
    // Who is taken out has the workspace no more.
    let (system, actor) = (&stage.system, &stage.actor);
    must(block_on(system.set_member(
        made[0],
        actor,
        &person("al"),
        MemberRole::Owner.into(),
        None,
    )));
    must(block_on(system.remove_member(made[0], actor, &bob, None)));
    assert_eq!(must(block_on(system.workspaces_of(&bob, None, 10))).items.len(), 4);
}

/// Each change asks for what its caller saw; one that saw something older changes nothing.
#[test]
fn what_was_changed_since_is_not_changed_again() {
    let stage = Stage::new();
    let (_, tenant, profile) = stage.governed(&[FEATURE], &many(3, 0));
    stage.import(tenant, &many(3, 1));
    stage.compare(tenant);
    let (system, actor, ws) = (&stage.system, &stage.actor, stage.workspace);
    let is_stale = |result: Result<(), OperationError>, what: &str| match result {
        Err(OperationError::Stale(_)) => {}
        other => panic!("{what}: {other:?}"),
    };
    let edit = || WorkspaceEdit { name: Some("South".to_owned()), ..WorkspaceEdit::default() };
    let seen = must(block_on(system.stored_workspace(ws))).revision;
    let call = |seen| block_on(system.edit_workspace(ws, actor, edit(), Some(seen))).map(drop);
    must(call(seen));
    is_stale(call(seen), "edit_workspace");

    let edit = |name: &str| TenantEdit { name: Some(name.to_owned()), facts: None };
    let seen = must(block_on(system.stored_tenant(ws, tenant))).revision;
    let call = |name: &str| block_on(system.edit_tenant(ws, actor, tenant, edit(name), Some(seen)));
    assert_eq!(must(call("New name")).name, "New name");
    is_stale(call("Newer name").map(drop), "edit_tenant");
    is_stale(
        block_on(system.archive_tenant(ws, actor, tenant, Some(seen))).map(drop),
        "archive_tenant",
    );
    assert!(block_on(system.assignment(ws, tenant)).unwrap().is_some(), "nothing was done");

    let edit = || ProfileEdit { name: Some("P2".to_owned()), ..ProfileEdit::default() };
    let before = must(block_on(system.stored_profile(ws, profile)));
    let seen = Some(before.revision);
    must(block_on(system.edit_profile(ws, actor, profile, edit(), seen)));
    is_stale(
        block_on(system.edit_profile(ws, actor, profile, edit(), seen)).map(drop),
        "edit_profile",
    );
    let to = ProfileStatus::Draft;
    is_stale(
        block_on(system.set_profile_status(ws, actor, profile, to, seen)).map(drop),
        "set_profile_status",
    );
    let snapshot = before.row.active_snapshot.unwrap();
    is_stale(
        block_on(system.promote_snapshot(ws, actor, profile, snapshot, seen)).map(drop),
        "promote_snapshot",
    );

    let seen = must(block_on(system.stored_assignment(ws, tenant))).unwrap().revision;
    must(block_on(system.assign(ws, actor, tenant, profile, None, Some(seen))));
    is_stale(
        block_on(system.assign(ws, actor, tenant, profile, None, Some(seen))).map(drop),
        "assign",
    );
    is_stale(block_on(system.unassign(ws, actor, tenant, Some(seen))), "unassign");

    must(set(&stage, "bob", MemberRole::Viewer.into()));
    let bob = person("bob");
    let seen = must(block_on(system.stored_member(ws, &bob.member_id()))).revision;
    must(set(&stage, "bob", MemberRole::Auditor.into()));
    let change = || MemberChange::from(MemberRole::Viewer);
    is_stale(
        block_on(system.set_member(ws, actor, &bob, change(), Some(seen))).map(drop),
        "set_member",
    );
    is_stale(block_on(system.remove_member(ws, actor, &bob, Some(seen))), "remove_member");

    let finding = stage.findings(tenant)[0].finding.id;
    let seen = must(block_on(system.stored_finding(ws, tenant, finding))).revision;
    let act = |action| block_on(system.act(ws, actor, tenant, finding, &action, Some(seen)));
    must(act(FindingAction::Acknowledge));
    is_stale(act(FindingAction::Reopen { reason: "again".to_owned() }).map(drop), "act");
}

#[test]
fn a_tenants_name_moves_with_it() {
    let stage = Stage::new();
    let (one, two) = (stage.tenant("One"), stage.tenant("Two"));
    let rename = |id, name: &str| {
        let edit = TenantEdit { name: Some(name.to_owned()), facts: None };
        block_on(stage.system.edit_tenant(stage.workspace, &stage.actor, id, edit, None))
    };
    assert!(rename(one, "two").unwrap_err().to_string().contains("called `two` already"));
    must(rename(one, "ONE"));
    must(rename(one, "Three"));
    must(rename(two, "one"));
    assert!(rename(one, "ONE").is_err());
}
