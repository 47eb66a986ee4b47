//! Policies and lines that stories share. Numbers here are the stories' own, not the product's
//! defaults: a default may change without moving a test.

use std::collections::BTreeMap;

use comeback_core::cart::{Line, Trust};
use comeback_core::consent::Channel;
use comeback_core::policy::{Browse, Caps, Policy, Sequence, Step, Triggers};
use comeback_core::recovery::Trigger;
use comeback_core::time::{DAY, HOUR, MINUTE, Millis, QuietHours, SECOND, Timestamp};

/// Day 0 of every scenario: Monday 5 January 2026, 00:00 UTC. No clock changes within weeks.
#[must_use]
pub const fn day_zero() -> Timestamp {
    Timestamp::from_millis(1_767_571_200_000)
}

/// An instant from `day hh:mm`, `0 10:15`.
///
/// # Panics
/// When the text is of another form: a scenario is written by hand.
#[must_use]
pub fn at(text: &str) -> Timestamp {
    let number = |t: &str| t.parse::<Millis>().unwrap_or_else(|_| panic!("not `day hh:mm`: {text}"));
    let (day, time) = text.trim().split_once(' ').unwrap_or_else(|| panic!("not `day hh:mm`: {text}"));
    let (hour, minute) = time.trim().split_once(':').unwrap_or_else(|| panic!("not `day hh:mm`: {text}"));
    day_zero().plus(number(day) * DAY + number(hour) * HOUR + number(minute) * MINUTE)
}

/// `day hh:mm` of an instant.
#[must_use]
pub fn told(at: Timestamp) -> String {
    let ms = at.since(day_zero());
    format!("{} {:02}:{:02}", ms.div_euclid(DAY), ms.rem_euclid(DAY) / HOUR, ms.rem_euclid(HOUR) / MINUTE)
}

/// One step by email.
#[must_use]
pub fn email(name: &str, at_ms: Millis) -> Step {
    by(name, at_ms, &[Channel::Email])
}

/// One step by the first channel that is allowed.
#[must_use]
pub fn by(name: &str, at_ms: Millis, channels: &[Channel]) -> Step {
    Step {
        name: name.into(),
        at_ms,
        window_ms: 0,
        channels: channels.to_vec(),
        // Of its own: within one abandonment no template goes out twice.
        template: name.into(),
        offer: None,
        when: None,
    }
}

/// A policy with one sequence of these steps: idle 15 minutes, one message a day, three a week,
/// one text per abandonment, nobody held out, no quiet hours.
#[must_use]
pub fn policy(steps: &[Step]) -> Policy {
    let main = Sequence { name: "main".into(), on: vec![], audience: None, steps: steps.to_vec() };
    Policy {
        version: "story-1".into(),
        description: "For stories.".into(),
        idle_ms: 15 * MINUTE,
        caps: Caps { day: 1, week: 3, sms_per_abandonment: 1, unverified_ms: 30 * DAY },
        attribution_click_ms: 5 * DAY,
        link_ttl_ms: 14 * DAY,
        cart_retention_ms: 90 * DAY,
        ..Policy::plain("story", vec![main])
    }
}

/// Three emails: after an hour, a day and an hour, three days and an hour.
#[must_use]
pub fn three_emails() -> Policy {
    policy(&[email("first", HOUR), email("second", 25 * HOUR), email("last", 73 * HOUR)])
}

/// The same with quiet hours from 21 to 9.
#[must_use]
pub fn with_quiet_nights(policy: Policy) -> Policy {
    Policy { quiet_hours: Some(QuietHours { from: 21 * 60, to: 9 * 60 }), ..policy }
}

/// One piece of an item, vouched for by the shop.
#[must_use]
pub fn line(item: &str) -> Line {
    Line {
        item_id: item.to_owned(),
        item_variant: None,
        quantity: 1,
        unit_price_minor: 4_900,
        title: item.to_owned(),
        image_url: None,
        item_url: None,
        class: None,
        trust: Trust::Signed,
    }
}

/// One piece of an item that the catalogue puts into a class.
#[must_use]
pub fn line_of(item: &str, class: &str) -> Line {
    Line { class: Some(class.to_owned()), ..line(item) }
}

/// A policy of one sequence per trigger, each of one email after an hour that is named after its
/// trigger, and browsing that counts from half a minute on.
#[must_use]
pub fn by_trigger(triggers: Triggers) -> Policy {
    let sequences = Trigger::ALL.map(|trigger| Sequence {
        name: trigger.as_str().into(),
        on: vec![trigger],
        audience: None,
        steps: vec![email(trigger.as_str(), HOUR)],
    });
    let browse = Browse {
        dwell_ms: 30 * SECOND,
        dwell_by_class: BTreeMap::from([("sofas".to_owned(), 2 * MINUTE)]),
        idle_ms: 30 * MINUTE,
        per_week: 1,
    };
    Policy { triggers, browse: Some(browse), sequences: sequences.to_vec(), ..policy(&[]) }
}

/// Every trigger but idling is much quicker than it.
#[must_use]
pub fn all_triggers() -> Triggers {
    Triggers {
        idle_by_class: BTreeMap::from([("sofas".to_owned(), HOUR), ("shoes".to_owned(), 20 * MINUTE)]),
        page_exit_ms: Some(2 * MINUTE),
        checkout_error_ms: Some(3 * MINUTE),
        platform_end_ms: Some(MINUTE),
        abrupt_end_ms: Some(5 * MINUTE),
    }
}
