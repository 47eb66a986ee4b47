//! Assignment by hash: the same unit always lands in the same bucket, on every target, without
//! a stored table. Exposure is recorded by whoever shows or sends, at that moment and never before.

use std::collections::BTreeMap;

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
    let weights: Vec<u32> = experiment.arms.iter().map(|arm| arm.weight).collect();
    experiment.arms.get(share_of(&weights, bucket)?)
}

/// Which of several shares a bucket falls into, by their weights; `None` if all of them are 0.
#[must_use]
pub fn share_of(weights: &[u32], bucket: u16) -> Option<usize> {
    let total: u64 = weights.iter().copied().map(u64::from).sum();
    let mut upto = 0_u64;
    weights.iter().position(|weight| {
        upto += u64::from(*weight);
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

/// Assignments kept per person; the oldest go. More experiments than this never ran at a time.
const MOST: usize = 100;

/// The person was exposed: the first time is the assignment. To another arm than the first they are
/// exposed only through a merge, and then they are no longer a clean case.
pub(crate) fn expose(assignments: &mut Vec<Assignment>, exposure: &Exposure, now: Timestamp) {
    let fresh = Assignment {
        experiment: exposure.experiment.clone(),
        arm: exposure.arm.clone(),
        at: now,
        conflict: false,
    };
    match assignments.iter_mut().find(|a| a.experiment == exposure.experiment) {
        Some(held) => held.conflict |= held.arm != exposure.arm,
        None => {
            assignments.push(fresh);
            if assignments.len() > MOST {
                assignments.remove(0);
            }
        }
    }
}

/// Two persons are one: of each experiment the earlier assignment stays, and two arms are a conflict.
/// Whoever is merged into whom, and however often, the outcome is the same.
pub(crate) fn merge(mine: &mut Vec<Assignment>, theirs: &[Assignment]) {
    for other in theirs {
        match mine.iter_mut().find(|a| a.experiment == other.experiment) {
            Some(held) => {
                let conflict = held.conflict || other.conflict || held.arm != other.arm;
                if (other.at, &other.arm) < (held.at, &held.arm) {
                    *held = other.clone();
                }
                held.conflict = conflict;
            }
            None => mine.push(other.clone()),
        }
    }
    mine.sort_by(|a, b| (a.at, &a.experiment).cmp(&(b.at, &b.experiment)));
    mine.drain(..mine.len().saturating_sub(MOST));
}

/// How many were exposed to each arm, and how many to more than one: those are left out of every
/// comparison, and told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reading {
    /// Exposed to this arm and no other.
    pub exposed: BTreeMap<String, u64>,
    /// First exposed to this arm, then to another.
    pub conflicted: BTreeMap<String, u64>,
}

impl Reading {
    /// Counts what these persons were assigned in an experiment.
    pub fn of<'a>(experiment: &str, persons: impl IntoIterator<Item = &'a [Assignment]>) -> Self {
        let mut reading = Self::default();
        for assignment in persons.into_iter().flatten().filter(|a| a.experiment == experiment) {
            let counts = if assignment.conflict { &mut reading.conflicted } else { &mut reading.exposed };
            *counts.entry(assignment.arm.clone()).or_insert(0) += 1;
        }
        reading
    }
}

/// The arm of a page's visitor in the experiment on a panel, by the bucket that the edge handed out.
/// The bucket is hashed once, at the edge; a page that asks for the arms of several panels gets
/// independent ones, because each experiment deals the buckets anew ([`deal`]).
#[must_use]
pub fn panel_arm<'e>(
    experiments: &'e [Experiment],
    panel: &str,
    shop: &str,
    bucket: u16,
) -> Option<(&'e Experiment, &'e Arm)> {
    let experiment = on_panel(experiments, panel)?;
    arm_of(experiment, deal(shop, &experiment.name, bucket)).map(|arm| (experiment, arm))
}

/// The experiment on a panel. The policy allows one at a time.
#[must_use]
pub fn on_panel<'e>(experiments: &'e [Experiment], panel: &str) -> Option<&'e Experiment> {
    experiments.iter().find(|e| matches!(&e.subject, Subject::Panel { panel: of } if of == panel))
}

/// The bucket that a page gets: of the person behind its cart, else of its visitor.
#[must_use]
pub fn page_bucket(shop: &str, unit: &str) -> u16 {
    bucket(shop, "page", unit)
}

/// Deals the buckets anew for an experiment: a permutation of all of them, so that arms keep exactly
/// their shares. Six rounds of a Feistel network over hundreds and units with FNV-1a between them; small
/// enough for a page, and nothing that must withstand anybody.
#[must_use]
pub fn deal(shop: &str, experiment: &str, bucket: u16) -> u16 {
    const HALF: u16 = 100;
    const ROUNDS: u8 = 6;
    let (mut left, mut right) = (bucket / HALF % HALF, bucket % HALF);
    for round in 0..ROUNDS {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let ends = [0, round, u8::try_from(right).unwrap_or(0)];
        for part in [shop.as_bytes(), &[0], experiment.as_bytes(), &ends] {
            for byte in part {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        // The upper half: the lowest bits of FNV are those of the bytes' sum.
        let pad = u16::try_from((hash >> 32) % u64::from(HALF)).unwrap_or(0);
        (left, right) = (right, (left + pad) % HALF);
    }
    left * HALF + right
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
