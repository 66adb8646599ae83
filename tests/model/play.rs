//! Plays a history through the operations and the model, and compares them after every step.

use crate::history::{Action, Claim, Op};
use crate::reference::{Doing, End, Identity, Model, Policy, TYPES, name, type_of};
use futures::executor::block_on;
use jiff::SignedDuration;
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::ids::{ProfileId, SnapshotId, TenantId};
use plumbline_governance::profile::ProfileStatus;
use plumbline_governance::report::Facet;
use plumbline_governance::run::{Run, RunType, Trigger};
use plumbline_governance::severity::Severity;
use plumbline_operations::{
    CollectOptions, CoverageClaim, ImportOptions, OperationError, ProfileEdit, Work,
};
use plumbline_policy::digest::Digest;
use plumbline_ports::{Clock as _, Outgoing, QueueName};
use plumbline_testkit::clock::ManualClock;
use plumbline_testkit::ids::CountedIds;
use plumbline_tests::check::broken;
use plumbline_tests::policies::{Policies, feature, quality};
use plumbline_tests::stage::{Stage, scope};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The stores under a history.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Memory,
    Local,
}

/// Two names for one thing, each of which must always go with the other.
struct Pairs<L, R>(BTreeMap<L, R>, BTreeMap<R, L>);

impl<L, R> Default for Pairs<L, R> {
    fn default() -> Self {
        Self(BTreeMap::new(), BTreeMap::new())
    }
}

impl<L: Ord + Clone + std::fmt::Debug, R: Ord + Clone + std::fmt::Debug> Pairs<L, R> {
    fn agree(&mut self, left: &L, right: &R, what: &str) -> Result<(), String> {
        let known = self.0.entry(left.clone()).or_insert_with(|| right.clone());
        if known != right {
            return Err(format!("{what}: {left:?} was {known:?} and is {right:?}"));
        }
        let known = self.1.entry(right.clone()).or_insert_with(|| left.clone());
        if known != left {
            return Err(format!("{what}: {right:?} was {known:?} and is {left:?}"));
        }
        Ok(())
    }
}

type Content = (Vec<(u8, Policy)>, [bool; 2]);

struct Play {
    stage: Stage,
    model: Model,
    tenants: Vec<TenantId>,
    profiles: Vec<ProfileId>,
    snapshots: Vec<Vec<SnapshotId>>,
    fingerprints: BTreeMap<(usize, usize), Pairs<Digest, Identity>>,
    roots: BTreeMap<usize, Pairs<Digest, Content>>,
    /// What the history came to.
    reached: BTreeMap<String, u64>,
    /// The data directory, while there is one.
    _directory: Option<tempfile::TempDir>,
}

/// Plays a history, and tells what it came to; or says at which step and how the two differ.
pub(crate) fn play(kind: Kind, ops: &[Op]) -> Result<BTreeMap<String, u64>, String> {
    let played = catch_unwind(AssertUnwindSafe(|| {
        let mut play = Play::new(kind);
        for (at, op) in ops.iter().enumerate() {
            let when = |error: String| format!("step {at}, {op:?}: {error}");
            play.step(op).map_err(when)?;
            play.check().map_err(when)?;
        }
        Ok(play.reached)
    }));
    played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.unwrap_or_else(|| "it panicked".to_owned()))
    })
}

/// A refusal that the model foresaw, or none that it did not.
fn expect<T>(answer: Result<T, OperationError>, allowed: bool) -> Result<Option<T>, String> {
    match (answer, allowed) {
        (Ok(found), true) => Ok(Some(found)),
        (Err(OperationError::Refused(_) | OperationError::Invalid(_)), false) => Ok(None),
        (Ok(_), false) => Err("it was done, and the model refuses it".to_owned()),
        (Err(error), _) => Err(format!("{error:?}")),
    }
}

impl Play {
    fn new(kind: Kind) -> Self {
        let (stage, directory) = match kind {
            Kind::Memory => (Stage::new(), None),
            Kind::Local => {
                let directory = tempfile::tempdir().expect("a directory");
                let clock = Arc::new(ManualClock::default());
                let stores = plumbline_store_local::DataDir::open(
                    &directory.path().join("data"),
                    Arc::clone(&clock) as _,
                )
                .expect("stores");
                let ports = stores.ports(Arc::new(CountedIds::default()));
                (Stage::over(ports, clock), Some(directory))
            }
        };
        let tenants = ["a", "b", "c"].map(|name| stage.tenant(name)).into();
        let profiles = ["Gold", "Silver"].map(|name| stage.profile(name, &TYPES)).into();
        stage.schedule("02:00", "UTC");
        Self {
            stage,
            model: Model::new(),
            tenants,
            profiles,
            snapshots: vec![Vec::new(); 2],
            fingerprints: BTreeMap::new(),
            roots: BTreeMap::new(),
            reached: BTreeMap::new(),
            _directory: directory,
        }
    }

    fn documents(&self, tenant: usize) -> Policies {
        let of = u32::try_from(tenant).unwrap_or_default() * 1_000;
        self.model.tenants[tenant]
            .policies
            .iter()
            .map(|(number, policy)| {
                let id = of + u32::from(*number);
                let spelling = name(*number, policy.renamed);
                let document = match type_of(*number) {
                    0 => feature(&spelling, id, &format!("{number}-{}", policy.variant)),
                    _ => {
                        quality(&spelling, id, u32::from(*number) * 100 + u32::from(policy.variant))
                    }
                };
                (format!("{number:02}"), document)
            })
            .collect()
    }

    fn import(&mut self, tenant: usize, claim: Claim, confirm: bool) -> Result<(), String> {
        let own = |types: &[&str]| types.iter().map(|one| (*one).to_owned()).collect();
        let (coverage, read) = match claim {
            Claim::Complete => (CoverageClaim::Complete, [true, true]),
            Claim::Features => (CoverageClaim::Types(own(&TYPES[..1])), [true, false]),
            Claim::Unknown => (CoverageClaim::Unknown, [false, false]),
        };
        let confirm_empty = if confirm { own(&TYPES) } else { Vec::new() };
        let options = ImportOptions { coverage, confirm_empty };
        let imported = self
            .stage
            .try_import(self.tenants[tenant], &self.documents(tenant), &options)
            .map_err(|error| error.to_string())?;
        let policies = self.model.tenants[tenant].policies.clone();
        let taken = self.model.import(tenant, policies, read, confirm, self.stage.second());
        let end = if taken {
            End { outcome: "succeeded", reason: None, counts: None }
        } else {
            End { outcome: "blocked", reason: Some("confirm_empty"), counts: None }
        };
        ends(&imported.run, &end)
    }

    #[expect(clippy::too_many_lines, reason = "one arm a step")]
    fn step(&mut self, op: &Op) -> Result<(), String> {
        self.stage.wait(60);
        let (workspace, actor) = (self.stage.workspace, self.stage.actor.clone());
        match *op {
            Op::Import { tenant, changes, claim, confirm } => {
                for (number, action) in changes {
                    let policies = &mut self.model.tenants[tenant].policies;
                    match action {
                        0 => drop(policies.remove(&number)),
                        1 => {
                            if let Some(policy) = policies.get_mut(&number) {
                                policy.renamed = !policy.renamed;
                            }
                        }
                        _ => {
                            let before = policies.get(&number).is_some_and(|one| one.renamed);
                            let policy = Policy { renamed: before, variant: action % 3 };
                            policies.insert(number, policy);
                        }
                    }
                }
                self.import(tenant, claim, confirm)
            }
            Op::Collapse { tenant, quality, confirm } => {
                let of = usize::from(quality);
                self.model.tenants[tenant].policies.retain(|number, _| type_of(*number) != of);
                self.import(tenant, Claim::Complete, confirm)
            }
            Op::Capture { profile, source } => self.capture(profile, source),
            Op::Promote { profile, nth } => {
                let count = self.snapshots[profile].len();
                if count > 0 {
                    let id = self.snapshots[profile][nth % count];
                    let of = self.profiles[profile];
                    let promoted = block_on(
                        self.stage.system.promote_snapshot(workspace, &actor, of, id, None),
                    );
                    expect(promoted, true)?;
                    self.model.profiles[profile].current = Some(nth % count);
                }
                Ok(())
            }
            Op::Scope { profile, both } => {
                let types = if both { &TYPES[..] } else { &TYPES[..1] };
                let edit = ProfileEdit { scope: Some(scope(types)), ..ProfileEdit::default() };
                self.model.profiles[profile].scope = (0..types.len()).collect();
                self.edit(profile, edit)
            }
            Op::Facets { profile, label } => {
                let mut facets = vec![Facet::Content];
                facets.extend(label.then_some(Facet::Label));
                self.model.profiles[profile].label = label;
                self.edit(profile, ProfileEdit { facets: Some(facets), ..ProfileEdit::default() })
            }
            Op::Severity { profile, low } => {
                let rules: BTreeMap<String, Severity> =
                    low.then(|| ("policy.missing".to_owned(), Severity::Low)).into_iter().collect();
                self.model.profiles[profile].missing_is_low = low;
                self.edit(
                    profile,
                    ProfileEdit { severities: Some(rules), ..ProfileEdit::default() },
                )
            }
            Op::Status { profile, active } => {
                let of = &mut self.model.profiles[profile];
                let allowed = of.active != active && (!active || of.current.is_some());
                if allowed {
                    of.active = active;
                }
                let to = if active { ProfileStatus::Active } else { ProfileStatus::Draft };
                let id = self.profiles[profile];
                let changed =
                    block_on(self.stage.system.set_profile_status(workspace, &actor, id, to, None));
                expect(changed, allowed).map(drop)
            }
            Op::Assign { tenant, profile, narrow } => {
                let narrow = narrow.map(usize::from);
                let of = &self.model.profiles[profile];
                let fits = narrow.is_none_or(|narrow| of.scope.contains(&narrow));
                let allowed = of.active && fits;
                let assigned = block_on(self.stage.system.assign(
                    workspace,
                    &actor,
                    self.tenants[tenant],
                    self.profiles[profile],
                    narrow.map(|narrow| scope(&[TYPES[narrow]])),
                    None,
                ));
                if allowed {
                    let narrow = narrow.map(|narrow| BTreeSet::from([narrow]));
                    self.model.hold(tenant, Some((profile, narrow)), self.stage.second());
                }
                expect(assigned, allowed).map(drop)
            }
            Op::Unassign { tenant } => {
                self.model.hold(tenant, None, self.stage.second());
                expect(self.stage.unassign(self.tenants[tenant]), true).map(drop)
            }
            Op::Compare { tenant } => self.compare(tenant, false),
            Op::CompareTwice { tenant } => self.compare(tenant, true),
            Op::Cancel { tenant } => {
                let held = self.model.tenants[tenant].held.is_some();
                let id = self.tenants[tenant];
                let Some(started) = expect(self.stage.start_compare(id), held)? else {
                    return Ok(());
                };
                let run = started.run.id;
                let cancelled = block_on(self.stage.system.cancel_run(workspace, &actor, id, run));
                expect(cancelled, true)?;
                self.stage.drain();
                let end = End { outcome: "cancelled", reason: Some("by_person"), counts: None };
                ends(&self.stage.run(id, &started), &end)
            }
            Op::Night => self.night(),
            Op::Wait { hours } => {
                self.stage.clock.advance(SignedDuration::from_hours(i64::from(hours)));
                Ok(())
            }
            Op::Act { tenant, nth, action } => self.act(tenant, nth, action),
            Op::Collect => {
                let options = CollectOptions { delete: true, ..CollectOptions::default() };
                let collected = block_on(self.stage.system.collect(workspace, options));
                collected.map(drop).map_err(|error| error.to_string())
            }
        }
    }

    fn edit(&self, profile: usize, edit: ProfileEdit) -> Result<(), String> {
        let edited = block_on(self.stage.system.edit_profile(
            self.stage.workspace,
            &self.stage.actor,
            self.profiles[profile],
            edit,
            None,
        ));
        expect(edited, true).map(drop)
    }

    fn capture(&mut self, profile: usize, source: usize) -> Result<(), String> {
        let now = self.stage.second();
        let run = self.stage.capture(self.profiles[profile], self.tenants[source]);
        if let Err(reason) = self.model.capture(profile, source, now) {
            return ends(&run, &End { outcome: "blocked", reason: Some(reason), counts: None });
        }
        ends(&run, &End { outcome: "succeeded", reason: None, counts: None })?;
        let of = &self.model.profiles[profile];
        let id = run.context.baseline_snapshot_id.ok_or("no snapshot")?;
        let known = &mut self.snapshots[profile];
        if of.snapshots.len() > known.len() {
            known.push(id);
        }
        if of.current.and_then(|at| known.get(at)) == Some(&id) {
            Ok(())
        } else {
            Err(format!("the capture gave {id}, and the model names {:?}", of.current))
        }
    }

    fn compare(&mut self, tenant: usize, twice: bool) -> Result<(), String> {
        let id = self.tenants[tenant];
        let end = self.model.compare(tenant, self.stage.second());
        let Some(started) = expect(self.stage.start_compare(id), end.is_some())? else {
            return Ok(());
        };
        if twice {
            let again = self.stage.start_compare(id).map_err(|error| error.to_string())?;
            if !again.was_active || again.run.id != started.run.id {
                return Err("a second start made a second run".to_owned());
            }
            let work = Work::Run {
                workspace: self.stage.workspace,
                tenant: id,
                run: started.run.id,
                run_type: RunType::BaselineCompare,
            };
            let message =
                Outgoing { group: self.stage.workspace.to_string(), body: work.to_message() };
            block_on(self.stage.raw.queue.send(QueueName::Compare, vec![message]))
                .map_err(|error| error.to_string())?;
        }
        self.stage.drain();
        end.map_or(Ok(()), |end| ends(&self.stage.run(id, &started), &end))
    }

    /// Waits for two at night, and does what is due.
    fn night(&mut self) -> Result<(), String> {
        let day = 86_400;
        let second = self.stage.second();
        let next = (second - 7_200).div_euclid(day) * day + day + 7_200;
        self.stage.wait(next - second + 30);
        self.stage.tick().map_err(|error| error.to_string())?;
        self.stage.drain();
        let now = self.stage.second();
        let date = self.stage.clock.now().to_string().chars().take(10).collect::<String>();
        for tenant in 0..self.tenants.len() {
            let runs = block_on(self.stage.system.runs(
                self.stage.workspace,
                self.tenants[tenant],
                10_000,
            ))
            .map_err(|error| error.to_string())?;
            let of_night: Vec<&Run> = runs
                .iter()
                .filter(|run| {
                    matches!(&run.trigger, Trigger::Night { date: of } if of.to_string() == date)
                })
                .collect();
            match (self.model.compare(tenant, now), of_night.as_slice()) {
                (None, []) => {}
                (Some(end), [run]) => ends(run, &end)?,
                (end, runs) => {
                    return Err(format!("the night of {tenant}: {end:?}, {} runs", runs.len()));
                }
            }
        }
        Ok(())
    }

    fn act(&mut self, tenant: usize, nth: usize, action: Action) -> Result<(), String> {
        let all: Vec<((usize, usize, String), usize)> = self.model.tenants[tenant]
            .findings
            .iter()
            .flat_map(|(key, rows)| (0..rows.len()).map(move |at| (key.clone(), at)))
            .collect();
        if all.is_empty() {
            return Ok(());
        }
        let (key, occurrence) = all[nth % all.len()].clone();
        let real = self.stage.findings(self.tenants[tenant]);
        let found = real
            .iter()
            .find(|one| {
                one.finding.profile == self.profiles[key.0]
                    && one.finding.drift.policy_type == TYPES[key.1]
                    && one.finding.drift.display_name == key.2
                    && one.finding.occurrence as usize == occurrence + 1
            })
            .ok_or_else(|| format!("no finding {key:?} {occurrence}"))?;
        let why = || "because".to_owned();
        let hours = |hours: u8| SignedDuration::from_hours(i64::from(hours));
        let (action, doing) = match action {
            Action::Acknowledge => (FindingAction::Acknowledge, Doing::Acknowledge),
            Action::Close => (FindingAction::Close { reason: why() }, Doing::Close),
            Action::Reopen => (FindingAction::Reopen { reason: why() }, Doing::Reopen),
            Action::Accept { hours: span } => {
                let until =
                    span.and_then(|span| self.stage.clock.now().checked_add(hours(span)).ok());
                let model = until.map(jiff::Timestamp::as_second);
                (FindingAction::Accept { reason: why(), until }, Doing::Accept(model))
            }
        };
        let allowed = self.model.act(tenant, &key, occurrence, &doing);
        let acted = self.stage.try_act(self.tenants[tenant], found.finding.id, &action);
        expect(acted, allowed).map(drop)
    }

    #[expect(clippy::too_many_lines, reason = "one thing after the other")]
    fn check(&mut self) -> Result<(), String> {
        let system = &self.stage.system;
        let workspace = self.stage.workspace;
        for (tenant, id) in self.tenants.iter().enumerate() {
            let of = &self.model.tenants[tenant];
            let state =
                block_on(system.state(workspace, *id)).map_err(|error| error.to_string())?;
            match (&of.state, state) {
                (None, None) => {}
                (Some(model), Some(real)) => {
                    let content = model.policies.iter().map(|one| (*one.0, *one.1)).collect();
                    let roots = self.roots.entry(tenant).or_default();
                    roots.agree(&real.root, &(content, model.read), "state root")?;
                    if real.policies != model.policies.len() as u64 {
                        return Err(format!("{} policies", real.policies));
                    }
                }
                _ => return Err("only one of the two has a state".to_owned()),
            }
            let mut real = BTreeMap::new();
            for one in self.stage.findings(*id) {
                let (finding, drift) = (&one.finding, &one.finding.drift);
                let key = (
                    self.profiles.iter().position(|id| *id == finding.profile),
                    drift.policy_type.clone(),
                    drift.display_name.clone(),
                    finding.occurrence as usize,
                );
                let value = (
                    finding.state.as_str(),
                    one.seen.times,
                    drift.severity.as_str(),
                    drift.change_type.as_str(),
                );
                real.insert(key, (value, drift.fingerprint));
            }
            let mut model = BTreeMap::new();
            let mut by_status: BTreeMap<&str, u64> = BTreeMap::new();
            for ((profile, type_of, name), rows) in &of.findings {
                for (at, row) in rows.iter().enumerate() {
                    let key = (Some(*profile), TYPES[*type_of].to_owned(), name.clone(), at + 1);
                    let word = row.status.word();
                    let mut reach = |what: String| *self.reached.entry(what).or_default() += 1;
                    reach(format!("finding {word}"));
                    reach(format!("severity {}", row.drift.severity));
                    if at > 0 {
                        reach("finding of a second occurrence".to_owned());
                    }
                    if row.away && word == "accepted" {
                        reach("accepted and away".to_owned());
                    }
                    *by_status.entry(word).or_default() += 1;
                    let value = (word, row.times, row.drift.severity, row.drift.identity.0);
                    if let Some((_, fingerprint)) = real.get(&key) {
                        self.fingerprints.entry((tenant, *profile)).or_default().agree(
                            fingerprint,
                            &row.drift.identity,
                            "fingerprint",
                        )?;
                    }
                    model.insert(key, value);
                }
            }
            let plain: BTreeMap<_, _> =
                real.into_iter().map(|(key, (value, _))| (key, value)).collect();
            if plain != model {
                return Err(format!(
                    "findings of tenant {tenant}: stored {:#?}, model {:#?}",
                    only(&plain, &model),
                    only(&model, &plain)
                ));
            }
            let posture =
                block_on(system.posture(workspace, *id)).map_err(|error| error.to_string())?;
            let posture = posture.map(|row| row.by_status);
            if posture.is_none() && !model.is_empty() {
                return Err("findings without a posture".to_owned());
            }
            for (word, count) in posture.iter().flatten() {
                if by_status.get(word.as_str()).copied().unwrap_or_default() != *count {
                    return Err(format!("{count} {word} in the posture, {by_status:?}"));
                }
            }
        }
        for (profile, id) in self.profiles.iter().enumerate() {
            let real =
                block_on(system.profile(workspace, *id)).map_err(|error| error.to_string())?;
            let current = self.model.profiles[profile].current;
            if real.active_snapshot != current.map(|at| self.snapshots[profile][at]) {
                return Err("another snapshot is active".to_owned());
            }
        }
        let newest = self
            .tenants
            .iter()
            .filter_map(|id| block_on(system.runs(workspace, *id, 1)).ok()?.into_iter().next());
        for run in newest.filter(Run::is_completed) {
            let reason = run.failure().map_or("", |failure| failure.reason_code.as_str());
            let end = format!("run {} {reason}", run.outcome().as_str());
            let mut reach = |what: &str| *self.reached.entry(what.to_owned()).or_default() += 1;
            reach(end.trim_end());
            if run.context.baseline_compare.as_ref().is_some_and(|one| one.from_memo) {
                reach("run from memo");
            }
            if matches!(run.trigger, Trigger::Night { .. }) {
                reach("run of a night");
            }
        }
        let broken = broken(&self.stage);
        if broken.is_empty() { Ok(()) } else { Err(broken.join("\n")) }
    }
}

/// What the second map does not hold, or holds otherwise.
fn only<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    a: &BTreeMap<K, V>,
    b: &BTreeMap<K, V>,
) -> Vec<String> {
    a.iter()
        .filter(|(key, value)| b.get(key) != Some(value))
        .map(|(key, value)| format!("{key:?} {value:?}"))
        .collect()
}

/// Whether a run ended as the model says.
fn ends(run: &Run, end: &End) -> Result<(), String> {
    let reason = run.failure().map(|failure| failure.reason_code.as_str());
    let count = |name: &str| run.summary_counts.get(name).copied().unwrap_or_default();
    let counts = ["missing_policy", "different_version", "unexpected_policy"].map(count);
    let same_counts = end.counts.is_none_or(|expected| expected == counts);
    if run.outcome().as_str() == end.outcome && reason == end.reason && same_counts {
        return Ok(());
    }
    Err(format!(
        "the run ended {} {:?} with {counts:?}, and the model says {end:?}",
        run.outcome().as_str(),
        run.failure()
    ))
}
