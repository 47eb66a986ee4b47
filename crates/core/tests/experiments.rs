//! Experiments: who is in which arm, on every target alike, what an arm changes, and when an exposure
//! counts.

#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use std::collections::BTreeMap;

use comeback_core::consent::{Channel, Source};
use comeback_core::decision::{Decision, DecisionRecord, Why};
use comeback_core::effect::DecisionSummary;
use comeback_core::experiment::{self, Assignment, Reading};
use comeback_core::gate::ClaimRequest;
use comeback_core::person::Person;
use comeback_core::policy::{Arm, Experiment, Policy, Subject};
use comeback_core::time::{DAY, HOUR, Timestamp};
use comeback_testkit::*;
use proptest::prelude::*;

fn now() -> Timestamp {
    day_zero().plus(HOUR)
}

fn arm(name: &str) -> Arm {
    Arm { name: name.to_owned(), weight: 1, ..Arm::default() }
}

fn on_first(name: &str, arms: Vec<Arm>) -> Experiment {
    let subject = Subject::Step { sequence: "main".into(), step: "first".into() };
    Experiment { name: name.into(), hypothesis: "it matters".into(), subject, arms }
}

fn running(experiments: Vec<Experiment>) -> Policy {
    Policy { experiments, ..three_emails() }
}

fn request() -> ClaimRequest {
    asking("c", 1, 0, &email("first", HOUR))
}

/// Somebody whom the hash puts into this arm.
fn in_arm(policy: &Policy, name: &str) -> Person {
    let experiment = &policy.experiments[0];
    (0..200)
        .map(|n| reachable(&n.to_string()))
        .find(|p| experiment::arm_for(experiment, p.shop.as_str(), p.id.as_str(), &[]).unwrap().name == name)
        .unwrap()
}

fn told(person: &Person) -> Vec<(&str, &str, bool)> {
    person.assignments.iter().map(|a| (a.experiment.as_str(), a.arm.as_str(), a.conflict)).collect()
}

fn number(value: &serde_json::Value) -> u16 {
    u16::try_from(value.as_u64().unwrap()).unwrap()
}

#[test]
fn the_hashes_are_those_of_the_vectors() {
    let text = include_str!("../../../tests/vectors/experiments.json");
    let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
    let rows = |name: &str| vectors[name].as_array().unwrap().clone();
    for row in rows("buckets") {
        let [shop, name, unit] = ["shop", "name", "unit"].map(|k| row[k].as_str().unwrap());
        assert_eq!(experiment::bucket(shop, name, unit), number(&row["bucket"]), "{row}");
    }
    for row in rows("arms") {
        let weights = row["weights"].as_array().unwrap().iter();
        let arms = weights
            .enumerate()
            .map(|(n, w)| Arm { weight: u32::from(number(w)), ..arm(&n.to_string()) })
            .collect();
        let experiment = on_first("x", arms);
        let found = experiment::arm_of(&experiment, number(&row["bucket"])).unwrap();
        assert_eq!(found.name, row["arm"].to_string(), "{row}");
    }
    for row in rows("deals") {
        let [shop, name] = ["shop", "experiment"].map(|k| row[k].as_str().unwrap());
        assert_eq!(experiment::deal(shop, name, number(&row["bucket"])), number(&row["dealt"]), "{row}");
    }
}

#[test]
fn an_arm_changes_what_it_names_and_nothing_else() {
    let changed =
        Arm { channels: Some(vec![Channel::Sms]), template: Some("sms_reminder".into()), ..arm("changed") };
    let policy = running(vec![on_first("copy", vec![arm("control"), changed])]);
    let clearance = |name: &str| {
        let mut person = in_arm(&policy, name);
        match person.claim(now(), &request(), &policy, true).decision {
            Decision::Send(clearance) => (clearance, person),
            other => panic!("{other:?}"),
        }
    };
    let (control, _) = clearance("control");
    assert_eq!((control.channel(), control.template()), (Channel::Email, request().step.template.as_str()));
    let (changed, mut person) = clearance("changed");
    assert_eq!((changed.channel(), changed.template()), (Channel::Sms, "sms_reminder"));
    // Cleared is not exposed; sent is.
    assert_eq!(told(&person), []);
    person.mark_sent(&request().key, now());
    person.mark_sent(&request().key, now().plus(HOUR));
    assert_eq!(told(&person), [("copy", "changed", false)]);
    assert_eq!(person.assignments[0].at, now());
}

#[test]
fn what_is_not_sent_exposes_nobody() {
    let policy = running(vec![on_first("copy", vec![arm("control"), arm("other")])]);
    let mut person = reachable("ada");
    person.claim(now(), &request(), &policy, true);
    person.release(&request().key);
    person.mark_sent(&request().key, now());
    assert_eq!(told(&person), []);
    let mut paused = reachable("bob");
    paused.paused_until = Some(now().plus(DAY));
    paused.claim(now(), &request(), &policy, true);
    assert_eq!(told(&paused), []);
}

#[test]
fn a_silent_arm_is_an_exposure_when_its_message_would_have_left() {
    let silent = Arm { silent: true, ..arm("silence") };
    let policy = running(vec![on_first("worth", vec![arm("control"), silent])]);
    let mut person = in_arm(&policy, "silence");
    // Not before: a cap holds back what is sent and what is not alike.
    person.paused_until = Some(now());
    let early = person.claim(now().plus(-HOUR), &request(), &policy, true);
    assert!(matches!(early.decision, Decision::Defer { why: Why::Paused, .. }));
    assert_eq!(told(&person), []);
    let record = person.claim(now(), &request(), &policy, true);
    assert_eq!(record.decision, Decision::Skip { why: Why::SilentArm });
    assert!(!Why::SilentArm.ends_sequence());
    assert_eq!(told(&person), [("worth", "silence", false)]);
    assert!(person.claims.is_empty() && person.sends.is_empty());
    let summary = DecisionSummary::from(&record);
    assert_eq!(
        (summary.channel, summary.template.as_deref()),
        (Some(Channel::Email), Some(request().step.template.as_str()))
    );
    assert_eq!(summary.exposures.len(), 1);
}

#[test]
fn a_later_arm_waits_and_an_earlier_one_is_planned_earlier() {
    let (early, late) =
        (Arm { at_ms: Some(HOUR / 2), ..arm("early") }, Arm { at_ms: Some(4 * HOUR), ..arm("late") });
    let policy = running(vec![on_first("time", vec![early, late])]);
    let step = email("first", HOUR);
    for (name, at) in [("early", HOUR / 2), ("late", 4 * HOUR)] {
        let person = in_arm(&policy, name);
        let planned = |sequence, unit| {
            experiment::planned_at(&policy, sequence, &step, person.shop.as_str(), unit, &[])
        };
        assert_eq!(planned("main", Some(person.id.as_str())), at);
        assert_eq!(planned("another", Some(person.id.as_str())), HOUR);
        assert_eq!(planned("main", None), HOUR, "nobody is known, nobody is assigned");
    }
    // The cart did not know of the assignment: the gate does.
    let mut person = in_arm(&policy, "late");
    let record = person.claim(now(), &request(), &policy, true);
    let until = day_zero().plus(4 * HOUR);
    assert_eq!(record.decision, Decision::Defer { until, why: Why::ArmLater });
    assert!(matches!(person.claim(until, &request(), &policy, true).decision, Decision::Send(_)));
    // Planned by the earlier arm of somebody who was merged into one without: not before its own time.
    let early = Arm { at_ms: Some(HOUR / 2), ..arm("early") };
    let policy = running(vec![on_first("time", vec![early, arm("as_is")])]);
    let mut person = in_arm(&policy, "as_is");
    let record = person.claim(day_zero().plus(HOUR / 2), &request(), &policy, true);
    let until = day_zero().plus(HOUR);
    assert_eq!(record.decision, Decision::Defer { until, why: Why::ArmLater });
}

#[test]
fn every_way_of_a_step_is_named_with_those_of_its_arms() {
    let texts = Arm { channels: Some(vec![Channel::Sms]), ..arm("texts") };
    let policy = running(vec![on_first("way", vec![arm("as_is"), texts])]);
    assert_eq!(request().ways(&policy).collect::<Vec<_>>(), [Channel::Email, Channel::Sms]);
}

#[test]
fn the_first_assignment_stays_and_a_second_arm_takes_out_of_the_reading() {
    let policy = running(vec![on_first("copy", vec![arm("a"), arm("b")])]);
    let expose = |person: &mut Person, cart: &str, at: Timestamp| {
        let request = ClaimRequest {
            abandoned_at: at.plus(-HOUR),
            cart_born_at: at.plus(-HOUR),
            ..asking(cart, 1, 0, &email("first", HOUR))
        };
        let record = person.claim(at, &request, &policy, true);
        assert!(matches!(record.decision, Decision::Send(_)), "{record:?}");
        person.mark_sent(&request.key, at);
    };
    let (mut a, mut b) = (in_arm(&policy, "a"), in_arm(&policy, "b"));
    expose(&mut b, "phone", now());
    // Not exposed before: the survivor takes the arm of whom it absorbs, against its own hash.
    let mut unexposed = a.clone();
    unexposed.absorb(&b);
    assert_eq!(told(&unexposed), [("copy", "b", false)]);
    expose(&mut unexposed, "later", now().plus(2 * DAY));
    assert_eq!(told(&unexposed), [("copy", "b", false)]);
    // Both exposed: the earlier stays, and the person is no clean case, in whichever order they merge.
    expose(&mut a, "desk", now().plus(HOUR));
    let (mut one, mut other) = (a.clone(), b.clone());
    one.absorb(&b);
    other.absorb(&a);
    assert_eq!(told(&one), [("copy", "b", true)]);
    assert_eq!(one.assignments, other.assignments);
    let persons = [&a, &unexposed, &one].map(|p| &p.assignments[..]);
    let reading = Reading::of("copy", persons);
    assert_eq!(reading.exposed, BTreeMap::from([("a".into(), 1), ("b".into(), 1)]));
    assert_eq!(reading.conflicted, BTreeMap::from([("b".into(), 1)]));
}

#[test]
fn arms_of_several_experiments_meet_on_one_step() {
    let template = Arm { template: Some("last_call".into()), ..arm("bold") };
    let policy = running(vec![
        on_first("copy", vec![Arm { weight: 0, ..arm("plain") }, template]),
        on_first("who", vec![arm("x"), arm("y")]),
    ]);
    let mut person = reachable("ada");
    let record: DecisionRecord = person.claim(now(), &request(), &policy, true);
    let Decision::Send(clearance) = record.decision else { panic!("{record:?}") };
    assert_eq!(clearance.template(), "last_call");
    let names: Vec<&str> = clearance.exposures().iter().map(|e| e.experiment.as_str()).collect();
    assert_eq!(names, ["copy", "who"]);
}

#[test]
fn panels_keep_their_shares_and_are_dealt_apart() {
    let panel = |name: &str, panel: &str, weights: [u32; 3]| Experiment {
        subject: Subject::Panel { panel: panel.into() },
        ..on_first(
            name,
            ["a", "b", "c"].iter().zip(weights).map(|(n, weight)| Arm { weight, ..arm(n) }).collect(),
        )
    };
    let experiments = [
        on_first("of a step", vec![arm("a"), arm("b")]),
        panel("exit_copy", "exit", [50, 30, 20]),
        panel("saved", "saved_cart", [1, 1, 0]),
    ];
    let (mut shares, mut together) = (BTreeMap::new(), 0);
    for bucket in 0..experiment::BUCKETS {
        let of = |panel| experiment::panel_arm(&experiments, panel, "shop_1", bucket).unwrap().1.name.clone();
        let (exit, saved) = (of("exit"), of("saved_cart"));
        together += u32::from(exit == "a" && saved == "a");
        *shares.entry(exit).or_insert(0) += 1;
    }
    // Exactly, because dealing is a permutation; and independently of the other panel, within the noise
    // of drawing 5000 of 10000 without replacement (standard deviation 25).
    assert_eq!(shares, BTreeMap::from([("a".into(), 5_000), ("b".into(), 3_000), ("c".into(), 2_000)]));
    assert!(together.abs_diff(2_500) < 150, "{together}");
    assert!(experiment::panel_arm(&experiments, "banner", "shop_1", 0).is_none());
}

/// Whole runs on the virtual clock: each person's first message comes when their arm says, or never,
/// and the second comes to all.
#[test]
fn stories_follow_their_arms() {
    let arms = vec![
        Arm { at_ms: Some(HOUR / 2), ..arm("early") },
        Arm { at_ms: Some(4 * HOUR), ..arm("late") },
        Arm { silent: true, ..arm("silence") },
    ];
    let policy = Policy {
        experiments: vec![on_first("time", arms)],
        ..policy(&[email("first", HOUR), email("second", 30 * HOUR)])
    };
    let mut seen = BTreeMap::new();
    for n in 0..12 {
        let name = format!("p{n}");
        let known = Act::LeavesContact {
            channel: Channel::Email,
            address: None,
            source: Source::Signed,
            consent: Some(true),
        };
        let world = Scenario::new(policy.clone())
            .at("0 10:00", &name, known)
            .at("0 10:00", &name, Act::Adds("boots"))
            .until("3 00:00")
            .run();
        let person = world.person(&name).unwrap();
        let sent: Vec<Timestamp> = person.sends.iter().map(|s| s.at).collect();
        // Left at 10:15, whenever that was noticed.
        let after = |span| at("0 10:15").plus(span);
        let [assignment] = &person.assignments[..] else { panic!("{:?}", person.assignments) };
        let (first, exposed) = match assignment.arm.as_str() {
            "early" => (Some(after(HOUR / 2)), after(HOUR / 2)),
            "late" => (Some(after(4 * HOUR)), after(4 * HOUR)),
            _ => (None, after(HOUR)),
        };
        assert_eq!(sent, first.into_iter().chain([after(30 * HOUR)]).collect::<Vec<_>>(), "{name}");
        assert_eq!(assignment.at, exposed);
        *seen.entry(assignment.arm.clone()).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

proptest! {
    /// Whatever happened to three who turn out to be one: the order in which they are merged, and
    /// merging again, change nothing.
    #[test]
    fn merging_assignments_is_one_thing(
        seen in proptest::collection::vec((0_usize..3, 0_u8..3, 0_u8..2, 0_i64..5), 0..12),
    ) {
        let mut persons = ["1", "2", "3"].map(reachable);
        for (who, experiment, arm, hours) in seen {
            let held = &mut persons[who].assignments;
            let experiment = format!("e{experiment}");
            if held.iter().all(|a| a.experiment != experiment) {
                let at = day_zero().plus(hours * HOUR);
                held.push(Assignment { experiment, arm: format!("a{arm}"), at, conflict: false });
            }
        }
        let merged = |order: [usize; 3]| {
            let mut one = persons[order[0]].clone();
            one.absorb(&persons[order[1]]);
            one.absorb(&persons[order[2]]);
            one.absorb(&persons[order[1]]);
            one.assignments
        };
        let expect = merged([0, 1, 2]);
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            prop_assert_eq!(&merged(order), &expect);
        }
        // Judged by the raw list: first by time, then name; a conflict where two arms were seen.
        for assignment in &expect {
            let all: Vec<&Assignment> = persons
                .iter()
                .flat_map(|p| &p.assignments)
                .filter(|a| a.experiment == assignment.experiment)
                .collect();
            let first = all.iter().map(|a| (a.at, &a.arm)).min().unwrap();
            prop_assert_eq!((assignment.at, &assignment.arm), first);
            prop_assert_eq!(assignment.conflict, all.iter().any(|a| a.arm != assignment.arm));
        }
    }
}
