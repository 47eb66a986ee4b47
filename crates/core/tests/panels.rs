//! Experiments on panels: whose word counts for an arm, when an exposure is recorded, and what a merge makes
//! of two.

#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use comeback_core::cart::{Change, Line, Trust};
use comeback_core::cause::{self, Cause};
use comeback_core::effect::{Effect, Entry, Happened};
use comeback_core::experiment::{self, Assignment, Exposure, Reading};
use comeback_core::id::{CartId, EventId, PersonId, ShopId, VisitorId};
use comeback_core::money::Currency;
use comeback_core::person::Person;
use comeback_core::policy::{Arm, Experiment, Policy, Subject};
use comeback_core::recovery::Recovery;
use comeback_core::signal::{CheckoutError, PanelMoment, Signal, SignalKind};
use comeback_core::time::{DAY, HOUR, MINUTE, Timestamp};
use comeback_testkit::*;

const SHOP: &str = "shop_1";

fn now() -> Timestamp {
    day_zero().plus(HOUR)
}

fn policy() -> Policy {
    let arm = |name: &str, silent| Arm { name: name.to_owned(), weight: 1, silent, ..Arm::default() };
    let experiment = Experiment {
        name: "exit_words".into(),
        hypothesis: "plain words work better than none".into(),
        subject: Subject::Panel { panel: "exit".into() },
        arms: vec![arm("control", false), arm("plain", false), arm("nothing", true)],
    };
    Policy { experiments: vec![experiment], ..three_emails() }
}

fn cart() -> Recovery {
    cart_named("cart_1")
}

fn cart_named(id: &str) -> Recovery {
    let cart = CartId::parse(id).unwrap();
    Recovery::new(cart, ShopId::parse(SHOP).unwrap(), Currency::parse("EUR").unwrap(), day_zero())
}

/// A browser whose bucket gives this arm.
fn visitor_in(arm: &str) -> VisitorId {
    (0..500)
        .map(|n| VisitorId::parse(&format!("vis_{n}")).unwrap())
        .find(|v| given(v.as_str()) == arm)
        .unwrap()
}

fn person_in(arm: &str) -> PersonId {
    (0..500)
        .map(|n| PersonId::parse(&format!("per_{n}")).unwrap())
        .find(|p| given(p.as_str()) == arm)
        .unwrap()
}

fn given(unit: &str) -> String {
    let policy = policy();
    let bucket = experiment::page_bucket(SHOP, unit);
    experiment::panel_arm(&policy.experiments, "exit", SHOP, bucket).unwrap().1.name.clone()
}

fn moment(arm: &str) -> PanelMoment {
    let exposure = Exposure { experiment: "exit_words".into(), arm: arm.into() };
    PanelMoment { panel: "exit".into(), exposure, withheld: arm == "nothing" }
}

fn tell(
    cart: &mut Recovery,
    event: &str,
    at: Timestamp,
    moment: PanelMoment,
    visitor: &VisitorId,
) -> Vec<Effect> {
    let id = EventId::parse(&format!("evt_{event}")).unwrap();
    cart.exposed(at, &id, at, moment, &policy(), Some(visitor))
}

fn arms(assignments: &[Assignment]) -> Vec<(&str, bool)> {
    assignments.iter().map(|a| (a.arm.as_str(), a.conflict)).collect()
}

fn exposures(effects: &[Effect]) -> Vec<(&str, bool)> {
    effects
        .iter()
        .filter_map(|e| match e {
            Effect::Record(Entry { what: Happened::Exposed { exposure, withheld, .. }, .. }) => {
                Some((exposure.arm.as_str(), *withheld))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn a_moment_is_an_exposure_once_and_no_sign_of_life() {
    for arm in ["control", "plain", "nothing"] {
        let (mut cart, visitor) = (cart(), visitor_in(arm));
        let before = cart.last_activity;
        let effects = tell(&mut cart, "1", now(), moment(arm), &visitor);
        assert_eq!(exposures(&effects), [(arm, arm == "nothing")]);
        assert_eq!(arms(&cart.assignments), [(arm, false)]);
        assert_eq!(cart.assignments[0].at, now());
        assert_eq!(cart.last_activity, before);
        assert_eq!(tell(&mut cart, "1", now().plus(HOUR), moment(arm), &visitor), [], "the same event again");
        // Another session is another moment, of the same exposure.
        assert_eq!(exposures(&tell(&mut cart, "2", now().plus(DAY), moment(arm), &visitor)).len(), 1);
        assert_eq!(cart.assignments[0].at, now());
    }
}

#[test]
fn a_page_cannot_name_an_arm_that_is_not_its_own() {
    let visitor = visitor_in("control");
    let right = moment("control");
    let exposure = |experiment: &str, arm: &str| Exposure { experiment: experiment.into(), arm: arm.into() };
    let wrong = [
        moment("plain"),
        moment("nothing"),
        moment("invented"),
        PanelMoment { exposure: exposure("invented", "control"), ..right.clone() },
        PanelMoment { panel: "survey".into(), ..right.clone() },
        // A silent arm shows nothing, and the others are shown.
        PanelMoment { withheld: true, ..right.clone() },
    ];
    for told in wrong {
        let mut cart = cart();
        assert_eq!(tell(&mut cart, "1", now(), told.clone(), &visitor), [], "{told:?}");
        assert_eq!(cart.assignments, []);
    }
    let mut driven = cart();
    driven.automated = true;
    assert_eq!(tell(&mut driven, "1", now(), right, &visitor), [], "a program is exposed to nothing");
}

#[test]
fn the_person_is_told_and_the_first_arm_stays_theirs() {
    let (visitor, person) = (visitor_in("plain"), person_in("control"));
    let mut cart = cart();
    tell(&mut cart, "1", now(), moment("plain"), &visitor);
    cart.link(now(), &person);
    // Found behind the cart: they hear of it, and the visitor's arm wins over their own hash.
    let told = cart.take_assignments(&[], Some(&policy()));
    let Some(Effect::Expose { person: whom, assignments }) = told else { panic!("{told:?}") };
    assert_eq!(whom, person);
    let mut held = Person::new(person.clone(), ShopId::parse(SHOP).unwrap());
    held.exposed(&assignments);
    held.exposed(&assignments);
    assert_eq!(arms(&held.assignments), [("plain", false)]);
    assert_eq!(exposures(&tell(&mut cart, "2", now().plus(HOUR), moment("plain"), &visitor)).len(), 1);
    assert_eq!(arms(&cart.assignments), [("plain", false)]);

    // The next cart learns from the person, on whatever device, and keeps to it.
    let phone = visitor_in("nothing");
    let mut next = cart_named("cart_2");
    next.link(now().plus(DAY), &person);
    next.take_assignments(&held.assignments, Some(&policy()));
    assert_eq!(arms(&next.assignments), [("plain", false)]);
    let effects = tell(&mut next, "3", now().plus(DAY), moment("plain"), &phone);
    assert_eq!(exposures(&effects), [("plain", false)]);
}

#[test]
fn two_arms_of_one_person_are_a_conflict_that_is_counted_and_left_out() {
    let person = person_in("control");
    let mut held = Person::new(person.clone(), ShopId::parse(SHOP).unwrap());
    for (n, arm) in ["plain", "nothing"].into_iter().enumerate() {
        let at = now().plus(i64::try_from(n).unwrap() * HOUR);
        let mut cart = cart_named(&format!("cart_{n}"));
        tell(&mut cart, "1", at, moment(arm), &visitor_in(arm));
        cart.link(at, &person);
        let Some(Effect::Expose { assignments, .. }) = cart.take_assignments(&[], None) else { panic!() };
        held.exposed(&assignments);
    }
    assert_eq!(arms(&held.assignments), [("plain", true)]);
    let reading = Reading::of("exit_words", [&held.assignments[..]]);
    assert!(reading.exposed.is_empty());
    assert_eq!(reading.conflicted["plain"], 1);
}

#[test]
fn what_belongs_to_steps_or_is_over_does_not_come_along_to_a_cart() {
    let theirs = |experiment: &str| Assignment {
        experiment: experiment.into(),
        arm: "control".into(),
        at: now(),
        conflict: false,
    };
    let mut cart = cart();
    cart.take_assignments(&[theirs("of_a_step"), theirs("exit_words")], Some(&policy()));
    let named: Vec<_> = cart.assignments.iter().map(|a| a.experiment.as_str()).collect();
    assert_eq!(named, ["exit_words"]);
}

#[test]
fn what_a_shopper_says_when_asked_comes_before_what_is_inferred() {
    let mut cart = cart();
    let signal =
        |n: u32, at: Timestamp, kind| Signal { id: EventId::parse(&format!("evt_{n}")).unwrap(), at, kind };
    let line = Line {
        item_id: "mug".into(),
        item_variant: None,
        quantity: 1,
        unit_price_minor: 900,
        title: String::new(),
        image_url: None,
        item_url: None,
        class: None,
        trust: Trust::Page,
    };
    let change = Change::Add(vec![line]);
    let currency = Currency::parse("EUR").unwrap();
    let refused =
        CheckoutError { step: "payment".into(), code: "card_declined".into(), method: "card".into() };
    cart.signal(now(), signal(1, now(), SignalKind::Cart { currency, change }));
    cart.signal(now(), signal(2, now(), SignalKind::CheckoutError(refused)));
    assert_eq!(cause::infer(&cart, &policy()).cause, Cause::DeclinedCard);
    let later = now().plus(MINUTE);
    let touched = cart.last_activity;
    cart.signal(later, signal(3, later, SignalKind::Said(Cause::ShippingCost)));
    let likely = cause::infer(&cart, &policy());
    assert_eq!((likely.cause, likely.reasons.len()), (Cause::ShippingCost, 1));
    assert_eq!(cart.last_activity, touched, "an answer to us is no shopping");
    // An older answer that comes late is not the last one, and after a day of shopping on it is over.
    cart.signal(later, signal(4, now(), SignalKind::Said(Cause::Price)));
    assert_eq!(cause::infer(&cart, &policy()).cause, Cause::ShippingCost);
    let week = now().plus(7 * DAY);
    cart.signal(week, signal(5, week, SignalKind::PageView));
    assert_ne!(cause::infer(&cart, &policy()).cause, Cause::ShippingCost);
}
