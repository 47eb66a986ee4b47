//! The one gate. Every send passes here, inside the claim that sends it, and nowhere else; what
//! could have changed since the step was planned is asked again here.
//!
//! The gate is a list of checks in a fixed order, each leaving a line in the record, so that `explain`
//! can tell the whole story of a message not sent:
//!
//! | check | no means | where |
//! |---|---|---|
//! | `sent_before` | skip | [`standing`] |
//! | `forgotten` (only where it is so), `ordered`, `opted_out` (of everything), `automated` | skip, the sequence ends | |
//! | `stopped`, `paused` | defer | |
//! | `showable`, `one_sequence`, `step_condition` | skip | |
//! | `experiment`, `arm_due` | defer to the time of the arm | [`arms`] |
//! | `repeats` | skip | [`standing`] |
//! | `place` | (a note: whose law applies, and who says so) | [`place`] |
//! | per channel: `contact`, `opted_out`, `consent`, `unverified`, `per_abandonment`, `law.…` | the next channel, else skip | [`channel`], [`jurisdiction`] |
//! | `channel` | (a note: which, and why) | |
//! | `holdout` | skip, the sequence ends | [`standing`] |
//! | rollout, activation of the policy | skip, the sequence ends | [`activation`] |
//! | `fatigue`, `cap_browse` | skip | [`patience`] |
//! | `cap_day`, `cap_week`, `quiet_hours`, `lawful_hours` | defer | |
//! | `better_hour` | defer, within the step's window | |
//! | the hour's bound of a rollout | defer | [`activation`] |
//! | `offer` | the message goes without it | [`crate::offer`] |
//! | a silent arm, shadow | skip; the record says what would have gone out | [`arms`], [`activation`] |
//!
//! First what ends everything, then what forbids this person or channel, then what only asks for
//! patience. A refusal for hours comes late although the channel was chosen by them, so that who is
//! held out is told so and not put off.
//!
//! Caps, law and every other check can only take away: one more of them never turns a no into a yes,
//! but for a pack's soft opt-in, which the policy has to ask for. (A wait for a better hour is a wish,
//! not a no.)

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::consent::{Channel, Consent};
use crate::decision::{Check, Clearance, Decision, DecisionRecord, Why, Would};
use crate::experiment;
use crate::id::{CartId, EventId, SendKey};
use crate::jurisdiction::Place;
use crate::money::Currency;
use crate::offer::{self, ArmOutcome, Lease};
use crate::person::{Claim, Person};
use crate::policy::{Facts, Field, Policy, Step};
use crate::recovery::{Prepared, Trigger};
use crate::time::{QuietHours, Timestamp, Zone};

mod activation;
mod arms;
mod channel;
mod hours;
mod jurisdiction;
mod patience;
pub(crate) mod place;
mod standing;

pub use channel::MEASURED;
use place::Whereabouts;
pub use standing::STOPPED_RETRY;

/// A claim: "may this step be sent to this person, now?"
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimRequest {
    /// The send.
    pub key: SendKey,
    /// The cart.
    pub cart: CartId,
    /// Which episode of the cart.
    pub abandonment: u32,
    /// How the cart was left.
    #[serde(default)]
    pub trigger: Trigger,
    /// Name of the sequence.
    #[serde(default)]
    pub sequence: String,
    /// When the episode began.
    pub abandoned_at: Timestamp,
    /// When the cart was born: an order placed after that ends the sequence.
    pub cart_born_at: Timestamp,
    /// The step.
    pub step: Step,
    /// Cart and session as conditions see them.
    pub facts: Facts,
    /// Lines that may be shown: from the catalogue or a signed source.
    pub showable_lines: u32,
    /// The session was automated.
    pub automated: bool,
    /// Zone of the last session, where the person's own is unknown.
    pub zone: Option<String>,
    /// The shop has stopped all sends.
    pub stopped: bool,
    /// Channels for which a provider is at hand.
    pub capable: Vec<Channel>,
    /// Offers that the shop honours now.
    pub offers: Vec<String>,
    /// Model whose score is in `facts`.
    pub model: Option<String>,
    /// Events the cart rests on.
    pub events: Vec<EventId>,
    /// Where the last session was, as the edge saw it.
    #[serde(default)]
    pub place: Place,
    /// Value of the cart in minor units of the shop's currency, for the cost of an offer.
    #[serde(default)]
    pub value_minor: Option<i64>,
    /// Offers of this policy version that somebody approved.
    #[serde(default)]
    pub approved: Vec<String>,
    /// What is left of the offers' budgets.
    #[serde(default)]
    pub leases: Vec<Lease>,
    /// What the arms of learners have brought so far.
    #[serde(default)]
    pub outcomes: Vec<ArmOutcome>,
    /// How often people of this shop follow messages, by channel: sent, followed.
    #[serde(default)]
    pub performance: BTreeMap<Channel, (u64, u64)>,
    /// How the policy came into force; `None` is fully, long ago.
    #[serde(default)]
    pub activation: Option<Activation>,
    /// The shop's currency, in which the person's orders are summed.
    #[serde(default)]
    pub home: Option<Currency>,
}

impl From<&Prepared> for ClaimRequest {
    /// What the cart says. Nothing is capable, showable or approved until the shell says so.
    fn from(prepared: &Prepared) -> Self {
        Self {
            key: prepared.key.clone(),
            cart: prepared.cart.clone(),
            abandonment: prepared.abandonment,
            trigger: prepared.trigger,
            sequence: prepared.sequence.clone(),
            abandoned_at: prepared.abandoned_at,
            cart_born_at: prepared.cart_born_at,
            step: prepared.step.clone(),
            facts: prepared.facts.clone(),
            showable_lines: 0,
            automated: prepared.automated,
            zone: prepared.zone.clone(),
            stopped: false,
            capable: vec![],
            offers: vec![],
            model: prepared.model.clone(),
            events: prepared.events.clone(),
            place: prepared.place.clone(),
            value_minor: None,
            approved: vec![],
            leases: vec![],
            outcomes: vec![],
            performance: BTreeMap::new(),
            activation: None,
            home: prepared.home,
        }
    }
}

/// How a policy came into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// From when on carts may be left to be touched: one that was left before is not. For a version
    /// that was withdrawn this is the present, so that nothing left under it goes on.
    pub at: Timestamp,
    /// It decides, and nothing is sent.
    pub shadow: bool,
    /// Messages of the shop in the last hour.
    pub sent_this_hour: u32,
    /// When the hour has room for one more, if it has none now.
    #[serde(default)]
    pub room_at: Option<Timestamp>,
    /// Bound per hour that whoever activated it set, besides the policy's own.
    #[serde(default)]
    pub per_hour: Option<u32>,
}

impl ClaimRequest {
    /// Every channel by which this step may go out: its own, and those of the arms of its experiments.
    pub fn ways<'p>(&'p self, policy: &'p Policy) -> impl Iterator<Item = Channel> + 'p {
        let arms = experiment::on_step(policy, &self.sequence, &self.step.name).flat_map(|e| &e.arms);
        let by_arms = arms.filter_map(|arm| arm.channels.as_ref());
        std::iter::once(&self.step.channels).chain(by_arms).flatten().copied()
    }

    /// Bound on the shop's messages in any hour: the policy's, or that of whoever activated it,
    /// whichever is less.
    #[must_use]
    pub fn per_hour(&self, policy: &Policy) -> Option<u32> {
        let set = self.activation.as_ref().and_then(|a| a.per_hour);
        [policy.rollout.per_hour, set].into_iter().flatten().min()
    }
}

/// Runs the gate. Changes nothing: [`Person::claim`] records what the answer means.
#[must_use]
pub fn decide(now: Timestamp, person: &Person, request: &ClaimRequest, policy: &Policy) -> DecisionRecord {
    let mut log = Log { checks: Vec::with_capacity(24), consent: None, would: None };
    let whereabouts = place::find(person, request, policy);
    let mut facts = person.claim_facts(now, request, policy);
    if let Some(country) = &whereabouts.place.country {
        facts.set_word(Field::PersonCountry, country.clone());
    }
    let ask = Ask { now, person, facts: &facts, request, policy, whereabouts: &whereabouts };
    let decision = run(&ask, &mut log).unwrap_or_else(Decision::from);
    DecisionRecord {
        key: request.key.clone(),
        at: now,
        decision,
        policy: policy.version.clone(),
        model: request.model.clone(),
        checks: log.checks,
        consent: log.consent,
        events: request.events.clone(),
        segments: policy.segments_of(&facts),
        facts,
        would: log.would,
    }
}

struct Log {
    checks: Vec<Check>,
    consent: Option<Consent>,
    would: Option<Box<Would>>,
}

impl Log {
    /// Notes a check; a failed one becomes the refusal.
    fn check(
        &mut self,
        rule: &'static str,
        passed: bool,
        found: impl Into<Cow<'static, str>>,
        refusal: Refusal,
    ) -> Result<(), Refusal> {
        self.checks.push(Check { rule: rule.into(), found: found.into(), passed });
        if passed { Ok(()) } else { Err(refusal) }
    }
}

/// A no, as a check gives it.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    /// Not now.
    Defer { until: Timestamp, why: Why },
    /// Not at all.
    Skip { why: Why },
}

impl From<Refusal> for Decision {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Defer { until, why } => Self::Defer { until, why },
            Refusal::Skip { why } => Self::Skip { why },
        }
    }
}

const fn skip(why: Why) -> Refusal {
    Refusal::Skip { why }
}

/// What every check looks at.
struct Ask<'p> {
    now: Timestamp,
    person: &'p Person,
    facts: &'p Facts,
    request: &'p ClaimRequest,
    policy: &'p Policy,
    whereabouts: &'p Whereabouts,
}

impl<'p> Ask<'p> {
    /// Whether something belongs to the abandonment that is asked about.
    fn is_this(&self, cart: &CartId, abandonment: u32) -> bool {
        *cart == self.request.cart && abandonment == self.request.abandonment
    }

    /// Claims of other steps that are not settled: they may have gone out.
    fn claimed(&self) -> impl Iterator<Item = (&'p SendKey, &'p Claim)> {
        let key = &self.request.key;
        self.person.claims.iter().filter(move |(other, _)| *other != key)
    }

    /// When messages went out, or were claimed, by one channel or by any.
    fn times(&self, by: Option<Channel>) -> impl Iterator<Item = Timestamp> {
        let counts = move |channel: Channel| by.is_none_or(|by| by == channel);
        let sends = self.person.sends.iter().filter(move |s| counts(s.channel)).map(|s| s.at);
        sends.chain(self.claimed().filter(move |(_, c)| counts(c.channel)).map(|(_, c)| c.at))
    }

    /// How many messages of this abandonment went out, or were claimed, by a channel.
    fn of_abandonment(&self, by: Channel) -> usize {
        let sends =
            self.person.sends.iter().filter(|s| s.channel == by && self.is_this(&s.cart, s.abandonment));
        let claims = self.claimed().filter(|(_, c)| c.channel == by && self.is_this(&c.cart, c.abandonment));
        sends.count() + claims.count()
    }

    /// Whether it is quiet in any of these zones.
    fn is_quiet(&self, quiet: QuietHours, zones: &[Zone]) -> bool {
        zones.iter().any(|zone| quiet.quiet_until(self.now, zone).is_some())
    }
}

/// The list of checks.
fn run(ask: &Ask<'_>, log: &mut Log) -> Result<Decision, Refusal> {
    let Ask { now, person, facts, request, policy, whereabouts } = *ask;
    standing::ends(ask, log)?;
    standing::forbids(ask, log)?;
    let planned = arms::plan(now, person, request, policy, log)?;
    standing::repeats(ask, &planned.step, log)?;
    let found = format!("{}, by {}", whereabouts.place, whereabouts.origin);
    log.checks.push(Check { rule: "place".into(), found: found.into(), passed: true });
    let chosen = channel::choose(ask, &planned.step, log)?;
    standing::holdout(ask, log)?;
    activation::reached(person, request, policy, log)?;
    patience::check(ask, &planned.step, &chosen, log)?;
    activation::room(now, request, policy, log)?;
    let (grant, choice) = offer::grant(now, person, facts, &planned.step, request, policy, &mut log.checks);
    let silent = planned.silent().map(str::to_owned);
    let arms::Planned { step, exposures, .. } = planned;
    let (channel, address) = (chosen.channel, chosen.contact.address.clone());
    let would = Would { channel, template: step.into_owned().template, grant, choice, exposures };
    arms::speak(silent.as_deref(), &would, log)?;
    // Last: what comes before it must read as it would have been.
    activation::shadow(request, &would, log)?;
    Ok(Decision::Send(Clearance::new(request.key.clone(), address, would)))
}
