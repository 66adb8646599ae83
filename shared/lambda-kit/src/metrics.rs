//! Metrics as a line of the log: the embedded metric format, which `CloudWatch` counts without a call.
//! The only dimension is the function, so that no metric is priced per tenant.

use crate::answer::Counts;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "Plumbline";
/// The only dimension; Lambda's own metrics have the same one.
pub const DIMENSION: &str = "FunctionName";

/// Writes what a function did as one line, without the line's end. What happened not once is left out, since
/// a metric is paid for every hour in which it is written; nothing to count is no line.
#[must_use]
pub fn line(function: &str, at: Timestamp, counts: &Counts) -> Option<String> {
    let counts: Vec<_> = counts.iter().filter(|(_, count)| **count > 0).collect();
    if counts.is_empty() {
        return None;
    }
    let metrics: Vec<Value> =
        counts.iter().map(|(name, _)| json!({"Name": name, "Unit": "Count"})).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": at.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [[DIMENSION]],
                "Metrics": metrics,
            }],
        },
        DIMENSION: function,
    });
    for (name, count) in counts {
        line[*name] = json!(count);
    }
    Some(line.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_each_metric_and_one_dimension() {
        let counts = Counts::from([("Succeeded", 3), ("Again", 1), ("Buried", 0)]);
        let at = Timestamp::from_millisecond(1_772_000_000_123).unwrap();
        let line: Value =
            serde_json::from_str(&line("north-compare", at, &counts).unwrap()).unwrap();
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 1_772_000_000_123_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Plumbline",
                        "Dimensions": [["FunctionName"]],
                        "Metrics": [
                            {"Name": "Again", "Unit": "Count"},
                            {"Name": "Succeeded", "Unit": "Count"},
                        ],
                    }],
                },
                "FunctionName": "north-compare",
                "Again": 1,
                "Succeeded": 3,
            })
        );
    }

    #[test]
    fn nothing_to_count_is_no_line() {
        for counts in [Counts::new(), Counts::from([("NightsMissed", 0)])] {
            assert_eq!(super::line("f", Timestamp::UNIX_EPOCH, &counts), None);
        }
    }
}
