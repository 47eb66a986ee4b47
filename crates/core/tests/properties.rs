//! Properties of cart, gate and person in a shell where anything can go wrong, judged by
//! [`comeback_testkit::judge`], which shares no code with what it judges; and proof that the judge
//! can say no: a shell that is wrong on purpose is found out.

use std::collections::BTreeMap;

use comeback_core::consent::{Channel, Source};
use comeback_core::policy::{Caps, Policy};
use comeback_core::recovery::Trigger;
use comeback_core::time::{DAY, HOUR, MINUTE, Millis};
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
        2 => Just(Act::Hides),
        1 => Just(Act::TurnsToLeave),
        1 => Just(Act::SessionEnds),
        1 => Just(Act::BeginsCheckout),
        1 => Just(card_is_declined()),
        2 => prop_oneof![Just("hat"), Just("sofa")].prop_map(|item| looks_at(item, 60)),
        1 => Just(Act::ShipsTo("DE 10115")),
        1 => Just(Act::OrdersTo { address: "guest@example.com", postal: "DE 10115" }),
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

/// The same, and a cart can be left in every way.
fn by_every_trigger(mut policy: Policy) -> Policy {
    let every = by_trigger(all_triggers());
    policy.sequences.extend(every.sequences.into_iter().filter(|s| s.answers(Trigger::Browse)));
    Policy { triggers: every.triggers, browse: every.browse, ..policy }
}

fn loose_promises() -> Rules {
    Rules { per_day: 9, per_week: 20, ..promises() }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn no_promise_is_broken_whatever_goes_wrong(
        life in life(), known in 0_u8..8, seed in any::<u64>(), caps in any::<bool>(), every in any::<bool>(),
    ) {
        let (policy, rules) = if caps { (tight(), promises()) } else { (loose(), loose_promises()) };
        let policy = if every { by_every_trigger(policy) } else { policy };
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
        let policy = if known & 1 == 0 { by_every_trigger(tight()) } else { tight() };
        let scenario = play(&policy, &life, known);
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
