//! At which hours and on which days something may go out.

use super::civil::{self, Local};
use super::fact::{Instant, Way};
use super::rules::{Holiday, Rules, Sheet};

/// How far apart the moments are at which it is looked whether something may go out.
const STEP: i64 = 5 * 60 * 1_000;

/// Whether there is a moment in this time at which it is day in all of these zones.
pub(super) fn opens(
    rules: &Rules,
    sheets: &[&Sheet],
    zones: &[&str],
    way: Way,
    (from, to): (Instant, Instant),
) -> bool {
    let is_day = |at: Instant| zones.iter().all(|zone| wrong(rules, sheets, zone, way, at).is_none());
    let mut at = from;
    while at <= to {
        if is_day(at) {
            return true;
        }
        at += STEP;
    }
    false
}

/// What is wrong with the hour or the day in a zone.
pub(super) fn wrong(rules: &Rules, sheets: &[&Sheet], zone: &str, way: Way, at: Instant) -> Option<String> {
    let Some(clock) = civil::local(at, zone) else {
        return Some(format!("no zone {zone} to judge by"));
    };
    let told = format!("{:02}:{:02} in {zone}", clock.minute / 60, clock.minute % 60);
    if rules.quiet.is_some_and(|(from, to)| within(clock.minute, from, to)) {
        return Some(format!("it was {told}"));
    }
    for sheet in sheets {
        for night in &sheet.quiet {
            // The small hours belong to the night that began the day before.
            let is_morning = night.from > night.to && clock.minute < night.to;
            let begun = if is_morning { (clock.weekday + 6) % 7 } else { clock.weekday };
            let is_on = night.days.is_empty() || night.days.contains(&begun);
            if is_on && night.ways.contains(&way) && within(clock.minute, night.from, night.to) {
                return Some(format!("the law keeps quiet at {told}"));
            }
        }
        for (ways, sundays, holidays) in &sheet.no_days {
            let off = (*sundays && clock.weekday == 0)
                || (*holidays && sheet.holidays.iter().any(|h| is_holiday(*h, clock)));
            if off && ways.contains(&way) {
                return Some(format!("the law keeps quiet on {}-{} in {zone}", clock.month, clock.day));
            }
        }
    }
    None
}

/// Whether a minute of the day lies in a window that may span midnight.
fn within(minute: i64, from: i64, to: i64) -> bool {
    if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
}

fn is_holiday(holiday: Holiday, day: Local) -> bool {
    match holiday {
        Holiday::Fixed(month, date) => (day.month, day.day) == (month, date),
        Holiday::Easter(offset) => civil::is_easter_plus(day, offset),
    }
}
