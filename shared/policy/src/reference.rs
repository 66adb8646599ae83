//! References: members that hold the id of another object of the same tenant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of object a reference names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants are the field's own words")]
pub enum ReferenceKind {
    Group,
    User,
    Filter,
    ScopeTag,
    Certificate,
    Location,
    Role,
    App,
    Application,
    Script,
    NotificationTemplate,
    AuthenticationStrength,
    TermsOfUse,
    ReusableSetting,
    Policy,
    Connector,
    Image,
    VppToken,
}

impl ReferenceKind {
    /// The word used in slots and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::User => "user",
            Self::Filter => "filter",
            Self::ScopeTag => "scope_tag",
            Self::Certificate => "certificate",
            Self::Location => "location",
            Self::Role => "role",
            Self::App => "app",
            Self::Application => "application",
            Self::Script => "script",
            Self::NotificationTemplate => "notification_template",
            Self::AuthenticationStrength => "authentication_strength",
            Self::TermsOfUse => "terms_of_use",
            Self::ReusableSetting => "reusable_setting",
            Self::Policy => "policy",
            Self::Connector => "connector",
            Self::Image => "image",
            Self::VppToken => "vpp_token",
        }
    }
}

/// A facet of a policy; each has a digest of its own.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Facet {
    /// What the policy configures.
    Content,
    /// Name and description.
    Label,
    /// Targets, filters and scope tags.
    Assignments,
}

impl Facet {
    /// The word used in JSON and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Label => "label",
            Self::Assignments => "assignments",
        }
    }
}

/// One reference, kept beside the normal form, which holds a slot in its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub struct Reference {
    /// The facet it belongs to.
    pub facet: Facet,
    /// Where it stands in the normal form; equal for references that may change places.
    pub path: String,
    /// What it names.
    pub kind: ReferenceKind,
    /// The id, lower case.
    pub external_id: String,
}

/// Finds the first GUID (`8-4-4-4-12` hexadecimal digits) in a text that stands by itself.
#[must_use]
pub fn find_guid(text: &str) -> Option<std::ops::Range<usize>> {
    const LENGTH: usize = 36;
    let bytes = text.as_bytes();
    (0..bytes.len().checked_sub(LENGTH - 1)?).find_map(|start| {
        let end = start + LENGTH;
        let free =
            |at: Option<&u8>| at.is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-');
        let guid = bytes[start..end].iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
        (guid && free(start.checked_sub(1).map(|at| &bytes[at])) && free(bytes.get(end)))
            .then_some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_found_whole() {
        let id = "7dfa8454-8c39-41e0-86ca-e6456c027be2";
        assert_eq!(find_guid(id), Some(0..36));
        assert_eq!(find_guid(&format!("T_{id}")), Some(2..38));
        assert_eq!(find_guid(&format!("a{id}")), None);
        assert_eq!(find_guid("All"), None);
    }
}
