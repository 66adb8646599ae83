//! Items of inventories and snapshots, and their payloads.

use futures::executor::block_on;
use plumbline_operations::{OperationError, Page, Position};
use plumbline_tests::policies::{FEATURE, QUALITY, feature, policies, quality};
use plumbline_tests::stage::{Stage, must};

fn all<T>(
    limit: usize,
    page: impl Fn(Option<&Position>, usize) -> Result<Page<T>, OperationError>,
) -> Vec<T> {
    let (mut out, mut after) = (Vec::new(), None);
    loop {
        let found = must(page(after.as_ref(), limit));
        out.extend(found.items);
        match found.next {
            Some(next) => after = Some(next),
            None => return out,
        }
    }
}

#[test]
fn items_are_listed_by_type_and_key_and_have_their_payload() {
    let stage = Stage::new();
    // Two of one name, and two that are alike in everything but their place.
    let mut given = vec![quality("Q", 50, 1), quality("R", 51, 1), feature("Twin", 60, "1")];
    given.extend((0..7).map(|at| feature(&format!("Ring {at}"), at, &format!("v{at}"))));
    given.push(feature("Twin", 61, "2"));
    let given = policies(given);
    let (golden, other, profile) = stage.governed(&[FEATURE, QUALITY], &given);
    let ws = stage.workspace;
    let inventory = |policy_type: Option<&'static str>| {
        move |system: &plumbline_operations::System, after: Option<&Position>, limit| {
            block_on(system.inventory_items(ws, other, policy_type, after, limit))
        }
    };
    let list = inventory(None);
    let whole = all(1_000, |after, limit| list(&stage.system, after, limit));
    assert_eq!(whole.len(), 11);
    let order: Vec<_> =
        whole.iter().map(|one| (one.policy_type.clone(), one.subject_key.clone())).collect();
    assert!(order.is_sorted());
    let ids: std::collections::BTreeSet<_> = whole.iter().map(|one| &one.item_id).collect();
    assert_eq!(ids.len(), 11);
    for limit in 1..=12 {
        assert_eq!(all(limit, |after, limit| list(&stage.system, after, limit)), whole);
    }
    let list = inventory(Some(QUALITY));
    let of_type = all(1, |after, limit| list(&stage.system, after, limit));
    assert_eq!(of_type.len(), 2);
    assert_eq!(of_type[..], whole[9..]);
    for item in &whole {
        let payload = must(block_on(stage.system.inventory_payload(ws, other, &item.item_id)));
        assert_eq!(payload["displayName"].as_str(), item.display_name.as_deref());
        assert_eq!(payload["id"].as_str(), item.external_id.as_deref());
    }
    let absent = block_on(stage.system.inventory_payload(ws, other, "nothing"));
    assert!(matches!(absent, Err(OperationError::NotFound { what: "item", .. })));

    let snapshot = must(block_on(stage.system.profile(ws, profile))).active_snapshot.unwrap();
    let list = |after: Option<&Position>, limit| {
        block_on(stage.system.snapshot_items(ws, profile, snapshot, None, after, limit))
    };
    let held = all(1_000, list);
    assert_eq!(held.len(), 11);
    for limit in 1..=12 {
        assert_eq!(all(limit, list), held);
    }
    for item in &held {
        let payload = block_on(stage.system.snapshot_payload(ws, profile, snapshot, &item.item_id));
        let payload = must(payload);
        assert_eq!(payload["displayName"].as_str(), item.display_name.as_deref());
        assert!(payload.get("id").is_none(), "a baseline holds no ids");
        let text = serde_json::to_string(item).unwrap();
        assert!(!text.contains("5e11ab1e") && !text.contains(&golden.to_string()), "{text}");
    }
    let place = must(list(None, 1)).next;
    let wrong = block_on(stage.system.inventory_items(ws, other, None, place.as_ref(), 1));
    assert!(matches!(wrong, Err(OperationError::Invalid(_))));
    // A tenant that was never read has nothing yet; one of elsewhere is not there.
    let empty = stage.tenant("Empty");
    assert!(
        must(block_on(stage.system.inventory_items(ws, empty, None, None, 5))).items.is_empty()
    );
}
