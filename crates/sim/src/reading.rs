//! A policy's promises in the checker's plain numbers. A second reading on purpose: it takes what stands in the
//! policy and asks none of the core's functions what it means.

use comeback_core::consent::{Channel, Source};
use comeback_core::decision::Why;
use comeback_core::jurisdiction::{Holiday as CoreHoliday, Law, Pack, Weekday};
use comeback_core::offer::NO_OFFER;
use comeback_core::policy::{Expr, Field, Offer, OfferKind, Op, Policy, Step, Subject};

use crate::checker::{Arm, Counted, Deal, Gives, Holiday, Lot, Night, Plan, Reason, Rules, Sheet, Way, When};
use crate::world::shop;

/// The same channel, to the checker.
#[must_use]
pub fn way(channel: Channel) -> Way {
    match channel {
        Channel::Email => Way::Email,
        Channel::Sms => Way::Text,
        Channel::Push => Way::Push,
    }
}

/// Reasons for which a step ends unsent, as the checker knows them. What is not here has no place in a simulation.
const REASONS: &[(Why, Reason)] = &[
    (Why::Ordered, Reason::Ordered),
    (Why::OptedOut, Reason::OptedOut),
    (Why::ChannelOptedOut, Reason::WayOptedOut),
    (Why::Bot, Reason::Automated),
    (Why::AnotherSequence, Reason::Newer),
    (Why::StepCondition, Reason::Condition),
    (Why::Repeats, Reason::Repeats),
    (Why::NoContact, Reason::NoAddress),
    (Why::NoConsent, Reason::NoYes),
    (Why::WeakConsent, Reason::NoYes),
    (Why::UnverifiedLimit, Reason::Unproved),
    (Why::SmsCap, Reason::Texts),
    (Why::Jurisdiction, Reason::Law),
    (Why::Holdout, Reason::Holdout),
    (Why::Rollout, Reason::Rollout),
    (Why::BeforeActivation, Reason::Older),
    (Why::Fatigue, Reason::Tired),
    (Why::BrowseCap, Reason::BrowseCap),
    (Why::AlreadySent, Reason::SentBefore),
    (Why::Unknown, Reason::Unknown),
    (Why::ProviderRefused, Reason::Declined),
    (Why::Superseded, Reason::Superseded),
    (Why::NoPerson, Reason::Nobody),
    (Why::SilentArm, Reason::Silent),
    (Why::QuietHours, Reason::Night),
    (Why::Forgotten, Reason::Forgotten),
    (Why::NothingToShow, Reason::Unshown),
    (Why::Shadow, Reason::Shadow),
];

/// The same reason, to the checker.
#[must_use]
pub fn reason(why: Why) -> Reason {
    REASONS.iter().find(|(known, _)| *known == why).map_or(Reason::Never, |(_, reason)| *reason)
}

/// The reason that a cart's log tells in words.
#[must_use]
pub fn reason_told(story: &str) -> Reason {
    REASONS.iter().find(|(why, _)| why.story() == story).map_or(Reason::Never, |(_, reason)| *reason)
}

/// What a policy promises.
#[must_use]
pub fn rules_of(policy: &Policy) -> Rules {
    let size = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    Rules {
        shop: shop().as_str().to_owned(),
        fatigue: policy.fatigue.map(|f| (size(f.unanswered), f.rest_ms)),
        holdout_percent: u64::from(policy.holdout_percent),
        rollout_percent: u64::from(policy.rollout.percent),
        per_hour: policy.rollout.per_hour.map(size),
        offers: policy.offers.iter().map(deal).collect(),
        default_country: policy.default_country.clone(),
        default_zone: policy.default_zone.clone(),
        plans: policy
            .sequences
            .iter()
            .map(|s| (s.name.clone(), s.steps.iter().map(|step| plan(policy, &s.name, step)).collect()))
            .collect(),
        per_day: size(policy.caps.day),
        per_week: size(policy.caps.week),
        texts_per_abandonment: size(policy.caps.sms_per_abandonment),
        browse_per_week: policy.browse.as_ref().map(|b| size(b.per_week)),
        unverified_ms: policy.caps.unverified_ms,
        quiet: policy.quiet_hours.filter(|q| q.from != q.to).map(|q| (i64::from(q.from), i64::from(q.to))),
        soft_opt_in: policy.consent.soft_opt_in,
        least_voice: policy.consent.least.iter().map(|(c, source)| (way(*c), voice(*source))).collect(),
        laws: policy.jurisdictions.iter().map(sheet).collect(),
    }
}

/// A whole number of such parts, to the nearest.
#[expect(clippy::cast_possible_truncation, reason = "policies bound what they give")]
fn parts(number: f64, parts: f64) -> i64 {
    (number * parts).round() as i64
}

fn ways(channels: &[Channel]) -> Vec<Way> {
    channels.iter().map(|c| way(*c)).collect()
}

/// The offers of which something with this offer may carry one.
fn gifts(policy: &Policy, offer: &str) -> Vec<String> {
    let arms = policy.learners.iter().find(|l| l.name == offer).map(|l| l.arms.clone());
    arms.unwrap_or_else(|| vec![offer.to_owned()]).into_iter().filter(|o| o != NO_OFFER).collect()
}

/// A condition with its segments written out.
fn condition(policy: &Policy, expr: &Expr) -> When {
    let all = |parts: &[Expr]| parts.iter().map(|part| condition(policy, part)).collect();
    match expr {
        Expr::And(parts) => When::All(all(parts)),
        Expr::Or(parts) => When::Any(all(parts)),
        Expr::Not(part) => When::Not(Box::new(condition(policy, part))),
        Expr::Segment(name) => {
            let named = policy.segments.iter().find(|s| s.name == *name);
            named.map_or(When::Unread, |s| condition(policy, &s.when))
        }
        Expr::Compare { field, op, value } => match field {
            Field::AbandonmentContacts => compared(Counted::Sent, *op, *value),
            Field::AbandonmentClicks => compared(Counted::Followed, *op, *value),
            Field::AbandonmentNumber => compared(Counted::Abandonment, *op, *value),
            _ => When::Unread,
        },
        Expr::Is { .. } | Expr::Has { .. } => When::Unread,
    }
}

/// A comparison of whole numbers.
#[expect(clippy::cast_possible_truncation, reason = "numbers of a policy have 15 digits at most")]
fn compared(counted: Counted, op: Op, value: f64) -> When {
    let (below, above) = (value.ceil() as i64 - 1, value.floor() as i64 + 1);
    // Of a number that is not whole there is none.
    let same = When::Between(counted, value.ceil() as i64, value.floor() as i64);
    match op {
        Op::Lt => When::Between(counted, i64::MIN, below),
        Op::Le => When::Between(counted, i64::MIN, above - 1),
        Op::Gt => When::Between(counted, above, i64::MAX),
        Op::Ge => When::Between(counted, below + 1, i64::MAX),
        Op::Eq => same,
        Op::Ne => When::Not(Box::new(same)),
    }
}

fn plan(policy: &Policy, sequence: &str, step: &Step) -> Plan {
    let is_on_it = |subject: &Subject| match subject {
        Subject::Step { sequence: of, step: on } => of == sequence && *on == step.name,
        Subject::Panel { .. } => false,
    };
    Plan {
        after: step.at_ms,
        ways: ways(&step.channels),
        text: step.template.clone(),
        when: step.when.as_ref().map(|when| condition(policy, when)),
        gifts: step.offer.as_ref().map(|offer| gifts(policy, offer)).unwrap_or_default(),
        lots: policy
            .experiments
            .iter()
            .filter(|e| is_on_it(&e.subject))
            .map(|e| Lot {
                name: e.name.clone(),
                arms: e
                    .arms
                    .iter()
                    .map(|arm| Arm {
                        weight: u64::from(arm.weight),
                        after: arm.at_ms,
                        ways: arm.channels.as_deref().map(ways),
                        text: arm.template.clone(),
                        gifts: arm.offer.as_ref().map(|offer| gifts(policy, offer)),
                        silent: arm.silent,
                    })
                    .collect(),
            })
            .collect(),
    }
}

fn deal(offer: &Offer) -> Deal {
    Deal {
        name: offer.name.clone(),
        gives: match offer.kind {
            OfferKind::Percent => Gives::Percent(i64::from(offer.percent)),
            OfferKind::Amount => Gives::Amount(parts(offer.amount, 100.0)),
            OfferKind::FreeShipping => Gives::Shipping,
        },
        per_day: offer.budget_day.map(|budget| parts(budget, 100.0)),
        per_90d: offer.per_90d.map(|n| usize::try_from(n).unwrap_or(usize::MAX)),
        least_left: offer.min_margin.map(|least| parts(least, 1_000.0)),
        at_once: offer.first_message,
        approval: offer.approval,
    }
}

const fn voice(source: Source) -> u8 {
    match source {
        Source::Page => 0,
        Source::Signed => 1,
        Source::Person => 2,
    }
}

const fn day(day: Weekday) -> i64 {
    match day {
        Weekday::Sunday => 0,
        Weekday::Monday => 1,
        Weekday::Tuesday => 2,
        Weekday::Wednesday => 3,
        Weekday::Thursday => 4,
        Weekday::Friday => 5,
        Weekday::Saturday => 6,
    }
}

fn sheet(pack: &Pack) -> Sheet {
    let mut sheet =
        Sheet { countries: pack.countries.clone(), regions: pack.regions.clone(), ..Sheet::default() };
    sheet.holidays = pack
        .holidays
        .iter()
        .map(|h| match h {
            CoreHoliday::Fixed { month, day } => Holiday::Fixed(i64::from(*month), i64::from(*day)),
            CoreHoliday::Easter { offset } => Holiday::Easter(i64::from(*offset)),
        })
        .collect();
    for rule in &pack.rules {
        match &rule.law {
            Law::Quiet { channels, window, days } => sheet.quiet.push(Night {
                ways: ways(channels),
                from: i64::from(window.from),
                to: i64::from(window.to),
                days: days.iter().map(|d| day(*d)).collect(),
            }),
            Law::NoDays { channels, sundays, holidays } => {
                sheet.no_days.push((ways(channels), *sundays, *holidays));
            }
            Law::PerAbandonment { channel, most } => {
                sheet.per_abandonment.push((way(*channel), usize::try_from(*most).unwrap_or(usize::MAX)));
            }
            Law::PerDay { channel, most } => {
                sheet.per_day.push((way(*channel), usize::try_from(*most).unwrap_or(usize::MAX)));
            }
            Law::Within { channel, span_ms } => sheet.within.push((way(*channel), *span_ms)),
            Law::LeastConsent { channel, source } => {
                sheet.least_voice.push((way(*channel), voice(*source)));
            }
            Law::SoftOptIn { channel, span_ms } => sheet.soft_opt_in.push((way(*channel), *span_ms)),
        }
    }
    sheet
}
