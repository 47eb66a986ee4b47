//! The check itself: clean over seeds and policies, and able to fail.
#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use comeback_core::policy::Policy;
use comeback_sim::broken::Rule;
use comeback_sim::checker::Kind;
use comeback_sim::run::{Report, Trial, run, shrink};
use comeback_sim::trial;
use comeback_sim::world::Setup;

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
fn the_absence_of_every_rule_is_found_out() {
    let policy = trial::policy(&preset("multichannel"));
    let setup = Setup { trouble: trial::TROUBLE, ..Setup::of(policy) };
    let whole = run(1, 4_000, &setup);
    assert!(whole.is_clean(), "{}", told(&whole));
    let trials: Vec<Trial> = Rule::ALL.iter().map(|rule| Trial::of(*rule, 1, 4_000, &setup)).collect();
    let missed: Vec<&str> = trials.iter().filter(|t| !t.is_caught()).map(|t| t.rule.as_str()).collect();
    assert!(missed.is_empty(), "nobody noticed the absence of {missed:?}");
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
