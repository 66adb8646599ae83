//! Assignments of roles fail closed at every gate (domain 2.7): their rows carry no role, so no verdict
//! on them would mean anything.

use super::{ASSIGNMENT, READ, role, roles_and, scope};
use futures::executor::block_on;
use plumbline_governance::compare::CompareOptions;
use plumbline_governance::scope::{EffectiveScope, Scope};
use plumbline_operations::{NewProfile, OperationError, ProfileEdit};
use plumbline_policy::catalog::{Kind, ROLE_DEFINITION, catalog};
use plumbline_ports::{Batch, Condition};
use plumbline_tests::check::body_of;
use plumbline_tests::policies::{FEATURE, feature, guid, policies};
use plumbline_tests::stage::{Stage, must};
use plumbline_tests::{Files, compare_files};
use serde_json::{Value, json};

fn assignment(number: u32) -> Value {
    json!({
        "@odata.context":
            "https://graph.microsoft.com/beta/$metadata#deviceManagement/roleAssignments/$entity",
        "@odata.type": "#microsoft.graph.deviceAndAppManagementRoleAssignment",
        "id": guid(number), "displayName": "Helpers", "description": "", "members": [guid(99)],
        "scopeType": "resourceScope", "resourceScopes": [guid(98)],
    })
}

/// The scopes that name the type: where it belongs, and where it does not.
fn naming() -> [Scope; 2] {
    let among_policies = Scope { policy_types: vec![ASSIGNMENT.to_owned()], ..Scope::default() };
    [scope(FEATURE, &[ASSIGNMENT]), among_policies]
}

fn refused<T: std::fmt::Debug>(answer: Result<T, OperationError>) {
    let error = answer.expect_err("role assignments are refused");
    assert!(matches!(error, OperationError::Refused(_) | OperationError::Invalid(_)), "{error:?}");
    assert!(error.to_string().contains(ASSIGNMENT), "{error}");
}

#[test]
fn a_profile_of_role_assignments_is_neither_made_nor_edited() {
    let stage = Stage::new();
    for naming in naming() {
        let new =
            NewProfile { name: "New".to_owned(), scope: naming.clone(), ..NewProfile::default() };
        refused(block_on(stage.system.create_profile(stage.workspace, &stage.actor, new)));
        let profile = stage.profile(&format!("Gold {}", naming.policy_types[0]), &[FEATURE]);
        let edit = ProfileEdit { scope: Some(naming), ..ProfileEdit::default() };
        refused(block_on(stage.system.edit_profile(
            stage.workspace,
            &stage.actor,
            profile,
            edit,
            None,
        )));
        let kept = must(block_on(stage.system.profile(stage.workspace, profile)));
        assert_eq!(kept.scope.policy_types, [FEATURE], "a refused edit changes nothing");
    }
}

#[test]
fn an_override_cannot_name_role_assignments() {
    let stage = Stage::new();
    let (_, other, profile) = stage.governed(&[FEATURE], &policies([feature("F", 1, "1")]));
    for naming in naming() {
        let narrow = Some(naming);
        let (workspace, actor) = (stage.workspace, &stage.actor);
        refused(block_on(stage.system.assign(workspace, actor, other, profile, narrow, None)));
    }
}

/// The import keeps such rows aside with a note. What is not of a comparable type is in no state, so
/// neither a capture nor a compare, a summary nor a finding can hold it.
#[test]
fn role_assignments_of_an_import_reach_no_baseline_no_summary_and_no_finding() {
    let stage = Stage::new();
    let (golden, other) = (stage.tenant("golden"), stage.tenant("other"));
    let new =
        NewProfile { name: "Gold".to_owned(), scope: roles_and(FEATURE), ..NewProfile::default() };
    let profile =
        must(block_on(stage.system.create_profile(stage.workspace, &stage.actor, new))).id;
    let held = [feature("F", 1, "1"), role("R", 2, &[READ])];
    let imported = stage.import(golden, &policies(held.clone().into_iter().chain([assignment(3)])));
    assert!(
        imported.gaps.iter().any(|gap| format!("{gap:?}").contains(ASSIGNMENT)),
        "{:?}",
        imported.gaps
    );
    let run = stage.capture(profile, golden);
    assert_eq!(run.outcome().as_str(), "succeeded", "{:?}", run.failure());
    assert_eq!(run.context.baseline_capture.as_ref().unwrap().items, 2);
    stage.activate(profile);
    stage.assign(other, profile);
    stage.import(other, &policies(held.into_iter().chain([assignment(4), assignment(5)])));
    let run = stage.compare(other);
    assert_eq!(run.outcome().as_str(), "succeeded", "{:?}", run.failure());
    let roles = run.context.baseline_compare.as_ref().unwrap().rbac_role_definitions.unwrap();
    assert_eq!((roles.total_compared, roles.unchanged), (1, 1));
    assert!(stage.findings(other).is_empty());
}

#[test]
fn role_assignments_of_folders_give_a_note_and_no_drift() {
    let side = |number: u32| Files {
        files: [("a.json".to_owned(), assignment(number).to_string().into_bytes())].into(),
        complete: true,
        ..Files::default()
    };
    let report = compare_files(&side(1), &side(2), &CompareOptions::default());
    assert!(report.drift.is_empty(), "{:#?}", report.drift);
    assert_eq!(report.summary.rbac_role_definitions, None);
    assert!(!report.summary.by_type.contains_key(ASSIGNMENT));
    assert_eq!(report.gaps.iter().filter(|gap| gap.kind.as_str() == "unsupported_type").count(), 2);
}

/// "All types" are all policies: neither assignments of roles nor any foundation.
#[test]
fn all_types_hold_no_foundation() {
    let all = Scope::default().effective().unwrap();
    let foundations: Vec<&str> =
        all.keys().filter(|key| catalog().get(key).unwrap().kind == Kind::Foundation).collect();
    assert_eq!(foundations, Vec::<&str>::new());
    assert!(all.keys().count() > 40);
    let everything = EffectiveScope::everything();
    assert!(everything.holds(ROLE_DEFINITION) && !everything.holds(ASSIGNMENT));
}

/// Of all foundations of the catalog, a scope takes role definitions and refuses every other by name.
#[test]
fn role_definitions_are_the_only_foundation_of_a_baseline() {
    let mut taken = Vec::new();
    let foundations: Vec<&str> = catalog()
        .types()
        .iter()
        .filter(|one| one.kind == Kind::Foundation)
        .map(|one| one.key.as_str())
        .collect();
    for key in &foundations {
        match scope(FEATURE, &[key]).effective() {
            Ok(held) => {
                assert!(held.holds(key));
                taken.push(*key);
            }
            Err(error) => assert!(error.to_string().contains(key), "{error}"),
        }
    }
    assert_eq!(taken, [ROLE_DEFINITION]);
    assert!(foundations.contains(&ASSIGNMENT) && foundations.len() > 10, "{foundations:?}");
}

/// A scope that stands in a store although it names the type, as a release before the rule may have left
/// it, starts nothing: it is neither obeyed nor read as "all".
#[test]
fn a_stored_scope_of_role_assignments_starts_nothing() {
    for stored in naming() {
        let stage = Stage::new();
        let (golden, other, profile) =
            stage.governed(&[FEATURE], &policies([feature("F", 1, "1")]));
        let row = stage.dump().into_iter().find(|row| row.key.sk.starts_with("PROFILE#")).unwrap();
        let mut body = body_of(&row).unwrap();
        body["row"]["scope"] = serde_json::to_value(&stored).unwrap();
        let mut changed = row.clone();
        changed.body = serde_json::to_vec(&body).unwrap();
        changed.revision += 1;
        let batch = Batch::new().put(changed, Condition::Revision(row.revision));
        must(block_on(stage.raw.records.commit(batch)));
        let kept = must(block_on(stage.system.profile(stage.workspace, profile)));
        assert_eq!(kept.scope, stored, "the store holds the old scope");
        for started in [stage.start_capture(profile, golden), stage.start_compare(other)] {
            refused(started);
        }
        assert!(stage.drain().is_empty() && stage.findings(other).is_empty());
    }
}
