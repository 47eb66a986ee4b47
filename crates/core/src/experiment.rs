//! Assignment by hash: the same unit always lands in the same bucket, on every target, without
//! a stored table. Exposure is recorded by whoever shows or sends, at that moment and never before.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::policy::{Arm, Experiment, Policy, Step, Subject};
use crate::time::{Millis, Timestamp};

/// Buckets run from 0 to 9999, so that a hundredth of a percent can be told apart.
pub const BUCKETS: u16 = 10_000;

/// The bucket of a unit (a person id, else a visitor id) in a named experiment of a shop.
#[must_use]
pub fn bucket(shop: &str, experiment: &str, unit: &str) -> u16 {
    let mut hasher = Sha256::new();
    for part in [shop, experiment, unit] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    let head = digest.iter().take(8).fold(0_u64, |n, b| (n << 8) | u64::from(*b));
    u16::try_from(head % u64::from(BUCKETS)).unwrap_or(0)
}

/// Whether a bucket belongs to the holdout of so many percent.
#[must_use]
pub fn is_held_out(bucket: u16, percent: u8) -> bool {
    bucket < u16::from(percent.min(100)) * (BUCKETS / 100)
}

/// The name under which an experiment is hashed: apart from the holdout and from panels' own buckets.
#[must_use]
pub fn seed(experiment: &Experiment) -> String {
    format!("experiment:{}", experiment.name)
}

/// The arm of a bucket: the arms share the buckets by their weights, in their order.
#[must_use]
pub fn arm_of(experiment: &Experiment, bucket: u16) -> Option<&Arm> {
    let total: u64 = experiment.arms.iter().map(|a| u64::from(a.weight)).sum();
    let mut upto = 0_u64;
    experiment.arms.iter().find(|arm| {
        upto += u64::from(arm.weight);
        // Weights are whole numbers, so every bucket is below exactly one bound.
        u64::from(bucket) * total < upto * u64::from(BUCKETS)
    })
}

/// The arm of a unit: the one it was exposed to before, else the one its hash says.
#[must_use]
pub fn arm_for<'e>(
    experiment: &'e Experiment,
    shop: &str,
    unit: &str,
    assignments: &[Assignment],
) -> Option<&'e Arm> {
    assignments
        .iter()
        .find(|a| a.experiment == experiment.name)
        .and_then(|a| experiment.arms.iter().find(|arm| arm.name == a.arm))
        .or_else(|| arm_of(experiment, bucket(shop, &seed(experiment), unit)))
}

/// When a step is due, counted from the abandonment: as its sequence says, or as the arm of an
/// experiment on it says. `unit` is the person behind the cart, where one is known.
#[must_use]
pub fn planned_at(
    policy: &Policy,
    sequence: &str,
    step: &Step,
    shop: &str,
    unit: Option<&str>,
    assignments: &[Assignment],
) -> Millis {
    let Some(unit) = unit else { return step.at_ms };
    on_step(policy, sequence, &step.name)
        .filter_map(|experiment| arm_for(experiment, shop, unit, assignments)?.at_ms)
        .last()
        .unwrap_or(step.at_ms)
}

/// The experiments on a step, in the order of the policy.
pub fn on_step<'p>(
    policy: &'p Policy,
    sequence: &'p str,
    step: &'p str,
) -> impl Iterator<Item = &'p Experiment> {
    policy.experiments.iter().filter(move |experiment| match &experiment.subject {
        Subject::Step { sequence: of, step: on } => of == sequence && on == step,
        Subject::Panel { .. } => false,
    })
}

/// The arm that a person was first exposed to. The first stays on a merge; two that differ are a
/// conflict, which takes the person out of the reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Name of the experiment.
    pub experiment: String,
    /// Name of the arm.
    pub arm: String,
    /// First exposure.
    pub at: Timestamp,
    /// Exposed to another arm too, before it was known that two people are one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub conflict: bool,
}

/// An exposure, as it goes into a log at its moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// Name of the experiment.
    pub experiment: String,
    /// Name of the arm.
    pub arm: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_frozen() {
        // An edited vector would move every running experiment: never edit to go green.
        assert_eq!(bucket("shop_demo", "holdout", "per_1"), 1213);
        assert_eq!(bucket("shop_demo", "holdout", "per_2"), 5660);
    }

    #[test]
    fn buckets_are_even() {
        let held =
            (0..20_000).filter(|n| is_held_out(bucket("shop_a", "holdout", &format!("per_{n}")), 10)).count();
        assert!((1_850..2_150).contains(&held), "{held}");
    }
}
