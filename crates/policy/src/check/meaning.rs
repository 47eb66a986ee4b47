//! Doubts about a policy as a whole, and the order in which its parts are asked.

use std::collections::BTreeSet;

use comeback_core::policy::{Expr, Field, Policy};
use comeback_core::time::DAY;

use super::{experiments, law, offers, segments_in, sequences, visit};
use crate::diagnostic::Report;
use crate::logic::{Logic, says_nothing};
use crate::places::Places;
use crate::quantity::show_span;
use crate::words::show_condition;

/// Shortest part of the day that should be left to write in.
const LEAST_OPEN_MINUTES: u16 = 60;
/// Links should live long enough for people who read their mail in the evening.
const LEAST_LINK: i64 = DAY;

/// Errors and warnings about a policy whose every part can be read.
pub(crate) fn meaning(report: &mut Report<'_>, policy: &Policy, places: &Places) {
    let logic = Logic::new(policy);
    unused(report, policy, places);
    conditions(report, policy, places, &logic);
    offers::check(report, policy, places, &logic);
    sequences::check(report, policy, places, &logic);
    experiments::check(report, policy, places);
    law::check(report, policy, places, &logic);
    bounds(report, policy, places);
}

/// Every condition with the path of its place.
pub(crate) fn all_conditions(policy: &Policy) -> Vec<(String, &Expr)> {
    let mut all: Vec<(String, &Expr)> = Vec::new();
    all.extend(policy.segments.iter().map(|s| (format!("segment.{}.when", s.name), &s.when)));
    all.extend(
        policy.offers.iter().filter_map(|o| Some((format!("offer.{}.when", o.name), o.when.as_ref()?))),
    );
    for sequence in &policy.sequences {
        let path = format!("sequence.{}", sequence.name);
        all.extend(sequence.audience.as_ref().map(|audience| (format!("{path}.for"), audience)));
        for step in &sequence.steps {
            all.extend(step.when.as_ref().map(|when| (format!("{path}.steps.{}.when", step.name), when)));
        }
    }
    all
}

fn unused(report: &mut Report<'_>, policy: &Policy, places: &Places) {
    let mut names = BTreeSet::new();
    for (_, expr) in all_conditions(policy) {
        segments_in(expr, &mut names);
    }
    names.extend(policy.learners.iter().flat_map(|learner| &learner.cohorts).map(String::as_str));
    for segment in policy.segments.iter().filter(|segment| !names.contains(segment.name.as_str())) {
        let at = places.at(&format!("segment.{}", segment.name));
        report.warn(at, format!("segment `{}` is not used", segment.name), None);
    }
    let steps = policy.sequences.iter().flat_map(|s| &s.steps).filter_map(|s| s.offer.as_deref());
    let arms = policy.experiments.iter().flat_map(|e| &e.arms).filter_map(|a| a.offer.as_deref());
    let mut given: BTreeSet<&str> = steps.chain(arms).collect();
    for learner in &policy.learners {
        if !given.contains(learner.name.as_str()) {
            let at = places.at(&format!("learner.{}", learner.name));
            report.warn(at, format!("learner `{}` is not used", learner.name), None);
        }
        given.extend(learner.arms.iter().map(String::as_str));
    }
    for offer in policy.offers.iter().filter(|offer| !given.contains(offer.name.as_str())) {
        let at = places.at(&format!("offer.{}", offer.name));
        report.warn(at, format!("offer `{}` is not used", offer.name), None);
    }
}

/// Conditions that nobody can meet, or everybody does.
fn conditions(report: &mut Report<'_>, policy: &Policy, places: &Places, logic: &Logic<'_>) {
    for (path, expr) in all_conditions(policy) {
        let at = places.at(&path);
        let gap = super::fields_in(expr).contains(&Field::CartShippingGap);
        if gap && policy.free_shipping_from.is_none() {
            let message = "`cart.shipping_gap` is unknown without `[shipping] free_from`";
            report.warn(at, message, None);
            continue;
        }
        if logic.never(expr) {
            report.warn(at, "this condition never holds", None);
        } else if logic.always(expr) {
            report.warn(at, "this condition always holds", Some("leave it out".to_owned()));
        } else {
            visit(expr, &mut |part| {
                if let Expr::Compare { field, op, value } = part
                    && says_nothing(*field, *op, *value)
                {
                    let message = format!(
                        "`{}` holds whatever the number is, as long as it is known",
                        show_condition(part)
                    );
                    report.warn(at.clone(), message, None);
                }
            });
        }
    }
}

/// Caps, quiet hours, holdout, rollout, links.
fn bounds(report: &mut Report<'_>, policy: &Policy, places: &Places) {
    let caps = &policy.caps;
    if caps.day == 0 || caps.week == 0 {
        report.warn(places.at("caps.per_person"), "with a cap of 0 nothing is ever sent", None);
    } else if caps.day > caps.week {
        let message = "the cap per day is above the cap per week and never reached";
        report.warn(places.at("caps.per_person"), message, None);
    }
    if caps.unverified_ms < 7 * DAY {
        let message =
            "strangers can type an address into the shop and have it written to again after less than a week";
        report.warn(places.at("caps.unverified"), message, None);
    }
    match policy.quiet_hours {
        None => {
            let message = "without quiet hours people are written to at night";
            report.warn(places.at("quiet_hours"), message, None);
        }
        Some(quiet) => {
            let length = (quiet.to + 1440 - quiet.from) % 1440;
            let open = 1440 - length;
            if open < LEAST_OPEN_MINUTES {
                let message = format!("quiet hours leave {open} minutes of the day to write in");
                report.warn(places.at("quiet_hours"), message, None);
            }
        }
    }
    match policy.holdout_percent {
        0 => report.warn(
            places.at("holdout.percent"),
            "without a holdout nobody can tell what the messages earn beyond what would have come anyway",
            None,
        ),
        100 => report.warn(places.at("holdout.percent"), "nobody is ever contacted", None),
        51.. => report.warn(places.at("holdout.percent"), "most people are never contacted", None),
        _ => {}
    }
    if policy.rollout.percent == 0 {
        let help = Some("to try it without sending, push it as a shadow".to_owned());
        report.warn(places.at("rollout.percent"), "a rollout of 0 % sends nothing to anybody", help);
    }
    let idle = policy.triggers.idle_by_class.values().chain([&policy.idle_ms]).max().copied().unwrap_or(0);
    if policy.cart_retention_ms <= idle {
        let message = format!(
            "a cart is deleted {} after the last sign of life, before it has idled {} and counts as left",
            show_span(policy.cart_retention_ms),
            show_span(idle)
        );
        report.error(places.at("retention"), message, None);
    }
    if let Some(browse) = policy.browse.as_ref().filter(|b| b.idle_ms >= policy.cart_retention_ms) {
        let message = format!(
            "a visit is forgotten {} after the last sign of life, before `[browse] idle` of {} is over",
            show_span(policy.cart_retention_ms),
            show_span(browse.idle_ms)
        );
        report.error(places.at("retention"), message, None);
    }
    if policy.link_ttl_ms < LEAST_LINK {
        let message =
            format!("who reads a message after {} finds a dead link", show_span(policy.link_ttl_ms));
        report.warn(places.at("link"), message, None);
    }
    if let Some(browse) = &policy.browse
        && browse.per_week == 0
    {
        report.warn(places.at("browse.per_week"), "with a cap of 0 no browse message is ever sent", None);
    }
}
