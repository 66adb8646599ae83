//! What holds of every adapter of [`Objects`].

#![expect(
    clippy::missing_panics_doc,
    reason = "a rule that does not hold panics; nothing else does"
)]
#![expect(clippy::unwrap_used, reason = "a rule that does not hold panics")]

use crate::objects::{Listed, MAX_OBJECT_BYTES};
use crate::{ObjectKey, Objects, PortError, PutOutcome};
use futures::executor::block_on;
use futures::future::join_all;

/// Runs every rule.
pub async fn all(objects: &dyn Objects) {
    objects_come_back(objects).await;
    missing_objects_are_none(objects).await;
    a_second_put_finds_the_first(objects).await;
    a_wrong_digest_is_refused_before_writing(objects).await;
    too_many_bytes_are_refused(objects).await;
    folders_are_apart(objects).await;
    ranges(objects).await;
    listings_are_in_order(objects).await;
    bad_listings_are_refused(objects).await;
    deleted_objects_are_gone(objects).await;
    puts_at_one_time_all_succeed(objects).await;
}

fn key(folder: &str, bytes: &[u8]) -> ObjectKey {
    ObjectKey::of(folder, bytes).unwrap()
}

async fn put(objects: &dyn Objects, folder: &str, bytes: &[u8]) -> ObjectKey {
    let key = key(folder, bytes);
    objects.put(&key, bytes.to_vec()).await.unwrap();
    key
}

/// Bytes come back as they were, the empty object and a large one too.
pub async fn objects_come_back(objects: &dyn Objects) {
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    for bytes in [b"".as_slice(), b"{}", &[0, 255, 10, 13], &large] {
        let key = key("conform/back", bytes);
        assert_eq!(objects.put(&key, bytes.to_vec()).await, Ok(PutOutcome::Created));
        let found = objects.get(&key).await.unwrap();
        assert!(found.as_deref() == Some(bytes), "{} bytes", bytes.len());
    }
}

/// What was never put is not there, which is no error.
pub async fn missing_objects_are_none(objects: &dyn Objects) {
    let key = key("conform/missing", b"nobody");
    assert_eq!(objects.get(&key).await, Ok(None));
    assert_eq!(objects.get_range(&key, 0, 1).await, Ok(None));
}

/// The same bytes again are a success that says so.
pub async fn a_second_put_finds_the_first(objects: &dyn Objects) {
    let key = key("conform/twice", b"twice");
    assert_eq!(objects.put(&key, b"twice".to_vec()).await, Ok(PutOutcome::Created));
    assert_eq!(objects.put(&key, b"twice".to_vec()).await, Ok(PutOutcome::AlreadyThere));
    assert_eq!(objects.get(&key).await, Ok(Some(b"twice".to_vec())));
}

/// Bytes that do not belong to the key are refused; what was there stays, and nothing new is there.
pub async fn a_wrong_digest_is_refused_before_writing(objects: &dyn Objects) {
    let right = key("conform/wrong", b"right");
    for before in [None, Some(b"right".to_vec())] {
        let told = objects.put(&right, b"wrong".to_vec()).await;
        assert!(matches!(told, Err(PortError::Corrupt { .. })), "{told:?}");
        assert_eq!(objects.get(&right).await, Ok(before));
        objects.put(&right, b"right".to_vec()).await.unwrap();
    }
}

/// The limit of an object holds.
pub async fn too_many_bytes_are_refused(objects: &dyn Objects) {
    let bytes = vec![0; MAX_OBJECT_BYTES + 1];
    let key = key("conform/large", b"never");
    let told = objects.put(&key, bytes).await;
    assert!(matches!(told, Err(PortError::Refused { .. })), "{told:?}");
    assert_eq!(objects.list("conform/large", None, 10).await.unwrap().objects, []);
}

/// The same bytes in two folders are two objects.
pub async fn folders_are_apart(objects: &dyn Objects) {
    let here = put(objects, "conform/here", b"same").await;
    let there = key("conform/there", b"same");
    assert_eq!(objects.get(&there).await, Ok(None));
    assert_eq!(objects.put(&there, b"same".to_vec()).await, Ok(PutOutcome::Created));
    objects.delete(&here).await.unwrap();
    assert_eq!(objects.get(&there).await, Ok(Some(b"same".to_vec())));
}

/// Parts are exact, and a part that is not all there is damage.
pub async fn ranges(objects: &dyn Objects) {
    let key = put(objects, "conform/ranges", b"0123456789").await;
    for (offset, length, expected) in
        [(0, 10, "0123456789"), (0, 1, "0"), (3, 4, "3456"), (9, 1, "9"), (5, 5, "56789")]
    {
        let found = objects.get_range(&key, offset, length).await;
        assert_eq!(found, Ok(Some(expected.into())), "{length} from {offset}");
    }
    for (offset, length) in
        [(0, 11), (9, 2), (10, 1), (11, 1), (1_000, 1), (1, u64::MAX), (u64::MAX, 2)]
    {
        let told = objects.get_range(&key, offset, length).await;
        assert!(matches!(told, Err(PortError::Corrupt { .. })), "{length} from {offset}: {told:?}");
    }
}

async fn pages(objects: &dyn Objects, folder: &str, limit: usize) -> Vec<Listed> {
    let (mut out, mut after) = (Vec::new(), None);
    // More pages than there are objects here.
    for _ in 0..10_000 {
        let page = objects.list(folder, after.as_ref(), limit).await.unwrap();
        assert!(
            page.objects.len() <= limit,
            "{} objects, but {limit} were asked",
            page.objects.len()
        );
        out.extend(page.objects);
        match page.next {
            Some(next) => after = Some(next),
            None => return out,
        }
    }
    panic!("paging does not end: {folder}, pages of {limit}");
}

/// Listings are whole, in the order of the keys' text, and inside the folder, whatever the pages.
pub async fn listings_are_in_order(objects: &dyn Objects) {
    // Folders that are each other's beginnings, and some named like the first digits of a digest.
    let folders =
        ["a", "a/0", "a/00", "a/7f", "a/7f/7f", "a/7fff", "a/b", "a/ff", "a/x", "a0", "ab"];
    let mut expected = Vec::new();
    for folder in folders {
        let folder = format!("conform/list/{folder}");
        for number in 0..30 {
            let bytes = vec![b'x'; number];
            let key = put(objects, &folder, &bytes).await;
            expected.push(Listed { key, bytes: number as u64 });
        }
    }
    expected.sort_by_key(|listed| listed.key.to_string());
    for folder in ["conform/list", "conform/list/a", "conform/list/a/7f", "conform/list/ab"] {
        let inside = format!("{folder}/");
        let expected: Vec<Listed> = expected
            .iter()
            .filter(|listed| listed.key.to_string().starts_with(&inside))
            .cloned()
            .collect();
        for limit in [1, 7, 30, 1_000] {
            assert_eq!(pages(objects, folder, limit).await, expected, "{folder}, pages of {limit}");
        }
    }
    assert_eq!(pages(objects, "conform/list/nobody", 10).await, []);
    // Going on behind an object that is gone.
    let gone = &expected[4].key;
    objects.delete(gone).await.unwrap();
    let page = objects.list("conform/list", Some(gone), 1).await.unwrap();
    assert_eq!(page.objects, expected[5..6]);
}

/// Listings without a folder, out of the folders, or of nothing are refused.
pub async fn bad_listings_are_refused(objects: &dyn Objects) {
    for (folder, limit) in [("", 1), ("..", 1), ("/", 1), ("conform/", 1), ("conform", 0)] {
        let told = objects.list(folder, None, limit).await;
        assert!(matches!(told, Err(PortError::Refused { .. })), "`{folder}`, {limit}: {told:?}");
    }
}

/// A deleted object is gone, can be deleted again, and can be put again.
pub async fn deleted_objects_are_gone(objects: &dyn Objects) {
    let key = put(objects, "conform/delete", b"gone").await;
    objects.delete(&key).await.unwrap();
    assert_eq!(objects.get(&key).await, Ok(None));
    assert_eq!(objects.list("conform/delete", None, 10).await.unwrap().objects, []);
    objects.delete(&key).await.unwrap();
    assert_eq!(objects.put(&key, b"gone".to_vec()).await, Ok(PutOutcome::Created));
    assert_eq!(objects.get(&key).await, Ok(Some(b"gone".to_vec())));
}

/// Many writers of the same bytes all succeed; calls run side by side in one task.
pub async fn puts_at_one_time_all_succeed(objects: &dyn Objects) {
    for round in 0..20_u32 {
        let bytes = format!("race {round}").into_bytes();
        let key = key("conform/race", &bytes);
        let told = join_all((0..12).map(|_| objects.put(&key, bytes.clone()))).await;
        assert!(told.iter().all(Result::is_ok), "{told:?}");
        assert_eq!(objects.get(&key).await, Ok(Some(bytes)));
    }
}

/// As [`puts_at_one_time_all_succeed`], on threads and with readers between them; for adapters that need
/// no runtime.
pub fn puts_on_threads_all_succeed(objects: &dyn Objects) {
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                for round in 0..50_u32 {
                    let bytes = format!("threads {round}").into_bytes().repeat(500);
                    let key = key("conform/threads", &bytes);
                    let found = block_on(objects.get(&key)).unwrap();
                    assert!(
                        found.is_none_or(|found| found == bytes),
                        "an object is whole or not there"
                    );
                    block_on(objects.put(&key, bytes.clone())).unwrap();
                    assert_eq!(block_on(objects.get(&key)), Ok(Some(bytes)));
                }
            });
        }
    });
}
