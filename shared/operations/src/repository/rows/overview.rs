//! Sums of a workspace, made from time to time, so that nobody adds up thousands of rows to show a page.

use crate::repository::Row;
use crate::repository::keys::{self, folder, sk};
use jiff::Timestamp;
use jiff::civil::Date;
use plumbline_governance::ids::{FindingId, ProfileId, TenantId, WorkspaceId};
use plumbline_governance::notice::Notice;
use plumbline_governance::report::ChangeType;
use plumbline_governance::severity::Severity;
use plumbline_policy::digest::Digest;
use plumbline_ports::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long the days of a trend are kept.
pub(crate) const TREND_DAYS: i64 = 400;

/// What some tenants come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Totals {
    /// Governed tenants.
    pub tenants: u64,
    /// Those of them that are held to no profile.
    pub unassigned: u64,
    /// The others by the trust of their last compare; `never_compared` without one.
    pub by_trust: BTreeMap<String, u64>,
    /// Findings by status.
    pub by_status: BTreeMap<String, u64>,
    /// Open findings by severity.
    pub open_by_severity: BTreeMap<String, u64>,
}

/// How a workspace stands, in sums. Archived tenants are left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Overview {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// When it was made. What changed since is not in it.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub as_of: Timestamp,
    /// All of the workspace.
    pub totals: Totals,
    /// By the profile that tenants are held to.
    pub by_profile: BTreeMap<ProfileId, Totals>,
    /// Rows that could not be read; while there are any, the sums are too small.
    pub unreadable: u64,
    /// Digest of what the groups of drift were made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) grouped: Option<Digest>,
    /// When they were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<plumbline_governance::schema::Moment>")]
    pub(crate) grouped_at: Option<Timestamp>,
}

impl Row for Overview {
    const WHAT: &'static str = "overview";
    fn key(&self) -> Key {
        keys::in_workspace(self.workspace, sk::OVERVIEW)
    }
    fn spill_folder(&self) -> String {
        folder::overview(self.workspace)
    }
}

/// The sums of a workspace at the end of a local day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct TrendPoint {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The local date.
    #[schemars(with = "plumbline_governance::schema::Day")]
    pub date: Date,
    /// The last sums of the day.
    pub totals: Totals,
    /// When they came to be so.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub at: Timestamp,
}

impl Row for TrendPoint {
    const WHAT: &'static str = "day of the trend";
    fn key(&self) -> Key {
        keys::in_workspace(self.workspace, sk::trend(self.date))
    }
    fn expires_at(&self) -> Option<i64> {
        Some(self.at.as_second() + TREND_DAYS * 86_400)
    }
    fn spill_folder(&self) -> String {
        folder::overview(self.workspace)
    }
}

/// The same drift in many tenants.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DriftGroup {
    /// The profile that it is drift from.
    pub profile: ProfileId,
    /// Catalog key.
    pub policy_type: String,
    /// The subject key.
    pub subject_key: String,
    /// Missing, different or unexpected.
    pub change_type: ChangeType,
    /// Digest of the golden content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_hash: Option<String>,
    /// Digest of the tenants' content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_hash: Option<String>,
    /// The subject's name.
    pub display_name: String,
    /// How urgent the most urgent of its findings is.
    pub severity: Severity,
    /// What it is besides drift, such as an update by the vendor that reaches every tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
    /// How many tenants have it open.
    pub tenants: u64,
    /// Some of its findings.
    pub samples: Vec<GroupSample>,
}

/// One finding of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct GroupSample {
    /// The tenant.
    pub tenant: TenantId,
    /// The finding.
    pub finding: FindingId,
}

/// The open drift of a workspace, grouped: what most tenants have in common first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DriftGroups {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// When they were made.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub as_of: Timestamp,
    /// The groups.
    pub groups: Vec<DriftGroup>,
    /// Whether there are more groups than these.
    pub truncated: bool,
}

impl Row for DriftGroups {
    const WHAT: &'static str = "groups of drift";
    fn key(&self) -> Key {
        keys::in_workspace(self.workspace, sk::GROUPS)
    }
    fn spill_folder(&self) -> String {
        folder::overview(self.workspace)
    }
}

/// That the overview of a workspace is to be made, and when. One that is due more often than once at a moment
/// is one row.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct OverviewDue {
    pub(crate) workspace: WorkspaceId,
    pub(crate) at: Timestamp,
}

impl Row for OverviewDue {
    const WHAT: &'static str = "due overview";
    fn key(&self) -> Key {
        Key::new(keys::OVERVIEWS, format!("{}#{}", keys::moment(self.at), self.workspace))
    }
    fn spill_folder(&self) -> String {
        folder::overview(self.workspace)
    }
}
