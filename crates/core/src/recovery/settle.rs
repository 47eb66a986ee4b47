//! The way of one send through its consumer, as the cart sees it: prepared, then settled. Claiming
//! in between is the person's ([`crate::person::Person::claim`]).

use serde::{Deserialize, Serialize};

use super::schedule::step_at;
use super::{Phase, Recovery, Trigger, record};
use crate::cart::Line;
use crate::cause::Likely;
use crate::decision::{Decision, DecisionRecord, Why};
use crate::effect::{DecisionSummary, Effect, Happened};
use crate::id::{CartId, EventId, PersonId, SendKey};
use crate::jurisdiction::Place;
use crate::money::Currency;
use crate::policy::{Facts, Policy, Step};
use crate::time::Timestamp;

/// Events named as the basis of a decision, at most.
const BASIS: usize = 8;

/// What a consumer needs in order to claim and render a send. Taken fresh at claim time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// The send.
    pub key: SendKey,
    /// The cart.
    pub cart: CartId,
    /// The person to ask.
    pub person: PersonId,
    /// The episode.
    pub abandonment: u32,
    /// When it began.
    pub abandoned_at: Timestamp,
    /// When the cart was born.
    pub cart_born_at: Timestamp,
    /// The step.
    pub step: Step,
    /// Cart and session as conditions see them.
    pub facts: Facts,
    /// The model whose score is in `facts`.
    pub model: Option<String>,
    /// The lines now.
    pub lines: Vec<Line>,
    /// Their currency.
    pub currency: Currency,
    /// The shop's currency.
    #[serde(default)]
    pub home: Option<Currency>,
    /// The session was automated.
    pub automated: bool,
    /// Zone of the last session.
    pub zone: Option<String>,
    /// How the cart was left.
    #[serde(default)]
    pub trigger: Trigger,
    /// Why, probably.
    #[serde(default)]
    pub likely: Option<Likely>,
    /// Name of the sequence.
    #[serde(default)]
    pub sequence: String,
    /// Version of the policy that the episode follows; empty if that was not noted.
    #[serde(default)]
    pub policy: String,
    /// Where the last session was.
    #[serde(default)]
    pub place: Place,
    /// Events the cart rests on.
    pub events: Vec<EventId>,
}

/// How a send ended, as its consumer reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The provider took it.
    Sent,
    /// The gate wants it later.
    Deferred {
        /// When.
        until: Timestamp,
    },
    /// The gate or the provider wants it never.
    Skipped {
        /// Why.
        why: Why,
    },
}

impl Recovery {
    /// What a message about this cart shows: its lines, or the product that was looked at.
    #[must_use]
    pub fn shown_lines(&self) -> Vec<Line> {
        let look = self.episode.as_ref().and_then(|e| e.look.as_ref()).filter(|_| self.cart.is_empty());
        look.map_or_else(|| self.cart.lines().to_vec(), |look| vec![look.item.as_line()])
    }

    /// What a consumer needs to claim this send, or why there is nothing to claim any more.
    pub fn prepare(&self, now: Timestamp, key: &SendKey, policy: &Policy) -> Result<Prepared, Why> {
        if self.is_forgotten() {
            return Err(Why::Forgotten);
        }
        if self.phase.is_closed() {
            return Err(Why::Ordered);
        }
        let (Some(episode), Some(pending)) = (&self.episode, &self.pending) else {
            return Err(Why::CartMoved);
        };
        if !self.phase.is_running() || pending.key != *key {
            return Err(Why::CartMoved);
        }
        let person = self.person.clone().ok_or(Why::NoPerson)?;
        let steps = policy.sequence(&episode.sequence).map_or(&[][..], |s| &s.steps);
        let step = step_at(steps, pending.step).cloned().ok_or(Why::CartMoved)?;
        Ok(Prepared {
            key: key.clone(),
            cart: self.id.clone(),
            person,
            abandonment: episode.number,
            abandoned_at: episode.began,
            cart_born_at: self.born_at,
            step,
            facts: self.condition_facts(now, policy),
            model: self.score.as_ref().map(|(_, m)| m.clone()),
            lines: self.shown_lines(),
            currency: self.cart.currency,
            home: self.home,
            automated: self.automated,
            zone: self.zone.clone(),
            trigger: episode.trigger,
            likely: episode.likely.clone(),
            sequence: episode.sequence.clone(),
            policy: episode.policy.clone(),
            place: self.place.clone(),
            events: episode.look.as_ref().map_or_else(|| self.cart.basis(BASIS), |l| vec![l.id.clone()]),
        })
    }

    /// A consumer reports how a send ended. Late and repeated reports do no harm: only the pending
    /// send of the running episode moves anything, but that a message went out is remembered.
    pub fn settle(
        &mut self,
        now: Timestamp,
        key: &SendKey,
        outcome: Outcome,
        decision: Option<&DecisionRecord>,
        policy: &Policy,
    ) -> Vec<Effect> {
        let mut effects = vec![];
        if self.is_forgotten() {
            // It was with its provider when the shopper spoke. That somebody was written to is not denied;
            // the rest is forgotten.
            if let (Outcome::Sent, Some(Decision::Send(clearance))) = (outcome, decision.map(|d| &d.decision))
            {
                let channel = clearance.channel();
                effects.push(record(now, Happened::WentOut { key: key.clone(), channel }));
            }
            return effects;
        }
        if let Some(decision) = decision {
            // The person was asked just now: what is known of them is fresher than what is held.
            self.take_profile(&decision.facts);
            effects
                .push(record(now, Happened::Decided { record: Box::new(DecisionSummary::from(decision)) }));
        }
        if outcome == Outcome::Sent {
            if let Some(Decision::Send(clearance)) = decision.map(|d| &d.decision) {
                let channel = clearance.channel();
                effects.push(record(now, Happened::WentOut { key: key.clone(), channel }));
            }
            self.note_arm(now, key, decision, &mut effects);
        }
        let step = match (&self.pending, &self.episode) {
            (Some(p), _) if p.key == *key => p.step,
            // The shopper came back while the message was on its way: the step is done all the same.
            (None, Some(e))
                if outcome == Outcome::Sent && SendKey::of(&self.id, e.number, e.next_step) == *key =>
            {
                e.next_step
            }
            _ => {
                if outcome == Outcome::Sent && self.is_past_step(key) {
                    self.note_contact(now, &mut effects);
                }
                return effects;
            }
        };
        self.settle_step(now, key, step, outcome, &mut effects);
        if let Some(pending) = &mut self.pending
            && pending.key == *key
            && matches!(decision.map(|d| &d.decision), Some(Decision::Defer { why: Why::InFlight, .. }))
        {
            // Another delivery may have sent it by now: it does not give way like a step that waits.
            pending.deferred = false;
        }
        effects.extend(self.handle_timeout(now, policy));
        if matches!(outcome, Outcome::Skipped { .. })
            && self.phase == Phase::Abandoned
            && self.episode.as_ref().is_some_and(|e| !e.contacted)
        {
            // This step was not for them; older carts wait for the next one.
            effects.extend(self.announcement(self.wait_for(now, policy), false));
        }
        effects
    }

    /// A message of the running or last episode went out with an arm that is to be counted.
    fn note_arm(
        &mut self,
        now: Timestamp,
        key: &SendKey,
        decision: Option<&DecisionRecord>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(Decision::Send(clearance)) = decision.map(|d| &d.decision) else { return };
        let Some(tried) = clearance.choice().map(|c| &c.tried).filter(|t| t.counts) else { return };
        let Some(episode) = &mut self.episode else { return };
        // A report that comes twice: the ledger of outcomes counts a key once.
        effects.push(record(now, Happened::ArmTried { key: key.clone(), tried: tried.clone() }));
        // Were the order here already, it did not follow the message.
        if !self.phase.is_closed() {
            episode.tried = Some((key.clone(), tried.clone()));
        }
    }

    /// Whether this is the key of a step of the last episode that is settled already.
    fn is_past_step(&self, key: &SendKey) -> bool {
        self.episode
            .as_ref()
            .is_some_and(|e| (0..e.next_step).any(|step| SendKey::of(&self.id, e.number, step) == *key))
    }

    /// A message of the last episode went out.
    fn note_contact(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if let Some(episode) = &mut self.episode {
            episode.contacted = true;
        }
        if self.phase == Phase::Abandoned {
            self.move_to(now, Phase::Recovering, "a message went out", effects);
        }
    }

    pub(super) fn settle_step(
        &mut self,
        now: Timestamp,
        key: &SendKey,
        step: u32,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        if let Outcome::Deferred { until } = outcome {
            if let Some(pending) = &mut self.pending {
                pending.again_at = until.max(now.plus(crate::time::SECOND));
                pending.deferred = true;
            }
            return;
        }
        self.pending = None;
        let Some(episode) = &mut self.episode else {
            return;
        };
        episode.next_step = episode.next_step.max(step.saturating_add(1));
        let told = match &outcome {
            Outcome::Sent => "sent".to_owned(),
            Outcome::Skipped { why } => format!("skipped: {why}"),
            Outcome::Deferred { .. } => return,
        };
        effects.push(record(now, Happened::Settled { key: key.clone(), outcome: told }));
        match outcome {
            // Sent before is sent: its first consumer died between the provider and its report.
            Outcome::Sent | Outcome::Skipped { why: Why::AlreadySent } => self.note_contact(now, effects),
            Outcome::Skipped { why } if self.phase.is_running() && why.ends_sequence() => {
                let to = match why {
                    Why::Ordered => Phase::Ordered,
                    Why::OptedOut => Phase::OptedOut,
                    _ => Phase::Exhausted,
                };
                self.move_to(now, to, why.story(), effects);
            }
            _ => {}
        }
    }
}

impl Decision {
    /// The outcome that a refusal means for the pending send; `None` for a clearance.
    #[must_use]
    pub fn refusal(&self) -> Option<Outcome> {
        match self {
            Self::Send(_) => None,
            Self::Defer { until, .. } => Some(Outcome::Deferred { until: *until }),
            Self::Skip { why } => Some(Outcome::Skipped { why: *why }),
        }
    }
}
