//! A cart that is forgotten, asked by hand: what is left of it at rest and in its log, what calls that cross
//! it find, and that its person refuses a claim that was prepared before.

#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use comeback_core::cart::Change;
use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::decision::{Decision, Why};
use comeback_core::effect::{Effect, Happened};
use comeback_core::gate::ClaimRequest;
use comeback_core::id::{CartId, EventId, PersonId, ShopId, VisitorId};
use comeback_core::money::Currency;
use comeback_core::person::{KnownEpisode, Person};
use comeback_core::recovery::{CartOrder, Outcome, Phase, Recovery};
use comeback_core::signal::{Signal, SignalKind};
use comeback_core::time::{DAY, HOUR, MINUTE, Timestamp};
use comeback_testkit::*;

fn id() -> CartId {
    CartId::parse("cart_1").unwrap()
}

fn per(number: u32) -> PersonId {
    PersonId::parse(&format!("per_{number}")).unwrap()
}

fn signal(number: u32, at: Timestamp, kind: SignalKind) -> Signal {
    Signal { id: EventId::parse(&format!("evt_{number}")).unwrap(), at, kind }
}

fn adds_boots(number: u32, at: Timestamp) -> Signal {
    let change = Change::Add(vec![line("secret-boots")]);
    signal(number, at, SignalKind::Cart { currency: Currency::parse("EUR").unwrap(), change })
}

/// Left at a quarter past, its first step offered an hour later.
fn offered() -> (Recovery, Timestamp) {
    let shop = ShopId::parse("shop_1").unwrap();
    let mut cart = Recovery::new(id(), shop, Currency::parse("EUR").unwrap(), day_zero());
    cart.visitor = VisitorId::parse("vis_1").ok();
    cart.zone = Some("Europe/Dublin".into());
    cart.link(day_zero(), &per(1));
    cart.signal(day_zero(), adds_boots(1, day_zero()));
    cart.handle_timeout(day_zero().plus(15 * MINUTE), &three_emails());
    let now = day_zero().plus(75 * MINUTE);
    let effects = cart.handle_timeout(now, &three_emails());
    assert!(effects.iter().any(|e| matches!(e, Effect::OfferSend(_))), "{effects:?}");
    (cart, now)
}

fn ada() -> Person {
    let mut ada = Person::new(per(1), ShopId::parse("shop_1").unwrap());
    ada.add_contact(Channel::Email, "ada@example.com", Source::Signed, day_zero());
    let (wording, at, source) = ("w".to_owned(), day_zero(), Source::Signed);
    ada.record_consent(Consent { channel: Channel::Email, granted: true, wording, at, source });
    ada.link_cart(&id());
    ada
}

#[test]
fn nothing_is_left_but_that_it_was_forgotten_and_whose_it_was() {
    let (mut cart, now) = offered();
    let version = cart.cart.version;
    let effects = cart.forget(now);
    let [Effect::Erase, Effect::Record(entry)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((entry.at, &entry.what), (now, &Happened::Forgotten));
    assert!(cart.phase.is_closed() && !cart.phase.is_ordered());
    assert!(cart.cart.is_empty() && cart.cart.version > version);
    let text = serde_json::to_string(&cart).unwrap();
    for gone in ["secret-boots", "vis_1", "Dublin", "evt_", "episode", "pending", "seen"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    assert_eq!(cart.person, Some(per(1)));
    let before = cart.clone();
    assert_eq!(cart.forget(now.plus(DAY)), vec![], "again");
    assert_eq!(cart, before);
}

#[test]
fn no_call_that_crosses_it_or_comes_late_changes_it() {
    let (mut cart, now) = offered();
    let key = cart.pending.clone().unwrap().key;
    cart.forget(now);
    let before = cart.clone();
    let policy = three_emails();
    assert_eq!(cart.prepare(now, &key, &policy), Err(Why::Forgotten));
    let order = CartOrder { id: "1".into(), at: now, paid: true };
    let mut said = vec![];
    said.extend(cart.signal(now, adds_boots(1, day_zero())));
    said.extend(cart.signal(now, adds_boots(2, now)));
    said.extend(cart.signal(now, signal(3, now, SignalKind::PageHide)));
    said.extend(cart.signal(now, signal(4, now, SignalKind::Purchase { order: "1".into() })));
    said.extend(cart.link(now, &per(2)));
    said.extend(cart.link_from_page(now, &per(2), VisitorId::parse("vis_1").ok().as_ref()));
    said.extend(cart.clicked(now, &key));
    said.extend(cart.ordered(now, &order, &policy));
    said.extend(cart.settle(now, &key, Outcome::Skipped { why: Why::NoConsent }, None, &policy));
    said.extend(cart.handle_timeout(now.plus(30 * DAY), &policy));
    assert_eq!(said, vec![]);
    assert_eq!(cart, before);
    // Its retention begins anew, so that no event that is late by days finds nothing there.
    let over = cart.next_wakeup(&policy).unwrap();
    assert_eq!(over, now.plus(policy.cart_retention_ms));
    assert!(cart.handle_timeout(over, &policy).contains(&Effect::Forget));
    assert_eq!(cart.phase, Phase::Expired);
}

#[test]
fn a_claim_that_was_prepared_before_is_refused_and_one_that_was_let_through_is_told() {
    let (mut cart, now) = offered();
    let key = cart.pending.clone().unwrap().key;
    let prepared = cart.prepare(now, &key, &three_emails()).unwrap();
    let request =
        ClaimRequest { showable_lines: 1, capable: vec![Channel::Email], ..ClaimRequest::from(&prepared) };
    let mut let_through = ada();
    let record = let_through.claim(now, &request, &three_emails(), true);
    assert!(matches!(record.decision, Decision::Send(_)), "{:?}", record.checks);

    let mut ada = ada();
    ada.forget_cart(&id());
    let refused = ada.claim(now, &request, &three_emails(), true);
    assert_eq!(refused.decision, Decision::Skip { why: Why::Forgotten });
    assert!(Why::Forgotten.ends_sequence());
    let other = ClaimRequest { cart: CartId::parse("cart_2").unwrap(), ..request };
    assert!(matches!(ada.claim(now, &other, &three_emails(), true).decision, Decision::Send(_)));

    cart.forget(now);
    let told = cart.settle(now, &key, Outcome::Sent, Some(&record), &three_emails());
    let [Effect::Record(entry)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(entry.what, Happened::WentOut { key, channel: Channel::Email });
    assert!(cart.episode.is_none());
}

#[test]
fn a_person_forgets_the_cart_and_keeps_what_protects_them() {
    let mut ada = ada();
    let episode =
        |until| KnownEpisode { abandoned_at: day_zero(), cart: id(), abandonment: 1, browse: false, until };
    ada.left(episode(Some(day_zero().plus(2 * HOUR))));
    ada.forget_cart(&id());
    ada.forget_cart(&id());
    assert_eq!((ada.carts.as_slice(), ada.forgotten.as_slice()), (&[][..], &[id()][..]));
    assert_eq!(ada.episodes[0].until, Some(day_zero()), "nobody waits for it");
    ada.link_cart(&id());
    ada.left(KnownEpisode { abandonment: 2, ..episode(None) });
    assert_eq!((ada.carts.len(), ada.episodes.len()), (0, 1), "late news change nothing");
    // The other part of a person that knows the cart still: the stricter side wins, whichever takes in which.
    for swap in [false, true] {
        let mut other = Person::new(per(2), ada.shop.clone());
        other.link_cart(&id());
        let (mut survivor, gone) = if swap { (other, ada.clone()) } else { (ada.clone(), other) };
        survivor.absorb(&gone);
        assert_eq!((survivor.carts.as_slice(), survivor.forgotten.as_slice()), (&[][..], &[id()][..]));
        let once = survivor.clone();
        survivor.absorb(&gone);
        assert_eq!(survivor, once);
    }
    for number in 0..50 {
        ada.forget_cart(&CartId::parse(&format!("cart_x{number}")).unwrap());
    }
    assert_eq!(ada.forgotten.len(), 20);
}
