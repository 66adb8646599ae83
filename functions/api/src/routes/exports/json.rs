//! One JSON object a line.

use super::Writer;
use crate::routes::findings::FindingView;

pub(super) struct Json;

impl Writer for Json {
    fn head(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn page(&mut self, findings: &[FindingView]) -> Vec<u8> {
        let mut out = Vec::new();
        for finding in findings {
            out.extend(serde_json::to_vec(finding).unwrap_or_default());
            out.push(b'\n');
        }
        out
    }

    fn tail(&mut self) -> Vec<u8> {
        Vec::new()
    }
}
