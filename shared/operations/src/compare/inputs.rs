//! What a compare rests on: frozen, checked, and remembered with what came of it.

use crate::error::OperationError;
use crate::repository::Stored;
use crate::repository::rows::{Assignment, Guard, Memo, State};
use crate::run::usage_map;
use jiff::Timestamp;
use plumbline_governance::ids::SnapshotId;
use plumbline_governance::matching::RoleMappings;
use plumbline_governance::profile::{Profile, ProfileStatus};
use plumbline_governance::run::{CompareResult, ReasonCode, Run, RunContext, Trigger};
use plumbline_governance::scope::EffectiveScope;
use plumbline_policy::digest::{Digest, NORMALISER_VERSION};
use plumbline_ports::Counters;
use std::collections::BTreeSet;

/// Stands for the rules of the compare itself (matching, severity, reconciliation). Raise it with any
/// change that can alter a verdict, so that no memo of the old rules answers.
const COMPARE_RULES_VERSION: u32 = 1;

/// Everything that a compare rests on, read once.
pub(crate) struct Inputs {
    pub(super) profile: Stored<Profile>,
    pub(super) asked: EffectiveScope,
    pub(super) snapshot: SnapshotId,
    pub(super) state_root: Digest,
    pub(super) state_index: Digest,
    pub(super) role_mappings: RoleMappings,
    pub(super) memo_key: Digest,
}

/// The types that a profile and a tenant's override ask for. An override that the profile has since
/// outgrown asks for what both still hold.
pub(crate) fn asked_for(
    profile: &Profile,
    assignment: &Assignment,
) -> Result<EffectiveScope, OperationError> {
    let whole = profile.check()?;
    let Some(narrow) = &assignment.override_scope else { return Ok(whole) };
    let listed: BTreeSet<&str> =
        narrow.policy_types.iter().chain(&narrow.foundation_types).map(String::as_str).collect();
    Ok(whole.only(|key| listed.contains(key)))
}

/// A run does what it was queued for, or nothing: its scope was frozen, and an edit since then asks for
/// another run.
pub(crate) fn as_frozen(
    scope: &EffectiveScope,
    context: &RunContext,
) -> Result<(), OperationError> {
    match context.effective_scope_hash {
        Some(frozen) if frozen != scope.hash() => Err(OperationError::ends(
            ReasonCode::Superseded,
            "the scope changed after this run was queued; start it again",
        )),
        _ => Ok(()),
    }
}

/// Freezes and checks what a compare rests on. What a run froze when it was queued counts; a night
/// freezes now.
pub(super) fn inputs(
    profile: Stored<Profile>,
    assignment: &Assignment,
    state: Option<&State>,
    frozen: &RunContext,
    now: Timestamp,
) -> Result<Inputs, OperationError> {
    match profile.row.status {
        ProfileStatus::Active => {}
        ProfileStatus::Archived => {
            return Err(OperationError::ends(
                ReasonCode::Deleted,
                format!("the profile `{}` was archived", profile.row.name),
            ));
        }
        ProfileStatus::Draft => {
            return Err(OperationError::ends(
                ReasonCode::ProfileNotActive,
                format!(
                    "the profile `{}` is a draft; activate it (`plumbline profile activate`)",
                    profile.row.name
                ),
            ));
        }
    }
    let snapshot = frozen.baseline_snapshot_id.ok_or_else(|| {
        OperationError::ends(
            ReasonCode::NoSnapshot,
            format!("the profile `{}` has no snapshot; capture one first", profile.row.name),
        )
    })?;
    let (Some(state_root), Some(state_index), Some(state)) =
        (frozen.state_root, frozen.state_index, state)
    else {
        return Err(OperationError::ends(
            ReasonCode::NoInventory,
            "the tenant was never imported; import it first (`plumbline import`)",
        ));
    };
    if state.fresh_until <= now {
        return Err(OperationError::ends(
            ReasonCode::InventoryTooOld,
            format!("the tenant was last read at {}; import it again", state.read_at),
        ));
    }
    let asked = asked_for(&profile.row, assignment)?;
    as_frozen(&asked, frozen)?;
    let role_mappings = assignment.role_mappings();
    // Everything that a verdict rests on besides state and snapshot.
    let policy = (
        asked.keys().collect::<Vec<_>>(),
        &profile.row.facets,
        &profile.row.severities,
        profile.row.id,
        &role_mappings,
    );
    let rules = (NORMALISER_VERSION, COMPARE_RULES_VERSION);
    let key = serde_json::to_vec(&(2, state_root, snapshot, policy, rules))
        .map_err(|error| OperationError::damaged("the memo key", error))?;
    let memo_key = Digest::of(&key);
    Ok(Inputs { profile, asked, snapshot, state_root, state_index, role_mappings, memo_key })
}

/// The memo that answers for these inputs, if it still holds.
pub(super) fn fresh_memo(guard: &Guard, inputs: &Inputs, now: Timestamp) -> Option<Memo> {
    let memo = guard.memo.as_ref()?;
    let holds = memo.key == inputs.memo_key && memo.valid_until.is_none_or(|until| now < until);
    holds.then(|| memo.clone())
}

/// A compare that the memo answers: the run and the guard, nothing else.
pub(super) fn remembered(
    mut run: Run,
    mut guard: Guard,
    inputs: &Inputs,
    memo: &Memo,
    now: Timestamp,
    counters: &Counters,
) -> Result<(Run, Guard), OperationError> {
    run.context.baseline_compare = Some(CompareResult { from_memo: true, ..memo.result.clone() });
    run.context.state_root = Some(inputs.state_root);
    run.context.usage = usage_map(counters.usage());
    run.summary_counts = memo.summary_counts.clone();
    run.finish(now, memo.outcome, memo.failure.clone())?;
    // What the memo's compare proved is proven again; all its types were looked at.
    let unproven: BTreeSet<String> = memo.unproven.iter().cloned().collect();
    let looked_at: BTreeSet<String> = inputs.asked.keys().map(str::to_owned).collect();
    let proven = looked_at.difference(&unproven).cloned().collect();
    guard.seen = guard.seen.after(&looked_at, &proven, now);
    (guard.active, guard.lease_until) = (None, None);
    note_night_in(&mut guard, &run);
    Ok((run, guard))
}

pub(super) fn note_night_in(guard: &mut Guard, run: &Run) {
    if let Trigger::Night { date } = run.trigger {
        guard.last_night = guard.last_night.max(Some(date));
    }
}
