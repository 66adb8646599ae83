//! The compare of roles against an oracle of sets, written apart from it: ids are looked up, permissions
//! are sets of pairs of sets, and nothing else is asked.

use plumbline_governance::compare::CompareOptions;
use plumbline_governance::report::{ChangeType, DiffKind};
use plumbline_tests::policies::guid;
use plumbline_tests::{Files, compare_files};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A block: the actions that it allows and those that it takes back, as numbers.
type Block = (BTreeSet<u8>, BTreeSet<u8>);

/// What a role means: its name and its blocks.
#[derive(Clone, Debug)]
struct Role {
    name: u8,
    blocks: Vec<Block>,
}

type Roles = BTreeMap<u32, Role>;

/// The oracle: what a role grants is one set of allowed actions without exceptions, and a set of the
/// blocks with exceptions.
fn meaning(role: &Role) -> (BTreeSet<u8>, BTreeSet<&Block>) {
    let plain = role.blocks.iter().filter(|block| block.1.is_empty());
    let excepted = role.blocks.iter().filter(|block| !block.1.is_empty());
    (plain.flat_map(|block| block.0.clone()).collect(), excepted.collect())
}

fn classified(golden: &Roles, other: &Roles) -> BTreeMap<u32, &'static str> {
    let ids: BTreeSet<u32> = golden.keys().chain(other.keys()).copied().collect();
    let word = |id: &u32| match (golden.get(id), other.get(id)) {
        (Some(_), None) => "missing",
        (None, _) => "unexpected",
        (Some(b), Some(c)) if meaning(b) != meaning(c) => "permission_change",
        (Some(b), Some(c)) if b.name != c.name => "metadata_only",
        _ => "unchanged",
    };
    ids.iter().map(|id| (*id, word(id))).collect()
}

/// How a side writes what it means: every choice here means nothing.
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
#[derive(Clone, Copy, Debug)]
struct Spelling {
    upper: bool,
    slashes: bool,
    reversed: bool,
    doubled: bool,
    beta_twins: bool,
    other_container: bool,
}

fn written(number: u32, role: &Role, how: Spelling) -> Value {
    let action = |one: &u8| {
        let verb = ["Read", "Update", "Wipe", "ViewReports"][usize::from(*one) % 4];
        let action = format!("Microsoft.Intune_Resource{one}_{verb}");
        let action = if how.slashes { action.replace('_', "/") } else { action };
        if how.upper { action.to_uppercase() } else { action }
    };
    let list = |actions: &BTreeSet<u8>| {
        let mut out: Vec<String> = actions.iter().map(action).collect();
        if how.doubled {
            out.extend(out.clone());
        }
        if how.reversed {
            out.reverse();
        }
        out
    };
    let mut blocks: Vec<Value> = role
        .blocks
        .iter()
        .map(|(allowed, not)| {
            json!({ "allowedResourceActions": list(allowed), "notAllowedResourceActions": list(not) })
        })
        .collect();
    if how.reversed {
        blocks.reverse();
    }
    let mut permissions = json!([{ "resourceActions": blocks }]);
    if how.beta_twins {
        let allowed: BTreeSet<u8> =
            role.blocks.iter().flat_map(|block| block.0.iter().copied()).collect();
        permissions[0]["actions"] = json!(list(&allowed));
    }
    let container = if how.other_container { "permissions" } else { "rolePermissions" };
    json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/roleDefinitions/$entity",
        "id": if how.upper { guid(number).to_uppercase() } else { guid(number) },
        "displayName": format!("Role {}", role.name), "description": "", "isBuiltIn": false,
        container: permissions, "roleScopeTagIds": ["0"],
    })
}

fn side(roles: &Roles, how: Spelling) -> Files {
    let files = roles.iter().map(|(number, role)| {
        (format!("{number}.json"), written(*number, role, how).to_string().into_bytes())
    });
    Files { files: files.collect(), complete: true, ..Files::default() }
}

fn any_role() -> impl Strategy<Value = Role> {
    let actions = || prop::collection::btree_set(0..6_u8, 0..4);
    let not = prop_oneof![3 => Just(BTreeSet::new()), 1 => actions()];
    (0..3_u8, prop::collection::vec((actions(), not), 0..4))
        .prop_map(|(name, blocks)| Role { name, blocks })
}

/// A side, and one that most often differs from it a little.
fn any_sides() -> impl Strategy<Value = (Roles, Roles)> {
    let roles = || prop::collection::btree_map(0..6_u32, any_role(), 0..5);
    (roles(), roles(), any::<u8>()).prop_map(|(golden, drawn, kept)| {
        let mut other = drawn;
        for (number, role) in &golden {
            if kept >> number & 1 == 1 {
                other.insert(*number, role.clone());
            }
        }
        (golden, other)
    })
}

prop_compose! {
    fn any_spelling()(bits in any::<[bool; 6]>()) -> Spelling {
        let [upper, slashes, reversed, doubled, beta_twins, other_container] = bits;
        Spelling { upper, slashes, reversed, doubled, beta_twins, other_container }
    }
}

/// Cases of a run; `PLUMBLINE_ROLE_CASES` says another number.
fn cases() -> u32 {
    #[expect(clippy::disallowed_methods, reason = "a test's one setting")]
    let said = std::env::var("PLUMBLINE_ROLE_CASES").ok();
    said.and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

proptest! {
    #![proptest_config(Config { cases: cases(), failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_compare_agrees_with_sets(
        (golden, other) in any_sides(),
        how in (any_spelling(), any_spelling()),
    ) {
        let report =
            compare_files(&side(&golden, how.0), &side(&other, how.1), &CompareOptions::default());
        prop_assert!(report.gaps.is_empty(), "{:?}", report.gaps);
        let mut expected = classified(&golden, &other);
        let counts = report.summary.rbac_role_definitions.unwrap_or_default();
        let count = |words: &[&str]| expected.values().filter(|one| words.contains(one)).count();
        prop_assert_eq!(
            (counts.total_compared, counts.unchanged, counts.modified, counts.missing, counts.unexpected),
            (
                expected.len(),
                count(&["unchanged"]),
                count(&["permission_change", "metadata_only"]),
                count(&["missing"]),
                count(&["unexpected"]),
            )
        );
        for drift in &report.drift {
            let version = drift.baseline.as_ref().or(drift.current.as_ref()).unwrap();
            let id = version.external_id.as_deref().unwrap();
            let number: u32 = id.rsplit('-').next().unwrap().parse().unwrap();
            let found = match (drift.change_type, drift.diff_kind) {
                (ChangeType::MissingPolicy, DiffKind::Missing) => "missing",
                (ChangeType::UnexpectedPolicy, DiffKind::Unexpected) => "unexpected",
                (ChangeType::DifferentVersion, DiffKind::PermissionChange) => "permission_change",
                (ChangeType::DifferentVersion, DiffKind::MetadataOnly) => "metadata_only",
                _ => "no such drift",
            };
            prop_assert_eq!(expected.remove(&number), Some(found), "{:#?}", drift);
        }
        prop_assert!(expected.values().all(|word| *word == "unchanged"), "{:?}", expected);
    }
}
