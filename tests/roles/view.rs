//! What the evidence of a role lists: the actions that it really grants or lost, and nothing else.

use super::{READ, UPDATE, WIPE, role};
use plumbline_governance::compare::CompareOptions;
use plumbline_governance::report::Drift;
use plumbline_tests::{Files, compare_files};
use serde_json::{Value, json};

/// A role that takes some of its actions back.
fn taking_back(allowed: &[&str], not_allowed: &[&str]) -> Value {
    let mut role = role("R", 1, allowed);
    role["rolePermissions"][0]["resourceActions"][0]["notAllowedResourceActions"] =
        json!(not_allowed);
    role
}

fn drift(before: &[Value], after: &[Value]) -> Vec<Drift> {
    let side = |roles: &[Value]| Files {
        files: roles
            .iter()
            .enumerate()
            .map(|(at, role)| (format!("{at}.json"), role.to_string().into_bytes()))
            .collect(),
        complete: true,
        ..Files::default()
    };
    compare_files(&side(before), &side(after), &CompareOptions::default()).drift
}

/// `resource +action` and `resource -action`, in the order of the evidence.
fn lines(drift: &Drift) -> Vec<String> {
    let role = drift.role.as_ref().expect("evidence of a role");
    let mut out = Vec::new();
    for of in &role.resources {
        for (sign, list) in [('+', &of.added), ('-', &of.removed)] {
            out.extend(list.iter().map(|one| format!("{} {sign}{}", of.resource, one.action)));
        }
    }
    out
}

/// An action that a block allows and takes back again is not granted, so that its end is no loss. The change
/// of the block stands beside the lists.
#[test]
fn what_a_role_takes_back_is_not_listed() {
    let found = drift(&[role("R", 1, &[READ])], &[taking_back(&[READ, WIPE], &[WIPE])]);
    let [only] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!(lines(only), Vec::<String>::new());
    assert!(only.changes_beside_actions().count() > 0, "{only:#?}");
    let found = drift(&[taking_back(&[READ, WIPE], &[WIPE])], &[role("R", 1, &[READ, WIPE])]);
    assert_eq!(lines(&found[0]), [format!("RemoteTasks +{WIPE}")]);
}

/// Nothing that differs is left unsaid: what the lists tell is not told twice, and everything else is.
#[test]
fn lists_and_changes_together_say_everything_once() {
    let mut after = role("Renamed", 1, &[READ, "microsoft.intune/roles/ASSIGN"]);
    after["isBuiltIn"] = true.into();
    let found = drift(&[role("R", 1, &[READ, UPDATE])], &[after]);
    let [only] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!(
        lines(only),
        [format!("ManagedDevices -{UPDATE}"), "roles +microsoft.intune/roles/ASSIGN".to_owned(),]
    );
    let beside: Vec<&str> =
        only.changes_beside_actions().map(|change| change.path.as_str()).collect();
    assert_eq!(beside, ["built_in", "displayName"]);
}

/// A role whose content is not known is not shown as one that grants nothing.
#[test]
fn a_role_of_unknown_content_lists_nothing() {
    let mut unknown = role("R", 1, &[READ]);
    unknown.as_object_mut().unwrap().remove("rolePermissions");
    let other = role("Other", 2, &[READ]);
    let found = drift(std::slice::from_ref(&other), &[other.clone(), unknown]);
    let [only] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((only.display_name.as_str(), &only.role), ("R", &None));
}
