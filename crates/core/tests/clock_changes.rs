//! Quiet hours and windows of law around every clock change of `tests/vectors/tz-transitions`, against a
//! computation from that table by whole seconds, which shares neither code nor zone data with the core.

#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use std::collections::BTreeMap;

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::decision::{Decision, Why};
use comeback_core::gate::{ClaimRequest, decide};
use comeback_core::id::{CartId, PersonId, SendKey, ShopId};
use comeback_core::jurisdiction::{Law, Pack, Place, Rule};
use comeback_core::person::Person;
use comeback_core::policy::Policy;
use comeback_core::time::{QuietHours, Timestamp, Zone};
use comeback_testkit::{by, policy};

const TABLE: &str = include_str!("../../../tests/vectors/tz-transitions/transitions_2024_2030.csv");

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A zone as the table has it: seconds at which the offset changes, and the offsets before and after.
#[derive(Default)]
struct Clock {
    changes: Vec<(i64, i64, i64)>,
}

fn clocks() -> BTreeMap<&'static str, Clock> {
    let mut clocks: BTreeMap<&str, Clock> = BTreeMap::new();
    for line in TABLE.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |place: usize| fields[place].parse::<i64>().unwrap();
        clocks.entry(fields[0]).or_default().changes.push((number(1), number(2), number(3)));
    }
    clocks
}

impl Clock {
    /// Stretches of one offset: from, to, offset.
    fn stretches(&self) -> impl Iterator<Item = (i64, i64, i64)> {
        let first = self.changes.first().map(|(at, before, _)| (i64::MIN, *at, *before));
        let rest = self.changes.iter().enumerate().map(|(place, (at, _, after))| {
            (*at, self.changes.get(place + 1).map_or(i64::MAX, |(next, _, _)| *next), *after)
        });
        first.into_iter().chain(rest)
    }

    fn offset(&self, at: i64) -> i64 {
        self.stretches().find(|(from, to, _)| *from <= at && at < *to).unwrap().2
    }

    fn local_day(&self, at: i64) -> i64 {
        (at + self.offset(at)).div_euclid(DAY)
    }

    /// First and last second at which the clock shows this local time; the change that leaves it out.
    fn shows(&self, local: i64) -> (i64, i64) {
        let shown: Vec<i64> = self
            .stretches()
            .filter(|(from, to, offset)| *from <= local - offset && local - offset < *to)
            .map(|(_, _, offset)| local - offset)
            .collect();
        match (shown.first(), shown.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => {
                let skips =
                    |(at, before, after): &&(i64, i64, i64)| at + before <= local && local < at + after;
                let change = self.changes.iter().find(skips).unwrap().0;
                (change, change)
            }
        }
    }

    /// When a daily window that covers this second ends.
    fn quiet_until(&self, from: u16, to: u16, at: i64) -> Option<i64> {
        let today = self.local_day(at);
        let window = |day: i64| {
            let last = if from > to { day + 1 } else { day };
            let begin = self.shows(day * DAY + i64::from(from) * MINUTE).0;
            let end = self.shows(last * DAY + i64::from(to) * MINUTE).1;
            (begin <= at && at < end).then_some(end)
        };
        (today - 1..=today + 1).filter_map(window).max()
    }

    /// When a Sunday that covers this second ends. 1 January 1970 was a Thursday.
    fn sunday_until(&self, at: i64) -> Option<i64> {
        let today = self.local_day(at);
        ((today + 4).rem_euclid(7) == 0)
            .then(|| (today + 1..=today + 2).map(|day| self.shows(day * DAY).0).find(|t| *t > at))
            .flatten()
    }
}

const WINDOWS: [(u16, u16); 8] = [
    (21 * 60, 9 * 60),
    (22 * 60, 8 * 60),
    // Ends and begins where most clocks change: at midnight, one, two and three.
    (60, 150),
    (150, 210),
    (120, 180),
    (23 * 60 + 30, 15),
    (0, 30),
    (180, 120),
];

/// Seconds around a change: before, at it, in the gap or the fold, after; and the days beside it.
fn around(change: i64) -> impl Iterator<Item = i64> {
    let near = (-14..=14).map(|quarter| quarter * 15 * MINUTE);
    // Two days off no change is near, which is computed another way.
    let far = (-8..8).flat_map(|part| [-2 * DAY + part * 3 * HOUR, 2 * DAY + part * 3 * HOUR]);
    let edges = [-DAY, -12 * HOUR, -2 * HOUR - 1, -HOUR - 1, -1, 1, HOUR + 1, 2 * HOUR - 1, 12 * HOUR, DAY];
    near.chain(edges).chain(far).map(move |after| change + after)
}

fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

#[test]
fn the_vectors_are_the_ones_that_were_frozen() {
    let clocks = clocks();
    assert_eq!(clocks.values().map(|c| c.changes.len()).sum::<usize>(), 840);
}

#[test]
fn quiet_hours_at_every_change() {
    let mut asked = 0;
    let mut quiet = 0;
    for (name, clock) in clocks() {
        let zone = Zone::parse(name).unwrap();
        for (change, _, _) in &clock.changes {
            for at in around(*change) {
                assert_eq!(
                    i64::from(zone.offset_minutes(timestamp(at))) * MINUTE,
                    clock.offset(at),
                    "{name} {at}: the zone data differ"
                );
                for (from, to) in WINDOWS {
                    let expect = clock.quiet_until(from, to, at);
                    let found = QuietHours { from, to }.quiet_until(timestamp(at), &zone);
                    assert_eq!(found, expect.map(timestamp), "{name} {at} from {from} to {to}");
                    asked += 1;
                    quiet += usize::from(expect.is_some());
                }
            }
        }
    }
    assert!(asked > 250_000 && quiet > 50_000 && quiet < asked - 50_000, "{quiet} of {asked}");
}

fn law(id: &str, law: Law) -> Rule {
    Rule { id: id.into(), source: "a test".into(), law }
}

/// No text messages at night, in the small hours in which clocks change, and on Sundays.
fn strict() -> Policy {
    let channels = vec![Channel::Sms];
    let quiet =
        |from, to| Law::Quiet { channels: vec![Channel::Sms], window: QuietHours { from, to }, days: vec![] };
    let no_sundays = Law::NoDays { channels, sundays: true, holidays: false };
    let pack = |code: &str, rules| Pack {
        code: code.into(),
        name: "Testland".into(),
        countries: vec!["DE".into()],
        regions: vec![],
        as_of: "2026-11-21".into(),
        holidays: vec![],
        rules,
    };
    let packs = vec![
        pack("xa", vec![law("night", quiet(22 * 60, 8 * 60)), law("sundays", no_sundays)]),
        pack("xb", vec![law("small_hours", quiet(60, 150))]),
    ];
    Policy { jurisdictions: packs, ..policy(&[by("text", 0, &[Channel::Sms])]) }
}

fn somebody() -> Person {
    let mut somebody = Person::new(PersonId::parse("per_1").unwrap(), ShopId::parse("shop_1").unwrap());
    let (channel, wording, at, source) = (Channel::Sms, "w".to_owned(), timestamp(0), Source::Person);
    somebody.place = Place { country: Some("DE".into()), region: None };
    somebody.add_contact(channel, "+999 1", source, at);
    somebody.record_consent(Consent { channel, granted: true, wording, at, source });
    somebody
}

#[test]
fn windows_and_days_of_law_at_every_change() {
    let policy = strict();
    let mut person = somebody();
    let cart = CartId::parse("cart_1").unwrap();
    let mut put_off = 0;
    let mut sent = 0;
    for (name, clock) in clocks() {
        person.zone = Some(name.into());
        for (change, _, _) in &clock.changes {
            for at in around(*change).step_by(3) {
                let request: ClaimRequest = serde_json::from_value(serde_json::json!({
                    "key": SendKey::of(&cart, 1, 0), "cart": cart, "abandonment": 1, "sequence": "main",
                    "abandoned_at": timestamp(at), "cart_born_at": timestamp(at),
                    "step": policy.sequences[0].steps[0], "facts": {}, "showable_lines": 1,
                    "automated": false, "zone": null, "stopped": false, "capable": ["sms"], "offers": [],
                    "model": null, "events": [],
                }))
                .unwrap();
                let mut open = at;
                // At most a Sunday between two nights.
                for _ in 0..8 {
                    let shut = [
                        clock.quiet_until(22 * 60, 8 * 60, open),
                        clock.quiet_until(60, 150, open),
                        clock.sunday_until(open),
                    ];
                    open = shut.into_iter().flatten().max().unwrap_or(open);
                }
                let decision = decide(timestamp(at), &person, &request, &policy).decision;
                if open == at {
                    assert!(matches!(decision, Decision::Send(_)), "{name} {at}: {decision:?}");
                    sent += 1;
                } else {
                    let until = timestamp(open);
                    let expect = Decision::Defer { until, why: Why::JurisdictionHours };
                    assert_eq!(decision, expect, "{name} {at}");
                    put_off += 1;
                }
            }
        }
    }
    assert!(put_off > 1_000 && sent > 500, "{put_off} put off, {sent} sent");
}
