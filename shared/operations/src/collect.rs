//! Collection of objects that nothing refers to, in two phases.
//!
//! First an object is *doomed*: a row says since when nothing refers to it. Only after a grace, and if
//! that is still so, it goes. A writer that finds its bytes there already takes the doom back in the
//! commit that points to them; once an object is *dying*, nobody may rely on it. So no pointer ever
//! names an object that is gone. See `shared/decisions/0016-collection.md`.

use crate::error::OperationError;
use crate::repository::keys::{self, folder, sk};
use crate::repository::rows::{Doomed, PartRow, Snapshot, State};
use crate::repository::{Row as _, Stored, spilled};
use crate::system::System;
use jiff::SignedDuration;
use plumbline_governance::finding::record::Finding;
use plumbline_governance::ids::{TenantId, WorkspaceId};
use plumbline_governance::index::{Entry, SnapshotIndex, StateIndex};
use plumbline_governance::run::Run;
use plumbline_policy::digest::Digest;
use plumbline_ports::{Batch, CommitError, Condition, Key, ObjectKey, Query};
use std::collections::{BTreeMap, BTreeSet};

/// How long nothing must have referred to an object before it goes. Longer than any run lasts.
pub const DEFAULT_GRACE: SignedDuration = SignedDuration::from_hours(48);
/// A grace shorter than the longest run would let a run lose what it has just written.
const LEAST_GRACE: SignedDuration = SignedDuration::from_hours(24);
/// How many objects one look lists.
const LIST: usize = 1_000;

/// How a collection is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollectOptions {
    /// How long nothing must have referred to an object.
    pub grace: SignedDuration,
    /// Do it; otherwise only say what would be done.
    pub delete: bool,
}

impl Default for CollectOptions {
    fn default() -> Self {
        Self { grace: DEFAULT_GRACE, delete: false }
    }
}

/// Objects and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub objects: u64,
    /// How many bytes they have.
    pub bytes: u64,
}

impl Count {
    fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes += bytes;
    }
}

/// What a collection found, and did unless it was a dry run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Objects that something refers to.
    pub kept: Count,
    /// Objects that are doomed from now on.
    pub doomed: Count,
    /// Objects that are doomed and wait for the end of the grace.
    pub waiting: Count,
    /// Objects that went.
    pub deleted: Count,
    /// Dooms that were taken back, because something refers to the object again or it is gone.
    pub spared: u64,
}

/// The digests that the records of one folder tree refer to.
type Marks = BTreeSet<Digest>;

/// The dooms by folder and digest.
type Dooms = BTreeMap<(String, Digest), Stored<Doomed>>;

impl System {
    /// Collects the objects of a workspace that nothing refers to.
    ///
    /// # Errors
    /// Stops before anything is doomed when an index cannot be read: what it refers to is not known.
    pub async fn collect(
        &self,
        workspace: WorkspaceId,
        options: CollectOptions,
    ) -> Result<Collected, OperationError> {
        if options.delete && options.grace < LEAST_GRACE {
            return Err(OperationError::Invalid(format!(
                "a grace of {} hours is too short: a run may last longer; give at least {}",
                options.grace.as_hours(),
                LEAST_GRACE.as_hours()
            )));
        }
        self.workspace(workspace).await?;
        let mut out = Collected::default();
        let mut dooms: Dooms = self
            .list::<Doomed>(Query::prefix(keys::workspace(workspace), sk::DOOMED))
            .await?
            .into_iter()
            .map(|stored| ((stored.row.folder.clone(), stored.row.digest), stored))
            .collect();
        // Objects are listed before the records are read: what is written in between is not in the list.
        let baseline = format!("{}/baseline", folder::workspace(workspace));
        let listed = self.listed(&baseline).await?;
        let marks = self.baseline_marks(workspace).await?;
        self.sort_out(workspace, &listed, &marks, &mut dooms, options, &mut out).await?;
        for tenant in self.tenants(workspace).await? {
            let tree = format!("{}/ten/{}", folder::workspace(workspace), tenant.id);
            let listed = self.listed(&tree).await?;
            let marks = self.tenant_marks(workspace, tenant.id).await?;
            self.sort_out(workspace, &listed, &marks, &mut dooms, options, &mut out).await?;
        }
        let listed = self.listed(&folder::overview(workspace)).await?;
        let marks = self.overview_marks(workspace).await?;
        self.sort_out(workspace, &listed, &marks, &mut dooms, options, &mut out).await?;
        let answers = folder::answers(workspace);
        let listed = self.listed(&answers).await?;
        let marks = self.answer_marks(workspace).await?;
        self.sort_out(workspace, &listed, &marks, &mut dooms, options, &mut out).await?;
        // What is left over names objects that are gone.
        for doom in dooms.into_values() {
            self.spare(&doom, options, &mut out).await?;
        }
        Ok(out)
    }

    async fn listed(&self, tree: &str) -> Result<Vec<(ObjectKey, u64)>, OperationError> {
        let mut out = Vec::new();
        let mut after = None;
        loop {
            let page = self.ports.objects.list(tree, after.as_ref(), LIST).await?;
            out.extend(page.objects.into_iter().map(|one| (one.key, one.bytes)));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(out),
            }
        }
    }

    async fn sort_out(
        &self,
        workspace: WorkspaceId,
        listed: &[(ObjectKey, u64)],
        marks: &Marks,
        dooms: &mut Dooms,
        options: CollectOptions,
        out: &mut Collected,
    ) -> Result<(), OperationError> {
        for (key, bytes) in listed {
            let doom = dooms.remove(&(key.folder().to_owned(), key.digest()));
            if marks.contains(&key.digest()) {
                out.kept.add(*bytes);
                if let Some(doom) = doom {
                    self.spare(&doom, options, out).await?;
                }
                continue;
            }
            match doom {
                None => {
                    out.doomed.add(*bytes);
                    if options.delete {
                        let row = Doomed {
                            workspace,
                            folder: key.folder().to_owned(),
                            digest: key.digest(),
                            bytes: *bytes,
                            since: self.now(),
                            dying: false,
                        };
                        let batch = self.insert(Batch::new(), &row).await?;
                        self.commit_if(batch).await?;
                    }
                }
                Some(doom) => {
                    let age = self.now().duration_since(doom.row.since);
                    if age < options.grace && !doom.row.dying {
                        out.waiting.add(*bytes);
                    } else if !options.delete || self.destroy(key, &doom).await? {
                        out.deleted.add(*bytes);
                    } else {
                        out.spared += 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// Lets an object go. `false`: somebody took the doom back.
    async fn destroy(
        &self,
        key: &ObjectKey,
        doom: &Stored<Doomed>,
    ) -> Result<bool, OperationError> {
        // One that is dying already is taken over: whoever began must not go on.
        let dying = Doomed { dying: true, ..doom.row.clone() };
        let batch = self.update(Batch::new(), &dying, doom.revision).await?;
        if !self.commit_if(batch).await? {
            return Ok(false);
        }
        self.ports.objects.delete(key).await?;
        let batch =
            Batch::new().delete(dying.key(), Condition::Revision(doom.revision.wrapping_add(1)));
        self.commit_if(batch).await?;
        Ok(true)
    }

    /// Takes a doom back: something refers to the object, or it is gone.
    async fn spare(
        &self,
        doom: &Stored<Doomed>,
        options: CollectOptions,
        out: &mut Collected,
    ) -> Result<(), OperationError> {
        out.spared += 1;
        if options.delete {
            let batch = Batch::new().delete(doom.row.key(), Condition::Revision(doom.revision));
            self.commit_if(batch).await?;
        }
        Ok(())
    }

    /// Commits; `false` when somebody else was faster.
    pub(crate) async fn commit_if(&self, batch: Batch) -> Result<bool, OperationError> {
        match self.commit(batch).await {
            Ok(()) => Ok(true),
            Err(CommitError::Condition { .. }) => Ok(false),
            Err(CommitError::Port(error)) => Err(error.into()),
        }
    }

    /// Everything that the records of a workspace's baselines refer to.
    async fn baseline_marks(&self, workspace: WorkspaceId) -> Result<Marks, OperationError> {
        let mut marks = Marks::new();
        let mut pages = self.pages(keys::workspace(workspace));
        while let Some(page) = pages.next().await? {
            for record in page {
                marks.extend(spilled(&record).map(|at| at.digest));
                if record.key.sk.starts_with("SNAPSHOT#") {
                    let snapshot = self.decode::<Snapshot>(&record).await?.row;
                    for digest in snapshot.indexes.values() {
                        marks.insert(*digest);
                        let index: SnapshotIndex =
                            self.document(&folder::baseline(workspace, "index"), *digest).await?;
                        marks.extend(packs(&index.entries));
                    }
                }
            }
        }
        Ok(marks)
    }

    /// Overviews that are too large for their records.
    async fn overview_marks(&self, workspace: WorkspaceId) -> Result<Marks, OperationError> {
        let mut marks = Marks::new();
        for kind in [sk::OVERVIEW, sk::GROUPS, sk::TRENDS] {
            let query = Query::prefix(keys::workspace(workspace), kind);
            let records = self.ports.records.query_all(query).await?;
            marks.extend(records.iter().filter_map(|record| Some(spilled(record)?.digest)));
        }
        Ok(marks)
    }

    /// Answers that are kept for requests that are sent again.
    async fn answer_marks(&self, workspace: WorkspaceId) -> Result<Marks, OperationError> {
        let mut marks = Marks::new();
        let mut pages = self.pages(keys::idempotency(workspace));
        while let Some(page) = pages.next().await? {
            let kept = page.iter().filter(|record| !self.is_expired(record));
            marks.extend(kept.filter_map(|record| Some(spilled(record)?.digest)));
        }
        Ok(marks)
    }

    /// Everything that the records of a tenant refer to: its state, the states that active runs froze,
    /// the evidence of its findings, and the parts of uploads.
    async fn tenant_marks(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
    ) -> Result<Marks, OperationError> {
        let mut marks = Marks::new();
        let mut indexes = BTreeSet::new();
        let mut pages = self.pages(keys::tenant(workspace, tenant));
        while let Some(page) = pages.next().await? {
            for record in page {
                marks.extend(spilled(&record).map(|at| at.digest));
                let kind = record.key.sk.as_str();
                if kind == sk::STATE {
                    indexes.insert(self.decode::<State>(&record).await?.row.index);
                } else if kind.starts_with(sk::RUNS) {
                    let run = self.decode::<Run>(&record).await?.row;
                    indexes.extend(run.context.state_index.filter(|_| !run.is_completed()));
                } else if kind.starts_with(sk::FINDINGS) {
                    let finding = self.decode::<Finding>(&record).await?.row;
                    marks.extend(finding.evidence.map(|frame| frame.pack));
                } else if kind.starts_with(sk::UPLOAD_PARTS) && !self.is_expired(&record) {
                    marks.insert(self.decode::<PartRow>(&record).await?.row.digest);
                }
            }
        }
        for digest in indexes {
            marks.insert(digest);
            let index: StateIndex =
                self.document(&folder::tenant(workspace, tenant, "index"), digest).await?;
            marks.extend(packs(index.entries.iter().chain(&index.targets)));
        }
        Ok(marks)
    }
}

fn packs<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> impl Iterator<Item = Digest> {
    entries.into_iter().map(|entry| entry.frame.pack)
}

/// Where the doom of an object stands; for the checker.
pub(crate) fn doom_key(workspace: WorkspaceId, folder: &str, digest: Digest) -> Key {
    keys::in_workspace(workspace, sk::doomed(folder, digest))
}
