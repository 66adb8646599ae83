//! The invariants, checked over the rows and objects as they are stored: whatever happened before, none
//! of these may ever be broken. Nothing here uses the code that wrote them.

use crate::stage::Stage;
use futures::executor::block_on;
use plumbline_policy::digest::Digest;
use plumbline_ports::{ObjectKey, Record};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// A row, unpacked: partition, sort key, and the body.
struct Row {
    pk: String,
    sk: String,
    body: Value,
}

/// Looks at every row and object, and says what is broken.
#[must_use]
pub fn broken(stage: &Stage) -> Vec<String> {
    let mut out = Vec::new();
    let rows: Vec<Row> =
        stage.dump().iter().filter_map(|row| unpack(stage, row, &mut out)).collect();
    let mut check = Check { stage, rows: &rows, out: &mut out };
    check.pointers();
    check.runs();
    check.findings();
    check.postures();
    check.owners();
    check.audit();
    out
}

/// Panics with everything that is broken.
///
/// # Panics
/// When an invariant is broken.
pub fn assert_whole(stage: &Stage, when: &str) {
    let broken = broken(stage);
    assert!(broken.is_empty(), "{when}: {broken:#?}");
}

/// The body of a row as JSON, whether it is compressed or not; `None` when it is neither.
#[must_use]
pub fn body_of(record: &Record) -> Option<Value> {
    let plain = plumbline_operations::record_as_json(&record.body).ok()?;
    serde_json::from_slice(&plain).ok()
}

fn unpack(stage: &Stage, record: &Record, out: &mut Vec<String>) -> Option<Row> {
    let place = format!("{} {}", record.key.pk, record.key.sk);
    let Some(mut body) = body_of(record) else {
        out.push(format!("{place} is no JSON"));
        return None;
    };
    if let Some(spilled) = body.get("spilled").cloned() {
        let folder = spilled["folder"].as_str().unwrap_or_default().to_owned();
        let digest = spilled["digest"].as_str().unwrap_or_default().to_owned();
        match object(stage, &folder, &digest) {
            Some(bytes) => body["row"] = serde_json::from_slice(&bytes).unwrap_or_default(),
            None => {
                out.push(format!("I4: {place} spilled to {folder}/{digest}, which is not there"));
            }
        }
    }
    let row = body.get("row").cloned().unwrap_or_default();
    Some(Row { pk: record.key.pk.clone(), sk: record.key.sk.clone(), body: row })
}

/// The bytes of an object, checked.
fn object(stage: &Stage, folder: &str, digest: &str) -> Option<Vec<u8>> {
    let key = ObjectKey::new(folder, digest.parse().ok()?).ok()?;
    block_on(stage.raw.objects.get(&key)).ok()?
}

/// The content of a compressed object.
fn document(stage: &Stage, folder: &str, digest: &str) -> Option<Value> {
    let bytes = object(stage, folder, digest)?;
    let plain = zstd::stream::decode_all(bytes.as_slice()).ok()?;
    serde_json::from_slice(&plain).ok()
}

struct Check<'c> {
    stage: &'c Stage,
    rows: &'c [Row],
    out: &'c mut Vec<String>,
}

impl Check<'_> {
    fn of<'r>(rows: &'r [Row], prefix: &'static str) -> impl Iterator<Item = &'r Row> {
        rows.iter().filter(move |row| row.sk.starts_with(prefix))
    }

    fn text<'v>(value: &'v Value, member: &str) -> &'v str {
        value[member].as_str().unwrap_or_default()
    }

    /// I4: whatever a row points to is there, whole, and frames lie in their packs.
    fn pointers(&mut self) {
        let rows = self.rows;
        for row in rows {
            let tenant = Self::text(&row.body, "tenant").to_owned();
            let workspace = Self::text(&row.body, "workspace").to_owned();
            let own = format!("ws/{workspace}/ten/{tenant}");
            if row.sk == "STATE" {
                self.index(&row.sk, &own, Self::text(&row.body, "index"));
            }
            if row.sk.starts_with("SNAPSHOT#") {
                for digest in row.body["indexes"].as_object().into_iter().flatten() {
                    let digest = digest.1.as_str().unwrap_or_default();
                    self.index(&row.sk, &format!("ws/{workspace}/baseline"), digest);
                }
            }
            if row.sk.starts_with("FINDING#") && !row.body["evidence"].is_null() {
                self.frame(&row.sk, &format!("{own}/evidence"), &row.body["evidence"]);
            }
            if row.sk.starts_with("PROFILE#")
                && let Some(snapshot) = row.body["active_snapshot"].as_str()
            {
                let sk = format!("SNAPSHOT#{}#{snapshot}", Self::text(&row.body, "id"));
                if !rows.iter().any(|other| other.sk == sk) {
                    self.out.push(format!("I4: the active {sk} is not there"));
                }
            }
            let queued = Self::text(&row.body, "status") != "completed";
            if row.sk.starts_with("RUN#")
                && queued
                && let Some(index) = row.body["context"]["state_index"].as_str()
            {
                self.index(&row.sk, &own, index);
            }
        }
    }

    fn index(&mut self, who: &str, own: &str, digest: &str) {
        let Some(index) = document(self.stage, &format!("{own}/index"), digest) else {
            self.out.push(format!(
                "I4: {who} names the index {own}/index/{digest}, which is not there"
            ));
            return;
        };
        let entries = index["entries"].as_array().cloned().unwrap_or_default();
        for entry in &entries {
            self.frame(who, &format!("{own}/pack"), &entry["frame"]);
        }
    }

    fn frame(&mut self, who: &str, folder: &str, frame: &Value) {
        let pack = Self::text(frame, "pack");
        let Some(bytes) = object(self.stage, folder, pack) else {
            self.out.push(format!("I4: {who} names the pack {folder}/{pack}, which is not there"));
            return;
        };
        let number = |member: &str| {
            frame[member]
                .as_u64()
                .and_then(|number| usize::try_from(number).ok())
                .unwrap_or(usize::MAX)
        };
        let part = bytes.get(number("offset")..).and_then(|rest| rest.get(..number("length")));
        let plain = part.and_then(|part| zstd::stream::decode_all(part).ok());
        let right = plain
            .is_some_and(|plain| Digest::of(&plain).to_string() == Self::text(frame, "payload"));
        if !right {
            self.out.push(format!("I5: a frame of {who} in {folder}/{pack} holds something else"));
        }
    }

    /// I1, I10: a completed run has an outcome and, unless it succeeded, a reason; a guard names a run
    /// that is active, and nobody else's.
    fn runs(&mut self) {
        let rows = self.rows;
        for row in Self::of(rows, "RUN#") {
            if Self::text(&row.body, "status") == "completed" {
                let outcome = Self::text(&row.body, "outcome");
                let reason = Self::text(&row.body["failure"], "message");
                if outcome.is_empty() || outcome == "pending" {
                    self.out.push(format!("I1: {} ended without an outcome", row.sk));
                }
                if (outcome == "succeeded") != reason.is_empty() {
                    self.out.push(format!("I1: {} ended {outcome}, reason `{reason}`", row.sk));
                }
            }
        }
        for guard in Self::of(rows, "ACTIVE#") {
            let Some(active) = guard.body["active"].as_str() else { continue };
            let sk = format!("RUN#{active}");
            // The guard of a capture stands in the workspace and names the tenant of the run.
            let (workspace, tenant) =
                (Self::text(&guard.body, "workspace"), Self::text(&guard.body, "tenant"));
            let pk = format!("WS#{workspace}#TEN#{tenant}");
            match rows.iter().find(|row| row.pk == pk && row.sk == sk) {
                None => self
                    .out
                    .push(format!("I1: {} is held by {active}, which is not there", guard.sk)),
                Some(run) if Self::text(&run.body, "status") == "completed" => {
                    self.out.push(format!("I1: {} is held by {active}, which ended", guard.sk));
                }
                Some(_) => {}
            }
        }
    }

    /// I2: one row a recurrence key (or twin) and occurrence, the occurrences from 1 without a hole, and
    /// all but the last of them closed.
    fn findings(&mut self) {
        let mut occurrences: BTreeMap<(String, String), Vec<(u64, String)>> = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for row in Self::of(self.rows, "FINDING#") {
            let key = row.body["twin"].as_str().unwrap_or(Self::text(&row.body, "recurrence_key"));
            let occurrence = row.body["occurrence"].as_u64().unwrap_or_default();
            if row.sk != format!("FINDING#{key}#{occurrence:06}") {
                self.out.push(format!("I2: {} holds another row", row.sk));
            }
            if !ids.insert(Self::text(&row.body, "id").to_owned()) {
                self.out.push(format!("I2: the id of {} is another's", row.sk));
            }
            occurrences
                .entry((row.pk.clone(), key.to_owned()))
                .or_default()
                .push((occurrence, Self::text(&row.body, "status").to_owned()));
        }
        for ((_, key), mut rows) in occurrences {
            rows.sort();
            for (at, (occurrence, status)) in rows.iter().enumerate() {
                if *occurrence != at as u64 + 1 {
                    self.out.push(format!("I2: occurrence {occurrence} of {key} is number {at}"));
                }
                if at + 1 < rows.len() && status != "closed" {
                    self.out.push(format!(
                        "I2: occurrence {occurrence} of {key} is {status}, and not the last"
                    ));
                }
            }
        }
    }

    /// I3, F22: a tenant's counts are those of its rows, and the run they name has ended.
    fn postures(&mut self) {
        let rows = self.rows;
        for posture in Self::of(rows, "POSTURE") {
            let findings = || Self::of(rows, "FINDING#").filter(|row| row.pk == posture.pk);
            for (status, count) in posture.body["by_status"].as_object().into_iter().flatten() {
                let found =
                    findings().filter(|row| Self::text(&row.body, "status") == status).count();
                if count.as_u64() != Some(found as u64) {
                    self.out.push(format!(
                        "I3: {} counts {count} {status}, and there are {found}",
                        posture.pk
                    ));
                }
            }
            for (severity, count) in
                posture.body["open_by_severity"].as_object().into_iter().flatten()
            {
                let found = findings()
                    .filter(|row| {
                        matches!(
                            Self::text(&row.body, "status"),
                            "new" | "acknowledged" | "reopened"
                        ) && Self::text(&row.body["drift"], "severity") == severity
                    })
                    .count();
                if count.as_u64() != Some(found as u64) {
                    self.out.push(format!(
                        "I3: {} counts {count} open of {severity}, and there are {found}",
                        posture.pk
                    ));
                }
            }
            if let Some(run) = posture.body["run"].as_str() {
                let sk = format!("RUN#{run}");
                // A run may have expired; one that is there has ended.
                let ended = rows
                    .iter()
                    .find(|row| row.pk == posture.pk && row.sk == sk)
                    .is_none_or(|row| Self::text(&row.body, "status") == "completed");
                if !ended {
                    self.out.push(format!(
                        "I3: {} is summed up by {run}, which has not ended",
                        posture.pk
                    ));
                }
            }
        }
    }

    /// The audit is a chain: numbered without a hole, each entry with the digest of the bytes of the one
    /// before it, and the head with that of the last.
    fn audit(&mut self) {
        let mut last = (0, None);
        for record in self.stage.audit() {
            let place = format!("{} {}", record.key.pk, record.key.sk);
            let plain = plumbline_operations::record_as_json(&record.body).unwrap_or_default();
            let parts: BTreeMap<String, Box<RawValue>> =
                serde_json::from_slice(&plain).unwrap_or_default();
            let Some(bytes) = parts.get("row") else {
                self.out.push(format!("audit: {place} holds no entry"));
                continue;
            };
            let entry: Value = serde_json::from_str(bytes.get()).unwrap_or_default();
            if entry["sequence"].as_u64() != Some(last.0 + 1) {
                self.out.push(format!("audit: {place} does not come after number {}", last.0));
            }
            if entry["previous"].as_str() != last.1.as_deref() {
                self.out.push(format!("audit: {place} does not name the entry before it"));
            }
            last = (last.0 + 1, Some(Digest::of(bytes.get().as_bytes()).to_string()));
        }
        let heads = self.rows.iter().filter(|row| row.sk == "AUDIT_HEAD");
        let heads: Vec<_> = heads.map(|row| (&row.body["sequence"], &row.body["digest"])).collect();
        if heads != [(&Value::from(last.0), &Value::from(last.1))] {
            self.out
                .push(format!("audit: the head is {heads:?}, and the last entry is {}", last.0));
        }
    }

    /// I7: every row of a tenant's partition says that it is this tenant's, and so does every key.
    fn owners(&mut self) {
        for row in self.rows {
            let workspace = Self::text(&row.body, "workspace");
            let tenant = Self::text(&row.body, "tenant");
            if let Some((of, ten)) =
                row.pk.strip_prefix("WS#").and_then(|rest| rest.split_once("#TEN#"))
                && (workspace != of || tenant != ten)
            {
                self.out.push(format!("I7: {} {} belongs to {workspace} {tenant}", row.pk, row.sk));
            }
        }
    }
}

/// The runs of the workspace that have not ended.
#[must_use]
pub fn pending_runs(stage: &Stage) -> Vec<String> {
    stage
        .dump()
        .iter()
        .filter(|row| row.key.sk.starts_with("RUN#"))
        .filter_map(body_of)
        .filter(|body| body["row"]["status"].as_str() != Some("completed"))
        .map(|body| body["row"].to_string())
        .collect()
}

/// What must not be left once everything has come to rest: open findings of a profile that the tenant is
/// not held to, or accepted ones of it that count as there, and rows of the outbox.
#[must_use]
pub fn unrest(stage: &Stage) -> Vec<String> {
    let mut out = Vec::new();
    let rows: Vec<Row> =
        stage.dump().iter().filter_map(|row| unpack(stage, row, &mut out)).collect();
    for row in rows.iter().filter(|row| row.sk.starts_with("FINDING#")) {
        let status = row.body["status"].as_str().unwrap_or_default();
        let held = rows.iter().any(|other| {
            other.pk == row.pk
                && other.sk == "ASSIGNMENT"
                && other.body["profile"] == row.body["profile"]
        });
        let is_away = status == "accepted" && !row.body["absent_since"].is_null();
        if !held && !is_away && !matches!(status, "resolved" | "closed") {
            out.push(format!(
                "{} {} is {status}, and the tenant is not held to its profile",
                row.pk, row.sk
            ));
        }
    }
    out.extend(
        rows.iter()
            .filter(|row| row.pk.starts_with("OUTBOX"))
            .map(|row| format!("{} {} still waits: {}", row.pk, row.sk, row.body)),
    );
    out
}

/// What an object holds, to be searched: its bytes as they are, and its frames unpacked.
#[must_use]
pub fn texts(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut rest = bytes;
    while rest.len() >= 4 {
        let Ok(size) = zstd::zstd_safe::find_frame_compressed_size(rest) else { break };
        if let Ok(plain) = zstd::stream::decode_all(&rest[..size]) {
            out.push(b'\n');
            out.extend(plain);
        }
        rest = &rest[size..];
    }
    out
}
