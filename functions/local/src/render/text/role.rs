//! What a role grants: its actions under their resources, the privileged ones first.

use super::page::{self, Page};
use crate::render::words;
use plumbline_policy::role::evidence::RoleEvidence;

/// Actions of one role that are shown.
const MAX_ACTIONS: usize = 60;

pub(super) fn role(page: &mut Page, role: &RoleEvidence) {
    page.below(2, &format!("role: {}", words::role_sides(role)));
    if let Some(description) = words::lone_description(role) {
        page.below(2, &format!("description: {description}"));
    }
    let actions = words::role_actions(role);
    let mut resource = None;
    for one in actions.iter().take(MAX_ACTIONS) {
        if resource != Some(&one.resource) {
            page.line(&format!("  {}", one.resource));
            resource = Some(&one.resource);
        }
        let colour = words::kind_badge(one.kind).colour;
        let sign = page.bold(colour, page::sign(one.kind));
        let privileged = if one.privileged { page.dim(" (privileged)") } else { String::new() };
        page.line(&format!("    {sign} {}{privileged}", page.paint(colour, &one.action)));
    }
    page.more(actions.len(), MAX_ACTIONS, "action", "actions");
}
