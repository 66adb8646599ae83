//! What every face says alike: evidence for people, sentences about the whole, badges of the report's
//! words.

mod badges;
mod evidence;
mod path;
mod role;
mod sentence;
mod value;
mod visible;

pub(crate) use badges::{
    change_type, diff_kind, gap, kind_badge, matched_by, roles, severity, trust, unchanged,
};
pub(crate) use evidence::{Evidence, Limits, Line, What};
pub(crate) use role::{ActionLine, lone_description, role_actions, role_sides};
pub(crate) use sentence::{
    count, detail, direction, gap_groups, grouped, kind, match_note, notes, rule, short, verdict,
};
pub(crate) use visible::visible;
