//! SARIF 2.1.0, written in parts: the rules stand in the head, so that results can follow one by one.

use super::Writer;
use crate::routes::findings::FindingView;
use plumbline_governance::severity::{RULES, Severity};
use serde_json::{Value, json};

#[derive(Default)]
pub(super) struct Sarif {
    /// Whether a result was written, so that the next one needs a comma.
    begun: bool,
}

impl Writer for Sarif {
    fn head(&mut self) -> Vec<u8> {
        let rules: Vec<Value> = RULES
            .iter()
            .map(|(id, _, text)| json!({ "id": id, "shortDescription": { "text": text } }))
            .collect();
        let driver = json!({
            "name": "Plumbline", "version": env!("CARGO_PKG_VERSION"), "rules": rules,
        });
        format!(
            "{{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\
             \"runs\":[{{\"tool\":{{\"driver\":{driver}}},\"results\":["
        )
        .into_bytes()
    }

    fn page(&mut self, findings: &[FindingView]) -> Vec<u8> {
        let mut out = Vec::new();
        for finding in findings {
            if std::mem::replace(&mut self.begun, true) {
                out.push(b',');
            }
            out.extend(result(finding).to_string().into_bytes());
        }
        out
    }

    fn tail(&mut self) -> Vec<u8> {
        b"]}]}\n".to_vec()
    }
}

fn result(view: &FindingView) -> Value {
    let (finding, drift) = (&view.finding, &view.finding.drift);
    let level = match drift.severity {
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    };
    let text = format!(
        "{} ({}): {}",
        drift.display_name,
        drift.policy_type,
        drift.change_type.as_str().replace('_', " ")
    );
    // SARIF's words for what became of a result, and for what a person decided.
    let state = match finding.state.as_str() {
        "new" => "new",
        "resolved" => "absent",
        _ => "unchanged",
    };
    let suppressions: Vec<Value> = match finding.state.as_str() {
        "accepted" | "closed" => vec![json!({
            "kind": "external", "status": "accepted", "justification": finding.state.reason(),
        })],
        _ => Vec::new(),
    };
    json!({
        "ruleId": drift.severity_rule,
        "level": level,
        "message": { "text": text },
        "baselineState": state,
        "suppressions": suppressions,
        "locations": [{ "logicalLocations": [{
            "fullyQualifiedName": format!("{}/{}/{}", finding.tenant, drift.policy_type, drift.display_name),
        }] }],
        "partialFingerprints": {
            "plumbline/fingerprint/v1": drift.fingerprint,
            "plumbline/recurrence/v1": finding.recurrence_key,
        },
        "properties": {
            "finding": finding.id, "tenant": finding.tenant, "profile": finding.profile,
            "status": finding.state.as_str(), "timesSeen": view.times_seen,
        },
    })
}
