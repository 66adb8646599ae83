//! Throughput of reading and comparing, in memory and on one core (reading) or both (the second pass).
//!
//! Documents are policies of about 6 KB in the shape of a full export. Figures to hold: 50,000 documents
//! a second on one core; nothing grows with the square of anything.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use plumbline_governance::compare::{CompareOptions, Payloads, compare};
use plumbline_governance::inventory::{Inventory, Reader, SideName};
use plumbline_governance::report::Report;
use plumbline_governance::subject::Source;
use plumbline_policy::policy::Payload;
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;

fn reader() -> Reader {
    Reader {
        key: SecretKey::new("bench", [1; 32]),
        localiser: Localiser::new(&TenantFacts::default()),
        annotations: false,
    }
}

/// A settings catalog policy as Graph sends it, with `settings` settings of choice and text.
fn policy(name: usize, salt: usize, settings: usize) -> Vec<u8> {
    let mut out = format!(
        "{{\"@odata.context\":\"https://graph.microsoft.com/beta/$metadata#deviceManagement/configurationPolicies/$entity\",\
         \"id\":\"{name:08x}-0000-4000-8000-{salt:012x}\",\"createdDateTime\":\"2026-01-01T00:00:00Z\",\"description\":\"\",\
         \"name\":\"Win - Area {name} - Policy\",\"platforms\":\"windows10\",\"technologies\":\"mdm\",\"roleScopeTagIds\":[\"0\"],\
         \"settingCount\":{settings},\"templateReference\":{{\"templateId\":\"\",\"templateFamily\":\"none\"}},\"settings\":["
    );
    for setting in 0..settings {
        let comma = if setting == 0 { "" } else { "," };
        let id = format!("device_vendor_msft_policy_config_area{name}_setting{setting}");
        let _ = write!(
            out,
            "{comma}{{\"id\":\"{setting}\",\"settingInstance\":{{\"@odata.type\":\"#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance\",\
             \"settingDefinitionId\":\"{id}\",\"settingInstanceTemplateReference\":null,\"choiceSettingValue\":{{\
             \"settingValueTemplateReference\":null,\"value\":\"{id}_{}\",\"children\":[]}}}}}}",
            (setting + salt) % 2
        );
    }
    out.push_str("]}");
    out.into_bytes()
}

struct Memory(BTreeMap<String, Vec<u8>>, Reader);

impl Memory {
    fn new(policies: impl Iterator<Item = (usize, Vec<u8>)>) -> Self {
        let files =
            policies.map(|(n, bytes)| (format!("settingsCatalogPolicy/{n:06}.json"), bytes));
        Self(files.collect(), reader())
    }

    fn inventory(&self) -> Inventory {
        let readings = self.0.iter().map(|(file, bytes)| self.1.read_file(file, bytes));
        Inventory::gather("memory".to_owned(), false, true, readings)
    }
}

struct Sides(Memory, Memory);

impl Sides {
    fn side(&self, side: SideName) -> &Memory {
        match side {
            SideName::Baseline => &self.0,
            SideName::Current => &self.1,
        }
    }

    fn compare(&self, golden: &Inventory, other: &Inventory) -> Report {
        compare(golden, other, &CompareOptions::default(), self)
    }
}

impl Payloads for Sides {
    fn payload(&self, side: SideName, source: &Source) -> Option<Cow<'_, Payload<'static>>> {
        let memory = self.side(side);
        memory.1.read_payload(source, memory.0.get(&source.file)?).ok().map(Cow::Owned)
    }

    fn localiser(&self, side: SideName) -> &Localiser {
        &self.side(side).1.localiser
    }
}

fn reading(criterion: &mut Criterion) {
    let files: Vec<Vec<u8>> = (0..500).map(|n| policy(n, 1, 15)).collect();
    let bytes: usize = files.iter().map(Vec::len).sum();
    let reader = reader();
    let mut group = criterion.benchmark_group("read, one core");
    group.throughput(Throughput::ElementsAndBytes {
        elements: files.len() as u64,
        bytes: bytes as u64,
    });
    group.bench_function(format!("500 documents of {} bytes", bytes / files.len()), |bencher| {
        bencher.iter(|| {
            for bytes in &files {
                black_box(reader.read_file("settingsCatalogPolicy/a.json", bytes));
            }
        });
    });
    group.finish();
}

fn comparing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compare, read before");
    group.sample_size(10);
    let mut case = |name: &str, sides: Sides| {
        let (golden, other) = (sides.0.inventory(), sides.1.inventory());
        group.throughput(Throughput::Elements(
            (golden.subjects.len() + other.subjects.len()) as u64,
        ));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || (),
                |()| black_box(sides.compare(&golden, &other)),
                BatchSize::PerIteration,
            );
        });
    };
    let side = |range: std::ops::Range<usize>, salt: &dyn Fn(usize) -> usize, settings: usize| {
        Memory::new(range.map(|n| (n, policy(n, salt(n), settings))))
    };
    let same = |_: usize| 2;
    case(
        "5,000 policies, none changed",
        Sides(side(0..5_000, &same, 13), side(0..5_000, &same, 13)),
    );
    case(
        "5,000 policies, 1 % changed",
        Sides(side(0..5_000, &same, 13), side(0..5_000, &|n| 2 + usize::from(n % 100 == 0), 13)),
    );
    case(
        "50,000 subjects of one type",
        Sides(side(0..50_000, &same, 1), side(0..50_000, &same, 1)),
    );
    case(
        "10,000 without a partner on either side",
        Sides(side(0..10_000, &same, 3), side(20_000..30_000, &same, 3)),
    );
    case(
        "one policy of 5,000 settings",
        Sides(side(0..1, &same, 5_000), side(0..1, &|_| 3, 5_000)),
    );
    group.finish();
}

criterion_group!(benches, reading, comparing);
criterion_main!(benches);
