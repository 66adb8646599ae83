//! The model: what the contracts say of inventories, snapshots, runs and findings, over maps and with
//! nothing of the product's own code. Time is in seconds.

use std::collections::{BTreeMap, BTreeSet};

/// The two types of the small world.
pub(crate) const TYPES: [&str; 2] = ["windowsFeatureUpdateProfile", "windowsQualityUpdateProfile"];
/// An inventory older than this proves nothing.
const MAX_AGE: i64 = 72 * 3_600;

/// One policy: its number gives type and id, its spelling the name, its variant the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Policy {
    pub(crate) renamed: bool,
    pub(crate) variant: u8,
}

/// Policies by number; 0 to 5 are of the first type.
pub(crate) type Policies = BTreeMap<u8, Policy>;

pub(crate) fn type_of(number: u8) -> usize {
    usize::from(number >= 6)
}

pub(crate) fn name(number: u8, renamed: bool) -> String {
    if renamed { format!("Ring {number} renamed") } else { format!("Ring {number}") }
}

#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) policies: Policies,
    /// By type, whether everything was read.
    pub(crate) read: [bool; 2],
    pub(crate) at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) scope: BTreeSet<usize>,
    pub(crate) policies: Policies,
    /// Whose ids the baseline's references are made of.
    pub(crate) source: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) active: bool,
    pub(crate) scope: BTreeSet<usize>,
    pub(crate) label: bool,
    pub(crate) missing_is_low: bool,
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) current: Option<usize>,
}

/// What names a drift exactly: change, the golden side, the tenant's side, whose id, the facets.
pub(crate) type Identity = (&'static str, Option<(u8, Policy)>, Option<(u8, Policy)>, usize, bool);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Drift {
    pub(crate) identity: Identity,
    pub(crate) severity: &'static str,
    pub(crate) snapshot: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    New,
    Acknowledged,
    Reopened,
    Resolved,
    Closed(Identity),
    Accepted(Identity, Option<i64>),
}

impl Status {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Acknowledged => "acknowledged",
            Self::Reopened => "reopened",
            Self::Resolved => "resolved",
            Self::Closed(_) => "closed",
            Self::Accepted(..) => "accepted",
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::New | Self::Acknowledged | Self::Reopened)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) status: Status,
    pub(crate) drift: Drift,
    pub(crate) times: u64,
    /// An accepted drift that is known not to be there.
    pub(crate) away: bool,
}

/// A finding's rows, the first occurrence first, by profile, type and name.
pub(crate) type Findings = BTreeMap<(usize, usize, String), Vec<Finding>>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Tenant {
    pub(crate) policies: Policies,
    pub(crate) state: Option<State>,
    pub(crate) held: Option<(usize, Option<BTreeSet<usize>>)>,
    pub(crate) findings: Findings,
}

#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) profiles: Vec<Profile>,
}

/// How a compare ended: outcome, reason, and drift by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) outcome: &'static str,
    pub(crate) reason: Option<&'static str>,
    pub(crate) counts: Option<[u64; 3]>,
}

fn blocked(reason: &'static str) -> End {
    End { outcome: "blocked", reason: Some(reason), counts: None }
}

/// The drifts of a report by type and name, and the types that it proves.
type Report = (BTreeMap<(usize, String), Drift>, BTreeSet<usize>);

impl Model {
    pub(crate) fn new() -> Self {
        let profile = Profile {
            active: false,
            scope: BTreeSet::from([0, 1]),
            label: true,
            missing_is_low: false,
            snapshots: Vec::new(),
            current: None,
        };
        Self { tenants: vec![Tenant::default(); 3], profiles: vec![profile; 2] }
    }

    /// Imports; `false` when a type fell to none and nobody confirmed it.
    pub(crate) fn import(
        &mut self,
        tenant: usize,
        policies: Policies,
        read: [bool; 2],
        confirmed: bool,
        now: i64,
    ) -> bool {
        let tenant = &mut self.tenants[tenant];
        let count = |policies: &Policies, of: usize| {
            policies.keys().filter(|number| type_of(**number) == of).count()
        };
        if let Some(before) = &tenant.state
            && !confirmed
        {
            let fell = (0..2).any(|of| {
                count(&before.policies, of) >= 3 && read[of] && count(&policies, of) == 0
            });
            if fell {
                return false;
            }
        }
        tenant.state = Some(State { policies, read, at: now });
        true
    }

    /// Captures; the reason when it is blocked.
    pub(crate) fn capture(
        &mut self,
        profile: usize,
        source: usize,
        now: i64,
    ) -> Result<(), &'static str> {
        let state = self.tenants[source].state.as_ref().ok_or("no_inventory")?;
        if now >= state.at + MAX_AGE {
            return Err("inventory_too_old");
        }
        let profile = &mut self.profiles[profile];
        if profile.scope.iter().any(|of| !state.read[*of]) {
            return Err("unproven_types");
        }
        let policies: Policies = state
            .policies
            .iter()
            .filter(|(number, _)| profile.scope.contains(&type_of(**number)))
            .map(|(number, policy)| (*number, *policy))
            .collect();
        let same = profile
            .snapshots
            .iter()
            .position(|one| one.policies == policies && one.scope == profile.scope);
        profile.current = Some(same.unwrap_or_else(|| {
            profile.snapshots.push(Snapshot { scope: profile.scope.clone(), policies, source });
            profile.snapshots.len() - 1
        }));
        Ok(())
    }

    pub(crate) fn asked(&self, tenant: usize) -> BTreeSet<usize> {
        let Some((profile, narrow)) = &self.tenants[tenant].held else { return BTreeSet::new() };
        let whole = &self.profiles[*profile].scope;
        match narrow {
            Some(narrow) => whole.intersection(narrow).copied().collect(),
            None => whole.clone(),
        }
    }

    /// Holds a tenant to another profile, or none: what is open of others is resolved; what is accepted
    /// stays, as away.
    pub(crate) fn hold(
        &mut self,
        tenant: usize,
        held: Option<(usize, Option<BTreeSet<usize>>)>,
        now: i64,
    ) {
        let tenant = &mut self.tenants[tenant];
        let keep = held.as_ref().map(|(profile, _)| *profile);
        tenant.held = held;
        for ((profile, ..), rows) in &mut tenant.findings {
            if Some(*profile) != keep {
                for row in rows {
                    match &row.status {
                        Status::Accepted(..) if row.away => {}
                        Status::Accepted(_, until) if until.is_none_or(|until| now < until) => {
                            row.away = true;
                        }
                        Status::Resolved | Status::Closed(_) => {}
                        _ => {
                            row.status = Status::Resolved;
                            row.away = false;
                        }
                    }
                }
            }
        }
    }

    fn report(&self, tenant: usize, profile: usize, current: usize, state: &State) -> Report {
        let rules = &self.profiles[profile];
        let golden = &rules.snapshots[current];
        let scope: BTreeSet<usize> =
            self.asked(tenant).intersection(&golden.scope).copied().collect();
        let proven: BTreeSet<usize> = scope.iter().copied().filter(|of| state.read[*of]).collect();
        let mut out = BTreeMap::new();
        let missing = if rules.missing_is_low { "low" } else { "high" };
        for number in 0..12_u8 {
            let of = type_of(number);
            if !scope.contains(&of) {
                continue;
            }
            let (baseline, current_side) =
                (golden.policies.get(&number).copied(), state.policies.get(&number).copied());
            // The same spelling, the same id, or the same content.
            let pair = baseline.zip(current_side).filter(|(a, b)| {
                a.renamed == b.renamed || golden.source == tenant || a.variant == b.variant
            });
            let side = |policy: Policy| Some((number, policy));
            let drift =
                |identity: Identity, severity| Drift { identity, severity, snapshot: current };
            if let Some((a, b)) = pair {
                let content = a.variant != b.variant;
                let label = rules.label && a.renamed != b.renamed;
                if (content || label) && proven.contains(&of) {
                    // Without the label, the tenant's spelling is no part of the drift.
                    let b = Policy { renamed: b.renamed && rules.label, ..b };
                    let identity = ("different_version", side(a), side(b), tenant, rules.label);
                    let severity = if content { "medium" } else { "low" };
                    out.insert((of, name(number, a.renamed)), drift(identity, severity));
                }
                continue;
            }
            if let Some(a) = baseline.filter(|_| proven.contains(&of)) {
                let identity = ("missing_policy", side(a), None, golden.source, rules.label);
                out.insert((of, name(number, a.renamed)), drift(identity, missing));
            }
            if let Some(b) = current_side {
                let identity = ("unexpected_policy", None, side(b), tenant, rules.label);
                out.insert((of, name(number, b.renamed)), drift(identity, "low"));
            }
        }
        (out, proven)
    }

    /// Compares; `None` when the tenant is held to no profile.
    pub(crate) fn compare(&mut self, tenant: usize, now: i64) -> Option<End> {
        let (profile, _) = self.tenants[tenant].held.clone()?;
        let rules = &self.profiles[profile];
        if !rules.active {
            return Some(blocked("profile_not_active"));
        }
        let Some(current) = rules.current else { return Some(blocked("no_snapshot")) };
        let Some(state) = self.tenants[tenant].state.clone() else {
            return Some(blocked("no_inventory"));
        };
        if now >= state.at + MAX_AGE {
            return Some(blocked("inventory_too_old"));
        }
        let asked = self.asked(tenant);
        let (drifts, proven) = self.report(tenant, profile, current, &state);
        let scope: BTreeSet<usize> =
            asked.intersection(&self.profiles[profile].snapshots[current].scope).copied().collect();
        let mut counts = [0; 3];
        for drift in drifts.values() {
            counts[match drift.identity.0 {
                "missing_policy" => 0,
                "different_version" => 1,
                _ => 2,
            }] += 1;
        }
        let findings = &mut self.tenants[tenant].findings;
        for ((of, name), drift) in &drifts {
            let rows = findings.entry((profile, *of, name.clone())).or_default();
            see(rows, drift, proven.contains(of), now);
        }
        for ((of_profile, of, name), rows) in findings.iter_mut() {
            if *of_profile != profile || drifts.contains_key(&(*of, name.clone())) {
                continue;
            }
            let is_known_away = !asked.contains(of) || proven.contains(of);
            // An acceptance that ended while nothing proves that the drift went away.
            if let Some(row) = rows.last_mut().filter(|_| !is_known_away)
                && let Status::Accepted(_, Some(until)) = &row.status
                && now >= *until
            {
                row.status = Status::Reopened;
                row.away = false;
            }
            if let Some(row) = rows.last_mut().filter(|_| is_known_away) {
                match &row.status {
                    Status::Accepted(_, until) if until.is_none_or(|until| now < until) => {
                        row.away = true;
                    }
                    Status::Accepted(..) => {
                        row.status = Status::Resolved;
                        row.away = false;
                    }
                    status if status.is_open() => {
                        row.status = Status::Resolved;
                        row.away = false;
                    }
                    _ => {}
                }
            }
        }
        // Nothing that was asked for could be looked at: that is no all-clear.
        let whole = scope == proven && !scope.is_empty();
        Some(End {
            outcome: if whole { "succeeded" } else { "partial" },
            reason: (!whole).then_some("not_proven"),
            counts: Some(counts),
        })
    }

    /// What a person does; `false` when it is refused.
    pub(crate) fn act(
        &mut self,
        tenant: usize,
        key: &(usize, usize, String),
        occurrence: usize,
        action: &Doing,
    ) -> bool {
        let Some(rows) = self.tenants[tenant].findings.get_mut(key) else { return false };
        if occurrence + 1 < rows.len() {
            return false;
        }
        let Some(row) = rows.get_mut(occurrence) else { return false };
        let identity = row.drift.identity;
        let next = match (action, &row.status) {
            (Doing::Acknowledge, Status::New | Status::Reopened) => Status::Acknowledged,
            (Doing::Close | Doing::Accept(_), Status::Resolved | Status::Closed(_))
            | (Doing::Acknowledge, _) => return false,
            (Doing::Close, _) => Status::Closed(identity),
            (Doing::Accept(until), _) => Status::Accepted(identity, *until),
            (Doing::Reopen, Status::Acknowledged) => Status::New,
            (Doing::Reopen, Status::Closed(_) | Status::Accepted(..)) => Status::Reopened,
            (Doing::Reopen, _) => return false,
        };
        row.status = next;
        true
    }
}

/// What a person does, in the model's words.
pub(crate) enum Doing {
    Acknowledge,
    Close,
    Accept(Option<i64>),
    Reopen,
}

/// A drift that a compare saw.
fn see(rows: &mut Vec<Finding>, drift: &Drift, proven: bool, now: i64) {
    let new = || Finding { status: Status::New, drift: drift.clone(), times: 1, away: false };
    let Some(row) = rows.last_mut() else {
        rows.push(new());
        return;
    };
    let counts = u64::from(proven);
    match &row.status {
        Status::Closed(identity) if *identity == drift.identity => {}
        Status::Closed(_) => rows.push(new()),
        Status::Accepted(identity, until)
            if *identity == drift.identity && until.is_none_or(|until| now < until) =>
        {
            if row.away {
                row.away = false;
                row.times += 1;
                row.drift = drift.clone();
            } else {
                row.times += counts;
            }
        }
        Status::Accepted(..) | Status::Resolved => {
            row.status = Status::Reopened;
            row.times += 1;
            row.drift = drift.clone();
            row.away = false;
        }
        _ if row.drift == *drift && !row.away => row.times += counts,
        _ if row.drift == *drift => {
            row.away = false;
            row.times += 1;
        }
        _ => {
            row.times += 1;
            row.drift = drift.clone();
            row.away = false;
        }
    }
}
