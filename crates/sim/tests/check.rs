//! The check itself: clean over seeds and policies, and able to fail.
#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use comeback_core::policy::Policy;
use comeback_core::time::SECOND;
use comeback_sim::broken::Rule;
use comeback_sim::checker::{Entry, Fact, Kind, Owner, Way, check};
use comeback_sim::life::{Act, BEGINNING, Do, Group, Planned};
use comeback_sim::place::HOMES;
use comeback_sim::reading::rules_of;
use comeback_sim::run::{Report, Trial, run, shrink};
use comeback_sim::trial;
use comeback_sim::world::{self, Setup};

fn preset(name: &str) -> Policy {
    let (_, text) = comeback_policy::presets().iter().find(|(n, _)| *n == name).unwrap();
    comeback_policy::parse(name, text).unwrap().0
}

fn told(report: &Report) -> String {
    report.told.iter().map(|(found, b)| format!("{found:?} {:?} {}: {}\n", b.kind, b.at, b.what)).collect()
}

#[test]
fn nobody_is_wronged() {
    for policy in ["multichannel", "early"] {
        for seed in [1, 2, 3] {
            let report = run(seed, 5_000, &Setup::of(preset(policy)));
            assert!(report.is_clean(), "{policy}, seed {seed}:\n{}", told(&report));
            assert_eq!(report.carts, 5_000);
            assert!(report.sends > 500, "{} sends", report.sends);
        }
    }
}

#[test]
fn every_preset_is_clean() {
    for (name, _) in comeback_policy::presets() {
        let report = run(11, 1_500, &Setup::of(preset(name)));
        assert!(report.is_clean(), "{name}:\n{}", told(&report));
        assert!(report.sends > 50, "{name}: {} sends", report.sends);
    }
}

#[test]
fn a_policys_own_bound_of_the_hour_is_kept() {
    let mut policy = preset("early");
    policy.rollout.per_hour = Some(1);
    let report = run(5, 4_000, &Setup::of(policy));
    assert!(report.is_clean(), "{}", told(&report));
}

#[test]
fn the_absence_of_every_rule_is_found_out() {
    let policy = trial::policy(&preset("multichannel"));
    let setup = Setup { trouble: trial::TROUBLE, ..Setup::of(policy) };
    let whole = run(1, 4_000, &setup);
    assert!(whole.is_clean(), "{}", told(&whole));
    // Whatever the seed: a trial goes on until the rule was needed.
    for seed in [1, 2] {
        let trials: Vec<Trial> = Rule::ALL.iter().map(|rule| Trial::of(*rule, seed, &setup)).collect();
        let missed: Vec<&str> = trials.iter().filter(|t| !t.is_caught()).map(|t| t.rule.as_str()).collect();
        assert!(missed.is_empty(), "seed {seed}: nobody noticed the absence of {missed:?}");
    }
}

/// Somebody signs in with a number and an empty cart of which a browser then shows no more than the id. That makes the
/// browser nobody's: an address typed there later, and its subscription, are not those of the number's owner, whose next
/// cart must not be followed up there.
#[test]
fn a_browser_that_only_shows_the_id_of_a_cart_that_is_not_there_is_not_thereby_its_owners() {
    let at = |seconds: i64| BEGINNING.plus(seconds * SECOND);
    let plan =
        |seconds, late: i64, act| Planned { said: at(seconds), arrives: vec![at(seconds + late)], act };
    let batch = |cart, visitor, deeds| Act::Batch {
        cart,
        visitor,
        deeds,
        mobile: false,
        automated: false,
        abroad: false,
    };
    let signs_in = |cart| Act::SignsIn { cart: Some(cart), addresses: vec![2], agrees: true };
    let home = *HOMES.iter().find(|h| h.zone == "Africa/Cairo").unwrap();
    let ways = [Way::Email, Way::Email, Way::Text, Way::Push, Way::Push];
    let hour = 3_600;
    let group = Group {
        number: 1,
        seed: 1,
        homes: vec![home],
        abroad: home,
        told: vec![],
        shadow: false,
        owners: ways.iter().map(|way| Owner { way: *way, home: home.spot() }).collect(),
        visitors: 2,
        carts: 3,
        acts: vec![
            plan(7 * hour, 0, signs_in(0)),
            plan(7 * hour + 137, 2, batch(0, 1, vec![(0, Do::Look(400))])),
            plan(10 * hour, 2, batch(1, 1, vec![(-12_000, Do::Look(174)), (0, Do::Add(1))])),
            plan(
                10 * hour + 85,
                1,
                Act::Types { visitor: 1, cart: Some(1), email: Some(0), phone: Some(2), agrees: true },
            ),
            plan(10 * hour + 95, 1, Act::Subscribes { visitor: 1, cart: Some(1), address: 4 }),
            plan(12 * hour, 7_738, batch(2, 0, vec![(-43_000, Do::Add(1)), (0, Do::Checkout)])),
            plan(12 * hour + 13, 1, signs_in(2)),
        ],
        texts_idempotent: true,
        trouble: 0,
        through_text: false,
        in_force_since: None,
        per_hour: None,
        approved_since: None,
        elsewhere: false,
    };
    let setup = Setup::of(preset("multichannel"));
    let outcome = world::run(&group, &setup);
    let breaches = check(&outcome.story, &rules_of(&setup.policy));
    assert!(breaches.is_empty(), "{breaches:?}");
    let pushed = |cart| {
        let about = |e: &&Entry| matches!(&e.fact, Fact::Delivered(m) if m.way == Way::Push && m.contact.cart == cart);
        outcome.story.facts.iter().filter(about).count()
    };
    assert_eq!((pushed(1), pushed(2)), (1, 0));
}

#[test]
fn a_failing_story_is_made_short_and_tells_what_went_wrong() {
    let setup = Setup { broken: Some(Rule::OptedOut), ..Setup::of(trial::policy(&preset("multichannel"))) };
    let report = run(5, 500, &setup);
    let (found, breach) = report.told.first().unwrap();
    let shrunk = shrink(5, *found, breach.kind, &setup).unwrap();
    assert!(shrunk.group.acts.len() < shrunk.acts_before, "{} acts", shrunk.group.acts.len());
    assert!(shrunk.breaches.iter().all(|b| b.kind == Kind::AfterOptOut));
    assert!(shrunk.lines().iter().any(|l| l.contains("WRONG")));
    // The same seed tells the same story.
    let again = shrink(5, *found, breach.kind, &setup).unwrap();
    assert_eq!(again.lines(), shrunk.lines());
}

#[test]
fn a_run_is_a_function_of_its_seed() {
    let setup = Setup::of(preset("multichannel"));
    let (one, same, other) = (run(7, 600, &setup), run(7, 600, &setup), run(8, 600, &setup));
    let counts = |r: &Report| (r.sends, r.deferred, r.skipped, r.events, r.groups);
    assert_eq!(counts(&one), counts(&same));
    assert_ne!(counts(&one), counts(&other));
}
