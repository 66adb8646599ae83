//! Reads a folder of exported policies: files in parallel, order fixed, payloads again on demand.

use anyhow::{Context as _, bail};
use plumbline_governance::compare::Payloads;
use plumbline_governance::gap::GapKind;
use plumbline_governance::inventory::{Doubt, FileReading, Inventory, Reader, SideName};
use plumbline_governance::report::Gap;
use plumbline_governance::subject::Source;
use plumbline_policy::catalog::catalog;
use plumbline_policy::classify::Evidence;
use plumbline_policy::document::Rows;
use plumbline_policy::policy::Payload;
use plumbline_policy::reference::find_guid;
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use walkdir::WalkDir;

/// One side of a compare on disk.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    files: Vec<String>,
    reader: Reader,
    tenant_facts: bool,
    opened: Mutex<Opened>,
}

/// Files of many payloads that the second pass has open. Without them, every payload would cost reading
/// its whole file again.
#[derive(Debug, Default)]
struct Opened {
    files: HashMap<String, Option<Arc<Rows>>>,
    bytes: usize,
}

/// How much text is held open; beyond that, all of it is given back first.
const MAX_OPEN: usize = 64 << 20;

impl Folder {
    /// Lists a folder (or takes a single file). Links are followed; a folder that holds itself is an error.
    ///
    /// # Errors
    /// Names the folder that does not exist or cannot be listed, and the facts file that cannot be read.
    pub(crate) fn open(root: &Path, facts: Option<&Path>, key: SecretKey) -> anyhow::Result<Self> {
        let found = std::fs::metadata(root).with_context(|| {
            format!("cannot open {}; name a folder of exported policies", root.display())
        })?;
        let facts_given = facts.is_some();
        let facts = facts.map(read_facts).transpose()?.unwrap_or_default();
        let reader = Reader { key, localiser: Localiser::new(&facts), annotations: false };
        let (mut root, mut files) = if found.is_file() {
            let name = root.file_name().map(|name| name.to_string_lossy().into_owned());
            let parent = root.parent().map(Path::to_owned).unwrap_or_default();
            (parent, name.into_iter().collect())
        } else {
            (root.to_owned(), list(root)?)
        };
        // A folder that is itself named as a policy type tells the type of its files.
        let named = root.canonicalize().ok().and_then(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            catalog().in_folder(&name).next()?;
            Some((path.parent()?.to_owned(), name))
        });
        if let Some((parent, name)) = named {
            root = parent;
            for file in &mut files {
                *file = format!("{name}/{file}");
            }
        }
        let opened = Mutex::default();
        Ok(Self { root, files, reader, tenant_facts: facts_given, opened })
    }

    /// How many files the folder holds.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// The files, as they are called in messages.
    #[must_use]
    pub(crate) fn files(&self) -> &[String] {
        &self.files
    }

    /// Where a file lies.
    #[must_use]
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// Reads annotations of the transport too.
    #[must_use]
    pub(crate) fn with_annotations(mut self) -> Self {
        self.reader.annotations = true;
        self
    }

    /// How payloads of the folder are read.
    #[must_use]
    pub(crate) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Reads the bytes of one file.
    ///
    /// # Errors
    /// As the file system says.
    pub(crate) fn bytes(&self, file: &str) -> std::io::Result<Vec<u8>> {
        std::fs::read(self.path(file))
    }

    /// Reads every file. `step` is called once a file, from any thread.
    #[must_use]
    pub(crate) fn inventory(
        &self,
        source: String,
        complete: bool,
        step: &(dyn Fn() + Sync),
    ) -> Inventory {
        let readings: Vec<FileReading> = self
            .files
            .par_iter()
            .map(|file| {
                let reading = self.read(file);
                step();
                reading
            })
            .collect();
        Inventory::gather(source, self.tenant_facts, complete, readings)
    }

    /// Reads one payload again, and says what told its type.
    #[must_use]
    pub(crate) fn payload(&self, source: &Source) -> Option<(Payload<'static>, Evidence)> {
        // The first of a file is asked for once; it is the others that add up.
        if source.index > 0
            && let Some(rows) = self.rows(&source.file)
        {
            return self.reader.read_row(source, &rows).ok();
        }
        let bytes = self.bytes(&source.file).ok()?;
        self.reader.read_told(source, &bytes).ok()
    }

    fn rows(&self, file: &str) -> Option<Arc<Rows>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rows) = opened.files.get(file) {
            return rows.clone();
        }
        let rows = Reader::rows(&self.bytes(file).ok()?).map(Arc::new);
        let bytes = rows.as_ref().map_or(0, |rows| rows.len());
        if opened.bytes + bytes > MAX_OPEN {
            *opened = Opened::default();
        }
        opened.bytes += bytes;
        opened.files.insert(file.to_owned(), rows.clone());
        rows
    }

    fn read(&self, file: &str) -> FileReading {
        if !Path::new(file).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
            return note(file, GapKind::NotAPolicy, "only .json files are read".to_owned());
        }
        match self.bytes(file) {
            Ok(bytes) => self.reader.read_file(file, &bytes),
            Err(error) => {
                let mut reading = self.reader.read_file(file, b"");
                // The folder tells what is in doubt; the reason is the file system's.
                for (gap, _) in &mut reading.gaps {
                    gap.detail = format!("cannot be read: {error}");
                }
                reading
            }
        }
    }
}

fn note(file: &str, kind: GapKind, detail: String) -> FileReading {
    let gap = Gap { kind, policy_type: None, side: None, source_file: file.to_owned(), detail };
    FileReading { gaps: vec![(gap, Doubt::Nothing)], ..FileReading::default() }
}

fn list(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    let walk = WalkDir::new(root).follow_links(true).into_iter().filter_entry(|entry| {
        entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.')
    });
    for entry in walk {
        let entry = entry.with_context(|| format!("cannot list {}", root.display()))?;
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let parts: Vec<_> =
                path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            files.push(parts.join("/"));
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Reads the facts of a tenant from a file.
///
/// # Errors
/// Names the file and what is wrong with it.
pub(crate) fn read_facts(path: &Path) -> anyhow::Result<TenantFacts> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("cannot read the tenant facts {}", path.display()))?;
    let facts: TenantFacts = serde_json::from_slice(&bytes).with_context(|| {
        format!(
            "{} holds no tenant facts; write {{\"tenant_id\": \"…\", \"domains\": [\"…\"], \
             \"intune_account_id\": \"…\"}}",
            path.display()
        )
    })?;
    // A fact that is too short would be found everywhere, and what it covers would be no drift.
    for id in [&facts.tenant_id, &facts.intune_account_id].into_iter().flatten() {
        if find_guid(id) != Some(0..id.len()) {
            bail!("{}: `{id}` is no id of a tenant; write the whole GUID", path.display());
        }
    }
    if let Some(domain) = facts.domains.iter().find(|domain| !domain.trim().contains('.')) {
        bail!("{}: `{domain}` is no domain; write a verified domain in full", path.display());
    }
    Ok(facts)
}

/// Both folders of a compare, for the second pass.
#[derive(Debug)]
pub(crate) struct Sides<'f> {
    /// The golden folder.
    pub baseline: &'f Folder,
    /// The folder held to it.
    pub current: &'f Folder,
}

impl Sides<'_> {
    fn folder(&self, side: SideName) -> &Folder {
        match side {
            SideName::Baseline => self.baseline,
            SideName::Current => self.current,
        }
    }
}

impl Payloads for Sides<'_> {
    fn payload(&self, side: SideName, source: &Source) -> Option<Cow<'_, Payload<'static>>> {
        self.folder(side).payload(source).map(|(payload, _)| Cow::Owned(payload))
    }

    fn localiser(&self, side: SideName) -> &Localiser {
        &self.folder(side).reader.localiser
    }
}

/// A key for this run alone: secrets of two folders are compared under it and it is forgotten.
///
/// # Errors
/// Fails when the system gives no randomness.
pub(crate) fn ephemeral_key() -> anyhow::Result<SecretKey> {
    let mut bytes = [0; 32];
    if getrandom::fill(&mut bytes).is_err() {
        bail!("the system gives no randomness, which comparing secrets needs");
    }
    Ok(SecretKey::new("ephemeral", bytes))
}
