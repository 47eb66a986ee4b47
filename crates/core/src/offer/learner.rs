//! The learned choice between offers: Thompson sampling over what each arm has brought, within guard
//! rails. Every draw is made under the key of the send, so a decision drawn again is the same decision.
//!
//! Each arm's rate of recovery has a Beta posterior over a shipped weak prior. What is compared is not
//! the rate but the worth of one try: the rate times what an order is worth after the arm's cost. An
//! arm that wins only by giving more away therefore does not win.

use super::sampler::Draws;
use super::{ArmOutcome, Choice, Tried};
use crate::id::SendKey;
use crate::policy::Learner;

/// The shipped prior: one recovery in twenty tries, worth twenty tries of evidence. Vendors tell of 2
/// to 12 recoveries in a hundred; a shop's own outcomes outweigh it within its first hundred messages.
pub const PRIOR: (f64, f64) = (1.0, 19.0);

/// Name of the arm that gives nothing.
pub const NO_OFFER: &str = "none";

/// An arm that is open to a cart.
#[derive(Debug, Clone, PartialEq)]
pub struct Open<'a> {
    /// Its name.
    pub arm: &'a str,
    /// What one recovered order is worth less by it, share of its value.
    pub cost: f64,
}

/// Chooses among the open arms; `None` if there are none. `fair` says that no arm was closed to this
/// cart alone: only then is the choice a try to learn from, as otherwise the arms that are open to
/// poorer carts would be blamed for them.
#[must_use]
pub fn choose(
    learner: &Learner,
    cohort: &str,
    key: &SendKey,
    open: &[Open<'_>],
    outcomes: &[ArmOutcome],
    fair: bool,
) -> Option<Choice> {
    let held: Vec<ArmOutcome> = open.iter().map(|o| outcome(learner, cohort, o.arm, outcomes)).collect();
    let draws: Vec<u32> = open.iter().zip(&held).map(|(o, held)| draw(learner, key, o, held)).collect();
    let by_share = by_share(learner, key, open.len());
    let index = match by_share {
        Some(index) => index,
        // Of two that drew the same the first wins: policies name the cheaper first, or `none`.
        None => (0..open.len()).rev().max_by_key(|i| draws.get(*i))?,
    };
    let arm = open.get(index)?.arm.to_owned();
    Some(Choice {
        tried: Tried {
            learner: learner.name.clone(),
            cohort: cohort.to_owned(),
            arm,
            counts: fair && open.len() > 1,
        },
        outcomes: held,
        draws,
        by_share: by_share.is_some(),
    })
}

/// What is known of an arm; nothing if nobody reported it.
fn outcome(learner: &Learner, cohort: &str, arm: &str, outcomes: &[ArmOutcome]) -> ArmOutcome {
    let found =
        outcomes.iter().find(|o| o.learner == learner.name && o.cohort == cohort && o.arm == arm).cloned();
    found.unwrap_or_else(|| ArmOutcome {
        learner: learner.name.clone(),
        cohort: cohort.to_owned(),
        arm: arm.to_owned(),
        tries: 0,
        wins: 0,
    })
}

/// The worth of one try, drawn from the posterior, in millionths of the cart's value.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are far below 2^53; the product of two shares, in millionths, fits"
)]
fn draw(learner: &Learner, key: &SendKey, open: &Open<'_>, held: &ArmOutcome) -> u32 {
    let wins = held.wins.min(held.tries);
    let (a, b) = (PRIOR.0 + wins as f64, PRIOR.1 + (held.tries - wins) as f64);
    let rate = Draws::named(&["learner", &learner.name, key.as_str(), open.arm]).beta(a, b);
    let worth = rate * (1.0 - open.cost.clamp(0.0, 1.0));
    (worth * 1e6 + 0.5) as u32
}

/// The arm that its least share chooses, if this send belongs to anybody's least share. Decided by a
/// draw of its own, before and apart from what is learned: so the share is kept whatever was learned.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a handful of arms; the quotient is below their number"
)]
fn by_share(learner: &Learner, key: &SendKey, arms: usize) -> Option<usize> {
    if arms < 2 || learner.least_share <= 0.0 {
        return None;
    }
    let share = learner.least_share.min(1.0 / arms as f64);
    let slot = (Draws::named(&["share", &learner.name, key.as_str()]).unit() / share) as usize;
    (slot < arms).then_some(slot)
}
