//! Claims and reports that meet each other in ways a whole run hits once in a thousand: one person
//! or one cart, called by hand.

#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use std::collections::BTreeMap;

use comeback_core::cart::Change;
use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::decision::{Decision, Why};
use comeback_core::gate::ClaimRequest;
use comeback_core::id::{CartId, EventId, PersonId, SendKey, ShopId, VisitorId};
use comeback_core::jurisdiction::Place;
use comeback_core::money::Currency;
use comeback_core::person::{CLAIM_LEASE, KEY_MEMORY, Person};
use comeback_core::policy::Facts;
use comeback_core::recovery::Trigger;
use comeback_core::recovery::{OFFER_LEASE, Outcome, Recovery};
use comeback_core::signal::{Signal, SignalKind};
use comeback_core::time::{HOUR, MINUTE, SECOND, Timestamp};
use comeback_testkit::*;

// The second offer must not meet the first one's claim.
const _: () = assert!(OFFER_LEASE > CLAIM_LEASE);

const BOTH: [Channel; 2] = [Channel::Email, Channel::Sms];

fn ada() -> Person {
    let mut ada = Person::new(PersonId::parse("per_1").unwrap(), ShopId::parse("shop_1").unwrap());
    for (channel, address) in BOTH.into_iter().zip(["ada@example.com", "+49 1"]) {
        ada.add_contact(channel, address, Source::Signed, day_zero());
        let (wording, at, source) = ("w".to_owned(), day_zero(), Source::Signed);
        ada.record_consent(Consent { channel, granted: true, wording, at, source });
    }
    ada
}

fn request() -> ClaimRequest {
    let cart = CartId::parse("cart_1").unwrap();
    ClaimRequest {
        key: SendKey::of(&cart, 1, 0),
        cart,
        abandonment: 1,
        abandoned_at: day_zero(),
        cart_born_at: day_zero(),
        step: by("first", HOUR, &BOTH),
        facts: Facts::default(),
        showable_lines: 1,
        automated: false,
        zone: None,
        stopped: false,
        capable: BOTH.to_vec(),
        offers: vec![],
        model: None,
        events: vec![],
        trigger: Trigger::Idle,
        sequence: "main".into(),
        place: Place::default(),
        value_minor: None,
        approved: vec![],
        leases: vec![],
        outcomes: vec![],
        performance: BTreeMap::new(),
        activation: None,
        home: None,
    }
}

fn claim(ada: &mut Person, now: Timestamp, idempotent: bool) -> Decision {
    ada.claim(now, &request(), &three_emails(), idempotent).decision
}

#[test]
fn a_held_claim_waits_and_a_dead_holder_is_replaced() {
    let mut ada = ada();
    let now = day_zero().plus(HOUR);
    assert!(matches!(claim(&mut ada, now, true), Decision::Send(_)));
    let until = now.plus(CLAIM_LEASE);
    assert_eq!(claim(&mut ada, now.plus(SECOND), true), Decision::Defer { until, why: Why::InFlight });
    assert!(matches!(claim(&mut ada, until, true), Decision::Send(_)));
    ada.mark_sent(&request().key, until);
    assert_eq!(claim(&mut ada, until.plus(HOUR), true), Decision::Skip { why: Why::AlreadySent });
}

#[test]
fn what_may_have_gone_out_is_not_repeated_another_way() {
    let later = day_zero().plus(2 * HOUR);
    let unknown = Decision::Skip { why: Why::Unknown };
    // By another channel, for email is closed by now.
    let mut closed = ada();
    claim(&mut closed, day_zero().plus(HOUR), true);
    closed.opt_out(Some(Channel::Email), later);
    assert_eq!(claim(&mut closed, later, true), unknown);
    // To another address, for a newer one is there by now.
    let mut moved = ada();
    claim(&mut moved, day_zero().plus(HOUR), true);
    moved.add_contact(Channel::Email, "ada@new.example", Source::Signed, later);
    assert_eq!(claim(&mut moved, later, true), unknown);
    // Neither: the same message again, which an idempotent provider takes once.
    let mut same = ada();
    claim(&mut same, day_zero().plus(HOUR), true);
    assert!(matches!(claim(&mut same, later, true), Decision::Send(_)));
}

#[test]
fn what_may_have_gone_out_is_not_repeated_once_the_provider_has_forgotten_its_key() {
    let first = day_zero().plus(HOUR);
    let unknown = Decision::Skip { why: Why::Unknown };
    let mut late = ada();
    claim(&mut late, first, true);
    // An alarm that came a day late, or a pause until then.
    assert_eq!(claim(&mut late, first.plus(KEY_MEMORY), true), unknown);
    // Trying in between does not make the provider remember longer, whoever the person is by then.
    let mut tried = ada();
    claim(&mut tried, first, true);
    assert!(matches!(claim(&mut tried, first.plus(20 * HOUR), true), Decision::Send(_)));
    assert_eq!(claim(&mut tried.clone(), first.plus(KEY_MEMORY), true), unknown);
    let mut merged = Person::new(PersonId::derive(&["merged"]), tried.shop.clone());
    merged.absorb(&tried);
    assert_eq!(claim(&mut merged, first.plus(KEY_MEMORY), true), unknown);
    // It goes on counting: it may have gone out.
    assert_eq!(merged.claims.len(), 1);
}

#[test]
fn giving_back_a_claim_that_two_held_leaves_it_counting() {
    let mut ada = ada();
    let key = request().key;
    let now = day_zero().plus(HOUR);
    claim(&mut ada, now, true);
    ada.release(&key);
    assert!(ada.claims.is_empty(), "one holder gave it back");
    claim(&mut ada, now, true);
    claim(&mut ada, now.plus(CLAIM_LEASE), true);
    ada.release(&key);
    ada.mark_sent(&key, now.plus(CLAIM_LEASE));
    assert!(ada.has_sent(&key), "the first holder reported after the second gave up");
}

#[test]
fn a_refusal_names_the_obstacle_that_came_closest() {
    let mut ada = ada();
    ada.opt_out(Some(Channel::Sms), day_zero());
    ada.consents.retain(|c| c.channel == Channel::Sms);
    // Email fails at consent, which is further than the text message comes.
    assert_eq!(claim(&mut ada, day_zero().plus(HOUR), true), Decision::Skip { why: Why::NoConsent });
}

#[test]
fn a_step_that_another_delivery_holds_does_not_give_way_to_the_next() {
    let policy = policy(&[email("first", HOUR), email("second", HOUR + MINUTE)]);
    let mut cart = Recovery::new(
        CartId::parse("cart_1").unwrap(),
        ShopId::parse("shop_1").unwrap(),
        Currency::parse("EUR").unwrap(),
        day_zero(),
    );
    cart.link(day_zero(), &PersonId::parse("per_1").unwrap());
    let change = Change::Add(vec![line("boots")]);
    let kind = SignalKind::Cart { currency: Currency::parse("EUR").unwrap(), change };
    cart.signal(day_zero(), Signal { id: EventId::parse("evt_1").unwrap(), at: day_zero(), kind });
    let began = day_zero().plus(policy.idle_ms);
    let due = began.plus(HOUR);
    cart.handle_timeout(began, &policy);
    cart.handle_timeout(due, &policy);
    let key = cart.pending.clone().unwrap().key;
    // A holder has claimed it; a second delivery is told to wait.
    let mut ada = ada();
    claim(&mut ada, due, true);
    let record = ada.claim(due, &request(), &policy, true);
    let outcome = record.decision.refusal().unwrap();
    assert_eq!(outcome, Outcome::Deferred { until: due.plus(CLAIM_LEASE) });
    cart.settle(due, &key, outcome, Some(&record), &policy);
    // The second step is due, and the first is still at work.
    cart.handle_timeout(due.plus(MINUTE), &policy);
    assert_eq!(cart.pending.clone().unwrap().key, key);
    // Its holder reports; the second step follows.
    cart.settle(due.plus(MINUTE), &key, Outcome::Sent, None, &policy);
    assert!(cart.episode.clone().unwrap().contacted);
    assert_ne!(cart.pending.clone().unwrap().key, key);
}

#[test]
fn a_report_that_comes_after_its_step_was_settled_still_counts_as_contact() {
    let policy = three_emails();
    let world = Scenario::new(policy.clone())
        .at("0 10:00", "ada", signs_in())
        .at("0 10:00", "ada", adds("boots"))
        .at("0 10:00", "shop", Act::ShopStops)
        .until("0 11:20")
        .run();
    let mut cart = world.cart("ada").unwrap();
    let key = cart.pending.clone().unwrap().key;
    cart.settle(world.now, &key, Outcome::Skipped { why: Why::Unknown }, None, &policy);
    assert!(!cart.episode.clone().unwrap().contacted);
    cart.settle(world.now, &key, Outcome::Sent, None, &policy);
    assert!(cart.episode.clone().unwrap().contacted);
}

#[test]
fn a_yes_that_only_a_page_reports_counts_as_unverified_until_its_owner_follows_a_link() {
    // The shop vouches for the address, but only a page says that its owner agreed.
    let mut ada = Person::new(PersonId::parse("per_1").unwrap(), ShopId::parse("shop_1").unwrap());
    ada.add_contact(Channel::Email, "ada@example.com", Source::Signed, day_zero());
    let yes = |source| Consent {
        channel: Channel::Email,
        granted: true,
        wording: "w".to_owned(),
        at: day_zero(),
        source,
    };
    ada.record_consent(yes(Source::Page));
    let first = request();
    let now = day_zero().plus(HOUR);
    assert!(matches!(ada.claim(now, &first, &three_emails(), true).decision, Decision::Send(_)));
    ada.mark_sent(&first.key, now);

    let other = CartId::parse("cart_2").unwrap();
    let second = ClaimRequest {
        key: SendKey::of(&other, 1, 0),
        cart: other,
        abandoned_at: day_zero().plus(48 * HOUR),
        ..request()
    };
    let later = day_zero().plus(50 * HOUR);
    let refused = ada.claim(later, &second, &three_emails(), true).decision;
    assert_eq!(refused, Decision::Skip { why: Why::UnverifiedLimit });

    // Its owner follows the link of the first message: that confirms the yes, and no later click in
    // a page weakens it again.
    ada.verify_sent(&first.key);
    ada.record_consent(Consent { at: later, ..yes(Source::Page) });
    assert!(matches!(ada.claim(later, &second, &three_emails(), true).decision, Decision::Send(_)));
}

#[test]
fn a_page_cannot_put_another_person_behind_a_cart() {
    let mut cart = Recovery::new(
        CartId::parse("cart_1").unwrap(),
        ShopId::parse("shop_1").unwrap(),
        Currency::parse("EUR").unwrap(),
        day_zero(),
    );
    let (ada, eve) = (PersonId::parse("per_ada").unwrap(), PersonId::parse("per_eve").unwrap());
    let (here, there) = (VisitorId::parse("vis_ada").unwrap(), VisitorId::parse("vis_eve").unwrap());
    cart.visitor = Some(here.clone());
    assert_eq!(cart.link_from_page(day_zero(), &ada, None).len(), 1);
    assert_eq!(cart.link_from_page(day_zero(), &eve, Some(&there)), []);
    assert_eq!(cart.link_from_page(day_zero(), &eve, None), []);
    assert_eq!(cart.person.as_ref(), Some(&ada));
    // The browser it was born in may correct a slip of the fingers.
    assert_eq!(cart.link_from_page(day_zero(), &eve, Some(&here)).len(), 1);
    cart.link_from_page(day_zero(), &ada, Some(&here));
    cart.link(day_zero(), &eve);
    assert_eq!(cart.person.as_ref(), Some(&eve), "a signed source is believed");
}

/// What the shop tagged is the shop's: a segment of the same name must not take it away.
#[test]
fn a_segment_takes_no_tag_of_the_shop_away() {
    use comeback_core::policy::{Expr, Field, Op, Segment};
    let mut ada = ada();
    ada.tags = vec!["vip".into()];
    let when = |value| Expr::Compare { field: Field::PersonOrders, op: Op::Ge, value };
    let named = |name: &str, value| Segment { name: name.into(), when: when(value) };
    let mut policy = three_emails();
    policy.segments = vec![named("vip", 100.0), named("everybody", 0.0)];
    let now = day_zero().plus(HOUR);
    let facts = ada.claim(now, &request(), &policy, true).facts;
    let tags = |facts: &Facts| match facts.get(Field::PersonTags) {
        Some(comeback_core::policy::Value::Words(words)) => words.to_vec(),
        _ => vec![],
    };
    assert_eq!(tags(&facts), ["vip"]);
    assert_eq!(tags(&ada.profile(now)), ["vip", "everybody"]);
    // A policy that has no such segment leaves none behind.
    policy.segments = vec![];
    ada.claim(now, &request(), &policy, true);
    assert_eq!(tags(&ada.profile(now)), ["vip"]);
}

/// A row that grew without end could one day not be written any more, and with it no opt-out.
#[test]
fn claims_that_nobody_settles_are_not_kept_for_ever() {
    let mut ada = ada();
    let mut policy = three_emails();
    (policy.caps.day, policy.caps.week) = (1_000, 1_000);
    for n in 0..300_u32 {
        let cart = CartId::parse(&format!("cart_{n}")).unwrap();
        let now = day_zero().plus(i64::from(n) * 24 * HOUR);
        let key = SendKey::of(&cart, 1, 0);
        let asked = ClaimRequest { key, cart, abandoned_at: now, cart_born_at: now, ..request() };
        let record = ada.claim(now.plus(HOUR), &asked, &policy, true);
        assert!(matches!(record.decision, Decision::Send(_)), "{:?}", record.decision);
    }
    assert_eq!(ada.claims.len(), 200);
    assert!(ada.claims.contains_key(&SendKey::of(&CartId::parse("cart_299").unwrap(), 1, 0)));
}

/// A cart whose alarm comes days late (an outage) must not send all that was missed in one go.
#[test]
fn steps_that_were_missed_do_not_pile_up() {
    use comeback_core::effect::Effect;
    let policy = three_emails();
    let mut cart = Recovery::new(
        CartId::parse("cart_1").unwrap(),
        ShopId::parse("shop_1").unwrap(),
        Currency::parse("EUR").unwrap(),
        day_zero(),
    );
    let kind = SignalKind::Cart {
        currency: Currency::parse("EUR").unwrap(),
        change: Change::Add(vec![line("boots")]),
    };
    cart.signal(day_zero(), Signal { id: EventId::parse("evt_1").unwrap(), at: day_zero(), kind });
    cart.link(day_zero(), &PersonId::parse("per_1").unwrap());
    let late = day_zero().plus(20 * 24 * HOUR);
    let mut offered = vec![];
    let mut effects = cart.handle_timeout(late, &policy);
    for _ in 0..5 {
        let keys: Vec<SendKey> = effects
            .iter()
            .filter_map(|e| match e {
                Effect::OfferSend(job) => Some(job.key.clone()),
                _ => None,
            })
            .collect();
        offered.extend(keys.iter().cloned());
        effects = keys.iter().flat_map(|k| cart.settle(late, k, Outcome::Sent, None, &policy)).collect();
    }
    assert_eq!(offered, [SendKey::of(&cart.id, 1, 2)], "the last one only");
}
