//! Planted secrets: no output and no digest may hold one, in any spelling, and a changed one is drift.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use plumbline_governance::compare::CompareOptions;
use plumbline_governance::report::{ChangeType, Report};
use plumbline_policy::classify::Surroundings;
use plumbline_policy::digest::Digest;
use plumbline_policy::json::parse;
use plumbline_policy::policy::{Payload, admit};
use plumbline_policy::redact::redact;
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use plumbline_testkit::secrets::{Kind, kinds};
use plumbline_tests::{Files, compare_files};
use std::collections::BTreeMap;
use std::fmt::Write as _;

fn side(file: &str, bytes: Vec<u8>) -> Files {
    Files {
        files: BTreeMap::from([(file.to_owned(), bytes)]),
        facts: TenantFacts::default(),
        complete: true,
    }
}

fn compare(kind: &Kind, before: &str, after: &str) -> Report {
    let bytes = |secret| kind.plant(secret).to_string().into_bytes();
    let (golden, other) = (side(kind.file, bytes(before)), side(kind.file, bytes(after)));
    compare_files(&golden, &other, &CompareOptions::default())
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    bits.chunks(6)
        .map(|chunk| {
            let value = chunk.iter().fold(0, |value, bit| value << 1 | bit) << (6 - chunk.len());
            char::from(ALPHABET[usize::from(value)])
        })
        .collect()
}

/// Every spelling of a secret that an output must not hold.
fn spellings(secret: &str) -> Vec<String> {
    let digest = Digest::of(secret.as_bytes());
    let mac = key().mac(secret.as_bytes());
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
    };
    let escaped = serde_json::to_string(secret).unwrap();
    let mut out = vec![
        secret.to_owned(),
        escaped[1..escaped.len() - 1].to_owned(),
        hex(secret.as_bytes()),
        digest.to_string(),
        base64(digest.as_bytes()),
        format!("{:?}", digest.as_bytes()),
        hex(mac.as_bytes()),
        base64(mac.as_bytes()),
        format!("{:?}", mac.as_bytes()),
    ];
    // Within a longer text the secret may begin at any of three places of a group; the letters at both
    // ends depend on what stands around it.
    for offset in 0..3 {
        let mut bytes = vec![b'x'; offset];
        bytes.extend_from_slice(secret.as_bytes());
        let text = base64(&bytes);
        out.push(text[offset * 2..text.len() - 3].to_owned());
    }
    let url = |text: &String| text.replace('+', "-").replace('/', "_");
    out.extend(out.clone().iter().map(url));
    out
}

fn key() -> SecretKey {
    SecretKey::new("test", [7; 32])
}

/// `Err` says what holds the secret.
fn clean(what: &str, output: &str, secret: &str) -> Result<(), String> {
    let lower = output.to_lowercase();
    match spellings(secret).into_iter().find(|spelling| lower.contains(&spelling.to_lowercase())) {
        Some(spelling) => Err(format!("{what} holds {spelling} of {secret}: {output:.2000}")),
        None => Ok(()),
    }
}

/// Runs a check for every kind and fails with all that failed.
fn each_kind(check: impl Fn(&Kind) -> Result<(), String>) {
    let failures: Vec<String> = kinds()
        .iter()
        .filter_map(|kind| check(kind).err().map(|error| format!("{}: {error}", kind.name)))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn json_of(report: &Report) -> String {
    serde_json::to_string(report).unwrap()
}

/// Everything that is printed, stored or digested of one policy.
fn outputs(payload: &Payload<'_>) -> Vec<(&'static str, String)> {
    let normalised = payload.read(&Localiser::new(&TenantFacts::default()));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    vec![
        ("the canonical content", text(normalised.content.to_canonical())),
        ("the canonical label", text(normalised.label.to_canonical())),
        ("the canonical assignments", text(normalised.assignments.to_canonical())),
        ("the canonical document", text(payload.document.to_canonical())),
        ("the content as JSON", normalised.content.to_json().to_string()),
        ("the normal form in Debug", format!("{normalised:?}")),
        ("the payload in Debug", format!("{payload:?}")),
        ("the references", serde_json::to_string(&normalised.references).unwrap()),
    ]
}

#[test]
fn there_are_thirty_kinds() {
    let mut names: Vec<&str> = kinds().iter().map(|kind| kind.name).collect();
    assert!(names.len() >= 30, "{} kinds", names.len());
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), kinds().len());
}

#[test]
fn no_output_holds_a_planted_secret() {
    each_kind(|kind| {
        let (one, two) = (kind.secret(0), kind.secret(1));
        assert_ne!(one, two);
        let bytes = kind.plant(&one).to_string();
        let folder = kind.file.split('/').next().unwrap();
        let around = Surroundings { page_context: None, folders: &[folder] };
        let payload = admit(parse(&bytes).unwrap(), around, &key());
        let Ok((payload, _)) = payload else { return Err("not classified".to_owned()) };
        for (what, output) in outputs(&payload) {
            clean(what, &output, &one)?;
        }
        for (before, after) in [(&one, &two), (&one, &one), (&two, &one)] {
            let report = compare(kind, before, after);
            for output in [json_of(&report), format!("{report:?}")] {
                clean("the report", &output, &one)?;
                clean("the report", &output, &two)?;
            }
        }
        Ok(())
    });
}

#[test]
fn a_changed_secret_is_drift_and_an_equal_one_is_not() {
    each_kind(|kind| {
        let (one, two) = (kind.secret(0), kind.secret(1));
        let same = compare(kind, &one, &one);
        if !same.drift.is_empty() || !same.gaps.is_empty() || same.summary.unchanged != 1 {
            return Err(format!("equal ones are not: {}", json_of(&same)));
        }
        let changed = compare(kind, &one, &two);
        if !kind.compared {
            return if changed.drift.is_empty() {
                Ok(())
            } else {
                Err(format!("only presence counts: {}", json_of(&changed)))
            };
        }
        let [drift] = changed.drift.as_slice() else {
            return Err(format!("{} drifts: {}", changed.drift.len(), json_of(&changed)));
        };
        assert_eq!(drift.change_type, ChangeType::DifferentVersion, "{}", kind.name);
        let says = |change: &plumbline_governance::report::Change| {
            change.after.as_ref().and_then(|after| after.as_str()) == Some("(secret changed)")
        };
        // The rest of the policy is equal, so there is nothing else to show.
        if drift.changes.iter().all(says) && !drift.changes.is_empty() {
            Ok(())
        } else {
            Err(format!("the evidence is {:?}", drift.changes))
        }
    });
}

#[test]
fn a_secret_added_or_taken_away_is_drift() {
    each_kind(|kind| {
        let one = kind.secret(0);
        let with = kind.plant(&one);
        let mut without = with.clone();
        blank(&mut without, &one);
        if without == with {
            // It stands inside a longer text.
            return Ok(());
        }
        let side_of = |policy: &serde_json::Value| side(kind.file, policy.to_string().into_bytes());
        for (golden, other) in [(&with, &without), (&without, &with)] {
            let report =
                compare_files(&side_of(golden), &side_of(other), &CompareOptions::default());
            if report.drift.len() != 1 {
                return Err(format!("{} drifts: {}", report.drift.len(), json_of(&report)));
            }
            clean("the report", &json_of(&report), &one)?;
        }
        Ok(())
    });
}

/// Empties every text that is the secret.
fn blank(value: &mut serde_json::Value, secret: &str) {
    match value {
        serde_json::Value::String(text) if text == secret => text.clear(),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| blank(item, secret)),
        serde_json::Value::Object(members) => {
            members.values_mut().for_each(|value| blank(value, secret));
        }
        _ => {}
    }
}

#[test]
fn a_policy_of_unknown_type_is_redacted_all_the_same() {
    // Nobody says that a member of an unknown type is base64, or that its rows may be encrypted.
    let told_by_type =
        ["wireless key in a profile", "password in a property list", "encrypted row read in plain"];
    each_kind(|kind| {
        let secret = kind.secret(0);
        if !kind.file.starts_with("deviceConfiguration/") || told_by_type.contains(&kind.name) {
            return Ok(());
        }
        let mut policy = kind.plant(&secret);
        policy["@odata.type"] = serde_json::json!("#microsoft.graph.inventedConfiguration");
        let bytes = policy.to_string();
        let mut document = parse(&bytes).unwrap();
        redact(&mut document, None, &key());
        let canonical = String::from_utf8(document.to_canonical()).unwrap();
        clean("the canonical document", &canonical, &secret)
    });
}

#[test]
fn a_broken_file_does_not_show_what_it_holds() {
    each_kind(|kind| {
        let secret = kind.secret(0);
        let whole = kind.plant(&secret).to_string();
        for cut in [whole.len() - 1, whole.len() * 3 / 4, whole.len() / 2] {
            let broken = whole.as_bytes()[..cut].to_vec();
            let golden = side(kind.file, whole.clone().into_bytes());
            let report =
                compare_files(&golden, &side(kind.file, broken), &CompareOptions::default());
            clean("the report of a broken file", &json_of(&report), &secret)?;
        }
        Ok(())
    });
}
