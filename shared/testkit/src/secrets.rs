//! Planted secrets: policies of every sort that carries one, with values that are plainly invented.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// One kind of secret: how it looks and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What it is called in messages.
    pub name: &'static str,
    /// The file the policy would be exported to; the folder names its type.
    pub file: &'static str,
    /// Whether another value is drift. Masked values and tokens that the service gives anew only
    /// count as set or not.
    pub compared: bool,
    form: fn(u8) -> String,
    plant: fn(&str) -> Value,
}

impl Kind {
    /// The secret of a variant; variants differ.
    #[must_use]
    pub fn secret(&self, variant: u8) -> String {
        (self.form)(variant)
    }

    /// A policy that carries the secret, as a document of Graph.
    #[must_use]
    pub fn plant(&self, secret: &str) -> Value {
        (self.plant)(secret)
    }
}

/// A letter of a variant, so that two secrets of a kind share no tail.
fn letter(variant: u8) -> char {
    char::from(b'a' + variant % 26)
}

fn phrase(variant: u8) -> String {
    format!("Invented!{0}{0}{0}-phrase-not-real", letter(variant))
}

fn word(variant: u8) -> String {
    format!("invented{0}{0}{0}wordnotreal00{0}", letter(variant))
}

fn guid(variant: u8) -> String {
    let digit = variant % 10;
    format!("fa{digit}efa{digit}e-fa{digit}e-4a{digit}e-8a{digit}e-fa{digit}efa{digit}efa{digit}e")
}

fn blob(variant: u8) -> String {
    STANDARD.encode(format!("invented onboarding blob {0}{0}{0}, not real", letter(variant)))
}

fn jwt(variant: u8) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = format!("{{\"note\":\"invented token {}\"}}", letter(variant));
    let signature = format!("invented signature {0}{0}{0}", letter(variant));
    [part("{\"alg\":\"none\",\"typ\":\"JWT\"}"), part(&claims), part(&signature)].join(".")
}

fn aws_id(variant: u8) -> String {
    format!("AKIAFAKEFAKEFAKE000{}", letter(variant).to_ascii_uppercase())
}

fn github(variant: u8) -> String {
    format!("ghp_FakeFakeFakeFakeFakeFakeFakeFake000{}", letter(variant))
}

fn signature(variant: u8) -> String {
    format!("FakeSignature{0}{0}{0}FakeFakeFake%3D", letter(variant))
}

fn device_configuration(odata_type: &str, member: &str, value: Value) -> Value {
    let mut policy = json!({
        "@odata.type": format!("#microsoft.graph.{odata_type}"),
        "id": "6b1f0a52-8f5e-4c4b-9a59-3f1f3c1f0001",
        "displayName": "Planted",
        "description": "Carries a secret.",
        "version": 1,
        "enabled": true,
        "assignments": [],
    });
    policy[member] = value;
    policy
}

fn wifi(member: &str, value: Value) -> Value {
    device_configuration("windowsWifiConfiguration", member, value)
}

fn catalog(instance: &Value) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.deviceManagementConfigurationPolicy",
        "id": "6b1f0a52-8f5e-4c4b-9a59-3f1f3c1f0002",
        "name": "Planted",
        "description": "",
        "platforms": "windows10",
        "technologies": "mdm",
        "templateReference": { "templateId": "", "templateFamily": "none" },
        "settings": [{ "id": "0", "settingInstance": instance }],
    })
}

fn simple(definition: &str, value_type: &str, secret: &str) -> Value {
    const PREFIX: &str = "#microsoft.graph.deviceManagementConfiguration";
    catalog(&json!({
        "@odata.type": format!("{PREFIX}SimpleSettingInstance"),
        "settingDefinitionId": definition,
        "simpleSettingValue": {
            "@odata.type": format!("{PREFIX}{value_type}SettingValue"),
            "value": secret,
        },
    }))
}

fn secret_setting(secret: &str, state: &str) -> Value {
    let mut policy = simple("device_vendor_msft_invented_keymaterial", "Secret", secret);
    policy["settings"][0]["settingInstance"]["simpleSettingValue"]["valueState"] = json!(state);
    policy
}

fn script(content: &str) -> Value {
    json!({
        "id": "6b1f0a52-8f5e-4c4b-9a59-3f1f3c1f0003",
        "displayName": "Planted",
        "fileName": "planted.ps1",
        "scriptContent": STANDARD.encode(content),
        "runAsAccount": "system",
        "enforceSignatureCheck": false,
        "runAs32Bit": false,
    })
}

fn enrollment(member: &str, secret: &str) -> Value {
    let mut profile = json!({
        "id": "6b1f0a52-8f5e-4c4b-9a59-3f1f3c1f0004",
        "displayName": "Planted",
        "enrollmentMode": "corporateOwnedDedicatedDevice",
    });
    profile[member] = json!(secret);
    profile
}

fn oma(secret: &str, encrypted: bool) -> Value {
    let rows = json!([{
        "@odata.type": "#microsoft.graph.omaSettingString",
        "displayName": "Row",
        "omaUri": "./Device/Vendor/MSFT/Invented/Row",
        "isEncrypted": encrypted,
        "secretReferenceValueId": null,
        "value": secret,
    }]);
    device_configuration("windows10CustomConfiguration", "omaSettings", rows)
}

const SCRIPT: &str = "deviceManagementScript/planted.json";
const CATALOG: &str = "settingsCatalogPolicy/planted.json";
const DEVICE: &str = "deviceConfiguration/planted.json";

/// Every kind.
#[must_use]
pub fn kinds() -> Vec<Kind> {
    let mut out = by_name();
    out.extend(by_place());
    out.extend(by_content());
    out
}

/// Secrets that the whole name of their member tells.
fn by_name() -> Vec<Kind> {
    type Plant = fn(&str) -> Value;
    let device: [(&'static str, Plant); 9] = [
        ("pre-shared key", |s| wifi("preSharedKey", json!(s))),
        ("shared secret", |s| {
            device_configuration("iosikEv2VpnConfiguration", "sharedSecret", json!(s))
        }),
        ("passphrase", |s| wifi("proxy", json!({ "passphrase": s }))),
        ("private key", |s| wifi("certificates", json!([{ "privateKey": s }]))),
        ("token", |s| wifi("service", json!({ "token": s }))),
        ("api key", |s| wifi("service", json!({ "apiKey": s }))),
        ("client secret", |s| wifi("service", json!({ "clientSecret": s }))),
        ("password", |s| wifi("credentials", json!([{ "user": "svc", "password": s }]))),
        ("name in another case", |s| wifi("PRESHAREDKEY", json!(s))),
    ];
    let kind = |name, file, plant| Kind { name, file, compared: true, form: phrase, plant };
    let mut out: Vec<Kind> =
        device.into_iter().map(|(name, plant)| kind(name, DEVICE, plant)).collect();
    let android = "androidEnrollmentProfile/planted.json";
    out.push(kind("wifi password", android, |s| enrollment("wifiPassword", s)));
    // The service gives enrolment tokens anew.
    let token = |name, plant| Kind { compared: false, ..kind(name, android, plant) };
    out.push(token("token value", |s| enrollment("tokenValue", s)));
    out.push(token("qr code content", |s| {
        let code = json!({ "android.app.extra.PROVISIONING_TOKEN": s }).to_string();
        enrollment("qrCodeContent", &code)
    }));
    let apple = "appleDepEnrollmentProfile/planted.json";
    out.push(kind("admin account password", apple, |s| {
        let mut profile = enrollment("adminAccountPassword", s);
        profile["@odata.type"] = json!("#microsoft.graph.depMacOSEnrollmentProfile");
        profile
    }));
    out.push(Kind {
        compared: false,
        form: blob,
        ..kind("onboarding blob", DEVICE, |s| {
            let odata_type = "windowsDefenderAdvancedThreatProtectionConfiguration";
            device_configuration(odata_type, "advancedThreatProtectionOnboardingBlob", json!(s))
        })
    });
    out
}

/// Secrets that their place, definition id or value type tells.
fn by_place() -> Vec<Kind> {
    let kind = |name, file, form, plant| Kind { name, file, compared: true, form, plant };
    vec![
        Kind {
            compared: false,
            ..kind("onboarding setting", CATALOG, blob, |s| {
                let id = "device_vendor_msft_windowsadvancedthreatprotection_onboarding";
                simple(id, "String", s)
            })
        },
        kind("enrolment token setting", CATALOG, guid, |s| {
            let id = "device_vendor_msft_policy_config_microsoft_edge~policy~microsoft_edge\
                      _edgemanagementenrollmenttoken_edgemanagementenrollmenttoken";
            simple(id, "String", s)
        }),
        Kind {
            compared: false,
            ..kind("secret setting, encrypted", CATALOG, guid, |s| {
                secret_setting(s, "encryptedValueToken")
            })
        },
        kind("secret setting, plain", CATALOG, phrase, |s| secret_setting(s, "notEncrypted")),
        // Rows that say they are encrypted are masked, mostly.
        Kind {
            compared: false,
            ..kind("encrypted row read in plain", DEVICE, phrase, |s| oma(s, true))
        },
        kind(
            "app configuration of devices",
            "appConfigurationManagedDevice/planted.json",
            word,
            |s| {
                json!({
                    "@odata.type": "#microsoft.graph.iosMobileAppConfiguration",
                    "id": "6b1f0a52-8f5e-4c4b-9a59-3f1f3c1f0005",
                    "displayName": "Planted",
                    "settings": [{
                        "appConfigKey": "password",
                        "appConfigKeyType": "stringType",
                        "appConfigKeyValue": s,
                    }],
                })
            },
        ),
        kind("app configuration of apps", "appConfigurationManagedApp/planted.json", word, |s| {
            json!({
                "@odata.type": "#microsoft.graph.targetedManagedAppConfiguration",
                "id": "T_6b1f0a52-8f5e-4c4b-9a59-3f1f3c1f0006",
                "displayName": "Planted",
                "customSettings": [{ "name": "password", "value": s }],
                "apps": [],
            })
        }),
    ]
}

/// Secrets that their own form, or a name with a literal assigned to it, tells.
fn by_content() -> Vec<Kind> {
    let kind = |name, file, form, plant| Kind { name, file, compared: true, form, plant };
    vec![
        kind("jwt in a string setting", CATALOG, jwt, |s| {
            simple("device_vendor_msft_policy_config_invented_synckey", "String", s)
        }),
        kind("pem key in a script", SCRIPT, word, |s| {
            script(&format!(
                "$key = @'\n-----BEGIN RSA PRIVATE KEY-----\n{s}\n-----END RSA PRIVATE KEY-----\n'@\n"
            ))
        }),
        kind("password assigned in a script", SCRIPT, phrase, |s| {
            script(&format!("$user = 'svc'\n$Password = \"{s}\"\nConnect -User $user\n"))
        }),
        kind("secure string in a script", SCRIPT, phrase, |s| {
            script(&format!("$p = ConvertTo-SecureString \"{s}\" -AsPlainText -Force\n"))
        }),
        kind("aws key in a script", SCRIPT, aws_id, |s| {
            script(&format!("Set-AWSCredential -AccessKey {s} -Region eu-north-1\n"))
        }),
        kind("github token in a shell script", "macOSShellScript/planted.json", github, |s| {
            script(&format!("#!/bin/sh\ngit clone https://{s}@github.com/invented/tools.git\n"))
        }),
        kind("connection string in an intent", "endpointSecurityIntent/planted.json", word, |s| {
            let text = format!("Server=db;User Id=sa;Password={s};Encrypt=true");
            json!({
                "id": "6b1f0a52-8f5e-4c4b-9a59-3f1f3c1f0007",
                "displayName": "Planted",
                "templateId": "5340aa10-47a8-4e67-893f-690984e4d5da",
                "settings": [{
                    "@odata.type": "#microsoft.graph.deviceManagementStringSettingInstance",
                    "id": "6b1f0a52-8f5e-4c4b-9a59-3f1f3c1f0008",
                    "definitionId": "deviceConfiguration--invented_connection",
                    "valueJson": json!(text).to_string(),
                    "value": text,
                }],
            })
        }),
        kind("wireless key in a profile", DEVICE, phrase, |s| {
            let xml = format!(
                "<WLANProfile><sharedKey><keyType>passPhrase</keyType><keyMaterial>{s}</keyMaterial>\
                 </sharedKey></WLANProfile>"
            );
            let odata_type = "macOSCustomAppConfiguration";
            device_configuration(odata_type, "configurationXml", json!(STANDARD.encode(xml)))
        }),
        kind("password in a property list", DEVICE, phrase, |s| {
            let plist = format!(
                "<plist><dict><key>UserName</key><string>svc</string>\n<key>Password</key>\n\
                 <string>{s}</string></dict></plist>"
            );
            let odata_type = "macOSCustomConfiguration";
            device_configuration(odata_type, "payload", json!(STANDARD.encode(plist)))
        }),
        kind("command line of an app", "mobileApp/planted.json", word, |s| {
            json!({
                "@odata.type": "#microsoft.graph.win32LobApp",
                "id": "6b1f0a52-8f5e-4c4b-9a59-3f1f3c1f0009",
                "displayName": "Planted",
                "publisher": "Invented",
                "installCommandLine": format!("setup.exe /quiet /password:{s} /norestart"),
                "uninstallCommandLine": "setup.exe /remove",
            })
        }),
        kind("bearer header in a remediation", "deviceHealthScript/planted.json", word, |s| {
            let remediation = format!(
                "Invoke-RestMethod -Uri https://api.example/x -Headers @{{ Authorization = 'Bearer {s}' }}\n"
            );
            json!({
                "id": "6b1f0a52-8f5e-4c4b-9a59-3f1f3c1f000a",
                "displayName": "Planted",
                "publisher": "Invented",
                "isGlobalScript": false,
                "detectionScriptContent": STANDARD.encode("exit 1\n"),
                "remediationScriptContent": STANDARD.encode(remediation),
            })
        }),
        kind("signature of a storage link", CATALOG, signature, |s| {
            let link =
                format!("https://fake.blob.example/c/f.png?sv=2024-01-01&se=2031-01-01&sig={s}");
            simple("device_vendor_msft_policy_config_invented_wallpaper", "String", &link)
        }),
        kind("user and password of an address", DEVICE, word, |s| {
            wifi(
                "proxyAutomaticConfigurationUrl",
                json!(format!("https://svc:{s}@proxy.example/p.pac")),
            )
        }),
        kind("xml of a custom row", DEVICE, phrase, |s| {
            oma(&format!("<wap><Password>{s}</Password></wap>"), false)
        }),
        kind("token in a description", CATALOG, github, |s| {
            let mut policy =
                simple("device_vendor_msft_policy_config_invented_row", "String", "on");
            policy["description"] = json!(format!("Made with {s}, do not delete"));
            policy
        }),
    ]
}
