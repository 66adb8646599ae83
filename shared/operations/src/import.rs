//! Import of a tenant's inventory: documents streamed in, a new state in one step.

use crate::archive::{MAX_PACKS, PackWriter, PendingFrame, Written, compress};
use crate::error::OperationError;
use crate::repository::keys::{self, folder, sk};
use crate::repository::rows::{State, Suspect, TenantStatus};
use crate::repository::{Row as _, Stored};
use crate::run::{later, usage_map};
use crate::system::{Actor, System};
use jiff::SignedDuration;
use plumbline_governance::coverage::{Coverage, CoverageMap};
use plumbline_governance::ids::{RunId, TenantId, WorkspaceId};
use plumbline_governance::index::{
    Entry, Frame, INDEX_VERSION, StateIndex, StoredGap, frames_by_payload, sort_entries,
};
use plumbline_governance::inventory::{Doubt, FileReading, Inventory, Reader};
use plumbline_governance::run::{
    Failure, ImportResult, ReasonCode, Run, RunContext, RunOutcome, RunState, RunType, Trigger,
};
use plumbline_governance::subject::Subject;
use plumbline_policy::catalog::catalog;
use plumbline_policy::digest::{Digest, NORMALISER_VERSION};
use plumbline_policy::tenant::{Localiser, TenantFacts};
use plumbline_ports::{Batch, Condition, Counters};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// What the sender says of the documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CoverageClaim {
    /// Nothing: no absence is proven.
    #[default]
    Unknown,
    /// They are everything the tenant has.
    Complete,
    /// They are everything the tenant has of these types.
    Types(Vec<String>),
}

/// How an import is to be taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// What the sender says of the documents.
    pub coverage: CoverageClaim,
    /// Types that may fall from many objects to none.
    pub confirm_empty: Vec<String>,
}

/// One document: where it comes from, for messages, and its bytes. The folders of the name tell the type
/// where nothing else does.
pub type NamedBytes = (String, Vec<u8>);

/// What an import came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Its run.
    pub run: Run,
    /// The new state; the old one when nothing was taken.
    pub state: Option<State>,
    /// What was not read, not understood or left aside.
    pub gaps: Vec<StoredGap>,
}

/// A type that held at least so many objects does not fall to none without a word.
const MANY: u64 = 3;
/// Documents are read in lots of this many bytes, so that memory does not grow with the import.
const LOT_BYTES: usize = 4 * 1024 * 1024;
const LOT_DOCUMENTS: usize = 512;

/// A payload that was read: its digest, and its compressed bytes if no pack holds it yet.
pub(crate) type ReadPayload = (Digest, Option<Vec<u8>>);

struct Gathered {
    readings: Vec<FileReading>,
    frames: FxHashMap<(String, usize), PendingFrame>,
    written: u64,
    kept: u64,
}

impl System {
    /// Imports documents as the new state of a tenant. The old state stays until the new one is whole;
    /// then the new one takes its place in one step.
    ///
    /// # Errors
    /// Not found; refuses an archived tenant and types that are none. What the documents lack is no
    /// error: it stands in the coverage and among the gaps.
    pub async fn import(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        tenant: TenantId,
        options: &ImportOptions,
        documents: &mut (dyn Iterator<Item = Result<NamedBytes, OperationError>> + Send),
    ) -> Result<Imported, OperationError> {
        let (system, counters) = self.metered();
        let owner = system.workspace(workspace).await?;
        let of = system.tenant(workspace, tenant).await?;
        if of.status != TenantStatus::Active {
            return Err(OperationError::Refused(format!(
                "the tenant `{}` is archived; nothing is imported for it",
                of.name
            )));
        }
        let claimed = claimed(options)?;
        let started_at = system.now();
        let key = system.workspace_key(workspace).await?;
        let before = system.read::<State>(&keys::in_tenant(workspace, tenant, sk::STATE)).await?;
        let index_folder = folder::tenant(workspace, tenant, "index");
        let old = match &before {
            // A state that cannot be read any more is replaced, not mourned: the import brings it all.
            Some(stored) => {
                system.document::<StateIndex>(&index_folder, stored.row.index).await.ok()
            }
            None => None,
        };
        let suspect = Suspect::of_tenant(workspace, tenant, started_at);
        let suspect = system.read::<Suspect>(&suspect.key()).await?;
        // What is under suspicion is written anew: bytes that are there already are only looked at.
        let old = old.filter(|_| suspect.is_none());
        let known = old.as_ref().map(frames_to_keep).unwrap_or_default();

        let reader =
            Reader { key: key.clone(), localiser: Localiser::new(&of.facts), annotations: false };
        let mut packs = PackWriter::new(folder::tenant(workspace, tenant, "pack"));
        let gathered = system.gather(&reader, &known, &mut packs, documents).await?;
        let closed = packs.finish(&system).await?;
        let mut written = closed.written.clone();
        let (writes, keeps) = (gathered.written, gathered.kept);
        let frames = gathered.frames;
        let inventory = Inventory::gather(String::new(), true, false, gathered.readings);
        let entry = |subject: &Subject| -> Option<Entry> {
            let at = (subject.source.file.clone(), subject.source.index);
            Some(Entry::of(subject, &key, closed.frame(*frames.get(&at)?)?))
        };
        let index = index_of(&inventory, of.facts.clone(), claimed, entry);

        let fallen =
            before.as_ref().map(|stored| fallen(&stored.row, &index, options)).unwrap_or_default();
        let gaps_that_count =
            index.gaps.iter().filter(|gap| gap.kind.lowers_trust()).count() as u64;
        let root = index.root();
        let run = Run {
            id: RunId::from_uuid(system.mint()),
            workspace,
            tenant,
            run_type: RunType::InventoryImport,
            trigger: Trigger::Person { actor: actor.name().to_owned() },
            created_at: started_at,
            deadline: later(started_at, crate::run::DEADLINE),
            state: RunState::Running { started_at, fence: 1 },
            context: RunContext {
                state_root: Some(root),
                inventory_import: Some(ImportResult {
                    policies: index.entries.len() as u64,
                    written: writes,
                    kept: keeps,
                    gaps: gaps_that_count,
                    changed: before.as_ref().is_none_or(|stored| stored.row.root != root),
                }),
                ..RunContext::default()
            },
            summary_counts: BTreeMap::from([
                ("total".to_owned(), index.entries.len() as u64),
                ("gaps".to_owned(), gaps_that_count),
            ]),
        };
        if !fallen.is_empty() {
            let run = system.refuse_fall(run, actor, &fallen, &counters).await?;
            return Ok(Imported { run, state: before.map(|stored| stored.row), gaps: index.gaps });
        }
        let digest = match (&before, &old) {
            (Some(stored), Some(old)) if *old == index => stored.row.index,
            _ => system.store_document(&index_folder, &index, &mut written).await?,
        };
        let now = system.now();
        let state = State {
            workspace,
            tenant,
            normaliser_version: NORMALISER_VERSION,
            root,
            index: digest,
            policies: index.entries.len() as u64,
            by_type: count_types(&index.entries),
            coverage: index.coverage,
            read_at: now,
            fresh_until: later(
                now,
                SignedDuration::from_hours(owner.inventory_max_age_hours.into()),
            ),
            run: run.id,
        };
        let run = system
            .replace_state(run, actor, (before, suspect), &state, &written, &counters)
            .await?;
        Ok(Imported { run, state: Some(state), gaps: index.gaps })
    }

    /// Ends an import that nobody confirmed; the state stays as it was.
    async fn refuse_fall(
        &self,
        mut run: Run,
        actor: &Actor,
        fallen: &[String],
        counters: &Counters,
    ) -> Result<Run, OperationError> {
        let failure = Failure {
            reason_code: ReasonCode::ConfirmEmpty,
            message: format!(
                "the tenant had several {} and now has none; if that is so, import again with \
                 --confirm-empty {}",
                fallen.join(", "),
                fallen.join(",")
            ),
        };
        let mut audit = self.audit(run.workspace, actor, "inventory.import", run.id);
        (audit.tenant, audit.reason) = (Some(run.tenant), Some(failure.message.clone()));
        run.context.usage = usage_map(counters.usage());
        let outcome = crate::run::outcome_of(Some(&failure));
        run.finish(self.now(), outcome, Some(failure))?;
        let batch = self.insert(Batch::new(), &run).await?;
        self.commit_audited(batch, audit).await?.or_conflict("the run")?;
        Ok(run)
    }

    /// Puts a new state in the place of the one that was read before, with the run that brought it.
    async fn replace_state(
        &self,
        mut run: Run,
        actor: &Actor,
        (before, suspect): (Option<Stored<State>>, Option<Stored<Suspect>>),
        state: &State,
        written: &Written,
        counters: &Counters,
    ) -> Result<Run, OperationError> {
        let mut audit = self.audit(run.workspace, actor, "inventory.import", run.id);
        audit.tenant = Some(run.tenant);
        audit.before = before.as_ref().map(|stored| stored.row.root);
        audit.after = Some(state.root);
        let read = before.as_ref().map(|stored| stored.revision);
        run.context.state_index = Some(state.index);
        run.context.usage = usage_map(counters.usage());
        run.finish(state.read_at, RunOutcome::Succeeded, None)?;
        // The collector may doom an object of ours between our look and our commit; then we look again.
        for _ in 0..3 {
            let batch = self.upsert(Batch::new(), state, read).await?;
            let mut batch = self.secure(batch, run.workspace, written).await?;
            if let Some(stored) = &suspect {
                batch = batch.delete(stored.row.key(), Condition::Revision(stored.revision));
            }
            let batch = self.insert(batch, &run).await?;
            if self.commit_audited(batch, audit.clone()).await?.is_done() {
                return Ok(run);
            }
            let key = keys::in_tenant(run.workspace, run.tenant, sk::STATE);
            if self.read::<State>(&key).await?.map(|stored| stored.revision) != read {
                break;
            }
        }
        Err(OperationError::Conflict("the state of the tenant".to_owned()))
    }

    /// Reads documents lot by lot: a lot is read on all cores, then its payloads go to the packs in the
    /// order of the documents.
    async fn gather(
        &self,
        reader: &Reader,
        known: &FxHashMap<Digest, Frame>,
        packs: &mut PackWriter,
        documents: &mut (dyn Iterator<Item = Result<NamedBytes, OperationError>> + Send),
    ) -> Result<Gathered, OperationError> {
        let mut out =
            Gathered { readings: Vec::new(), frames: FxHashMap::default(), written: 0, kept: 0 };
        // Equal payloads of one import stand once.
        let mut new: FxHashMap<Digest, PendingFrame> = FxHashMap::default();
        let mut names: FxHashMap<String, u32> = FxHashMap::default();
        loop {
            let mut lot: Vec<NamedBytes> = Vec::new();
            let mut bytes = 0;
            while bytes < LOT_BYTES && lot.len() < LOT_DOCUMENTS {
                let Some(next) = documents.next() else { break };
                let (name, body) = next?;
                bytes += body.len();
                // Payloads are told apart by the names of their documents.
                let count = names.entry(name.clone()).or_insert(0_u32);
                *count += 1;
                lot.push((if *count > 1 { format!("{name} ({count})") } else { name }, body));
            }
            if lot.is_empty() {
                return Ok(out);
            }
            let read: Vec<Result<(FileReading, Vec<ReadPayload>), OperationError>> =
                lot.par_iter().map(|(name, bytes)| read_one(reader, known, name, bytes)).collect();
            for (one, (name, _)) in read.into_iter().zip(lot) {
                let (reading, payloads) = one?;
                for (subject, (digest, compressed)) in reading.subjects.iter().zip(payloads) {
                    let pending = match (known.get(&digest), new.get(&digest), compressed) {
                        (Some(frame), _, _) => {
                            out.kept += 1;
                            PendingFrame::Kept(*frame)
                        }
                        (None, Some(pending), _) => *pending,
                        (None, None, Some(compressed)) => {
                            out.written += 1;
                            let pending = packs.add(self, digest, &compressed).await?;
                            new.insert(digest, pending);
                            pending
                        }
                        (None, None, None) => continue,
                    };
                    out.frames.insert((name.clone(), subject.source.index), pending);
                }
                out.readings.push(reading);
            }
        }
    }

    /// Reads the state of a tenant; `None` before the first import.
    ///
    /// # Errors
    /// The store's.
    pub async fn state(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
    ) -> Result<Option<State>, OperationError> {
        let key = keys::in_tenant(workspace, tenant, sk::STATE);
        Ok(self.read::<State>(&key).await?.map(|stored| stored.row))
    }
}

fn read_one(
    reader: &Reader,
    known: &FxHashMap<Digest, Frame>,
    name: &str,
    bytes: &[u8],
) -> Result<(FileReading, Vec<ReadPayload>), OperationError> {
    let mut stored: Vec<Vec<u8>> = Vec::new();
    let reading = reader.read_each(name, bytes, &mut |payload| stored.push(payload.to_stored()));
    let payloads = stored
        .into_iter()
        .map(|bytes| {
            let digest = Digest::of(&bytes);
            let compressed =
                if known.contains_key(&digest) { None } else { Some(compress(&bytes)?) };
            Ok((digest, compressed))
        })
        .collect::<Result<_, OperationError>>()?;
    Ok((reading, payloads))
}

/// The frames that a new index may name again; none when they are spread over too many packs.
fn frames_to_keep(index: &StateIndex) -> FxHashMap<Digest, Frame> {
    let frames = frames_by_payload(index);
    let packs: BTreeSet<Digest> = frames.values().map(|frame| frame.pack).collect();
    if packs.len() < MAX_PACKS { frames } else { FxHashMap::default() }
}

fn claimed(options: &ImportOptions) -> Result<CoverageMap, OperationError> {
    let check = |key: &String| {
        catalog().get(key).map(|_| ()).map_err(|_| {
            OperationError::Invalid(format!(
                "`{key}` is not a policy type; `plumbline policy-types` lists them"
            ))
        })
    };
    options.confirm_empty.iter().try_for_each(check)?;
    Ok(match &options.coverage {
        CoverageClaim::Unknown => CoverageMap::all(Coverage::Unknown),
        CoverageClaim::Complete => CoverageMap::all(Coverage::Succeeded),
        CoverageClaim::Types(types) => {
            types.iter().try_for_each(check)?;
            let mut map = CoverageMap::all(Coverage::Unknown);
            for key in types {
                map.set(key, Coverage::Succeeded, None);
            }
            map
        }
    })
}

/// Puts the index together: what a gap takes away is taken from the coverage that the sender claims.
fn index_of(
    inventory: &Inventory,
    facts: TenantFacts,
    mut coverage: CoverageMap,
    entry: impl Fn(&Subject) -> Option<Entry>,
) -> StateIndex {
    let comparable = || catalog().types().iter().filter(|one| one.is_comparable());
    for (gap, doubt) in &inventory.gaps {
        let place = if gap.source_file.is_empty() { "a document" } else { &gap.source_file };
        let reason = format!("{place}: {}", gap.detail);
        match doubt {
            Doubt::Nothing => {}
            Doubt::Types(types) => {
                for key in types {
                    coverage.lower(key, Coverage::Failed, &reason);
                }
            }
            Doubt::Everything => {
                for one in comparable() {
                    coverage.lower(&one.key, Coverage::Failed, &reason);
                }
            }
        }
    }
    for subject in &inventory.subjects {
        let anomaly = subject.role.and_then(|role| role.anomaly);
        if !subject.missing_detail.is_empty() || anomaly.is_some() {
            let what = anomaly.map_or_else(
                || {
                    format!(
                        "{} was not read",
                        subject.missing_detail.join(", ").replace('|', " or ")
                    )
                },
                |anomaly| anomaly.explain().to_owned(),
            );
            let reason = format!("`{}`: {what}", subject.title());
            coverage.lower(&subject.policy_type.key, Coverage::Partial, &reason);
        }
    }
    let mut entries: Vec<Entry> = inventory.subjects.iter().filter_map(&entry).collect();
    let mut targets: Vec<Entry> = inventory.targets.iter().filter_map(&entry).collect();
    sort_entries(&mut entries);
    sort_entries(&mut targets);
    StateIndex {
        version: INDEX_VERSION,
        normaliser_version: NORMALISER_VERSION,
        facts,
        coverage,
        gaps: inventory
            .gaps
            .iter()
            .map(|(gap, _)| StoredGap {
                kind: gap.kind,
                policy_type: gap.policy_type.clone(),
                source_file: gap.source_file.clone(),
                detail: gap.detail.clone(),
            })
            .collect(),
        entries,
        targets,
    }
}

pub(crate) fn count_types(entries: &[Entry]) -> BTreeMap<String, u64> {
    let mut out = BTreeMap::new();
    for entry in entries {
        *out.entry(entry.policy_type.clone()).or_default() += 1;
    }
    out
}

/// Types that fell from many to proven none, and that nobody confirmed: more often a failed read than a
/// tenant that was emptied. What was there before need not have been all there was.
fn fallen(before: &State, index: &StateIndex, options: &ImportOptions) -> Vec<String> {
    let counts = count_types(&index.entries);
    before
        .by_type
        .iter()
        .filter(|(key, count)| {
            **count >= MANY
                && !counts.contains_key(*key)
                && index.coverage.of(key).proves_absence()
                && !options.confirm_empty.contains(key)
        })
        .map(|(key, _)| key.clone())
        .collect()
}

/// A localiser with the account id that the default enrolment rows tell, where the facts lack it.
pub(crate) fn account_localiser(facts: &TenantFacts, entries: &[Entry]) -> Localiser {
    let mut facts = facts.clone();
    if facts.intune_account_id.is_none() {
        // The ids of the default enrolment rows begin with it.
        facts.intune_account_id = entries.iter().find_map(|entry| {
            let id = entry.external_id.as_deref()?;
            plumbline_policy::policy::account_of(&entry.policy_type, id).map(str::to_owned)
        });
    }
    Localiser::new(&facts)
}
