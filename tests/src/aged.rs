//! Makes what is stored look as if a program of older rules had made it.

use crate::check::body_of;
use crate::stage::must;
use futures::executor::block_on;
use plumbline_governance::ids::WorkspaceId;
use plumbline_governance::index::SnapshotIndex;
use plumbline_operations::System;
use plumbline_policy::digest::Digest;
use plumbline_ports::{Batch, Condition, ObjectKey, Ports, Query, Record};
use serde_json::{Value, json};

struct Stored<'p> {
    ports: &'p Ports,
}

impl Stored<'_> {
    fn rows(&self, pk: &str, sk: &str) -> Vec<Record> {
        must(block_on(self.ports.records.query_all(Query::prefix(pk, sk))))
    }

    fn rewrite(&self, record: &Record, change: impl FnOnce(&mut Value)) {
        let mut body = body_of(record).unwrap_or_default();
        change(&mut body["row"]);
        let body = body.to_string().into_bytes();
        let next = Record { body, revision: record.revision + 1, ..record.clone() };
        must(block_on(self.ports.records.commit(Batch::new().put(next, Condition::Always))));
    }

    /// Writes an index again under another version, with other digests.
    fn index(&self, folder: &str, digest: &str) -> (String, Value) {
        let key = must(ObjectKey::new(folder, must(digest.parse())));
        let packed = must(block_on(self.ports.objects.get(&key))).unwrap_or_default();
        let plain = must(zstd::decode_all(&*packed));
        let mut index: Value = must(serde_json::from_slice(&plain));
        index["normaliser_version"] = json!(0);
        for entry in index["entries"].as_array_mut().into_iter().flatten() {
            let old = format!("old {}", entry["facets"]["content"]);
            entry["facets"]["content"] = json!(Digest::of(old.as_bytes()).to_string());
        }
        let packed = must(zstd::bulk::compress(index.to_string().as_bytes(), 3));
        let key = must(ObjectKey::of(folder, &packed));
        must(block_on(self.ports.objects.put(&key, packed)));
        (key.digest().to_string(), index)
    }
}

/// Gives every snapshot, state, memo and finding of a workspace the digests of older rules.
///
/// # Panics
/// When the stores do not answer.
pub fn age(ports: &Ports, workspace: WorkspaceId) {
    let stored = Stored { ports };
    for record in stored.rows(&format!("WS#{workspace}"), "SNAPSHOT#") {
        stored.rewrite(&record, |row| {
            let folder = format!("ws/{workspace}/baseline/index");
            let (old, index) = stored.index(&folder, text(&row["indexes"]["1"]));
            let index: SnapshotIndex = must(serde_json::from_value(index));
            row["snapshot_identity_hash"] = json!(index.identity().to_string());
            row["indexes"] = json!({ "0": old });
        });
    }
    for tenant in must(block_on(System::new(ports.clone()).tenants(workspace))) {
        let pk = format!("WS#{workspace}#TEN#{}", tenant.id);
        for record in stored.rows(&pk, "STATE") {
            stored.rewrite(&record, |row| {
                let folder = format!("ws/{workspace}/ten/{}/index", tenant.id);
                row["index"] = json!(stored.index(&folder, text(&row["index"])).0);
                row["root"] = json!(Digest::of(b"old root").to_string());
                row["normaliser_version"] = json!(0);
            });
        }
        for record in stored.rows(&pk, "ACTIVE#") {
            stored.rewrite(&record, |row| {
                if !row["memo"].is_null() {
                    row["memo"]["key"] = json!(Digest::of(b"old memo").to_string());
                }
            });
        }
        for record in stored.rows(&pk, "FINDING#") {
            stored.rewrite(&record, |row| {
                let name = text(&row["drift"]["display_name"]);
                let old = json!(Digest::of(format!("old {name}").as_bytes()).to_string());
                row["drift"]["fingerprint"] = old.clone();
                if row["status"] == "accepted" {
                    row["fingerprint"] = old;
                }
            });
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
