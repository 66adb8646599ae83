//! What many tenants have in common that is nobody's drift: one thing to know, and one thing to do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a group of drift is besides drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// Microsoft changed or added a built-in role. No tenant can do that or undo it, so every tenant comes to
    /// have it, and the baseline is what is old: it is captured again.
    VendorUpdate,
}

impl Notice {
    /// The notice that drift of a rule belongs to, if to any.
    #[must_use]
    pub fn of_rule(rule: &str) -> Option<Self> {
        match rule {
            "role.built_in.changed"
            | "role.built_in.changed.privileged"
            | "role.built_in.unexpected" => Some(Self::VendorUpdate),
            _ => None,
        }
    }

    /// The word used in JSON and in the badge catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VendorUpdate => "vendor_update",
        }
    }

    /// What it means and what to do, for a person.
    #[must_use]
    pub fn explain(self) -> &'static str {
        match self {
            Self::VendorUpdate => "Microsoft changed a built-in role; capture the baseline again",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::severity::RULES;

    /// What the rules say of themselves is the measure: those that advise to capture again are vendor
    /// updates, and no others.
    #[test]
    fn rules_that_ask_for_a_new_capture_are_vendor_updates() {
        for (rule, _, sentence) in RULES {
            let asks = sentence.ends_with("capture the baseline again.");
            assert_eq!(Notice::of_rule(rule) == Some(Notice::VendorUpdate), asks, "{rule}");
        }
        assert_eq!(Notice::of_rule("unknown rule"), None);
    }
}
