//! Properties of one cart and of merged persons, without a shell: order and number of arrivals do
//! not matter, wakeups that are early or repeated do nothing, a merge loosens nothing.

#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use comeback_core::cart::Change;
use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::effect::Effect;
use comeback_core::id::{CartId, EventId, PersonId, SendKey, ShopId};
use comeback_core::money::Currency;
use comeback_core::person::{Order, Person};
use comeback_core::policy::Policy;
use comeback_core::recovery::{Outcome, Recovery};
use comeback_core::signal::{CheckoutError, Signal, SignalKind, Viewed};
use comeback_core::time::{HOUR, MINUTE, SECOND, Timestamp};
use comeback_testkit::faults::SplitMix64;
use comeback_testkit::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The seed is fixed: the same cases everywhere and every day.
fn cases(cases: u32) -> ProptestConfig {
    let rng_seed = RngSeed::Fixed(20_260_105);
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

fn tight() -> Policy {
    with_quiet_nights(policy(&[email("first", HOUR), email("second", 25 * HOUR), email("third", 26 * HOUR)]))
}

fn fresh_cart() -> Recovery {
    Recovery::new(
        CartId::parse("cart_1").unwrap(),
        ShopId::parse("shop_1").unwrap(),
        Currency::parse("EUR").unwrap(),
        day_zero(),
    )
}

fn signal(number: usize, minute: i64, kind: u8) -> Signal {
    let cart = |change| SignalKind::Cart { currency: Currency::parse("EUR").unwrap(), change };
    let kind = match kind % 32 {
        0 | 1 => cart(Change::Add(vec![line("boots")])),
        2 => cart(Change::Add(vec![line("hat")])),
        3 => cart(Change::Remove(vec![line("boots")])),
        4 => cart(Change::Set(vec![line("hat"), line("scarf")])),
        5 => SignalKind::ViewItem { item: None, dwell_ms: Some(4_000) },
        6 => SignalKind::BeginCheckout,
        7 => SignalKind::CheckoutError(CheckoutError {
            step: "payment".into(),
            code: format!("e{number}"),
            method: "card".into(),
        }),
        8 => SignalKind::PageHide,
        16 => SignalKind::ExitIntent,
        17 => SignalKind::SessionEnd,
        18 => SignalKind::ViewShippingEstimate,
        19 => SignalKind::TryCoupon { accepted: number.is_multiple_of(2) },
        20 => SignalKind::AddPaymentInfo,
        21..=24 => look(number),
        25 => cart(Change::Set(vec![])),
        26 => cart(Change::Remove(vec![line("boots"), line("hat"), line("scarf")])),
        _ => SignalKind::PageView,
    };
    Signal {
        id: EventId::parse(&format!("evt_{number}")).unwrap(),
        at: day_zero().plus(minute * MINUTE),
        kind,
    }
}

/// A look, long or short, at one of several products of more classes than are kept.
fn look(number: usize) -> SignalKind {
    let class = ["shoes", "hats", "sofas", "lamps", "rugs", "mugs"][number % 6];
    let item = Viewed {
        item_id: format!("{class}{}", number % 4),
        item_variant: None,
        class: (!number.is_multiple_of(5)).then(|| class.to_owned()),
    };
    let dwell_ms = i64::try_from(number * 7_919 % 120).unwrap() * SECOND;
    if number.is_multiple_of(3) {
        SignalKind::Dwelt { item, dwell_ms }
    } else {
        SignalKind::ViewItem { item: Some(item), dwell_ms: Some(dwell_ms) }
    }
}

/// The whole stored state without what depends, by design, on the order of arrival: the ring of
/// seen events.
fn comparable(recovery: &Recovery) -> serde_json::Value {
    let mut state = serde_json::to_value(recovery).unwrap();
    assert!(state.as_object_mut().unwrap().remove("seen").is_some(), "seen is not stored any more");
    state
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn signals_in_any_order_and_number_give_one_state(
        kinds in prop::collection::vec(any::<u8>(), 1..24), seed in any::<u64>(),
    ) {
        // One signal a minute: two errors of the same instant have no order to keep.
        let now = day_zero().plus(60 * MINUTE);
        let all: Vec<Signal> = kinds
            .iter()
            .zip(0_i64..)
            .enumerate()
            .map(|(n, (kind, minute))| signal(n, minute, *kind))
            .collect();
        let mut straight = fresh_cart();
        for s in &all {
            straight.signal(now, s.clone());
        }
        let mut random = SplitMix64::new(seed);
        let mut shuffled: Vec<Signal> = all.iter().chain(&all).cloned().collect();
        for i in (1..shuffled.len()).rev() {
            let j = usize::try_from(random.below(u64::try_from(i + 1).unwrap())).unwrap();
            shuffled.swap(i, j);
        }
        let mut other = fresh_cart();
        for s in shuffled {
            other.signal(now, s);
        }
        prop_assert_eq!(comparable(&straight), comparable(&other));
    }

    #[test]
    fn wakeups_that_are_early_or_repeated_do_nothing(
        moves in prop::collection::vec((0_i64..400, 0_u8..8, any::<u8>()), 1..40),
        early in 1_i64..100,
        every_trigger in any::<bool>(),
    ) {
        let policy = if every_trigger { by_trigger(all_triggers()) } else { tight() };
        let mut cart = fresh_cart();
        cart.link(day_zero(), &PersonId::parse("per_1").unwrap());
        let mut now = day_zero();
        for (n, (minutes, act, kind)) in moves.into_iter().enumerate() {
            now = now.plus(minutes * MINUTE);
            match act {
                5 | 6 => {
                    if let Some(pending) = cart.pending.clone() {
                        let outcome = match kind % 3 {
                            0 => Outcome::Sent,
                            1 => Outcome::Deferred { until: now.plus(i64::from(kind) * MINUTE) },
                            _ => Outcome::Skipped { why: comeback_core::decision::Why::NoConsent },
                        };
                        cart.settle(now, &pending.key, outcome, None, &policy);
                    }
                }
                7 => {
                    cart.handle_timeout(now, &policy);
                }
                _ => {
                    let mut s = signal(n, 0, kind);
                    s.at = now;
                    cart.signal(now, s);
                }
            }
            let Some(due) = cart.next_wakeup(&policy) else {
                return Err(TestCaseError::fail("a cart that nothing would ever wake"));
            };
            // Early: anything before the due time.
            let before = cart.clone();
            let sooner = due.plus(-early * MINUTE);
            prop_assert_eq!(cart.handle_timeout(sooner, &policy), vec![]);
            prop_assert_eq!(&cart, &before);
            // At the due time something happens, and it moves the due time on, or the cart is over.
            let mut later = cart.clone();
            let effects = later.handle_timeout(due.max(now), &policy);
            let gone = effects.contains(&Effect::Forget);
            prop_assert!(gone || later.next_wakeup(&policy) > Some(due.max(now)), "{later:#?}");
            prop_assert!(gone || later != cart, "woken for nothing: {cart:#?}");
            // Repeated: the same wakeup again.
            if !gone {
                let after = later.clone();
                prop_assert_eq!(later.handle_timeout(due.max(now), &policy), vec![]);
                prop_assert_eq!(later, after);
            }
        }
    }

    #[test]
    fn merging_persons_is_idempotent_and_loosens_nothing(a in person("per_a"), b in person("per_b")) {
        let mut once = a.clone();
        once.absorb(&b);
        let mut twice = once.clone();
        twice.absorb(&b);
        prop_assert_eq!(&once, &twice);
        for side in [&a, &b] {
            for order in &side.orders {
                prop_assert!(once.orders.iter().any(|o| o.id == order.id));
            }
            for (channel, at) in &side.opt_outs {
                prop_assert!(once.opt_outs.iter().any(|(c, t)| c == channel && t >= at));
            }
            prop_assert!(once.opted_out_of_all >= side.opted_out_of_all);
            prop_assert!(once.paused_until >= side.paused_until);
            for sent in &side.sends {
                prop_assert!(once.has_sent(&sent.key));
            }
        }
        // Either way round, the same is forbidden.
        let mut other_way = b.clone();
        other_way.absorb(&a);
        let strict = |p: &Person| {
            let mut orders: Vec<_> = p.orders.iter().map(|o| o.id.clone()).collect();
            orders.sort();
            let mut outs = p.opt_outs.clone();
            outs.sort();
            (orders, outs, p.opted_out_of_all, p.paused_until, p.sends.clone())
        };
        prop_assert_eq!(strict(&once), strict(&other_way));
    }
}

fn person(id: &'static str) -> impl Strategy<Value = Person> {
    prop::collection::vec((0_u8..6, 0_i64..50), 0..12).prop_map(move |moves| {
        let mut person = Person::new(PersonId::parse(id).unwrap(), ShopId::parse("shop_1").unwrap());
        for (kind, n) in moves {
            let t: Timestamp = day_zero().plus(n * HOUR);
            let channel = if n % 2 == 0 { Channel::Email } else { Channel::Sms };
            match kind {
                0 => person.add_contact(channel, &format!("a{}", n % 5), Source::Page, t),
                1 => person.record_consent(Consent {
                    channel,
                    granted: n % 3 != 0,
                    wording: "w".into(),
                    at: t,
                    source: Source::Signed,
                }),
                2 => person.opt_out(if n % 5 == 0 { None } else { Some(channel) }, t),
                3 => person.record_order(Order {
                    id: format!("o{}", n % 7),
                    at: t,
                    total_minor: None,
                    cancelled: n % 4 == 0,
                    currency: None,
                }),
                4 => {
                    let key = SendKey::derive(&[&n.to_string()]);
                    let cart = CartId::parse(&format!("cart_{}", n % 3)).unwrap();
                    person.sends.push(comeback_core::person::Sent {
                        at: t,
                        key,
                        channel,
                        cart,
                        abandonment: 1,
                        offered: false,
                        address: String::new(),
                        template: String::new(),
                        clicked: None,
                        browse: false,
                        grant: None,
                        tried: None,
                    });
                    person.sends.sort_unstable();
                    person.sends.dedup();
                }
                _ => person.paused_until = person.paused_until.max(Some(t)),
            }
        }
        person
    })
}
