//! Properties of cart, gate and person in a shell where anything can go wrong, judged by
//! [`comeback_testkit::judge`], which shares no code with what it judges; and proof that the judge
//! can say no: a shell that is wrong on purpose is found out.

#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use std::collections::BTreeMap;

use comeback_core::cart::Change;
use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::effect::Effect;
use comeback_core::id::{CartId, EventId, PersonId, SendKey, ShopId};
use comeback_core::money::Currency;
use comeback_core::person::{Order, Person};
use comeback_core::policy::{Caps, Policy};
use comeback_core::recovery::{Outcome, Recovery};
use comeback_core::signal::{CheckoutError, Signal, SignalKind};
use comeback_core::time::{DAY, HOUR, MINUTE, Millis, Timestamp};
use comeback_testkit::faults::{Faults, SplitMix64};
use comeback_testkit::judge::{Rules, contacts, contacts_in_time, judge};
use comeback_testkit::timeline::{Fact, story};
use comeback_testkit::world::Breakage;
use comeback_testkit::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The seed is fixed: the same cases everywhere and every day. Change it to look elsewhere.
fn cases(cases: u32) -> ProptestConfig {
    let rng_seed = RngSeed::Fixed(20_260_105);
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

// Lives: what a few humans with several carts do within days.

/// One act: minutes after the one before, who, what.
type Life = Vec<(i64, &'static str, Act)>;

fn subject() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("ada"), 2 => Just("ada/phone"), 1 => Just("ada#2"), 2 => Just("bob")]
}

fn act() -> impl Strategy<Value = Act> {
    let yes_or_no = (any::<bool>(), prop_oneof![Just(Source::Page), Just(Source::Signed)]);
    prop_oneof![
        8 => prop_oneof![Just("boots"), Just("hat")].prop_map(adds),
        2 => Just(removes("boots")),
        6 => Just(Act::Views),
        1 => Just(Act::Hides),
        3 => Just(Act::Clicks),
        3 => Just(signs_in()),
        3 => Just(types_email()),
        3 => Just(gives_phone()),
        2 => any::<bool>().prop_map(|paid| Act::Orders { paid, address: None }),
        1 => Just(Act::PageSaysBought),
        1 => prop_oneof![Just(None), Just(Some(Channel::Email)), Just(Some(Channel::Sms))].prop_map(Act::OptsOut),
        2 => (yes_or_no, prop_oneof![Just(Channel::Email), Just(Channel::Sms)])
            .prop_map(|((granted, source), channel)| Act::Consents { channel, granted, source }),
        1 => (1_i64..40).prop_map(|hours| Act::PausesFor(hours * HOUR)),
        1 => Just(Act::ShopStops),
        2 => Just(Act::ShopResumes),
        1 => any::<bool>().prop_map(Act::ProviderDown),
        1 => Just(Act::ProviderRefusesOnce),
        2 => Just(Act::QueueForgets),
        3 => Just(Act::SpuriousAlarm),
    ]
}

fn life() -> impl Strategy<Value = Life> {
    // Gaps around the idle time, the first step and the daily cap, where the edges are.
    let gap = prop_oneof![4 => 0_i64..30, 3 => 30_i64..180, 2 => 600_i64..1700];
    prop::collection::vec((gap, subject(), act()), 1..28)
}

/// Most humans are known and reachable from the start, or little would ever be sent.
fn play(policy: &Policy, life: &Life, known: u8) -> Scenario {
    let mut scenario = Scenario::new(policy.clone()).until("11 00:00");
    let mut now = at("0 10:00");
    let contact = if known & 4 == 0 { signs_in() } else { types_email() };
    if known & 1 != 0 {
        scenario = scenario.at_instant(now, "ada", contact.clone()).at_instant(now, "ada/phone", contact);
    }
    if known & 2 != 0 {
        scenario = scenario.at_instant(now, "bob", gives_phone()).at_instant(now, "bob", signs_in());
    }
    scenario = scenario.at_instant(now, "ada", adds("boots")).at_instant(now, "bob", adds("hat"));
    for (minutes, who, act) in life {
        now = now.plus(minutes * MINUTE);
        scenario = scenario.at_instant(now, who, act.clone());
    }
    scenario
}

const BOTH: [Channel; 2] = [Channel::Sms, Channel::Email];

fn tight() -> Policy {
    let policy = policy(&[
        by("first", HOUR, &BOTH),
        by("second", 25 * HOUR, &BOTH),
        email("third", 26 * HOUR),
        email("last", 73 * HOUR),
    ]);
    Policy { default_zone: "Europe/Berlin".into(), ..with_quiet_nights(policy) }
}

fn promises() -> Rules {
    // Berlin in January.
    let ahead = |name: &str| (name.to_owned(), 60);
    Rules {
        quiet: Some((21, 9)),
        ahead_minutes: BTreeMap::from([ahead("ada"), ahead("bob")]),
        ..Rules::default()
    }
}

/// No daily cap, so that other limits have to hold on their own.
fn loose() -> Policy {
    Policy { caps: Caps { day: 9, week: 20, sms_per_abandonment: 1, unverified_ms: 30 * DAY }, ..tight() }
}

fn loose_promises() -> Rules {
    Rules { per_day: 9, per_week: 20, ..promises() }
}

proptest! {
    #![proptest_config(cases(384))]

    #[test]
    fn no_promise_is_broken_whatever_goes_wrong(
        life in life(), known in 0_u8..8, seed in any::<u64>(), caps in any::<bool>(),
    ) {
        let (policy, rules) = if caps { (tight(), promises()) } else { (loose(), loose_promises()) };
        let world = play(&policy, &life, known).with(Faults::chaos(seed, 40)).run();
        let wrong = judge(&world.timeline, &rules);
        prop_assert!(wrong.is_empty(), "{wrong:#?}\n{:#?}\n{}", world.timeline, story(&world.timeline));
    }

    #[test]
    fn an_event_that_comes_again_adds_no_send(
        life in life(), known in 0_u8..8, again in prop::collection::vec((any::<prop::sample::Index>(), 0_i64..12_000), 1..6),
    ) {
        // A click has no id: following a link twice is two returns. An opt-out that comes again is
        // a new one: it holds even after a yes that lifted the first. Switches are the operator's.
        let life: Life = life.into_iter().filter(|(_, _, a)| may_repeat(a)).collect();
        let scenario = play(&tight(), &life, known);
        let first = scenario.run();
        let count = scenario.acts();
        let mut replayed = scenario;
        for (index, minutes) in again {
            let arrives = at("0 10:00").plus(minutes * MINUTE);
            replayed = replayed.replaying(index.index(count), arrives);
        }
        let second = replayed.run();
        prop_assert_eq!(
            contacts_in_time(&first.timeline), contacts_in_time(&second.timeline),
            "\n{}\n---\n{}", story(&first.timeline), story(&second.timeline)
        );
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn the_same_seed_gives_the_same_run(life in life(), seed in any::<u64>()) {
        let scenario = play(&tight(), &life, 3).with(Faults::chaos(seed, 40));
        prop_assert_eq!(scenario.run().timeline, scenario.run().timeline);
    }

    #[test]
    fn jobs_delivered_twice_change_nothing_that_is_sent(life in life(), known in 0_u8..8) {
        let life: Life = life.into_iter().filter(|(_, _, a)| *a != Act::ProviderRefusesOnce).collect();
        let scenario = play(&tight(), &life, known);
        let twice = scenario.clone().with(Faults::twice()).run();
        prop_assert_eq!(contacts_in_time(&scenario.run().timeline), contacts_in_time(&twice.timeline));
    }
}

fn may_repeat(act: &Act) -> bool {
    !matches!(
        act,
        Act::Clicks
            | Act::OptsOut(_)
            | Act::Consents { granted: false, .. }
            | Act::ShopStops
            | Act::ShopResumes
            | Act::ProviderDown(_)
            | Act::ProviderRefusesOnce
            | Act::QueueForgets
            | Act::SpuriousAlarm
    )
}

// Crashes and losses: every due send arrives exactly once.

/// Steps far apart, so that a delay of minutes moves no step past another rule's edge.
fn far_apart() -> Policy {
    three_emails()
}

/// Lives of one cart in which nothing hangs on minutes: what is sent is the same whenever exactly
/// a crashed step is made good.
fn quiet_lives() -> Vec<(&'static str, Scenario)> {
    let start =
        || Scenario::new(far_apart()).at("0 10:00", "ada", signs_in()).at("0 10:00", "ada", adds("boots"));
    vec![
        ("left alone", start()),
        ("back for a look", start().at("0 18:00", "ada", Act::Views)),
        ("clicks", start().at("0 18:00", "ada", Act::Clicks)),
        ("another cart", start().at("4 18:00", "ada", adds("hat"))),
        ("buys later", start().at("2 10:00", "ada", buys())),
        ("orders, then pays", start().at("0 18:00", "ada", orders()).at("1 10:00", "ada", buys())),
        ("opts out", start().at("0 18:00", "ada", unsubscribes())),
        (
            "two persons become one",
            start().at("0 18:00", "ada/phone", adds("socks")).at("0 18:00", "ada/phone", types_email()).at(
                "0 19:00",
                "ada/phone",
                removes("socks"),
            ),
        ),
    ]
}

#[test]
fn a_crash_at_any_step_changes_nothing_that_is_sent() {
    let rules = Rules::default();
    let mut crashes = 0;
    for (name, scenario) in quiet_lives() {
        let whole = scenario.run();
        let expect = contacts(&whole.timeline);
        assert!(!expect.is_empty(), "{name}: a life in which nothing is sent shows nothing");
        for step in 0..whole.faults.steps() {
            for faults in [Faults::crash_at(step), Faults::crash_and_lose_at(step)] {
                let world = scenario.clone().with(faults).run();
                let told = story(&world.timeline);
                assert!(told.contains("crash"), "{name}: step {step} was never reached");
                assert_eq!(contacts(&world.timeline), expect, "{name}, crash at {step}:\n{told}");
                assert_eq!(judge(&world.timeline, &rules), [""; 0], "{name}, crash at {step}:\n{told}");
                let end = |w: &world::World| w.cart("ada").map(|c| c.phase);
                assert_eq!(end(&world), end(&whole), "{name}, crash at {step}:\n{told}");
                crashes += 1;
            }
        }
    }
    assert!(crashes > 500, "only {crashes} crashes were tried");
}

#[test]
fn what_the_queue_loses_is_offered_again() {
    for (name, scenario) in quiet_lives() {
        let expect = contacts(&scenario.run().timeline);
        // The queue forgets in the very minute in which a job is put on it, day after day, because
        // the acts of a minute come before what its alarms bring about; and at any other minute.
        for seed in 0..40 {
            let mut random = SplitMix64::new(seed);
            let mut lossy = scenario.clone();
            for _ in 0..12 {
                let minute = Millis::try_from(random.below(5 * 24 * 60)).unwrap();
                lossy = lossy.at_instant(day_zero().plus(minute * MINUTE), "queue", Act::QueueForgets);
            }
            let world = lossy.with(Faults::losing_first(seed % 7)).run();
            assert_eq!(contacts(&world.timeline), expect, "{name}, {seed}:\n{}", story(&world.timeline));
        }
    }
}

// The judge can say no.

fn found_out(scenario: Scenario, breakage: Breakage, complaint: &str) {
    let honest = judge(&scenario.run().timeline, &Rules::default());
    assert_eq!(honest, [""; 0], "the shell that is right");
    let wrong = judge(&scenario.broken(breakage).run().timeline, &Rules::default());
    assert!(wrong.iter().any(|w| w.contains(complaint)), "{breakage:?} went unnoticed: {wrong:#?}");
}

fn ada() -> Scenario {
    Scenario::new(far_apart()).at("0 10:00", "ada", signs_in()).at("0 10:00", "ada", adds("boots"))
}

#[test]
fn a_shell_that_skips_the_claim_is_found_out() {
    found_out(ada(), Breakage::ClaimsSkipped, "sent without leave");
    found_out(ada().at("0 11:00", "ada", unsubscribes()), Breakage::ClaimsSkipped, "opted out of everything");
    let never_asked = Scenario::new(far_apart())
        .at("0 10:00", "ada", leaves(Channel::Email, Source::Signed, None))
        .at("0 10:00", "ada", adds("boots"));
    found_out(never_asked, Breakage::ClaimsSkipped, "never said yes");
    let stopped = ada().at("0 10:30", "shop", Act::ShopStops);
    found_out(stopped, Breakage::ClaimsSkipped, "stopped all sends");
    let two_carts = ada().at("0 10:05", "ada/phone", signs_in()).at("0 10:05", "ada/phone", adds("hat"));
    found_out(two_carts, Breakage::ClaimsSkipped, "2 messages in a day");
}

#[test]
fn a_shell_that_answers_before_it_writes_is_found_out() {
    found_out(ada().at("0 11:00", "ada", buys()), Breakage::AcknowledgesFirst, "an order was acknowledged");
    found_out(ada().at("0 11:00", "ada", unsubscribes()), Breakage::AcknowledgesFirst, "opted out");
}

#[test]
fn a_shell_with_a_new_key_per_attempt_is_found_out() {
    let steps = ada().run().faults.steps();
    let caught = (0..steps).any(|n| {
        let world = ada().broken(Breakage::NewKeyPerAttempt).with(Faults::crash_at(n)).run();
        judge(&world.timeline, &Rules::default()).iter().any(|w| w.contains("went out 2 times"))
    });
    assert!(caught);
}

#[test]
fn a_shell_that_fires_and_forgets_is_found_out() {
    let expect = contacts(&ada().run().timeline);
    let forgetful = || ada().broken(Breakage::FiresAndForgets).with(Faults::losing_first(1));
    assert_ne!(contacts(&forgetful().run().timeline), expect);
}

#[test]
fn the_judge_knows_night_texts_and_strangers() {
    // Timelines that no good shell writes, by changing what a good one wrote.
    let world = Scenario::new(policy(&[by("a", HOUR, &[Channel::Sms]), by("b", 30 * HOUR, &[Channel::Sms])]))
        .at("0 10:00", "ada", gives_phone())
        .at("0 10:00", "ada", adds("boots"))
        .run();
    let says = |timeline: &[timeline::Entry], rules: &Rules, what: &str| {
        let wrong = judge(timeline, rules);
        assert!(wrong.iter().any(|w| w.contains(what)), "{what}: {wrong:#?}");
    };
    assert_eq!(judge(&world.timeline, &Rules::default()), [""; 0]);
    says(
        &world.timeline,
        &Rules { texts_per_episode: 0, ..Rules::default() },
        "text messages in one episode",
    );
    says(&world.timeline, &Rules { quiet: Some((22, 12)), ..Rules::default() }, "o'clock");
    let mut typed = world.timeline.clone();
    for entry in &mut typed {
        if let Fact::Brought { source, .. } = &mut entry.fact {
            *source = Source::Page;
        }
    }
    says(&typed, &Rules { episodes_per_unverified: 0, ..Rules::default() }, "an unverified address");
    assert_eq!(judge(&typed, &Rules::default()), [""; 0]);
}

// The state machine by itself.

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
    let kind = match kind % 10 {
        0 | 1 => cart(Change::Add(vec![line("boots")])),
        2 => cart(Change::Add(vec![line("hat")])),
        3 => cart(Change::Remove(vec![line("boots")])),
        4 => cart(Change::Set(vec![line("hat"), line("scarf")])),
        5 => SignalKind::ViewItem { dwell_ms: Some(4_000) },
        6 => SignalKind::BeginCheckout,
        7 => SignalKind::CheckoutError(CheckoutError {
            step: "payment".into(),
            code: format!("e{number}"),
            method: "card".into(),
        }),
        8 => SignalKind::PageHide,
        _ => SignalKind::PageView,
    };
    Signal {
        id: EventId::parse(&format!("evt_{number}")).unwrap(),
        at: day_zero().plus(minute * MINUTE),
        kind,
    }
}

/// The whole stored state without what depends, by design, on the order of arrival: the ring of
/// seen events, the list of the last events that changed the cart, and the number of changes seen.
fn comparable(recovery: &Recovery) -> serde_json::Value {
    let mut state = serde_json::to_value(recovery).unwrap();
    for gone in ["seen", "basis"] {
        assert!(state.as_object_mut().unwrap().remove(gone).is_some(), "{gone} is not stored any more");
    }
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
        moves in prop::collection::vec((0_i64..400, any::<u8>()), 1..40), early in 1_i64..100,
    ) {
        let policy = tight();
        let mut cart = fresh_cart();
        cart.link(day_zero(), &PersonId::parse("per_1").unwrap());
        let mut now = day_zero();
        for (n, (minutes, kind)) in moves.into_iter().enumerate() {
            now = now.plus(minutes * MINUTE);
            match kind % 16 {
                10..=12 => {
                    if let Some(pending) = cart.pending.clone() {
                        let outcome = match kind % 16 {
                            10 => Outcome::Sent,
                            11 => Outcome::Deferred { until: now.plus(i64::from(kind) * MINUTE) },
                            _ => Outcome::Skipped { why: comeback_core::decision::Why::NoConsent },
                        };
                        cart.settle(now, &pending.key, outcome, None, &policy);
                    }
                }
                13.. => {
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
