//! What every model is: features in, a probability with its reasons out. Hand-set and trained
//! models answer alike, so a policy never knows which one spoke.

use std::borrow::Cow;

use serde::Serialize;

use crate::feature::{FEATURES, Features};

/// Reasons that a score carries at most.
pub const MAX_REASONS: usize = 3;

/// A model of the probability that a session ends in a purchase without any help from us.
pub trait Model {
    /// Scores a session. Deterministic to the bit on every target.
    fn predict(&self, features: &Features) -> Score;
}

/// A probability with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Name and version of the model.
    pub model: Cow<'static, str>,
    /// Probability of buying without help, strictly between 0 and 1.
    pub buy: f64,
    /// What moved it most, largest first, at most [`MAX_REASONS`]; features without effect are
    /// not listed.
    pub reasons: Vec<Reason>,
}

/// How far one feature moved a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reason {
    /// Name of the feature.
    pub feature: &'static str,
    /// Change of the log odds, against a session that did nothing but fill a cart.
    pub effect: f64,
}

/// The score of additive effects on the log odds, one per feature.
pub(crate) fn additive(model: &'static str, base: f64, effects: &[f64; FEATURES.len()]) -> Score {
    // Added in the order of the features: floating-point sums depend on their order.
    let log_odds = effects.iter().fold(base, |sum, effect| sum + effect);
    Score { model: Cow::Borrowed(model), buy: logistic(log_odds), reasons: strongest(*effects) }
}

/// 1 / (1 + e^-x). The clamp keeps the result strictly inside (0, 1), where log odds still exist.
pub(crate) fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds.clamp(-30.0, 30.0)))
}

/// Picks the largest effects one by one: three passes over sixteen numbers cost the browser less
/// code than a sort. Of equal effects the earlier feature comes first.
fn strongest(mut effects: [f64; FEATURES.len()]) -> Vec<Reason> {
    let mut reasons = Vec::with_capacity(MAX_REASONS);
    for _ in 0..MAX_REASONS {
        let mut best = 0;
        for (index, effect) in effects.iter().enumerate() {
            if effect.abs() > effects[best].abs() {
                best = index;
            }
        }
        let effect = core::mem::replace(&mut effects[best], 0.0);
        if effect == 0.0 {
            break;
        }
        reasons.push(Reason { feature: FEATURES[best].1, effect });
    }
    reasons
}
