//! Offers, by hand at the gate: to whom, with what left over, how often, for how long, and what a
//! learner makes of outcomes. The shop's budgets, outcomes and reports with them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "makers of test data stand outside the test functions"
)]

use std::collections::BTreeMap;

use comeback_core::cart::Change;
use comeback_core::consent::Channel;
use comeback_core::decision::{Clearance, Decision};
use comeback_core::effect::Happened;
use comeback_core::effect::{Effect, Entry};
use comeback_core::gate::ClaimRequest;
use comeback_core::id::{CartId, EventId, SendKey};
use comeback_core::money::Currency;
use comeback_core::offer::{
    ArmOutcome, Budgets, Grant, Learned, Lease, Ledger, Needs, Open, Outcomes, REMEMBERED, Report, RunMeter,
    Tried, Want, choose,
};
use comeback_core::person::Person;
use comeback_core::policy::{
    Arm, Browse, Caps, Experiment, Expr, Field, Learner, Offer, OfferKind, Op, Policy, Segment, Sequence,
    Step, Subject,
};
use comeback_core::recovery::{CartOrder, Outcome, Recovery, Trigger};
use comeback_core::signal::{Signal, SignalKind};
use comeback_core::time::{DAY, HOUR, MINUTE, Timestamp};
use comeback_testkit::*;
use proptest::prelude::*;

fn percent(name: &str, percent: u8) -> Offer {
    Offer {
        name: name.into(),
        kind: OfferKind::Percent,
        percent,
        amount: 0.0,
        valid_ms: 3 * DAY,
        when: None,
        min_margin: None,
        not_for: vec![],
        per_90d: None,
        budget_day: None,
        first_message: true,
        approval: false,
        honour_price_ms: None,
    }
}

fn step(index: u32, offer: &str) -> Step {
    Step { offer: Some(offer.to_owned()), ..email(&format!("step {index}"), HOUR) }
}

/// These offers, and caps that are never in the way.
fn with(offers: Vec<Offer>) -> Policy {
    let browse = Browse { dwell_ms: MINUTE, dwell_by_class: BTreeMap::new(), idle_ms: HOUR, per_week: 9 };
    let caps = Caps { day: 9, week: 9, ..Caps::default() };
    Policy { offers, caps, browse: Some(browse), ..three_emails() }
}

/// A cart of 100.00 EUR, of which 35 in a hundred are margin; the shop honours every code.
fn request(cart: &str, index: u32, offer: &str) -> ClaimRequest {
    let mut request = asking(cart, 1, index, &step(index, offer));
    request.offers = ["ten", "twenty", "five_off", "ship"].map(str::to_owned).to_vec();
    request.value_minor = Some(10_000);
    request.facts.set(Field::CartMargin, 0.35);
    request.facts.set(Field::CartShippingGap, 4.9);
    request.facts.set_words(Field::CartClasses, vec!["shoes".into()]);
    request
}

fn now() -> Timestamp {
    day_zero().plus(HOUR)
}

fn cleared(person: &mut Person, at: Timestamp, request: &ClaimRequest, policy: &Policy) -> Clearance {
    let request =
        &ClaimRequest { abandoned_at: at.plus(-HOUR), cart_born_at: at.plus(-HOUR), ..request.clone() };
    match person.claim(at, request, policy, true).decision {
        Decision::Send(clearance) => clearance,
        other => panic!("no offer withholds a message: {other:?}"),
    }
}

fn sent(person: &mut Person, at: Timestamp, request: &ClaimRequest, policy: &Policy) -> Option<Grant> {
    let clearance = cleared(person, at, request, policy);
    person.mark_sent(&request.key, at);
    clearance.grant().cloned()
}

/// What the record says of the offer.
fn found(person: &Person, request: &ClaimRequest, policy: &Policy) -> (Option<Grant>, String) {
    let record = comeback_core::gate::decide(now(), person, request, policy);
    let told: Vec<String> =
        record.checks.iter().filter(|c| c.rule == "offer").map(|c| c.found.to_string()).collect();
    let Decision::Send(clearance) = record.decision else { panic!("{:?}", record.decision) };
    (clearance.grant().cloned(), told.join(" | "))
}

type Twist = fn(&mut Offer, &mut ClaimRequest);

#[test]
fn every_withheld_offer_says_why_and_the_message_goes_without() {
    let cases: &[(&str, Twist)] = &[
        ("granted", |_, _| {}),
        ("no such offer", |o, _| o.name = "twelve".into()),
        ("no such code", |_, r| r.offers.clear()),
        ("nobody has approved it", |o, _| o.approval = true),
        ("granted", |o, r| {
            o.approval = true;
            r.approved.push("ten".into());
        }),
        ("first message", |o, _| o.first_message = false),
        ("first message", |_, r| r.trigger = Trigger::Browse),
        ("condition does not hold", |o, _| {
            o.when = Some(Expr::Compare { field: Field::CartMargin, op: Op::Gt, value: 0.5 });
        }),
        ("holds shoes", |o, _| o.not_for = vec!["hats".into(), "shoes".into()]),
        ("granted", |o, _| o.not_for = vec!["hats".into()]),
        // 0.35 less a tenth is 0.25: in doubles it would be a hair below.
        ("granted", |o, _| o.min_margin = Some(0.25)),
        ("less than the least margin", |o, _| o.min_margin = Some(0.250_001)),
        ("margin of the cart is not known", |o, r| {
            o.min_margin = Some(0.25);
            r.facts = Default::default();
        }),
        ("would cost is not known", |o, r| {
            o.min_margin = Some(0.25);
            r.value_minor = None;
        }),
        ("budget of the day does not cover", |o, _| o.budget_day = Some(1_000.0)),
        ("budget of the day does not cover", |o, r| {
            o.budget_day = Some(1_000.0);
            r.leases = vec![Lease { offer: "ten".into(), left_minor: 999 }];
        }),
        ("granted", |o, r| {
            o.budget_day = Some(1_000.0);
            r.leases = vec![Lease { offer: "ten".into(), left_minor: 1_000 }];
        }),
        ("cost is not known, and it has a budget", |o, r| {
            o.budget_day = Some(1_000.0);
            r.value_minor = None;
            r.leases = vec![Lease { offer: "ten".into(), left_minor: 1_000 }];
        }),
        ("shipping is free for this cart anyway", |o, r| {
            o.kind = OfferKind::FreeShipping;
            r.facts.set(Field::CartShippingGap, 0.0);
        }),
        ("at most 490 minor units", |o, _| o.kind = OfferKind::FreeShipping),
        // A share of the value that shipping would eat.
        ("less than the least margin", |o, _| {
            o.kind = OfferKind::FreeShipping;
            o.min_margin = Some(0.301_001);
        }),
        ("granted", |o, _| {
            o.kind = OfferKind::FreeShipping;
            o.min_margin = Some(0.301);
        }),
        ("at most 500 minor units", |o, _| {
            o.kind = OfferKind::Amount;
            o.amount = 5.0;
        }),
        // Never more than the cart is worth.
        ("at most 10000 minor units", |o, _| {
            o.kind = OfferKind::Amount;
            o.amount = 500.0;
        }),
    ];
    for (index, (expect, change)) in cases.iter().enumerate() {
        let (mut offer, mut request) = (percent("ten", 10), request("c", 0, "ten"));
        change(&mut offer, &mut request);
        let (grant, told) = found(&reachable("ada"), &request, &with(vec![offer]));
        assert!(told.contains(expect), "case {index}: {told:?}, not {expect:?}");
        assert_eq!(grant.is_some(), told.contains("granted"), "case {index}");
    }
}

#[test]
fn costs_are_whole_minor_units_rounded_up() {
    // Value, percent, currency, cost.
    let cases = [
        (Some(9_999), 10, "EUR", Some(1_000)),
        (Some(1), 1, "EUR", Some(1)),
        (Some(0), 50, "EUR", Some(0)),
        (Some(1_200), 33, "JPY", Some(396)),
        (Some(i64::MAX / 2), 100, "EUR", Some(i64::MAX / 2)),
        (None, 10, "EUR", None),
    ];
    for (value, share, currency, expect) in cases {
        let mut request = request("c", 0, "ten");
        request.value_minor = value;
        request.home = Some(Currency::parse(currency).unwrap());
        let (grant, _) = found(&reachable("ada"), &request, &with(vec![percent("ten", share)]));
        assert_eq!(grant.unwrap().cost_minor, expect, "{value:?} {share} {currency}");
    }
    // An amount in yen has no cents; a value only in major units is read in the shop's currency.
    let mut request = request("c", 0, "ten");
    request.home = Some(Currency::parse("JPY").unwrap());
    request.value_minor = None;
    request.facts.set(Field::CartValue, 3_000.0);
    let off = Offer { kind: OfferKind::Amount, amount: 500.0, ..percent("ten", 0) };
    assert_eq!(found(&reachable("ada"), &request, &with(vec![off])).0.unwrap().cost_minor, Some(500));
}

#[test]
fn an_offer_of_an_abandonment_stays_what_it_was() {
    let later = Offer { honour_price_ms: Some(DAY), first_message: false, ..percent("ten", 10) };
    let policy = with(vec![later, percent("twenty", 20)]);
    let mut ada = reachable("ada");
    assert_eq!(sent(&mut ada, now(), &request("c", 0, "ten"), &policy), None, "not in the first message");
    let second = now().plus(2 * DAY);
    let first = sent(&mut ada, second, &request("c", 1, "ten"), &policy).unwrap();
    assert_eq!(first.valid_until, second.plus(3 * DAY));
    assert_eq!(first.prices_until, Some(second.plus(DAY)));
    assert!(!first.again);
    // A later message names a better one; it says what was said, until when it was said, and costs nothing more.
    let third = sent(&mut ada, second.plus(2 * DAY), &request("c", 2, "twenty"), &policy).unwrap();
    assert_eq!(third, Grant { again: true, ..first.clone() });
    // What ended has ended, whatever is named.
    assert_eq!(sent(&mut ada, second.plus(3 * DAY), &request("c", 3, "twenty"), &policy), None);
    // Another abandonment is another matter.
    let mut next = request("c", 4, "twenty");
    next.abandonment = 2;
    next.key = SendKey::of(&next.cart, 2, 0);
    let fresh = sent(&mut ada, second.plus(20 * DAY), &next, &policy).unwrap();
    assert_eq!((fresh.offer.as_str(), fresh.again), ("twenty", false));
}

#[test]
fn a_promise_is_kept_unless_the_shop_takes_it_back() {
    let policy = with(vec![Offer { approval: true, ..percent("ten", 10) }]);
    let approved = |index| ClaimRequest { approved: vec!["ten".into()], ..request("c", index, "ten") };
    let mut ada = reachable("ada");
    assert!(sent(&mut ada, now(), &approved(0), &policy).is_some());
    let then = now().plus(2 * DAY);
    let kept = |request: &ClaimRequest, policy: &Policy| {
        cleared(&mut ada.clone(), then, request, policy).grant().is_some()
    };
    // The margin fell, the condition no longer holds, the budget is gone: that is not the shopper's affair.
    let stricter = Offer {
        min_margin: Some(0.9),
        when: Some(Expr::Compare { field: Field::CartMargin, op: Op::Gt, value: 0.5 }),
        budget_day: Some(0.0),
        per_90d: Some(0),
        ..policy.offers[0].clone()
    };
    assert!(kept(&approved(1), &with(vec![stricter])));
    assert!(!kept(&request("c", 1, "ten"), &policy), "approval was taken back");
    assert!(!kept(&ClaimRequest { offers: vec![], ..approved(1) }, &policy), "the code is dead");
    assert!(!kept(&approved(1), &with(vec![])), "the policy dropped it");
}

#[test]
fn a_claim_whose_holder_died_gives_the_same_message_again() {
    let policy = with(vec![percent("ten", 10), percent("twenty", 20)]);
    let mut ada = reachable("ada");
    let first = cleared(&mut ada, now(), &request("c", 0, "ten"), &policy);
    let again = cleared(&mut ada, now().plus(3 * MINUTE), &request("c", 0, "twenty"), &policy);
    assert_eq!(again.grant(), first.grant());
    // And one that went without stays without.
    let mut bob = reachable("bob");
    let none = ClaimRequest { offers: vec![], ..request("c", 0, "ten") };
    assert_eq!(cleared(&mut bob, now(), &none, &policy).grant(), None);
    assert_eq!(cleared(&mut bob, now().plus(3 * MINUTE), &request("c", 0, "ten"), &policy).grant(), None);
}

#[test]
fn who_leaves_carts_for_offers_stops_getting_them_under_any_identity() {
    let bounded = |name: &str| Offer { per_90d: Some(2), ..percent(name, 10) };
    let policy = with(vec![bounded("ten"), bounded("twenty")]);
    let (mut phone, mut desk) = (reachable("phone"), reachable("desk"));
    assert!(sent(&mut phone, now(), &request("1", 0, "ten"), &policy).is_some());
    // Two messages of one abandonment are one offer.
    assert!(sent(&mut phone, now().plus(DAY), &request("1", 1, "ten"), &policy).is_some());
    assert!(sent(&mut desk, now().plus(3 * DAY), &request("2", 0, "twenty"), &policy).is_some());
    let third = |person: &Person, at| cleared(&mut person.clone(), at, &request("3", 0, "ten"), &policy);
    let then = now().plus(10 * DAY);
    assert!(third(&phone, then).grant().is_some() && third(&desk, then).grant().is_some());
    // The two are one person, and it was two offers, of whatever name.
    phone.absorb(&desk);
    assert_eq!(third(&phone, then).grant(), None);
    // After ninety days the first no longer counts.
    assert!(third(&phone, now().plus(91 * DAY + HOUR)).grant().is_some());
}

fn learner(arms: &[&str]) -> Learner {
    Learner {
        name: "which".into(),
        arms: arms.iter().map(|a| (*a).to_owned()).collect(),
        least_share: 0.0,
        cohorts: vec![],
        cost: BTreeMap::new(),
    }
}

fn outcome(arm: &str, tries: u64, wins: u64) -> ArmOutcome {
    ArmOutcome { learner: "which".into(), cohort: String::new(), arm: arm.into(), tries, wins }
}

fn key(n: usize) -> SendKey {
    SendKey::derive(&["learning", &n.to_string()])
}

/// How often each arm is chosen out of this many.
fn shares(learner: &Learner, costs: &[f64], outcomes: &[ArmOutcome], of: usize) -> BTreeMap<String, usize> {
    let open: Vec<Open<'_>> =
        learner.arms.iter().zip(costs).map(|(arm, cost)| Open { arm, cost: *cost }).collect();
    let mut shares = BTreeMap::new();
    for n in 0..of {
        let choice = choose(learner, "", &key(n), &open, outcomes, true).unwrap();
        *shares.entry(choice.tried.arm).or_insert(0) += 1;
    }
    shares
}

#[test]
fn a_learner_finds_the_better_arm_by_itself() {
    // Ten in a hundred against thirty, at the same cost; whether a try wins is drawn from the key.
    let learner = Learner { least_share: 0.05, ..learner(&["none", "ten"]) };
    let open = [Open { arm: "none", cost: 0.0 }, Open { arm: "ten", cost: 0.0 }];
    let (mut held, mut late) = (Outcomes::default(), 0);
    for n in 0..2_000 {
        let known: Vec<ArmOutcome> = held.of("which").cloned().collect();
        let choice = choose(&learner, "", &key(n), &open, &known, true).unwrap();
        let rate = if choice.tried.arm == "ten" { 0.3 } else { 0.1 };
        held.sent(&key(n), &choice.tried);
        if comeback_core::offer::Draws::named(&["the shopper", &n.to_string()]).unit() < rate {
            held.recovered(&key(n), &choice.tried);
        }
        late += usize::from(n >= 1_000 && choice.tried.arm == "ten");
    }
    assert!(late > 900, "{late} of the last thousand went to the better arm");
    let none = held.of("which").find(|o| o.arm == "none").unwrap();
    assert!(none.tries >= 2_000 / 20 / 2, "the least share went on: {none:?}");
}

#[test]
fn every_arm_keeps_its_least_share_whatever_was_learned() {
    let known = [outcome("none", 10_000, 10), outcome("ten", 10_000, 20), outcome("twenty", 10_000, 3_000)];
    for least_share in [0.05, 0.2, 1.0 / 3.0, 0.9] {
        let learner = Learner { least_share, ..learner(&["none", "ten", "twenty"]) };
        let shares = shares(&learner, &[0.0; 3], &known, 6_000);
        let share = least_share.min(1.0 / 3.0);
        for arm in ["none", "ten"] {
            let got = *shares.get(arm).unwrap_or(&0) as f64 / 6_000.0;
            assert!((got - share).abs() < 0.02, "{arm} {got} instead of {share}");
        }
    }
    // Without a least share an arm that is known to be bad is left.
    let shares = shares(&learner(&["none", "ten", "twenty"]), &[0.0; 3], &known, 500);
    assert_eq!(shares.get("twenty"), Some(&500));
}

#[test]
fn an_arm_that_wins_by_giving_more_away_does_not_win() {
    // Twenty percent off brings a fifth more orders, each worth a fifth less and some.
    let known = [outcome("none", 50_000, 5_000), outcome("twenty", 50_000, 6_000)];
    let learner = learner(&["none", "twenty"]);
    assert!(shares(&learner, &[0.0, 0.0], &known, 300)["twenty"] > 285);
    assert!(shares(&learner, &[0.0, 0.2], &known, 300)["none"] > 285);
}

#[test]
fn nothing_known_is_the_prior_and_the_cheaper_arm_goes_first() {
    let learner = learner(&["none", "ten"]);
    let even = shares(&learner, &[0.0, 0.0], &[], 2_000);
    assert!(even["none"].abs_diff(1_000) < 120, "{even:?}");
    // Outcomes of other learners and cohorts are none of these arms'.
    let foreign = ArmOutcome { learner: "another".into(), ..outcome("ten", 1_000, 1_000) };
    let cohort = ArmOutcome { cohort: "rich".into(), ..outcome("ten", 1_000, 1_000) };
    assert_eq!(shares(&learner, &[0.0, 0.0], &[foreign, cohort], 2_000), even);
    // The prior is weak: fifty messages outweigh it.
    let after = shares(&learner, &[0.0, 0.0], &[outcome("ten", 50, 15)], 1_000);
    assert!(after["ten"] > 950, "{after:?}");
}

/// A policy whose learner chooses between nothing, ten and twenty percent.
fn learning() -> Policy {
    let mut policy = with(vec![percent("ten", 10), percent("twenty", 20)]);
    policy.learners = vec![learner(&["none", "ten", "twenty"])];
    policy
}

#[test]
fn a_choice_is_recorded_and_drawn_again_it_is_the_same() {
    let mut policy = learning();
    policy.segments = vec![
        Segment {
            name: "poor".into(),
            when: Expr::Compare { field: Field::CartMargin, op: Op::Lt, value: 0.1 },
        },
        Segment {
            name: "rich".into(),
            when: Expr::Compare { field: Field::CartMargin, op: Op::Gt, value: 0.3 },
        },
    ];
    policy.learners[0].cohorts = vec!["poor".into(), "rich".into()];
    let mut request = request("c", 0, "which");
    request.outcomes = vec![ArmOutcome { cohort: "rich".into(), ..outcome("ten", 40, 4) }];
    let clearance = cleared(&mut reachable("ada"), now(), &request, &policy);
    let choice = clearance.choice().unwrap();
    assert_eq!((choice.tried.cohort.as_str(), choice.tried.counts), ("rich", true));
    // From the record alone: the same outcomes under the same key.
    let open = [("none", 0.0), ("ten", 0.1), ("twenty", 0.2)].map(|(arm, cost)| Open { arm, cost });
    let again = choose(&policy.learners[0], "rich", &request.key, &open, &choice.outcomes, true).unwrap();
    assert_eq!(&again, choice);
    // And by the record alone it can be judged: the most that was drawn was chosen.
    let most = choice.draws.iter().max().unwrap();
    let index = choice.draws.iter().position(|d| d == most).unwrap();
    assert_eq!(choice.outcomes[index].arm, choice.tried.arm);
    assert!(choice.draws.windows(2).any(|pair| pair[0] != pair[1]));
}

#[test]
fn only_a_fair_choice_is_learned_from() {
    let tried = |policy: &Policy, change: fn(&mut ClaimRequest)| {
        let mut request = request("c", 0, "which");
        change(&mut request);
        cleared(&mut reachable("ada"), now(), &request, policy).choice().unwrap().tried.clone()
    };
    assert!(tried(&learning(), |_| {}).counts);
    // Closed to all the shop: the others are still compared fairly.
    assert!(tried(&learning(), |r| r.offers.retain(|o| o != "twenty")).counts);
    // Closed to this cart: the open arms get the poorer carts, and would be blamed for them.
    let mut picky = learning();
    picky.offers[1].min_margin = Some(0.3);
    assert!(!tried(&picky, |_| {}).counts);
    // Nothing to choose from.
    let alone = tried(&learning(), |r| r.offers.clear());
    assert_eq!((alone.arm.as_str(), alone.counts), ("none", false));
}

#[test]
fn nothing_given_stays_nothing_given() {
    let policy = learning();
    // Carts whose first choice was none: the next message does not sweeten it, and counts no second try.
    let mut seen = 0;
    for n in 0..40 {
        let mut ada = reachable("ada");
        let cart = n.to_string();
        let first = cleared(&mut ada, now(), &request(&cart, 0, "which"), &policy);
        ada.mark_sent(&request(&cart, 0, "which").key, now());
        let second = cleared(&mut ada, now().plus(2 * DAY), &request(&cart, 1, "which"), &policy);
        assert_eq!(second.offer(), first.offer());
        assert!(first.choice().unwrap().tried.counts && !second.choice().unwrap().tried.counts);
        seen += usize::from(first.offer().is_none());
    }
    assert!(seen > 3, "{seen}");
}

#[test]
fn what_a_claim_may_need_is_asked_for_at_once() {
    let mut policy = learning();
    policy.offers[0].budget_day = Some(25.0);
    assert_eq!(
        Needs::of(&ClaimRequest { step: email("plain", HOUR), ..request("c", 0, "x") }, &policy),
        None
    );
    let needs = Needs::of(&request("c", 0, "which"), &policy).unwrap();
    assert_eq!(needs.learners, ["which"]);
    assert_eq!(needs.wants, [Want { offer: "ten".into(), cost_minor: 1_000, budget_minor: 2_500 }]);

    // Three carts, room for two; what is refused comes back, what is sent does not.
    let mut ledger = Ledger::default();
    let ask = |ledger: &mut Ledger, cart: &str| {
        let mut asked = request(cart, 0, "ten");
        let needs = Needs::of(&asked, &policy).unwrap();
        ledger.reserve(now(), &asked.key, &needs).fill(&mut asked);
        cleared(&mut reachable(cart), now(), &asked, &policy)
    };
    let (a, b, c) = (ask(&mut ledger, "a"), ask(&mut ledger, "b"), ask(&mut ledger, "c"));
    assert_eq!([&a, &b, &c].map(|x| x.offer().is_some()), [true, true, false]);
    ledger.report(now(), &Report::sent(&a));
    ledger.report(now(), &Report::refused(b.key().clone()));
    assert!(ask(&mut ledger, "d").offer().is_some());
    assert!(ask(&mut ledger, "e").offer().is_none());
    assert_eq!(ledger.budgets.gone("ten"), 2_000);
}

#[test]
fn a_try_and_its_win_are_in_the_log_of_the_cart() {
    let main = Sequence {
        name: "main".into(),
        on: vec![],
        audience: None,
        steps: vec![step(0, "which"), Step { at_ms: 60 * HOUR, ..step(1, "which") }],
    };
    let policy = Policy { sequences: vec![main], idle_ms: 15 * MINUTE, ..learning() };
    let mut ada = reachable("ada");
    let id = CartId::parse("cart_1").unwrap();
    let mut cart = Recovery::new(id, ada.shop.clone(), Currency::parse("EUR").unwrap(), day_zero());
    let change = Change::Add(vec![line("hat")]);
    let kind = SignalKind::Cart { currency: Currency::parse("EUR").unwrap(), change };
    cart.signal(day_zero(), Signal { id: EventId::parse("evt_1").unwrap(), at: day_zero(), kind });
    cart.link(day_zero(), &ada.id);
    cart.handle_timeout(day_zero().plus(15 * MINUTE), &policy);
    let mut ledger = Ledger::default();
    let mut learn = |effects: &[Effect]| {
        let news: Vec<Learned> = effects
            .iter()
            .filter_map(|e| match e {
                Effect::Record(entry) => Learned::from(entry),
                _ => None,
            })
            .collect();
        ledger.learn(&news);
        ledger.learn(&news);
        ledger.outcomes.of("which").map(|o| (o.tries, o.wins)).collect::<Vec<_>>()
    };
    let mut send = |cart: &mut Recovery, at: Timestamp| {
        cart.handle_timeout(at, &policy);
        let key = cart.pending.as_ref().unwrap().key.clone();
        let prepared = cart.prepare(at, &key, &policy).unwrap();
        let like = request("c", 0, "which");
        let request = ClaimRequest {
            facts: like.facts,
            showable_lines: 1,
            capable: BOTH.to_vec(),
            offers: like.offers,
            value_minor: like.value_minor,
            home: like.home,
            ..ClaimRequest::from(&prepared)
        };
        let record = ada.claim(at, &request, &policy, true);
        assert!(matches!(record.decision, Decision::Send(_)), "{:?}", record.checks);
        ada.mark_sent(&key, at);
        let mut effects = cart.settle(at, &key, Outcome::Sent, Some(&record), &policy);
        effects.extend(cart.settle(at, &key, Outcome::Sent, Some(&record), &policy));
        effects
    };
    let first = send(&mut cart, day_zero().plus(2 * HOUR));
    assert_eq!(learn(&first), [(1, 0)]);
    // The second message of the abandonment is no second try.
    let second = send(&mut cart, day_zero().plus(61 * HOUR));
    assert_eq!(learn(&second), [(1, 0)]);
    let order = |paid| CartOrder { id: "o-1".into(), at: day_zero().plus(62 * HOUR), paid };
    let placed = cart.ordered(day_zero().plus(62 * HOUR), &order(false), &policy);
    assert_eq!(learn(&placed), [(1, 0)]);
    // Paid, without a click: an order followed all the same. Told again, it is the same win.
    let mut paid = cart.ordered(day_zero().plus(63 * HOUR), &order(true), &policy);
    paid.extend(cart.ordered(day_zero().plus(64 * HOUR), &order(true), &policy));
    assert_eq!(learn(&paid), [(1, 1)]);
}

#[test]
fn outcomes_count_once_and_stay_small() {
    let tried =
        |arm: &str, counts| Tried { learner: "which".into(), cohort: String::new(), arm: arm.into(), counts };
    let mut held = Outcomes::default();
    for _ in 0..3 {
        held.sent(&key(1), &tried("ten", true));
        held.recovered(&key(1), &tried("ten", true));
        held.sent(&key(2), &tried("ten", true));
        held.sent(&key(3), &tried("none", false));
    }
    assert_eq!(held.of("which").cloned().collect::<Vec<_>>(), [outcome("ten", 2, 1)]);
    assert_eq!(held.of("another").count(), 0);
    for n in 0..3 * REMEMBERED {
        held.sent(&key(n), &tried(&format!("arm {n}"), true));
    }
    let text = serde_json::to_string(&held).unwrap();
    assert!(text.len() < 300_000, "{}", text.len());
    // The arm that was tried more than once outlived those tried once.
    assert!(held.of("which").any(|o| o.arm == "ten"));
}

proptest! {
    /// Judged by a list of what went out under which day's lease: whatever is repeated, lost, reported
    /// late or never, no day gives away more than its budget.
    #[test]
    fn no_day_gives_away_more_than_its_budget(
        budget in 0_i64..5_000,
        turns in proptest::collection::vec((0_usize..12, 1_i64..2_000, 0_u8..6, 0_i64..4 * HOUR), 1..150),
    ) {
        let mut budgets = Budgets::default();
        let mut at = day_zero();
        let mut given: BTreeMap<(i64, usize), i64> = BTreeMap::new();
        let mut leased: BTreeMap<usize, (i64, i64)> = BTreeMap::new();
        for (n, cost_minor, turn, pause) in turns {
            at = at.plus(pause);
            let day = at.millis() / DAY;
            let want = Want { offer: "ten".into(), cost_minor, budget_minor: budget };
            match turn {
                0..=2 => {
                    let lease = budgets.lease(at, &key(n), std::slice::from_ref(&want)).remove(0);
                    let again = budgets.clone().lease(at, &key(n), std::slice::from_ref(&want)).remove(0);
                    prop_assert_eq!(&lease, &again);
                    leased.insert(n, (day, lease.left_minor));
                    if lease.left_minor >= cost_minor && turn == 0 {
                        // It goes out, and the report is lost.
                        let most = given.entry((day, n)).or_insert(0);
                        *most = (*most).max(cost_minor);
                    }
                }
                3 => {
                    if let Some((on, minor)) = leased.remove(&n) {
                        let sum = given.entry((on, n)).or_insert(0);
                        *sum = (*sum).max(minor);
                        budgets.settle(at, &key(n), Some(("ten", minor)));
                        budgets.settle(at, &key(n), Some(("ten", minor)));
                        // A send that is settled is over; its key comes back as another.
                        let (Some(minor), other) = (given.remove(&(on, n)), 1_000 + given.len()) else { continue };
                        given.insert((on, other), minor);
                    }
                }
                4 => {
                    // A holder is refused: nothing went out, unless by one that died before.
                    budgets.lease(at, &key(n), std::slice::from_ref(&want));
                    leased.remove(&n);
                    budgets.settle(at, &key(n), None);
                }
                _ => {
                    // A report of something that was never leased.
                    budgets.settle(at, &key(500 + n), Some(("ten", 100)));
                }
            }
            let today: i64 = given.iter().filter(|((on, _), _)| *on == day).map(|(_, minor)| minor).sum();
            prop_assert!(today <= budget, "{today} of {budget}");
            prop_assert!(budgets.gone("ten") <= budget);
        }
    }
}

#[test]
fn a_refusal_brings_back_what_was_asked_for_once_and_not_what_may_have_gone_out() {
    let want = [Want { offer: "ten".into(), cost_minor: 700, budget_minor: 1_000 }];
    let left = |asked: usize| {
        let (mut budgets, mut meter) = (Budgets::default(), RunMeter::default());
        for n in 0..asked {
            let at = day_zero().plus(n as i64 * 5 * MINUTE);
            budgets.lease(at, &key(1), &want);
            meter.take(at, &key(1), 1);
        }
        let at = day_zero().plus(20 * MINUTE);
        budgets.settle(at, &key(1), None);
        meter.give_back(&key(1));
        (budgets.gone("ten"), meter.take(at, &key(2), 1).room_at.is_none())
    };
    assert_eq!(left(1), (0, true));
    // Its first holder may have died after the message went out.
    assert_eq!(left(2), (700, false));
}

#[test]
fn channels_are_measured_only_where_a_policy_chooses_by_it() {
    let key = |n: usize| SendKey::derive(&["channels", &n.to_string()]);
    let mut ledger = Ledger::default();
    let went = Happened::WentOut { key: key(1), channel: Channel::Email };
    let clicked = Happened::Clicked { key: key(1) };
    let told = [went, clicked].map(|what| Entry { at: day_zero(), what });
    let news: Vec<Learned> = told.iter().filter_map(Learned::from).collect();
    assert!(ledger.learn(&news));
    assert!(!ledger.learn(&news), "told twice");
    let mut request = request("c", 0, "ten");
    request.step.channels = BOTH.to_vec();
    let mut policy = Policy::plain("measured", vec![]);
    assert_eq!(Needs::of(&request, &policy), None, "most sends ask the shop nothing");
    policy.channels.by_performance = true;
    let needs = Needs::of(&request, &policy).unwrap();
    ledger.reserve(day_zero().plus(7 * DAY), &key(2), &needs).fill(&mut request);
    assert_eq!(request.performance, [(Channel::Email, (1, 1))].into());
    request.step.channels = vec![Channel::Email];
    assert_eq!(Needs::of(&request, &policy), None, "there is nothing to choose");
    let both = Arm { name: "both".into(), weight: 1, channels: Some(BOTH.to_vec()), ..Arm::default() };
    let subject = Subject::Step { sequence: request.sequence.clone(), step: request.step.name.clone() };
    policy.experiments =
        vec![Experiment { name: "x".into(), hypothesis: "it matters".into(), subject, arms: vec![both] }];
    assert!(Needs::of(&request, &policy).is_some_and(|needs| needs.performance), "an arm has a choice");
}
