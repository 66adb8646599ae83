//! What is said of role definitions beside their settings: what they grant, on either side.

use super::Payloads;
use crate::inventory::SideName;
use crate::report::{Change, Facet};
use crate::subject::Subject;
use plumbline_policy::normal::Normal;
use plumbline_policy::normalise::Normalised;
use plumbline_policy::role::RoleDefinition;
use plumbline_policy::role::actions::canonical_action;
use plumbline_policy::role::evidence::{Described, RoleEvidence};

/// Says what a pair of roles grants, and gives the actions in the evidence the spelling of their source.
pub(super) fn evidence_of_roles(
    (baseline, before): (&RoleDefinition<'_>, &Normalised<'_>),
    (current, after): (&RoleDefinition<'_>, &Normalised<'_>),
    changes: &mut [Change],
) -> RoleEvidence {
    for change in changes.iter_mut().filter(|change| change.facet == Facet::Content) {
        for (value, role) in [(&mut change.before, baseline), (&mut change.after, current)] {
            if let Some(value) = value {
                spell(value, role);
            }
        }
    }
    RoleEvidence::of(Some(described(baseline, before)), Some(described(current, after)))
}

/// The evidence of a role that one side alone has. `None` when its content is not known.
pub(super) fn lone_role(
    payloads: &dyn Payloads,
    side: SideName,
    subject: &Subject,
) -> Option<RoleEvidence> {
    subject.role.filter(|role| role.anomaly.is_none())?;
    let payload = payloads.payload(side, &subject.source)?;
    let role = payload.role()?;
    let normalised = payload.read_as(Some(&role), payloads.localiser(side));
    let described = Some(described(&role, &normalised));
    Some(match side {
        SideName::Baseline => RoleEvidence::of(described, None),
        SideName::Current => RoleEvidence::of(None, described),
    })
}

fn described<'r>(role: &'r RoleDefinition<'_>, normalised: &'r Normalised<'_>) -> Described<'r> {
    let description = match &normalised.label {
        Normal::Map(members) => members.iter().find_map(|(name, value)| match value {
            Normal::String(text) if name == "description" => Some(text.as_ref()),
            _ => None,
        }),
        _ => None,
    };
    Described { role, description: description.unwrap_or_default() }
}

/// Writes actions as their role does, in a value or in the blocks of one.
fn spell(value: &mut serde_json::Value, role: &RoleDefinition<'_>) {
    match value {
        serde_json::Value::String(action) => {
            if let Some(spelling) = role.spelling(&canonical_action(action)) {
                spelling.clone_into(action);
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| spell(item, role)),
        serde_json::Value::Object(members) => {
            members.values_mut().for_each(|value| spell(value, role));
        }
        _ => {}
    }
}
