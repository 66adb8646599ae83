//! The diff: empty exactly for equals, and applied it gives the other side.

use crate::{any_json, config, rng};
use plumbline_policy::classify::Surroundings;
use plumbline_policy::diff::{apply, diff};
use plumbline_policy::json::{Number, parse};
use plumbline_policy::normal::Normal;
use plumbline_policy::policy::admit;
use plumbline_policy::reference::ReferenceKind;
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use plumbline_testkit::generator::{edit, policy};
use proptest::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;

fn show(node: &Normal<'_>) -> String {
    String::from_utf8(node.to_canonical()).unwrap()
}

fn check<'a>(before: &Normal<'a>, after: &Normal<'a>) -> Result<(), TestCaseError> {
    let changes = diff(before, after);
    let applied = apply(before, &changes);
    prop_assert_eq!(show(&applied), show(after), "before {}, by {:#?}", show(before), changes);
    // An empty set and an empty list are written alike, but no rule makes one place both.
    prop_assert!(changes.is_empty() || before != after);
    prop_assert!(!changes.is_empty() || show(before) == show(after));
    for change in &changes {
        prop_assert!(change.before.is_some() || change.after.is_some(), "{:?}", change);
    }
    Ok(())
}

/// Any normal form, of few words, so that two of them share much. Sets are sorted without doubles,
/// keyed lists are keyed by what their items hold, as the rules do.
fn any_normal() -> impl Strategy<Value = Normal<'static>> {
    let leaf = prop_oneof![
        2 => Just(Normal::Null),
        2 => any::<bool>().prop_map(Normal::Bool),
        6 => (0..4_i64).prop_map(|n| Normal::Number(Number::Int(n))),
        6 => "[ab]{0,2}".prop_map(|text| Normal::String(Cow::Owned(text))),
        1 => Just(Normal::Reference(ReferenceKind::Group)),
        1 => Just(Normal::Secret),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Normal::List),
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| {
                // Rules name members as sets; no item of a list is one.
                map(BTreeMap::from([("set".to_owned(), set(items))]))
            }),
            prop::collection::vec(("[ab]", inner.clone()), 0..5).prop_map(keyed),
            prop::collection::btree_map("[abc]", inner.clone(), 0..4).prop_map(map),
            inner.prop_map(|inner| Normal::Json(Box::new(inner))),
        ]
    })
}

fn set(mut items: Vec<Normal<'static>>) -> Normal<'static> {
    items.sort_by_cached_key(Normal::to_canonical);
    items.dedup_by_key(|item| item.to_canonical());
    Normal::Set(items)
}

fn keyed(items: Vec<(String, Normal<'static>)>) -> Normal<'static> {
    let mut items: Vec<(Cow<'static, str>, Normal<'static>)> = items
        .into_iter()
        .map(|(key, value)| {
            let name = Normal::String(Cow::Owned(key.clone()));
            let members = BTreeMap::from([("key".to_owned(), name), ("value".to_owned(), value)]);
            (Cow::Owned(key), map(members))
        })
        .collect();
    items.sort_by_cached_key(|(key, item)| (key.to_string(), item.to_canonical()));
    Normal::Keyed(items)
}

fn map(members: BTreeMap<String, Normal<'static>>) -> Normal<'static> {
    Normal::Map(members.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect())
}

proptest! {
    #![proptest_config(config(4096))]

    #[test]
    fn any_two_normal_forms(before in any_normal(), after in any_normal()) {
        check(&before, &after)?;
    }

    #[test]
    fn a_normal_form_and_itself(node in any_normal()) {
        prop_assert!(diff(&node, &node).is_empty());
        check(&node, &node.clone())?;
    }

    #[test]
    fn two_lists_of_few_words(
        before in prop::collection::vec(0..4_i64, 0..12),
        after in prop::collection::vec(0..4_i64, 0..12),
    ) {
        let list = |items: Vec<i64>| {
            Normal::List(items.into_iter().map(|n| Normal::Number(Number::Int(n))).collect())
        };
        check(&list(before), &list(after))?;
    }

    #[test]
    fn embedded_documents(before in any_json(), after in any_json()) {
        let (before, after) = (before.to_string(), after.to_string());
        let (before, after) = (parse(&before).unwrap(), parse(&after).unwrap());
        check(&Normal::verbatim(&before), &Normal::verbatim(&after))?;
    }
}

proptest! {
    #![proptest_config(config(1024))]

    #[test]
    fn two_versions_of_a_policy(seed: u64) {
        let rng = &mut rng(seed);
        let (folder, before) = policy(rng);
        let mut after = before.clone();
        for _ in 0..rng.random_range(0..4) {
            edit(rng, &mut after);
        }
        let (before, after) = (before.to_string(), after.to_string());
        let around = Surroundings { page_context: None, folders: &[folder] };
        let key = SecretKey::new("test", [7; 32]);
        let localiser = Localiser::new(&TenantFacts::default());
        let admitted = |text| admit(parse(text).unwrap(), around, &key).ok();
        if let (Some((b, _)), Some((a, _))) = (admitted(&before), admitted(&after)) {
            let (b, a) = (b.read(&localiser), a.read(&localiser));
            for (b, a) in [(&b.content, &a.content), (&b.label, &a.label), (&b.assignments, &a.assignments)] {
                check(b, a)?;
                check(a, b)?;
                prop_assert_eq!(diff(b, a).is_empty(), b.digest() == a.digest());
            }
        }
    }
}
