//! The tick: starts nights that are due, sends lost messages again, and closes runs that nobody
//! finished. It may come twice, late, or from two places at once.

use crate::error::OperationError;
use crate::message::Work;
use crate::repository::keys::{self, sk};
use crate::repository::rows::{
    Due, NightRecord, NightStatus, Outbox, Tenant, TenantStatus, Watched, Workspace,
};
use crate::repository::{Row as _, Stored};
use crate::run::{RESEND, later};
use crate::system::{Actor, System};
use futures::future::join_all;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use plumbline_governance::ids::{RunId, TenantId, WorkspaceId};
use plumbline_governance::run::{Failure, ReasonCode, Run, RunContext, RunState, RunType, Trigger};
use plumbline_governance::schedule::Night;
use plumbline_ports::{Batch, CommitError, Condition, Query, Range};
use std::collections::{BTreeMap, BTreeSet};

/// A night that starts later than this after it was due is missed.
pub(crate) const NIGHT_WINDOW: SignedDuration = SignedDuration::from_hours(12);
/// When the compares of a night are given up.
pub(crate) const NIGHT_DEADLINE: SignedDuration = SignedDuration::from_hours(20);
/// When the tenants of a night that did not end are sent again.
const NIGHT_LOOK: SignedDuration = SignedDuration::from_mins(30);
/// How many tenants one outbox row watches.
const NIGHT_BATCH: usize = 200;
/// How many outbox rows are read at a time, and looked after in one tick; the rest waits for the next one.
const LOOK_PAGE: usize = 100;
const LOOK_MOST: usize = 1_000;
/// How many tenants of a night are asked after at the same time.
const AT_ONCE: usize = 16;
/// How many missed nights are noted one by one, the last ones.
const MISSED: usize = 31;

/// What a tick did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Nights that were started.
    pub started: Vec<(WorkspaceId, Date)>,
    /// Nights that were found to be missed.
    pub missed: Vec<(WorkspaceId, Date)>,
    /// Messages that were sent again.
    pub sent_again: usize,
    /// Runs that were closed because nobody finished them.
    pub closed: usize,
}

impl System {
    /// Does what is due. One workspace's trouble does not hold the others up; the first is returned
    /// after everything was tried.
    ///
    /// # Errors
    /// The stores'.
    pub async fn tick(&self) -> Result<Ticked, OperationError> {
        let mut out = Ticked::default();
        let now = self.now();
        let (nights, mut trouble) = self.list_readable::<Due>(due_by(keys::DUE, now)).await?;
        let mut work = Vec::new();
        for due in nights {
            match self.start_night(&due, &mut out).await {
                Ok((night, unreadable)) => {
                    work.push(night);
                    trouble = trouble.or(unreadable);
                }
                Err(error) => {
                    trouble.get_or_insert(error);
                }
            }
        }
        // What is lost here is sent again by a later tick.
        if let Err(error) = self.send(&in_turns(work)).await {
            trouble.get_or_insert(error);
        }
        let mut query = Query { limit: LOOK_PAGE, ..due_by(keys::OUTBOX, self.now()) };
        let mut looked_after = 0;
        let mut announced = BTreeSet::new();
        loop {
            let page = self.ports.records.query(&query).await?;
            for record in &page.records {
                let looked = match self.decode::<Outbox>(record).await {
                    // What ended since the last look may have changed the sums.
                    Ok(row) => match self.announce_once(&mut announced, row.row.workspace).await {
                        Ok(()) => self.look_after(&row, &mut out).await,
                        Err(error) => Err(error),
                    },
                    Err(error) => Err(error),
                };
                match looked {
                    // What is in trouble does not count, so that it cannot hold the rest up for good.
                    Ok(()) => looked_after += 1,
                    Err(error) => {
                        trouble.get_or_insert(error);
                    }
                }
            }
            match page.next {
                Some(next) if looked_after < LOOK_MOST => query.after = Some(next),
                _ => break,
            }
        }
        if let Err(error) = self.refresh_due_overviews().await {
            trouble.get_or_insert(error);
        }
        trouble.map_or(Ok(out), Err)
    }

    /// Starts the nights of a workspace that are due: the last one runs, if it is not too late for it;
    /// those before it are missed.
    ///
    /// Answers what is to be sent, and why not all tenants could be read, where that is so.
    async fn start_night(
        &self,
        due: &Stored<Due>,
        out: &mut Ticked,
    ) -> Result<(Vec<Work>, Option<OperationError>), OperationError> {
        let now = self.now();
        let id = due.row.workspace;
        let stored = self.stored_workspace(id).await?;
        let Some(schedule) = stored.row.schedule.clone() else {
            // The schedule was taken away; the row is left over.
            let batch = Batch::new().delete(due.row.key(), Condition::Revision(due.revision));
            ignore_condition(self.commit(batch).await)?;
            return Ok((Vec::new(), None));
        };
        let mut nights = vec![Night { date: due.row.date, due: due.row.at }];
        let next = loop {
            let last = nights.last().map_or(due.row.date, |night| night.date);
            let following = schedule.following(last).ok_or_else(|| {
                OperationError::damaged("the schedule", "it has no night after this one")
            })?;
            if following.due > now {
                break following;
            }
            nights.push(following);
        };
        let last = nights.pop().unwrap_or(Night { date: due.row.date, due: due.row.at });
        // A schedule that was changed may name a date again whose night is noted: a date has one night.
        let mut unnoted = Vec::new();
        for night in nights.iter().rev().take(MISSED).rev() {
            if !self.is_noted(id, night.date).await? {
                unnoted.push(*night);
            }
        }
        let nights = unnoted;
        let is_noted = self.is_noted(id, last.date).await?;
        let runs = !is_noted && now < later(last.due, NIGHT_WINDOW);
        let (tenants, trouble) =
            if runs { self.night_tenants(id).await? } else { (Vec::new(), None) };

        if runs {
            self.announce_change(id).await?;
        }
        // The night is noted once, together with the next one; whoever comes second changes nothing.
        let record = |night: Night, status: NightStatus, tenants: u64| NightRecord {
            workspace: id,
            date: night.date,
            due: night.due,
            status,
            tenants,
            at: now,
        };
        let status = if runs { NightStatus::Started } else { NightStatus::Missed };
        let mut batch = Batch::new().delete(due.row.key(), Condition::Revision(due.revision));
        let mut workspace: Workspace = stored.row.clone();
        workspace.next_night = Some(next.due);
        batch = self.update(batch, &workspace, stored.revision).await?;
        let next = Due { workspace: id, date: next.date, at: next.due };
        batch = self.insert(batch, &next).await?;
        if !is_noted {
            batch = self.insert(batch, &record(last, status, tenants.len() as u64)).await?;
        }
        let missed: Vec<Night> = nights.iter().rev().copied().collect();
        for night in &missed {
            batch = self.insert(batch, &record(*night, NightStatus::Missed, 0)).await?;
        }
        let mut watched = Vec::new();
        for chunk in tenants.chunks(NIGHT_BATCH) {
            let row = Outbox {
                id: self.mint(),
                workspace: id,
                look_at: later(now, NIGHT_LOOK),
                deadline: later(last.due, NIGHT_DEADLINE),
                what: Watched::Night { date: last.date, due: last.due, tenants: chunk.to_vec() },
            };
            // A batch takes a hundred actions; a workspace of more than twelve thousand tenants writes
            // the rest of its watch rows after it.
            if batch.actions.len() < 90 {
                batch = self.insert(batch, &row).await?;
            } else {
                watched.push(row);
            }
        }
        match self.commit(batch).await {
            Ok(()) => {}
            // Another tick started it.
            Err(CommitError::Condition { .. }) => return Ok((Vec::new(), None)),
            Err(CommitError::Port(error)) => return Err(error.into()),
        }
        for row in &watched {
            let batch = self.insert(Batch::new(), row).await?;
            ignore_condition(self.commit(batch).await)?;
        }
        out.missed.extend(missed.iter().rev().map(|night| (id, night.date)));
        if runs {
            out.started.push((id, last.date));
        } else if !is_noted {
            out.missed.push((id, last.date));
        }
        let work: Vec<Work> = tenants
            .iter()
            .map(|tenant| Work::Night {
                workspace: id,
                tenant: *tenant,
                date: last.date,
                due: last.due,
            })
            .collect();
        Ok((work, trouble))
    }

    /// Whether a date has its night already.
    async fn is_noted(&self, workspace: WorkspaceId, date: Date) -> Result<bool, OperationError> {
        let key = keys::in_workspace(workspace, sk::night(date));
        Ok(self.read::<NightRecord>(&key).await?.is_some())
    }

    /// The tenants of a night: governed, and held to a profile. One that cannot be read is told, and
    /// holds no other up.
    async fn night_tenants(
        &self,
        workspace: WorkspaceId,
    ) -> Result<(Vec<TenantId>, Option<OperationError>), OperationError> {
        let query = Query::prefix(keys::workspace(workspace), sk::TENANTS);
        let (rows, trouble) = self.list_readable::<Tenant>(query).await?;
        let tenants = rows
            .into_iter()
            .map(|stored| stored.row)
            .filter(|tenant| tenant.status == TenantStatus::Active && tenant.profile.is_some())
            .map(|tenant| tenant.id)
            .collect();
        Ok((tenants, trouble))
    }

    /// Looks at what an outbox row watches: forgets what ended, closes what is past its deadline, sends
    /// the rest again.
    async fn look_after(
        &self,
        stored: &Stored<Outbox>,
        out: &mut Ticked,
    ) -> Result<(), OperationError> {
        let row = &stored.row;
        let late = row.deadline <= self.now();
        let waiting: Vec<Work> = match &row.what {
            Watched::Run { tenant, run, run_type } => {
                match self.stored_run(row.workspace, *tenant, *run).await {
                    Ok(found) if !found.row.is_completed() => vec![Work::Run {
                        workspace: row.workspace,
                        tenant: *tenant,
                        run: *run,
                        run_type: *run_type,
                    }],
                    Ok(found) => {
                        self.recount_after(&found.row).await?;
                        Vec::new()
                    }
                    Err(OperationError::NotFound { .. }) => Vec::new(),
                    Err(error) => return Err(error),
                }
            }
            Watched::Night { date, due, tenants } => {
                let mut waiting = Vec::new();
                for some in tenants.chunks(AT_ONCE) {
                    let ended =
                        some.iter().map(|one| self.night_ended(row.workspace, *one, *date, *due));
                    for (tenant, ended) in some.iter().zip(join_all(ended).await) {
                        if !ended? {
                            waiting.push(Work::Night {
                                workspace: row.workspace,
                                tenant: *tenant,
                                date: *date,
                                due: *due,
                            });
                        }
                    }
                }
                waiting
            }
            Watched::Retire { tenant } => {
                let assignment = self.assignment(row.workspace, *tenant).await?;
                let keep = assignment.map(|one| one.profile);
                self.retire_findings(row.workspace, *tenant, keep).await?;
                Vec::new()
            }
        };
        if waiting.is_empty() || late {
            for work in &waiting {
                let reason = "no worker finished it before its deadline; compare or capture again";
                self.close_work(work, ReasonCode::NoDelivery, reason).await?;
                out.closed += 1;
            }
            let batch = Batch::new().delete(row.key(), Condition::Revision(stored.revision));
            return ignore_condition(self.commit(batch).await);
        }
        let mut next = row.clone();
        let wait = match &row.what {
            Watched::Run { .. } | Watched::Retire { .. } => RESEND,
            Watched::Night { .. } => NIGHT_LOOK,
        };
        next.look_at = later(self.now(), wait).min(row.deadline);
        if let Watched::Night { tenants, .. } = &mut next.what {
            // Those whose part is over need not be asked after again.
            let night = |work: &Work| match work {
                Work::Night { tenant, .. } => Some(*tenant),
                Work::Run { .. } => None,
            };
            *tenants = waiting.iter().filter_map(night).collect();
        }
        let batch = Batch::new().delete(row.key(), Condition::Revision(stored.revision));
        let batch = self.insert(batch, &next).await?;
        match self.commit(batch).await {
            Ok(()) => {}
            // Another tick looks after it.
            Err(CommitError::Condition { .. }) => return Ok(()),
            Err(CommitError::Port(error)) => return Err(error.into()),
        }
        out.sent_again += waiting.len();
        self.send(&waiting).await
    }

    /// Whether a tenant's part of a night is over: its run ended, or the tenant is gone.
    async fn night_ended(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        date: Date,
        due: Timestamp,
    ) -> Result<bool, OperationError> {
        let id = RunId::scheduled(workspace, tenant, RunType::BaselineCompare, date, due);
        match self.stored_run(workspace, tenant, id).await {
            Ok(found) => {
                self.recount_after(&found.row).await?;
                Ok(found.row.is_completed())
            }
            Err(OperationError::NotFound { .. }) => match self.tenant(workspace, tenant).await {
                Ok(found) => Ok(found.status != TenantStatus::Active || found.profile.is_none()),
                Err(OperationError::NotFound { .. }) => Ok(true),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Ends a tenant's part of a night that nobody will do; its run is made for that, if it was not.
    pub(crate) async fn close_night(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        date: Date,
        due: Timestamp,
        failure: Failure,
    ) -> Result<(), OperationError> {
        let run_type = RunType::BaselineCompare;
        let id = RunId::scheduled(workspace, tenant, run_type, date, due);
        match self.close_run(workspace, tenant, id, failure.clone(), &Actor::system()).await {
            Ok(_) => return Ok(()),
            Err(OperationError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        match self.tenant(workspace, tenant).await {
            Ok(_) => {}
            Err(OperationError::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
        let now = self.now();
        let assignment = self.assignment(workspace, tenant).await?;
        let mut run = Run {
            id,
            workspace,
            tenant,
            run_type,
            trigger: Trigger::Night { date },
            created_at: now,
            deadline: later(due, NIGHT_DEADLINE),
            state: RunState::Queued,
            context: RunContext {
                baseline_profile_id: assignment.map(|one| one.profile),
                ..RunContext::default()
            },
            summary_counts: BTreeMap::new(),
        };
        let outcome = crate::run::outcome_of(Some(&failure));
        run.finish(now, outcome, Some(failure))?;
        let batch = self.insert(Batch::new(), &run).await?;
        ignore_condition(self.commit(batch).await)
    }

    /// Lists the nights of a workspace, the newest first; missed ones too.
    ///
    /// # Errors
    /// The store's.
    pub async fn nights(&self, workspace: WorkspaceId) -> Result<Vec<NightRecord>, OperationError> {
        let mut query = Query::prefix(keys::workspace(workspace), sk::NIGHTS);
        query.descending = true;
        Ok(self.list::<NightRecord>(query).await?.into_iter().map(|stored| stored.row).collect())
    }
}

/// Takes one piece of each workspace's work in turns, so that a small workspace whose night starts at the
/// same moment as large ones' does not wait for all of them. A queue may know fairness of its own, but it
/// notices only those that take much more than others.
fn in_turns(work: Vec<Vec<Work>>) -> Vec<Work> {
    let mut left: Vec<_> = work.into_iter().map(Vec::into_iter).collect();
    let mut out = Vec::new();
    while !left.is_empty() {
        left.retain_mut(|night| night.next().map(|next| out.push(next)).is_some());
    }
    out
}

/// Asks for the rows of a partition whose moment has come.
fn due_by(pk: &str, now: Timestamp) -> Query {
    Query {
        pk: pk.to_owned(),
        range: Range::Between(String::new(), format!("{}~", keys::moment(now))),
        after: None,
        limit: usize::MAX,
        descending: false,
    }
}

/// Takes "somebody else did it" for done.
fn ignore_condition(result: Result<(), CommitError>) -> Result<(), OperationError> {
    match result {
        Ok(()) | Err(CommitError::Condition { .. }) => Ok(()),
        Err(CommitError::Port(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn night(workspace: u128, tenants: u128) -> Vec<Work> {
        let of = |tenant| Work::Night {
            workspace: WorkspaceId::from_uuid(Uuid::from_u128(workspace)),
            tenant: TenantId::from_uuid(Uuid::from_u128(tenant)),
            date: Date::constant(2026, 3, 2),
            due: Timestamp::UNIX_EPOCH,
        };
        (0..tenants).map(of).collect()
    }

    /// However large the nights that start with it are, a workspace's first tenant waits for one of each.
    #[test]
    fn workspaces_take_turns() {
        let nights = vec![night(1, 3), night(2, 0), night(3, 1), night(4, 2)];
        let all = in_turns(nights.clone());
        let owners: Vec<u128> =
            all.iter().map(|work| work.workspace().as_uuid().as_u128()).collect();
        assert_eq!(owners, [1, 3, 4, 1, 4, 1]);
        assert!(nights.iter().flatten().all(|work| all.contains(work)), "nothing is lost");
    }
}
