//! Instants and spans as whole milliseconds, and civil time for quiet hours. Never reads a clock.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use serde::{Deserialize, Serialize};

use crate::jurisdiction::Weekday;

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
    /// A window runs from the first instant of its beginning to the last instant of its end, so that
    /// no clock change cuts it short: where a local time comes twice it begins at the first and ends
    /// at the second pass; a time that a clock change leaves out is the first instant after the gap.
    #[must_use]
    pub fn quiet_until(self, now: Timestamp, zone: &Zone) -> Option<Timestamp> {
        self.quiet_until_on(|_| true, now, zone)
    }

    /// The same for a window that there is only where it begins on certain days.
    #[must_use]
    pub fn quiet_until_on(
        self,
        begins_on: impl Fn(Weekday) -> bool,
        now: Timestamp,
        zone: &Zone,
    ) -> Option<Timestamp> {
        if self.from == self.to {
            return None;
        }
        if let Some(offset_ms) = zone.steady_offset(now) {
            return self.quiet_by_offset(begins_on, now, offset_ms);
        }
        let today = zone.datetime(now)?.date();
        // The day before began a window over midnight. A change at midnight may repeat an hour of the
        // day before, so a window of the day after may have begun.
        let days = [today.yesterday().ok(), Some(today), today.tomorrow().ok()];
        days.into_iter()
            .flatten()
            .filter(|day| begins_on(weekday(*day)))
            .filter_map(|day| {
                let (begin, _) = zone.instants(day, self.from)?;
                let last = if self.from > self.to { day.tomorrow().ok()? } else { day };
                let (_, end) = zone.instants(last, self.to)?;
                (begin <= now && now < end).then_some(end)
            })
            .max()
    }
}

impl QuietHours {
    /// The same where no clock change is within a day: by arithmetic alone, for it is asked in every
    /// claim and a change is near on four days of a year.
    fn quiet_by_offset(
        self,
        begins_on: impl Fn(Weekday) -> bool,
        now: Timestamp,
        offset_ms: Millis,
    ) -> Option<Timestamp> {
        let local = now.millis() + offset_ms;
        let (today, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let (from, to) = (Millis::from(self.from) * MINUTE, Millis::from(self.to) * MINUTE);
        let (began, ends) = match (from < to, time >= from, time < to) {
            (true, true, true) => (today, today),
            (false, true, _) => (today, today + 1),
            (false, _, true) => (today - 1, today),
            _ => return None,
        };
        // 1 January 1970 was a Thursday.
        let weekday = usize::try_from((began + 3).rem_euclid(7)).ok().and_then(|day| WEEK.get(day))?;
        begins_on(*weekday).then(|| Timestamp::from_millis(ends * DAY + to - offset_ms))
    }
}

/// From Monday on.
const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// What clock and calendar show in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Year.
    pub year: i16,
    /// 1 to 12.
    pub month: i8,
    /// 1 to 31.
    pub day: i8,
    /// Day of the week.
    pub weekday: Weekday,
    /// Minute of the day, 0..1440.
    pub minute: u16,
}

fn weekday(date: Date) -> Weekday {
    let day = usize::try_from(date.weekday().to_monday_zero_offset()).ok();
    day.and_then(|day| WEEK.get(day)).copied().unwrap_or(Weekday::Sunday)
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

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Minutes that its clock is ahead of UTC at an instant.
    #[must_use]
    pub fn offset_minutes(&self, at: Timestamp) -> i32 {
        let instant = jiff::Timestamp::from_millisecond(at.millis());
        instant.map_or(0, |instant| self.0.to_offset(instant).seconds() / 60)
    }

    /// What clock and calendar show at an instant; `None` only outside the years that there are.
    #[must_use]
    pub fn civil(&self, at: Timestamp) -> Option<Civil> {
        let local = self.datetime(at)?;
        Some(Civil {
            year: local.year(),
            month: local.month(),
            day: local.day(),
            weekday: weekday(local.date()),
            minute: u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).ok()?,
        })
    }

    /// The first instant of the next local day that begins after `at`.
    #[must_use]
    pub fn next_day(&self, at: Timestamp) -> Option<Timestamp> {
        let mut day = self.datetime(at)?.date();
        // A change at midnight can leave a day out, or let the end of one come twice.
        for _ in 0..3 {
            day = day.tomorrow().ok()?;
            let (_, begin) = self.instants(day, 0)?;
            if begin > at {
                return Some(begin);
            }
        }
        None
    }

    /// The next instant after `at` at which this hour of the day (0 to 23) begins.
    #[must_use]
    pub fn next_hour(&self, at: Timestamp, hour: u16) -> Option<Timestamp> {
        let mut day = self.datetime(at)?.date();
        for _ in 0..3 {
            let (begin, _) = self.instants(day, hour.checked_mul(60)?)?;
            if begin > at {
                return Some(begin);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// How far its clock is ahead of UTC, if that does not change for more than a day before and after.
    fn steady_offset(&self, at: Timestamp) -> Option<Millis> {
        let offset = |at: Timestamp| {
            let instant = jiff::Timestamp::from_millisecond(at.millis()).ok()?;
            Some(Millis::from(self.0.to_offset(instant).seconds()) * SECOND)
        };
        let now = offset(at)?;
        let near = DAY + 2 * HOUR;
        (offset(at.plus(-near))? == now && offset(at.plus(near))? == now).then_some(now)
    }

    fn datetime(&self, at: Timestamp) -> Option<DateTime> {
        Some(self.0.to_datetime(jiff::Timestamp::from_millisecond(at.millis()).ok()?))
    }

    /// The first and the last instant at which the clock shows this minute of a day. The same if it
    /// comes once; if a clock change leaves it out, the first instant after the gap.
    fn instants(&self, date: Date, minute: u16) -> Option<(Timestamp, Timestamp)> {
        let hour = i8::try_from(minute / 60).ok()?;
        let local = date.to_datetime(Time::new(hour, i8::try_from(minute % 60).ok()?, 0, 0).ok()?);
        let at = |offset: Offset| offset.to_timestamp(local).ok();
        let (first, last) = match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => (at(offset)?, at(offset)?),
            AmbiguousOffset::Fold { before, after } => (at(before)?, at(after)?),
            AmbiguousOffset::Gap { after, .. } => {
                // By the clock after the change the minute lies before it: the change is what follows.
                let change = self.0.following(at(after)?).next()?.timestamp();
                (change, change)
            }
        };
        let ours = |t: jiff::Timestamp| Timestamp::from_millis(t.as_millisecond());
        Some((ours(first), ours(last)))
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
        assert_eq!(window.quiet_until(at("2026-03-29T00:30:00Z"), &berlin), Some(at("2026-03-29T01:00:00Z")));
        assert_eq!(window.quiet_until(at("2026-03-29T01:00:00Z"), &berlin), None);
    }

    #[test]
    fn a_window_that_ends_in_the_repeated_hour_ends_with_its_second_pass() {
        let window = QuietHours { from: 60, to: 150 };
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        // 02:40 of the first pass: the clock has shown the end already, and will show it again.
        for now in ["2026-10-24T23:00:00Z", "2026-10-25T00:40:00Z", "2026-10-25T01:29:59Z"] {
            assert_eq!(window.quiet_until(at(now), &berlin), Some(at("2026-10-25T01:30:00Z")), "{now}");
        }
        assert_eq!(window.quiet_until(at("2026-10-25T01:30:00Z"), &berlin), None);
    }

    #[test]
    fn unknown_zones_are_refused() {
        assert!(Zone::parse("Mars/Olympus").is_none());
        assert!(Zone::parse("").is_none());
        assert!(Zone::parse("America/New_York").is_some());
    }
}
