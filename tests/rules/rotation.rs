//! A new root key (contracts 1.4): what was made under another key is a gap, never drift, and never equal.

use async_trait::async_trait;
use plumbline_governance::run::{ReasonCode, Run};
use plumbline_ports::{PortError, RootKey, Secrets};
use plumbline_tests::check::assert_whole;
use plumbline_tests::policies::{Policies, policies};
use plumbline_tests::stage::Stage;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

const WIFI: &str = "deviceConfiguration";

/// A root key that may be replaced.
struct Rotating(Mutex<RootKey>);

impl Rotating {
    fn rotate(&self, id: &str, byte: u8) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = RootKey::new(id, [byte; 32]);
    }
}

#[async_trait]
impl Secrets for Rotating {
    async fn root_key(&self) -> Result<RootKey, PortError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn wifi(secret: &str) -> Policies {
    policies([json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/\
                           deviceConfigurations/$entity",
        "@odata.type": "#microsoft.graph.windowsWifiConfiguration",
        "id": "5e11ab1e-0000-4000-8000-000000000001", "displayName": "W", "description": "",
        "ssid": "FLOOR", "preSharedKey": secret, "roleScopeTagIds": ["0"], "assignments": [],
    })])
}

fn is_unproven(stage: &Stage, run: &Run) {
    assert_eq!(run.failure().map(|one| one.reason_code), Some(ReasonCode::NotProven), "{run:?}");
    let result = run.context.baseline_compare.as_ref().expect("a compare says what it came to");
    assert!(!result.from_memo && result.gaps.iter().any(|gap| gap.contains("secret")), "{run:?}");
    assert_eq!(run.summary_counts.get("different_version"), Some(&0), "{run:?}");
    assert!(stage.findings(run.tenant).is_empty(), "no drift");
}

#[test]
fn a_rotated_root_key_gives_a_gap_and_neither_drift_nor_silence() {
    let secrets = Arc::new(Rotating(Mutex::new(RootKey::new("first", [1; 32]))));
    let stage = Stage::new();
    let mut raw = stage.raw.clone();
    raw.secrets = Arc::clone(&secrets) as _;
    let stage = Stage::over(raw, Arc::clone(&stage.clock));
    let (golden, other, profile) = stage.governed(&[WIFI], &wifi("one"));
    stage.assign(golden, profile);
    for tenant in [golden, other] {
        assert_eq!(stage.compare(tenant).outcome().as_str(), "succeeded");
    }

    // Nothing was read under the new key yet: both sides are still under the old one.
    secrets.rotate("second", 2);
    assert_eq!(stage.compare(other).outcome().as_str(), "succeeded");

    // The same secret and another one look alike: nothing can be said of either.
    stage.import(other, &wifi("one"));
    is_unproven(&stage, &stage.compare(other));
    stage.import(other, &wifi("two"));
    is_unproven(&stage, &stage.compare(other));
    stage.import(golden, &wifi("one"));
    is_unproven(&stage, &stage.compare(golden));

    // A baseline under the new key tells them apart again.
    let captured = stage.capture(profile, golden);
    let result = captured.context.baseline_capture.as_ref();
    assert!(result.is_some_and(|one| !one.confirmed_existing), "{captured:?}");
    assert_eq!(stage.compare(golden).outcome().as_str(), "succeeded");
    let run = stage.compare(other);
    assert_eq!(run.outcome().as_str(), "succeeded");
    assert_eq!(run.summary_counts.get("different_version"), Some(&1), "{run:?}");
    assert_whole(&stage, "rotated");
}
