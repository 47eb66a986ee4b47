//! Offers that can never be given, or give more than their author thinks.

use comeback_core::policy::{Expr, Field, Offer, OfferKind, Op, Policy};

use super::fields_in;
use crate::diagnostic::Report;
use crate::logic::{Logic, holds};
use crate::places::Places;
use crate::quantity::show_span;

pub(super) fn check(report: &mut Report<'_>, policy: &Policy, places: &Places, logic: &Logic<'_>) {
    for offer in &policy.offers {
        let at = |key: &str| places.at(&format!("offer.{}.{key}", offer.name));
        if offer.kind == OfferKind::Percent && offer.percent > 50 {
            let message = format!("offer `{}` gives more than half away", offer.name);
            report.warn(places.at(&format!("offer.{}", offer.name)), message, None);
        }
        margin(report, policy, offer, places, logic);
        wasted(report, policy, offer, places, logic);
        if offer.per_90d == Some(0) {
            report.warn(
                at("per_90d"),
                format!("offer `{}` is never given: `per_90d` is 0", offer.name),
                None,
            );
        }
        if let Some(budget) = offer.budget_day
            && (budget <= 0.0 || offer.amount > budget)
        {
            let message =
                format!("offer `{}` is never given: its budget of a day does not pay for one", offer.name);
            report.warn(at("budget_day"), message, None);
        }
        let bounded = offer.min_margin.is_some() || offer.budget_day.is_some();
        if offer.kind == OfferKind::FreeShipping && bounded && policy.free_shipping_from.is_none() {
            let message =
                format!("offer `{}` is never given: what free shipping costs is unknown", offer.name);
            let help = Some("say from which value shipping is free: `[shipping] free_from`".to_owned());
            let key = if offer.min_margin.is_some() { "min_margin" } else { "budget_day" };
            report.error(at(key), message, help);
        }
        if never_allowed(offer, logic) {
            let message = format!(
                "offer `{}` is never given: `when` asks for a class that `not_for` excludes",
                offer.name
            );
            report.warn(at("not_for"), message, None);
        }
        if offer.valid_ms > policy.link_ttl_ms {
            let message = format!(
                "resume links die after {}, before offer `{}` does",
                show_span(policy.link_ttl_ms),
                offer.name
            );
            report.warn(places.at("link"), message, None);
        }
        if offer.honour_price_ms.is_some_and(|span| span > policy.link_ttl_ms) {
            let message = format!(
                "resume links die after {}, before the prices of offer `{}` do",
                show_span(policy.link_ttl_ms),
                offer.name
            );
            report.warn(at("honour_price"), message, None);
        }
    }
    for learner in &policy.learners {
        let share = learner.least_share * f64::from(u8::try_from(learner.arms.len()).unwrap_or(u8::MAX));
        if share >= 1.0 {
            let message =
                format!("with these shares learner `{}` cannot learn: every arm's is fixed", learner.name);
            report.warn(places.at(&format!("learner.{}.least_share", learner.name)), message, None);
        } else if learner.least_share <= 0.0 {
            let message = format!(
                "learner `{}` may stop trying an arm for good after a few unlucky carts",
                learner.name
            );
            report.warn(places.at(&format!("learner.{}.least_share", learner.name)), message, None);
        }
    }
}

/// Offers that nobody gets because of when they would be given, or that give away more than there is, or nothing.
fn wasted(report: &mut Report<'_>, policy: &Policy, offer: &Offer, places: &Places, logic: &Logic<'_>) {
    let Some(when) = offer.when.as_ref().filter(|when| !logic.never(when)) else { return };
    let at = places.at(&format!("offer.{}.when", offer.name));
    let below = |value| Expr::Compare { field: Field::CartValue, op: Op::Lt, value };
    let written = Expr::Compare { field: Field::AbandonmentContacts, op: Op::Gt, value: 0.0 };
    if !offer.first_message && logic.possible(&[holds(when), holds(&written)]) == Some(false) {
        let message = format!(
            "offer `{}` is never given: `when` holds before the first message only, from which it is withheld",
            offer.name
        );
        report.warn(at.clone(), message, Some("say `first_message = true` in the offer".to_owned()));
    }
    if offer.kind == OfferKind::Amount
        && offer.min_margin.is_none()
        && logic.possible(&[holds(when), crate::logic::fails(&below(offer.amount))]) == Some(false)
    {
        let message = format!(
            "offer `{}` gives everything away: `when` holds for carts below its amount only",
            offer.name
        );
        report.error(at.clone(), message, None);
    }
    if offer.kind == OfferKind::FreeShipping
        && let Some(from) = policy.free_shipping_from
        && logic.possible(&[holds(when), holds(&below(from))]) == Some(false)
    {
        let message = format!(
            "offer `{}` gives nothing: `when` holds only where shipping is free already, from {from}",
            offer.name
        );
        report.warn(at, message, None);
    }
}

fn margin(report: &mut Report<'_>, policy: &Policy, offer: &Offer, places: &Places, logic: &Logic<'_>) {
    let at = |key: &str| places.at(&format!("offer.{}.{key}", offer.name));
    let given = match offer.kind {
        OfferKind::Percent => f64::from(offer.percent) / 100.0,
        OfferKind::Amount | OfferKind::FreeShipping => 0.0,
    };
    // Hundredths that were written as decimals do not add up exactly.
    const SLACK: f64 = 1e-9;
    if let Some(least) = offer.min_margin {
        if given + least > 1.0 + SLACK {
            let message = format!(
                "offer `{}` can never be given: {} % off leave less than the `min_margin` of {least}, whatever the goods cost",
                offer.name, offer.percent
            );
            report.error(at("min_margin"), message, None);
            return;
        }
        let kept = Expr::Compare { field: Field::CartMargin, op: Op::Ge, value: given + least - SLACK };
        if let Some(when) = &offer.when
            && !logic.never(when)
            && logic.possible(&[holds(when), holds(&kept)]) == Some(false)
        {
            let message = format!(
                "offer `{}` can never be given: `when` asks for a margin that does not leave `min_margin` after the offer",
                offer.name
            );
            report.error(at("when"), message, None);
        }
    } else if let Some(when) = &offer.when
        && given > 0.0
        && asks_margin(when, policy)
    {
        let below = Expr::Compare { field: Field::CartMargin, op: Op::Lt, value: given - SLACK };
        if logic.possible(&[holds(when), holds(&below)]) == Some(true) {
            let message = format!(
                "offer `{}` may sell below cost: `when` lets margins pass that are smaller than the {} % it takes off",
                offer.name, offer.percent
            );
            let help = Some("`min_margin = 0.1` keeps a tenth of the value".to_owned());
            report.warn(at("when"), message, help);
        }
    }
}

/// Whether a condition asks for the margin, itself or through its segments.
pub(crate) fn asks_margin(expr: &Expr, policy: &Policy) -> bool {
    let mut names = std::collections::BTreeSet::new();
    let mut waiting = vec![expr];
    while let Some(expr) = waiting.pop() {
        if fields_in(expr).contains(&Field::CartMargin) {
            return true;
        }
        let mut named = std::collections::BTreeSet::new();
        super::segments_in(expr, &mut named);
        for name in named {
            if names.insert(name) {
                waiting.extend(policy.segments.iter().filter(|s| s.name == name).map(|s| &s.when));
            }
        }
    }
    false
}

/// Whether `when` holds only for carts with a class that the offer must not touch.
fn never_allowed(offer: &Offer, logic: &Logic<'_>) -> bool {
    let Some(when) = offer.when.as_ref().filter(|when| !offer.not_for.is_empty() && !logic.never(when))
    else {
        return false;
    };
    let classes: Vec<Expr> = offer
        .not_for
        .iter()
        .map(|class| Expr::Has { field: Field::CartClasses, word: class.clone() })
        .collect();
    let excluded = Expr::Or(classes);
    logic.possible(&[holds(when), crate::logic::fails(&excluded)]) == Some(false)
}
