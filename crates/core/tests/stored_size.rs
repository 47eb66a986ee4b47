//! What a cart weighs at rest. It is written with every batch of events, so a field more is paid for
//! with each of them.

#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use comeback_core::cart::{Change, Line};
use comeback_core::id::{CartId, EventId, PersonId, ShopId, VisitorId};
use comeback_core::money::Currency;
use comeback_core::recovery::Recovery;
use comeback_core::signal::{Signal, SignalKind};
use comeback_core::time::SECOND;
use comeback_testkit::*;

/// Two products put in, the cart looked at, checkout begun: so many events of one visit.
fn visit(events: usize) -> String {
    let eur = Currency::parse("EUR").unwrap();
    let shop = ShopId::parse("shop_demo").unwrap();
    let id = |kind: &str, n: usize| format!("{kind}{:022}", n * 1_000_003);
    let mut cart = Recovery::new(CartId::parse(&id("cart_", 1)).unwrap(), shop, eur, day_zero());
    cart.visitor = Some(VisitorId::parse(&id("vis_", 1)).unwrap());
    cart.zone = Some("Europe/Berlin".into());
    cart.link(day_zero(), &PersonId::parse(&id("per_", 1)).unwrap());
    cart.score = Some((0.512_345_678_901_234_5, "baseline-1".into()));
    let boots = || Line {
        title: "Walking boots, waxed".into(),
        image_url: Some("/img/boots-waxed.svg".into()),
        item_url: Some("/p/boots-waxed".into()),
        item_variant: Some("42".into()),
        ..line("boots-waxed")
    };
    let socks = || Line { title: "Wool socks".into(), item_url: Some("/p/socks".into()), ..line("socks") };
    for n in 0..events {
        let change = |change| SignalKind::Cart { currency: eur, change };
        let kind = match n {
            1 => change(Change::Add(vec![boots()])),
            3 => change(Change::Add(vec![socks()])),
            5 => change(Change::Set(vec![boots(), socks()])),
            6 => SignalKind::BeginCheckout,
            n if n % 2 == 0 => SignalKind::PageView,
            _ => SignalKind::ViewItem { item: None, dwell_ms: Some(4 * SECOND) },
        };
        let at = day_zero().plus(i64::try_from(n).unwrap() * SECOND);
        cart.signal(at, Signal { id: EventId::parse(&id("evt_", n)).unwrap(), at, kind });
    }
    serde_json::to_string(&cart).unwrap()
}

#[test]
fn a_stored_cart_is_small() {
    // Bounds a little above what it is; a change that exceeds one says what it buys.
    for (events, most) in [(8, 880), (40, 1_140), (400, 1_340)] {
        let text = visit(events);
        assert!(text.len() <= most, "{events} events: {} bytes\n{text}", text.len());
        let back: Recovery = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }
}
