//! Every rule of every shipped pack at the gate: what it lets pass and what it holds up, by place, zone
//! and date. The numbers here are written down a second time, from the law and not from the packs. A
//! rule without a case fails the suite.

#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::decision::{Decision, DecisionRecord, Why};
use comeback_core::gate::{ClaimRequest, decide};
use comeback_core::id::{CartId, PersonId, SendKey, ShopId};
use comeback_core::jurisdiction::{Pack, Place};
use comeback_core::person::{Order, Person, Sent};
use comeback_core::policy::{Caps, Policy, Sequence, Step};
use comeback_core::time::{DAY, HOUR, MINUTE, Millis, Timestamp};
use comeback_policy::{packs, parse_pack};

const EMAIL: Channel = Channel::Email;
const SMS: Channel = Channel::Sms;

/// What one rule does.
enum Case {
    /// Instants with their local offset; when it opens again, or `None` where it is open.
    Hours { zone: &'static str, by: Channel, times: &'static [(&'static str, Option<&'static str>)] },
    /// So many messages of one abandonment, and no more.
    PerAbandonment { by: Channel, most: i64 },
    /// So many messages in 24 hours, and no more.
    PerDay { by: Channel, most: i64 },
    /// So long after the abandonment, and no longer.
    Within { by: Channel, span: Millis },
    /// A yes of this kind, and none that is less.
    Consent { by: Channel, least: Source },
    /// Customers for so long after an order.
    Customers { by: Channel, span: Millis },
}

use Case::{Consent as Yes, Customers, Hours, PerAbandonment, PerDay, Within};

const TWO_YEARS: Millis = 730 * DAY;

/// Pack, rule, a place under it, what is to be.
const CASES: &[(&str, &str, &str, Case)] = &[
    ("au", "email_consent", "AU", Yes { by: EMAIL, least: Source::Page }),
    ("au", "sms_consent", "AU", Yes { by: SMS, least: Source::Page }),
    ("au", "email_customers", "AU", Customers { by: EMAIL, span: TWO_YEARS }),
    (
        "au",
        "sms_night",
        "AU",
        Hours {
            zone: "Australia/Sydney",
            by: SMS,
            times: &[
                ("2026-07-01T20:59:00+10:00", None),
                ("2026-07-01T21:00:00+10:00", Some("2026-07-02T08:00:00+10:00")),
                ("2026-07-02T07:59:00+10:00", Some("2026-07-02T08:00:00+10:00")),
                ("2026-07-02T08:00:00+10:00", None),
                // Clocks go forward in the night to 4 October 2026.
                ("2026-10-03T21:00:00+10:00", Some("2026-10-04T08:00:00+11:00")),
            ],
        },
    ),
    ("ca", "email_consent", "CA", Yes { by: EMAIL, least: Source::Page }),
    ("ca", "sms_consent", "CA", Yes { by: SMS, least: Source::Page }),
    ("ca", "email_customers", "CA", Customers { by: EMAIL, span: TWO_YEARS }),
    (
        "ca",
        "sms_night",
        "CA-ON",
        Hours {
            zone: "America/Toronto",
            by: SMS,
            times: &[
                ("2026-06-16T21:29:00-04:00", None),
                ("2026-06-16T21:30:00-04:00", Some("2026-06-17T09:00:00-04:00")),
                ("2026-06-17T08:59:00-04:00", Some("2026-06-17T09:00:00-04:00")),
                ("2026-06-17T09:00:00-04:00", None),
                // Friday night: Saturday begins at ten.
                ("2026-06-19T22:00:00-04:00", Some("2026-06-20T10:00:00-04:00")),
            ],
        },
    ),
    (
        "ca",
        "sms_weekend_morning",
        "CA-ON",
        Hours {
            zone: "America/Toronto",
            by: SMS,
            times: &[
                ("2026-06-20T09:30:00-04:00", Some("2026-06-20T10:00:00-04:00")),
                ("2026-06-20T10:00:00-04:00", None),
                ("2026-06-21T09:59:00-04:00", Some("2026-06-21T10:00:00-04:00")),
                ("2026-06-22T09:30:00-04:00", None),
            ],
        },
    ),
    (
        "ca",
        "sms_weekend_evening",
        "CA-ON",
        Hours {
            zone: "America/Toronto",
            by: SMS,
            times: &[
                ("2026-06-20T17:59:00-04:00", None),
                ("2026-06-20T18:00:00-04:00", Some("2026-06-21T10:00:00-04:00")),
                ("2026-06-21T20:00:00-04:00", Some("2026-06-22T09:00:00-04:00")),
                ("2026-06-19T18:00:00-04:00", None),
            ],
        },
    ),
    ("de", "email_proven_consent", "DE", Yes { by: EMAIL, least: Source::Signed }),
    ("de", "sms_proven_consent", "DE", Yes { by: SMS, least: Source::Signed }),
    ("de", "email_customers", "DE", Customers { by: EMAIL, span: TWO_YEARS }),
    ("eu", "email_consent", "NL", Yes { by: EMAIL, least: Source::Page }),
    ("eu", "sms_consent", "NO", Yes { by: SMS, least: Source::Page }),
    ("eu", "email_customers", "SE", Customers { by: EMAIL, span: TWO_YEARS }),
    (
        "fr",
        "sms_night",
        "FR",
        Hours {
            zone: "Europe/Paris",
            by: SMS,
            times: &[
                ("2026-06-16T21:59:00+02:00", None),
                ("2026-06-16T22:00:00+02:00", Some("2026-06-17T08:00:00+02:00")),
                ("2026-06-17T07:59:00+02:00", Some("2026-06-17T08:00:00+02:00")),
                ("2026-06-17T08:00:00+02:00", None),
                // Saturday night runs into a Sunday on which clocks go forward.
                ("2026-03-28T22:00:00+01:00", Some("2026-03-30T08:00:00+02:00")),
            ],
        },
    ),
    (
        "fr",
        "sms_sundays_and_holidays",
        "FR",
        Hours {
            zone: "Europe/Paris",
            by: SMS,
            times: &[
                ("2026-06-20T21:59:00+02:00", None),
                ("2026-06-21T12:00:00+02:00", Some("2026-06-22T08:00:00+02:00")),
                // Easter: Sunday and Monday.
                ("2026-04-05T12:00:00+02:00", Some("2026-04-07T08:00:00+02:00")),
                ("2026-04-06T12:00:00+02:00", Some("2026-04-07T08:00:00+02:00")),
                // Labour Day is a Friday, Victory Day the Friday after it; the Saturdays are free.
                ("2026-05-01T12:00:00+02:00", Some("2026-05-02T08:00:00+02:00")),
                ("2026-05-08T12:00:00+02:00", Some("2026-05-09T08:00:00+02:00")),
                // Ascension is a Thursday; Whit Monday follows a Sunday.
                ("2026-05-14T12:00:00+02:00", Some("2026-05-15T08:00:00+02:00")),
                ("2026-05-24T12:00:00+02:00", Some("2026-05-26T08:00:00+02:00")),
                ("2026-07-14T12:00:00+02:00", Some("2026-07-15T08:00:00+02:00")),
                // Assumption is a Saturday.
                ("2026-08-15T12:00:00+02:00", Some("2026-08-17T08:00:00+02:00")),
                // All Saints is a Sunday.
                ("2026-11-01T12:00:00+01:00", Some("2026-11-02T08:00:00+01:00")),
                ("2026-11-11T12:00:00+01:00", Some("2026-11-12T08:00:00+01:00")),
                // Christmas is a Friday; Saint Stephen's is no holiday in all of France.
                ("2026-12-25T12:00:00+01:00", Some("2026-12-26T08:00:00+01:00")),
                ("2026-12-26T12:00:00+01:00", None),
                ("2027-01-01T12:00:00+01:00", Some("2027-01-02T08:00:00+01:00")),
                // Good Friday is none.
                ("2026-04-03T12:00:00+02:00", None),
            ],
        },
    ),
    ("gb", "email_consent", "GB", Yes { by: EMAIL, least: Source::Page }),
    ("gb", "sms_consent", "GB", Yes { by: SMS, least: Source::Page }),
    ("gb", "email_customers", "GB", Customers { by: EMAIL, span: TWO_YEARS }),
    (
        "gb",
        "sms_night",
        "GB",
        Hours {
            zone: "Europe/London",
            by: SMS,
            times: &[
                ("2026-01-15T20:59:00+00:00", None),
                ("2026-01-15T21:00:00+00:00", Some("2026-01-16T08:00:00+00:00")),
                // Clocks go back in the night to 25 October 2026.
                ("2026-10-24T21:00:00+01:00", Some("2026-10-25T08:00:00+00:00")),
                ("2026-10-25T07:59:00+00:00", Some("2026-10-25T08:00:00+00:00")),
                ("2026-10-25T08:00:00+00:00", None),
            ],
        },
    ),
    (
        "us",
        "sms_night",
        "US-NY",
        Hours {
            zone: "America/New_York",
            by: SMS,
            times: &[
                ("2026-02-03T20:59:00-05:00", None),
                ("2026-02-03T21:00:00-05:00", Some("2026-02-04T08:00:00-05:00")),
                ("2026-02-04T07:59:00-05:00", Some("2026-02-04T08:00:00-05:00")),
                ("2026-02-04T08:00:00-05:00", None),
                // Clocks go forward in the night to 8 March, back in the night to 1 November 2026.
                ("2026-03-07T23:00:00-05:00", Some("2026-03-08T08:00:00-04:00")),
                ("2026-10-31T23:00:00-04:00", Some("2026-11-01T08:00:00-05:00")),
            ],
        },
    ),
    ("us", "sms_one_per_cart", "US-NY", PerAbandonment { by: SMS, most: 1 }),
    ("us", "sms_within_48h", "US-NY", Within { by: SMS, span: 48 * HOUR }),
    ("us", "sms_double_opt_in", "US-NY", Yes { by: SMS, least: Source::Person }),
    ("us", "email_customers", "US-NY", Customers { by: EMAIL, span: TWO_YEARS }),
    (
        "us-ct",
        "sms_night",
        "US-CT",
        Hours {
            zone: "America/New_York",
            by: SMS,
            times: &[
                ("2026-02-03T19:59:00-05:00", None),
                ("2026-02-03T20:00:00-05:00", Some("2026-02-04T09:00:00-05:00")),
                ("2026-02-04T08:59:00-05:00", Some("2026-02-04T09:00:00-05:00")),
                ("2026-02-04T09:00:00-05:00", None),
            ],
        },
    ),
    (
        "us-fl",
        "sms_night",
        "US-FL",
        Hours {
            zone: "America/New_York",
            by: SMS,
            times: &[
                ("2026-02-03T19:59:00-05:00", None),
                ("2026-02-03T20:00:00-05:00", Some("2026-02-04T08:00:00-05:00")),
                ("2026-02-04T08:00:00-05:00", None),
            ],
        },
    ),
    ("us-fl", "sms_three_a_day", "US-FL", PerDay { by: SMS, most: 3 }),
    (
        "us-md",
        "sms_night",
        "US-MD",
        Hours {
            zone: "America/New_York",
            by: SMS,
            times: &[
                ("2026-02-03T19:59:00-05:00", None),
                ("2026-02-03T20:00:00-05:00", Some("2026-02-04T08:00:00-05:00")),
                ("2026-02-04T08:00:00-05:00", None),
            ],
        },
    ),
    ("us-md", "sms_three_a_day", "US-MD", PerDay { by: SMS, most: 3 }),
    (
        "us-ok",
        "sms_night",
        "US-OK",
        Hours {
            zone: "America/Chicago",
            by: SMS,
            times: &[
                ("2026-02-03T19:59:00-06:00", None),
                ("2026-02-03T20:00:00-06:00", Some("2026-02-04T08:00:00-06:00")),
                ("2026-02-04T08:00:00-06:00", None),
            ],
        },
    ),
    ("us-ok", "sms_three_a_day", "US-OK", PerDay { by: SMS, most: 3 }),
    (
        "us-ri",
        "sms_night",
        "US-RI",
        Hours {
            zone: "America/New_York",
            by: SMS,
            times: &[
                ("2026-02-03T17:59:00-05:00", None),
                ("2026-02-03T18:00:00-05:00", Some("2026-02-04T09:00:00-05:00")),
                // Friday evening: Saturday begins at ten.
                ("2026-02-06T18:00:00-05:00", Some("2026-02-07T10:00:00-05:00")),
            ],
        },
    ),
    (
        "us-ri",
        "sms_weekend_morning",
        "US-RI",
        Hours {
            zone: "America/New_York",
            by: SMS,
            times: &[
                ("2026-02-07T09:30:00-05:00", Some("2026-02-07T10:00:00-05:00")),
                ("2026-02-08T09:59:00-05:00", Some("2026-02-08T10:00:00-05:00")),
                ("2026-02-09T09:30:00-05:00", None),
            ],
        },
    ),
    (
        "us-ri",
        "sms_weekend_evening",
        "US-RI",
        Hours {
            zone: "America/New_York",
            by: SMS,
            times: &[
                ("2026-02-07T16:59:00-05:00", None),
                ("2026-02-07T17:00:00-05:00", Some("2026-02-08T10:00:00-05:00")),
                ("2026-02-08T17:30:00-05:00", Some("2026-02-09T09:00:00-05:00")),
                ("2026-02-09T17:30:00-05:00", None),
            ],
        },
    ),
    (
        "us-tx",
        "sms_night",
        "US-TX",
        Hours {
            zone: "America/Chicago",
            by: SMS,
            times: &[
                ("2026-02-03T20:59:00-06:00", None),
                ("2026-02-03T21:00:00-06:00", Some("2026-02-04T09:00:00-06:00")),
                ("2026-02-04T09:00:00-06:00", None),
                // Saturday night: Sunday begins at noon.
                ("2026-02-07T21:00:00-06:00", Some("2026-02-08T12:00:00-06:00")),
            ],
        },
    ),
    (
        "us-tx",
        "sms_sunday_morning",
        "US-TX",
        Hours {
            zone: "America/Chicago",
            by: SMS,
            times: &[
                ("2026-02-08T11:59:00-06:00", Some("2026-02-08T12:00:00-06:00")),
                ("2026-02-08T12:00:00-06:00", None),
                ("2026-02-09T11:00:00-06:00", None),
                // Clocks go forward on Sunday, 8 March 2026.
                ("2026-03-08T01:30:00-06:00", Some("2026-03-08T12:00:00-05:00")),
            ],
        },
    ),
    (
        "us-wa",
        "sms_night",
        "US-WA",
        Hours {
            zone: "America/Los_Angeles",
            by: SMS,
            times: &[
                ("2026-02-03T19:59:00-08:00", None),
                ("2026-02-03T20:00:00-08:00", Some("2026-02-04T08:00:00-08:00")),
                ("2026-02-04T07:59:00-08:00", Some("2026-02-04T08:00:00-08:00")),
                ("2026-02-04T08:00:00-08:00", None),
            ],
        },
    ),
];

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn place(text: &str) -> Place {
    let (country, region) = text.split_once('-').map_or((text, None), |(c, r)| (c, Some(r.to_owned())));
    Place { country: Some(country.to_owned()), region }
}

fn pack(code: &str) -> Pack {
    let (_, text) = packs().iter().find(|(known, _)| *known == code).unwrap();
    parse_pack(code, text).unwrap()
}

fn all_packs() -> Vec<Pack> {
    packs().iter().map(|(code, _)| pack(code)).collect()
}

/// Somebody with every address and a yes of every kind, confirmed. The number's country has no code, so
/// that only the place decides.
fn somebody(place: Place) -> Person {
    let mut somebody = Person::new(PersonId::parse("per_1").unwrap(), ShopId::parse("shop_1").unwrap());
    somebody.place = place;
    for (channel, address) in [(EMAIL, "ada@example.com"), (SMS, "+999 1")] {
        somebody.add_contact(channel, address, Source::Signed, Timestamp::default());
        agree(&mut somebody, channel, Source::Person);
    }
    somebody
}

fn agree(person: &mut Person, channel: Channel, source: Source) {
    let (wording, at) = ("w".to_owned(), Timestamp::default());
    person.consents.retain(|c| c.channel != channel);
    person.consents.push(Consent { channel, granted: true, wording, at, source });
}

fn sent(person: &mut Person, channel: Channel, number: i64, at: Timestamp) {
    let sent: Sent = serde_json::from_value(serde_json::json!({
        "at": at, "key": SendKey::derive(&["earlier", &number.to_string()]), "channel": channel,
        "cart": "cart_1", "abandonment": 1, "offered": false, "template": format!("earlier_{number}"),
    }))
    .unwrap();
    person.sends.push(sent);
}

fn bought(person: &mut Person, at: Timestamp, signed: bool) {
    let total_minor = signed.then_some(4_900);
    person.orders = vec![Order { id: "order_1".into(), at, total_minor, cancelled: false, currency: None }];
}

fn policy(packs: Vec<Pack>, channels: &[Channel]) -> Policy {
    let step = Step {
        name: "now".into(),
        at_ms: 0,
        window_ms: 0,
        channels: channels.to_vec(),
        template: "reminder".into(),
        offer: None,
        when: None,
    };
    let main = Sequence { name: "main".into(), on: vec![], audience: None, steps: vec![step] };
    let caps = Caps { day: 100, week: 100, sms_per_abandonment: 100, ..Caps::default() };
    Policy { caps, jurisdictions: packs, ..Policy::plain("law", vec![main]) }
}

fn asks(policy: &Policy, abandoned_at: Timestamp, zone: Option<&str>) -> ClaimRequest {
    let cart = CartId::parse("cart_1").unwrap();
    serde_json::from_value(serde_json::json!({
        "key": SendKey::of(&cart, 1, 0), "cart": cart, "abandonment": 1, "sequence": "main",
        "abandoned_at": abandoned_at, "cart_born_at": abandoned_at, "step": policy.sequences[0].steps[0],
        "facts": {}, "showable_lines": 1, "automated": false, "zone": zone, "stopped": false,
        "capable": ["email", "sms", "push"], "offers": [], "model": null, "events": [],
    }))
    .unwrap()
}

fn sends(record: &DecisionRecord) -> bool {
    matches!(record.decision, Decision::Send(_))
}

/// Whether the line of a rule is there, and what it says.
fn line(record: &DecisionRecord, by: Channel, pack: &str, rule: &str) -> Option<bool> {
    let name = format!("{by}.law.{pack}.{rule}");
    record.checks.iter().find(|c| c.rule == name).map(|c| c.passed)
}

/// Asks one rule, alone with its pack.
fn play(code: &str, rule: &str, here: &str, case: &Case) {
    let told = format!("{code}.{rule}");
    let noon = at("2026-06-17T12:00:00Z");
    let alone = |by: Channel| policy(vec![pack(code)], &[by]);
    // Noon in Greenwich is lawful wherever hours are not what is asked.
    let ask = |policy: &Policy, person: &Person, now: Timestamp, left: Timestamp, zone: &str| {
        decide(now, person, &asks(policy, left, Some(zone)), policy)
    };
    match case {
        Hours { zone, by, times } => {
            let policy = alone(*by);
            let person = somebody(place(here));
            for (now, opens) in *times {
                let now = at(now);
                let record = ask(&policy, &person, now, now.plus(-HOUR), zone);
                match opens {
                    None => {
                        assert!(sends(&record), "{told} {now:?}: {record:#?}");
                        assert_eq!(line(&record, *by, code, rule), Some(true), "{told} {now:?}");
                    }
                    Some(opens) => {
                        let until = at(opens);
                        let expect = Decision::Defer { until, why: Why::JurisdictionHours };
                        assert_eq!(record.decision, expect, "{told} {}", now.to_rfc3339());
                        // The instant named is one at which the same is let through.
                        assert!(sends(&ask(&policy, &person, until, now, zone)), "{told} {opens}");
                        let before = until.plus(-1);
                        assert!(!sends(&ask(&policy, &person, before, now, zone)), "{told} before {opens}");
                    }
                }
            }
            let shut = times.iter().any(|(now, _)| {
                let now = at(now);
                line(&ask(&policy, &person, now, now, zone), *by, code, rule) == Some(false)
            });
            assert!(shut, "{told}: no case is shut by the rule itself");
        }
        PerAbandonment { by, most } => {
            let policy = alone(*by);
            let mut person = somebody(place(here));
            for number in 0..*most {
                assert!(sends(&ask(&policy, &person, noon, noon, "UTC")), "{told} after {number}");
                sent(&mut person, *by, number, noon.plus(-40 * DAY));
            }
            let record = ask(&policy, &person, noon, noon, "UTC");
            assert_eq!(record.decision, Decision::Skip { why: Why::Jurisdiction }, "{told}");
            assert_eq!(line(&record, *by, code, rule), Some(false), "{told}");
        }
        PerDay { by, most } => {
            let policy = alone(*by);
            let mut person = somebody(place(here));
            for number in 0..*most {
                assert!(sends(&ask(&policy, &person, noon, noon, "UTC")), "{told} after {number}");
                sent(&mut person, *by, number, noon.plus((number - 10) * MINUTE));
            }
            let record = ask(&policy, &person, noon, noon, "UTC");
            let until = noon.plus(DAY - 10 * MINUTE);
            assert_eq!(record.decision, Decision::Defer { until, why: Why::JurisdictionHours }, "{told}");
            assert_eq!(line(&record, *by, code, rule), Some(false), "{told}");
            assert!(!sends(&ask(&policy, &person, until.plus(-1), noon, "UTC")), "{told}");
            assert!(sends(&ask(&policy, &person, until, noon, "UTC")), "{told}");
        }
        Within { by, span } => {
            let policy = alone(*by);
            let person = somebody(place(here));
            assert!(sends(&ask(&policy, &person, noon, noon.plus(-span), "UTC")), "{told}");
            let record = ask(&policy, &person, noon, noon.plus(-span - 1), "UTC");
            assert_eq!(record.decision, Decision::Skip { why: Why::Jurisdiction }, "{told}");
            assert_eq!(line(&record, *by, code, rule), Some(false), "{told}");
        }
        Yes { by, least } => {
            let policy = alone(*by);
            let mut person = somebody(place(here));
            person.consents.retain(|c| c.channel != *by);
            let record = ask(&policy, &person, noon, noon, "UTC");
            assert_eq!(record.decision, Decision::Skip { why: Why::NoConsent }, "{told}");
            assert_eq!(line(&record, *by, code, rule), Some(false), "{told}");
            for source in [Source::Page, Source::Signed, Source::Person] {
                agree(&mut person, *by, source);
                let record = ask(&policy, &person, noon, noon, "UTC");
                assert_eq!(line(&record, *by, code, rule), Some(source >= *least), "{told} {source:?}");
                if source >= *least {
                    assert!(sends(&record), "{told} {source:?}: {record:#?}");
                } else {
                    assert_eq!(
                        record.decision,
                        Decision::Skip { why: Why::Jurisdiction },
                        "{told} {source:?}"
                    );
                }
            }
        }
        Customers { by, span } => {
            let mut policy = alone(*by);
            let mut person = somebody(place(here));
            person.consents.retain(|c| c.channel != *by);
            bought(&mut person, noon.plus(1 - span), true);
            let refused = Decision::Skip { why: Why::NoConsent };
            let ask = |policy: &Policy, person: &Person, now| ask(policy, person, now, now, "UTC");
            assert_eq!(
                ask(&policy, &person, noon).decision,
                refused,
                "{told}: the policy does not ask for it"
            );
            policy.consent.soft_opt_in = true;
            let record = ask(&policy, &person, noon);
            assert!(sends(&record), "{told}: {record:#?}");
            assert_eq!(line(&record, *by, code, rule), Some(true), "{told}");
            let late = ask(&policy, &person, noon.plus(1));
            assert_eq!(late.decision, refused, "{told}: too long ago");
            assert_eq!(line(&late, *by, code, rule), Some(false), "{told}");
            bought(&mut person, noon.plus(-DAY), false);
            assert_eq!(ask(&policy, &person, noon).decision, refused, "{told}: a page's word for an order");
            bought(&mut person, noon.plus(-DAY), true);
            person.opt_out(Some(*by), noon.plus(-HOUR));
            let gone = Decision::Skip { why: Why::ChannelOptedOut };
            assert_eq!(ask(&policy, &person, noon).decision, gone, "{told}: opted out");
        }
    }
}

#[test]
fn every_rule_does_what_it_says() {
    for (code, rule, here, case) in CASES {
        assert!(pack(code).is_for(&place(here)), "{code} is not for {here}");
        play(code, rule, here, case);
    }
}

#[test]
fn no_rule_of_a_shipped_pack_lacks_a_case() {
    let tried: Vec<(&str, &str)> = CASES.iter().map(|(code, rule, _, _)| (*code, *rule)).collect();
    for pack in all_packs() {
        for rule in &pack.rules {
            assert!(tried.contains(&(&pack.code, &rule.id)), "{}.{} has no case", pack.code, rule.id);
            assert!(rule.source.len() > 10, "{}.{} names no source", pack.code, rule.id);
        }
    }
    // And no case is for a rule that is not there.
    for (code, rule) in tried {
        assert!(pack(code).rules.iter().any(|r| r.id == rule), "{code}.{rule}");
    }
}

#[test]
fn an_unknown_state_has_the_rules_of_all_states() {
    let policy = policy(all_packs(), &[SMS]);
    let person = somebody(place("US"));
    let ask =
        |now: &str| decide(at(now), &person, &asks(&policy, at(now), Some("America/New_York")), &policy);
    // A Tuesday: from nine, which is Connecticut's, to six, which is Rhode Island's.
    let nine = Decision::Defer { until: at("2026-02-03T09:00:00-05:00"), why: Why::JurisdictionHours };
    assert_eq!(ask("2026-02-03T08:30:00-05:00").decision, nine);
    assert!(sends(&ask("2026-02-03T09:00:00-05:00")));
    assert!(sends(&ask("2026-02-03T17:59:00-05:00")));
    // Saturday evening: Sunday at noon, which is Texas's.
    let noon = Decision::Defer { until: at("2026-02-08T12:00:00-05:00"), why: Why::JurisdictionHours };
    assert_eq!(ask("2026-02-07T17:00:00-05:00").decision, noon);
    // A known state without a pack has federal rules only.
    let ohio = somebody(place("US-OH"));
    let evening = at("2026-02-03T20:30:00-05:00");
    let request = asks(&policy, evening, Some("America/New_York"));
    assert!(sends(&decide(evening, &ohio, &request, &policy)));
}

#[test]
fn the_country_of_a_number_counts_besides_that_of_its_owner() {
    let policy = policy(all_packs(), &[SMS]);
    let mut person = somebody(place("DE"));
    let sunday = at("2026-06-21T12:00:00+02:00");
    let request = asks(&policy, sunday, Some("Europe/Berlin"));
    assert!(sends(&decide(sunday, &person, &request, &policy)), "Germany has no Sundays");
    person.contacts.retain(|c| c.channel != SMS);
    person.add_contact(SMS, "+33612345678", Source::Signed, Timestamp::default());
    let monday = Decision::Defer { until: at("2026-06-22T08:00:00+02:00"), why: Why::JurisdictionHours };
    assert_eq!(decide(sunday, &person, &request, &policy).decision, monday);
    // A number of Florida in the hands of somebody in New York.
    let mut person = somebody(place("US-NY"));
    let evening = at("2026-02-03T20:30:00-05:00");
    let request = asks(&policy, evening, Some("America/New_York"));
    assert!(sends(&decide(evening, &person, &request, &policy)));
    person.contacts.retain(|c| c.channel != SMS);
    person.add_contact(SMS, "+13055550123", Source::Signed, Timestamp::default());
    let morning = Decision::Defer { until: at("2026-02-04T08:00:00-05:00"), why: Why::JurisdictionHours };
    assert_eq!(decide(evening, &person, &request, &policy).decision, morning);
}

#[test]
fn a_country_of_many_zones_must_be_awake_in_all_of_them() {
    let policy = policy(vec![pack("us")], &[SMS]);
    let person = somebody(place("US-NY"));
    let ask = |now: &str| decide(at(now), &person, &asks(&policy, at(now), None), &policy).decision;
    // Nobody said where in the country: Hawaii and the Aleutians must be awake, and New York still.
    let eight = Decision::Defer { until: at("2026-02-03T08:00:00-10:00"), why: Why::JurisdictionHours };
    assert_eq!(ask("2026-02-03T09:00:00-05:00"), eight);
    assert!(matches!(ask("2026-02-03T08:00:00-10:00"), Decision::Send(_)));
    assert!(matches!(ask("2026-02-03T20:59:00-05:00"), Decision::Send(_)));
    let next = Decision::Defer { until: at("2026-02-04T08:00:00-10:00"), why: Why::JurisdictionHours };
    assert_eq!(ask("2026-02-03T21:00:00-05:00"), next);
}

#[test]
fn what_cannot_be_lawful_in_time_is_not_put_off() {
    // Left on Friday; the evening of Sunday is the last lawful hour, and on Sundays France is silent.
    let policy = policy(vec![pack("us"), pack("fr")], &[SMS]);
    let mut person = somebody(place("US-NY"));
    person.contacts.retain(|c| c.channel != SMS);
    person.add_contact(SMS, "+33612345678", Source::Signed, Timestamp::default());
    let left = at("2026-06-19T20:00:00-04:00");
    let now = at("2026-06-21T10:00:00-04:00");
    let request = asks(&policy, left, Some("America/New_York"));
    let record = decide(now, &person, &request, &policy);
    assert_eq!(record.decision, Decision::Skip { why: Why::Jurisdiction });
    assert!(record.checks.iter().any(|c| c.rule == "sms.hours" && c.found.contains("too late")));
}
