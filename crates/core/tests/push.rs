//! Push subscriptions of a person: which are kept, under whose yes, what a no takes away, what a merge
//! unites, and that the gate finds the newest that is not over.

#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use comeback_core::consent::{Channel, Consent, Source, standing};
use comeback_core::decision::{Decision, DecisionRecord};
use comeback_core::gate::{ClaimRequest, decide};
use comeback_core::id::{CartId, PersonId, SendKey, ShopId};
use comeback_core::person::{MOST_SUBSCRIPTIONS, Person, Subscription};
use comeback_core::time::{DAY, HOUR, MINUTE, Timestamp};
use comeback_testkit::*;

fn nobody(number: u32) -> Person {
    Person::new(PersonId::parse(&format!("per_{number}")).unwrap(), ShopId::parse("shop_1").unwrap())
}

fn endpoint(number: u32) -> String {
    format!("https://push.example/{number}")
}

fn browser(number: u32, at: Timestamp) -> Subscription {
    Subscription::new(&endpoint(number), &format!("key{number}"), "auth", at)
}

fn says(granted: bool, source: Source, at: Timestamp) -> Consent {
    Consent { channel: Channel::Push, granted, wording: "w".into(), at, source }
}

fn subscribes(person: &mut Person, number: u32, at: Timestamp) {
    person.subscribe(browser(number, at), says(true, Source::Person, at), at);
}

fn endpoints(person: &Person) -> Vec<&str> {
    person.subscriptions.iter().map(Subscription::endpoint).collect()
}

fn asked(person: &Person, capable: &[Channel], now: Timestamp) -> DecisionRecord {
    let policy = policy(&[by("nudge", HOUR, &[Channel::Push, Channel::Email])]);
    let cart = CartId::parse("cart_1").unwrap();
    let request: ClaimRequest = serde_json::from_value(serde_json::json!({
        "key": SendKey::of(&cart, 1, 0), "cart": cart, "abandonment": 1, "sequence": "main",
        "abandoned_at": day_zero(), "cart_born_at": day_zero(), "step": policy.sequences[0].steps[0],
        "facts": {}, "showable_lines": 1, "automated": false, "zone": null, "stopped": false,
        "capable": capable, "offers": [], "model": null, "events": [],
    }))
    .unwrap();
    decide(now, person, &request, &policy)
}

#[test]
fn the_newest_are_kept_and_one_endpoint_is_one_subscription() {
    let mut ada = nobody(1);
    for number in 0..12 {
        subscribes(&mut ada, number, day_zero().plus(i64::from(number) * MINUTE));
    }
    assert_eq!(ada.subscriptions.len(), MOST_SUBSCRIPTIONS);
    assert_eq!(endpoints(&ada)[0], endpoint(4));
    subscribes(&mut ada, 4, day_zero().plus(HOUR));
    assert_eq!(ada.subscriptions.len(), MOST_SUBSCRIPTIONS);
    assert_eq!(endpoints(&ada).last().copied(), Some(endpoint(4).as_str()), "said again, it is the newest");
}

#[test]
fn what_the_push_service_has_forgotten_is_dropped() {
    let mut ada = nobody(1);
    let soon = Subscription { expires: Some(day_zero().plus(HOUR)), ..browser(1, day_zero()) };
    ada.subscribe(soon.clone(), says(true, Source::Person, day_zero()), day_zero());
    assert!(ada.reachable(Channel::Push, day_zero().plus(HOUR - 1)).is_some());
    assert!(ada.reachable(Channel::Push, day_zero().plus(HOUR)).is_none());
    subscribes(&mut ada, 2, day_zero().plus(2 * HOUR));
    assert_eq!(endpoints(&ada), [endpoint(2)]);
    ada.subscribe(soon, says(true, Source::Person, day_zero()), day_zero().plus(2 * HOUR));
    assert_eq!(endpoints(&ada), [endpoint(2)], "one that comes too late is not taken");
}

#[test]
fn a_page_that_tells_it_with_every_visit_leaves_one_line_of_consent() {
    let mut ada = nobody(1);
    for day in 0..300 {
        subscribes(&mut ada, 1, day_zero().plus(day * DAY));
    }
    assert_eq!(ada.consents.len(), 1);
    let at = day_zero().plus(400 * DAY);
    ada.subscribe(browser(1, at), Consent { wording: "w2".into(), ..says(true, Source::Person, at) }, at);
    assert_eq!(ada.consents.len(), 2, "another wording is another yes");
}

#[test]
fn a_no_takes_one_browser_away_and_with_the_last_the_consent() {
    let mut ada = nobody(1);
    subscribes(&mut ada, 1, day_zero());
    subscribes(&mut ada, 2, day_zero().plus(MINUTE));
    let at = day_zero().plus(HOUR);
    ada.unsubscribe(&endpoint(1), says(false, Source::Page, at), at);
    assert_eq!(endpoints(&ada), [endpoint(2)]);
    assert!(standing(&ada.consents, Channel::Push).unwrap().granted && ada.opt_outs.is_empty());
    ada.unsubscribe(&endpoint(2), says(false, Source::Page, at), at);
    assert!(!standing(&ada.consents, Channel::Push).unwrap().granted);
    assert_eq!(ada.opt_outs, [(Channel::Push, at)]);
    // The browser's own yes is the person's: it lifts what was said in the same place.
    let later = at.plus(HOUR);
    subscribes(&mut ada, 2, later);
    assert!(ada.opt_outs.is_empty() && standing(&ada.consents, Channel::Push).unwrap().granted);
}

#[test]
fn another_visitor_who_names_the_endpoint_changes_no_keys_and_lifts_no_opt_out() {
    let mut ada = nobody(1);
    subscribes(&mut ada, 1, day_zero());
    ada.opt_out(Some(Channel::Push), day_zero().plus(MINUTE));
    let at = day_zero().plus(HOUR);
    let forged = Subscription { p256dh: "other".into(), ..browser(1, at) };
    ada.subscribe(forged, says(true, Source::Page, at), at);
    assert_eq!(ada.subscriptions[0].p256dh, "key1");
    ada.subscribe(browser(1, at), says(true, Source::Page, at), at);
    assert_eq!((ada.subscriptions.len(), ada.opt_outs.len()), (1, 1));
    assert_eq!(standing(&ada.consents, Channel::Push).unwrap().source, Source::Person);
}

#[test]
fn a_merge_unites_subscriptions_and_loosens_nothing() {
    let (mut ada, mut phone) = (nobody(1), nobody(2));
    for number in 0..6 {
        subscribes(&mut ada, number, day_zero().plus(i64::from(number) * MINUTE));
    }
    subscribes(&mut phone, 0, day_zero().plus(HOUR));
    for number in 6..10 {
        subscribes(&mut phone, number, day_zero().plus(i64::from(number) * MINUTE));
    }
    phone.opt_out(Some(Channel::Push), day_zero().plus(2 * HOUR));
    ada.absorb(&phone);
    assert_eq!(ada.subscriptions.len(), MOST_SUBSCRIPTIONS);
    assert_eq!(endpoints(&ada).last().copied(), Some(endpoint(0).as_str()), "of one endpoint the newer");
    assert_eq!(ada.opt_outs.len(), 1);
    let once = ada.clone();
    ada.absorb(&phone);
    assert_eq!(ada, once);
}

#[test]
fn the_gate_finds_the_subscription_where_push_can_be_sent_and_says_so_where_it_cannot() {
    let mut ada = nobody(1);
    subscribes(&mut ada, 1, day_zero());
    subscribes(&mut ada, 2, day_zero().plus(MINUTE));
    let now = day_zero().plus(12 * HOUR);
    let record = asked(&ada, &[Channel::Push], now);
    let Decision::Send(clearance) = &record.decision else { panic!("{:?}", record.checks) };
    assert_eq!((clearance.channel(), clearance.address()), (Channel::Push, endpoint(2).as_str()));
    assert_eq!(record.consent.unwrap().source, Source::Person);
    let checks = |rule: &str, of: &DecisionRecord| of.checks.iter().any(|c| c.rule == rule);
    assert!(!checks("push.unverified", &asked(&ada, &[Channel::Push], now)), "nobody typed it");
    let record = asked(&ada, &[Channel::Email], now);
    let found = record.checks.iter().find(|c| c.rule == "push.contact").unwrap();
    assert_eq!(found.found, "no provider for this channel");
    assert!(!matches!(record.decision, Decision::Send(_)));
    assert!(!serde_json::to_string(&record).unwrap().contains("push.example"), "a record names no endpoint");
}
