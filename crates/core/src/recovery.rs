//! The life of one cart: from its first item to recovered, completed, or forgotten.
//!
//! | from | on | to |
//! |---|---|---|
//! | `Active` | idle time over, something in the cart, a real shopper | `Abandoned` |
//! | `Abandoned` | a message of its sequence went out | `Recovering` |
//! | `Abandoned`, `Recovering` | a sign of life | `Active`, the episode paused |
//! | `Active`, paused | idle again, same cart, short stay | `Abandoned` or `Recovering`, the same episode |
//! | `Active`, paused | idle again, other cart or long stay | `Abandoned`, a new episode |
//! | `Abandoned`, `Recovering` | every step settled | `Exhausted` |
//! | `Abandoned`, `Recovering` | the gate says: opted out | `OptedOut` |
//! | `Abandoned`, `Recovering` | the gate says: ordered | `Ordered` |
//! | `Exhausted` | a sign of life | `Active` |
//! | all but the last four | an order, not yet paid | `Ordered` |
//! | all but `Expired` | a paid order, a click at most so long before it | `Recovered` |
//! | all but `Expired` | a paid order otherwise | `Completed` |
//! | all | retention over | `Expired`, then forgotten |
//!
//! The contract of a shell: load the state, call one method, store the state in one transaction,
//! set one alarm for [`Recovery::next_wakeup`], then carry out the effects. A wakeup that is
//! early, late or repeated does nothing. Effects that were lost come again: a send stays pending
//! here until it is settled and is offered anew, under the same key, when its lease is over.

use serde::{Deserialize, Serialize};

use crate::cart::{Cart, Line};
use crate::decision::{Decision, DecisionRecord, Why};
use crate::effect::{DecisionSummary, Effect, Entry, Happened, SendJob};
use crate::id::{CartId, EventId, PersonId, SendKey, ShopId};
use crate::money::Currency;
use crate::policy::{Facts, Policy, Step};
use crate::signal::{CheckoutError, SessionFacts, Signal, SignalKind};
use crate::time::{MINUTE, Millis, Timestamp};

mod seen;
pub use seen::Seen;

/// How long an offered send may stay unsettled before it is offered again. Longer than a claim's
/// lease ([`crate::person::CLAIM_LEASE`]), so that the second offer does not meet the first's claim.
pub const OFFER_LEASE: Millis = 5 * MINUTE;

/// Where a cart stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The shopper is at work on it, or it is empty.
    Active,
    /// Left with something in it.
    Abandoned,
    /// Left, and we have written.
    Recovering,
    /// An order is placed and not yet paid: nothing is sent any more.
    Ordered,
    /// Paid after our contact, within the attribution window.
    Recovered,
    /// Paid without us.
    Completed,
    /// The sequence has ended.
    Exhausted,
    /// The person wants no messages.
    OptedOut,
    /// Past retention.
    Expired,
}

impl Phase {
    /// Whether a sequence is running.
    #[must_use]
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Abandoned | Self::Recovering)
    }

    /// Whether the cart's story is over and the page should begin a new one.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Ordered | Self::Recovered | Self::Completed | Self::Expired)
    }
}

/// One episode of a cart, from its being left to return, purchase or the end of its sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// 1 for the cart's first.
    pub number: u32,
    /// When it began: last sign of life plus idle time, whatever the alarm's delay.
    pub began: Timestamp,
    /// Name of the sequence it follows.
    pub sequence: String,
    /// Index of the step that is due next.
    pub next_step: u32,
    /// What was in the cart.
    pub contents: String,
    /// The shopper came back at that time.
    pub paused: Option<Timestamp>,
    /// A message went out.
    pub contacted: bool,
}

/// A send that was offered and is not settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Its key.
    pub key: SendKey,
    /// Index of its step.
    pub step: u32,
    /// Not before this instant: the end of a lease, or what the gate asked for.
    pub again_at: Timestamp,
    /// Times offered.
    pub attempts: u32,
    /// It waits because the gate deferred it, not because its outcome is unknown.
    pub deferred: bool,
}

/// What a consumer needs in order to claim and render a send. Taken fresh at claim time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// The send.
    pub key: SendKey,
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
    /// The session was automated.
    pub automated: bool,
    /// Zone of the last session.
    pub zone: Option<String>,
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

/// An order as a cart sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartOrder {
    /// The shop's id of it.
    pub id: String,
    /// When it was placed or paid.
    pub at: Timestamp,
    /// Whether it is paid; an authorised or pending order is not.
    pub paid: bool,
}

/// The whole state of one cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// Which cart.
    pub id: CartId,
    /// Which shop.
    pub shop: ShopId,
    /// What is in it.
    pub cart: Cart,
    /// Where it stands.
    pub phase: Phase,
    /// When it was born.
    pub born_at: Timestamp,
    /// Last sign of life.
    pub last_activity: Timestamp,
    /// What the session did.
    pub facts: SessionFacts,
    /// The last checkout error.
    pub trouble: Option<(Timestamp, CheckoutError)>,
    /// Who is behind it.
    pub person: Option<PersonId>,
    /// The session was automated.
    pub automated: bool,
    /// Zone of the last session.
    pub zone: Option<String>,
    /// Last score, with its model.
    pub score: Option<(f64, String)>,
    /// The episode that runs, is paused, or was last.
    pub episode: Option<Episode>,
    /// The send that was offered and is not settled. One at a time: steps never pile up.
    pub pending: Option<Pending>,
    /// The order that ended it.
    pub order: Option<CartOrder>,
    /// Last click on one of our links.
    pub clicked: Option<(Timestamp, SendKey)>,
    /// The last events that changed what is in the cart.
    pub basis: Vec<EventId>,
    seen: Seen,
}

/// Events named as the basis of a decision.
const BASIS: usize = 8;

impl Recovery {
    /// A cart at its birth.
    #[must_use]
    pub fn new(id: CartId, shop: ShopId, currency: Currency, now: Timestamp) -> Self {
        Self {
            id,
            shop,
            cart: Cart::new(currency),
            phase: Phase::Active,
            born_at: now,
            last_activity: now,
            facts: SessionFacts::default(),
            trouble: None,
            person: None,
            automated: false,
            zone: None,
            score: None,
            episode: None,
            pending: None,
            order: None,
            clicked: None,
            basis: vec![],
            seen: Seen::default(),
        }
    }

    /// A signal from page or platform. One seen before does nothing.
    pub fn signal(&mut self, now: Timestamp, signal: Signal) -> Vec<Effect> {
        let mut effects = vec![];
        if !self.seen.insert(&signal.id) {
            return effects;
        }
        let at = signal.at.min(now);
        self.born_at = self.born_at.min(at);
        // What comes after the order belongs to another cart; the page is told to begin one.
        if self.phase.is_closed() && signal.kind.is_activity() {
            return effects;
        }
        self.facts.observe(&signal.kind);
        let activity = signal.kind.is_activity();
        match signal.kind {
            SignalKind::Cart { currency, change } => {
                if self.basis.len() >= BASIS {
                    self.basis.remove(0);
                }
                self.basis.push(signal.id.clone());
                self.cart.currency = currency;
                self.cart.apply(at, &signal.id, change);
            }
            SignalKind::CheckoutError(error) if self.trouble.as_ref().is_none_or(|(t, _)| *t <= at) => {
                self.trouble = Some((at, error));
            }
            _ => {}
        }
        if activity {
            self.sign_of_life(now, at, "the shopper is back", &mut effects);
        }
        effects
    }

    /// A sign of life at `at`: idle time starts over, and a running episode pauses.
    fn sign_of_life(&mut self, now: Timestamp, at: Timestamp, because: &str, effects: &mut Vec<Effect>) {
        let fresh = at > self.last_activity;
        self.last_activity = self.last_activity.max(at);
        // An event that was held back from before the episode is no return.
        let after_episode = self.episode.as_ref().is_none_or(|e| at > e.began);
        if !fresh || !after_episode {
            return;
        }
        if self.phase.is_running() {
            if let Some(episode) = &mut self.episode {
                episode.paused = Some(at);
            }
            // A message under way is stopped by `prepare`, which no longer finds a running episode.
            self.pending = None;
            self.move_to(now, Phase::Active, because, effects);
        } else if self.phase == Phase::Exhausted {
            self.move_to(now, Phase::Active, because, effects);
        }
    }

    /// A person was found behind the cart.
    pub fn link(&mut self, now: Timestamp, person: &PersonId) -> Vec<Effect> {
        if self.person.as_ref() == Some(person) {
            return vec![];
        }
        self.person = Some(person.clone());
        vec![record(now, Happened::Linked { person: person.clone() })]
    }

    /// The shopper followed the link of a send: a return, and the touch that attribution asks for.
    pub fn clicked(&mut self, now: Timestamp, key: &SendKey) -> Vec<Effect> {
        let mut effects = vec![record(now, Happened::Clicked { key: key.clone() })];
        self.clicked = Some((now, key.clone()));
        self.sign_of_life(now, now, "the shopper followed a link", &mut effects);
        effects
    }

    /// An order, placed or paid. Repeating it changes nothing; paid never becomes unpaid again.
    pub fn ordered(&mut self, now: Timestamp, order: &CartOrder, policy: &Policy) -> Vec<Effect> {
        let mut effects = vec![];
        if self.phase == Phase::Expired || matches!(self.phase, Phase::Recovered | Phase::Completed) {
            return effects;
        }
        if self.phase == Phase::Ordered && !order.paid {
            return effects;
        }
        self.order = Some(order.clone());
        self.pending = None;
        effects.push(record(now, Happened::Ordered { paid: order.paid }));
        let to = if !order.paid {
            Phase::Ordered
        } else if self.clicked.as_ref().is_some_and(|(t, _)| {
            let gap = order.at.max(*t).since(*t);
            gap <= policy.attribution_click_ms
        }) {
            Phase::Recovered
        } else {
            Phase::Completed
        };
        let because = match to {
            Phase::Ordered => "an order was placed",
            Phase::Recovered => "a paid order after a click on our link",
            _ => "a paid order without a click on our link",
        };
        self.move_to(now, to, because, &mut effects);
        effects
    }

    /// Time has passed: whatever is due happens.
    pub fn handle_timeout(&mut self, now: Timestamp, policy: &Policy) -> Vec<Effect> {
        let mut effects = vec![];
        if now >= self.last_activity.plus(policy.cart_retention_ms) {
            self.pending = None;
            self.move_to(now, Phase::Expired, "retention is over", &mut effects);
            effects.push(Effect::Forget);
            return effects;
        }
        if self.may_be_abandoned() && now >= self.last_activity.plus(policy.idle_ms) {
            self.abandon(now, policy, &mut effects);
        }
        // Each round settles or offers one step; a sequence is finite, so this ends.
        while self.phase.is_running() && self.advance(now, policy, &mut effects) {}
        effects
    }

    /// When [`Self::handle_timeout`] has something to do, at the earliest.
    #[must_use]
    pub fn next_wakeup(&self, policy: &Policy) -> Option<Timestamp> {
        if self.phase == Phase::Expired {
            return None;
        }
        let retention = self.last_activity.plus(policy.cart_retention_ms);
        let due = if self.phase.is_running() {
            self.due(policy)
        } else {
            self.may_be_abandoned().then(|| self.last_activity.plus(policy.idle_ms))
        };
        Some(due.map_or(retention, |d| d.min(retention)))
    }

    fn may_be_abandoned(&self) -> bool {
        self.phase == Phase::Active && !self.cart.is_empty() && !self.automated
    }

    fn abandon(&mut self, now: Timestamp, policy: &Policy, effects: &mut Vec<Effect>) {
        let began = self.last_activity.plus(policy.idle_ms);
        let contents = self.cart.contents();
        if let Some(episode) = &mut self.episode
            && let Some(returned) = episode.paused
            && episode.contents == contents
            && self.last_activity.since(returned) <= policy.idle_ms
        {
            episode.paused = None;
            let to = if episode.contacted { Phase::Recovering } else { Phase::Abandoned };
            self.move_to(now, to, "left again after a short stay with the same cart", effects);
            return;
        }
        let Some(sequence) = policy.sequence_for(&self.condition_facts()) else {
            // Nothing is planned for such a cart; it stays as it is until retention.
            self.episode = None;
            self.move_to(now, Phase::Exhausted, "abandoned; no sequence is for this cart", effects);
            return;
        };
        let number = self.episode.as_ref().map_or(1, |e| e.number.saturating_add(1));
        self.episode = Some(Episode {
            number,
            began,
            sequence: sequence.name.clone(),
            next_step: 0,
            contents,
            paused: None,
            contacted: false,
        });
        self.move_to(now, Phase::Abandoned, "idle", effects);
    }

    /// Does the next thing that is due in a running episode; `false` when nothing is.
    fn advance(&mut self, now: Timestamp, policy: &Policy, effects: &mut Vec<Effect>) -> bool {
        let Some(episode) = self.episode.clone() else {
            return false;
        };
        let steps = policy.sequence(&episode.sequence).map_or(&[][..], |s| &s.steps);
        let at = |index: u32| step_at(steps, index).map(|s| episode.began.plus(s.at_ms));
        if let Some(pending) = self.pending.clone() {
            // A deferred step gives way when the next one is due by the time it may go out.
            let next = at(pending.step + 1);
            if pending.deferred && next.is_some_and(|n| n <= pending.again_at && n <= now) {
                self.settle_step(
                    now,
                    &pending.key,
                    pending.step,
                    Outcome::Skipped { why: Why::Superseded },
                    effects,
                );
                return true;
            }
            if now < pending.again_at {
                return false;
            }
            let Some(step) = step_at(steps, pending.step) else {
                // The policy changed under the episode and has no such step any more.
                self.settle_step(
                    now,
                    &pending.key,
                    pending.step,
                    Outcome::Skipped { why: Why::CartMoved },
                    effects,
                );
                return true;
            };
            self.offer(now, pending.key, pending.step, pending.attempts + 1, step, effects);
            return false;
        }
        let Some(step) = step_at(steps, episode.next_step) else {
            self.move_to(now, Phase::Exhausted, "every step is settled", effects);
            return false;
        };
        if now < episode.began.plus(step.at_ms) {
            return false;
        }
        let key = SendKey::of(&self.id, episode.number, episode.next_step);
        if self.person.is_none() {
            self.settle_step(now, &key, episode.next_step, Outcome::Skipped { why: Why::NoPerson }, effects);
            return true;
        }
        self.offer(now, key, episode.next_step, 1, step, effects);
        false
    }

    fn offer(
        &mut self,
        now: Timestamp,
        key: SendKey,
        step: u32,
        attempts: u32,
        planned: &Step,
        effects: &mut Vec<Effect>,
    ) {
        self.pending = Some(Pending {
            key: key.clone(),
            step,
            again_at: now.plus(OFFER_LEASE),
            attempts,
            deferred: false,
        });
        effects.push(record(
            now,
            Happened::Offered { key: key.clone(), step: planned.name.clone(), attempt: attempts },
        ));
        effects.push(Effect::OfferSend(SendJob { key, shop: self.shop.clone(), cart: self.id.clone() }));
    }

    fn due(&self, policy: &Policy) -> Option<Timestamp> {
        let episode = self.episode.as_ref()?;
        let steps = policy.sequence(&episode.sequence).map_or(&[][..], |s| &s.steps);
        let step_due = |index: u32| step_at(steps, index).map(|s| episode.began.plus(s.at_ms));
        match &self.pending {
            Some(p) if p.deferred => {
                Some(step_due(p.step + 1).filter(|n| *n <= p.again_at).unwrap_or(p.again_at))
            }
            Some(p) => Some(p.again_at),
            // A sequence at its end still has to be declared exhausted.
            None => Some(step_due(episode.next_step).unwrap_or(episode.began)),
        }
    }

    /// What a consumer needs to claim this send, or why there is nothing to claim any more.
    pub fn prepare(&self, key: &SendKey, policy: &Policy) -> Result<Prepared, Why> {
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
            person,
            abandonment: episode.number,
            abandoned_at: episode.began,
            cart_born_at: self.born_at,
            step,
            facts: self.condition_facts(),
            model: self.score.as_ref().map(|(_, m)| m.clone()),
            lines: self.cart.lines().to_vec(),
            currency: self.cart.currency,
            automated: self.automated,
            zone: self.zone.clone(),
            events: self.basis.clone(),
        })
    }

    /// A consumer reports how a send ended. Late and repeated reports do no harm: only the pending
    /// send of the running episode moves anything, but every sent message is remembered.
    pub fn settle(
        &mut self,
        now: Timestamp,
        key: &SendKey,
        outcome: Outcome,
        decision: Option<&DecisionRecord>,
        policy: &Policy,
    ) -> Vec<Effect> {
        let mut effects = vec![];
        if let Some(decision) = decision {
            effects
                .push(record(now, Happened::Decided { record: Box::new(DecisionSummary::from(decision)) }));
        }
        let step = match (&self.pending, &self.episode) {
            (Some(p), _) if p.key == *key => p.step,
            // The shopper came back while the message was on its way: the step is done all the same.
            (None, Some(e))
                if outcome == Outcome::Sent && SendKey::of(&self.id, e.number, e.next_step) == *key =>
            {
                e.next_step
            }
            _ => return effects,
        };
        self.settle_step(now, key, step, outcome, &mut effects);
        effects.extend(self.handle_timeout(now, policy));
        effects
    }

    fn settle_step(
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
            Outcome::Sent => {
                episode.contacted = true;
                if self.phase == Phase::Abandoned {
                    self.move_to(now, Phase::Recovering, "a message went out", effects);
                }
            }
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

    /// Cart and session as conditions see them.
    #[must_use]
    pub fn condition_facts(&self) -> Facts {
        let total = self.cart.total();
        let scale = 10_f64.powi(i32::try_from(total.currency.exponent()).unwrap_or(2));
        let flag = |b: bool| Some(if b { 1.0 } else { 0.0 });
        #[expect(clippy::cast_precision_loss, reason = "amounts far below 2^52")]
        Facts {
            cart_value: Some(total.minor as f64 / scale),
            cart_items: Some(f64::from(self.cart.pieces())),
            session_mobile: flag(self.facts.mobile),
            session_checkout_error: flag(self.trouble.is_some()),
            score_buy: self.score.as_ref().map(|(p, _)| *p),
            ..Facts::default()
        }
    }

    fn move_to(&mut self, now: Timestamp, to: Phase, because: &str, effects: &mut Vec<Effect>) {
        let from = self.phase;
        if from == to {
            return;
        }
        self.phase = to;
        effects.push(record(now, Happened::Moved { from, to, because: because.to_owned() }));
    }
}

fn step_at(steps: &[Step], index: u32) -> Option<&Step> {
    steps.get(usize::try_from(index).ok()?)
}

fn record(at: Timestamp, what: Happened) -> Effect {
    Effect::Record(Entry { at, what })
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
