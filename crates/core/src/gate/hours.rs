//! At which hours and on which days something may go out, of all windows that bear on it at once.

use crate::jurisdiction::{Holiday, Weekday};
use crate::time::{Civil, DAY, Millis, QuietHours, Timestamp, Zone};

/// How far ahead a lawful instant is looked for.
pub(super) const FAR: Millis = 14 * DAY;

/// Something that shuts the door for a while.
pub(super) enum Shut<'p> {
    /// A window of the day, where it begins on one of these days, or on any if there are none.
    Window(QuietHours, &'p [Weekday]),
    /// Whole days.
    Days {
        /// Sundays.
        sundays: bool,
        /// These holidays.
        holidays: &'p [Holiday],
    },
}

impl Shut<'_> {
    /// When it opens again in this zone, or `None` where it is open.
    pub(super) fn until(&self, at: Timestamp, zone: &Zone) -> Option<Timestamp> {
        match self {
            Self::Window(window, days) => {
                window.quiet_until_on(|day| days.is_empty() || days.contains(&day), at, zone)
            }
            Self::Days { sundays, holidays } => {
                let today = zone.civil(at)?;
                let shut = (*sundays && today.weekday == Weekday::Sunday)
                    || holidays.iter().any(|h| h.is_on(&today));
                shut.then(|| zone.next_day(at)).flatten()
            }
        }
    }
}

/// All that shuts, in all zones that count.
pub(super) struct Hours<'p> {
    /// A message must be allowed in each of them.
    pub(super) zones: Vec<Zone>,
    /// Windows and days.
    pub(super) shut: Vec<Shut<'p>>,
}

impl Hours<'_> {
    /// When all that shuts now will have opened, or `None` if it is open; by then something else may
    /// have shut.
    fn shut_until(&self, at: Timestamp) -> Option<Timestamp> {
        self.zones.iter().flat_map(|zone| self.shut.iter().filter_map(|s| s.until(at, zone))).max()
    }

    /// The first instant from `at` on at which nothing is shut anywhere; `None` if there is none within
    /// [`FAR`].
    pub(super) fn open_from(&self, at: Timestamp) -> Option<Timestamp> {
        let last = at.plus(FAR);
        let mut open = at;
        // Each turn jumps to the end of something that is shut, so the number of ends within the span
        // bounds the turns: windows and days, times zones, times fourteen.
        while open <= last {
            match self.shut_until(open) {
                None => return Some(open),
                Some(until) if until > open => open = until,
                Some(_) => return None,
            }
        }
        None
    }

    /// Whether nothing is shut.
    pub(super) fn is_open(&self, at: Timestamp) -> bool {
        self.shut_until(at).is_none()
    }
}

impl Holiday {
    /// Whether this day is the holiday.
    #[must_use]
    pub fn is_on(self, day: &Civil) -> bool {
        match self {
            Self::Fixed { month, day: of_month } => (day.month, day.day) == (month, of_month),
            Self::Easter { offset } => easter(day.year).is_some_and(|(month, sunday)| {
                let from_easter =
                    day_number(day.year, day.month, day.day) - day_number(day.year, month, sunday);
                from_easter == i32::from(offset)
            }),
        }
    }
}

/// Easter Sunday (Gregorian) as month and day: the anonymous algorithm of 1876 (Meeus, Astronomical
/// Algorithms, chapter 8).
fn easter(year: i16) -> Option<(i8, i8)> {
    let year = i32::from(year);
    let (a, b, c) = (year.rem_euclid(19), year.div_euclid(100), year.rem_euclid(100));
    let (d, e) = (b / 4, b % 4);
    let g = (b - (b + 8) / 25 + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let l = (32 + 2 * e + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    Some((i8::try_from(n / 31).ok()?, i8::try_from(n % 31 + 1).ok()?))
}

/// Days since an arbitrary day, by the civil calendar; the year begins in March so that the leap day
/// is its last.
fn day_number(year: i16, month: i8, day: i8) -> i32 {
    let (month, day) = (i32::from(month), i32::from(day));
    let year = i32::from(year) - i32::from(month < 3);
    let month = if month < 3 { month + 9 } else { month - 3 };
    365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn easter_falls_on_its_known_days() {
        // Dates of the ecclesiastical tables, the earliest and latest possible among them.
        let known = [
            (1818, 3, 22),
            (1943, 4, 25),
            (1954, 4, 18),
            (1961, 4, 2),
            (2000, 4, 23),
            (2008, 3, 23),
            (2011, 4, 24),
            (2019, 4, 21),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2027, 3, 28),
            (2028, 4, 16),
            (2029, 4, 1),
            (2030, 4, 21),
            (2038, 4, 25),
            (2049, 4, 18),
            (2076, 4, 19),
        ];
        for (year, month, day) in known {
            assert_eq!(easter(year), Some((month, day)), "{year}");
        }
    }

    #[test]
    fn holidays_that_move_with_easter() {
        let paris = Zone::parse("Europe/Paris").unwrap();
        // Good Friday, Easter Monday, Ascension, Whit Monday of 2026 and 2027.
        let known = [
            (-2, "2026-04-03"),
            (1, "2026-04-06"),
            (39, "2026-05-14"),
            (50, "2026-05-25"),
            (-2, "2027-03-26"),
            (1, "2027-03-29"),
            (39, "2027-05-06"),
            (50, "2027-05-17"),
        ];
        for (offset, day) in known {
            let noon = paris.civil(at(&format!("{day}T12:00:00Z"))).unwrap();
            assert!(Holiday::Easter { offset }.is_on(&noon), "{day}");
            assert!(!Holiday::Easter { offset: offset + 1 }.is_on(&noon), "{day}");
        }
    }

    #[test]
    fn what_is_never_open_is_not_looked_for_for_ever() {
        let never = [QuietHours { from: 0, to: 720 }, QuietHours { from: 720, to: 0 }];
        let shut = never.map(|window| Shut::Window(window, &[])).into_iter().collect();
        let hours = Hours { zones: vec![Zone::utc()], shut };
        assert_eq!(hours.open_from(at("2026-01-01T00:00:00Z")), None);
    }

    #[test]
    fn several_windows_days_and_zones_are_one_answer() {
        let zones = ["Europe/Paris", "America/New_York"].iter().filter_map(|z| Zone::parse(z)).collect();
        let christmas = [Holiday::Fixed { month: 12, day: 25 }, Holiday::Fixed { month: 12, day: 26 }];
        let night = Shut::Window(QuietHours { from: 22 * 60, to: 8 * 60 }, &[]);
        let shut = vec![night, Shut::Days { sundays: true, holidays: &christmas }];
        let hours = Hours { zones, shut };
        // Thursday evening in Paris before Christmas on a Friday, Boxing Day on a Saturday, a Sunday:
        // Monday, when it is eight in New York.
        assert_eq!(hours.open_from(at("2026-12-24T21:30:00Z")), Some(at("2026-12-28T13:00:00Z")));
        assert!(hours.is_open(at("2026-12-28T13:00:00Z")));
        assert!(!hours.is_open(at("2026-12-28T12:59:59Z")));
    }
}
