//! What offers may give away in a day, kept by the shop's one object. A send leases what its offer may
//! cost before it is claimed, and says afterwards what it spent. A lease whose holder died stays out
//! until the day is over, so the budget holds whatever is lost.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Lease, Want};
use crate::id::SendKey;
use crate::time::{DAY, Timestamp};

/// Leases that may be out at once. More are refused: lost ones add up until the day ends, and the row
/// that holds them must stay small.
pub const MOST_LEASES: usize = 4_000;

/// The budgets of one day (UTC).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Budgets {
    /// Days since the epoch.
    day: i64,
    /// Spent today by offer, minor units of the shop's currency.
    spent: BTreeMap<String, i64>,
    /// Out, by send and offer.
    out: BTreeMap<SendKey, BTreeMap<String, i64>>,
    /// Sends that asked more than once. An earlier holder may have died after its message went out, so
    /// that a later one was refused brings nothing back.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    again: BTreeSet<SendKey>,
}

impl Budgets {
    /// Leases to a send what each offer may cost it, all of that or nothing. Asking again under the
    /// same key gives the same lease again.
    pub fn lease(&mut self, now: Timestamp, key: &SendKey, wants: &[Want]) -> Vec<Lease> {
        self.roll(now);
        if self.out.contains_key(key) {
            self.again.insert(key.clone());
        }
        let mut leases = Vec::with_capacity(wants.len());
        for want in wants {
            let held = self.out.get(key).and_then(|o| o.get(&want.offer)).copied().unwrap_or(0);
            // The cart may have grown since the key was leased to first.
            let more = want.cost_minor.saturating_sub(held).max(0);
            let room = want.budget_minor.saturating_sub(self.gone(&want.offer)) >= more
                && (self.out.contains_key(key) || self.out.len() < MOST_LEASES);
            let left_minor = if room {
                let holder = self.out.entry(key.clone()).or_default();
                holder.insert(want.offer.clone(), held.saturating_add(more));
                held.saturating_add(more)
            } else {
                held
            };
            leases.push(Lease { offer: want.offer.clone(), left_minor });
        }
        leases
    }

    /// A send ended: what it spent is spent, the rest comes back. Told twice, the second time nothing
    /// is out under its key; told after its day, neither. Where it spent nothing and had asked more
    /// than once, all stays out until the day is over.
    pub fn settle(&mut self, now: Timestamp, key: &SendKey, spent: Option<(&str, i64)>) {
        self.roll(now);
        if self.again.remove(key) && spent.is_none() {
            self.again.insert(key.clone());
            return;
        }
        let Some(held) = self.out.remove(key) else { return };
        if let Some((offer, minor)) = spent
            && let Some(leased) = held.get(offer)
        {
            // Nobody can spend more than was leased.
            let minor = minor.clamp(0, *leased);
            let sum = self.spent.entry(offer.to_owned()).or_insert(0);
            *sum = sum.saturating_add(minor);
        }
    }

    /// Spent or out today.
    #[must_use]
    pub fn gone(&self, offer: &str) -> i64 {
        let out = self.out.values().filter_map(|o| o.get(offer)).fold(0_i64, |a, b| a.saturating_add(*b));
        self.spent.get(offer).copied().unwrap_or(0).saturating_add(out)
    }

    /// A new day begins with nothing spent. A clock that goes back does not bring the old one back.
    fn roll(&mut self, now: Timestamp) {
        let day = now.millis().div_euclid(DAY);
        if day > self.day {
            *self = Self { day, ..Self::default() };
        }
    }
}
