//! How long a compare of many custom roles takes on one core. Files stand in memory.
//!
//! ```sh
//! cargo bench -p plumbline-tests --bench roles -- 2000 200   # roles, actions of each
//! ```

#![expect(clippy::print_stdout, reason = "a tool that prints")]

use plumbline_governance::compare::{CompareOptions, Payloads, compare};
use plumbline_governance::inventory::{Inventory, Reader, SideName};
use plumbline_governance::subject::Source;
use plumbline_policy::policy::Payload;
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use plumbline_tests::policies::guid;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The changes of a later day: how many roles from the start have another action.
const CHANGED: [u32; 3] = [0, 20, u32::MAX];
const ROUNDS: usize = 11;

struct Side {
    files: BTreeMap<String, Vec<u8>>,
    reader: Reader,
}

impl Side {
    /// Every fifth role of a later day is written in another order, which means nothing.
    fn new(roles: u32, actions: u32, changed: u32) -> Self {
        let file = |number: u32| {
            let from = u32::from(number < changed);
            let mut allowed: Vec<String> = (from..from + actions)
                .map(|one| format!("Microsoft.Intune_Resource{one}_Read"))
                .collect();
            if changed > 0 && number.is_multiple_of(5) {
                allowed.reverse();
            }
            let role = json!({
                "@odata.context":
                    "https://graph.microsoft.com/beta/$metadata#deviceManagement/roleDefinitions/$entity",
                "id": guid(number), "displayName": format!("Role {number}"), "isBuiltIn": false,
                "rolePermissions": [{ "resourceActions": [{ "allowedResourceActions": allowed }] }],
            });
            (format!("{number}.json"), role.to_string().into_bytes())
        };
        let localiser = Localiser::new(&TenantFacts::default());
        let reader =
            Reader { key: SecretKey::new("bench", [7; 32]), localiser, annotations: false };
        Self { files: (0..roles).map(file).collect(), reader }
    }

    fn inventory(&self) -> Inventory {
        let readings = self.files.iter().map(|(file, bytes)| self.reader.read_file(file, bytes));
        Inventory::gather("roles".to_owned(), false, true, readings)
    }
}

struct Both<'s>(&'s Side, &'s Side);

impl Both<'_> {
    fn side(&self, side: SideName) -> &Side {
        match side {
            SideName::Baseline => self.0,
            SideName::Current => self.1,
        }
    }
}

impl Payloads for Both<'_> {
    fn payload(&self, side: SideName, source: &Source) -> Option<Payload<'static>> {
        let side = self.side(side);
        side.reader.read_payload(source, side.files.get(&source.file)?).ok()
    }

    fn localiser(&self, side: SideName) -> &Localiser {
        &self.side(side).reader.localiser
    }
}

/// The middle of several rounds.
fn middle(mut round: impl FnMut()) -> Duration {
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            round();
            started.elapsed()
        })
        .collect();
    took.sort_unstable();
    took[ROUNDS / 2]
}

fn main() -> Result<(), rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global()?;
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse::<u32>().ok());
    let (roles, actions) = (numbers.next().unwrap_or(2_000), numbers.next().unwrap_or(200));
    let golden = Side::new(roles, actions, 0);
    println!("{roles} custom roles of {actions} actions");
    let read = middle(|| drop(golden.inventory()));
    println!("  one side read: {read:.2?}");
    let baseline = golden.inventory();
    for changed in CHANGED {
        let other = Side::new(roles, actions, changed);
        let current = other.inventory();
        let both = Both(&golden, &other);
        let mut drift = 0;
        let took = middle(|| {
            let report = compare(&baseline, &current, &CompareOptions::default(), &both);
            drift = report.drift.len();
        });
        println!("  compare, {drift} with drift: {took:.2?}");
    }
    Ok(())
}
