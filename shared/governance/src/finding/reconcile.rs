//! What a compare does to the findings: pure, so that the same drift always gives the same rows.

use super::record::{DriftFacts, FINDING_TYPE, Finding, SOURCE, SeenAtWrite, finding_id};
use super::seen::SeenCounters;
use super::state::{FindingState, Resolution};
use crate::ids::{ProfileId, RunId, SnapshotId, TenantId, WorkspaceId};
use crate::report::Report;
use crate::scope::EffectiveScope;
use jiff::Timestamp;
use plumbline_policy::digest::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// What happened to one finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingEvent {
    /// Drift that was not there before, or that follows a closed one.
    Appeared,
    /// Drift that was resolved or accepted is there again, or its acceptance ended and nothing proves that
    /// it went away.
    Reopened,
    /// The drift of an open finding is another one now.
    Changed,
    /// The drift is gone.
    Resolved,
}

impl FindingEvent {
    /// The word used in the summary counts of a run.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Appeared => "appeared",
            Self::Reopened => "reopened",
            Self::Changed => "changed",
            Self::Resolved => "resolved",
        }
    }
}

/// A finding to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingChange {
    /// The row as it is to be.
    pub finding: Finding,
    /// What happened.
    pub event: FindingEvent,
    /// The place of its drift in the report; `None` when the compare did not see it.
    pub drift: Option<usize>,
}

/// One compare's view of its findings.
pub struct Reconciliation<'r> {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The tenant.
    pub tenant: TenantId,
    /// The profile.
    pub profile: ProfileId,
    /// The snapshot that was compared with.
    pub snapshot: SnapshotId,
    /// The run.
    pub run: RunId,
    /// What the compare found.
    pub report: &'r Report,
    /// The types that were compared.
    pub scope: &'r EffectiveScope,
    /// The types that the profile and the tenant's override ask for. A type that was asked for but not
    /// compared proves nothing; one that is not asked for any more is out of scope.
    pub asked: &'r EffectiveScope,
    /// The counts before this compare.
    pub before: &'r SeenCounters,
    /// The counts with this compare.
    pub after: &'r SeenCounters,
    /// The time.
    pub now: Timestamp,
}

impl Reconciliation<'_> {
    /// Works out what to write. `standing` holds the last occurrence of each row key.
    #[must_use]
    pub fn changes(&self, standing: &BTreeMap<Digest, Finding>) -> Vec<FindingChange> {
        let mut out = Vec::new();
        let mut drifted = BTreeSet::new();
        for placed in self.placed(standing) {
            let Placed { place, key, twin, facts } = placed;
            let row_key = twin.unwrap_or(key);
            drifted.insert(row_key);
            let change = match standing.get(&row_key) {
                None => Some(self.appear(key, twin, 1, facts)),
                Some(finding) => self.seen_again(finding, facts),
            };
            out.extend(change.map(|(finding, event)| FindingChange {
                finding,
                event,
                drift: Some(place),
            }));
        }
        for (_, finding) in standing.iter().filter(|(key, _)| !drifted.contains(*key)) {
            let Some(because) = self.absence(finding) else { continue };
            let is_accepted = finding.state.is_accepted_at(self.now);
            if is_accepted && finding.absent_since.is_none() {
                let mut next = finding.clone();
                next.seen = self.counted(finding, false);
                next.absent_since = Some(self.now);
                next.last_run = self.run;
                out.push(FindingChange {
                    finding: next,
                    event: FindingEvent::Changed,
                    drift: None,
                });
            }
            let ends = finding.state.is_open()
                || matches!(finding.state, FindingState::Accepted { .. }) && !is_accepted;
            if ends {
                // Counted while it still counts as seen.
                let seen = self.counted(finding, false);
                let mut finding = finding.clone();
                finding.state = FindingState::Resolved { at: self.now, because };
                finding.seen = seen;
                finding.absent_since = None;
                finding.changed_at = self.now;
                finding.last_run = self.run;
                out.push(FindingChange { finding, event: FindingEvent::Resolved, drift: None });
            }
        }
        let unseen = standing.iter().filter(|(key, _)| !drifted.contains(*key));
        out.extend(unseen.filter_map(|(_, finding)| self.lapsed(finding)));
        out.sort_by(|a, b| {
            (a.finding.row_key(), a.finding.occurrence)
                .cmp(&(b.finding.row_key(), b.finding.occurrence))
        });
        out
    }

    /// The row of each drift. A drift whose subject has a row keeps it, whatever else shares its
    /// recurrence key and in whatever order the report lists them: what people decided stays with the
    /// subject they decided on.
    fn placed(&self, standing: &BTreeMap<Digest, Finding>) -> Vec<Placed> {
        let mut by_key: BTreeMap<Digest, Vec<(usize, DriftFacts)>> = BTreeMap::new();
        for (place, drift) in self.report.drift.iter().enumerate() {
            if let (Ok(key), Some(facts)) =
                (drift.recurrence_key.parse::<Digest>(), DriftFacts::of(drift, self.snapshot))
            {
                by_key.entry(key).or_default().push((place, facts));
            }
        }
        let mut out = Vec::new();
        for (key, drifts) in by_key {
            // The row of the plain key is for the subject that it is about; else for the first subject
            // that has no row yet.
            let about = standing.get(&key).map(|finding| &finding.drift);
            let is_same = |facts: &DriftFacts| {
                about.is_some_and(|about| about.subject_key == facts.subject_key)
            };
            let is_exact = |facts: &DriftFacts| {
                is_same(facts)
                    && about
                        .is_some_and(|about| about.subject_external_id == facts.subject_external_id)
            };
            let is_free = |facts: &DriftFacts| !standing.contains_key(&twin_key(key, facts));
            let first = |rule: &dyn Fn(&DriftFacts) -> bool| {
                drifts.iter().position(|(_, facts)| rule(facts))
            };
            let plain = first(&is_exact)
                .or_else(|| first(&|facts| is_same(facts) && is_free(facts)))
                .or_else(|| first(&is_free));
            let mut taken = BTreeSet::from([key]);
            for (at, (place, facts)) in drifts.into_iter().enumerate() {
                let mut twin = None;
                if plain != Some(at) {
                    let mut own = twin_key(key, &facts);
                    // Without ids, subjects may be alike in everything that tells them apart.
                    while !taken.insert(own) {
                        own = twin_key(own, &facts);
                    }
                    twin = Some(own);
                }
                out.push(Placed { place, key, twin, facts });
            }
        }
        out
    }

    fn appear(
        &self,
        recurrence_key: Digest,
        twin: Option<Digest>,
        occurrence: u32,
        facts: DriftFacts,
    ) -> (Finding, FindingEvent) {
        let counter = self.after.of(&facts.policy_type).map_or(0, |seen| seen.count);
        let finding = Finding {
            id: finding_id(twin.unwrap_or(recurrence_key), occurrence),
            workspace: self.workspace,
            tenant: self.tenant,
            profile: self.profile,
            source: SOURCE.to_owned(),
            finding_type: FINDING_TYPE.to_owned(),
            scope_key: format!("baseline_profile:{}", self.profile),
            recurrence_key,
            twin,
            occurrence,
            state: FindingState::New,
            drift: facts,
            evidence: None,
            first_seen_at: self.now,
            changed_at: self.now,
            seen: SeenAtWrite { times: 1, last_at: self.now, counter },
            absent_since: None,
            first_run: self.run,
            last_run: self.run,
        };
        (finding, FindingEvent::Appeared)
    }

    /// A drift whose finding stands.
    fn seen_again(&self, finding: &Finding, facts: DriftFacts) -> Option<(Finding, FindingEvent)> {
        let same = finding.drift.fingerprint == facts.fingerprint;
        let (state, event) = match &finding.state {
            FindingState::Closed { fingerprint, .. } if *fingerprint == facts.fingerprint => {
                return None;
            }
            FindingState::Closed { .. } => {
                let (key, twin) = (finding.recurrence_key, finding.twin);
                return Some(self.appear(key, twin, finding.occurrence.saturating_add(1), facts));
            }
            FindingState::Accepted { fingerprint, .. }
                if *fingerprint == facts.fingerprint && finding.state.is_accepted_at(self.now) =>
            {
                // Accepted drift that comes back is accepted still, and seen again.
                finding.absent_since?;
                (finding.state.clone(), FindingEvent::Changed)
            }
            FindingState::Accepted { .. } | FindingState::Resolved { .. } => {
                (FindingState::Reopened { at: self.now }, FindingEvent::Reopened)
            }
            open => {
                // A severity that the profile changed, or another snapshot with the same hashes, is a
                // change of the row, not of the drift.
                if same && finding.drift == facts && finding.absent_since.is_none() {
                    return None;
                }
                (open.clone(), FindingEvent::Changed)
            }
        };
        let mut next = finding.clone();
        next.state = state;
        next.seen = self.counted(finding, true);
        next.absent_since = None;
        next.drift = facts;
        next.evidence = None;
        next.changed_at = self.now;
        next.last_run = self.run;
        Some((next, event))
    }

    /// What the row's count comes to now; with `here`, this compare saw the drift too.
    fn counted(&self, finding: &Finding, here: bool) -> SeenAtWrite {
        let policy_type = &finding.drift.policy_type;
        let mut seen = seen_now(finding, self.before);
        if here {
            seen.times = seen.times.saturating_add(1);
            seen.last_at = self.now;
        }
        let counter = self.after.of(policy_type).map_or(0, |after| after.count);
        SeenAtWrite { counter, ..seen }
    }

    /// An acceptance that ended while nothing proves that the drift went away: nobody allows it any more,
    /// and what is not proven is not fine.
    fn lapsed(&self, finding: &Finding) -> Option<FindingChange> {
        let has_ended = matches!(finding.state, FindingState::Accepted { .. })
            && !finding.state.is_accepted_at(self.now);
        if !has_ended || self.absence(finding).is_some() {
            return None;
        }
        let mut next = finding.clone();
        next.seen = self.counted(finding, false);
        next.state = FindingState::Reopened { at: self.now };
        next.absent_since = None;
        next.changed_at = self.now;
        next.last_run = self.run;
        Some(FindingChange { finding: next, event: FindingEvent::Reopened, drift: None })
    }

    /// How it is known that a drift is not there; `None` while nothing proves it.
    fn absence(&self, finding: &Finding) -> Option<Resolution> {
        let policy_type = &finding.drift.policy_type;
        if !self.asked.holds(policy_type) {
            return Some(Resolution::OutOfScope);
        }
        let proven = self.scope.holds(policy_type)
            && self.report.proven.contains(policy_type)
            && !self.report.undecided.contains(&finding.recurrence_key.to_string());
        proven.then_some(Resolution::Proven)
    }
}

/// A drift and the row it belongs to.
struct Placed {
    /// Its place in the report.
    place: usize,
    key: Digest,
    twin: Option<Digest>,
    facts: DriftFacts,
}

/// The row key of a drift whose recurrence key another drift of the same compare has.
fn twin_key(recurrence_key: Digest, facts: &DriftFacts) -> Digest {
    let parts = (recurrence_key, &facts.subject_key, &facts.subject_external_id);
    Digest::of(&serde_json::to_vec(&parts).unwrap_or_default())
}

/// How often a finding was seen, the compares that did not write it included.
#[must_use]
pub fn seen_now(finding: &Finding, counters: &SeenCounters) -> SeenAtWrite {
    let mut seen = finding.seen;
    // What is not there is not seen, and of a closed one nobody wants to hear more.
    let counts = finding.absent_since.is_none()
        && !matches!(finding.state, FindingState::Resolved { .. } | FindingState::Closed { .. });
    if !counts {
        return seen;
    }
    if let Some(now) = counters.of(&finding.drift.policy_type)
        && now.count > seen.counter
    {
        seen.times = seen.times.saturating_add(now.count - seen.counter);
        seen.counter = now.count;
        seen.last_at = now.last_at;
    }
    seen
}

#[cfg(test)]
mod tests;
