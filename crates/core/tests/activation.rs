//! How a policy comes into force, by hand at the gate: rollout, activation, the bound per hour, shadow.

#![expect(clippy::panic, reason = "makers of test data stand outside the test functions")]

use std::collections::BTreeSet;

use comeback_core::decision::{Decision, Why};
use comeback_core::gate::{Activation, ClaimRequest};
use comeback_core::id::SendKey;
use comeback_core::offer::RunMeter;
use comeback_core::person::Person;
use comeback_core::policy::{Policy, Rollout};
use comeback_core::time::{DAY, HOUR, MINUTE, Timestamp};
use comeback_testkit::*;
use proptest::prelude::*;

fn now() -> Timestamp {
    day_zero().plus(HOUR)
}

fn request() -> ClaimRequest {
    asking("c", 1, 0, &email("first", HOUR))
}

fn active(shadow: bool) -> Activation {
    Activation { at: day_zero().plus(-DAY), shadow, sent_this_hour: 0, room_at: None, per_hour: None }
}

fn rolled_out(percent: u8) -> Policy {
    Policy { rollout: Rollout { percent, per_hour: None }, ..three_emails() }
}

fn reached(percent: u8, name: &str) -> bool {
    let mut person = reachable(name);
    let record = person.claim(now(), &request(), &rolled_out(percent), true);
    match record.decision {
        Decision::Send(_) => true,
        Decision::Skip { why: Why::Rollout } => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rollout_grows_and_loses_nobody() {
    let names: Vec<String> = (0..400).map(|n| n.to_string()).collect();
    let mut before = 0;
    for percent in [0, 5, 25, 60, 100] {
        let inside: Vec<&String> = names.iter().filter(|n| reached(percent, n)).collect();
        assert!(names.iter().filter(|n| reached(percent.saturating_sub(5), n)).all(|n| inside.contains(&n)));
        let expect = 4 * usize::from(percent);
        assert!(inside.len().abs_diff(expect) <= 45, "{} of 400 at {percent} %", inside.len());
        assert!(inside.len() >= before);
        before = inside.len();
    }
    assert_eq!(before, 400);
}

#[test]
fn a_rollout_is_independent_of_the_holdout() {
    // Were the two hashed alike, the first tenth to be rolled out to would be the tenth held out.
    let policy = Policy { holdout_percent: 50, ..rolled_out(50) };
    let (mut both, mut outside) = (0, 0);
    for n in 0..400 {
        match reachable(&n.to_string()).claim(now(), &request(), &policy, true).decision {
            Decision::Send(_) => both += 1,
            Decision::Skip { why: Why::Rollout } => outside += 1,
            _ => {}
        }
    }
    assert!((60..140).contains(&both) && (60..140).contains(&outside), "{both} {outside}");
}

#[test]
fn a_cart_left_before_the_activation_is_not_touched() {
    for (at, expect) in [(0, true), (1, false), (-1, true)] {
        let activation = Activation { at: day_zero().plus(at), ..active(false) };
        let request = ClaimRequest { activation: Some(activation), ..request() };
        let record = reachable("ada").claim(now(), &request, &three_emails(), true);
        let sent = matches!(record.decision, Decision::Send(_));
        assert_eq!(sent, expect, "{at}");
        assert!(sent || record.decision == Decision::Skip { why: Why::BeforeActivation });
    }
    assert!(Why::BeforeActivation.ends_sequence());
}

#[test]
fn the_smaller_bound_of_the_hour_counts_and_puts_off_until_there_is_room() {
    let room = now().plus(7 * MINUTE);
    // Policy's bound, activation's bound, messages of the hour, whether it may go.
    let cases = [
        (None, None, 900, true),
        (Some(10), None, 9, true),
        (Some(10), None, 10, false),
        (None, Some(10), 10, false),
        (Some(10), Some(5), 5, false),
        (Some(5), Some(10), 4, true),
    ];
    for (policys, set, sent, goes) in cases {
        let policy = Policy { rollout: Rollout { percent: 100, per_hour: policys }, ..three_emails() };
        let activation =
            Activation { per_hour: set, sent_this_hour: sent, room_at: Some(room), ..active(false) };
        let request = ClaimRequest { activation: Some(activation), ..request() };
        let decision = reachable("ada").claim(now(), &request, &policy, true).decision;
        if goes {
            assert!(matches!(decision, Decision::Send(_)), "{decision:?}");
        } else {
            assert_eq!(decision, Decision::Defer { until: room, why: Why::RunCap });
        }
    }
}

/// Somebody with a history: one message of another cart, perhaps held out, perhaps asked to be left alone.
fn seasoned(history: u8) -> Person {
    let mut person = reachable("ada");
    if history & 1 != 0 {
        let other = asking("other", 1, 0, &email("first", HOUR));
        person.claim(now().plus(-2 * DAY), &other, &three_emails(), true);
        person.mark_sent(&other.key, now().plus(-2 * DAY));
    }
    if history & 2 != 0 {
        person.holdout = Some(true);
    }
    if history & 4 != 0 {
        person.paused_until = Some(now().plus(DAY));
    }
    if history & 8 != 0 {
        person.opt_out(None, now());
    }
    if history & 16 != 0 {
        let other = asking("today", 1, 0, &email("first", HOUR));
        person.claim(now(), &other, &three_emails(), true);
        person.mark_sent(&other.key, now());
    }
    person
}

#[test]
fn a_shadow_decides_all_and_leaves_no_trace() {
    for history in 0..32 {
        let before = seasoned(history);
        let (mut live, mut shadow) = (before.clone(), before.clone());
        let request = |shadow| ClaimRequest { activation: Some(active(shadow)), ..request() };
        let policy = Policy { holdout_percent: 10, ..three_emails() };
        let told = live.claim(now(), &request(false), &policy, true);
        let dark = shadow.claim(now(), &request(true), &policy, true);
        assert_eq!(shadow, before, "history {history}");
        if let Decision::Send(clearance) = &told.decision {
            assert_eq!(dark.decision, Decision::Skip { why: Why::Shadow });
            // The record is that of the message itself, with one line more.
            assert_eq!(dark.checks[..told.checks.len()], told.checks);
            assert_eq!(dark.checks.len(), told.checks.len() + 1);
            assert_eq!(dark.would.as_deref(), Some(&clearance.told()));
        } else {
            assert_eq!(dark.decision, told.decision, "history {history}");
            assert_eq!(dark.would, None);
        }
    }
}

proptest! {
    /// Judged by a list of instants: no hour has more than its bound, and once room was promised
    /// there is room, unless others took it.
    #[test]
    fn no_hour_has_more_messages_than_its_bound(
        most in 1_u32..6,
        turns in proptest::collection::vec((0_i64..20 * MINUTE, 0_u8..6), 1..120),
    ) {
        let mut meter = RunMeter::default();
        let (mut at, mut gone): (Timestamp, Vec<(Timestamp, SendKey)>) = (day_zero(), vec![]);
        let mut died: Vec<SendKey> = vec![];
        for (n, (pause, end)) in turns.into_iter().enumerate() {
            at = at.plus(pause);
            // Another holder takes over from one that died, having sent or not.
            let again = died.pop().filter(|_| matches!(end, 0 | 5));
            let key = again.unwrap_or_else(|| SendKey::derive(&[&n.to_string()]));
            let room = meter.take(at, &key, most);
            prop_assert_eq!(meter.clone().take(at, &key, most).room_at, room.room_at, "asked twice");
            if let Some(until) = room.room_at {
                prop_assert!(until > at && until <= at.plus(HOUR + 2 * MINUTE));
                // Exactly then: not a moment before.
                let asked = |at| meter.clone().take(at, &key, most).room_at;
                prop_assert_eq!(asked(until), None);
                prop_assert!(asked(until.plus(-1)).is_some());
                continue;
            }
            match end {
                0 => {
                    meter.give_back(&key);
                    meter.give_back(&key);
                }
                3 => died.push(key),
                4 => {
                    gone.push((at, key.clone()));
                    died.push(key);
                }
                // 1: the report is lost, and the message may have gone out.
                1 => gone.push((at, key)),
                _ => {
                    meter.sent(&key);
                    meter.give_back(&key);
                    gone.push((at, key));
                }
            }
            // A message tried again under its key is one message.
            let within: BTreeSet<_> =
                gone.iter().filter(|(t, _)| at.since(*t) < HOUR).map(|(_, key)| key).collect();
            prop_assert!(within.len() <= most as usize, "{} in an hour", within.len());
        }
    }
}
