//! Ids that mean the same in every tenant.

use plumbline_policy::reference::ReferenceKind;

const NONE: &str = "00000000-0000-0000-0000-000000000000";

/// The groups "All users" and "All devices" of Intune.
const GROUPS: &[&str] =
    &["acacacac-9df4-4c7d-9d50-4ef0226f57a9", "adadadad-808e-44e2-905a-0b7873a8a531"];

/// The scope tag "Default".
const DEFAULT_SCOPE_TAG: &str = "0";

/// The authentication strengths that Entra ships: MFA, passwordless MFA, phishing-resistant MFA.
const STRENGTHS: &[&str] = &[
    "00000000-0000-0000-0000-000000000002",
    "00000000-0000-0000-0000-000000000003",
    "00000000-0000-0000-0000-000000000004",
];

/// Applications of Microsoft that conditional access policies name, by application id (source: the
/// lists of first-party applications in the Entra documentation).
const APPLICATIONS: &[&str] = &[
    "00000002-0000-0000-c000-000000000000", // Windows Azure Active Directory
    "00000002-0000-0ff1-ce00-000000000000", // Exchange Online
    "00000003-0000-0000-c000-000000000000", // Microsoft Graph
    "00000003-0000-0ff1-ce00-000000000000", // SharePoint Online
    "00000004-0000-0ff1-ce00-000000000000", // Skype for Business
    "00000005-0000-0ff1-ce00-000000000000", // Yammer
    "00000006-0000-0ff1-ce00-000000000000", // Office 365 portal
    "00000009-0000-0000-c000-000000000000", // Power BI
    "00000012-0000-0000-c000-000000000000", // Rights Management
    "0000000a-0000-0000-c000-000000000000", // Intune
    "d4ebce55-015a-49b5-a083-c84d1797ae8c", // Intune Enrollment
    "797f4846-ba00-4fd7-ba43-dac1f8f63013", // Azure management
    "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe", // Teams services
    "09abbdfd-ed23-44ee-a2d9-a627aa1c90f3", // Project
    "372140e0-b3b7-4226-8ef9-d57986796201", // Windows VM sign-in
    "38aa3b87-a06d-4817-b275-7a316988d93b", // Windows sign-in
    "9cdead84-a844-4324-93f2-b2e6bb768d07", // Azure Virtual Desktop
    "0af06dc6-e4b5-4f28-818e-e78e62d137a5", // Windows 365
    "270efc09-cd0d-444b-a71f-39af4910ec45", // Windows Cloud Login
    "45a330b1-b1ec-4cc1-9161-9f03992aa49f", // Windows Store for Business
    "7df0a125-d3be-4c96-aa54-591f83ff541c", // Power Automate
    "475226c6-020e-4fb2-8a90-7a972cbfc1d4", // Power Apps
    "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", // Azure portal
    "2793995e-0a7d-40d7-bd35-6968ba142197", // My Apps
    "fc780465-2017-40d4-a0c5-307022471b92", // Defender for Endpoint
    "05a65629-4c1b-48c1-a78b-804c4abdd4af", // Defender for Cloud Apps
    "4765445b-32c6-49b0-83e6-1d93765276ca", // Office home
];

/// Whether an id names the same thing in every tenant. Directory roles are named by template ids, which
/// are the same everywhere.
#[must_use]
pub(crate) fn is_well_known(kind: ReferenceKind, external_id: &str) -> bool {
    if external_id == NONE {
        return true;
    }
    match kind {
        ReferenceKind::ScopeTag => external_id == DEFAULT_SCOPE_TAG,
        ReferenceKind::Group => GROUPS.contains(&external_id),
        ReferenceKind::Role => true,
        ReferenceKind::AuthenticationStrength => STRENGTHS.contains(&external_id),
        ReferenceKind::Application => APPLICATIONS.contains(&external_id),
        _ => false,
    }
}
