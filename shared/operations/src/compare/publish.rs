//! What a compare found becomes findings: evidence, rows under a fence, then run, memo and posture.

use super::Compared;
use super::inputs::{Inputs, note_night_in};
use crate::archive::{ClosedPacks, PackWriter, PendingFrame, compress};
use crate::error::OperationError;
use crate::posture::{Standing, counted};
use crate::repository::keys::folder;
use crate::repository::rows::Memo;
use crate::run::{Finish, Lease, outcome_of, usage_map};
use crate::system::System;
use jiff::Timestamp;
use plumbline_governance::finding::reconcile::{FindingChange, FindingEvent, Reconciliation};
use plumbline_governance::finding::record::Finding;
use plumbline_governance::finding::seen::SeenCounters;
use plumbline_governance::finding::state::FindingState;
use plumbline_governance::ids::{ProfileId, RunId};
use plumbline_governance::index::Frame;
use plumbline_governance::report::{Report, Trust};
use plumbline_governance::run::{CompareResult, Failure, ReasonCode, RoleSummary, Run};
use plumbline_policy::digest::Digest;
use plumbline_ports::{Batch, CommitError, Condition, Counters};
use std::collections::{BTreeMap, BTreeSet};

/// How many findings go into one batch, beside the check of the lease.
const ROWS: usize = 90;
/// How often rows and posture are tried while people act on findings at the same time.
const TRIES: usize = 8;
/// How many gaps and suppressed subjects a run names one by one.
const NAMED: usize = 100;

impl System {
    /// Writes what a compare found: evidence, rows, then run, memo and posture in one commit. The rows
    /// are true one by one; nothing is summed up before all of them stand.
    pub(super) async fn publish(
        &self,
        lease: &Lease,
        inputs: &Inputs,
        compared: &Compared,
        counters: &Counters,
    ) -> Result<Option<Run>, OperationError> {
        let run = &lease.run.row;
        let report = &compared.report;
        let looked_at: BTreeSet<String> = inputs.asked.keys().map(str::to_owned).collect();
        let before = lease.guard.row.seen.clone();
        let after = before.after(&looked_at, &report.proven, self.now());
        // Every action of a person moves the posture. If it stands at the end as it was before the rows
        // were read, the rows are those that were read and those that were written here.
        let mut posture = lease.posture;
        let mut standing = self.standing(run.workspace, run.tenant).await?;
        let evidence = self.store_evidence(run, report, &standing).await?;
        for attempt in 0..TRIES {
            if attempt > 0 {
                let stored = self.posture_row(run.workspace, run.tenant).await?;
                posture = stored.map(|stored| stored.revision);
                standing = self.standing(run.workspace, run.tenant).await?;
            }
            let changes = self.plan(run, inputs, compared, &standing, (&before, &after), &evidence);
            let mut is_whole = true;
            for chunk in changes.chunks(ROWS) {
                let mut batch = Batch::new().check(
                    crate::repository::Row::key(&lease.guard.row),
                    Condition::Revision(lease.guard.revision),
                );
                for change in chunk {
                    let key = (change.finding.row_key(), change.finding.occurrence);
                    let read = standing.revision(key);
                    batch = self.upsert(batch, &change.finding, read).await?;
                }
                batch = self.secure(batch, run.workspace, &evidence.closed.written).await?;
                match self.commit(batch).await {
                    Ok(()) => chunk.iter().for_each(|one| standing.put(one.finding.clone())),
                    // A person acted on one of them: look at all rows again.
                    Err(CommitError::Condition { .. }) if self.holds(lease).await? => {
                        is_whole = false;
                        break;
                    }
                    Err(CommitError::Condition { .. }) => return Ok(None),
                    Err(CommitError::Port(error)) => return Err(error.into()),
                }
            }
            if !is_whole {
                continue;
            }
            let events = events_of(run.id, &standing);
            let finish = finish_of(run, report, &events, counters);
            let result = finish.context.baseline_compare.clone();
            let mut guard = lease.guard.row.clone();
            guard.seen = after.clone();
            guard.memo = result.map(|result| Memo {
                key: inputs.memo_key,
                valid_until: first_expiry(standing.all(), inputs.profile.row.id),
                run: run.id,
                result: CompareResult { gaps: Vec::new(), suppressed: Vec::new(), ..result },
                summary_counts: steady(&finish.summary_counts),
                outcome: outcome_of(finish.failure.as_ref()),
                failure: finish.failure.clone(),
                unproven: looked_at.difference(&report.proven).cloned().collect(),
            });
            note_night_in(&mut guard, run);
            let mut row = counted(
                run.workspace,
                run.tenant,
                standing.all(),
                Some((report.trust.as_str(), run.id)),
                self.now(),
            );
            row.profile = Some(inputs.profile.row.id);
            let batch = self.upsert(Batch::new(), &row, posture).await?;
            let (batch, ended) = self.ended(batch, lease, guard, finish).await?;
            match self.commit(batch).await {
                Ok(()) => return Ok(Some(ended)),
                Err(CommitError::Condition { .. }) => {
                    if !self.holds(lease).await? {
                        return Ok(None);
                    }
                }
                Err(CommitError::Port(error)) => return Err(error.into()),
            }
        }
        Err(OperationError::Conflict("the findings of the tenant".to_owned()))
    }

    fn plan(
        &self,
        run: &Run,
        inputs: &Inputs,
        compared: &Compared,
        standing: &Standing,
        (before, after): (&SeenCounters, &SeenCounters),
        evidence: &Evidence,
    ) -> Vec<FindingChange> {
        let reconciliation = Reconciliation {
            workspace: run.workspace,
            tenant: run.tenant,
            profile: inputs.profile.row.id,
            snapshot: inputs.snapshot,
            run: run.id,
            report: &compared.report,
            scope: &compared.options.scope,
            asked: &inputs.asked,
            before,
            after,
            now: self.now(),
        };
        let mut changes = reconciliation.changes(&standing.latest(inputs.profile.row.id));
        for change in &mut changes {
            if let Some(place) = change.drift {
                change.finding.evidence = evidence.frame(place);
            }
        }
        changes
    }

    /// Stores the evidence of every drift that has no finding with it yet: one pack a run.
    async fn store_evidence(
        &self,
        run: &Run,
        report: &Report,
        standing: &Standing,
    ) -> Result<Evidence, OperationError> {
        let known: BTreeMap<Digest, Frame> =
            standing.all().filter_map(|one| Some((one.drift.fingerprint, one.evidence?))).collect();
        let mut packs = PackWriter::new(folder::tenant(run.workspace, run.tenant, "evidence"));
        let mut frames: BTreeMap<usize, PendingFrame> = BTreeMap::new();
        for (place, drift) in report.drift.iter().enumerate() {
            let fingerprint: Option<Digest> = drift.fingerprint.parse().ok();
            if let Some(frame) = fingerprint.and_then(|one| known.get(&one)) {
                frames.insert(place, PendingFrame::Kept(*frame));
                continue;
            }
            let plain = serde_json::to_vec(drift)
                .map_err(|error| OperationError::damaged("the evidence", error))?;
            let pending = packs.add(self, Digest::of(&plain), &compress(&plain)?).await?;
            frames.insert(place, pending);
        }
        let closed = packs.finish(self).await?;
        Ok(Evidence { closed, frames })
    }
}

/// Where the evidence of the drifts of one report stands.
struct Evidence {
    closed: ClosedPacks,
    frames: BTreeMap<usize, PendingFrame>,
}

impl Evidence {
    fn frame(&self, place: usize) -> Option<Frame> {
        self.closed.frame(*self.frames.get(&place)?)
    }
}

/// What a run did to the findings, told from the rows it wrote: a worker that went on where another died
/// counts the other's rows too.
fn events_of(run: RunId, standing: &Standing) -> BTreeMap<&'static str, u64> {
    let mut events = BTreeMap::new();
    for finding in standing.all().filter(|finding| finding.last_run == run) {
        let event = match &finding.state {
            _ if finding.first_run == run => FindingEvent::Appeared,
            FindingState::Resolved { .. } => FindingEvent::Resolved,
            FindingState::Reopened { at } if *at == finding.changed_at => FindingEvent::Reopened,
            _ => FindingEvent::Changed,
        };
        *events.entry(event.as_str()).or_default() += 1;
    }
    events
}

/// The earliest end of an acceptance under a profile; from then on the memo says nothing.
fn first_expiry<'f>(
    findings: impl Iterator<Item = &'f Finding>,
    profile: ProfileId,
) -> Option<Timestamp> {
    findings
        .filter(|finding| finding.profile == profile)
        .filter_map(|finding| match &finding.state {
            FindingState::Accepted { until, .. } => *until,
            _ => None,
        })
        .min()
}

/// The counts that hold for a compare that changes nothing.
fn steady(counts: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let events = [
        FindingEvent::Appeared,
        FindingEvent::Changed,
        FindingEvent::Reopened,
        FindingEvent::Resolved,
    ];
    counts
        .iter()
        .filter(|(name, _)| !events.iter().any(|event| event.as_str() == name.as_str()))
        .map(|(name, count)| (name.clone(), *count))
        .collect()
}

fn finish_of(
    run: &Run,
    report: &Report,
    events: &BTreeMap<&'static str, u64>,
    counters: &Counters,
) -> Finish {
    let summary = &report.summary;
    let mut counts: BTreeMap<String, u64> = [
        ("total", summary.compared),
        ("unchanged", summary.unchanged),
        ("missing_policy", summary.missing_policy),
        ("different_version", summary.different_version),
        ("unexpected_policy", summary.unexpected_policy),
        ("suppressed", summary.suppressed),
        ("gaps", summary.gaps),
    ]
    .into_iter()
    .chain(summary.by_severity.iter().map(|(severity, count)| (*severity, *count)))
    .map(|(name, count)| (name.to_owned(), count as u64))
    .collect();
    counts.extend(events.iter().map(|(name, count)| ((*name).to_owned(), *count)));
    let gaps: Vec<String> = report
        .gaps
        .iter()
        .filter(|gap| gap.kind.lowers_trust())
        .map(|gap| gap.detail.clone())
        .collect();
    let named = |list: Vec<String>| list.into_iter().take(NAMED).collect::<Vec<_>>();
    let suppressed = report
        .suppressed
        .iter()
        .map(|one| format!("{} ({}): {}", one.display_name, one.policy_type, one.reason))
        .collect();
    let result = CompareResult {
        trust: report.trust.as_str().to_owned(),
        from_memo: false,
        rbac_role_definitions: summary.rbac_role_definitions.map(|counts| RoleSummary {
            total_compared: counts.total_compared as u64,
            unchanged: counts.unchanged as u64,
            modified: counts.modified as u64,
            missing: counts.missing as u64,
            unexpected: counts.unexpected as u64,
        }),
        gaps: named(gaps.clone()),
        suppressed: named(suppressed),
    };
    let mut context = run.context.clone();
    context.baseline_compare = Some(result);
    context.usage = usage_map(counters.usage());
    let failure = (report.trust != Trust::Full).then(|| Failure {
        reason_code: ReasonCode::NotProven,
        message: match gaps.first() {
            Some(first) if gaps.len() > 1 => {
                format!("{first} (and {} more that were not proven)", gaps.len() - 1)
            }
            Some(first) => first.clone(),
            None => "not everything was proven".to_owned(),
        },
    });
    Finish { failure, context, summary_counts: counts }
}
