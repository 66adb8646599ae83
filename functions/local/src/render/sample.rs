//! A report to try the faces on: what two tenants of the shipped samples really differ in, and some
//! tricks that a tenant might play.

use plumbline_governance::gap::GapKind;
use plumbline_governance::report::{
    Change, ChangeType, DiffKind, Drift, Facet, Gap, MatchedBy, Pair, Report, RoleCounts,
    SCHEMA_VERSION, Side, Summary, Suppressed, Trust, TypeCounts, Version,
};
use plumbline_governance::severity::Severity;
use plumbline_policy::diff::ChangeKind;
use plumbline_policy::role::Direction;
use plumbline_policy::role::evidence::{ResourceChange, RoleAction, RoleEvidence, RoleSide};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A name that would turn around what follows it and run on a careless page.
pub(crate) const TRICKY: &str =
    "Temp\u{202e} <script>alert(1)</script> [x](https://evil.example) \u{1b}[2J{0}";

const EDGE: &str = "device_vendor_msft_policy_config_microsoft_edge~policy~microsoft_edge~smartscreen_preventsmartscreenpromptoverride";
const ASR: &str = "device_vendor_msft_policy_config_defender_attacksurfacereductionrules";
const SCRIPT: &str = "# Removes old log files of the shop floor tools.\nparam([string]$Root = \"$env:ProgramData\\ShopFloor\\Logs\")\n\n$keepDays = 30\n$limit = (Get-Date).AddDays(-$keepDays)\n\nif (-not (Test-Path -LiteralPath $Root)) {\n    Write-Output \"nothing to do\"\n    exit 0\n}\n\nGet-ChildItem -LiteralPath $Root -Filter '*.log' -Recurse -File |\n    Where-Object { $_.LastWriteTime -lt $limit } |\n    Remove-Item -ErrorAction Stop\n\nWrite-Output \"older than $limit removed\"\n";

fn change(path: &str, kind: ChangeKind, before: Value, after: Value) -> Change {
    let some = |value: Value| (!value.is_null()).then_some(value);
    let facet = match path {
        "description" | "displayName" => Facet::Label,
        _ if path.starts_with("assignments") => Facet::Assignments,
        _ => Facet::Content,
    };
    let (before, after) = (some(before), some(after));
    Change { facet, path: path.to_owned(), kind, before, after }
}

fn version(policy_type: &str, name: &str, side: u32, number: usize) -> Version {
    let file: String = name
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' })
        .collect();
    Version {
        external_id: Some(format!("0c0d6272-e961-4803-953{side}-6708e84a1{number:03}")),
        display_name: Some(name.to_owned()),
        content_hash: format!("{number:02x}{side:02x}").repeat(16),
        source_file: format!("{policy_type}/{file}.json"),
    }
}

struct Row {
    rule: (Severity, &'static str),
    change_type: ChangeType,
    kind: DiffKind,
    policy_type: &'static str,
    name: &'static str,
    changes: Vec<Change>,
}

fn drift(number: usize, row: Row) -> Drift {
    let Row { rule: (severity, severity_rule), change_type, kind, policy_type, name, changes } =
        row;
    let paired = change_type == ChangeType::DifferentVersion;
    let mut facets: Vec<Facet> = changes.iter().map(|change| change.facet).collect();
    facets.dedup();
    Drift {
        change_type,
        policy_type: policy_type.to_owned(),
        subject_key: json!([policy_type, "", "", name.to_lowercase()]).to_string(),
        display_name: name.to_owned(),
        baseline: (change_type != ChangeType::UnexpectedPolicy)
            .then(|| version(policy_type, name, 1, number)),
        current: (change_type != ChangeType::MissingPolicy)
            .then(|| version(policy_type, name, 2, number)),
        facets,
        diff_kind: kind,
        severity,
        severity_rule,
        matched_by: paired.then_some(MatchedBy::Key),
        confidence: paired.then_some(100),
        direction: None,
        possibly_same_as: None,
        role: None,
        fingerprint: format!("{number:064x}"),
        recurrence_key: format!("{:064x}", number + 4096),
        changes,
    }
}

#[expect(clippy::too_many_lines, reason = "a table, one row a subject")]
fn rows() -> Vec<Row> {
    use ChangeKind::{Added, Changed, Removed, Reordered};
    use ChangeType::{DifferentVersion, MissingPolicy, UnexpectedPolicy};
    let laps = "settings/{device_vendor_msft_laps_policies_backupdirectory}/settingInstance/choiceSettingValue/children/{device_vendor_msft_laps_policies_passwordagedays_aad}/simpleSettingValue/value";
    let lsass = format!("{ASR}_blockcredentialstealingfromwindowslocalsecurityauthoritysubsystem");
    let asr = format!(
        "settings/{{{ASR}}}/settingInstance/groupSettingCollectionValue/[0]/children/{{{lsass}}}/choiceSettingValue/value"
    );
    let ciphers = |first: &str, second: &str| json!([{"value": first}, {"value": second}, {"value": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}, {"value": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"}]);
    let row = |rule, change_type, kind, policy_type, name, changes| Row {
        rule,
        change_type,
        kind,
        policy_type,
        name,
        changes,
    };
    let (high, medium, low) = (Severity::High, Severity::Medium, Severity::Low);
    vec![
        row(
            (high, "policy.missing"),
            MissingPolicy,
            DiffKind::Missing,
            "settingsCatalogPolicy",
            "Win - Device - Local Security Options - v1.0",
            vec![change(
                "settings/{device_vendor_msft_policy_config_localpoliciessecurityoptions_accounts_enableguestaccountstatus}",
                Removed,
                json!({"settingInstance": {"settingDefinitionId": "device_vendor_msft_policy_config_localpoliciessecurityoptions_accounts_enableguestaccountstatus", "choiceSettingValue": {"value": "device_vendor_msft_policy_config_localpoliciessecurityoptions_accounts_enableguestaccountstatus_0"}}}),
                Value::Null,
            )],
        ),
        row(
            (high, "role.custom.missing"),
            MissingPolicy,
            DiffKind::Missing,
            "intuneRoleDefinition",
            "Branch Support Technician",
            vec![],
        ),
        row(
            (high, "role.custom.widened"),
            DifferentVersion,
            DiffKind::PermissionChange,
            "intuneRoleDefinition",
            "Help Desk Operator",
            vec![change(
                "permissions/{granted}/allowed",
                Added,
                Value::Null,
                json!("Microsoft.Intune/RemoteTasks/Wipe"),
            )],
        ),
        row(
            (medium, "policy.content"),
            DifferentVersion,
            DiffKind::Content,
            "endpointSecurityPolicy",
            "Win - Device - Attack Surface Reduction - v1.1",
            vec![change(
                &asr,
                Changed,
                json!(format!("{lsass}_block")),
                json!(format!("{lsass}_audit")),
            )],
        ),
        row(
            (medium, "policy.content"),
            DifferentVersion,
            DiffKind::Content,
            "settingsCatalogPolicy",
            "Win - Device - Edge Security - v1.3",
            vec![
                change(laps, Changed, json!(7), json!(30)),
                change(
                    &format!("settings/{{{EDGE}}}"),
                    Removed,
                    json!({"settingInstance": {"settingDefinitionId": EDGE, "choiceSettingValue": {"value": format!("{EDGE}_1")}}}),
                    Value::Null,
                ),
                change(
                    "omaSettings/{./Device/Vendor/MSFT/Policy/Config/DeviceLock/MaxInactivityTimeDeviceLock}/value",
                    Changed,
                    json!(10),
                    json!(45),
                ),
                change("preSharedKey", Changed, json!("(secret set)"), json!("(secret changed)")),
                change(
                    "assignments/[0]/target",
                    Changed,
                    json!({"@odata.type": "allDevicesAssignmentTarget"}),
                    json!({"@odata.type": "groupAssignmentTarget", "groupId": "(group reference)"}),
                ),
                change(
                    "description",
                    Changed,
                    json!("Browser guard rails every workstation gets."),
                    json!(format!(
                        "Browser guard rails {}. Owner: workplace.",
                        "every workstation gets, and ".repeat(12)
                    )),
                ),
            ],
        ),
        row(
            (medium, "policy.content"),
            DifferentVersion,
            DiffKind::Content,
            "deviceManagementScript",
            "Win - Script - Trim Local Logs - v1.0",
            vec![change(
                "scriptContent",
                Changed,
                json!(SCRIPT),
                json!(
                    SCRIPT
                        .replace("= 30", "= 3")
                        .replace("-ErrorAction Stop", "-Force -ErrorAction SilentlyContinue")
                ),
            )],
        ),
        row(
            (medium, "policy.assignments"),
            DifferentVersion,
            DiffKind::AssignmentsOnly,
            "deviceCompliancePolicy",
            "iOS - Compliance - Phone Baseline - v1.0",
            vec![change(
                "assignments/[1]/target",
                Removed,
                json!({"@odata.type": "exclusionGroupAssignmentTarget", "groupId": "(group reference)"}),
                Value::Null,
            )],
        ),
        row(
            (low, "policy.unexpected"),
            UnexpectedPolicy,
            DiffKind::Unexpected,
            "deviceManagementScript",
            TRICKY,
            vec![],
        ),
        row(
            (low, "policy.metadata"),
            DifferentVersion,
            DiffKind::MetadataOnly,
            "deviceCompliancePolicy",
            "macOS - Compliance - Mac Baseline - v1.0",
            vec![change(
                "description",
                Changed,
                json!("Encrypted disk and system integrity on every Mac."),
                json!("Encrypted disk and system integrity on every Mac. Owner: workplace team."),
            )],
        ),
        row(
            (low, "policy.reordered"),
            DifferentVersion,
            DiffKind::Content,
            "settingsCatalogPolicy",
            "Win - Device - TLS Cipher Suites - v1.0",
            vec![change(
                "settings/{device_vendor_msft_policy_config_cryptography_tlsciphersuites}/settingInstance/simpleSettingCollectionValue",
                Reordered,
                ciphers("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"),
                ciphers("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"),
            )],
        ),
    ]
}

fn side(description: &str, actions: u64) -> RoleSide {
    RoleSide { built_in: false, description: description.to_owned(), actions }
}

fn action(action: &str, privileged: bool) -> RoleAction {
    RoleAction { action: action.to_owned(), privileged }
}

/// Makes the report up.
#[expect(clippy::too_many_lines, reason = "every member of a report once")]
pub(crate) fn report() -> Report {
    let mut drift: Vec<Drift> =
        rows().into_iter().enumerate().map(|(number, row)| self::drift(number, row)).collect();
    drift[1].possibly_same_as = Some("Branch Support Technician (1b5c…)".to_owned());
    drift[1].role = Some(RoleEvidence {
        baseline: Some(side("Helps in the branches", 2)),
        current: None,
        resources: vec![ResourceChange {
            resource: "ManagedDevices".to_owned(),
            added: vec![],
            removed: vec![
                action("Microsoft.Intune_ManagedDevices_Update", true),
                action("Microsoft.Intune_ManagedDevices_Read", false),
            ],
        }],
    });
    drift[2].direction = Some(Direction::Widened);
    drift[2].role = Some(RoleEvidence {
        baseline: Some(side("", 1)),
        current: Some(side("", 2)),
        resources: vec![ResourceChange {
            resource: "RemoteTasks".to_owned(),
            added: vec![action("Microsoft.Intune/RemoteTasks/Wipe", true)],
            removed: vec![],
        }],
    });
    drift[5].matched_by = Some(MatchedBy::BaseName);
    drift[5].confidence = Some(90);
    let counts =
        |baseline, current, unchanged, [missing, different, unexpected, suppressed]: [usize; 4]| {
            TypeCounts {
                baseline,
                current,
                unchanged,
                missing_policy: missing,
                different_version: different,
                unexpected_policy: unexpected,
                suppressed,
            }
        };
    let gap = |kind, policy_type: Option<&str>, side, file: &str, detail: &str| Gap {
        kind,
        policy_type: policy_type.map(str::to_owned),
        side,
        source_file: file.to_owned(),
        detail: detail.to_owned(),
    };
    Report {
        schema_version: SCHEMA_VERSION,
        normaliser_version: 1,
        baseline: Side {
            source: "samples/golden".to_owned(),
            policies: 41,
            digest: "5f2b9c04".repeat(8),
            tenant_facts: true,
        },
        current: Side {
            source: "samples/tenant".to_owned(),
            policies: 42,
            digest: "a91e77d3".repeat(8),
            tenant_facts: false,
        },
        trust: Trust::PartialSuppressed,
        summary: Summary {
            compared: 41,
            unchanged: 31,
            missing_policy: 2,
            different_version: 7,
            unexpected_policy: 1,
            suppressed: 2,
            gaps: 4,
            by_severity: BTreeMap::from([("high", 3), ("medium", 4), ("low", 3)]),
            by_type: [
                ("conditionalAccessPolicy", counts(4, 4, 3, [0, 0, 0, 1])),
                ("deviceCompliancePolicy", counts(3, 3, 1, [0, 2, 0, 0])),
                ("deviceManagementScript", counts(2, 3, 1, [0, 1, 1, 0])),
                ("endpointSecurityPolicy", counts(5, 5, 4, [0, 1, 0, 0])),
                ("intuneRoleDefinition", counts(3, 2, 1, [1, 1, 0, 0])),
                ("settingsCatalogPolicy", counts(11, 10, 8, [1, 2, 0, 0])),
                ("termsAndConditions", counts(1, 0, 0, [0, 0, 0, 1])),
            ]
            .into_iter()
            .map(|(name, counts)| (name.to_owned(), counts))
            .collect(),
            rbac_role_definitions: Some(RoleCounts {
                total_compared: 3,
                unchanged: 1,
                modified: 1,
                missing: 1,
                unexpected: 0,
            }),
        },
        drift,
        pairs: vec![Pair {
            policy_type: "deviceManagementScript".to_owned(),
            baseline: "Win - Script - Trim Local Logs - v1.0".to_owned(),
            baseline_file: "deviceManagementScript/trim-v1-0.json".to_owned(),
            current: "Win - Script - Trim Local Logs - v1.1".to_owned(),
            current_file: "deviceManagementScript/trim-v1-1.json".to_owned(),
            matched_by: MatchedBy::BaseName,
            confidence: 90,
            reason: "The names are equal without their trailing versions.".to_owned(),
        }],
        suppressed: vec![
            Suppressed {
                policy_type: "termsAndConditions".to_owned(),
                display_name: "Terms - Use of Company Devices".to_owned(),
                change_type: Some(ChangeType::MissingPolicy),
                gap: GapKind::TypeAbsent,
                reason: "The current folder holds no terms at all and was not declared complete."
                    .to_owned(),
                source_file: "termsAndConditions/use.json".to_owned(),
            },
            Suppressed {
                policy_type: "conditionalAccessPolicy".to_owned(),
                display_name: "CA003 - Office staff - Compliant computer".to_owned(),
                change_type: None,
                gap: GapKind::UnresolvedReference,
                reason: "A group it targets is known on one side only.".to_owned(),
                source_file: "conditionalAccessPolicy/ca003.json".to_owned(),
            },
        ],
        gaps: vec![
            gap(
                GapKind::Unreadable,
                Some("deviceConfiguration"),
                Some("current"),
                "deviceConfiguration/vpn profile#1.json",
                "The file ends in the middle of a string (line 84); export it again.",
            ),
            gap(
                GapKind::TypeAbsent,
                Some("termsAndConditions"),
                Some("current"),
                "",
                "Only the baseline holds this type; say --complete current if that is on purpose.",
            ),
            gap(
                GapKind::UnresolvedReference,
                Some("conditionalAccessPolicy"),
                None,
                "conditionalAccessPolicy/ca003.json",
                "Group 7c1f… is not in both exports; export groups, or compare with --references literal.",
            ),
            gap(
                GapKind::UnresolvedReference,
                Some("conditionalAccessPolicy"),
                None,
                "conditionalAccessPolicy/ca004.json",
                "Group 7c1f… is not in both exports; export groups, or compare with --references literal.",
            ),
            gap(GapKind::NotAPolicy, None, Some("baseline"), "manifest.json", "Holds no policy."),
            gap(
                GapKind::UnsupportedType,
                Some("intuneRoleAssignment"),
                Some("current"),
                "intuneRoleAssignment/a.json",
                "Baselines do not hold this type.",
            ),
        ],
        undecided: BTreeSet::new(),
        proven: BTreeSet::new(),
    }
}
