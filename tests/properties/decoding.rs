//! Decoding: any bytes are read or refused, never more.

use crate::{any_json, config};
use plumbline_governance::inventory::Reader;
use plumbline_policy::classify::Surroundings;
use plumbline_policy::json::{DecodeProblem, parse, parse_payload, parse_strictly, to_text};
use plumbline_policy::policy::{Facets, admit};
use plumbline_policy::redact::redact;
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use proptest::prelude::*;

fn key() -> SecretKey {
    SecretKey::new("test", [7; 32])
}

fn localiser() -> Localiser {
    Localiser::new(&TenantFacts {
        tenant_id: Some("0c4d9a52-61f3-4e0b-9d5e-6f0a4b8c7d21".to_owned()),
        domains: vec!["alderfinch.example".to_owned()],
        intune_account_id: None,
    })
}

fn read(file: &str, bytes: &[u8]) {
    for annotations in [false, true] {
        let reader = Reader { key: key(), localiser: localiser(), annotations };
        let reading = reader.read_file(file, bytes);
        for subject in &reading.subjects {
            assert!(
                reader.read_payload(&subject.source, bytes).is_ok(),
                "{file} is read once only"
            );
        }
    }
}

/// Names that mean something to the rules, with any value.
fn odd_policy() -> impl Strategy<Value = serde_json::Value> {
    let name = prop::sample::select(vec![
        "@odata.type",
        "@odata.context",
        "@odata.nextLink",
        "value",
        "id",
        "name",
        "displayName",
        "description",
        "settings",
        "settingInstance",
        "settingDefinitionId",
        "children",
        "choiceSettingValue",
        "simpleSettingValue",
        "simpleSettingCollectionValue",
        "valueState",
        "groupSettingCollectionValue",
        "omaSettings",
        "omaUri",
        "isEncrypted",
        "assignments",
        "target",
        "groupId",
        "roleScopeTagIds",
        "rolePermissions",
        "permissions",
        "resourceActions",
        "allowedResourceActions",
        "actions",
        "conditions",
        "users",
        "includeGroups",
        "grantControls",
        "platforms",
        "technologies",
        "templateReference",
        "templateFamily",
        "scriptContent",
        "definitionValues",
        "definition@odata.bind",
        "presentationValues",
        "valueJson",
        "definitionId",
        "apps",
        "mobileAppIdentifier",
        "bundleId",
        "scheduledActionsForRule",
        "scheduledActionConfigurations",
        "password",
        "error",
        "$ref",
        "$secret",
        "isBuiltIn",
    ]);
    let text = prop::sample::select(vec![
        "",
        "0",
        "#microsoft.graph.windows10CustomConfiguration",
        "#microsoft.graph.roleDefinition",
        "https://graph.microsoft.com/beta/$metadata#deviceManagement/configurationPolicies/$entity",
        "https://graph.microsoft.com/beta/$metadata#deviceManagement/roleDefinitions",
        "windows10,mdm",
        "00000000-0000-0000-0000-000000000000",
        "0c4d9a52-61f3-4e0b-9d5e-6f0a4b8c7d21_DefaultLimit",
        "device_vendor_msft_policy_config_userrights_x",
        "eyJhbGciOiJub25lIn0=",
        "{\"a\":1}",
        "[1",
        "\u{feff}",
        "{{secret:0}}",
        "{{tenant_id}}",
        "x.onmicrosoft.com",
        "é.onmicrosoft.com",
    ]);
    let leaf = prop_oneof![
        any_json().boxed(),
        text.prop_map(serde_json::Value::from).boxed(),
        Just(serde_json::Value::Null).boxed(),
    ];
    leaf.prop_recursive(6, 96, 8, move |inner| {
        let name = name.clone().prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::btree_map(name, inner, 0..8)
                .prop_map(|members| { serde_json::Value::Object(members.into_iter().collect()) }),
        ]
    })
}

fn file() -> impl Strategy<Value = String> {
    let folder = prop::sample::select(vec![
        "",
        "settingsCatalogPolicy/",
        "deviceConfiguration/",
        "intuneRoleDefinition/",
        "conditionalAccessPolicy/",
        "groupPolicyConfiguration/",
        "endpointSecurityIntent/",
        "deviceManagementScript/",
        "deviceCompliancePolicy/",
        "appProtectionPolicyIos/",
        "x/y/z/",
    ]);
    folder.prop_map(|folder| format!("{folder}any.json"))
}

proptest! {
    #![proptest_config(config(1024))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, file in file()) {
        if let Ok(text) = to_text(&bytes) {
            let _ = parse(&text);
            let _ = parse_payload(&text);
        }
        read(&file, &bytes);
    }

    #[test]
    fn damaged_json_is_read_or_refused(value in any_json(), at: prop::sample::Index, with: u8) {
        let mut bytes = value.to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = with;
        read("settingsCatalogPolicy/any.json", &bytes);
        let Ok(text) = std::str::from_utf8(&bytes) else { return Ok(()) };
        let other = serde_json::from_str::<serde_json::Value>(text);
        prop_assert_eq!(parse(text), parse_strictly(text, false));
        prop_assert_eq!(parse_payload(text), parse_strictly(text, true));
        match parse(text) {
            Ok(_) => prop_assert!(other.is_ok(), "only Plumbline reads {text}"),
            Err(error) => {
                let stricter = matches!(
                    error.problem,
                    DecodeProblem::DuplicateKey(_) | DecodeProblem::NumberLosesDigits(_)
                );
                prop_assert!(other.is_err() || stricter, "{error}: {text}");
            }
        }
    }

    #[test]
    fn any_document_has_a_normal_form(value in odd_policy(), file in file()) {
        let text = value.to_string();
        prop_assert_eq!(parse(&text), parse_strictly(&text, false));
        prop_assert_eq!(parse_payload(&text), parse_strictly(&text, true));
        read(&file, text.as_bytes());
        let folder = file.split('/').next().unwrap_or_default();
        let around = Surroundings { page_context: None, folders: &[folder] };
        if let Ok((payload, _)) = admit(parse(&text).unwrap(), around, &key()) {
            let localiser = localiser();
            let normalised = payload.read(&localiser);
            let again = payload.read(&localiser);
            prop_assert_eq!(Facets::of(&normalised), Facets::of(&again));
        }
    }

    #[test]
    fn redaction_is_done_once(value in odd_policy()) {
        let text = value.to_string();
        let mut document = parse(&text).unwrap();
        let found = redact(&mut document, None, &key());
        let before = document.clone();
        let mut slots = 0;
        count_slots(&before, &mut slots);
        prop_assert!(slots <= found.len(), "{slots} slots, {} secrets", found.len());
    }
}

fn count_slots(value: &plumbline_policy::json::Value<'_>, slots: &mut usize) {
    use plumbline_policy::json::Value;
    match value {
        Value::Secret(_) => *slots += 1,
        Value::List(items) => items.iter().for_each(|item| count_slots(item, slots)),
        Value::Object(members) => members.iter().for_each(|(_, value)| count_slots(value, slots)),
        _ => {}
    }
}
