//! Uploads in parts: kept for a day, in order, and collected after it.

use futures::executor::block_on;
use plumbline_operations::{CollectOptions, Collected, MAX_PARTS, OperationError, Upload};
use plumbline_ports::ObjectKey;
use plumbline_tests::stage::{Stage, must};

fn collect(stage: &Stage) -> Collected {
    let options = CollectOptions { delete: true, ..CollectOptions::default() };
    must(block_on(stage.system.collect(stage.workspace, options)))
}

fn put(stage: &Stage, upload: &Upload, number: u32, bytes: &[u8]) -> Upload {
    let bytes = bytes.to_vec();
    must(block_on(stage.system.put_part(stage.workspace, upload.tenant, upload.id, number, bytes)))
}

#[test]
fn parts_come_in_any_order_and_are_read_in_theirs() {
    let stage = Stage::new();
    let tenant = stage.tenant("One");
    let start = || block_on(stage.system.start_upload(stage.workspace, &stage.actor, tenant));
    let upload = must(start());
    assert!(upload.numbers().unwrap_err().to_string().contains("part 1 "));
    put(&stage, &upload, 3, b"three");
    put(&stage, &upload, 1, b"one, as it was first");
    let whole = put(&stage, &upload, 1, b"one");
    assert!(whole.numbers().unwrap_err().to_string().contains("part 2 "));
    let whole = put(&stage, &upload, 2, b"two");
    assert_eq!(whole.numbers().unwrap(), [1, 2, 3]);
    assert_eq!(whole.bytes(), 11);
    assert_eq!(must(block_on(stage.system.upload(stage.workspace, tenant, upload.id))), whole);
    let mut joined = Vec::new();
    for number in whole.numbers().unwrap() {
        joined.extend(must(block_on(stage.system.part_bytes(&whole, number))));
    }
    assert_eq!(joined, b"onetwothree");
    let refuse = |number, bytes: Vec<u8>| {
        block_on(stage.system.put_part(stage.workspace, tenant, upload.id, number, bytes))
    };
    for (number, bytes) in [(0, vec![1]), (MAX_PARTS + 1, vec![1]), (1, Vec::new())] {
        assert!(matches!(refuse(number, bytes), Err(OperationError::Invalid(_))));
    }
    must(refuse(MAX_PARTS, vec![1]));
    let other = must(start());
    assert!(other.parts.is_empty());
}

#[test]
fn parts_live_as_long_as_their_upload() {
    let stage = Stage::new();
    let tenant = stage.tenant("One");
    let start = || must(block_on(stage.system.start_upload(stage.workspace, &stage.actor, tenant)));
    let (kept, given_up) = (start(), start());
    put(&stage, &kept, 1, b"kept");
    put(&stage, &given_up, 1, b"given up");
    put(&stage, &given_up, 2, b"kept");
    must(block_on(stage.system.abort_upload(stage.workspace, tenant, given_up.id)));
    let gone = block_on(stage.system.upload(stage.workspace, tenant, given_up.id));
    assert!(matches!(gone, Err(OperationError::NotFound { what: "upload", .. })));
    let late = block_on(stage.system.put_part(stage.workspace, tenant, given_up.id, 1, vec![1]));
    assert!(matches!(late, Err(OperationError::NotFound { .. })));
    // The bytes that another upload has, too, are kept.
    let found = collect(&stage);
    assert_eq!((found.kept.objects, found.doomed.objects), (1, 1));
    // Bytes that come again after they were doomed are whole.
    let again = start();
    put(&stage, &again, 1, b"given up");
    assert_eq!(collect(&stage).kept.objects, 2);
    assert_eq!(must(block_on(stage.system.verify(stage.workspace))).damage, Vec::new());

    stage.wait(24 * 3_600);
    let expired = block_on(stage.system.upload(stage.workspace, tenant, kept.id));
    assert!(matches!(expired, Err(OperationError::NotFound { .. })));
    assert_eq!(collect(&stage).doomed.objects, 2);
    stage.wait(49 * 3_600);
    assert_eq!(collect(&stage).deleted.objects, 2);
}

#[test]
fn a_lost_part_is_named() {
    let stage = Stage::new();
    let tenant = stage.tenant("One");
    let upload = must(block_on(stage.system.start_upload(stage.workspace, &stage.actor, tenant)));
    let upload = put(&stage, &upload, 1, b"one");
    let folder = format!("ws/{}/ten/{tenant}/upload", stage.workspace);
    let key = ObjectKey::new(&folder, upload.parts[&1].digest).unwrap();
    block_on(stage.raw.objects.delete(&key)).unwrap();
    let lost = block_on(stage.system.part_bytes(&upload, 1)).unwrap_err();
    assert!(lost.to_string().contains("send it again"), "{lost}");
    let damage = must(block_on(stage.system.verify(stage.workspace))).damage;
    assert!(damage[0].what.starts_with("the part 1 of the upload upl_"), "{damage:?}");
    put(&stage, &upload, 1, b"one");
    assert_eq!(must(block_on(stage.system.part_bytes(&upload, 1))), b"one");
}
