//! What time does to a cart: abandonment, steps that come due, leases that end, retention. Asks
//! nobody whether a step may be sent; that is the gate's, when the step is claimed.

use super::leaving::Leaving;
use super::{Episode, Outcome, Pending, Phase, Recovery, Trigger, record};
use crate::cause;
use crate::decision::Why;
use crate::effect::{Effect, Happened, SendJob};
use crate::experiment;
use crate::id::{PersonId, SendKey};
use crate::policy::{Policy, Step};
use crate::time::{MINUTE, Millis, Timestamp};

/// How long an offered send may stay unsettled before it is offered again. Longer than a claim's
/// lease ([`crate::person::CLAIM_LEASE`]), so that the second offer does not meet the first's claim.
pub const OFFER_LEASE: Millis = 5 * MINUTE;

impl Recovery {
    /// Time has passed: whatever is due happens.
    pub fn handle_timeout(&mut self, now: Timestamp, policy: &Policy) -> Vec<Effect> {
        let mut effects = vec![];
        if now >= self.last_activity.plus(policy.cart_retention_ms) {
            self.pending = None;
            self.move_to(now, Phase::Expired, "retention is over", &mut effects);
            effects.push(Effect::Forget);
            return effects;
        }
        if let Some(leaving) = self.leaving(policy).filter(|l| now >= l.due) {
            self.abandon(now, leaving, policy, &mut effects);
        }
        // Each round settles or offers one step; a sequence is finite, so this ends.
        while self.phase.is_running() && self.advance(now, policy, &mut effects) {}
        effects
    }

    /// When [`Self::handle_timeout`] has something to do, at the earliest.
    ///
    /// An expired cart stays due: were its [`Effect::Forget`] lost, nothing else would ask for it.
    #[must_use]
    pub fn next_wakeup(&self, policy: &Policy) -> Option<Timestamp> {
        let retention = self.last_activity.plus(policy.cart_retention_ms);
        let due =
            if self.phase.is_running() { self.due(policy) } else { self.leaving(policy).map(|l| l.due) };
        Some(due.map_or(retention, |d| d.min(retention)))
    }

    /// The cart is left: the paused episode goes on, or a new one begins, or nothing is planned.
    fn abandon(&mut self, now: Timestamp, leaving: Leaving, policy: &Policy, effects: &mut Vec<Effect>) {
        self.looks.clear();
        let contents = self.contents(&leaving);
        if let Some(episode) = &self.episode
            && episode.contents == contents
            && (episode.trigger == Trigger::Browse) == (leaving.trigger == Trigger::Browse)
            && self.is_short_stay(episode, leaving.idle_ms)
        {
            let to = if episode.contacted { Phase::Recovering } else { Phase::Abandoned };
            if let Some(episode) = &mut self.episode {
                episode.paused = None;
                episode.since = Some(leaving.since);
            }
            self.move_to(now, to, "left again after a short stay with the same in it", effects);
            effects.extend(self.announcement(self.wait_for(now, policy), false));
            return;
        }
        let Leaving { trigger, due, since, look, .. } = leaving;
        let number = self.episode.as_ref().map_or(1, |e| e.number.saturating_add(1));
        let likely = cause::infer(self, policy);
        let class = look.as_ref().map(|l| &l.item);
        let facts = self.facts_of(now, policy, Some((trigger, number, &likely)), class);
        let sequence = policy.sequence_for(trigger, &facts).map(|s| s.name.clone());
        effects.push(record(
            now,
            Happened::Left {
                trigger,
                likely: likely.clone(),
                sequence: sequence.clone(),
                policy: policy.version.clone(),
                facts,
            },
        ));
        let Some(sequence) = sequence else {
            // Nothing is planned for such a cart; it stays as it is until retention. The last
            // episode is kept: its number must not come again, or its keys would.
            self.move_to(now, Phase::Exhausted, "abandoned; no sequence is for this cart", effects);
            return;
        };
        self.episode = Some(Episode {
            number,
            began: due,
            sequence,
            next_step: 0,
            contents,
            paused: None,
            contacted: false,
            policy: policy.version.clone(),
            trigger,
            likely: Some(likely),
            since: Some(since),
            look,
            tried: None,
        });
        self.move_to(now, Phase::Abandoned, trigger.story(), effects);
        effects.extend(self.announcement(self.wait_for(now, policy), false));
    }

    /// How long an older cart waits for this one: until its next step must have been claimed, which
    /// is when its offer's lease is over. A step that is due by then waits in its own right.
    pub(super) fn wait_for(&self, now: Timestamp, policy: &Policy) -> Option<Timestamp> {
        let due = self.due(policy).map_or(now, |due| due.max(now));
        Some(due.plus(2 * OFFER_LEASE))
    }

    /// Does the next thing that is due in a running episode; `false` when nothing is.
    fn advance(&mut self, now: Timestamp, policy: &Policy, effects: &mut Vec<Effect>) -> bool {
        let Some(episode) = &self.episode else {
            return false;
        };
        let (number, began, next_step) = (episode.number, episode.began, episode.next_step);
        let (name, steps) = planned(policy, episode);
        let at = |index: u32| step_at(steps, index).map(|s| self.step_due(policy, name, began, s));
        if let Some(pending) = self.pending.clone() {
            // A deferred step gives way when the next one is due.
            let next = at(pending.step + 1);
            if pending.deferred && next.is_some_and(|n| n <= now) {
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
        let Some(step) = step_at(steps, next_step) else {
            self.move_to(now, Phase::Exhausted, "every step is settled", effects);
            return false;
        };
        if now < self.step_due(policy, name, began, step) {
            return false;
        }
        let key = SendKey::of(&self.id, number, next_step);
        if self.person.is_none() {
            self.settle_step(now, &key, next_step, Outcome::Skipped { why: Why::NoPerson }, effects);
            return true;
        }
        if at(next_step + 1).is_some_and(|next| next <= now) {
            // It was missed (a late alarm, a shopper who came back for a while): all that was missed
            // must not go out in one go.
            let superseded = Outcome::Skipped { why: Why::Superseded };
            self.settle_step(now, &key, next_step, superseded, effects);
            return true;
        }
        self.offer(now, key, next_step, 1, step, effects);
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

    /// When a step is due: its own time, or that of the arm its person is in. Asked anew each time,
    /// for the person may be found after the cart was left.
    fn step_due(&self, policy: &Policy, sequence: &str, began: Timestamp, step: &Step) -> Timestamp {
        let unit = self.person.as_ref().map(PersonId::as_str);
        let shop = self.shop.as_str();
        began.plus(experiment::planned_at(policy, sequence, step, shop, unit, &[]))
    }

    fn due(&self, policy: &Policy) -> Option<Timestamp> {
        let episode = self.episode.as_ref()?;
        let (name, steps) = planned(policy, episode);
        let step_due =
            |index: u32| step_at(steps, index).map(|s| self.step_due(policy, name, episode.began, s));
        match &self.pending {
            Some(p) if p.deferred => {
                Some(step_due(p.step + 1).filter(|n| *n <= p.again_at).unwrap_or(p.again_at))
            }
            Some(p) => Some(p.again_at),
            // A sequence at its end still has to be declared exhausted.
            None => Some(step_due(episode.next_step).unwrap_or(episode.began)),
        }
    }
}

/// The sequence of an episode; without steps if the policy has no such sequence any more.
fn planned<'p>(policy: &'p Policy, episode: &Episode) -> (&'p str, &'p [Step]) {
    policy.sequence(&episode.sequence).map_or(("", &[]), |s| (&s.name, &s.steps))
}

pub(super) fn step_at(steps: &[Step], index: u32) -> Option<&Step> {
    steps.get(usize::try_from(index).ok()?)
}
