//! The one gate. Every send passes here, inside the claim that sends it, and nowhere else; what
//! could have changed since the step was planned is asked again here.
//!
//! The gate is a list of checks in a fixed order: first what ends everything (order, opt-out),
//! then what forbids this person or channel, then what only asks for patience. Each check leaves
//! a line in the record, so that `explain` can tell the whole story of a message not sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::consent::{Channel, Consent, Source, standing};
use crate::decision::{Check, Clearance, Decision, DecisionRecord, Why, Would};
use crate::experiment;
use crate::id::{CartId, EventId, SendKey};
use crate::jurisdiction::Place;
use crate::money::Currency;
use crate::offer::{self, ArmOutcome, Lease};
use crate::person::{Contact, Person};
use crate::policy::{Facts, Policy, Step};
use crate::recovery::{Prepared, Trigger};
use crate::time::{DAY, HOUR, Timestamp, Zone};

mod activation;
mod arms;
pub(crate) mod place;

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

impl ClaimRequest {
    /// Bound on the shop's messages in any hour: the policy's, or that of whoever activated it,
    /// whichever is less.
    #[must_use]
    pub fn per_hour(&self, policy: &Policy) -> Option<u32> {
        let set = self.activation.as_ref().and_then(|a| a.per_hour);
        [policy.rollout.per_hour, set].into_iter().flatten().min()
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

/// How long to wait before asking again when the shop has stopped all sends.
pub const STOPPED_RETRY: i64 = HOUR;

/// Runs the gate. Changes nothing: [`Person::claim`] records what the answer means.
#[must_use]
pub fn decide(now: Timestamp, person: &Person, request: &ClaimRequest, policy: &Policy) -> DecisionRecord {
    let mut log = Log { checks: Vec::with_capacity(16), consent: None, would: None };
    let facts = person.claim_facts(now, request, policy);
    let decision = run(now, person, &facts, request, policy, &mut log).unwrap_or_else(|refusal| refusal);
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
        rule: &str,
        passed: bool,
        found: impl Into<String>,
        refusal: Decision,
    ) -> Result<(), Decision> {
        self.checks.push(Check { rule: rule.to_owned(), found: found.into(), passed });
        if passed { Ok(()) } else { Err(refusal) }
    }
}

const fn skip(why: Why) -> Decision {
    Decision::Skip { why }
}

fn run(
    now: Timestamp,
    person: &Person,
    facts: &Facts,
    request: &ClaimRequest,
    policy: &Policy,
    log: &mut Log,
) -> Result<Decision, Decision> {
    log.check(
        "sent_before",
        !person.has_sent(&request.key),
        format!("{} earlier sends of this person", person.sends.len()),
        skip(Why::AlreadySent),
    )?;
    let ordered = person.orders.iter().any(|o| !o.cancelled && o.at >= request.cart_born_at);
    log.check(
        "ordered",
        !ordered,
        if ordered {
            "an order was placed after the cart was begun"
        } else {
            "no order since the cart was begun"
        },
        skip(Why::Ordered),
    )?;
    log.check(
        "opted_out",
        person.opted_out_of_all.is_none(),
        person
            .opted_out_of_all
            .map_or_else(|| "no opt-out".to_owned(), |t| format!("opted out at {}", t.to_rfc3339())),
        skip(Why::OptedOut),
    )?;
    log.check(
        "automated",
        !request.automated,
        if request.automated { "automated session" } else { "a real browser or a signed source" },
        skip(Why::Bot),
    )?;
    log.check(
        "stopped",
        !request.stopped,
        if request.stopped { "the shop's stop switch is on" } else { "the shop's stop switch is off" },
        Decision::Defer { until: now.plus(STOPPED_RETRY), why: Why::Stopped },
    )?;
    let paused = person.paused_until.filter(|t| *t > now);
    log.check(
        "paused",
        paused.is_none(),
        paused.map_or_else(|| "no pause".to_owned(), |t| format!("paused until {}", t.to_rfc3339())),
        Decision::Defer { until: paused.unwrap_or(now), why: Why::Paused },
    )?;
    log.check(
        "showable",
        request.showable_lines > 0,
        format!("{} lines from the catalogue or a signed source", request.showable_lines),
        skip(Why::NothingToShow),
    )?;
    // Of two that began at the same instant one must win: the id decides.
    let newer = person
        .episodes
        .iter()
        .any(|e| e.cart != request.cart && (e.abandoned_at, &e.cart) > (request.abandoned_at, &request.cart));
    log.check(
        "one_sequence",
        !newer,
        if newer { "a newer cart is being recovered" } else { "no newer cart" },
        skip(Why::AnotherSequence),
    )?;

    let planned = arms::plan(now, person, request, policy, log)?;
    let (channel, contact) = choose_channel(now, person, &planned.step, request, policy, log)?;

    let bucket = experiment::bucket(person.shop.as_str(), "holdout", person.id.as_str());
    let held = person.holdout.unwrap_or_else(|| experiment::is_held_out(bucket, policy.holdout_percent));
    log.check(
        "holdout",
        !held,
        format!("bucket {bucket} of 10000, holdout {} %", policy.holdout_percent),
        skip(Why::Holdout),
    )?;

    activation::reached(person, request, policy, log)?;
    patience(now, person, request, policy, log)?;
    activation::room(now, request, policy, log)?;

    let (grant, choice) = offer::grant(now, person, facts, &planned.step, request, policy, &mut log.checks);
    let silent = planned.silent().map(str::to_owned);
    let arms::Planned { step, exposures, .. } = planned;
    let would = Would { channel, template: step.template, grant, choice, exposures };
    arms::speak(silent.as_deref(), &would, log)?;
    // Last: what comes before it must read as it would have been.
    activation::shadow(request, &would, log)?;
    Ok(Decision::Send(Clearance::new(request.key.clone(), contact.address.clone(), would)))
}

/// The first channel of the step that is capable, has an address, a standing consent and no
/// opt-out. When none has, the refusal names the obstacle that came closest to being passed.
fn choose_channel<'p>(
    now: Timestamp,
    person: &'p Person,
    step: &Step,
    request: &ClaimRequest,
    policy: &Policy,
    log: &mut Log,
) -> Result<(Channel, &'p Contact), Decision> {
    // Checks passed on the way to a refusal, and the refusal that got furthest.
    let mut refusal = (0, Why::NoContact);
    let mut refuse = |passed: u8, why: Why| {
        if passed > refusal.0 {
            refusal = (passed, why);
        }
    };
    for &channel in &step.channels {
        let rule = |what: &str| format!("{channel}.{what}");
        let contact = request.capable.contains(&channel).then(|| person.contact(channel)).flatten();
        let Some(contact) = contact else {
            let found = if request.capable.contains(&channel) {
                "no address"
            } else {
                "no provider for this channel"
            };
            log.checks.push(Check { rule: rule("contact"), found: found.to_owned(), passed: false });
            continue;
        };
        let opted_out = person.opt_outs.iter().any(|(c, _)| *c == channel);
        let consent = standing(&person.consents, channel);
        if opted_out {
            log.checks.push(Check {
                rule: rule("opted_out"),
                found: "opted out of this channel".into(),
                passed: false,
            });
            refuse(1, Why::ChannelOptedOut);
            continue;
        }
        let granted = consent.is_some_and(|c| c.granted);
        log.checks.push(Check {
            rule: rule("consent"),
            found: consent.map_or_else(
                || "never asked or never answered".to_owned(),
                |c| {
                    format!(
                        "{} at {} under wording {:?}",
                        if c.granted { "given" } else { "refused" },
                        c.at.to_rfc3339(),
                        c.wording
                    )
                },
            ),
            passed: granted,
        });
        if !granted {
            refuse(2, Why::NoConsent);
            continue;
        }
        // A stranger can type anybody's address into a page, and tick a box for them: one episode
        // per address in the window, until its owner clicks, confirms or buys.
        let page_vouches = consent.is_some_and(|c| c.source == Source::Page);
        if page_vouches || (contact.source == Source::Page && !contact.verified) {
            let window = policy.caps.unverified_ms;
            let elsewhere = |at: Timestamp, cart: &CartId, abandonment: u32| {
                now.since(at) < window && (*cart != request.cart || abandonment != request.abandonment)
            };
            // A claim in flight, or whose holder died, may have reached the address.
            let other = contact.recoveries.iter().any(|r| elsewhere(r.at, &r.cart, r.abandonment))
                || person.claims.values().any(|c| {
                    c.channel == channel
                        && c.address == contact.address
                        && elsewhere(c.at, &c.cart, c.abandonment)
                });
            log.checks.push(Check {
                rule: rule("unverified"),
                found: if other { "had its one recovery" } else { "typed into a page; first recovery" }
                    .to_owned(),
                passed: !other,
            });
            if other {
                refuse(3, Why::UnverifiedLimit);
                continue;
            }
        }
        if channel == Channel::Sms {
            let counts = |held: Channel, cart: &CartId, abandonment: u32| {
                held == Channel::Sms && *cart == request.cart && abandonment == request.abandonment
            };
            let sends = person.sends.iter().filter(|s| counts(s.channel, &s.cart, s.abandonment));
            // A claim of another step that is not settled may have gone out.
            let claims = person
                .claims
                .iter()
                .filter(|(key, c)| **key != request.key && counts(c.channel, &c.cart, c.abandonment));
            let sent = sends.count() + claims.count();
            let allowed =
                u64::try_from(sent).unwrap_or(u64::MAX) < u64::from(policy.caps.sms_per_abandonment);
            log.checks.push(Check {
                rule: rule("per_abandonment"),
                found: format!("{sent} so far"),
                passed: allowed,
            });
            if !allowed {
                refuse(4, Why::SmsCap);
                continue;
            }
        }
        log.consent = consent.cloned();
        return Ok((channel, contact));
    }
    Err(skip(refusal.1))
}

/// What only asks for patience: caps and quiet hours.
fn patience(
    now: Timestamp,
    person: &Person,
    request: &ClaimRequest,
    policy: &Policy,
    log: &mut Log,
) -> Result<(), Decision> {
    for (rule, span, cap, why) in [
        ("cap_day", DAY, policy.caps.day, Why::DailyCap),
        ("cap_week", 7 * DAY, policy.caps.week, Why::WeeklyCap),
    ] {
        // Claims in flight count like sends: two carts must not slip through one gap together.
        let claimed = person.claims.iter().filter(|(key, _)| **key != request.key).map(|(_, c)| c.at);
        let mut within: Vec<Timestamp> =
            person.sends.iter().map(|s| s.at).chain(claimed).filter(|t| now.since(*t) < span).collect();
        within.sort_unstable();
        let count = within.len();
        let cap = usize::try_from(cap).unwrap_or(usize::MAX);
        // Room again when as many have aged out as are too many, counting the one asked for.
        let until = (count >= cap).then(|| within.get(count - cap).map_or(now.plus(span), |t| t.plus(span)));
        log.check(
            rule,
            until.is_none(),
            format!("{count} of {cap}"),
            Decision::Defer { until: until.unwrap_or(now), why },
        )?;
    }
    if let Some(quiet) = policy.quiet_hours {
        let (zone, origin) = person
            .zone
            .as_deref()
            .and_then(Zone::parse)
            .map(|z| (z, "the person's"))
            .or_else(|| request.zone.as_deref().and_then(Zone::parse).map(|z| (z, "the last session's")))
            .or_else(|| Zone::parse(&policy.default_zone).map(|z| (z, "the shop's")))
            .unwrap_or_else(|| (Zone::utc(), "none known, so UTC's"));
        let until = quiet.quiet_until(now, &zone);
        log.check(
            "quiet_hours",
            until.is_none(),
            format!("by {origin} zone"),
            Decision::Defer { until: until.unwrap_or(now), why: Why::QuietHours },
        )?;
    }
    Ok(())
}
