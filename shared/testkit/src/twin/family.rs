//! What kind of policy a file holds, told by its folder alone.

use serde_json::Value;

/// Policies that are built alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Settings with definition ids: settings catalog and all that came after it.
    Catalog,
    /// Endpoint security of the old style.
    Intent,
    /// Administrative templates.
    Admx,
    /// Conditional access.
    ConditionalAccess,
    /// Role definitions.
    Role,
    /// App protection.
    AppProtection,
    /// Compliance of the old style.
    Compliance,
    /// Device configuration profiles, update rings among them.
    DeviceConfiguration,
    /// Enrolment: status page, limits, autopilot.
    Enrolment,
    /// Scripts.
    Script,
    /// Everything else whose settings are plain members.
    Plain,
    /// Objects that only other objects refer to; they cannot drift.
    Target,
}

impl Family {
    /// Tells the family by the folder, which is named as a type of policy.
    #[must_use]
    pub fn of(file: &str) -> Self {
        let folder = file.rsplit('/').nth(1).unwrap_or_default();
        match folder {
            "settingsCatalogPolicy"
            | "endpointSecurityPolicy"
            | "securityBaselinePolicy"
            | "compliancePolicyV2"
            | "linuxPlatformScript"
            | "windowsDevicePreparationPolicy" => Self::Catalog,
            "endpointSecurityIntent" => Self::Intent,
            "groupPolicyConfiguration" => Self::Admx,
            "conditionalAccessPolicy" => Self::ConditionalAccess,
            "roleDefinition" | "intuneRoleDefinition" | "agpl-3.0" => Self::Role,
            "deviceCompliancePolicy" => Self::Compliance,
            "deviceConfiguration" | "windowsUpdateRing" => Self::DeviceConfiguration,
            "deviceManagementScript" | "deviceHealthScript" | "macOSShellScript" => Self::Script,
            "assignmentFilter"
            | "roleScopeTag"
            | "namedLocation"
            | "notificationMessageTemplate" => Self::Target,
            "windowsAutopilotDeploymentProfile" => Self::Enrolment,
            other if other.starts_with("appProtectionPolicy") => Self::AppProtection,
            other if other.contains("Enrollment") => Self::Enrolment,
            _ => Self::Plain,
        }
    }

    /// The member that holds the name.
    #[must_use]
    pub fn name_member(self, document: &Value) -> &'static str {
        if self == Self::Catalog && document.get("name").is_some() { "name" } else { "displayName" }
    }

    /// Whether `@odata.type` at the root says which of several shapes the policy has.
    #[must_use]
    pub fn root_type_is_meaning(self) -> bool {
        matches!(
            self,
            Self::AppProtection
                | Self::Compliance
                | Self::DeviceConfiguration
                | Self::Enrolment
                | Self::Target
        )
    }
}
