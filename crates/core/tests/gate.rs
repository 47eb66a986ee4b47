//! The gate asked by hand, one check at a time: where a person is and what time it is there, which
//! channel is used and why, rest, caps, repetition, the step's condition, the hour that suits. What
//! packs say is asked in comeback-policy's tests; whole runs are in the stories.

#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use std::collections::BTreeMap;

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::decision::{Decision, DecisionRecord, Why};
use comeback_core::gate::{ClaimRequest, MEASURED, decide};
use comeback_core::id::{CartId, PersonId, SendKey, ShopId};
use comeback_core::jurisdiction::{Law, Pack, Place, Rule};
use comeback_core::money::Currency;
use comeback_core::person::{KnownEpisode, Order, Person, Sent};
use comeback_core::policy::{
    Browse, Caps, ChannelRules, Expr, Fatigue, Field, Op, Policy, Segment, Step, Value,
};
use comeback_core::recovery::Trigger;
use comeback_core::time::{DAY, HOUR, MINUTE, Millis, QuietHours, Timestamp};
use comeback_testkit::*;

const ALL: [Channel; 3] = [Channel::Email, Channel::Sms, Channel::Push];

fn ada() -> Person {
    let mut ada = Person::new(PersonId::parse("per_1").unwrap(), ShopId::parse("shop_1").unwrap());
    for (channel, address) in ALL.into_iter().zip(["ada@example.com", "+4915112345678", "https://push"]) {
        ada.add_contact(channel, address, Source::Signed, day_zero().plus(-100 * DAY));
        ada.record_consent(yes(channel, Source::Person, day_zero().plus(-100 * DAY)));
    }
    ada
}

fn yes(channel: Channel, source: Source, at: Timestamp) -> Consent {
    Consent { channel, granted: true, wording: "w".into(), at, source }
}

fn generous(steps: &[Step]) -> Policy {
    let caps = Caps { day: 100, week: 100, sms_per_abandonment: 2, unverified_ms: 30 * DAY };
    Policy { caps, ..policy(steps) }
}

fn cart(number: u32) -> CartId {
    CartId::parse(&format!("cart_{number}")).unwrap()
}

/// The first step of the first cart, left at day zero.
fn asks(policy: &Policy) -> ClaimRequest {
    serde_json::from_value(serde_json::json!({
        "key": SendKey::of(&cart(1), 1, 0), "cart": cart(1), "abandonment": 1, "sequence": "main",
        "abandoned_at": day_zero(), "cart_born_at": day_zero(), "step": policy.sequences[0].steps[0],
        "facts": {}, "showable_lines": 1, "automated": false, "zone": null, "stopped": false,
        "capable": ALL, "offers": [], "model": null, "events": [],
    }))
    .unwrap()
}

/// A message of some other step; of the cart and abandonment of [`asks`] if it is number 1.
fn earlier(person: &mut Person, of: u32, channel: Channel, template: &str, at: Timestamp) -> SendKey {
    let key = SendKey::derive(&["earlier", template, &of.to_string(), &at.millis().to_string()]);
    let sent: Sent = serde_json::from_value(serde_json::json!({
        "at": at, "key": key, "channel": channel, "cart": cart(of), "abandonment": 1, "offered": false,
        "template": template,
    }))
    .unwrap();
    person.sends.push(sent);
    key
}

fn channel(record: &DecisionRecord) -> Option<Channel> {
    match &record.decision {
        Decision::Send(clearance) => Some(clearance.channel()),
        _ => None,
    }
}

fn found<'r>(record: &'r DecisionRecord, rule: &str) -> &'r str {
    record.checks.iter().find(|c| c.rule == rule).map_or("", |c| c.found.as_ref())
}

fn put_off(until: Timestamp, why: Why) -> Decision {
    Decision::Defer { until, why }
}

const fn skipped(why: Why) -> Decision {
    Decision::Skip { why }
}

// Where, and when there.

/// A pack that forbids text messages in a country, or in a region of it.
fn forbids(code: &str, country: &str, region: Option<&str>) -> Pack {
    Pack {
        code: code.into(),
        name: country.into(),
        countries: vec![country.into()],
        regions: region.map(str::to_owned).into_iter().collect(),
        as_of: "2026-11-21".into(),
        holidays: vec![],
        rules: vec![Rule {
            id: "never".into(),
            source: "a test".into(),
            law: Law::PerAbandonment { channel: Channel::Sms, most: 0 },
        }],
    }
}

fn in_place(text: &str) -> Place {
    let (country, region) = text.split_once('-').map_or((text, None), |(c, r)| (c, Some(r.to_owned())));
    Place { country: (!country.is_empty()).then(|| country.to_owned()), region }
}

#[test]
fn whose_law_applies() {
    // Profile, session, number, default; what the record says; which of the packs fr, us-fl, us-tx apply.
    let cases = [
        ("FR", "DE", "+4915112345678", "US", "FR, by their profile", "fr"),
        ("", "fr", "+4915112345678", "US", "FR, by their last session", "fr"),
        ("", "", "+33612345678", "US", "FR, by their number", "fr"),
        ("", "", "+33612345678", "", "FR, by their number", "fr"),
        ("", "", "+9991", "DE", "DE, by the policy's default", ""),
        // The number's country counts as well.
        ("DE", "", "+33612345678", "", "DE, by their profile", "fr"),
        ("DE", "", "+13055550123", "", "DE, by their profile", "us-fl"),
        ("DE", "", "+12125550123", "", "DE, by their profile", "us-fl us-tx"),
        // An unknown state has the rules of all.
        ("US", "", "+4915112345678", "", "US, by their profile", "us-fl us-tx"),
        ("US-OH", "", "+4915112345678", "", "US-OH, by their profile", ""),
        ("us-tx", "", "+12125550123", "", "US-TX, by their profile", "us-tx"),
        ("US-TX", "", "+13055550123", "", "US-TX, by their profile", "us-fl us-tx"),
        // The session tells the region of the country that the profile names, and of no other.
        ("US", "US-OH", "+12125550123", "", "US-OH, by their profile", ""),
        ("US", "CA-ON", "+12125550123", "", "US, by their profile", "us-fl us-tx"),
        // Nothing is known: everything applies.
        ("", "", "+9991", "", "unknown, by nothing", "fr us-fl us-tx"),
    ];
    let packs =
        [forbids("fr", "FR", None), forbids("us-fl", "US", Some("FL")), forbids("us-tx", "US", Some("TX"))];
    for (profile, session, number, default, told, expect) in cases {
        let mut policy = generous(&[by("text", 0, &[Channel::Sms])]);
        policy.default_country = in_place(default).country;
        policy.jurisdictions = packs.to_vec();
        let mut ada = ada();
        ada.place = in_place(profile);
        ada.contacts.retain(|c| c.channel != Channel::Sms);
        ada.add_contact(Channel::Sms, number, Source::Signed, day_zero());
        let request = ClaimRequest { place: in_place(session), ..asks(&policy) };
        let record = decide(day_zero(), &ada, &request, &policy);
        let case = format!("{profile} {session} {number} {default}");
        assert_eq!(found(&record, "place"), told, "{case}");
        let applied: Vec<&str> = record
            .checks
            .iter()
            .filter_map(|c| c.rule.strip_prefix("sms.law.")?.strip_suffix(".never"))
            .collect();
        assert_eq!(applied.join(" "), expect, "{case}");
        let lawful = expect.is_empty();
        assert_eq!(channel(&record), lawful.then_some(Channel::Sms), "{case}");
    }
}

#[test]
fn the_law_of_text_messages_is_not_that_of_email() {
    let mut policy = generous(&[by("any", 0, &[Channel::Sms, Channel::Email])]);
    policy.jurisdictions = vec![forbids("de", "DE", None)];
    let record = decide(day_zero(), &ada(), &asks(&policy), &policy);
    assert_eq!(channel(&record), Some(Channel::Email));
    assert_eq!(found(&record, "channel"), "email; sms would come before it and may not be used now");
}

#[test]
fn what_time_it_is_there() {
    // Profile, session, country; whose zone it is; whether ten o'clock in Greenwich is quiet there.
    let cases = [
        (Some("Asia/Tokyo"), Some("Europe/Berlin"), "DE", "by the person's zone, 19:00 in Asia/Tokyo", false),
        (None, Some("America/New_York"), "DE", "by the last session's zone, 05:00 in America/New_York", true),
        (Some("Mars/Olympus"), None, "JP", "by their country's zone, 19:00 in Asia/Tokyo", false),
        (None, None, "DE", "by their country's zone, 11:00 in Europe/Berlin", false),
        // Somewhere in the country it is night.
        (None, None, "US", "by every possible zone, 00:00 to 05:00 in 8 zones", true),
        (None, None, "ES", "by every possible zone, 10:00 to 11:00 in 2 zones", false),
        (None, None, "", "by the shop's zone, 22:00 in Pacific/Honolulu", true),
    ];
    for (profile, session, country, told, quiet) in cases {
        let mut policy = with_quiet_nights(generous(&[email("mail", 0)]));
        policy.default_zone = "Pacific/Honolulu".into();
        let mut ada = ada();
        ada.contacts.retain(|c| c.channel != Channel::Sms);
        ada.zone = profile.map(str::to_owned);
        ada.place = in_place(country);
        let request = ClaimRequest { zone: session.map(str::to_owned), ..asks(&policy) };
        // Honolulu's evening before is asked two hours earlier.
        let now = if country.is_empty() { at("0 08:00") } else { at("0 10:00") };
        let record = decide(now, &ada, &request, &policy);
        assert_eq!(found(&record, "quiet_hours"), format!("{told}; quiet from 21:00 to 09:00"));
        assert_eq!(channel(&record).is_none(), quiet, "{told}");
    }
}

#[test]
fn a_text_message_must_find_both_countries_awake() {
    let mut policy = with_quiet_nights(generous(&[by("text", 0, &[Channel::Sms])]));
    policy.default_zone = "UTC".into();
    let mut ada = ada();
    ada.place = in_place("JP");
    // Nine in Berlin, where the number is from, is seventeen o'clock in Tokyo.
    let expect = put_off(at("0 08:00"), Why::QuietHours);
    assert_eq!(decide(at("0 07:00"), &ada, &asks(&policy), &policy).decision, expect);
    assert_eq!(channel(&decide(at("0 08:00"), &ada, &asks(&policy), &policy)), Some(Channel::Sms));
}

#[test]
fn no_hour_at_all_is_told_and_not_put_off_for_ever() {
    let quiet = QuietHours { from: 12 * 60, to: 11 * 60 };
    let mut policy = Policy { quiet_hours: Some(quiet), ..generous(&[email("mail", 0)]) };
    policy.jurisdictions = vec![];
    let mut ada = ada();
    ada.place = in_place("US");
    // One free hour a day, and eight zones that must all be in it.
    let record = decide(day_zero(), &ada, &asks(&policy), &policy);
    assert_eq!(record.decision, skipped(Why::QuietHours));
}

// Which channel.

#[test]
fn why_this_channel() {
    let rules = |mobile_first: &[Channel], by_preference, by_performance| ChannelRules {
        mobile_first: mobile_first.to_vec(),
        by_preference,
        by_performance,
    };
    let [email, sms, push] = ALL;
    let plain = rules(&[], false, false);
    let phones = rules(&[push, sms], true, true);
    let enough = MEASURED;
    let all = |e, s, p| BTreeMap::from([(email, e), (sms, s), (push, p)]);
    let good_sms = all((enough, 10), (enough, 40), (enough, 20));
    let few = all((enough, 10), (enough, 40), (enough - 1, 0));
    let nothing = BTreeMap::new();
    let cases = [
        (&plain, Some(push), true, &good_sms, email, "email: the first of the step"),
        (&phones, Some(push), true, &good_sms, push, "push: the channel the person asked for"),
        (&phones, Some(email), true, &good_sms, email, "email: the channel the person asked for"),
        (&phones, None, true, &good_sms, push, "push: the last session was on a phone"),
        (&phones, None, false, &good_sms, sms, "sms: people of this shop follow it most often"),
        (&phones, None, false, &few, email, "email: the first of the step"),
        (&phones, None, false, &nothing, email, "email: the first of the step"),
    ];
    for (channels, preferred, mobile, performance, expect, why) in cases {
        let policy = Policy { channels: channels.clone(), ..generous(&[by("any", 0, &ALL)]) };
        let ada = Person { preferred, ..ada() };
        let mut request = ClaimRequest { performance: performance.clone(), ..asks(&policy) };
        request.facts.set_flag(Field::SessionMobile, mobile);
        let record = decide(day_zero(), &ada, &request, &policy);
        assert_eq!(channel(&record), Some(expect), "{why}");
        assert_eq!(found(&record, "channel"), why);
    }
}

#[test]
fn few_messages_do_not_make_a_rate() {
    // One of 400 against 30 of 4,000: the smoothed rates are 1.2 % and 0.85 %.
    let channels = ChannelRules { by_performance: true, ..ChannelRules::default() };
    let policy = Policy { channels, ..generous(&[by("any", 0, &[Channel::Email, Channel::Sms])]) };
    let rates = |email, sms| BTreeMap::from([(Channel::Email, email), (Channel::Sms, sms)]);
    let chosen = |performance| {
        let request = ClaimRequest { performance, ..asks(&policy) };
        channel(&decide(day_zero(), &ada(), &request, &policy)).unwrap()
    };
    assert_eq!(chosen(rates((400, 1), (4_000, 30))), Channel::Email);
    assert_eq!(chosen(rates((400, 0), (4_000, 60))), Channel::Sms);
    // More followed than sent is a slip of the counting, and no rate above one.
    assert_eq!(chosen(rates((400, 400), (400, 9_000))), Channel::Email);
}

#[test]
fn of_channels_that_must_wait_the_shortest_wait_counts() {
    let mut policy = generous(&[by("any", 0, &ALL)]);
    let quiet = |channel, to| Rule {
        id: format!("{channel}_night"),
        source: "a test".into(),
        law: Law::Quiet { channels: vec![channel], window: QuietHours { from: 0, to }, days: vec![] },
    };
    let rules =
        vec![quiet(Channel::Email, 9 * 60), quiet(Channel::Sms, 8 * 60), quiet(Channel::Push, 10 * 60)];
    policy.jurisdictions = vec![Pack { rules, ..forbids("gb", "GB", None) }];
    let mut ada = ada();
    ada.place = in_place("GB");
    ada.zone = Some("Europe/London".into());
    let ask = |now: &str, ada: &Person| decide(at(now), ada, &asks(&policy), &policy);
    assert_eq!(ask("0 03:00", &ada).decision, put_off(at("0 08:00"), Why::JurisdictionHours));
    assert_eq!(channel(&ask("0 08:00", &ada)), Some(Channel::Sms));
    assert_eq!(channel(&ask("0 09:00", &ada)), Some(Channel::Email));
    // Holdout comes before hours: who is held out is told so, and not put off.
    let held = Person { holdout: Some(true), ..ada };
    assert_eq!(ask("0 03:00", &held).decision, skipped(Why::Holdout));
}

#[test]
fn a_yes_must_rest_on_what_the_policy_asks_for() {
    let mut policy = generous(&[by("text", 0, &[Channel::Sms])]);
    policy.consent.least.insert(Channel::Sms, Source::Person);
    for (source, expect) in [(Source::Page, false), (Source::Signed, false), (Source::Person, true)] {
        let mut ada = ada();
        ada.consents = vec![yes(Channel::Sms, source, day_zero())];
        let record = decide(day_zero(), &ada, &asks(&policy), &policy);
        assert_eq!(channel(&record).is_some(), expect, "{source:?}");
        if !expect {
            assert_eq!(record.decision, skipped(Why::WeakConsent), "there is a yes");
            assert!(found(&record, "sms.consent").contains("the policy asks for one confirmed"));
        }
    }
    let mut nobody = ada();
    nobody.consents.clear();
    assert_eq!(decide(day_zero(), &nobody, &asks(&policy), &policy).decision, skipped(Why::NoConsent));
    // Of two channels the one whose yes is too weak came closer than the one without any.
    let both = generous(&[by("either", 0, &[Channel::Email, Channel::Sms])]);
    let both = Policy { consent: policy.consent.clone(), ..both };
    let mut ada = ada();
    ada.consents = vec![yes(Channel::Sms, Source::Page, day_zero())];
    assert_eq!(decide(day_zero(), &ada, &asks(&both), &both).decision, skipped(Why::WeakConsent));
}

#[test]
fn without_a_pack_that_says_so_no_customer_is_written_to_without_a_yes() {
    let mut policy = generous(&[email("mail", 0)]);
    policy.consent.soft_opt_in = true;
    let mut ada = ada();
    ada.consents.clear();
    ada.place = in_place("GB");
    ada.record_order(order("o1", -DAY, Some(4_900), None));
    let ask = |ada: &Person, policy: &Policy| decide(day_zero(), ada, &asks(policy), policy);
    assert_eq!(ask(&ada, &policy).decision, skipped(Why::NoConsent));
    let law = Law::SoftOptIn { channel: Channel::Email, span_ms: 730 * DAY };
    let rules = vec![Rule { id: "customers".into(), source: "a test".into(), law }];
    policy.jurisdictions = vec![Pack { rules, ..forbids("gb", "GB", None) }];
    let record = ask(&ada, &policy);
    assert_eq!(channel(&record), Some(Channel::Email));
    assert_eq!(record.consent, None);
    assert!(found(&record, "email.consent").ends_with("customers need none here"));
    // A recorded no, an address that only a page brought, and a place that nobody knows.
    let no = Consent { granted: false, ..yes(Channel::Email, Source::Page, day_zero()) };
    let refused = Person { consents: vec![no], ..ada.clone() };
    assert_eq!(ask(&refused, &policy).decision, skipped(Why::NoConsent));
    let mut typed = ada.clone();
    typed.contacts.clear();
    typed.add_contact(Channel::Email, "ada@example.com", Source::Page, day_zero());
    assert_eq!(ask(&typed, &policy).decision, skipped(Why::NoConsent));
    let mut nowhere = ada;
    nowhere.place = Place::default();
    nowhere.contacts.retain(|c| c.channel == Channel::Email);
    assert_eq!(ask(&nowhere, &policy).decision, skipped(Why::NoConsent));
}

#[test]
fn a_yes_that_is_too_weak_counts_for_no_more_than_one_that_suffices() {
    // A customer who needs no yes, but of whom a page brought one: the address has had its one recovery,
    // and a policy that asks for a firmer yes does not give it another.
    let mut policy = generous(&[email("mail", 0)]);
    policy.consent.soft_opt_in = true;
    let law = Law::SoftOptIn { channel: Channel::Email, span_ms: 730 * DAY };
    let rules = vec![Rule { id: "customers".into(), source: "a test".into(), law }];
    policy.jurisdictions = vec![Pack { rules, ..forbids("gb", "GB", None) }];
    let mut ada = Person { place: in_place("GB"), ..ada() };
    ada.consents = vec![yes(Channel::Email, Source::Page, day_zero().plus(-DAY))];
    ada.record_order(order("o1", -DAY, Some(4_900), None));
    let first = ClaimRequest { key: SendKey::of(&cart(2), 1, 0), cart: cart(2), ..asks(&policy) };
    let first = ClaimRequest { abandoned_at: day_zero().plus(-DAY), ..first };
    assert!(matches!(ada.claim(day_zero(), &first, &policy, true).decision, Decision::Send(_)));
    for least in [Source::Page, Source::Signed] {
        policy.consent.least.insert(Channel::Email, least);
        let record = decide(day_zero(), &ada, &asks(&policy), &policy);
        assert_eq!(record.decision, skipped(Why::UnverifiedLimit), "{least:?}");
    }
}

// Patience.

#[test]
fn who_follows_nothing_rests() {
    let fatigue = Some(Fatigue { unanswered: 3, rest_ms: 20 * DAY });
    let policy = Policy { fatigue, ..generous(&[email("mail", 0)]) };
    let mut ada = ada();
    let ask = |ada: &Person, now| decide(now, ada, &asks(&policy), &policy);
    for day in [-12, -11] {
        earlier(&mut ada, 2, Channel::Email, "t", day_zero().plus(day * DAY));
    }
    let last = day_zero().plus(-10 * DAY);
    assert!(channel(&ask(&ada, day_zero())).is_some(), "two are not three");
    let key = earlier(&mut ada, 2, Channel::Sms, "t", last);
    let record = ask(&ada, day_zero());
    assert_eq!(record.decision, skipped(Why::Fatigue));
    assert!(found(&record, "fatigue").starts_with("3 in a row were not followed; rest until 2026-01-15"));
    assert!(channel(&ask(&ada, last.plus(20 * DAY))).is_some(), "the rest is over");
    // The third may have gone out: it is claimed and not settled.
    let mut claimed = Person { sends: ada.sends[..2].to_vec(), ..ada.clone() };
    let other = ClaimRequest { key: SendKey::of(&cart(3), 1, 0), cart: cart(3), ..asks(&policy) };
    let earlier_still = ClaimRequest { abandoned_at: last, ..other };
    assert!(matches!(claimed.claim(last, &earlier_still, &policy, true).decision, Decision::Send(_)));
    assert_eq!(ask(&claimed, day_zero()).decision, skipped(Why::Fatigue));
    // Each of these is an answer, and begins the count anew.
    let mut clicked = ada.clone();
    clicked.clicked(&key, last.plus(HOUR));
    let mut bought = ada.clone();
    bought.record_order(order("o1", -9 * DAY, None, None));
    let mut agreed = ada.clone();
    agreed.record_consent(yes(Channel::Email, Source::Page, day_zero().plus(-DAY)));
    agreed.record_consent(yes(Channel::Push, Source::Person, day_zero().plus(-DAY)));
    for answered in [clicked, bought, agreed.clone()] {
        assert!(channel(&ask(&answered, day_zero())).is_some());
    }
    // A late copy of a yes is not another: what came before it goes on counting.
    for at in [day_zero().plus(-23 * HOUR), day_zero().plus(-22 * HOUR), day_zero().plus(-21 * HOUR)] {
        earlier(&mut agreed, 2, Channel::Sms, "t", at);
    }
    assert_eq!(ask(&agreed, day_zero()).decision, skipped(Why::Fatigue));
    agreed.record_consent(yes(Channel::Push, Source::Person, day_zero().plus(-20 * HOUR)));
    assert_eq!(ask(&agreed, day_zero()).decision, skipped(Why::Fatigue));
    agreed.record_consent(yes(Channel::Push, Source::Person, day_zero().plus(5 * HOUR)));
    let later = day_zero().plus(6 * HOUR);
    assert!(channel(&ask(&agreed, later)).is_some(), "a day after the last it is another");
}

#[test]
fn messages_about_things_looked_at_have_a_cap_of_their_own() {
    let idle_ms = HOUR;
    let browse = Browse { dwell_ms: MINUTE, dwell_by_class: BTreeMap::new(), idle_ms, per_week: 1 };
    let policy = Policy { browse: Some(browse), ..generous(&[email("mail", 0)]) };
    let mut ada = ada();
    earlier(&mut ada, 2, Channel::Email, "t", day_zero().plus(-6 * DAY));
    let ask = |ada: &Person, trigger, policy: &Policy| {
        let request = ClaimRequest { trigger, ..asks(policy) };
        decide(day_zero(), ada, &request, policy)
    };
    assert!(channel(&ask(&ada, Trigger::Browse, &policy)).is_some(), "that one was about a cart");
    ada.sends[0].browse = true;
    assert_eq!(ask(&ada, Trigger::Browse, &policy).decision, skipped(Why::BrowseCap));
    assert!(channel(&ask(&ada, Trigger::Idle, &policy)).is_some());
    ada.sends[0].at = day_zero().plus(-7 * DAY);
    assert!(channel(&ask(&ada, Trigger::Browse, &policy)).is_some(), "a week ago");
    let none = Policy { browse: None, ..policy };
    assert_eq!(ask(&ada, Trigger::Browse, &none).decision, skipped(Why::BrowseCap));
}

#[test]
fn caps_count_carts_channels_and_claims_alike_and_name_the_instant_of_room() {
    let caps = Caps { day: 2, week: 4, ..Caps::default() };
    let policy = Policy { caps, ..policy(&[email("mail", 0)]) };
    let hours = |h: i64| day_zero().plus(h * HOUR);
    let ask = |ada: &Person| decide(day_zero(), ada, &asks(&policy), &policy).decision;
    let mut ada = ada();
    earlier(&mut ada, 2, Channel::Email, "a", hours(-24));
    earlier(&mut ada, 3, Channel::Sms, "b", hours(-23));
    assert!(matches!(ask(&ada), Decision::Send(_)), "24 hours ago is over");
    earlier(&mut ada, 2, Channel::Push, "c", hours(-5));
    assert_eq!(ask(&ada), put_off(hours(1), Why::DailyCap));
    // Two too many: both must age out.
    earlier(&mut ada, 4, Channel::Email, "d", hours(-4));
    assert_eq!(ask(&ada), put_off(hours(19), Why::DailyCap));
    for sent in &mut ada.sends {
        sent.at = sent.at.plus(-2 * DAY);
    }
    assert_eq!(ask(&ada), put_off(hours(-24 - 48 + 7 * 24), Why::WeeklyCap));
    // Two persons that turn out to be one have sent what both have sent.
    let mut other = ada.clone();
    other.sends.clear();
    let same = ada.sends[0].clone();
    other.sends.push(same);
    earlier(&mut other, 5, Channel::Email, "e", hours(-2));
    ada.absorb(&other);
    assert_eq!(ada.sends.len(), 5);
    // A claim of another cart that is not settled may have gone out.
    let mut fresh = Person { sends: vec![], ..ada };
    for number in [7, 8] {
        let key = SendKey::of(&cart(number), 1, 0);
        let request = ClaimRequest { key, cart: cart(number), ..asks(&policy) };
        let since = hours(-3 + i64::from(number) - 7);
        let request = ClaimRequest { abandoned_at: since, ..request };
        assert!(matches!(fresh.claim(since, &request, &policy, true).decision, Decision::Send(_)));
    }
    let newest = ClaimRequest { abandoned_at: hours(0), ..asks(&policy) };
    let decision = decide(day_zero(), &fresh, &newest, &policy).decision;
    assert_eq!(decision, put_off(hours(21), Why::DailyCap));
}

#[test]
fn a_template_goes_out_once_in_an_abandonment_by_whatever_channel() {
    let step = Step { template: "reminder".into(), ..by("text", 0, &[Channel::Sms]) };
    let policy = generous(&[step]);
    let ask = |ada: &Person| decide(day_zero(), ada, &asks(&policy), &policy);
    let mut other_template = ada();
    earlier(&mut other_template, 1, Channel::Email, "incentive", day_zero().plus(-HOUR));
    assert!(channel(&ask(&other_template)).is_some());
    let mut other_cart = ada();
    earlier(&mut other_cart, 2, Channel::Email, "reminder", day_zero().plus(-HOUR));
    assert!(channel(&ask(&other_cart)).is_some());
    let mut same = ada();
    earlier(&mut same, 1, Channel::Email, "reminder", day_zero().plus(-HOUR));
    let record = ask(&same);
    assert_eq!(record.decision, skipped(Why::Repeats));
    assert_eq!(found(&record, "repeats"), "reminder went out by email in this abandonment");
    // One that is claimed and not settled may have gone out; the claim of this very step is no repetition.
    let mut claimed = ada();
    assert!(matches!(claimed.claim(day_zero(), &asks(&policy), &policy, true).decision, Decision::Send(_)));
    assert!(channel(&ask(&claimed)).is_some());
    let second = ClaimRequest { key: SendKey::of(&cart(1), 1, 1), ..asks(&policy) };
    assert_eq!(decide(day_zero(), &claimed, &second, &policy).decision, skipped(Why::Repeats));
}

#[test]
fn a_step_has_a_condition_of_its_own_asked_at_the_claim() {
    let when = Expr::And(vec![
        Expr::Compare { field: Field::AbandonmentContacts, op: Op::Ge, value: 1.0 },
        Expr::Compare { field: Field::AbandonmentClicks, op: Op::Eq, value: 0.0 },
        Expr::Is { field: Field::AbandonmentLastChannel, words: vec!["email".into()] },
        Expr::Not(Box::new(Expr::Is { field: Field::PersonCountry, words: vec!["FR".into()] })),
    ]);
    let policy = generous(&[Step { when: Some(when), ..by("text", 0, &[Channel::Sms]) }]);
    let ask = |ada: &Person| decide(day_zero(), ada, &asks(&policy), &policy).decision;
    let mut ada = ada();
    assert_eq!(ask(&ada), skipped(Why::StepCondition));
    earlier(&mut ada, 1, Channel::Push, "first", day_zero().plus(-2 * HOUR));
    assert_eq!(ask(&ada), skipped(Why::StepCondition), "by push");
    let key = earlier(&mut ada, 1, Channel::Email, "second", day_zero().plus(-HOUR));
    assert!(matches!(ask(&ada), Decision::Send(_)));
    let french = Person { place: in_place("FR"), ..ada.clone() };
    assert_eq!(ask(&french), skipped(Why::StepCondition));
    ada.clicked(&key, day_zero());
    assert_eq!(ask(&ada), skipped(Why::StepCondition), "followed");
}

#[test]
fn a_step_may_wait_for_the_hour_at_which_somebody_reads() {
    let steps = |window: Millis, next: Millis| {
        let first = Step { window_ms: window, ..email("first", HOUR) };
        generous(&[first, email("next", next)])
    };
    let far = 5 * DAY;
    let mut reader = ada();
    reader.zone = Some("UTC".into());
    for day in [-30, -20, -10] {
        let key = earlier(&mut reader, 9, Channel::Email, "t", day_zero().plus(day * DAY));
        reader.clicked(&key, day_zero().plus(day * DAY + 19 * HOUR + 10 * MINUTE));
    }
    let ask =
        |policy: &Policy, person: &Person, now: &str| decide(at(now), person, &asks(policy), policy).decision;
    let evening = put_off(at("0 19:00"), Why::BetterHour);
    let waits = steps(20 * HOUR, far);
    assert_eq!(ask(&waits, &reader, "0 01:00"), evening);
    // At the hour itself, and after it, when the next one lies outside the window.
    for now in ["0 19:00", "0 19:59", "0 20:00", "0 21:30"] {
        assert!(matches!(ask(&waits, &reader, now), Decision::Send(_)), "{now}");
    }
    // The end of the window, the next step, quiet hours, and too few clicks: it goes at once.
    assert_eq!(ask(&steps(18 * HOUR, far), &reader, "0 01:00"), evening);
    let sends =
        |policy: &Policy, person: &Person| matches!(ask(policy, person, "0 01:00"), Decision::Send(_));
    assert!(sends(&steps(18 * HOUR - 1, far), &reader));
    assert!(sends(&steps(20 * HOUR, 19 * HOUR), &reader));
    assert!(!sends(&steps(20 * HOUR, 19 * HOUR + 1), &reader));
    let quiet = Some(QuietHours { from: 18 * 60, to: 20 * 60 });
    assert!(sends(&Policy { quiet_hours: quiet, ..steps(20 * HOUR, far) }, &reader));
    let mut twice = reader.clone();
    twice.sends.pop();
    assert!(sends(&waits, &twice));
    // Zones that are only guessed from a country of several tell no hour.
    let nowhere = Person { zone: None, place: in_place("US"), ..reader.clone() };
    assert!(sends(&waits, &nowhere));
    // In their own zone.
    let tokyo = Person { zone: Some("Asia/Tokyo".into()), ..reader };
    assert_eq!(ask(&waits, &tokyo, "0 01:00"), evening, "four in the morning of Tokyo is their hour");
}

// What is known of a person.

fn order(id: &str, after: Millis, total_minor: Option<i64>, currency: Option<&str>) -> Order {
    let currency = currency.map(|code| Currency::parse(code).unwrap());
    Order { id: id.into(), at: day_zero().plus(after), total_minor, cancelled: false, currency }
}

fn known(facts: &comeback_core::policy::Facts, field: Field) -> Option<f64> {
    facts.number(field)
}

#[test]
fn a_profile_knows_every_fact_of_a_person() {
    let mut ada = ada();
    ada.record_order(order("o1", -40 * DAY, Some(10_000), Some("EUR")));
    ada.record_order(order("o2", -3 * DAY - HOUR, Some(2_550), None));
    ada.record_order(Order { cancelled: true, ..order("o3", -DAY, Some(99_999), Some("EUR")) });
    for (days, followed) in [(-100, false), (-20, true), (-2, false), (-1, false)] {
        let key = earlier(&mut ada, 2, Channel::Email, "t", day_zero().plus(days * DAY));
        if followed {
            ada.clicked(&key, day_zero().plus(days * DAY + HOUR));
            ada.clicked(&key, day_zero());
        }
    }
    ada.sends[1].offered = true;
    ada.tags = vec!["wholesale".into()];
    let episode = |days: i64| KnownEpisode {
        abandoned_at: day_zero().plus(days * DAY),
        cart: cart(2),
        abandonment: 1,
        browse: false,
        until: None,
    };
    ada.episodes = vec![episode(-100), episode(-50)];
    let facts = ada.profile(day_zero());
    for (field, expect) in [
        (Field::PersonOrders, 2.0),
        (Field::PersonLifetimeValue, 125.5),
        (Field::PersonDaysSinceOrder, 3.0),
        (Field::PersonOffers90d, 1.0),
        (Field::PersonAbandonments90d, 1.0),
        (Field::PersonSends30d, 3.0),
        (Field::PersonClicks30d, 1.0),
        (Field::PersonUnanswered, 2.0),
        (Field::PersonVerified, 1.0),
    ] {
        assert_eq!(known(&facts, field), Some(expect), "{field:?}");
    }
    assert_eq!(facts.get(Field::PersonCountry), Some(&Value::Word("DE".into())), "by the number");
    assert_eq!(facts.get(Field::PersonTags), Some(&Value::Words(["wholesale".into()].into())));
    assert_eq!(ada.sends[1].clicked, Some(day_zero().plus(-20 * DAY + HOUR)), "the first click counts");
    // Every field of a person is answered, and none of anything else.
    let answered: Vec<Field> = facts.iter().map(|(field, _)| field).collect();
    let expect: Vec<Field> = comeback_core::policy::FIELDS
        .iter()
        .filter(|spec| spec.known == comeback_core::policy::Known::Person)
        .map(|spec| spec.field)
        .collect();
    assert_eq!(answered, expect);
    // Of a stranger little is known, and nothing is made up.
    let stranger = Person::new(ada.id, ada.shop).profile(day_zero());
    assert_eq!(known(&stranger, Field::PersonDaysSinceOrder), None);
    assert_eq!(stranger.get(Field::PersonCountry), None);
    assert_eq!(known(&stranger, Field::PersonLifetimeValue), Some(0.0));
}

/// Shop's currency, orders by total and currency, rate of the dollar; the sum.
type Spent<'a> = (Option<&'a str>, &'a [(i64, Option<&'a str>)], Option<f64>, Option<f64>);

#[test]
fn lifetime_value_is_in_the_shops_currency() {
    let eur = Some("EUR");
    let cases: &[Spent<'_>] = &[
        (eur, &[(1_000, eur), (500, None)], None, Some(15.0)),
        (eur, &[(1_000, eur), (2_000, Some("USD"))], None, Some(10.0)),
        (eur, &[(1_000, eur), (2_000, Some("USD"))], Some(0.5), Some(20.0)),
        (Some("JPY"), &[(1_200, Some("JPY")), (300, None)], None, Some(1_500.0)),
        (Some("KWD"), &[(1_234, Some("KWD"))], None, Some(1.234)),
        // The shop's currency is not known: one currency is summed, several are not.
        (None, &[(1_200, Some("JPY"))], None, Some(1_200.0)),
        (None, &[(1_000, eur), (2_000, Some("USD"))], Some(0.5), None),
        (None, &[(1_000, None)], None, Some(10.0)),
    ];
    for (home, orders, dollar, expect) in cases {
        let mut policy = generous(&[email("mail", 0)]);
        policy.rates = dollar.map(|rate| ("USD".to_owned(), rate)).into_iter().collect();
        let mut ada = ada();
        for (number, (total, currency)) in orders.iter().enumerate() {
            ada.record_order(order(&format!("o{number}"), -DAY, Some(*total), *currency));
        }
        let home = home.map(|code| Currency::parse(code).unwrap());
        let request = ClaimRequest { home, ..asks(&policy) };
        let record = ada.claim(day_zero(), &request, &policy, true);
        assert_eq!(known(&record.facts, Field::PersonLifetimeValue), *expect, "{home:?} {orders:?}");
        // What the claim told is kept for the profile.
        assert_eq!(known(&ada.profile(day_zero()), Field::PersonLifetimeValue), *expect);
    }
}

#[test]
fn segments_of_the_last_claim_are_kept_as_tags() {
    let when = |value| Expr::Compare { field: Field::PersonSends30d, op: Op::Ge, value };
    let segment = |name: &str, value| Segment { name: name.into(), when: when(value) };
    let policy = Policy {
        segments: vec![segment("written_to", 1.0), segment("any", 0.0)],
        ..generous(&[email("mail", 0)])
    };
    let mut ada = Person { tags: vec!["wholesale".into()], ..ada() };
    let tags = |ada: &Person| ada.profile(day_zero()).get(Field::PersonTags).cloned();
    let words = |tags: &[&str]| Some(Value::Words(tags.iter().map(|t| (*t).to_owned()).collect()));
    ada.claim(day_zero(), &asks(&policy), &policy, true);
    assert_eq!(tags(&ada), words(&["wholesale", "any"]));
    ada.mark_sent(&asks(&policy).key, day_zero());
    ada.claim(day_zero().plus(HOUR), &asks(&policy), &policy, true);
    assert_eq!(tags(&ada), words(&["wholesale", "written_to", "any"]));
    assert_eq!(ada.tags, ["wholesale"], "the shop's own stay as they were");
}

#[test]
fn what_two_persons_were_told_and_did_is_united() {
    let mut one = ada();
    let mut two = ada();
    let key = earlier(&mut one, 2, Channel::Email, "t", day_zero());
    two.sends = one.sends.clone();
    one.clicked(&key, day_zero().plus(2 * HOUR));
    two.clicked(&key, day_zero().plus(HOUR));
    two.place = in_place("FR");
    two.preferred = Some(Channel::Push);
    one.tags = vec!["a".into()];
    two.tags = vec!["b".into(), "a".into()];
    let policy = generous(&[email("mail", 0)]);
    assert!(matches!(one.claim(day_zero(), &asks(&policy), &policy, true).decision, Decision::Send(_)));
    let later = day_zero().plus(HOUR);
    assert!(matches!(two.claim(day_zero(), &asks(&policy), &policy, true).decision, Decision::Send(_)));
    assert!(matches!(two.claim(later, &asks(&policy), &policy, true).decision, Decision::Send(_)));
    one.absorb(&two);
    assert_eq!(one.sends[0].clicked, Some(day_zero().plus(HOUR)));
    assert_eq!(one.place, in_place("FR"));
    assert_eq!(one.preferred, Some(Channel::Push));
    assert_eq!(one.tags, ["a", "b"]);
    let claim = &one.claims[&asks(&policy).key];
    assert_eq!((claim.at, claim.attempts), (later, 2), "held longer, given back less easily");
    let once = one.clone();
    one.absorb(&two);
    assert_eq!(one, once);
}
