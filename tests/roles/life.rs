//! Roles through import, capture, compare, findings and evidence.

use super::{READ, UPDATE, WIPE, role, roles_and};
use futures::executor::block_on;
use plumbline_governance::ids::TenantId;
use plumbline_governance::run::Run;
use plumbline_operations::NewProfile;
use plumbline_policy::role::evidence::{ResourceChange, RoleAction, RoleEvidence};
use plumbline_policy::tenant::TenantFacts;
use plumbline_tests::check::{assert_whole, body_of, texts};
use plumbline_tests::policies::{FEATURE, feature, guid, policies};
use plumbline_tests::stage::{Stage, must};
use serde_json::Value;
use std::collections::BTreeSet;

const ENTRA: &str = "7dfa8454-8c39-41e0-86ca-e6456c027be2";

pub(super) struct Held {
    pub(super) stage: Stage,
    pub(super) golden: TenantId,
    pub(super) other: TenantId,
}

impl Held {
    /// A golden tenant of these roles, and another that is held to it.
    pub(super) fn to(roles: &[Value]) -> Self {
        let stage = Stage::new();
        let facts = TenantFacts { tenant_id: Some(ENTRA.to_owned()), ..TenantFacts::default() };
        let (golden, other) = (stage.tenant_with("golden", facts), stage.tenant("other"));
        let scope = roles_and(FEATURE);
        let new = NewProfile { name: "Gold".to_owned(), scope, ..NewProfile::default() };
        let profile =
            must(block_on(stage.system.create_profile(stage.workspace, &stage.actor, new))).id;
        let held = Self { stage, golden, other };
        held.import(golden, roles);
        let run = held.stage.capture(profile, golden);
        assert_eq!(run.outcome().as_str(), "succeeded", "{:?}", run.failure());
        held.stage.activate(profile);
        held.stage.assign(other, profile);
        held
    }

    fn import(&self, tenant: TenantId, roles: &[Value]) {
        let all = roles.iter().cloned().chain([feature("F", 999, "1")]);
        self.stage.import(tenant, &policies(all));
    }

    pub(super) fn compare(&self, roles: &[Value]) -> Run {
        self.import(self.other, roles);
        self.stage.compare(self.other)
    }

    /// Each finding: its state, how often it was seen, its kind and the name of its role.
    pub(super) fn findings(&self) -> BTreeSet<(String, u64, String, String)> {
        let all = self.stage.findings(self.other).into_iter();
        all.map(|one| {
            let (finding, times) = (one.finding, one.seen.times);
            let kind = finding.drift.diff_kind.as_str().to_owned();
            (finding.state.as_str().to_owned(), times, kind, finding.drift.display_name)
        })
        .collect()
    }
}

pub(super) fn row(
    state: &str,
    times: u64,
    kind: &str,
    name: &str,
) -> (String, u64, String, String) {
    (state.to_owned(), times, kind.to_owned(), name.to_owned())
}

/// Seed 128: unchanged identical drift creates no second finding, and resolved drift that returns
/// reopens the first.
#[test]
fn identical_drift_never_doubles_and_resolved_drift_reopens() {
    let golden = [role("R", 1, &[READ])];
    let wide = [role("R", 1, &[READ, WIPE])];
    let held = Held::to(&golden);
    for times in 1..=3 {
        held.compare(&wide);
        assert_eq!(held.findings(), [row("new", times, "permission_change", "R")].into());
    }
    let run = held.compare(&golden);
    assert_eq!(run.summary_counts["resolved"], 1);
    assert_eq!(held.findings(), [row("resolved", 3, "permission_change", "R")].into());
    let run = held.compare(&wide);
    assert_eq!(run.summary_counts["reopened"], 1);
    assert_eq!(held.findings(), [row("reopened", 4, "permission_change", "R")].into());
    // Another drift of the same role is another version of the one finding.
    held.compare(&[role("R", 1, &[READ, UPDATE])]);
    assert_eq!(held.findings().len(), 1);
    assert_whole(&held.stage, "after the life of a role's finding");
}

/// Seed 128: the same name under a new id is drift twice, and metadata stays apart from permissions.
#[test]
fn a_run_counts_roles_apart_and_the_canonical_counts_hold_no_word_of_them() {
    let held = Held::to(&[
        role("Same", 1, &[READ]),
        role("Wider", 2, &[READ]),
        role("Renamed", 3, &[READ]),
        role("Made again", 4, &[READ]),
    ]);
    let run = held.compare(&[
        role("Same", 1, &[READ]),
        role("Wider", 2, &[READ, WIPE]),
        role("Other name", 3, &[READ]),
        role("Made again", 5, &[READ]),
    ]);
    let counts = run.context.baseline_compare.as_ref().unwrap().rbac_role_definitions.unwrap();
    assert_eq!(
        (
            counts.total_compared,
            counts.unchanged,
            counts.modified,
            counts.missing,
            counts.unexpected
        ),
        (5, 1, 2, 1, 1)
    );
    let words: Vec<&String> = run.summary_counts.keys().collect();
    assert!(words.iter().all(|word| !word.contains("rbac") && !word.contains("role")), "{words:?}");
    assert_eq!(
        held.findings(),
        [
            row("new", 1, "permission_change", "Wider"),
            row("new", 1, "metadata_only", "Renamed"),
            row("new", 1, "missing", "Made again"),
            row("new", 1, "unexpected", "Made again"),
        ]
        .into()
    );
}

/// Seed 128: what a tenant owns names its workspace and its tenant, and is in no list of another's.
#[test]
fn runs_and_findings_of_roles_name_their_workspace_and_tenant() {
    let held = Held::to(&[role("R", 1, &[READ])]);
    let run = held.compare(&[role("R", 1, &[READ, WIPE])]);
    let stage = &held.stage;
    assert_eq!((run.workspace, run.tenant), (stage.workspace, held.other));
    let finding = stage.finding(held.other, "R").finding;
    assert_eq!((finding.workspace, finding.tenant), (stage.workspace, held.other));
    assert_eq!(finding.scope_key, format!("baseline_profile:{}", finding.profile));
    assert!(stage.findings(held.golden).is_empty());
    let foreign = block_on(stage.system.finding(stage.workspace, held.golden, finding.id));
    assert!(foreign.is_err(), "{foreign:?}");
}

/// The evidence of a finding stands alone: its source tenant may be gone, and nothing is asked of Graph.
#[test]
fn evidence_names_what_was_added_and_removed_without_the_source_tenant() {
    let held = Held::to(&[role("R", 1, &[READ, UPDATE])]);
    held.compare(&[role("R", 1, &[READ, WIPE])]);
    let (system, stage) = (&held.stage.system, &held.stage);
    must(block_on(system.archive_tenant(stage.workspace, &stage.actor, held.golden, None)));
    let finding = stage.finding(held.other, "R").finding;
    let evidence = must(block_on(system.evidence(&finding)));
    let [added, removed] = listed(evidence.role.as_ref().unwrap());
    assert_eq!((added, removed), (vec![WIPE.to_owned()], vec![UPDATE.to_owned()]));
    let text = serde_json::to_string(&evidence).unwrap();
    assert!(!text.contains(READ), "what is equal is no evidence: {text}");
}

/// The actions that a role's evidence lists, added and removed.
fn listed(role: &RoleEvidence) -> [Vec<String>; 2] {
    let lists: [fn(&ResourceChange) -> &[RoleAction]; 2] = [|of| &of.added, |of| &of.removed];
    lists.map(|list| role.resources.iter().flat_map(list).map(|one| one.action.clone()).collect())
}

/// A role that is gone, or that nobody approved, is shown whole: its name, its description, whose it is and
/// what it grants, in the spelling of its source.
#[test]
fn evidence_shows_a_role_of_one_side_alone_whole() {
    let described = |mut role: Value, text: &str| {
        role["description"] = text.into();
        role
    };
    let slashed = "Microsoft.Intune/Roles/Assign";
    let held = Held::to(&[described(role("Gone", 1, &[READ, UPDATE]), "Approved")]);
    held.compare(&[described(role("Shadow", 2, &[READ, slashed]), "Nobody knows")]);
    must(block_on(held.stage.system.archive_tenant(
        held.stage.workspace,
        &held.stage.actor,
        held.golden,
        None,
    )));
    let of = |name: &str| {
        let finding = held.stage.finding(held.other, name).finding;
        must(block_on(held.stage.system.evidence(&finding)))
    };
    let gone = of("Gone").role.unwrap();
    let approved = gone.baseline.as_ref().unwrap();
    assert_eq!((approved.built_in, approved.description.as_str()), (false, "Approved"));
    assert_eq!(gone.current, None);
    // Privileged first, whatever the spelling.
    assert_eq!(listed(&gone), [vec![], vec![UPDATE.to_owned(), READ.to_owned()]]);
    let shadow = of("Shadow").role.unwrap();
    let unknown = shadow.current.as_ref().unwrap();
    assert_eq!((unknown.description.as_str(), unknown.actions), ("Nobody knows", 2));
    assert_eq!(listed(&shadow), [vec![slashed.to_owned(), READ.to_owned()], vec![]]);
    let resources: Vec<&str> = shadow.resources.iter().map(|of| of.resource.as_str()).collect();
    assert_eq!(resources, ["Roles", "ManagedDevices"]);
}

/// Seed 128: workspace-owned rows and objects hold no identifier of a tenant. The id of a role is the
/// explicit marker of its identity, and no tenant's.
#[test]
fn no_identifier_of_a_tenant_stands_in_a_baseline_of_roles() {
    let held = Held::to(&[role(&format!("Helpers of {ENTRA}"), 1, &[READ])]);
    let needles = [
        held.golden.to_string(),
        held.golden.as_uuid().to_string(),
        ENTRA.to_owned(),
        ENTRA.replace('-', ""),
    ];
    let mut looked_at = 0;
    let mut look = |what: &str, bytes: &[u8]| {
        looked_at += 1;
        let hay = String::from_utf8_lossy(bytes).to_lowercase();
        for needle in &needles {
            assert!(!hay.contains(needle), "{what} holds {needle}");
        }
        hay.contains(&guid(1))
    };
    let mut marked = false;
    for key in held.stage.memory().objects.keys() {
        if key.folder().contains("/baseline/") {
            let bytes = must(block_on(held.stage.raw.objects.get(&key))).unwrap();
            marked |= look(&key.to_string(), &texts(&bytes));
        }
    }
    for row in held.stage.dump() {
        if row.key.sk.starts_with("PROFILE#") || row.key.sk.starts_with("SNAPSHOT#") {
            look(&row.key.to_string(), body_of(&row).unwrap().to_string().as_bytes());
        }
    }
    assert!(looked_at >= 4 && marked, "{looked_at} looked at, marked: {marked}");
}
