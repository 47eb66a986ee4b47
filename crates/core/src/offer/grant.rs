//! Which offer goes along with a message, if any. Every offer that is looked at leaves a check in the
//! record, so that people can ask why somebody got none.

use core::fmt;

use super::learner::{self, NO_OFFER, Open};
use super::{Choice, Grant, Tried, cost};
use crate::decision::Check;
use crate::gate::ClaimRequest;
use crate::id::CartId;
use crate::person::Person;
use crate::policy::{Facts, Field, Learner, Offer, OfferKind, Policy, Step, Value};
use crate::recovery::Trigger;
use crate::time::{DAY, Timestamp};

/// How far back `per_90d` looks.
const OFTEN_WINDOW: i64 = 90 * DAY;

/// Why an offer is withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Withheld {
    NotInPolicy,
    NoCode,
    NotApproved,
    Over(Timestamp),
    FirstMessage,
    Condition,
    Class(String),
    FreeAnyway,
    Often { times: usize, most: u32 },
    MarginUnknown,
    Margin,
    CostUnknown,
    Budget,
}

impl Withheld {
    /// Closed to every cart of the shop, so that it says nothing about this one.
    fn for_everyone(&self) -> bool {
        matches!(self, Self::NotInPolicy | Self::NoCode | Self::NotApproved)
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInPolicy => f.write_str("the policy has no such offer"),
            Self::NoCode => f.write_str("the shop honours no such code now"),
            Self::NotApproved => f.write_str("nobody has approved it for this policy"),
            Self::Over(t) => {
                write!(f, "it was given before in this abandonment and ended {}", t.to_rfc3339())
            }
            Self::FirstMessage => f.write_str("this is the first message of the abandonment"),
            Self::Condition => f.write_str("its condition does not hold"),
            Self::Class(class) => write!(f, "the cart holds {class}, which it is not for"),
            Self::FreeAnyway => f.write_str("shipping is free for this cart anyway"),
            Self::Often { times, most } => {
                write!(f, "offers went along with {times} other abandonments in 90 days, {most} are allowed")
            }
            Self::MarginUnknown => f.write_str("the margin of the cart is not known"),
            Self::Margin => f.write_str("it would leave less than the least margin"),
            Self::CostUnknown => f.write_str("what it would cost is not known, and it has a budget"),
            Self::Budget => f.write_str("its budget of the day does not cover it"),
        }
    }
}

/// What earlier messages of the same abandonment gave and chose.
#[derive(Default)]
struct Earlier<'p> {
    /// A message of it went out.
    contacted: bool,
    /// The first grant.
    grant: Option<&'p Grant>,
    /// The first choice of a learner.
    tried: Option<&'p Tried>,
}

impl<'p> Earlier<'p> {
    fn of(person: &'p Person, request: &ClaimRequest) -> Self {
        let ours = |cart: &CartId, number: u32| *cart == request.cart && number == request.abandonment;
        let sends = person.sends.iter().filter(|s| ours(&s.cart, s.abandonment));
        // A claim that is not settled may have gone out, and with it a promise.
        let claims = person
            .claims
            .iter()
            .filter(|(key, c)| **key != request.key && ours(&c.cart, c.abandonment))
            .map(|(_, c)| (c.at, &c.grant, &c.tried));
        let mut earlier = Self { contacted: sends.clone().next().is_some(), ..Self::default() };
        let mut given: Vec<_> = sends.map(|s| (s.at, &s.grant, &s.tried)).chain(claims).collect();
        given.sort_by_key(|(at, ..)| *at);
        for (_, grant, tried) in given {
            earlier.grant = earlier.grant.or(grant.as_ref());
            earlier.tried = earlier.tried.or(tried.as_ref());
        }
        earlier
    }
}

struct Asking<'a> {
    now: Timestamp,
    person: &'a Person,
    request: &'a ClaimRequest,
    policy: &'a Policy,
    facts: &'a Facts,
    checks: &'a mut Vec<Check>,
    contacted: bool,
}

/// The offer that goes along with a step, if any, and how a learner chose it.
pub(crate) fn grant(
    now: Timestamp,
    person: &Person,
    facts: &Facts,
    step: &Step,
    request: &ClaimRequest,
    policy: &Policy,
    checks: &mut Vec<Check>,
) -> (Option<Grant>, Option<Choice>) {
    let Some(name) = step.offer.as_deref() else { return (None, None) };
    let earlier = Earlier::of(person, request);
    let contacted = earlier.contacted;
    let mut asking = Asking { now, person, request, policy, facts, checks, contacted };
    // The same send again, whose first holder died: the provider may have its message under this key,
    // so it must be the same message.
    if let Some(claim) = person.claims.get(&request.key) {
        let grant = claim.grant.as_ref().and_then(|held| asking.again(held, held.again));
        return (grant, claim.tried.clone().map(repeated));
    }
    let told = |tried: &Tried| repeated(Tried { counts: false, ..tried.clone() });
    if let Some(held) = earlier.grant {
        return (asking.again(held, true), earlier.tried.map(told));
    }
    let Some(learner) = policy.learner(name) else {
        return (asking.single(name), None);
    };
    if let Some(tried) = earlier.tried.filter(|t| t.learner == learner.name) {
        asking.note(format!("{name}: no offer, as in the message before"), true);
        return (None, Some(told(tried)));
    }
    asking.learned(learner)
}

/// A choice that an earlier claim made.
fn repeated(tried: Tried) -> Choice {
    Choice { tried, outcomes: vec![], draws: vec![], by_share: false }
}

impl Asking<'_> {
    fn note(&mut self, found: String, passed: bool) {
        self.checks.push(Check { rule: "offer".into(), found: found.into(), passed });
    }

    /// What was given before in this abandonment stays as it is: neither a better offer with each
    /// message nor a later end. Only what the shop may take back at any time is asked again.
    fn again(&mut self, held: &Grant, again: bool) -> Option<Grant> {
        let refusal = match self.defined(&held.offer) {
            Err(withheld) => Some(withheld),
            Ok(_) if held.valid_until <= self.now => Some(Withheld::Over(held.valid_until)),
            Ok(_) => None,
        };
        let end = held.valid_until.to_rfc3339();
        self.note(
            match &refusal {
                Some(withheld) => format!("{}: {withheld}", held.offer),
                None => format!("{}: given before in this abandonment, honoured until {end}", held.offer),
            },
            refusal.is_none(),
        );
        refusal.is_none().then(|| Grant { again, ..held.clone() })
    }

    fn single(&mut self, name: &str) -> Option<Grant> {
        match self.look(name) {
            Ok(cost) => self.granted(name, cost, None),
            Err(withheld) => {
                self.note(format!("{name}: {withheld}"), false);
                None
            }
        }
    }

    fn learned(&mut self, learner: &Learner) -> (Option<Grant>, Option<Choice>) {
        let cohort = learner
            .cohorts
            .iter()
            .find(|name| {
                let segment = self.policy.segments.iter().find(|s| s.name == **name);
                segment.is_some_and(|s| self.policy.holds(&s.when, self.facts))
            })
            .map_or("", String::as_str);
        let (mut open, mut costs, mut fair) = (vec![], vec![], true);
        for arm in &learner.arms {
            let cost = if arm == NO_OFFER {
                None
            } else {
                match self.look(arm) {
                    Ok(cost) => cost,
                    Err(withheld) => {
                        fair &= withheld.for_everyone();
                        self.note(format!("{arm}: {withheld}"), false);
                        continue;
                    }
                }
            };
            open.push(Open { arm, cost: self.cost_share(learner, arm, cost) });
            costs.push(cost);
        }
        let outcomes = &self.request.outcomes;
        let Some(choice) = learner::choose(learner, cohort, &self.request.key, &open, outcomes, fair) else {
            return (None, None);
        };
        self.note(told(&choice), true);
        let cost = open.iter().zip(&costs).find(|(o, _)| o.arm == choice.tried.arm).and_then(|(_, c)| *c);
        if choice.tried.arm == NO_OFFER {
            return (None, Some(choice));
        }
        (self.granted(&choice.tried.arm.clone(), cost, Some(&choice.tried)), Some(choice))
    }

    /// What an order is worth less by an arm: as the policy says, else what the offer gives away.
    #[expect(clippy::cast_precision_loss, reason = "amounts are far below 2^53")]
    fn cost_share(&self, learner: &Learner, arm: &str, cost: Option<i64>) -> f64 {
        learner.cost.get(arm).copied().unwrap_or_else(|| {
            let value = cost::value_minor(self.request).filter(|v| *v > 0);
            match (self.policy.offer(arm), cost, value) {
                (Some(offer), ..) if offer.kind == OfferKind::Percent => f64::from(offer.percent) / 100.0,
                (_, Some(cost), Some(value)) => cost as f64 / value as f64,
                _ => 0.0,
            }
        })
    }

    fn granted(&mut self, name: &str, cost_minor: Option<i64>, tried: Option<&Tried>) -> Option<Grant> {
        let offer = self.policy.offer(name)?;
        let grant = Grant {
            offer: name.to_owned(),
            cost_minor,
            valid_until: self.now.plus(offer.valid_ms),
            prices_until: offer.honour_price_ms.map(|span| self.now.plus(span)),
            again: false,
            learner: tried.map(|t| t.learner.clone()),
            cohort: tried.map(|t| t.cohort.clone()),
        };
        let cost = cost_minor.map_or_else(String::new, |c| format!(", at most {c} minor units"));
        self.note(format!("{name}: granted until {}{cost}", grant.valid_until.to_rfc3339()), true);
        Some(grant)
    }

    /// An offer that the shop stands by today.
    fn defined(&self, name: &str) -> Result<&Offer, Withheld> {
        let offer = self.policy.offer(name).ok_or(Withheld::NotInPolicy)?;
        if !self.request.offers.iter().any(|o| o == name) {
            return Err(Withheld::NoCode);
        }
        if offer.approval && !self.request.approved.iter().any(|o| o == name) {
            return Err(Withheld::NotApproved);
        }
        Ok(offer)
    }

    /// Whether an offer may go to this person with this cart, and what it costs at most, if known.
    fn look(&self, name: &str) -> Result<Option<i64>, Withheld> {
        let offer = self.defined(name)?;
        // Who only looked is never met with an offer, whatever the policy says.
        if !self.contacted && (!offer.first_message || self.request.trigger == Trigger::Browse) {
            return Err(Withheld::FirstMessage);
        }
        if offer.when.as_ref().is_some_and(|when| !self.policy.holds(when, self.facts)) {
            return Err(Withheld::Condition);
        }
        if let Some(Value::Words(classes)) = self.facts.get(Field::CartClasses)
            && let Some(class) = classes.iter().find(|c| offer.not_for.contains(c))
        {
            return Err(Withheld::Class(class.clone()));
        }
        let gap = self.facts.number(Field::CartShippingGap);
        if offer.kind == OfferKind::FreeShipping && gap.is_some_and(|gap| gap <= 0.0) {
            return Err(Withheld::FreeAnyway);
        }
        if let Some(most) = offer.per_90d {
            let times = self.other_abandonments();
            if times >= usize::try_from(most).unwrap_or(usize::MAX) {
                return Err(Withheld::Often { times, most });
            }
        }
        let value = cost::value_minor(self.request);
        let cost = cost::cost_minor(offer, value, self.request.home, self.facts);
        if let Some(least) = offer.min_margin {
            let margin = self.facts.number(Field::CartMargin).ok_or(Withheld::MarginUnknown)?;
            let left = match (value, cost) {
                (Some(value), Some(cost)) => cost::leaves(offer, margin, least, value, cost),
                _ => None,
            };
            match left {
                None => return Err(Withheld::CostUnknown),
                Some(false) => return Err(Withheld::Margin),
                Some(true) => {}
            }
        }
        if offer.budget_day.is_some() {
            let cost = cost.ok_or(Withheld::CostUnknown)?;
            let lease = self.request.leases.iter().find(|l| l.offer == name);
            if lease.is_none_or(|l| l.left_minor < cost) {
                return Err(Withheld::Budget);
            }
        }
        Ok(cost)
    }

    /// Other abandonments in which any offer was given, under whatever identity: who leaves carts for
    /// the sake of offers takes them in turn.
    fn other_abandonments(&self) -> usize {
        let ours = |cart: &CartId, n: u32| *cart == self.request.cart && n == self.request.abandonment;
        let recent = |at: Timestamp| self.now.since(at) < OFTEN_WINDOW;
        let sends = self.person.sends.iter().filter(|s| s.offered && recent(s.at));
        let claims = self.person.claims.values().filter(|c| c.offered && recent(c.at));
        let mut given: Vec<(&CartId, u32)> = sends
            .map(|s| (&s.cart, s.abandonment))
            .chain(claims.map(|c| (&c.cart, c.abandonment)))
            .filter(|(cart, n)| !ours(cart, *n))
            .collect();
        given.sort_unstable();
        given.dedup();
        given.len()
    }
}

/// A choice in plain words.
fn told(choice: &Choice) -> String {
    use fmt::Write as _;
    let tried = &choice.tried;
    let cohort = if tried.cohort.is_empty() { "everyone" } else { &tried.cohort };
    let how = if choice.by_share { "by its least share" } else { "by what was drawn" };
    let mut text = format!("{}: {} for {cohort}, {how}", tried.learner, tried.arm);
    for (outcome, drawn) in choice.outcomes.iter().zip(&choice.draws) {
        let (arm, wins, tries) = (&outcome.arm, outcome.wins, outcome.tries);
        // Writing to a string does not fail.
        let _ = write!(text, "; {arm} {wins} of {tries}, drew {}.{:02} %", drawn / 10_000, drawn / 100 % 100);
    }
    if !tried.counts {
        text.push_str("; not counted, as an arm was closed to this cart or there was none other");
    }
    text
}
