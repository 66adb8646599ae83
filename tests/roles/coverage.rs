//! Domain 3.8: what may be said of roles at each coverage, and what may not.

use super::{READ, UPDATE, WIPE, role, roles_and};
use futures::executor::block_on;
use plumbline_governance::run::{ReasonCode, Run};
use plumbline_operations::{CoverageClaim, ImportOptions, NewProfile};
use plumbline_policy::catalog::ROLE_DEFINITION;
use plumbline_tests::policies::{FEATURE, Policies, feature, policies};
use plumbline_tests::stage::{Stage, must};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A tenant that is held to three roles, and has one finding of each of two.
struct Drifted {
    stage: Stage,
    other: plumbline_governance::ids::TenantId,
}

fn golden() -> Vec<Value> {
    vec![role("Kept", 1, &[READ]), role("Wider", 2, &[READ]), role("Fixed", 3, &[READ])]
}

fn with_feature(roles: impl IntoIterator<Item = Value>) -> Policies {
    policies(roles.into_iter().chain([feature("F", 999, "1")]))
}

/// A list that another page follows, which nobody read.
fn cut_off(roles: &[Value]) -> Value {
    json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/roleDefinitions",
        "@odata.nextLink": "https://graph.microsoft.com/beta/deviceManagement/roleDefinitions?$skiptoken=2",
        "value": roles,
    })
}

fn claims(coverage: CoverageClaim) -> ImportOptions {
    ImportOptions { coverage, ..ImportOptions::default() }
}

impl Drifted {
    fn new() -> Self {
        let stage = Stage::new();
        let (source, other) = (stage.tenant("golden"), stage.tenant("other"));
        let scope = roles_and(FEATURE);
        let new = NewProfile { name: "Gold".to_owned(), scope, ..NewProfile::default() };
        let profile =
            must(block_on(stage.system.create_profile(stage.workspace, &stage.actor, new)));
        stage.import(source, &with_feature(golden()));
        let run = stage.capture(profile.id, source);
        assert_eq!(run.outcome().as_str(), "succeeded", "{:?}", run.failure());
        stage.activate(profile.id);
        stage.assign(other, profile.id);
        let drifted = Self { stage, other };
        let mut first = golden();
        first[1] = role("Wider", 2, &[READ, WIPE]);
        first[2] = role("Fixed", 3, &[READ, UPDATE]);
        drifted.stage.import(other, &with_feature(first));
        assert_eq!(trust(&drifted.stage.compare(other)), "full");
        assert_eq!(
            drifted.findings(),
            set(&["new permission_change Wider", "new permission_change Fixed"])
        );
        drifted
    }

    /// What a second reading finds, in which `Kept` is gone, `Wider` is wider still, `Fixed` is as it should
    /// be, and `Shadow` is there.
    fn again(&self, import: impl FnOnce(Vec<Value>)) -> (String, BTreeSet<String>) {
        import(vec![
            role("Wider", 2, &[READ, WIPE, UPDATE]),
            role("Fixed", 3, &[READ]),
            role("Shadow", 4, &[READ]),
        ]);
        let before = self.changes("Wider");
        let run = self.stage.compare(self.other);
        let mut findings = self.findings();
        if self.changes("Wider") != before {
            findings.insert("Wider was written anew".to_owned());
        }
        (trust(&run), findings)
    }

    fn changes(&self, name: &str) -> String {
        self.stage.finding(self.other, name).finding.drift.fingerprint.to_string()
    }

    fn findings(&self) -> BTreeSet<String> {
        let all = self.stage.findings(self.other).into_iter().map(|one| one.finding);
        all.map(|one| {
            let kind = one.drift.diff_kind.as_str();
            format!("{} {kind} {}", one.state.as_str(), one.drift.display_name)
        })
        .collect()
    }
}

/// The trust of a compare; the reason, where there was none.
fn trust(run: &Run) -> String {
    match &run.context.baseline_compare {
        Some(result) => result.trust.clone(),
        None => run.failure().expect("a reason").reason_code.as_str().to_owned(),
    }
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// What stands when nothing may be said.
fn as_before() -> BTreeSet<String> {
    set(&["new permission_change Wider", "new permission_change Fixed"])
}

/// The same, with the role that was seen although nobody approved it.
fn as_before_and_seen() -> BTreeSet<String> {
    let mut out = as_before();
    out.insert("new unexpected Shadow".to_owned());
    out
}

#[test]
fn succeeded_coverage_allows_every_verdict_and_resolves() {
    let drifted = Drifted::new();
    let found = drifted.again(|roles| {
        drifted.stage.import(drifted.other, &with_feature(roles));
    });
    let all = set(&[
        "new missing Kept",
        "new permission_change Wider",
        "Wider was written anew",
        "resolved permission_change Fixed",
        "new unexpected Shadow",
    ]);
    assert_eq!(found, ("full".to_owned(), all));
}

/// The list is whole, the body of one role is not: that role alone has no verdict, and is not resolved.
#[test]
fn partial_coverage_judges_only_roles_with_full_content() {
    let drifted = Drifted::new();
    let found = drifted.again(|mut roles| {
        roles[1].as_object_mut().unwrap().remove("rolePermissions");
        drifted.stage.import(drifted.other, &with_feature(roles));
    });
    let all = set(&[
        "new missing Kept",
        "new permission_change Wider",
        "Wider was written anew",
        "new permission_change Fixed",
        "new unexpected Shadow",
    ]);
    assert_eq!(found, ("partial_suppressed".to_owned(), all));
}

/// A page was not read: what is not in the others may be in it. What was seen is there all the same, so an
/// unexpected role stays one (contracts 3.1).
#[test]
fn failed_coverage_gives_no_missing_and_no_modified_role_and_resolves_none() {
    let drifted = Drifted::new();
    let found = drifted.again(|roles| {
        drifted.stage.import(drifted.other, &policies([cut_off(&roles), feature("F", 999, "1")]));
    });
    assert_eq!(found, ("partial_suppressed".to_owned(), as_before_and_seen()));
}

/// Roles were left out of what was read: nothing is said of them, and nothing else loses its verdict.
#[test]
fn skipped_roles_give_no_finding_and_resolve_none() {
    let drifted = Drifted::new();
    let found = drifted.again(|_| {
        let only = claims(CoverageClaim::Types(vec![FEATURE.to_owned()]));
        must(drifted.stage.try_import(drifted.other, &policies([feature("F", 999, "2")]), &only));
    });
    let mut expected = as_before();
    expected.insert("new content F".to_owned());
    assert_eq!(found, ("partial_suppressed".to_owned(), expected));
}

#[test]
fn unknown_coverage_gives_no_missing_and_no_modified_role_and_resolves_none() {
    let drifted = Drifted::new();
    let found = drifted.again(|roles| {
        let unknown = claims(CoverageClaim::Unknown);
        must(drifted.stage.try_import(drifted.other, &with_feature(roles), &unknown));
    });
    assert_eq!(found.1, as_before_and_seen());
    assert_ne!(found.0, "full");
}

/// An inventory that is older than allowed proves nothing at all.
#[test]
fn a_stale_inventory_gives_no_finding_and_resolves_none() {
    let drifted = Drifted::new();
    let found = drifted.again(|roles| {
        drifted.stage.import(drifted.other, &with_feature(roles));
        drifted.stage.wait(366 * 86_400);
    });
    assert_eq!(found, ("inventory_too_old".to_owned(), as_before()));
}

/// A snapshot of roles that were not read in full would make every other tenant's role unexpected.
#[test]
fn a_capture_of_unproven_roles_is_blocked() {
    let stage = Stage::new();
    let source = stage.tenant("golden");
    let new =
        NewProfile { name: "Gold".to_owned(), scope: roles_and(FEATURE), ..NewProfile::default() };
    let profile =
        must(block_on(stage.system.create_profile(stage.workspace, &stage.actor, new))).id;
    for policies in [
        policies([cut_off(&golden()), feature("F", 999, "1")]),
        policies([cut_off(&[]), feature("F", 999, "1")]),
    ] {
        stage.import(source, &policies);
        let run = stage.capture(profile, source);
        assert_eq!(run.outcome().as_str(), "blocked", "{run:?}");
        let failure = run.failure().unwrap();
        assert_eq!(failure.reason_code, ReasonCode::UnprovenTypes, "{failure:?}");
        assert!(failure.message.contains(ROLE_DEFINITION), "{failure:?}");
    }
    assert_eq!(
        must(block_on(stage.system.profile(stage.workspace, profile))).active_snapshot,
        None
    );
}

/// Roles that fall from many to none are asked for again before anyone is alarmed.
#[test]
fn roles_that_fall_from_many_to_none_are_not_taken_without_a_word() {
    let stage = Stage::new();
    let tenant = stage.tenant("one");
    let many = (1..=20).map(|number| role(&format!("R{number}"), number, &[READ]));
    stage.import(tenant, &with_feature(many));
    let none = policies([feature("F", 999, "1")]);
    let fallen = stage.import(tenant, &none);
    let failure = fallen.run.failure().expect("the import is not taken").clone();
    assert!(failure.message.contains(ROLE_DEFINITION), "{failure:?}");
    let mut meant = claims(CoverageClaim::Complete);
    meant.confirm_empty = vec![ROLE_DEFINITION.to_owned()];
    let taken = must(stage.try_import(tenant, &none, &meant));
    assert_eq!(taken.run.failure(), None);
}

/// An override that leaves roles out adds nothing: neither a finding of a role nor of another type.
#[test]
fn narrowing_the_scope_never_adds() {
    let drifted = Drifted::new();
    let stage = &drifted.stage;
    let profile = must(block_on(stage.system.assignment(stage.workspace, drifted.other)));
    let narrow = super::scope(FEATURE, &[]);
    must(block_on(stage.system.assign(
        stage.workspace,
        &stage.actor,
        drifted.other,
        profile.unwrap().profile,
        Some(narrow),
        None,
    )));
    let before: BTreeSet<String> =
        stage.findings(drifted.other).into_iter().map(|one| one.finding.id.to_string()).collect();
    let run = stage.compare(drifted.other);
    assert_eq!(run.context.baseline_compare.as_ref().unwrap().rbac_role_definitions, None);
    let after: BTreeSet<String> =
        stage.findings(drifted.other).into_iter().map(|one| one.finding.id.to_string()).collect();
    assert!(after.is_subset(&before), "{after:?}");
    assert!(stage.findings(drifted.other).iter().all(|one| !one.finding.state.is_open()));
}
