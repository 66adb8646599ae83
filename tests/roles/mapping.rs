//! Role mappings: what makes custom roles of two tenants comparable, and what does not.

use super::life::{Held, row};
use super::{READ, UPDATE, WIPE, role};
use futures::executor::block_on;
use plumbline_governance::report::MatchedBy;
use plumbline_operations::{Assignment, NewRoleMapping, OperationError};
use plumbline_tests::check::body_of;
use plumbline_tests::policies::guid;
use plumbline_tests::stage::must;
use serde_json::{Value, json};

/// The baseline's role and the tenant's own of the same name.
const GOLDEN: u32 = 1;
const OWN: u32 = 2;

impl Held {
    fn map(&self, from: &str, to: &str) -> Result<Assignment, OperationError> {
        self.stage.wait(1);
        block_on(self.stage.system.map_role(
            self.stage.workspace,
            &self.stage.actor,
            self.other,
            NewRoleMapping {
                baseline_role: from.to_owned(),
                tenant_role: to.to_owned(),
                reason: "made by hand in both tenants".to_owned(),
            },
            None,
        ))
    }

    fn unmap(&self, from: &str) -> Assignment {
        self.stage.wait(1);
        must(block_on(self.stage.system.unmap_role(
            self.stage.workspace,
            &self.stage.actor,
            self.other,
            from,
            None,
        )))
    }

    fn open(&self) -> Vec<(String, String)> {
        let open = |one: &(String, u64, String, String)| one.0 != "resolved";
        let found = self.findings().into_iter().filter(open).map(|one| (one.2, one.3));
        let mut found: Vec<_> = found.collect();
        found.sort();
        found
    }
}

fn built_in(name: &str, number: u32) -> Value {
    let mut role = role(name, number, &[READ]);
    role["isBuiltIn"] = json!(true);
    role
}

fn two(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

/// Domain 2.6: equal names pair nothing; a mapping does, and taking it away undoes it. Nothing else has to
/// change for the next compare to look again.
#[test]
fn a_mapping_makes_two_roles_one_and_its_end_makes_them_two() {
    let held = Held::to(&[role("R", GOLDEN, &[READ])]);
    held.compare(&[role("R", OWN, &[READ])]);
    assert_eq!(held.open(), [two("missing", "R"), two("unexpected", "R")]);

    must(held.map(&guid(GOLDEN), &guid(OWN).to_uppercase()));
    let run = held.stage.compare(held.other);
    let result = run.context.baseline_compare.unwrap();
    assert!(!result.from_memo, "the mappings are a part of what the memo answers for");
    let counts = result.rbac_role_definitions.unwrap();
    assert_eq!((counts.total_compared, counts.unchanged), (1, 1));
    assert_eq!(held.open(), []);
    assert!(held.stage.compare(held.other).context.baseline_compare.unwrap().from_memo);

    held.unmap(&guid(GOLDEN));
    held.stage.compare(held.other);
    assert_eq!(held.open(), [two("missing", "R"), two("unexpected", "R")]);
}

/// The finding of a mapped pair is the one of the baseline's role: it was missing, and now differs.
#[test]
fn a_mapped_pair_is_compared_and_keeps_the_finding_of_the_baselines_role() {
    let held = Held::to(&[role("R", GOLDEN, &[READ])]);
    let own = [role("Another name", OWN, &[READ, WIPE])];
    held.compare(&own);
    let missing = held.stage.finding(held.other, "R").finding;
    must(held.map(&guid(GOLDEN), &guid(OWN)));
    held.stage.compare(held.other);
    let finding = held.stage.finding(held.other, "R").finding;
    assert_eq!(finding.id, missing.id);
    assert_eq!(finding.drift.matched_by, Some(MatchedBy::Mapping));
    assert_eq!(finding.drift.severity_rule, "role.custom.widened");
    assert!(held.findings().contains(&row("resolved", 1, "unexpected", "Another name")));
}

/// A mapping whose role is gone pairs nothing, and a role under the baseline's own id is itself.
#[test]
fn a_mapping_whose_role_is_gone_pairs_nothing() {
    let held = Held::to(&[role("R", GOLDEN, &[READ])]);
    held.compare(&[role("R", OWN, &[READ])]);
    must(held.map(&guid(GOLDEN), &guid(OWN)));
    held.compare(&[role("R", 3, &[READ])]);
    assert_eq!(held.open(), [two("missing", "R"), two("unexpected", "R")]);
    held.compare(&[role("R", GOLDEN, &[READ]), role("R", OWN, &[READ])]);
    assert_eq!(held.open(), [two("unexpected", "R")]);
}

#[test]
fn mappings_that_cannot_be_are_refused_by_name() {
    let held = Held::to(&[
        role("R", GOLDEN, &[READ]),
        role("S", 5, &[UPDATE]),
        built_in("B", 7),
        role("Held", 8, &[READ]),
    ]);
    let own = [role("R", OWN, &[READ]), built_in("B", 7), role("Held", 8, &[READ])];
    held.compare(&own);
    let refused = |from: &str, to: &str, words: &str| {
        let error = held.map(from, to).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    };
    refused("R", &guid(OWN), "`R` is no id of a role; the baseline's role is named by its id");
    refused(&guid(GOLDEN), "", "`` is no id of a role; the tenant's role is named by its id");
    refused(&guid(OWN), &guid(OWN), "is one id");
    refused(&guid(40), &guid(OWN), "the baseline holds no role");
    refused(&guid(GOLDEN), &guid(41), "the tenant holds no role");
    refused(&guid(7), &guid(OWN), "is a built-in role");
    refused(&guid(GOLDEN), &guid(7), "is a built-in role");
    refused(&guid(8), &guid(OWN), "the tenant holds");
    must(held.map(&guid(GOLDEN), &guid(OWN)));
    refused(&guid(5), &guid(OWN), "stands for");
    let kept = must(held.map(&guid(GOLDEN), &guid(OWN)));
    assert_eq!(kept.role_mappings.len(), 1, "the same mapping again is the same mapping");
    held.stage.unassign(held.other).unwrap();
    refused(&guid(GOLDEN), &guid(OWN), "is held to no profile");
}

/// Who said it and why stands in the audit; under another profile the mapping means nothing.
#[test]
fn a_mapping_is_audited_and_belongs_to_its_profile() {
    let held = Held::to(&[role("R", GOLDEN, &[READ])]);
    held.compare(&[role("R", OWN, &[READ])]);
    must(held.map(&guid(GOLDEN), &guid(OWN)));
    held.unmap(&guid(GOLDEN));
    let seen: Vec<(String, String, Value)> = held
        .stage
        .audit()
        .iter()
        .map(|record| body_of(record).unwrap())
        .map(|body| body.get("row").cloned().unwrap_or(body))
        .filter(|row| row["action"].as_str().is_some_and(|one| one.starts_with("role_mapping")))
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            (text("action"), text("target"), row["reason"].clone())
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("role_mapping.set".to_owned(), guid(GOLDEN), json!("made by hand in both tenants")),
            ("role_mapping.remove".to_owned(), guid(GOLDEN), Value::Null),
        ]
    );

    must(held.map(&guid(GOLDEN), &guid(OWN)));
    let of = |profile| {
        held.stage.assign(held.other, profile);
        let read = block_on(held.stage.system.assignment(held.stage.workspace, held.other));
        must(read).unwrap().role_mappings.len()
    };
    let first = must(block_on(held.stage.system.assignment(held.stage.workspace, held.other)));
    let first = first.unwrap().profile;
    assert_eq!(of(first), 1, "the same profile again keeps them");
    let second = held.stage.profile("Second", &[plumbline_tests::policies::FEATURE]);
    held.stage.capture(second, held.golden);
    held.stage.activate(second);
    assert_eq!(of(second), 0);
    assert_eq!(of(first), 0, "they do not come back");
}
