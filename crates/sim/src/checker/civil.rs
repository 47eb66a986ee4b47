//! Local time by other people's code and other data tables than those of what is checked: `tz-rs` finds the offset,
//! the calendar is counted out here.

use super::fact::Instant;

/// A local moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// Year.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 0 is Sunday.
    pub weekday: i64,
    /// Minutes after midnight on the clock.
    pub minute: i64,
}

/// What the clock on the wall shows in a zone; `None` if there is no such zone.
#[must_use]
pub fn local(at: Instant, zone: &str) -> Option<Local> {
    let rules = tzdb_data::find_tz(zone.as_bytes())?;
    let seconds = at.div_euclid(1_000);
    let offset = i64::from(rules.find_local_time_type(seconds).ok()?.ut_offset());
    let shown = seconds + offset;
    let days = shown.div_euclid(86_400);
    let (year, month, day) = date(days);
    // 1 January 1970 was a Thursday.
    Some(Local { year, month, day, weekday: (days + 4).rem_euclid(7), minute: shown.rem_euclid(86_400) / 60 })
}

/// The date so many days after 1 January 1970, counted in years and months.
fn date(days: i64) -> (i64, i64, i64) {
    let mut year = 1970 + days.div_euclid(366);
    // The first guess is never too late, and a few years early at most in our era.
    while day_number(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && day_number(year, month + 1, 1) <= days {
        month += 1;
    }
    (year, month, days - day_number(year, month, 1) + 1)
}

/// Days from 1 January 1970 to a date.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let past = year - 1;
    let leaps = past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let before = usize::try_from(month - 1).ok().and_then(|m| BEFORE.get(m)).copied().unwrap_or(0);
    // 719162 days lie between 1 January of year 1 and 1 January 1970.
    past * 365 + leaps + before + i64::from(is_leap && month > 2) + day - 1 - 719_162
}

/// Day of the year of Easter Sunday as month and day, by Gauss's rule with Lichtenberg's corrections.
#[must_use]
pub fn easter(year: i64) -> (i64, i64) {
    let k = year / 100;
    let m = 15 + (3 * k + 3) / 4 - (8 * k + 13) / 25;
    let s = 2 - (3 * k + 3) / 4;
    let a = year % 19;
    let d = (19 * a + m) % 30;
    let r = (d + a / 11) / 29;
    let og = 21 + d - r;
    let sz = 7 - (year + year / 4 + s) % 7;
    let oe = 7 - (og - sz) % 7;
    let march = og + oe;
    if march > 31 { (4, march - 31) } else { (3, march) }
}

/// Whether a local day lies so many days after Easter Sunday.
#[must_use]
pub fn is_easter_plus(day: Local, offset: i64) -> bool {
    let (month, sunday) = easter(day.year);
    day_number(day.year, day.month, day.day) == day_number(day.year, month, sunday) + offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_right() {
        // 2026-11-21T10:20:30Z, a Saturday.
        let told = local(1_795_256_430_000, "UTC").unwrap();
        assert_eq!((told.year, told.month, told.day, told.weekday, told.minute), (2026, 11, 21, 6, 620));
        let told = local(951_782_400_000, "UTC").unwrap();
        assert_eq!((told.year, told.month, told.day), (2000, 2, 29));
        assert_eq!(local(0, "UTC").unwrap().weekday, 4);
        assert_eq!(local(0, "Mars/Olympus"), None);
    }

    #[test]
    fn clocks_change() {
        // 2026-03-29 01:00 UTC: Berlin goes from 1:59 to 3:00.
        assert_eq!(local(1_774_745_999_000, "Europe/Berlin").unwrap().minute, 119);
        assert_eq!(local(1_774_746_000_000, "Europe/Berlin").unwrap().minute, 180);
        assert_eq!(local(1_774_746_000_000, "Asia/Kathmandu").unwrap().minute, 405);
    }

    #[test]
    fn easter_is_when_the_almanacs_say() {
        for (year, expect) in
            [(2024, (3, 31)), (2025, (4, 20)), (2026, (4, 5)), (2027, (3, 28)), (2038, (4, 25))]
        {
            assert_eq!(easter(year), expect, "{year}");
        }
    }
}
