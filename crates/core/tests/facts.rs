//! What a cart answers when a condition is asked: every field that is said to be known of it, in the
//! units that the table of fields names.

#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use std::collections::BTreeMap;

use comeback_core::cart::Change;
use comeback_core::id::{CartId, EventId, PersonId, ShopId};
use comeback_core::money::Currency;
use comeback_core::policy::{FIELDS, Facts, Field, Known, Policy, Value};
use comeback_core::recovery::Recovery;
use comeback_core::signal::{CheckoutError, Signal, SignalKind};
use comeback_core::time::{HOUR, MINUTE, SECOND};
use comeback_testkit::*;

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

/// A cart of two sofas and a pen in a currency, with a session of everything, left by a refusal.
fn left(code: &str, policy: &Policy) -> Recovery {
    let (id, shop) = (CartId::parse("cart_1").unwrap(), ShopId::parse("shop_1").unwrap());
    let mut cart = Recovery::new(id, shop, currency(code), day_zero());
    cart.home = Some(currency("EUR"));
    cart.score = Some((0.25, "baseline-1".into()));
    cart.link(day_zero(), &PersonId::parse("per_1").unwrap());
    let lines = vec![line_of("divan", "sofas"), line_of("pouf", "sofas"), line("pen")];
    let kinds = [
        SignalKind::PageView,
        SignalKind::ViewItem { item: None, dwell_ms: Some(90 * SECOND) },
        SignalKind::Cart { currency: currency(code), change: Change::Add(lines) },
        SignalKind::Cart { currency: currency(code), change: Change::Remove(vec![]) },
        SignalKind::ViewShippingEstimate,
        SignalKind::TryCoupon { accepted: false },
        SignalKind::CheckoutError(CheckoutError {
            step: "payment".into(),
            code: "card_declined".into(),
            method: "card".into(),
        }),
    ];
    for (n, kind) in kinds.into_iter().enumerate() {
        let id = EventId::parse(&format!("evt_{n}")).unwrap();
        cart.signal(day_zero().plus(MINUTE), Signal { id, at: day_zero(), kind });
    }
    cart.handle_timeout(day_zero().plus(3 * MINUTE), policy);
    cart
}

fn policy() -> Policy {
    Policy {
        free_shipping_from: Some(200.0),
        rates: BTreeMap::from([("JPY".to_owned(), 0.006)]),
        ..by_trigger(all_triggers())
    }
}

#[test]
fn every_field_that_is_a_carts_is_known_of_it() {
    let policy = policy();
    let cart = left("EUR", &policy);
    let facts = cart.condition_facts(day_zero().plus(90 * MINUTE), &policy);
    for spec in FIELDS {
        let expect = spec.known == Known::Cart;
        assert_eq!(facts.get(spec.field).is_some(), expect, "{}", spec.name);
    }
    for (field, number) in [
        (Field::CartValue, 147.0),
        (Field::CartItems, 3.0),
        (Field::CartLines, 3.0),
        (Field::CartShippingGap, 53.0),
        (Field::CartAge, 1.5),
        (Field::SessionPages, 1.0),
        (Field::SessionProductViews, 1.0),
        (Field::SessionDwell, 90.0),
        (Field::SessionRemoves, 1.0),
        (Field::SessionShippingEstimates, 1.0),
        (Field::SessionCouponsRefused, 1.0),
        (Field::SessionCheckoutError, 1.0),
        (Field::SessionMobile, 0.0),
        (Field::AbandonmentNumber, 1.0),
        (Field::ScoreBuy, 0.25),
    ] {
        assert_eq!(facts.number(field), Some(number), "{field:?}");
    }
    let word = |word: &str| Some(Value::Word(word.to_owned().into()));
    assert_eq!(facts.get(Field::SessionStage).cloned(), word("checkout"));
    assert_eq!(facts.get(Field::AbandonmentTrigger).cloned(), word("checkout_error"));
    assert_eq!(facts.get(Field::AbandonmentCause).cloned(), word("declined_card"));
    assert_eq!(facts.get(Field::CartClasses), Some(&Value::Words(["sofas".to_owned()].into())));
}

#[test]
fn the_value_is_in_the_shops_currency_or_unknown() {
    let policy = policy();
    let value = |code: &str| {
        let cart = left(code, &policy);
        let facts = cart.condition_facts(day_zero().plus(HOUR), &policy);
        (facts.number(Field::CartValue), facts.number(Field::CartShippingGap), cart.value_minor(&policy))
    };
    assert_eq!(value("EUR"), (Some(147.0), Some(53.0), Some(14_700)));
    // Three times 4,900 yen, which has no minor unit.
    let (yen, gap, minor) = value("JPY");
    assert!((yen.unwrap() - 88.2).abs() < 1e-9 && (gap.unwrap() - 111.8).abs() < 1e-9);
    assert_eq!(minor, Some(8_820));
    assert_eq!(value("USD"), (None, None, None), "no rate, no value");
}

#[test]
fn of_a_profile_only_what_is_the_persons_is_kept() {
    let policy = policy();
    let mut cart = left("EUR", &policy);
    let mut told = Facts::default().with(Field::PersonOrders, 3.0).with(Field::CartValue, 1e6);
    told.set(Field::AbandonmentContacts, 9.0);
    cart.take_profile(&told);
    let facts = cart.condition_facts(day_zero().plus(HOUR), &policy);
    assert_eq!(facts.number(Field::PersonOrders), Some(3.0));
    assert_eq!(facts.number(Field::CartValue), Some(147.0));
    assert_eq!(facts.number(Field::AbandonmentContacts), None);
}
