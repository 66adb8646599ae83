//! The compare of role definitions: a tenant with 2,000 custom roles of 200 actions, read before. Payloads
//! are given as the compare of a tenant gives them: they were read from the store.
//!
//! Figure to hold: 100 ms on one core, also where every role drifted. Where all were made again under other
//! ids, 4,000 roles stand on one side alone and each is evidence as a whole; that takes more. To measure on
//! one core:
//! `taskset -c 0 cargo bench -p plumbline-governance --bench roles`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plumbline_governance::compare::{CompareOptions, Payloads, compare};
use plumbline_governance::inventory::{Inventory, Reader, SideName};
use plumbline_governance::report::Report;
use plumbline_governance::subject::Source;
use plumbline_policy::policy::Payload;
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hint::black_box;

const ROLES: usize = 2_000;
const ACTIONS: usize = 200;
/// Verbs that a resource has, some of them privileged.
const VERBS: [&str; 5] = ["Read", "Create", "Update", "Delete", "Assign"];

/// Which roles a side holds, and how.
#[derive(Clone, Copy)]
struct Written {
    /// The first number of an id.
    ids: usize,
    /// One in so many roles grants an action more; 0: none.
    wider: usize,
}

/// A custom role as beta writes it.
fn role(number: usize, how: Written) -> Vec<u8> {
    // No two roles grant the same.
    let mut actions: Vec<String> = (0..ACTIONS)
        .map(|at| {
            let (resource, verb) =
                ((number + at) / VERBS.len(), VERBS[(number + at) % VERBS.len()]);
            format!("Microsoft.Intune_Resource{resource}_{verb}")
        })
        .collect();
    if how.wider > 0 && number.is_multiple_of(how.wider) {
        actions.push("Microsoft.Intune_RemoteTasks_Wipe".to_owned());
    }
    json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/roleDefinitions/$entity",
        "id": format!("{:08x}-0000-4000-8000-000000000000", how.ids + number),
        "displayName": format!("Role {number}"), "description": "", "isBuiltIn": false,
        "rolePermissions": [{ "resourceActions": [
            { "allowedResourceActions": actions, "notAllowedResourceActions": [] }
        ] }],
        "roleScopeTagIds": ["0"],
    })
    .to_string()
    .into_bytes()
}

struct Side {
    inventory: Inventory,
    payloads: BTreeMap<String, Payload<'static>>,
    localiser: Localiser,
}

impl Side {
    fn new(how: Written) -> Self {
        let reader = Reader {
            key: SecretKey::new("bench", [1; 32]),
            localiser: Localiser::new(&TenantFacts::default()),
            annotations: false,
        };
        let files: Vec<(String, Vec<u8>)> =
            (0..ROLES).map(|number| (format!("{number:06}.json"), role(number, how))).collect();
        let readings = files.iter().map(|(file, bytes)| reader.read_file(file, bytes));
        let inventory = Inventory::gather("memory".to_owned(), false, true, readings);
        let payload = |(file, bytes): &(String, Vec<u8>)| {
            let source = Source { file: file.clone(), index: 0 };
            Some((file.clone(), reader.read_payload(&source, bytes).ok()?))
        };
        let payloads = files.iter().filter_map(payload).collect();
        Self { inventory, payloads, localiser: reader.localiser }
    }
}

struct Both(Side, Side);

impl Both {
    fn side(&self, side: SideName) -> &Side {
        match side {
            SideName::Baseline => &self.0,
            SideName::Current => &self.1,
        }
    }

    fn compare(&self) -> Report {
        compare(&self.0.inventory, &self.1.inventory, &CompareOptions::default(), self)
    }
}

impl Payloads for Both {
    fn payload(&self, side: SideName, source: &Source) -> Option<Cow<'_, Payload<'static>>> {
        self.side(side).payloads.get(&source.file).map(Cow::Borrowed)
    }

    fn localiser(&self, side: SideName) -> &Localiser {
        &self.side(side).localiser
    }
}

fn comparing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("2,000 custom roles of 200 actions");
    group.sample_size(10);
    group.throughput(Throughput::Elements(2 * ROLES as u64));
    let same = Written { ids: 0, wider: 0 };
    for (name, other, drifts) in [
        ("none changed", same, 0),
        ("1 % wider", Written { wider: 100, ..same }, ROLES / 100),
        ("all wider", Written { wider: 1, ..same }, ROLES),
        ("all made again under other ids", Written { ids: ROLES, ..same }, 2 * ROLES),
    ] {
        let both = Both(Side::new(same), Side::new(other));
        assert_eq!(both.compare().drift.len(), drifts, "{name}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(both.compare()));
        });
    }
    group.finish();
}

criterion_group!(benches, comparing);
criterion_main!(benches);
