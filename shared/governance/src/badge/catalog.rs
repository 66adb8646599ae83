//! The table itself. One row is `value => colour rank icon label`; a domain's rows stand in the order
//! of its life cycle, the rank says how urgent each is.

use super::{Badge, Colour, Icon};

/// Writes the enum, its names and its rows from one table, so that none of them can be forgotten.
macro_rules! domains {
    ($($(#[$doc:meta])* $domain:ident = $name:literal {
        $($value:literal => $colour:ident $rank:literal $icon:literal $label:literal,)+
    })+) => {
        /// A set of values that belong together and are shown alike everywhere.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Domain {
            $($(#[$doc])* $domain,)+
        }

        impl Domain {
            /// Every domain, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$domain,)+];

            /// Returns the name used in JSON, unique among the domains.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$domain => $name,)+ }
            }

            /// Returns the known values, quiet ones included, spelled as in the seed.
            #[must_use]
            pub const fn values(self) -> &'static [&'static str] {
                match self { $(Self::$domain => &[$($value,)+],)+ }
            }

            pub(super) const fn rows(self) -> &'static [(&'static str, Badge)] {
                match self {
                    $(Self::$domain => &[$((
                        $value,
                        Badge { label: $label, colour: Colour::$colour, icon: Icon($icon), rank: $rank },
                    ),)+],)+
                }
            }
        }
    };
}

domains! {
    /// Where a baseline profile stands: being written, in force, or put away for good.
    BaselineProfileStatus = "baseline_profile.status" {
        "draft" => Gray 60 "pencil-square" "Draft",
        "active" => Success 80 "check-circle" "Active",
        "archived" => Gray 70 "archive-box" "Archived",
    }
    /// Whether a snapshot may serve as a baseline; only a complete one may be compared with.
    BaselineSnapshotState = "baseline_snapshot.state" {
        "building" => Info 40 "arrow-path" "Building",
        "complete" => Success 80 "check-circle" "Complete",
        "incomplete" => Warning 20 "exclamation-triangle" "Incomplete",
        "superseded" => Gray 60 "archive-box" "Superseded",
    }
    /// Whether objects of a policy type may be captured and compared.
    BaselineSupport = "baseline.support" {
        "supported" => Success 80 "check-circle" "Supported",
        "limited" => Warning 20 "adjustments-horizontal" "Limited",
        "unsupported" => Gray 60 "no-symbol" "Unsupported",
    }
    /// Whether a tenant is governed or put away.
    TenantStatus = "tenant.status" {
        "active" => Success 80 "check-circle" "Active",
        "archived" => Gray 60 "archive-box" "Archived",
    }
    /// Whether a tenant is the one the reader works in; `false` is quiet.
    TenantIsCurrent = "tenant.is_current" {
        "true" => Primary 40 "star" "Current",
        "false" => Gray 60 "minus" "Not current",
    }
    /// How far an operation run has come; how it ended is its outcome.
    OperationRunStatus = "operation_run.status" {
        "queued" => Warning 20 "clock" "Queued",
        "running" => Info 40 "arrow-path" "Running",
        "completed" => Gray 60 "check" "Completed",
    }
    /// How an operation run ended.
    OperationRunOutcome = "operation_run.outcome" {
        "pending" => Gray 60 "clock" "Pending",
        "succeeded" => Success 80 "check-circle" "Succeeded",
        "partial" => Warning 25 "exclamation-triangle" "Partial",
        "blocked" => Warning 20 "no-symbol" "Blocked",
        "failed" => Danger 10 "x-circle" "Failed",
        "cancelled" => Gray 70 "minus-circle" "Cancelled",
    }
    /// Whether the compares of a night were started. A missed night stays visible.
    NightStatus = "night.status" {
        "started" => Info 40 "moon" "Started",
        "missed" => Danger 10 "exclamation-triangle" "Missed",
    }
    /// How reading a tenant's inventory went.
    InventorySyncRunStatus = "inventory_sync_run.status" {
        "pending" => Gray 60 "clock" "Pending",
        "running" => Info 40 "arrow-path" "Running",
        "success" => Success 80 "check-circle" "Success",
        "partial" => Warning 20 "exclamation-triangle" "Partial",
        "failed" => Danger 10 "x-circle" "Failed",
        "skipped" => Gray 70 "forward" "Skipped",
    }
    /// How a scheduled backup went.
    BackupScheduleRunStatus = "backup_schedule_run.status" {
        "running" => Info 40 "arrow-path" "Running",
        "success" => Success 80 "check-circle" "Success",
        "partial" => Warning 20 "exclamation-triangle" "Partial",
        "failed" => Danger 10 "x-circle" "Failed",
        "canceled" => Gray 60 "minus-circle" "Canceled",
        "skipped" => Gray 70 "forward" "Skipped",
    }
    /// How reading a tenant's Entra groups went.
    EntraGroupSyncRunStatus = "entra_group_sync_run.status" {
        "pending" => Gray 60 "clock" "Pending",
        "running" => Info 40 "arrow-path" "Running",
        "succeeded" => Success 80 "check-circle" "Succeeded",
        "partial" => Warning 20 "exclamation-triangle" "Partial",
        "failed" => Danger 10 "x-circle" "Failed",
    }
    /// Whether reading the groups stopped itself before it could do harm; `false` is quiet.
    EntraGroupSyncRunSafetyStopTriggered = "entra_group_sync_run.safety_stop_triggered" {
        "true" => Warning 20 "shield-exclamation" "Safety stop",
        "false" => Gray 60 "minus" "No safety stop",
    }
    /// How far a restore has come, from its first draft to its end.
    RestoreRunStatus = "restore_run.status" {
        "draft" => Gray 62 "pencil-square" "Draft",
        "scoped" => Gray 61 "funnel" "Scoped",
        "checked" => Info 42 "clipboard-document-check" "Checked",
        "previewed" => Info 41 "eye" "Previewed",
        "pending" => Gray 60 "clock" "Pending",
        "queued" => Warning 25 "clock" "Queued",
        "running" => Info 40 "arrow-path" "Running",
        "completed" => Success 80 "check-circle" "Completed",
        "partial" => Warning 20 "exclamation-triangle" "Partial",
        "failed" => Danger 10 "x-circle" "Failed",
        "cancelled" => Gray 70 "minus-circle" "Cancelled",
    }
    /// Where a finding stands. Accepted and closed drift is still there, so neither is green.
    FindingStatus = "finding.status" {
        "new" => Warning 20 "sparkles" "New",
        "acknowledged" => Info 40 "hand-raised" "Acknowledged",
        "reopened" => Danger 10 "arrow-uturn-left" "Reopened",
        "resolved" => Success 80 "check-circle" "Resolved",
        "accepted" => Gray 60 "check-badge" "Accepted",
        "closed" => Gray 70 "lock-closed" "Closed",
    }
    /// How much a finding matters.
    FindingSeverity = "finding.severity" {
        "low" => Gray 60 "information-circle" "Low",
        "medium" => Warning 20 "exclamation-triangle" "Medium",
        "high" => Danger 10 "fire" "High",
    }
    /// In which way a tenant departs from its baseline.
    FindingChangeType = "finding.change_type" {
        "missing_policy" => Danger 10 "document-minus" "Missing policy",
        "different_version" => Warning 20 "arrows-right-left" "Different version",
        "unexpected_policy" => Warning 25 "document-plus" "Unexpected policy",
    }
    /// What exactly differs between a subject and its baseline.
    FindingDiffKind = "finding.diff_kind" {
        "content" => Warning 20 "arrows-right-left" "Settings changed",
        "metadata_only" => Gray 65 "tag" "Metadata only",
        "assignments_only" => Warning 22 "user-group" "Assignments only",
        "permission_change" => Danger 5 "key" "Permission change",
        "missing" => Danger 10 "minus-circle" "Missing",
        "unexpected" => Warning 25 "plus-circle" "Unexpected",
    }
    /// What drift that many tenants share is besides drift.
    DriftGroupNotice = "drift_group.notice" {
        "vendor_update" => Info 40 "building-library" "Vendor update",
    }
    /// How a role definition compares with the baseline's.
    RbacClassification = "rbac.classification" {
        "unchanged" => Success 80 "check" "Unchanged",
        "modified" => Warning 20 "arrows-right-left" "Modified",
        "missing" => Danger 10 "minus-circle" "Missing",
        "unexpected" => Warning 25 "plus-circle" "Unexpected",
    }
    /// What exactly differs between two role definitions.
    RbacDiffKind = "rbac.diff_kind" {
        "metadata_only" => Gray 60 "tag" "Metadata only",
        "permission_change" => Danger 5 "key" "Permission change",
        "missing" => Danger 10 "minus-circle" "Missing",
        "unexpected" => Warning 25 "plus-circle" "Unexpected",
    }
    /// Whether a role definition comes with Intune or was made by the tenant.
    RbacBuiltInState = "rbac.built_in_state" {
        "built_in" => Info 40 "building-library" "Built-in",
        "custom" => Gray 60 "user" "Custom",
        "unknown" => Gray 30 "question-mark-circle" "Unknown",
    }
    /// How much of the scope a compare could prove, and so what it kept to itself.
    CompareTrust = "compare.trust" {
        "full" => Success 80 "shield-check" "Fully proven",
        "partial_suppressed" => Warning 20 "shield-exclamation" "Partly proven",
        "unproven_suppressed" => Danger 10 "shield-exclamation" "Not proven",
    }
    /// By what a subject was paired with its baseline; a match is a means, so none is green, and one
    /// inferred from similarity asks to be looked at.
    CompareMatch = "compare.match" {
        "key" => Gray 70 "key" "Matched by key",
        "id" => Gray 65 "finger-print" "Matched by id",
        "name" => Gray 60 "tag" "Matched by name",
        "base_name" => Info 45 "hashtag" "Matched by base name",
        "content" => Info 40 "document-duplicate" "Matched by content",
        "similarity" => Warning 20 "scale" "Matched by similarity",
        "mapping" => Info 50 "link" "Matched by mapping",
    }
    /// Why a compare gives no verdict: the wider the gap, the more urgent. Notes without effect are gray.
    CompareGap = "compare.gap" {
        "unreadable" => Danger 10 "x-circle" "Unreadable",
        "incomplete" => Warning 20 "exclamation-triangle" "Incomplete",
        "unknown_type" => Warning 21 "cube-transparent" "Unknown type",
        "type_absent" => Warning 22 "folder-minus" "Type absent",
        "ambiguous_match" => Warning 23 "square-2-stack" "Ambiguous match",
        "no_identity" => Warning 24 "identification" "No identity",
        "detail_missing" => Warning 25 "document-magnifying-glass" "Detail missing",
        "content_unknown" => Warning 26 "eye-slash" "Content unknown",
        "unresolved_reference" => Warning 27 "link-slash" "Unresolved reference",
        "secret_unproven" => Warning 28 "lock-closed" "Secret unproven",
        "unsupported_type" => Gray 60 "no-symbol" "Unsupported type",
        "not_a_policy" => Gray 70 "document" "Not a policy",
    }
    /// Whether everything of a policy type was read.
    CoverageStatus = "coverage.status" {
        "succeeded" => Success 80 "check-circle" "Succeeded",
        "partial" => Warning 20 "exclamation-triangle" "Partial",
        "failed" => Danger 10 "x-circle" "Failed",
        "skipped" => Gray 60 "forward" "Skipped",
        "not_supported" => Gray 70 "no-symbol" "Not supported",
        "unknown" => Gray 30 "question-mark-circle" "Unknown",
    }
    /// How one check of a provider connection came out.
    VerificationCheckStatus = "verification.check.status" {
        "pass" => Success 80 "check-circle" "Passed",
        "warn" => Warning 20 "exclamation-triangle" "Warning",
        "fail" => Danger 10 "x-circle" "Failed",
        "skip" => Gray 60 "forward" "Skipped",
        "running" => Info 40 "arrow-path" "Running",
    }
    /// How much a check matters; five levels, unlike a finding's three.
    VerificationCheckSeverity = "verification.check.severity" {
        "info" => Gray 60 "information-circle" "Info",
        "low" => Info 40 "information-circle" "Low",
        "medium" => Warning 20 "exclamation-triangle" "Medium",
        "high" => Danger 10 "exclamation-circle" "High",
        "critical" => Danger 5 "fire" "Critical",
    }
    /// Whether a provider connection can be worked with.
    VerificationOverall = "verification.overall" {
        "ready" => Success 80 "check-badge" "Ready",
        "needs_attention" => Warning 20 "exclamation-triangle" "Needs attention",
        "blocked" => Danger 10 "no-symbol" "Blocked",
        "running" => Info 40 "arrow-path" "Running",
    }
    /// Whether somebody has taken note of a check; stands beside the check's own badge and never
    /// changes it. `false` is quiet.
    VerificationAcknowledged = "verification.acknowledged" {
        "true" => Gray 60 "hand-raised" "Acknowledged",
        "false" => Gray 70 "minus" "Not acknowledged",
    }
    /// Whether a switch is on; a boolean of the data is spelled out by whoever shows it.
    BooleanEnabled = "boolean.enabled" {
        "enabled" => Success 80 "check" "Enabled",
        "disabled" => Gray 60 "x-mark" "Disabled",
    }
}
