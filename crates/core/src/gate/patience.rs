//! What only asks for patience, and what the person's own habits ask for: rest after messages that
//! brought nothing, caps over all carts and channels, quiet hours, and the hour that suits them.
//! Caps count what was sent and what is claimed and not settled: two carts must not slip through one
//! gap together.

use std::borrow::Cow;

use super::channel::Chosen;
use super::jurisdiction::{local, told_window};
use super::{Ask, Log, Refusal, skip};
use crate::decision::Why;
use crate::experiment::planned_at;
use crate::policy::Step;
use crate::recovery::Trigger;
use crate::time::{DAY, Millis, Timestamp};

/// How many of these instants lie within a span that ends now, and when there is room for one more
/// if there is none now. Room again when as many have aged out as are too many.
pub(super) fn room(
    now: Timestamp,
    times: impl Iterator<Item = Timestamp>,
    span: Millis,
    cap: u32,
) -> (usize, Option<Timestamp>) {
    let mut within: Vec<Timestamp> = times.filter(|t| now.since(*t) < span).collect();
    within.sort_unstable();
    let count = within.len();
    let cap = usize::try_from(cap).unwrap_or(usize::MAX);
    let until = (count >= cap).then(|| within.get(count - cap).map_or(now.plus(span), |t| t.plus(span)));
    (count, until)
}

/// Asks, in this order: rest, browse cap, daily cap, weekly cap, quiet hours and the hours of the law,
/// a better hour.
pub(super) fn check(ask: &Ask<'_>, step: &Step, chosen: &Chosen<'_>, log: &mut Log) -> Result<(), Refusal> {
    rest(ask, log)?;
    browse(ask, log)?;
    for (rule, span, cap, why) in [
        ("cap_day", DAY, ask.policy.caps.day, Why::DailyCap),
        ("cap_week", 7 * DAY, ask.policy.caps.week, Why::WeeklyCap),
    ] {
        let (count, until) = room(ask.now, ask.times(None), span, cap);
        let refusal = Refusal::Defer { until: until.unwrap_or(ask.now), why };
        log.check(rule, until.is_none(), format!("{count} of {cap}"), refusal)?;
    }
    let (until, why) = chosen.wait.unwrap_or((ask.now, Why::QuietHours));
    let refusal = Refusal::Defer { until, why };
    if let Some(quiet) = ask.policy.quiet_hours {
        let (there, window) = (local(ask.now, &chosen.hours.zones), told_window(quiet));
        let found = ["by ", chosen.zones_origin, " zone, ", &there, "; quiet ", &window].concat();
        let passed = !ask.is_quiet(quiet, &chosen.hours.zones);
        log.check("quiet_hours", passed, found, refusal)?;
    }
    if !ask.policy.jurisdictions.is_empty() {
        let found = match chosen.wait {
            None => Cow::from("no window of the law is shut"),
            Some((until, _)) => format!("free again at {}", until.to_rfc3339()).into(),
        };
        log.check("lawful_hours", chosen.wait.is_none(), found, refusal)?;
    }
    better_hour(ask, step, chosen, log)
}

/// Who followed none of the last messages is left alone: what would go out meanwhile is dropped, for
/// a heap of it would wait at the end of the rest.
fn rest(ask: &Ask<'_>, log: &mut Log) -> Result<(), Refusal> {
    let Some(fatigue) = ask.policy.fatigue else {
        return Ok(());
    };
    let since = ask.person.last_answer();
    let claimed = ask.claimed().map(|(_, c)| c.at).filter(|at| since.is_none_or(|answer| *at > answer));
    let unanswered: Vec<Timestamp> = ask.person.unanswered().chain(claimed).collect();
    let count = unanswered.len();
    let end =
        unanswered.into_iter().max().map(|last| last.plus(fatigue.rest_ms)).filter(|end| *end > ask.now);
    let tired = count >= usize::try_from(fatigue.unanswered).unwrap_or(usize::MAX);
    let rests = end.filter(|_| tired);
    let found = rests.map_or_else(
        || format!("{count} of {} in a row that were not followed", fatigue.unanswered),
        |end| format!("{count} in a row were not followed; rest until {}", end.to_rfc3339()),
    );
    log.check("fatigue", rests.is_none(), found, skip(Why::Fatigue))
}

/// Messages about something looked at have a cap of their own, and go stale sooner than it frees up.
fn browse(ask: &Ask<'_>, log: &mut Log) -> Result<(), Refusal> {
    if ask.request.trigger != Trigger::Browse {
        return Ok(());
    }
    let cap = ask.policy.browse.as_ref().map_or(0, |browse| browse.per_week);
    let sends = ask.person.sends.iter().filter(|s| s.browse).map(|s| s.at);
    let claims = ask.claimed().filter(|(_, c)| c.browse).map(|(_, c)| c.at);
    let (count, until) = room(ask.now, sends.chain(claims), 7 * DAY, cap);
    log.check("cap_browse", until.is_none(), format!("{count} of {cap} in 7 days"), skip(Why::BrowseCap))
}

/// The step may wait for the hour at which the person follows links: within its window, before the
/// next step, and not into an hour that is shut.
fn better_hour(ask: &Ask<'_>, step: &Step, chosen: &Chosen<'_>, log: &mut Log) -> Result<(), Refusal> {
    let [zone] = &chosen.hours.zones[..] else {
        return Ok(());
    };
    if step.window_ms <= 0 {
        return Ok(());
    }
    let due = ask.request.abandoned_at.plus(step.at_ms);
    let next = ask.policy.sequence(&ask.request.sequence).and_then(|sequence| {
        let (shop, unit) = (ask.person.shop.as_str(), Some(ask.person.id.as_str()));
        let at = |s| planned_at(ask.policy, &sequence.name, s, shop, unit, &ask.person.assignments);
        let later = sequence.steps.iter().map(at).filter(|at| *at > step.at_ms);
        later.min().map(|at| ask.request.abandoned_at.plus(at))
    });
    let hour = ask.person.usual_hour(ask.now, zone);
    let now = zone.civil(ask.now).map(|civil| civil.minute / 60);
    let (until, found) = match hour {
        None => (None, "too few clicks to tell their hour".to_owned()),
        Some(hour) if now == Some(hour) => (None, format!("{hour:02}:00 is their hour")),
        Some(hour) => match zone.next_hour(ask.now, hour) {
            Some(at) if at > due.plus(step.window_ms) => {
                (None, format!("{hour:02}:00 is outside the window"))
            }
            Some(at) if next.is_some_and(|next| at >= next) => {
                (None, format!("{hour:02}:00 would meet the next step"))
            }
            Some(at) if chosen.last.is_some_and(|last| at > last) || !chosen.hours.is_open(at) => {
                (None, format!("{hour:02}:00 is a quiet hour"))
            }
            Some(at) => (Some(at), format!("waits for {hour:02}:00, when they follow links")),
            None => (None, "no such hour".to_owned()),
        },
    };
    let refusal = Refusal::Defer { until: until.unwrap_or(ask.now), why: Why::BetterHour };
    log.check("better_hour", until.is_none(), found, refusal)
}
