//! Instants and spans as whole milliseconds, and civil time for quiet hours. Never reads a clock.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// An instant: milliseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A span in milliseconds, never negative by convention of its makers.
pub type Millis = i64;

/// One second.
pub const SECOND: Millis = 1_000;
/// One minute.
pub const MINUTE: Millis = 60 * SECOND;
/// One hour.
pub const HOUR: Millis = 60 * MINUTE;
/// Twenty-four hours (not a civil day).
pub const DAY: Millis = 24 * HOUR;

impl Timestamp {
    /// From milliseconds since the epoch. Values outside years 0000 to 9999 are clamped, so later
    /// arithmetic and formatting cannot overflow.
    #[must_use]
    pub const fn from_millis(ms: i64) -> Self {
        const MIN: i64 = -62_167_219_200_000;
        const MAX: i64 = 253_402_300_799_999;
        Self(if ms < MIN {
            MIN
        } else if ms > MAX {
            MAX
        } else {
            ms
        })
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down (the unit of JWS claims).
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This instant plus a span.
    #[must_use]
    pub const fn plus(self, span: Millis) -> Self {
        Self::from_millis(self.0.saturating_add(span))
    }

    /// Milliseconds from `earlier` to this instant; negative when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Millis {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 in UTC with seconds, `2026-03-29T10:15:00Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        jiff::Timestamp::from_second(self.seconds()).map_or_else(|_| "invalid".to_owned(), |t| t.to_string())
    }

    /// Parses RFC 3339 (`2012-10-12T07:05:27-04:00`).
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self::from_millis(t.as_millisecond()))
    }
}

/// A daily window of local time in which nothing is sent, in minutes after local midnight.
/// `from` > `to` spans midnight; `from` == `to` means no window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// First quiet minute of the day, 0..1440.
    pub from: u16,
    /// First minute that is no longer quiet, 0..1440.
    pub to: u16,
}

impl QuietHours {
    /// When the window that covers `now` in `zone` ends, or `None` when `now` is not quiet.
    ///
    /// An end that does not exist on that day (clocks go forward) is the first instant after the
    /// gap; one that exists twice is its second, later pass: quiet is never cut short by a clock change.
    #[must_use]
    pub fn quiet_until(self, now: Timestamp, zone: &Zone) -> Option<Timestamp> {
        if self.from == self.to {
            return None;
        }
        let instant = jiff::Timestamp::from_millisecond(now.millis()).ok()?;
        let local = zone.0.to_datetime(instant);
        let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).ok()?;
        let spans_midnight = self.from > self.to;
        let quiet = if spans_midnight {
            minute >= self.from || minute < self.to
        } else {
            minute >= self.from && minute < self.to
        };
        if !quiet {
            return None;
        }
        let date =
            if spans_midnight && minute >= self.from { local.date().tomorrow().ok()? } else { local.date() };
        let (hour, min) = (i8::try_from(self.to / 60).ok()?, i8::try_from(self.to % 60).ok()?);
        let end = zone.0.to_ambiguous_zoned(date.at(hour, min, 0, 0)).later().ok()?;
        let end = Timestamp::from_millis(end.timestamp().as_millisecond());
        // In the hour that a clock change repeats, "later" may name an instant before `now`.
        (end > now).then_some(end)
    }
}

/// A time zone of the IANA database, checked.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// Looks a name up, `Europe/Berlin`. The database is compiled in.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        // A zone name is short; anything longer is not worth a search.
        if name.is_empty() || name.len() > 64 {
            return None;
        }
        TimeZone::get(name).ok().map(Self)
    }

    /// UTC, the last resort when nothing is known of where a person is.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn quiet_hours_follow_the_recipient_through_clock_changes() {
        let night = QuietHours { from: 21 * 60, to: 9 * 60 };
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let cases = [
            ("2026-01-10T19:59:00Z", None),
            ("2026-01-10T20:00:00Z", Some("2026-01-11T08:00:00Z")),
            ("2026-01-11T07:59:59Z", Some("2026-01-11T08:00:00Z")),
            ("2026-01-11T08:00:00Z", None),
            // Clocks go forward in the night to 29 March 2026: nine o'clock comes an hour earlier.
            ("2026-03-28T22:00:00Z", Some("2026-03-29T07:00:00Z")),
            // And back in the night to 25 October 2026.
            ("2026-10-24T22:00:00Z", Some("2026-10-25T08:00:00Z")),
        ];
        for (now, expect) in cases {
            assert_eq!(night.quiet_until(at(now), &berlin), expect.map(at), "{now}");
        }
    }

    #[test]
    fn an_end_inside_the_missing_hour_is_the_first_instant_after_it() {
        let window = QuietHours { from: 60, to: 150 };
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        assert_eq!(window.quiet_until(at("2026-03-29T00:30:00Z"), &berlin), Some(at("2026-03-29T01:30:00Z")),);
    }

    #[test]
    fn unknown_zones_are_refused() {
        assert!(Zone::parse("Mars/Olympus").is_none());
        assert!(Zone::parse("").is_none());
        assert!(Zone::parse("America/New_York").is_some());
    }
}
