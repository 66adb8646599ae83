//! What several suites need: compare in memory, and the real policies where they are to be had.

pub mod aged;
pub mod bridge;
pub mod check;
pub mod deploy;
pub mod functions;
pub mod holding;
pub mod ministack;
pub mod policies;
pub mod python;
pub mod stage;

use plumbline_governance::compare::{CompareOptions, Payloads, compare};
use plumbline_governance::inventory::{Inventory, Reader, SideName};
use plumbline_governance::report::Report;
use plumbline_governance::subject::Source;
use plumbline_policy::policy::Payload;
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One side of a compare in memory: files by relative path, and the tenant's facts.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Bytes by relative path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Facts of the tenant.
    pub facts: TenantFacts,
    /// Whether the side is declared complete.
    pub complete: bool,
}

struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    reader: Reader,
}

impl Memory {
    fn new(side: &Files) -> Self {
        let reader = Reader {
            key: SecretKey::new("test", [7; 32]),
            localiser: Localiser::new(&side.facts),
            annotations: false,
        };
        Self { files: side.files.clone(), reader }
    }

    fn inventory(&self, name: &str, side: &Files) -> Inventory {
        let readings = self.files.iter().map(|(file, bytes)| self.reader.read_file(file, bytes));
        Inventory::gather(name.to_owned(), false, side.complete, readings)
    }
}

struct Both(Memory, Memory);

impl Both {
    fn side(&self, side: SideName) -> &Memory {
        match side {
            SideName::Baseline => &self.0,
            SideName::Current => &self.1,
        }
    }
}

impl Payloads for Both {
    fn payload(&self, side: SideName, source: &Source) -> Option<Cow<'_, Payload<'static>>> {
        let memory = self.side(side);
        memory.reader.read_payload(source, memory.files.get(&source.file)?).ok().map(Cow::Owned)
    }

    fn localiser(&self, side: SideName) -> &Localiser {
        &self.side(side).reader.localiser
    }
}

/// Compares two sides in memory.
#[must_use]
pub fn compare_files(baseline: &Files, current: &Files, options: &CompareOptions) -> Report {
    let both = Both(Memory::new(baseline), Memory::new(current));
    let golden = both.0.inventory("baseline", baseline);
    let other = both.1.inventory("current", current);
    compare(&golden, &other, options, &both)
}

/// The folder of real exports that `PLUMBLINE_DATA` names. Without it, the suites that need it say what
/// they skip and run on the shipped samples.
///
/// # Panics
/// When the variable names no folder.
#[must_use]
pub fn data() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a test's one setting")]
    let named = std::env::var("PLUMBLINE_DATA").ok().filter(|name| !name.is_empty())?;
    let path = PathBuf::from(&named);
    assert!(path.is_dir(), "PLUMBLINE_DATA names {named}, which is no folder");
    Some(path)
}

/// The shipped sample tenants.
#[must_use]
pub fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions/local/samples")
}

/// Reads the JSON files of a folder, but manifests, by relative path.
///
/// # Panics
/// When the folder cannot be read; a test cannot go on without it.
#[must_use]
pub fn read_folder(root: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, out: &mut BTreeMap<String, Vec<u8>>) {
        let entries = std::fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(root, &path, out);
            } else if path.extension().is_some_and(|ending| ending == "json")
                && path.file_name().is_none_or(|name| name != "manifest.json")
            {
                let relative = path.strip_prefix(root).unwrap_or(&path);
                let name = relative.to_string_lossy().replace('\\', "/");
                let bytes = std::fs::read(&path)
                    .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
                out.insert(name, bytes);
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(root, root, &mut out);
    out
}
