//! No identifier of a tenant stands in anything of a baseline: looked for in the bytes as they are stored.

use base64::Engine as _;
use futures::executor::block_on;
use plumbline_policy::tenant::TenantFacts;
use plumbline_tests::check::{body_of, texts};
use plumbline_tests::policies::{FEATURE, SETTINGS, feature, policies, settings};
use plumbline_tests::stage::{Stage, must};
use serde_json::json;

const ENTRA: &str = "7dfa8454-8c39-41e0-86ca-e6456c027be2";
const ACCOUNT: &str = "3c9e8a61-55d1-4a77-9f0e-2b6c1d7e8f90";
const DOMAIN: &str = "contoso-golden.example";

fn holds(haystack: &[u8], needle: &str) -> bool {
    let hay = String::from_utf8_lossy(haystack).to_lowercase();
    hay.contains(&needle.to_lowercase())
}

#[test]
fn nothing_of_the_tenant_stands_in_a_baseline() {
    let stage = Stage::new();
    let facts = TenantFacts {
        tenant_id: Some(ENTRA.to_owned()),
        domains: vec![DOMAIN.to_owned()],
        intune_account_id: Some(ACCOUNT.to_owned()),
    };
    let golden = stage.tenant_with("golden", facts);
    let profile = stage.profile("Gold", &[FEATURE, SETTINGS, "deviceManagementScript"]);
    let script = format!("Set-Thing -Tenant {ENTRA} -Domain mail.{DOMAIN} -Account {ACCOUNT}");
    let script = base64::engine::general_purpose::STANDARD.encode(script);
    let mut feature_update = feature(&format!("Ring for {DOMAIN}"), 1, &format!("of {ENTRA}"));
    feature_update["description"] =
        json!(format!("https://portal.{DOMAIN}/{}", ENTRA.to_uppercase()));
    let documents = policies([
        feature_update,
        settings("Catalog", 2, &[("one", ENTRA), ("two", ACCOUNT), ("three", DOMAIN)]),
        json!({
            "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/deviceManagementScripts/$entity",
            "id": plumbline_tests::policies::guid(3), "displayName": "Script", "description": "",
            "scriptContent": script, "runAsAccount": "system", "enforceSignatureCheck": false,
            "fileName": format!("script {ACCOUNT}"), "roleScopeTagIds": ["0"], "runAs32Bit": false,
            "assignments": [],
        }),
    ]);
    let imported = stage.import(golden, &documents);
    assert_eq!(imported.state.map(|state| state.policies), Some(3), "{:?}", imported.gaps);
    let run = stage.capture(profile, golden);
    assert_eq!(run.outcome().as_str(), "succeeded", "{:?}", run.failure());
    let needles = [
        golden.to_string(),
        run.id.to_string(),
        imported.run.id.to_string(),
        golden.as_uuid().to_string(),
        ENTRA.to_owned(),
        ENTRA.replace('-', ""),
        ACCOUNT.to_owned(),
        DOMAIN.to_owned(),
        plumbline_tests::policies::guid(1),
        plumbline_tests::policies::guid(2),
        plumbline_tests::policies::guid(3),
    ];
    let mut looked_at = 0;
    let mut look = |what: &str, bytes: &[u8]| {
        looked_at += 1;
        for needle in &needles {
            assert!(!holds(bytes, needle), "{what} holds {needle}");
            let whole = base64::engine::general_purpose::STANDARD.encode(needle);
            let middle = whole.trim_end_matches('=');
            assert!(!holds(bytes, &middle[..middle.len() - 2]), "{what} holds {needle} as base64");
        }
        // Scripts: what looks like base64 is looked into.
        let text = String::from_utf8_lossy(bytes).into_owned();
        for word in text.split(|one: char| !one.is_ascii_alphanumeric() && !"+/=".contains(one)) {
            if word.len() > 24
                && let Ok(inner) = base64::engine::general_purpose::STANDARD.decode(word)
            {
                for needle in &needles {
                    assert!(!holds(&inner, needle), "a script in {what} holds {needle}");
                }
            }
        }
    };
    for key in stage.memory().objects.keys() {
        let bytes = must(block_on(stage.raw.objects.get(&key))).expect("an object");
        if key.folder().contains("/baseline/") {
            look(&key.to_string(), &texts(&bytes));
        }
    }
    for row in stage.dump() {
        if row.key.sk.starts_with("PROFILE#") || row.key.sk.starts_with("SNAPSHOT#") {
            let body = body_of(&row).expect("JSON").to_string();
            look(&row.key.to_string(), body.as_bytes());
        }
    }
    assert!(looked_at >= 4, "only {looked_at} were looked at");
    // The search finds what it looks for: the tenant's own index holds it.
    let own =
        stage.memory().objects.keys().into_iter().find(|key| {
            key.folder().contains("/index") && key.folder().contains(&golden.to_string())
        });
    let bytes = must(block_on(stage.raw.objects.get(&own.expect("an index")))).expect("bytes");
    assert!(holds(&texts(&bytes), &plumbline_tests::policies::guid(1)));
}
