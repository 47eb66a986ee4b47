//! What time does to a cart: abandonment, steps that come due, leases that end, retention. Asks
//! nobody whether a step may be sent; that is the gate's, when the step is claimed.

use super::{Episode, Outcome, Pending, Phase, Recovery, Trigger, record};
use crate::decision::Why;
use crate::effect::{Effect, Happened, SendJob};
use crate::id::SendKey;
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
        if self.may_be_abandoned() && now >= self.last_activity.plus(policy.idle_ms) {
            self.abandon(now, policy, &mut effects);
        }
        // Each round settles or offers one step; a sequence is finite, so this ends.
        while self.phase.is_running() && self.advance(now, policy, &mut effects) {}
        effects
    }

    /// When [`Self::handle_timeout`] has something to do, at the earliest.
    #[must_use]
    ///
    /// An expired cart stays due: were its [`Effect::Forget`] lost, nothing else would ask for it.
    pub fn next_wakeup(&self, policy: &Policy) -> Option<Timestamp> {
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
        let Some(sequence) = policy.sequence_for(Trigger::Idle, &self.condition_facts()) else {
            // Nothing is planned for such a cart; it stays as it is until retention. The last
            // episode is kept: its number must not come again, or its keys would.
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
            policy: policy.version.clone(),
            trigger: Trigger::Idle,
            likely: None,
            tried: None,
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
}

pub(super) fn step_at(steps: &[Step], index: u32) -> Option<&Step> {
    steps.get(usize::try_from(index).ok()?)
}
