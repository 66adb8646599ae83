//! The overview of a workspace: sums over all its tenants, and their trend. Made by the tick, a page of
//! rows at a time, so that a page shows in one read what would take thousands. It is made when something
//! may have changed: a workspace in which nothing happens costs nothing.

use crate::error::OperationError;
use crate::repository::keys::{self, sk};
use crate::repository::rows::{
    DriftGroups, Overview, OverviewDue, Posture, TREND_DAYS, Tenant, TenantStatus, Totals,
    TrendPoint,
};
use crate::repository::{Row as _, Stored};
use crate::run::later;
use crate::system::{System, digest_of};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use plumbline_governance::finding::state::FindingState;
use plumbline_governance::ids::{ProfileId, TenantId, WorkspaceId};
use plumbline_governance::report::Trust;
use plumbline_governance::schedule::Schedule;
use plumbline_governance::severity::Severity;
use plumbline_ports::{Batch, Condition, Index, IndexQuery, Query, Range};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Overviews are made at whole quarters of an hour, so that many changes share one.
const EVERY: SignedDuration = SignedDuration::from_mins(15);
/// How long a change may take from its announcement to its commit.
const NOTICE: SignedDuration = SignedDuration::from_mins(1);
/// How old the groups of drift may become once something changed.
const GROUPS_AGE: SignedDuration = SignedDuration::from_mins(60);
/// How many workspaces one tick looks at; the next tick takes the others.
const WORKSPACES: usize = 25;
/// How many rows are held at a time.
const LOT: usize = 500;
/// In the place of a trust.
const NEVER: &str = "never_compared";

impl Totals {
    /// Nothing, of every kind.
    fn none() -> Self {
        let zero = |words: &[&str]| words.iter().map(|word| ((*word).to_owned(), 0)).collect();
        let trusts = [Trust::Full, Trust::PartialSuppressed, Trust::UnprovenSuppressed];
        let [full, partial, unproven] = trusts.map(Trust::as_str);
        let severities = [Severity::High, Severity::Medium, Severity::Low].map(Severity::as_str);
        Self {
            tenants: 0,
            unassigned: 0,
            by_trust: zero(&[full, partial, unproven, NEVER]),
            by_status: zero(&FindingState::WORDS),
            open_by_severity: zero(&severities),
        }
    }

    fn add(&mut self, tenant: &Tenant, posture: Option<&Posture>) {
        self.tenants += 1;
        if tenant.profile.is_none() {
            self.unassigned += 1;
        } else {
            let trust = posture.and_then(|one| one.trust.as_deref()).unwrap_or(NEVER);
            *self.by_trust.entry(trust.to_owned()).or_default() += 1;
        }
        let Some(posture) = posture else { return };
        for (to, from) in [
            (&mut self.by_status, &posture.by_status),
            (&mut self.open_by_severity, &posture.open_by_severity),
        ] {
            for (word, count) in from {
                *to.entry(word.clone()).or_default() += count;
            }
        }
    }
}

/// The sums of a workspace as they are made.
struct Sums {
    totals: Totals,
    by_profile: BTreeMap<ProfileId, Totals>,
    unreadable: u64,
    /// The last change of any posture.
    changed_at: Option<Timestamp>,
}

/// Postures in the order of tenants, read as they are asked for.
struct Postures {
    query: Option<IndexQuery>,
    read: VecDeque<Posture>,
}

impl System {
    /// Makes the overviews that are due. One workspace's trouble holds no other up; the first is told.
    pub(crate) async fn refresh_due_overviews(&self) -> Result<(), OperationError> {
        let now = self.now();
        let query = Query {
            pk: keys::OVERVIEWS.to_owned(),
            range: Range::Between(String::new(), format!("{}~", keys::moment(now))),
            after: None,
            limit: WORKSPACES,
            descending: false,
        };
        let page = self.ports.records.query(&query).await?;
        let mut trouble = None;
        let mut due: BTreeMap<WorkspaceId, Vec<Stored<OverviewDue>>> = BTreeMap::new();
        for record in &page.records {
            match self.decode::<OverviewDue>(record).await {
                Ok(row) => due.entry(row.row.workspace).or_default().push(row),
                Err(error) => {
                    trouble.get_or_insert(error);
                }
            }
        }
        for (workspace, rows) in due {
            if let Err(error) = self.refresh_due(workspace, &rows).await {
                trouble.get_or_insert(error);
            }
        }
        trouble.map_or(Ok(()), Err)
    }

    /// Has the overview of a workspace made soon, because it is about to change. Said before the change, so
    /// that none is left out when its program dies; said often, it is made once.
    pub(crate) async fn announce_change(
        &self,
        workspace: WorkspaceId,
    ) -> Result<(), OperationError> {
        let due = OverviewDue { workspace, at: quarter_from(later(self.now(), NOTICE)) };
        let batch = self.put_always(Batch::new(), &due).await?;
        self.commit_if(batch).await.map(drop)
    }

    /// The same, for many changes of some workspaces that are made one after another.
    pub(crate) async fn announce_once(
        &self,
        announced: &mut BTreeSet<WorkspaceId>,
        workspace: WorkspaceId,
    ) -> Result<(), OperationError> {
        if !announced.contains(&workspace) {
            self.announce_change(workspace).await?;
            announced.insert(workspace);
        }
        Ok(())
    }

    /// Makes an overview that is due, once however often it is. Two ticks may make it at the same time, to
    /// the same effect.
    async fn refresh_due(
        &self,
        workspace: WorkspaceId,
        rows: &[Stored<OverviewDue>],
    ) -> Result<(), OperationError> {
        let made = self.make_overview(workspace, false).await;
        let again = match &made {
            Ok((_, groups_due)) => *groups_due,
            // The workspace is gone.
            Err(OperationError::NotFound { .. }) => None,
            // It is tried again later, so that it is not in the way of others.
            Err(_) => Some(later(self.now(), NOTICE)),
        };
        let mut batch = rows.iter().fold(Batch::new(), |batch, due| {
            batch.delete(due.row.key(), Condition::Revision(due.revision))
        });
        if let Some(at) = again {
            let next = OverviewDue { workspace, at: quarter_from(at) };
            batch = self.put_always(batch, &next).await?;
        }
        self.commit_if(batch).await?;
        match made {
            Ok(_) | Err(OperationError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes the overview of a workspace now, with its trend and its groups of drift.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn refresh_overview(
        &self,
        workspace: WorkspaceId,
    ) -> Result<Overview, OperationError> {
        let (overview, _) = self.make_overview(workspace, true).await?;
        Ok(overview)
    }

    /// Makes an overview. Answers when its groups of drift are due, where they were to be made again but are
    /// not old enough; `all` makes them all the same.
    async fn make_overview(
        &self,
        id: WorkspaceId,
        all: bool,
    ) -> Result<(Overview, Option<Timestamp>), OperationError> {
        let workspace = self.workspace(id).await?;
        let stored = self.read::<Overview>(&keys::in_workspace(id, sk::OVERVIEW)).await?;
        let now = self.now();
        let sums = self.sums(id).await?;
        let before = stored.as_ref().map(|stored| &stored.row);
        let mut overview = Overview {
            workspace: id,
            as_of: now,
            totals: sums.totals,
            by_profile: sums.by_profile,
            unreadable: sums.unreadable,
            grouped: before.and_then(|row| row.grouped),
            grouped_at: before.and_then(|row| row.grouped_at),
        };
        let seen = digest_of(&(&overview.totals, sums.changed_at));
        let is_wanted = all || overview.grouped != seen;
        let due = overview.grouped_at.map(|at| later(at, GROUPS_AGE));
        let wait = due.filter(|due| is_wanted && !all && *due > now);
        if is_wanted && wait.is_none() {
            self.make_groups(id).await?;
            (overview.grouped, overview.grouped_at) = (seen, Some(now));
        }
        let date = Schedule::date_at(workspace.schedule.as_ref(), now);
        self.note_trend(&overview, date).await?;
        let read = stored.as_ref().map(|stored| stored.revision);
        let batch = self.upsert(Batch::new(), &overview, read).await?;
        // Whoever was faster has made it just now.
        self.commit_if(batch).await?;
        Ok((overview, wait))
    }

    /// Keeps the last sums of a day; a day whose sums stand so already is not written again.
    async fn note_trend(&self, overview: &Overview, date: Date) -> Result<(), OperationError> {
        let point = TrendPoint {
            workspace: overview.workspace,
            date,
            totals: overview.totals.clone(),
            at: overview.as_of,
        };
        let stored = self.read::<TrendPoint>(&point.key()).await?;
        if stored.as_ref().is_some_and(|stored| stored.row.totals == point.totals) {
            return Ok(());
        }
        let read = stored.map(|stored| stored.revision);
        let batch = self.upsert(Batch::new(), &point, read).await?;
        self.commit_if(batch).await.map(drop)
    }

    /// Adds up a workspace: tenants and postures side by side, both in the order of tenants, so that only
    /// a page of each is held.
    async fn sums(&self, workspace: WorkspaceId) -> Result<Sums, OperationError> {
        let mut out = Sums {
            totals: Totals::none(),
            by_profile: BTreeMap::new(),
            unreadable: 0,
            changed_at: None,
        };
        let mut postures = Postures {
            query: Some(IndexQuery {
                index: Index::Tenants,
                pk: keys::workspace(workspace),
                range: Range::Prefix(sk::POSTURES.to_owned()),
                after: None,
                limit: LOT,
                descending: false,
            }),
            read: VecDeque::new(),
        };
        let mut query = Query::prefix(keys::workspace(workspace), sk::TENANTS);
        query.limit = LOT;
        loop {
            let page = self.ports.records.query(&query).await?;
            for record in &page.records {
                let Some(tenant) = self.readable::<Tenant>(record, &mut out.unreadable).await?
                else {
                    continue;
                };
                let posture =
                    self.posture_of(&mut postures, tenant.id, &mut out.unreadable).await?;
                if tenant.status != TenantStatus::Active {
                    continue;
                }
                out.changed_at = out.changed_at.max(posture.as_ref().map(|one| one.updated_at));
                out.totals.add(&tenant, posture.as_ref());
                if let Some(profile) = tenant.profile {
                    let of = out.by_profile.entry(profile).or_insert_with(Totals::none);
                    of.add(&tenant, posture.as_ref());
                }
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(out),
            }
        }
    }

    /// Reads a row, or counts that it cannot be read. A store that does not answer is an error.
    async fn readable<R: crate::repository::Row>(
        &self,
        record: &plumbline_ports::Record,
        unreadable: &mut u64,
    ) -> Result<Option<R>, OperationError> {
        match self.decode::<R>(record).await {
            Ok(stored) => Ok(Some(stored.row)),
            Err(OperationError::Port(error)) => Err(error.into()),
            Err(_) => {
                *unreadable += 1;
                Ok(None)
            }
        }
    }

    /// The posture of a tenant; those of tenants before it are left behind.
    async fn posture_of(
        &self,
        postures: &mut Postures,
        tenant: TenantId,
        unreadable: &mut u64,
    ) -> Result<Option<Posture>, OperationError> {
        loop {
            while let Some(first) = postures.read.front() {
                if first.tenant > tenant {
                    return Ok(None);
                }
                let found = postures.read.pop_front();
                if let Some(found) = found.filter(|one| one.tenant == tenant) {
                    return Ok(Some(found));
                }
            }
            let Some(query) = &mut postures.query else { return Ok(None) };
            let page = self.ports.records.query_index(query).await?;
            for record in &page.records {
                postures.read.extend(self.readable::<Posture>(record, unreadable).await?);
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => postures.query = None,
            }
        }
    }

    /// Reads the overview of a workspace; `None` before the first is made.
    ///
    /// # Errors
    /// The store's.
    pub async fn overview(
        &self,
        workspace: WorkspaceId,
    ) -> Result<Option<Overview>, OperationError> {
        let stored = self.read(&keys::in_workspace(workspace, sk::OVERVIEW)).await?;
        Ok(stored.map(|stored| stored.row))
    }

    /// Reads the trend of the last days, the oldest first. Days on which nothing ran are not in it.
    ///
    /// # Errors
    /// Not found; refuses a number of days that is none; the store's.
    pub async fn trend(
        &self,
        workspace: WorkspaceId,
        days: u32,
    ) -> Result<Vec<TrendPoint>, OperationError> {
        if !(1..=TREND_DAYS).contains(&i64::from(days)) {
            return Err(OperationError::Invalid(format!(
                "a trend has 1 to {TREND_DAYS} days, not {days}"
            )));
        }
        let schedule = self.workspace(workspace).await?.schedule;
        let today = Schedule::date_at(schedule.as_ref(), self.now());
        let first = today.saturating_sub((i64::from(days) - 1).days());
        let rows = self
            .list::<TrendPoint>(Query {
                pk: keys::workspace(workspace),
                range: Range::Between(sk::trend(first), sk::trend(today)),
                after: None,
                limit: usize::MAX,
                descending: false,
            })
            .await?;
        Ok(rows.into_iter().map(|stored| stored.row).collect())
    }

    /// Reads the groups of drift of a workspace; `None` before they are made first.
    ///
    /// # Errors
    /// The store's.
    pub async fn groups(
        &self,
        workspace: WorkspaceId,
    ) -> Result<Option<DriftGroups>, OperationError> {
        let stored = self.read(&keys::in_workspace(workspace, sk::GROUPS)).await?;
        Ok(stored.map(|stored| stored.row))
    }
}

/// The first whole quarter of an hour from a moment on.
fn quarter_from(moment: Timestamp) -> Timestamp {
    let quarter = EVERY.as_secs();
    let next = moment.as_second().saturating_add(quarter - 1).div_euclid(quarter) * quarter;
    Timestamp::from_second(next).unwrap_or(moment)
}
