//! Journals replayed: what the core says of them, and that what is over is let go.
#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use comeback_core::cart::{Change, Line, Trust};
use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::decision::Decision;
use comeback_core::id::{CartId, EventId, PersonId, SendKey, ShopId};
use comeback_core::jurisdiction::Place;
use comeback_core::money::Currency;
use comeback_core::person::Order;
use comeback_core::policy::Policy;
use comeback_core::signal::{Signal, SignalKind};
use comeback_core::time::{DAY, HOUR, MINUTE, Millis, Timestamp};
use comeback_sim::journal::{Capture, Event, Input, read_event, write_line};
use comeback_sim::shell::{Counts, Settings, Told, replay};

/// Noon in UTC of a Monday.
const NOON: Timestamp = Timestamp::from_millis(1_767_614_400_000);

fn policy() -> Policy {
    let (_, text) = comeback_policy::presets().iter().find(|(name, _)| *name == "early").unwrap();
    let (policy, _) = comeback_policy::parse("early", text).unwrap();
    Policy { holdout_percent: 0, ..policy }
}

fn shop() -> ShopId {
    ShopId::parse("shop_a").unwrap()
}

fn cart(n: u32) -> CartId {
    CartId::parse(&format!("cart_{n}")).unwrap()
}

fn person(n: u32) -> PersonId {
    PersonId::parse(&format!("per_{n}")).unwrap()
}

fn at(after: Millis, what: Input) -> Event {
    Event { at: NOON.plus(after), what }
}

/// A cart is filled at `after` by somebody who agreed to email.
fn filled(n: u32, after: Millis) -> Vec<Event> {
    let currency = Currency::parse("EUR").unwrap();
    let line = Line {
        item_id: "mug".into(),
        item_variant: None,
        quantity: 1,
        unit_price_minor: 1_900,
        title: "Mug".into(),
        image_url: None,
        item_url: None,
        class: None,
        trust: Trust::Signed,
    };
    let kind = SignalKind::Cart { currency, change: Change::Add(vec![line]) };
    let signal = Signal { id: EventId::derive(&["add", &n.to_string()]), at: NOON.plus(after), kind };
    let capture = Capture {
        cart: cart(n),
        visitor: None,
        person: Some(person(n)),
        currency,
        zone: Some("UTC".into()),
        place: Place::default(),
        mobile: false,
        automated: false,
        signals: vec![signal],
    };
    let consent = Consent {
        channel: Channel::Email,
        granted: true,
        wording: "v1".into(),
        at: NOON.plus(after),
        source: Source::Signed,
    };
    vec![
        at(
            after,
            Input::Contact {
                person: person(n),
                channel: Channel::Email,
                contact: format!("contact {n}"),
                verified: true,
                source: Source::Signed,
            },
        ),
        at(after, Input::Consent { person: person(n), consent }),
        at(after, Input::Capture(Box::new(capture))),
    ]
}

fn run(events: &[Event], policy: &Policy) -> (Counts, Vec<(String, Millis)>) {
    // Through text, as a journal is.
    let events = events.iter().map(|e| read_event(&write_line(e).unwrap()).unwrap()).collect::<Vec<_>>();
    let end = events.last().map_or(NOON, |e| e.at).plus(30 * DAY);
    let mut replayed = replay(policy, Settings::of(shop(), policy), events, end);
    let mut sent = vec![];
    for told in replayed.by_ref() {
        if let Told::Decided(decided) = told
            && decided.channel().is_some()
        {
            sent.push((decided.step, decided.record.at.since(NOON) / MINUTE));
        }
    }
    (replayed.counts(), sent)
}

#[test]
fn a_left_cart_is_written_about_by_the_policy() {
    let (counts, sent) = run(&filled(1, 0), &policy());
    assert_eq!(sent, [("reminder".to_owned(), 75), ("last_call".to_owned(), 24 * 60 + 15)]);
    assert_eq!((counts.carts, counts.sends, counts.most_carts), (1, 2, 1));
}

#[test]
fn an_order_ends_it_and_a_click_without_its_message_counts_for_nothing() {
    let mut events = filled(1, 0);
    let order = Order {
        id: "o1".into(),
        at: NOON.plus(2 * HOUR),
        total_minor: None,
        cancelled: false,
        currency: None,
    };
    let click = Input::Click { cart: cart(1), key: SendKey::of(&cart(1), 1, 1) };
    events.push(at(HOUR + 30 * MINUTE, click));
    events.push(at(
        2 * HOUR,
        Input::Order { order, paid: true, cart: Some(cart(1)), persons: vec![person(1)] },
    ));
    let (counts, sent) = run(&events, &policy());
    assert_eq!(sent, [("reminder".to_owned(), 75)]);
    assert_eq!(counts.clicks_without_send, 1);
}

#[test]
fn what_is_over_is_let_go() {
    let policy = policy();
    let many: Vec<Event> = (0..400).flat_map(|n| filled(n, DAY * i64::from(n))).collect();
    let (counts, _) = run(&many, &policy);
    assert_eq!((counts.carts, counts.sends), (400, 800));
    assert!(counts.most_carts < 40, "{} carts held at a time", counts.most_carts);
    assert!(counts.most_persons < 80, "{} persons held at a time", counts.most_persons);
}

#[test]
fn an_offer_with_a_budget_is_given_as_long_as_the_budget_covers_it() {
    let given = |budget: u32| {
        let text = format!(
            "[policy]\nname = \"offers\"\n\n[[offer]]\nname = \"two\"\nkind = \"amount\"\namount = 2\nvalid_for = \"48h\"\nfirst_message = true\n\
             budget_day = {budget}\n\n[[sequence]]\nname = \"standard\"\nsteps = [{{ name = \"reminder\", at = \"1h\", channel = [\"email\"], \
             template = \"reminder\", offer = \"two\" }}]\n\n[holdout]\npercent = 0\n"
        );
        let (policy, _) = comeback_policy::parse("offers", &text).unwrap();
        let end = NOON.plus(DAY);
        let told = replay(&policy, Settings::of(shop(), &policy), filled(1, 0), end);
        let grants = told.filter_map(|t| match t {
            Told::Decided(decided) => Some(match decided.record.decision {
                Decision::Send(clearance) => clearance.grant().and_then(|g| g.cost_minor),
                other => panic!("{other:?}"),
            }),
            Told::Logged { .. } => None,
        });
        grants.collect::<Vec<_>>()
    };
    assert_eq!(given(100), [Some(200)]);
    assert_eq!(given(1), [None], "the whole of a day's budget does not cover it");
}
