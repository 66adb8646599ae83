//! Policies as tenants have them, made up: settings catalog policies of seven kilobytes, which is what
//! exported ones weigh on average.

use std::fmt::Write as _;

/// Their catalog key.
pub(super) const TYPE: &str = "settingsCatalogPolicy";
/// How many settings each has.
const SETTINGS: u32 = 18;

/// One policy. One that drifted has another value in one setting.
pub(super) fn policy(number: u32, drifted: bool) -> Vec<u8> {
    let mut out = format!(
        "{{\"@odata.context\":\"https://graph.microsoft.com/beta/$metadata#deviceManagement/configurationPolicies/$entity\",\
         \"id\":\"{number:08x}-0000-4000-8000-000000000001\",\"createdDateTime\":\"2026-01-01T00:00:00Z\",\"description\":\"\",\
         \"name\":\"Win - Area {number} - Policy\",\"platforms\":\"windows10\",\"technologies\":\"mdm\",\"roleScopeTagIds\":[\"0\"],\
         \"settingCount\":{SETTINGS},\"templateReference\":{{\"templateId\":\"\",\"templateFamily\":\"none\"}},\"settings\":["
    );
    for setting in 0..SETTINGS {
        let comma = if setting == 0 { "" } else { "," };
        let id = format!("device_vendor_msft_policy_config_area{number}_setting{setting}");
        let chosen = u8::from(!(drifted && setting == 0));
        // Writing to a string does not fail.
        let _ = write!(
            out,
            "{comma}{{\"id\":\"{setting}\",\"settingInstance\":{{\"@odata.type\":\"#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance\",\
             \"settingDefinitionId\":\"{id}\",\"settingInstanceTemplateReference\":null,\"choiceSettingValue\":{{\
             \"settingValueTemplateReference\":null,\"value\":\"{id}_{chosen}\",\"children\":[]}}}}}}"
        );
    }
    out.push_str("]}");
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_weigh_what_exported_policies_weigh() {
        let policy = policy(700, false);
        assert!((6_500..7_500).contains(&policy.len()), "{}", policy.len());
        serde_json::from_slice::<serde_json::Value>(&policy).unwrap();
    }
}
