//! What changes from one policy to another, in words.

#![allow(clippy::unwrap_used, reason = "tests; clippy.toml spares only what stands in a #[test] itself")]

use comeback_core::policy::Policy;
use comeback_policy::{ChangeKind, diff, parse, presets};

const FULL: &str = include_str!("full.toml");

fn preset(name: &str) -> Policy {
    let (_, text) = presets().iter().find(|(known, _)| *known == name).unwrap();
    parse(name, text).unwrap().0
}

/// The full policy with one thing changed, compared with it.
#[track_caller]
fn check(from: &str, to: &str, expect: &[&str]) {
    assert_eq!(FULL.matches(from).count(), 1, "{from:?} must be there once");
    let old = parse("old", FULL).unwrap().0;
    let new = parse("new", &FULL.replace(from, to)).unwrap().0;
    let told: Vec<String> = diff(&old, &new).iter().map(ToString::to_string).collect();
    assert_eq!(told, expect);
    assert_eq!(diff(&new, &old).len(), expect.len(), "and back");
}

#[test]
fn the_same_policy_has_no_changes() {
    for (name, _) in presets() {
        assert_eq!(diff(&preset(name), &preset(name)), [], "{name}");
    }
    let full = parse("full", FULL).unwrap().0;
    assert_eq!(diff(&full, &full), []);
}

#[test]
fn single_changes() {
    check("at = \"24h\"", "at = \"2h\"", &["step `reminder` of `standard` moves from 1d to 2h"]);
    check(
        "idle = \"25m\"",
        "idle = \"35m\"",
        &["the idle time after which a cart counts as left changes from 25m to 35m"],
    );
    check(
        "page_exit = \"5m\"",
        "page_exit = \"off\"",
        &["the time after leaving the page, until now 5m, is gone"],
    );
    check(
        "furniture = \"2h\"",
        "furniture = \"3h\"",
        &["the idle time for class `furniture` changes from 2h to 3h"],
    );
    check("percent = 15", "percent = 20", &["offer `fifteen` gives 20 % off instead of 15 % off"]);
    check(
        "when = \"person.offers_90d == 0\"",
        "when = \"person.offers_90d < 2\"",
        &["offer `fifteen` asks for `person.offers_90d < 2` instead of `person.offers_90d == 0`"],
    );
    check("approval = true", "approval = false", &["no longer: offer `fifteen` needs an approval"]);
    check(", window = \"6h\"", "", &["the window of step `reminder` of `standard` changes from 6h to 0s"]);
    check(
        "sms = \"confirmed\"",
        "sms = \"signed\"",
        &[
            "what a yes to sms must rest on changes from a confirmation from the address itself to the shop's word",
        ],
    );
    check("USD = 0.92", "USD = 0.93", &["the rate of `USD` changes from 0.92 to 0.93"]);
    check(
        "from = \"20:30\"",
        "from = \"21:00\"",
        &["the quiet part of the day changes from 20:30-09:30 to 21:00-09:30"],
    );
    check("default_country = \"FR\"", "", &["the country of people without a place, until now FR, is gone"]);
    check("packs = [\"fr\"]", "packs = []", &["the law of France (pack \"fr\") no longer applies"]);
}

#[test]
fn a_preset_against_another() {
    let changes = diff(&preset("classic"), &preset("early"));
    let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "the policy's name changes from classic to early",
            "the description is another",
            "segment `high_value` is gone",
            "offer `ten` is gone",
            "sequence `standard` no longer asks for `not high_value`",
            "step `incentive` of `standard` is gone",
            "step `reminder` of `standard` moves from 1d to 1h",
            "step `reminder` of `standard` goes by email, then push instead of email",
            "step `last_call` of `standard` moves from 3d to 1d",
            "step `last_call` of `standard` no longer offers `ten`",
            "the cap per person and day changes from 1 to 2",
        ],
    );
    let back = diff(&preset("early"), &preset("classic"));
    let incentive = back.iter().find(|change| change.part == "sequence.standard.steps.incentive").unwrap();
    assert_eq!(incentive.kind, ChangeKind::Added);
    assert_eq!(incentive.text, "step `incentive` of `standard` is new: email, then push after 2d");
}

/// Whatever reaches the version is told: no two presets of other meaning are called the same.
#[test]
fn every_difference_is_told() {
    for (a, _) in presets() {
        for (b, _) in presets() {
            let (old, new) = (preset(a), preset(b));
            assert_eq!(diff(&old, &new).is_empty(), old.version == new.version, "{a} {b}");
        }
    }
}
