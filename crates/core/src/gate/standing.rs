//! What ends a sequence and what forbids a step, whatever the channel: order, opt-out, automation, the
//! shop's switch, a pause, nothing to show, a newer cart, the step's own condition, repetition, holdout.

use std::borrow::Cow;

use super::{Ask, Log, Refusal, skip};
use crate::decision::Why;
use crate::experiment;
use crate::person::KnownEpisode;
use crate::policy::Step;
use crate::recovery::Trigger;
use crate::time::{DAY, HOUR, Millis};

/// How long to wait before asking again when the shop has stopped all sends.
pub const STOPPED_RETRY: Millis = HOUR;

/// What ends the sequence.
pub(super) fn ends(ask: &Ask<'_>, log: &mut Log) -> Result<(), Refusal> {
    let Ask { person, request, .. } = *ask;
    log.check(
        "sent_before",
        !person.has_sent(&request.key),
        format!("{} earlier sends of this person", person.sends.len()),
        skip(Why::AlreadySent),
    )?;
    if person.has_forgotten(&request.cart) {
        // Asked only where it is so: of a cart that was not forgotten there is nothing to tell.
        log.check("forgotten", false, "the shopper wanted the cart forgotten", skip(Why::Forgotten))?;
    }
    let ordered = person.orders.iter().any(|o| !o.cancelled && o.at >= request.cart_born_at);
    let near = person.ordered_near.is_some_and(|at| at >= request.cart_born_at);
    let found = match (ordered, near) {
        (true, _) => "an order was placed after the cart was begun",
        (false, true) => "an order to the same postal address was placed after the cart was begun",
        (false, false) => "no order since the cart was begun",
    };
    log.check("ordered", !ordered && !near, found, skip(Why::Ordered))?;
    log.check(
        "opted_out",
        person.opted_out_of_all.is_none(),
        person
            .opted_out_of_all
            .map_or(Cow::from("no opt-out"), |t| format!("opted out at {}", t.to_rfc3339()).into()),
        skip(Why::OptedOut),
    )?;
    log.check(
        "automated",
        !request.automated,
        if request.automated { "automated session" } else { "a real browser or a signed source" },
        skip(Why::Bot),
    )
}

/// What forbids the step, now or at all.
pub(super) fn forbids(ask: &Ask<'_>, log: &mut Log) -> Result<(), Refusal> {
    let Ask { now, person, request, policy, .. } = *ask;
    log.check(
        "stopped",
        !request.stopped,
        if request.stopped { "the shop's stop switch is on" } else { "the shop's stop switch is off" },
        Refusal::Defer { until: now.plus(STOPPED_RETRY), why: Why::Stopped },
    )?;
    let paused = person.paused_until.filter(|t| *t > now);
    log.check(
        "paused",
        paused.is_none(),
        paused.map_or(Cow::from("no pause"), |t| format!("paused until {}", t.to_rfc3339()).into()),
        Refusal::Defer { until: paused.unwrap_or(now), why: Why::Paused },
    )?;
    log.check(
        "showable",
        request.showable_lines > 0,
        format!("{} lines from the catalogue or a signed source", request.showable_lines),
        skip(Why::NothingToShow),
    )?;
    one_sequence(ask, log)?;
    if let Some(when) = &request.step.when {
        let holds = policy.holds(when, ask.facts);
        let found =
            if holds { "the condition of the step holds" } else { "the condition of the step does not hold" };
        log.check("step_condition", holds, found, skip(Why::StepCondition))?;
    }
    Ok(())
}

/// Of several carts of a person one is recovered: the one that was left last. Of two that were left
/// at the same instant one must win: the id decides. A newer one of which nothing was claimed yet
/// makes the older wait, for its shopper may still come back to it; once something was, the older is
/// over for good. What was only looked at gives way to a cart that was left within a week of it,
/// before or after, and never the other way round.
fn one_sequence(ask: &Ask<'_>, log: &mut Log) -> Result<(), Refusal> {
    let Ask { now, person, request, .. } = *ask;
    let browse = request.trigger == Trigger::Browse;
    let goes_first = |e: &&KnownEpisode| {
        let newer = (e.abandoned_at, &e.cart) > (request.abandoned_at, &request.cart);
        e.cart != request.cart
            && e.until.is_none_or(|until| now < until)
            && match (browse, e.browse) {
                (true, false) => newer || request.abandoned_at.since(e.abandoned_at) < 7 * DAY,
                (false, true) => false,
                _ => newer,
            }
    };
    let first = || person.episodes.iter().filter(goes_first);
    let why = Why::AnotherSequence;
    let (found, refusal) = match (first().any(|e| e.until.is_none()), first().filter_map(|e| e.until).max()) {
        (true, _) => ("another cart is being recovered", skip(why)),
        (false, Some(until)) => ("a cart that was left later comes first", Refusal::Defer { until, why }),
        (false, None) => ("no newer cart", skip(why)),
    };
    log.check("one_sequence", first().next().is_none(), found, refusal)
}

/// Within one abandonment a template goes out once, by whatever channel: channels complement each
/// other, they do not repeat. What is claimed and not settled may have gone out.
pub(super) fn repeats(ask: &Ask<'_>, step: &Step, log: &mut Log) -> Result<(), Refusal> {
    let sent = ask.person.sends.iter().filter(|s| ask.is_this(&s.cart, s.abandonment));
    let sent = sent.map(|s| (s.channel, s.template.as_str()));
    let claimed = ask.claimed().filter(|(_, c)| ask.is_this(&c.cart, c.abandonment));
    let claimed = claimed.map(|(_, c)| (c.channel, c.template.as_str()));
    let earlier = sent.chain(claimed).find(|(_, template)| *template == step.template);
    let found = earlier.map_or_else(
        || [&step.template, " has not gone out in this abandonment"].concat(),
        |(channel, _)| format!("{} went out by {channel} in this abandonment", step.template),
    );
    log.check("repeats", earlier.is_none(), found, skip(Why::Repeats))
}

/// Who is in the holdout is never contacted.
pub(super) fn holdout(ask: &Ask<'_>, log: &mut Log) -> Result<(), Refusal> {
    let Ask { person, policy, .. } = *ask;
    let bucket = experiment::bucket(person.shop.as_str(), "holdout", person.id.as_str());
    let held = person.holdout.unwrap_or_else(|| experiment::is_held_out(bucket, policy.holdout_percent));
    log.check(
        "holdout",
        !held,
        format!("bucket {bucket} of 10000, holdout {} %", policy.holdout_percent),
        skip(Why::Holdout),
    )
}
