//! The report as it is: the format for programs, and the only one that cuts nothing.

use plumbline_governance::report::Report;

/// Writes the report as JSON, indented with two spaces, with a newline at the end.
#[must_use]
pub(crate) fn json(report: &Report) -> String {
    document(serde_json::to_string_pretty(report))
}

/// Ends a document with a newline.
#[expect(clippy::expect_used, reason = "all maps have string keys, and nothing else can fail")]
pub(super) fn document(written: serde_json::Result<String>) -> String {
    written.expect("JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use crate::render::sample;

    #[test]
    fn the_report_is_readable_and_the_same_each_time() {
        let text = super::json(&sample::report());
        assert!(text.starts_with("{\n  \"schema_version\": \"1.0\",\n"), "{text}");
        assert!(text.ends_with("}\n"));
        assert_eq!(text, super::json(&sample::report()));
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["drift"].as_array().unwrap().len(), sample::report().drift.len());
    }
}
