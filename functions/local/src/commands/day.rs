//! Days that a person writes. All of them are days in UTC.

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The end of a day: an acceptance until a date holds on that date.
pub(super) fn end_of_day(text: &str) -> anyhow::Result<Timestamp> {
    date(text.trim()).and_then(|date| midnight(date.tomorrow().ok()?)).with_context(|| {
        format!("`{text}` is no date; write year, month and day such as 2026-12-31")
    })
}

/// The beginning of a day, or a moment.
pub(super) fn beginning(text: &str) -> anyhow::Result<Timestamp> {
    let text = text.trim();
    date(text).and_then(midnight).or_else(|| text.parse().ok()).with_context(|| {
        format!("`{text}` is no date; write one such as 2026-11-01 or 2026-11-01T06:00:00Z")
    })
}

/// A date and nothing behind it: a moment begins with a date too.
fn date(text: &str) -> Option<Date> {
    if text.len() == "2026-12-31".len() { text.parse().ok() } else { None }
}

fn midnight(date: Date) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acceptance_holds_on_its_last_day() {
        let end = |text: &str| end_of_day(text).map(|at| at.to_string()).unwrap_or_default();
        assert_eq!(end("2026-12-31"), "2027-01-01T00:00:00Z");
        assert_eq!(end(" 2028-02-28 "), "2028-02-29T00:00:00Z");
        for wrong in ["", "2026-13-01", "tomorrow", "31.12.2026", "2026-02-30"] {
            assert_eq!(end(wrong), "", "{wrong}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_and_a_moment_is_itself() {
        let of = |text: &str| beginning(text).map(|at| at.to_string()).unwrap_or_default();
        assert_eq!(of("2026-11-01"), "2026-11-01T00:00:00Z");
        assert_eq!(of("2026-11-01T06:00:00Z"), "2026-11-01T06:00:00Z");
        for wrong in ["", "yesterday", "2026-11-31", "01.11.2026"] {
            assert_eq!(of(wrong), "", "{wrong}");
        }
    }
}
