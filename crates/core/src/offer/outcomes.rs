//! What the arms of learners have brought, counted by the shop's one object. A report that comes twice
//! counts once.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{ArmOutcome, Tried};
use crate::id::SendKey;

/// Reports remembered by their key. A report is repeated within minutes or not at all, and a shop does
/// not send so many learned offers in that time.
pub const REMEMBERED: usize = 1_000;
/// Learners, cohorts and arms counted. A policy has at most a few hundred; names of older ones go when
/// room is needed, the least tried first.
pub const MOST_ARMS: usize = 2_000;

/// Tries and wins by learner, cohort and arm.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcomes {
    /// Sorted by learner, cohort, arm.
    arms: Vec<ArmOutcome>,
    /// Sends counted as tries, newest last.
    tried: VecDeque<SendKey>,
    /// Sends counted as wins, newest last.
    won: VecDeque<SendKey>,
}

impl Outcomes {
    /// A message went out with this arm. Nothing is learned from one that does not count.
    /// Whether that changed anything.
    pub fn sent(&mut self, key: &SendKey, tried: &Tried) -> bool {
        let counts = tried.counts && note(&mut self.tried, key);
        if counts {
            let arm = self.arm(tried);
            arm.tries = arm.tries.saturating_add(1);
        }
        counts
    }

    /// The cart behind that message was recovered. Whether that changed anything.
    pub fn recovered(&mut self, key: &SendKey, tried: &Tried) -> bool {
        let counts = tried.counts && note(&mut self.won, key);
        if counts {
            let arm = self.arm(tried);
            arm.wins = arm.wins.saturating_add(1);
        }
        counts
    }

    /// The outcomes of a learner, in the order of cohort and arm.
    pub fn of<'a>(&'a self, learner: &'a str) -> impl Iterator<Item = &'a ArmOutcome> {
        self.arms.iter().filter(move |o| o.learner == learner)
    }

    fn arm(&mut self, tried: &Tried) -> &mut ArmOutcome {
        let place = |arms: &[ArmOutcome]| {
            arms.binary_search_by(|o| {
                (&o.learner, &o.cohort, &o.arm).cmp(&(&tried.learner, &tried.cohort, &tried.arm))
            })
        };
        if place(&self.arms).is_err() && self.arms.len() >= MOST_ARMS {
            let least = self.arms.iter().enumerate().min_by_key(|(_, o)| o.tries).map(|(i, _)| i);
            self.arms.remove(least.unwrap_or(0));
        }
        let index = place(&self.arms).unwrap_or_else(|index| {
            let fresh = ArmOutcome {
                learner: tried.learner.clone(),
                cohort: tried.cohort.clone(),
                arm: tried.arm.clone(),
                tries: 0,
                wins: 0,
            };
            self.arms.insert(index, fresh);
            index
        });
        &mut self.arms[index]
    }
}

/// Remembers a key; whether it is new.
fn note(keys: &mut VecDeque<SendKey>, key: &SendKey) -> bool {
    if keys.contains(key) {
        return false;
    }
    if keys.len() >= REMEMBERED {
        keys.pop_front();
    }
    keys.push_back(key.clone());
    true
}
