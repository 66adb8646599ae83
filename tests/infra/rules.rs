//! What the template must keep to, by subject. Each rule brings the changes to the template that it must see.

mod alarms;
mod api;
mod costs;
mod encryption;
mod environment;
mod functions;
mod keeping;
mod logs;
mod public_access;
mod queues;
mod roles;
mod schedule;
mod table;
mod workspaces;

use crate::template::Template;
use serde_json::Value;

/// A rule.
pub(crate) struct Rule {
    /// What it says, in a line.
    pub(crate) says: &'static str,
    /// Where a template does not keep to it.
    pub(crate) faults: fn(&Template) -> Vec<String>,
    /// What breaks it.
    pub(crate) broken_by: &'static [Break],
}

/// A change to the resources of the template, by a JSON pointer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Break {
    /// Puts JSON in a place, new or not; `-` is behind the last element of a list.
    Set(&'static str, &'static str),
    /// Takes away what stands there.
    Drop(&'static str),
}

/// Every rule.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    let subjects: [&'static [Rule]; 14] = [
        encryption::RULES,
        public_access::RULES,
        keeping::RULES,
        logs::RULES,
        table::RULES,
        queues::RULES,
        functions::RULES,
        environment::RULES,
        roles::RULES,
        workspaces::RULES,
        api::RULES,
        schedule::RULES,
        alarms::RULES,
        costs::RULES,
    ];
    subjects.into_iter().flatten()
}

impl Break {
    /// The template after the change.
    ///
    /// # Panics
    /// When it leads nowhere or changes nothing: then it no longer fits the template.
    pub(crate) fn of(self, template: &Template) -> Template {
        let (Self::Set(pointer, _) | Self::Drop(pointer)) = self;
        let mut broken = template.clone();
        let (parent, last) = pointer.rsplit_once('/').unwrap_or_default();
        let last = last.replace("~1", "/");
        let parent = broken.0["Resources"].pointer_mut(parent);
        let parent = parent.unwrap_or_else(|| panic!("{self:?} leads nowhere"));
        let new = match self {
            Self::Set(_, json) => {
                Some(serde_json::from_str(json).unwrap_or_else(|error| panic!("{self:?}: {error}")))
            }
            Self::Drop(_) => None,
        };
        change(parent, &last, new);
        assert_ne!(broken.0, template.0, "{self:?} changes nothing");
        broken
    }
}

fn change(parent: &mut Value, last: &str, new: Option<Value>) {
    match (parent, new) {
        (Value::Object(members), Some(new)) => drop(members.insert(last.to_owned(), new)),
        (Value::Object(members), None) => drop(members.remove(last)),
        (Value::Array(all), Some(new)) if last == "-" => all.push(new),
        (Value::Array(all), new) => {
            let place: usize = last.parse().unwrap();
            drop(all.remove(place));
            if let Some(new) = new {
                all.insert(place, new);
            }
        }
        (other, _) => panic!("{last} cannot stand in {other}"),
    }
}
