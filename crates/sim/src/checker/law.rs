//! Whether the law, or the night, forbids a message for good, as far as anything that may be known says so.

use super::fact::{Instant, Voice, Way};
use super::hours::opens;
use super::verdict::Scene;
use super::whereabouts::Whereabouts;
use super::{DAY, LEAVE_IS_GOOD_FOR};

/// How far ahead an hour is looked for at which something may go out.
const FAR: i64 = 14 * DAY;

/// What was asked about.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) at: Instant,
    pub(super) began: Option<Instant>,
    /// Other messages by this way in the same abandonment.
    pub(super) sent: usize,
    /// How firm the least firm yes is.
    pub(super) firmness: Option<u8>,
}

/// Whose yes it is, as a law ranks it.
pub(super) const fn firmness(voice: Voice) -> u8 {
    match voice {
        Voice::Page => 0,
        Voice::Shop => 1,
        Voice::Owner => 2,
    }
}

/// Whether by any answer there is no hour of the next two weeks.
pub(super) fn is_always_night(scene: &Scene<'_>, known: &Whereabouts<'_>, way: Way, at: Instant) -> bool {
    let far = (at, at + FAR);
    known.clocks.iter().any(|zones| !opens(scene.rules, &known.perhaps, zones, way, far))
}

/// Whether any law that may hold forbids it, whatever the hour.
pub(super) fn forbids(scene: &Scene<'_>, known: &Whereabouts<'_>, way: Way, case: &Case) -> bool {
    let by_way = |caps: &[(Way, usize)]| caps.iter().any(|(w, most)| *w == way && case.sent >= *most);
    let asks_firmer = |least: &[(Way, u8)]| {
        least.iter().any(|(w, least)| *w == way && case.firmness.is_some_and(|firmness| firmness < *least))
    };
    let is_late = |span: i64| {
        let last = case.began.map_or(case.at, |began| began + span);
        // A cap of a day may put it off until then.
        let is_capped = known.perhaps.iter().any(|s| s.per_day.iter().any(|(w, _)| *w == way));
        let from = case.at + if is_capped { DAY } else { 0 };
        let time = (from, last - LEAVE_IS_GOOD_FOR);
        known.clocks.iter().any(|zones| !opens(scene.rules, &known.perhaps, zones, way, time))
    };
    known.perhaps.iter().any(|sheet| {
        asks_firmer(&sheet.least_voice)
            || by_way(&sheet.per_abandonment)
            || sheet.within.iter().any(|(w, span)| *w == way && is_late(*span))
    }) || is_always_night(scene, known, way, case.at)
}
