//! When a workspace's nightly compares are due: once for each local date, at one local time.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When nightly compares start.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "ScheduleForm", into = "ScheduleForm")]
pub struct Schedule {
    time: Time,
    zone: TimeZone,
}

/// A schedule as it is written: `{"time": "02:00", "zone": "Europe/Berlin"}`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScheduleForm {
    /// The local time of day, such as `02:00`.
    time: String,
    /// The time zone, such as `Europe/Berlin`.
    zone: String,
}

/// Why a schedule is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSchedule {
    /// Not a time of day.
    #[error("`{0}` is no time of day; write hours and minutes such as 02:30")]
    Time(String),
    /// Not a zone.
    #[error("`{0}` is no time zone; write one such as Europe/Berlin or UTC")]
    Zone(String),
}

impl TryFrom<ScheduleForm> for Schedule {
    type Error = BadSchedule;

    fn try_from(form: ScheduleForm) -> Result<Self, BadSchedule> {
        Self::parse(&form.time, &form.zone)
    }
}

impl From<Schedule> for ScheduleForm {
    fn from(schedule: Schedule) -> Self {
        Self { time: schedule.time(), zone: schedule.zone().to_owned() }
    }
}

/// A night: the local date, and the moment at which it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Night {
    /// The local date; names the night, whatever the clock does.
    pub date: Date,
    /// When it is due.
    pub due: Timestamp,
}

impl Schedule {
    /// Reads a time of day (`HH:MM`) and the name of a time zone.
    ///
    /// # Errors
    /// Says which of the two is wrong.
    pub fn parse(time: &str, zone: &str) -> Result<Self, BadSchedule> {
        let bad = || BadSchedule::Time(time.to_owned());
        let (hours, minutes) = time.split_once(':').ok_or_else(bad)?;
        let number = |text: &str| {
            let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i8>().ok().filter(|_| plain)
        };
        let parts = number(hours).zip(number(minutes)).ok_or_else(bad)?;
        let time = Time::new(parts.0, parts.1, 0, 0).map_err(|_| bad())?;
        let zone = TimeZone::get(zone).map_err(|_| BadSchedule::Zone(zone.to_owned()))?;
        Ok(Self { time, zone })
    }

    /// The time of day.
    #[must_use]
    pub fn time(&self) -> String {
        format!("{:02}:{:02}", self.time.hour(), self.time.minute())
    }

    /// The name of the time zone.
    #[must_use]
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The local date at a moment; without a schedule, that of UTC.
    #[must_use]
    pub fn date_at(schedule: Option<&Self>, at: Timestamp) -> Date {
        match schedule {
            Some(schedule) => schedule.zone.to_datetime(at).date(),
            None => TimeZone::UTC.to_datetime(at).date(),
        }
    }

    /// The moment at which a date's night is due. A time that the clock skips becomes the same time
    /// after the gap; one that it shows twice is the first.
    #[must_use]
    pub fn due(&self, date: Date) -> Option<Night> {
        let due =
            self.zone.to_ambiguous_zoned_datetime(date.to_datetime(self.time)).compatible().ok()?;
        Some(Night { date, due: due.timestamp() })
    }

    /// The first night that is due after a moment.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Night> {
        let mut date = self.zone.to_datetime(after).date();
        // A gap may push today's time behind the moment, so today is tried first.
        for _ in 0..3 {
            let night = self.due(date)?;
            if night.due > after {
                return Some(night);
            }
            date = date.checked_add(1.day()).ok()?;
        }
        None
    }

    /// The night after a night.
    #[must_use]
    pub fn following(&self, date: Date) -> Option<Night> {
        self.due(date.checked_add(1.day()).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn nights_follow_the_local_clock() {
        let berlin = Schedule::parse("02:30", "Europe/Berlin").unwrap();
        let due = |date: &str| berlin.due(date.parse().unwrap()).unwrap().due;
        assert_eq!(due("2026-03-28"), at("2026-03-28T01:30:00Z"));
        assert_eq!(
            due("2026-03-29"),
            at("2026-03-29T01:30:00Z"),
            "02:30 is skipped: 03:30 summer time"
        );
        assert_eq!(due("2026-03-30"), at("2026-03-30T00:30:00Z"));
        assert_eq!(due("2026-10-25"), at("2026-10-25T00:30:00Z"), "02:30 comes twice: the first");
        assert_eq!(due("2026-10-26"), at("2026-10-26T01:30:00Z"));
    }

    #[test]
    fn each_date_has_one_night() {
        for zone in
            ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "UTC"]
        {
            for time in ["00:00", "01:59", "02:00", "02:30", "23:59"] {
                let schedule = Schedule::parse(time, zone).unwrap();
                let mut now = at("2026-01-01T00:00:00Z");
                let mut last = None;
                for _ in 0..730 {
                    let night = schedule.next(now).unwrap();
                    if let Some(last) = last {
                        assert_eq!(night, schedule.following(last).unwrap(), "{zone} {time}");
                    }
                    last = Some(night.date);
                    now = night.due;
                }
            }
        }
    }

    #[test]
    fn wrong_schedules_are_refused_by_name() {
        for time in ["", "2:00", "24:00", "02:60", "02:00:00", "0２:00", "-1:00"] {
            assert_eq!(Schedule::parse(time, "UTC"), Err(BadSchedule::Time(time.to_owned())));
        }
        for zone in ["", "Europe/Nowhere", "Mars"] {
            assert_eq!(Schedule::parse("02:00", zone), Err(BadSchedule::Zone(zone.to_owned())));
        }
        let text = r#"{"time":"02:00","zone":"Europe/Berlin"}"#;
        let schedule: Schedule = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&schedule).unwrap(), text);
    }
}
