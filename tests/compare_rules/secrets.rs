//! Contracts 1.4: secrets are compared under a key and never shown.

use super::build::{id, of, side, with, without};
use super::{check, pair};
use plumbline_governance::compare::{CompareOptions, Payloads, compare};
use plumbline_governance::inventory::{Inventory, Reader, SideName};
use plumbline_governance::subject::Source;
use plumbline_policy::policy::Payload;
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use plumbline_tests::Files;
use serde_json::{Value, json};
use std::borrow::Cow;

fn wifi(key: &str) -> Value {
    of(
        "deviceManagement/deviceConfigurations",
        json!({
            "@odata.type": "#microsoft.graph.windowsWifiConfiguration", "id": id(1), "displayName": "W",
            "ssid": "FLOOR", "preSharedKey": key, "assignments": [],
        }),
    )
}

/// A settings catalog policy with one secret in the state that Graph gives it.
fn stored(value: &str, state: &str) -> Value {
    of(
        "deviceManagement/configurationPolicies",
        json!({
            "id": id(1), "name": "S", "platforms": "windows10", "technologies": "mdm", "assignments": [],
            "templateReference": { "templateFamily": "none" },
            "settings": [{ "id": "0", "settingInstance": {
                "@odata.type": "#microsoft.graph.deviceManagementConfigurationSimpleSettingInstance",
                "settingDefinitionId": "secret_definition",
                "simpleSettingValue": {
                    "@odata.type": "#microsoft.graph.deviceManagementConfigurationSecretSettingValue",
                    "value": value, "valueState": state,
                },
            } }],
        }),
    )
}

const DRIFT: &str =
    "different_version deviceConfiguration W: content medium policy.content, by key 100";

#[test]
fn secrets_are_compared_and_not_shown() {
    check(vec![
        pair("1.4: equal", wifi("one"), wifi("one")).gives(&["full, 1 unchanged"]),
        pair("1.4: changed", wifi("one"), wifi("two")).gives(&[
            DRIFT,
            r#". content preSharedKey: changed "(secret set)" to "(secret changed)""#,
            "full, 0 unchanged",
        ]),
        pair("1.4: added", without(wifi("one"), "preSharedKey"), wifi("one")).gives(&[
            DRIFT,
            r#". content preSharedKey: added - to "(secret set)""#,
            "full, 0 unchanged",
        ]),
        pair("1.4: removed", wifi("one"), without(wifi("one"), "preSharedKey")).gives(&[
            DRIFT,
            r#". content preSharedKey: removed "(secret set)" to -"#,
            "full, 0 unchanged",
        ]),
        pair("1.4: masked on both sides: presence only", wifi("****"), wifi("********")).gives(&["full, 1 unchanged"]),
        pair("1.4: masked on one side", wifi("one"), wifi("****")).gives(&[
            "no verdict on deviceConfiguration W: secret_unproven would be anything",
            "gap secret_unproven both deviceConfiguration c.json",
            "unproven_suppressed, 0 unchanged",
        ]),
        pair(
            "3: an unproven secret takes its leaf's verdict only",
            wifi("****"),
            with(wifi("one"), json!({ "ssid": "ROOF" })),
        )
        .gives(&[
            DRIFT,
            r#". content ssid: changed "FLOOR" to "ROOF""#,
            "gap secret_unproven both deviceConfiguration c.json",
            "partial_suppressed, 0 unchanged",
        ]),
        pair("1.4: tokens of the service: presence only", stored("t1", "encryptedValueToken"), stored("t2", "encryptedValueToken"))
            .gives(&["full, 1 unchanged"]),
        pair("1.4: clear text of a template is compared", stored("one", "notEncrypted"), stored("two", "notEncrypted"))
            .gives(&[
                "different_version settingsCatalogPolicy S: content medium policy.content, by key 100",
                r#". content settings/{secret_definition}/settingInstance/simpleSettingValue/value: changed "(secret set)" to "(secret changed)""#,
                "full, 0 unchanged",
            ]),
    ]);
    let report = pair("", wifi("planted-alpha"), wifi("planted-beta")).report();
    let everything =
        serde_json::to_string(&report).expect("a report is JSON") + &format!("{report:?}");
    assert!(!everything.contains("planted-"), "{everything}");
    let detail = pair("", wifi("one"), wifi("****")).report().gaps.remove(0).detail;
    assert_eq!(detail, "`W`: preSharedKey: one side's secret is masked, or under another key");
}

struct Under(Files, Reader);

impl Under {
    fn new(key: &str, value: Value) -> Self {
        let key = SecretKey::new(key, [7; 32]);
        let localiser = Localiser::new(&TenantFacts::default());
        Self(side(&[("w.json", value)]), Reader { key, localiser, annotations: false })
    }

    fn inventory(&self) -> Inventory {
        let readings = self.0.files.iter().map(|(file, bytes)| self.1.read_file(file, bytes));
        Inventory::gather("side".to_owned(), false, false, readings)
    }
}

struct Both<'u>(&'u Under, &'u Under);

impl Both<'_> {
    fn side(&self, name: SideName) -> &Under {
        if name == SideName::Baseline { self.0 } else { self.1 }
    }
}

impl Payloads for Both<'_> {
    fn payload(&self, name: SideName, source: &Source) -> Option<Cow<'_, Payload<'static>>> {
        let side = self.side(name);
        side.1.read_payload(source, side.0.files.get(&source.file)?).ok().map(Cow::Owned)
    }

    fn localiser(&self, name: SideName) -> &Localiser {
        &self.side(name).1.localiser
    }
}

/// "Another `key_id` gives gap `secret_unproven`, never drift."
/// A secret belongs to the facet it stands in: one in a description is no content.
#[test]
fn a_secret_in_a_description_is_a_label() {
    let described = |text: &str| with(wifi("one"), json!({ "description": text }));
    let (before, after) = (described("psk='autumn-1'"), described("psk='autumn-2'"));
    check(vec![pair("1.4: in a description", before, after).gives(&[
        "different_version deviceConfiguration W: metadata_only low policy.metadata, by key 100",
        r#". label description: changed "(secret set)" to "(secret changed)""#,
        "full, 0 unchanged",
    ])]);
}

#[test]
fn secrets_under_different_keys_prove_nothing() {
    let judge = |key: &str, before: &str, after: &str| {
        let (a, b) = (Under::new("first", wifi(before)), Under::new(key, wifi(after)));
        let report =
            compare(&a.inventory(), &b.inventory(), &CompareOptions::default(), &Both(&a, &b));
        let gaps: Vec<_> = report.gaps.iter().map(|gap| gap.kind.as_str()).collect();
        (report.drift.len(), report.summary.unchanged, gaps)
    };
    assert_eq!(judge("first", "one", "one"), (0, 1, vec![]));
    assert_eq!(judge("first", "one", "two"), (1, 0, vec![]));
    for after in ["one", "two"] {
        assert_eq!(judge("second", "one", after), (0, 0, vec!["secret_unproven"]));
    }
    assert_eq!(judge("second", "****", "****"), (0, 1, vec![]), "presence needs no key");
}
