//! Properties of the gate, asked of persons, carts and policies made up at random: a further pack or a
//! stricter check never turns a no into a yes, nothing passes after an order or an opt-out, caps and
//! windows hold, and a merge loosens nothing. Judged by counting anew, not by the gate's own counting.

#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use std::collections::BTreeMap;

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::decision::{Decision, DecisionRecord, Why};
use comeback_core::gate::{ClaimRequest, decide};
use comeback_core::id::{CartId, PersonId, SendKey, ShopId};
use comeback_core::jurisdiction::{Holiday, Law, Pack, Place, Rule, Weekday};
use comeback_core::person::{Claim, KnownEpisode, Order, Person, Recovered, Sent};
use comeback_core::policy::{
    Browse, Caps, ChannelRules, ConsentRules, Expr, Fatigue, Field, Op, Policy, Step,
};
use comeback_core::recovery::Trigger;
use comeback_core::time::{DAY, HOUR, MINUTE, QuietHours, Timestamp};
use comeback_testkit::faults::SplitMix64;
use comeback_testkit::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The seed is fixed: the same cases everywhere and every day.
fn cases(cases: u32) -> ProptestConfig {
    let rng_seed = RngSeed::Fixed(20_260_105);
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

const ALL: [Channel; 3] = [Channel::Email, Channel::Sms, Channel::Push];
const SOURCES: [Source; 3] = [Source::Page, Source::Signed, Source::Person];

/// Makes things up.
struct Any(SplitMix64);

impl Any {
    fn below(&mut self, bound: i64) -> i64 {
        i64::try_from(self.0.below(u64::try_from(bound).unwrap())).unwrap()
    }

    fn one_in(&mut self, bound: i64) -> bool {
        self.below(bound) == 0
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(i64::try_from(all.len()).unwrap())).unwrap()].clone()
    }

    fn ago(&mut self, days: i64) -> Timestamp {
        now().plus(-self.below(days * 24 * 60) * MINUTE)
    }

    fn small(&mut self, bound: i64) -> u32 {
        u32::try_from(self.below(bound)).unwrap()
    }

    fn window(&mut self) -> QuietHours {
        let mut quarter = || u16::try_from(self.below(96) * 15).unwrap();
        QuietHours { from: quarter(), to: quarter() }
    }

    fn place(&mut self) -> Place {
        let country = self.of(&[None, Some("DE"), Some("FR"), Some("US")]);
        let region = self.of(&[None, Some("FL"), Some("OH")]).filter(|_| country == Some("US"));
        Place { country: country.map(str::to_owned), region: region.map(str::to_owned) }
    }

    fn channels(&mut self) -> Vec<Channel> {
        let mut channels = vec![];
        for _ in 0..=self.below(3) {
            let channel = self.of(&ALL);
            if !channels.contains(&channel) {
                channels.push(channel);
            }
        }
        channels
    }

    fn person(&mut self) -> Person {
        let mut person = Person::new(PersonId::parse("per_1").unwrap(), ShopId::parse("shop_1").unwrap());
        person.place = self.place();
        person.zone = self.of(&[None, Some("Europe/Berlin"), Some("America/New_York")]).map(str::to_owned);
        person.preferred = self.of(&[None, Some(Channel::Sms), Some(Channel::Push)]);
        let numbers = ["+4915112345678", "+33612345678", "+13055550123"];
        for channel in ALL {
            let address = if channel == Channel::Sms { self.of(&numbers) } else { "somewhere" };
            if !self.one_in(5) {
                let (source, at) = (self.of(&SOURCES), self.ago(300));
                person.add_contact(channel, address, source, at);
                if self.one_in(3) {
                    let (at, cart) = (self.ago(40), self.cart());
                    let contact = person.contacts.last_mut().unwrap();
                    contact.recoveries.push(Recovered { at, cart, abandonment: 1 });
                }
            }
            if !self.one_in(5) {
                let (granted, wording) = (!self.one_in(6), "w".to_owned());
                let (at, source) = (self.ago(300), self.of(&SOURCES));
                person.consents.push(Consent { channel, granted, wording, at, source });
            }
            if self.one_in(8) {
                person.opt_out(Some(channel), now());
            }
        }
        if self.one_in(12) {
            person.opt_out(None, now());
        }
        if self.one_in(12) {
            person.paused_until = Some(now().plus(HOUR));
        }
        for _ in 0..self.below(3) {
            let (at, cancelled) = (self.ago(400), self.one_in(3));
            let total_minor = self.of(&[None, Some(4_900)]);
            person.record_order(Order {
                id: self.0.next_u64().to_string(),
                at,
                total_minor,
                cancelled,
                currency: None,
            });
        }
        for number in 0..self.below(7) {
            person.sends.push(self.sent(number));
        }
        if self.one_in(3) {
            let claim: Claim = serde_json::from_value(serde_json::json!({
                "at": self.ago(2), "channel": self.of(&ALL), "cart": self.cart(), "abandonment": 1,
                "offered": false, "attempts": 1, "template": self.of(&["a", "b"]), "browse": self.one_in(2),
            }))
            .unwrap();
            person.claims.insert(SendKey::derive(&["claimed", &self.0.next_u64().to_string()]), claim);
        }
        if self.one_in(4) {
            let (abandoned_at, cart) = (self.ago(3), self.cart());
            person.episodes.push(KnownEpisode {
                abandoned_at,
                cart,
                abandonment: 1,
                browse: false,
                until: None,
            });
        }
        person
    }

    fn cart(&mut self) -> CartId {
        self.of(&["cart_1", "cart_1", "cart_2"]).parse_cart()
    }

    fn sent(&mut self, number: i64) -> Sent {
        let at = self.ago(9);
        let clicked = self.one_in(4).then(|| at.plus(HOUR));
        serde_json::from_value(serde_json::json!({
            "at": at, "key": SendKey::derive(&["sent", &number.to_string(), &at.millis().to_string()]),
            "channel": self.of(&ALL), "cart": self.cart(), "abandonment": 1, "offered": false,
            "template": self.of(&["a", "b", "c", "d"]), "clicked": clicked, "browse": self.one_in(3),
        }))
        .unwrap()
    }

    fn rule(&mut self, number: i64) -> Rule {
        let (channel, channels) = (self.of(&ALL), self.channels());
        let law = match self.below(6) {
            0 => Law::Quiet {
                channels,
                window: self.window(),
                days: if self.one_in(2) { vec![] } else { vec![Weekday::Monday, Weekday::Sunday] },
            },
            1 => {
                let sundays = self.one_in(2);
                Law::NoDays { channels, sundays, holidays: !sundays }
            }
            2 => Law::PerAbandonment { channel, most: self.small(3) },
            3 => Law::PerDay { channel, most: self.small(3) },
            4 => Law::Within { channel, span_ms: (1 + self.below(60)) * HOUR },
            _ => Law::LeastConsent { channel, source: self.of(&SOURCES) },
        };
        Rule { id: format!("rule_{number}"), source: "made up".into(), law }
    }

    /// A pack without soft opt-in.
    fn pack(&mut self) -> Pack {
        let country = self.of(&["DE", "FR", "US"]);
        let regions = if country == "US" && self.one_in(2) { vec!["FL".to_owned()] } else { vec![] };
        Pack {
            code: country.to_lowercase(),
            name: country.to_owned(),
            countries: vec![country.to_owned()],
            regions,
            as_of: "2026-11-21".into(),
            // The Monday on which everything here happens.
            holidays: vec![Holiday::Fixed { month: 1, day: 5 }],
            rules: (0..=self.below(3)).map(|n| self.rule(n)).collect(),
        }
    }

    fn policy(&mut self) -> Policy {
        let step = Step {
            window_ms: self.of(&[0, 0, 10 * HOUR]),
            template: "a".into(),
            ..by("step", HOUR, &self.channels())
        };
        let mut policy = policy(&[step, email("next", 90 * HOUR)]);
        policy.caps = Caps {
            day: 1 + self.small(4),
            week: 1 + self.small(7),
            sms_per_abandonment: self.small(3),
            unverified_ms: 30 * DAY,
        };
        if self.one_in(3) {
            policy.jurisdictions.push(self.pack());
        }
        if self.one_in(2) {
            // The one rule that loosens is there before anything is added.
            let law = Law::SoftOptIn { channel: Channel::Email, span_ms: 200 * DAY };
            let rules = vec![Rule { id: "customers".into(), source: "made up".into(), law }];
            let countries = ["DE", "FR", "US"].map(str::to_owned).to_vec();
            policy.jurisdictions.push(Pack { countries, regions: vec![], rules, ..self.pack() });
            policy.consent.soft_opt_in = true;
        }
        if self.one_in(3) {
            policy.quiet_hours = Some(self.window());
        }
        policy.channels = ChannelRules {
            mobile_first: self.channels(),
            by_preference: self.one_in(2),
            by_performance: self.one_in(2),
        };
        let browse = Browse { dwell_ms: 1, dwell_by_class: BTreeMap::new(), idle_ms: 1, per_week: 1 };
        policy.browse = Some(browse).filter(|_| !self.one_in(4));
        policy
    }

    fn request(&mut self, policy: &Policy) -> ClaimRequest {
        let cart = "cart_1".parse_cart();
        let abandoned_at = now().plus(-HOUR - self.below(60) * HOUR);
        let mut request: ClaimRequest = serde_json::from_value(serde_json::json!({
            "key": SendKey::of(&cart, 1, 0), "cart": cart, "abandonment": 1, "sequence": "main",
            "abandoned_at": abandoned_at, "cart_born_at": abandoned_at,
            "step": policy.sequences[0].steps[0], "facts": {}, "showable_lines": 1, "automated": false,
            "zone": self.of(&[None, Some("Europe/Paris")]), "stopped": false, "capable": ALL, "offers": [],
            "model": null, "events": [], "place": self.place(),
        }))
        .unwrap();
        request.trigger = self.of(&[Trigger::Idle, Trigger::Idle, Trigger::Browse]);
        request.performance = ALL.map(|c| (c, (500, self.0.below(400)))).into_iter().collect();
        request.facts.set_flag(Field::SessionMobile, self.one_in(2));
        request
    }

    /// Makes something stricter; says what.
    fn tighten(&mut self, policy: &mut Policy, request: &mut ClaimRequest) -> &'static str {
        match self.below(9) {
            0..=2 => {
                policy.jurisdictions.push(self.pack());
                "a pack"
            }
            3 => {
                let caps = &mut policy.caps;
                caps.day = caps.day.saturating_sub(self.small(3));
                caps.week = caps.week.saturating_sub(self.small(3));
                caps.sms_per_abandonment = caps.sms_per_abandonment.saturating_sub(1);
                "lower caps"
            }
            4 => {
                policy.fatigue = Some(Fatigue { unanswered: 1 + self.small(4), rest_ms: 20 * DAY });
                "rest"
            }
            5 if policy.quiet_hours.is_none() => {
                policy.quiet_hours = Some(self.window());
                "quiet hours"
            }
            6 => {
                let least = ALL.map(|channel| (channel, self.of(&SOURCES))).into_iter().collect();
                policy.consent = ConsentRules { least, ..policy.consent.clone() };
                "firmer consent"
            }
            7 => {
                let gone = self.of(&ALL);
                request.capable.retain(|c| *c != gone);
                "a channel less"
            }
            _ => {
                let op = self.of(&[Op::Ge, Op::Lt]);
                let field = self.of(&[Field::PersonOrders, Field::AbandonmentContacts]);
                request.step.when = Some(Expr::Compare { field, op, value: 1.0 });
                "a condition"
            }
        }
    }
}

trait ParseCart {
    fn parse_cart(&self) -> CartId;
}

impl ParseCart for str {
    fn parse_cart(&self) -> CartId {
        CartId::parse(self).unwrap()
    }
}

/// A Monday at noon.
fn now() -> Timestamp {
    at("0 12:00")
}

fn sends(record: &DecisionRecord) -> bool {
    matches!(record.decision, Decision::Send(_))
}

/// A wait for a better hour is a wish, not a no.
fn refuses(record: &DecisionRecord) -> bool {
    !sends(record) && !matches!(record.decision, Decision::Defer { why: Why::BetterHour, .. })
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn nothing_stricter_turns_a_no_into_a_yes(seed in any::<u64>()) {
        let mut any = Any(SplitMix64::new(seed));
        let (person, mut policy) = (any.person(), any.policy());
        let mut request = any.request(&policy);
        let before = decide(now(), &person, &request, &policy);
        let mut told = vec![];
        for _ in 0..3 {
            told.push(any.tighten(&mut policy, &mut request));
        }
        let after = decide(now(), &person, &request, &policy);
        prop_assert!(!(refuses(&before) && sends(&after)), "{told:?}\n{before:#?}\n{after:#?}");
    }

    #[test]
    fn what_passes_breaks_no_rule_that_is_counted_anew(seed in any::<u64>()) {
        let mut any = Any(SplitMix64::new(seed));
        let (person, policy) = (any.person(), any.policy());
        let request = any.request(&policy);
        let record = decide(now(), &person, &request, &policy);
        if let Decision::Defer { until, .. } = record.decision {
            prop_assert!(until > now(), "put off to the past");
        }
        let Decision::Send(clearance) = &record.decision else { return Ok(()) };
        let by = clearance.channel();
        prop_assert!(person.opted_out_of_all.is_none());
        prop_assert!(person.opt_outs.iter().all(|(c, _)| *c != by));
        prop_assert!(person.orders.iter().all(|o| o.cancelled || o.at < request.cart_born_at));
        prop_assert!(person.consents.iter().all(|c| c.channel != by || c.granted), "a no is a no");
        let sent: Vec<(Timestamp, Channel, &CartId)> = person.sends.iter().map(|s| (s.at, s.channel, &s.cart))
            .chain(person.claims.values().map(|c| (c.at, c.channel, &c.cart))).collect();
        let within = |span| sent.iter().filter(|(at, ..)| now().since(*at) < span).count();
        prop_assert!(within(DAY) < policy.caps.day as usize);
        prop_assert!(within(7 * DAY) < policy.caps.week as usize);
        let texts = sent.iter().filter(|(_, c, cart)| *c == Channel::Sms && **cart == request.cart).count();
        prop_assert!(by != Channel::Sms || texts < policy.caps.sms_per_abandonment as usize);
        let templates = person.sends.iter().filter(|s| s.cart == request.cart).map(|s| s.template.as_str());
        prop_assert!(templates.clone().all(|t| t != clearance.template()));
        // Whatever is let through, every line of the law on its channel says that it may be.
        let prefix = format!("{by}.law.");
        let law: Vec<_> = record.checks.iter().filter(|c| c.rule.starts_with(&prefix)).collect();
        prop_assert!(law.iter().all(|c| c.passed), "{law:#?}");
    }

    #[test]
    fn a_merge_loosens_nothing(seed in any::<u64>()) {
        let mut any = Any(SplitMix64::new(seed));
        let (mut one, two, policy) = (any.person(), any.person(), any.policy());
        let request = any.request(&policy);
        let hard = |person: &Person| match decide(now(), person, &request, &policy).decision {
            Decision::Skip { why } | Decision::Defer { why, .. } => matches!(
                why,
                Why::Ordered | Why::OptedOut | Why::Paused | Why::AnotherSequence | Why::Repeats
                    | Why::DailyCap | Why::WeeklyCap | Why::BrowseCap | Why::Holdout
            ),
            Decision::Send(_) => false,
        };
        let refused = hard(&one) || hard(&two);
        let apart = [&one, &two].map(|person| decide(now(), person, &request, &policy).decision);
        one.absorb(&two);
        let merged = decide(now(), &one, &request, &policy);
        prop_assert!(!(refused && sends(&merged)), "{apart:?}\n{merged:#?}");
    }
}

/// The properties above would hold of a gate that says no to everything, or of tightenings that never
/// bind.
#[test]
fn what_is_made_up_is_worth_asking() {
    let mut yes = 0;
    let mut bound = BTreeMap::new();
    let mut whys = BTreeMap::new();
    for seed in 0..4_000 {
        let mut any = Any(SplitMix64::new(seed));
        let (person, mut policy) = (any.person(), any.policy());
        let mut request = any.request(&policy);
        let before = decide(now(), &person, &request, &policy);
        if let Decision::Skip { why } | Decision::Defer { why, .. } = before.decision {
            *whys.entry(format!("{why:?}")).or_insert(0) += 1;
        }
        yes += i32::from(sends(&before));
        let what = any.tighten(&mut policy, &mut request);
        if sends(&before) && !sends(&decide(now(), &person, &request, &policy)) {
            *bound.entry(what).or_insert(0) += 1;
        }
    }
    assert!(yes > 200, "{yes} of 4,000 pass: {whys:?}");
    assert_eq!(bound.len(), 7, "{bound:?}");
    for why in ["Jurisdiction", "JurisdictionHours", "Repeats", "DailyCap", "WeeklyCap", "QuietHours"] {
        assert!(whys.contains_key(why), "{why} is never reached: {whys:?}");
    }
}
