//! When a cart counts as left, and how: the triggers of the table in [`crate::recovery`]. Only
//! reckons; what follows from being left is the schedule's.

use serde::{Deserialize, Serialize};

use super::browse::Look;
use super::{Episode, Phase, Recovery, Trigger};
use crate::policy::Policy;
use crate::signal::Stage;
use crate::time::{Millis, Timestamp};

/// Signs that the shopper left. Each is the latest of its kind, and only kept while no sign of life
/// is later, so that a session at work carries none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ends {
    /// The page was hidden or closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<Timestamp>,
    /// A gesture of leaving.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<Timestamp>,
    /// The platform said that the session is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Timestamp>,
}

impl Ends {
    /// Drops what a sign of life followed. One at the same instant did not: a page that is hidden
    /// says in the same breath what was done on it.
    pub(super) fn forget_before(&mut self, life: Timestamp) {
        for end in [&mut self.hidden, &mut self.intent, &mut self.session] {
            *end = end.filter(|at| *at >= life);
        }
    }
}

/// How and when a cart is left, if nothing happens before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaving {
    pub(super) trigger: Trigger,
    /// When it is due: the beginning of the episode.
    pub(super) due: Timestamp,
    /// A sign of life from up to then is no return.
    pub(super) since: Timestamp,
    /// A return that lasted no longer resumes the episode.
    pub(super) idle_ms: Millis,
    /// The product, where it is about one.
    pub(super) look: Option<Look>,
}

impl Recovery {
    /// The first trigger that is or will be due, as far as is known now.
    pub(super) fn leaving(&self, policy: &Policy) -> Option<Leaving> {
        if self.phase != Phase::Active || self.automated {
            return None;
        }
        if self.cart.is_empty() {
            return self.browse_leaving(policy);
        }
        let (trigger, due, since) =
            self.cart_triggers(policy).into_iter().flatten().min_by_key(|(_, due, _)| *due)?;
        Some(Leaving { trigger, due, since, idle_ms: self.idle_ms(policy), look: None })
    }

    /// What an episode would be about, to be compared with the last one's. Asked when a cart is left,
    /// not each time it is reckoned when that would be.
    pub(super) fn contents(&self, leaving: &Leaving) -> String {
        leaving.look.as_ref().map_or_else(|| self.cart.contents(), |look| look.item.contents())
    }

    /// Whether the return that paused this episode lasted at most so long.
    pub(super) fn is_short_stay(&self, episode: &Episode, idle_ms: Millis) -> bool {
        episode.paused.is_some_and(|returned| self.last_activity.since(returned) <= idle_ms)
    }

    /// The triggers of a filled cart in the order in which they win at the same instant: each with
    /// when it is due and up to when a sign of life does not refute it.
    fn cart_triggers(&self, policy: &Policy) -> [Option<(Trigger, Timestamp, Timestamp)>; 5] {
        let life = self.last_activity;
        let idle = life.plus(self.idle_ms(policy));
        let after = |trigger, basis: Option<Timestamp>, span: Option<Millis>| {
            let (basis, span) = (basis?, span?);
            // One that no sequence answers would only keep the cart from one that is answered.
            let answered = policy.sequences.iter().any(|s| s.answers(trigger));
            answered.then(|| (trigger, basis.plus(span), basis))
        };
        let on = &policy.triggers;
        let refused = self.trouble.as_ref().map(|(at, _)| *at).filter(|at| *at >= life);
        let silent = (self.facts.stage >= Stage::Checkout && self.ends.hidden.is_none()).then_some(life);
        [
            after(Trigger::CheckoutError, refused, on.checkout_error_ms),
            after(Trigger::PageExit, self.ends.hidden.max(self.ends.intent), on.page_exit_ms),
            after(Trigger::PlatformEnd, self.ends.session, on.platform_end_ms),
            after(Trigger::AbruptEnd, silent, on.abrupt_end_ms),
            Some((Trigger::Idle, idle, idle)),
        ]
    }

    /// The idle time of what is in the cart: of several classes the longest counts.
    pub(super) fn idle_ms(&self, policy: &Policy) -> Millis {
        let by_class = &policy.triggers.idle_by_class;
        if by_class.is_empty() {
            return policy.idle_ms;
        }
        let of = |class: &Option<String>| class.as_ref().and_then(|c| by_class.get(c)).copied();
        let lines = self.cart.lines().iter().map(|l| of(&l.class).unwrap_or(policy.idle_ms));
        lines.max().unwrap_or(policy.idle_ms)
    }
}
