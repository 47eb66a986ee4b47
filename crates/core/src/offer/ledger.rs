//! What the shop's one object keeps for offers and rollout, and how a send asks and reports: it
//! reserves what it may need before it is claimed, and says afterwards what became of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ArmOutcome, Budgets, Lease, NO_OFFER, Outcomes, Performance, Room, RunMeter, Tried, cost};
use crate::consent::Channel;
use crate::decision::Clearance;
use crate::effect::{Entry, Happened};
use crate::experiment;
use crate::gate::ClaimRequest;
use crate::id::SendKey;
use crate::policy::Policy;
use crate::time::Timestamp;

/// What one offer may cost one send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// Name of the offer.
    pub offer: String,
    /// What it gives away at most on the cart, minor units of the shop's currency.
    pub cost_minor: i64,
    /// Its budget for the day, in the same.
    pub budget_minor: i64,
}

/// What a send asks of the shop before it is claimed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Needs {
    /// Leases.
    #[serde(default)]
    pub wants: Vec<Want>,
    /// Learners whose outcomes it needs.
    #[serde(default)]
    pub learners: Vec<String>,
    /// The bound of the hour, if there is one.
    #[serde(default)]
    pub per_hour: Option<u32>,
    /// How often messages are followed, for the choice of a channel.
    #[serde(default)]
    pub performance: bool,
}

impl Needs {
    /// What this claim may come to need, whichever arm or offer is chosen. `None` if nothing, which
    /// spares a call: most steps carry no offer.
    #[must_use]
    pub fn of(request: &ClaimRequest, policy: &Policy) -> Option<Self> {
        let on_step = || experiment::on_step(policy, &request.sequence, &request.step.name);
        let arms = on_step().flat_map(|e| &e.arms);
        let mut choices = arms.filter_map(|arm| arm.channels.as_ref()).chain([&request.step.channels]);
        let performance = policy.channels.by_performance && choices.any(|channels| channels.len() > 1);
        let mut needs = Self { per_hour: request.per_hour(policy), performance, ..Self::default() };
        let arms = on_step().flat_map(|e| &e.arms);
        let named = arms.filter_map(|arm| arm.offer.as_deref()).chain(request.step.offer.as_deref());
        let mut names: Vec<&str> = vec![];
        for name in named {
            match policy.learner(name) {
                Some(learner) if !needs.learners.iter().any(|l| l == name) => {
                    needs.learners.push(name.to_owned());
                    names.extend(learner.arms.iter().map(String::as_str));
                }
                Some(_) => {}
                None => names.push(name),
            }
        }
        names.retain(|name| *name != NO_OFFER);
        names.sort_unstable();
        names.dedup();
        let value = cost::value_minor(request);
        for offer in names.into_iter().filter_map(|name| policy.offer(name)) {
            if let Some(budget) = offer.budget_day
                && let Some(budget_minor) = request.home.and_then(|c| c.minor_from_number(budget))
                && let Some(cost_minor) = cost::cost_minor(offer, value, request.home, &request.facts)
            {
                needs.wants.push(Want { offer: offer.name.clone(), cost_minor, budget_minor });
            }
        }
        (needs != Self::default()).then_some(needs)
    }
}

/// What the shop answers to [`Needs`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reserved {
    /// The leases.
    pub leases: Vec<Lease>,
    /// The outcomes.
    pub outcomes: Vec<ArmOutcome>,
    /// What the hour holds.
    pub room: Room,
    /// Messages sent and followed, by channel.
    #[serde(default)]
    pub performance: BTreeMap<Channel, (u64, u64)>,
}

impl Reserved {
    /// Adds all of it to a claim.
    pub fn fill(self, request: &mut ClaimRequest) {
        request.leases = self.leases;
        request.outcomes = self.outcomes;
        request.performance = self.performance;
        if let Some(activation) = &mut request.activation {
            activation.sent_this_hour = self.room.sent_this_hour;
            activation.room_at = self.room.room_at;
        }
    }
}

/// What became of a send that had reserved something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The send.
    pub key: SendKey,
    /// It went out.
    pub sent: bool,
    /// The offer that it spent, and how much.
    #[serde(default)]
    pub spent: Option<(String, i64)>,
}

/// What a shop learns of its messages, as a cart's log tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learned {
    /// What became of an arm.
    Arm {
        /// The send that it went with.
        key: SendKey,
        /// The arm.
        tried: Tried,
        /// An order followed; otherwise that it went out.
        won: bool,
    },
    /// A message went out.
    Sent {
        /// When.
        at: Timestamp,
        /// The send.
        key: SendKey,
        /// By which channel.
        channel: Channel,
    },
    /// Its link was followed.
    Followed {
        /// The send.
        key: SendKey,
    },
}

impl Learned {
    /// What an entry of a log teaches, if anything.
    #[must_use]
    pub fn from(entry: &Entry) -> Option<Self> {
        let arm =
            |key: &SendKey, tried: &Tried, won| Self::Arm { key: key.clone(), tried: tried.clone(), won };
        Some(match &entry.what {
            Happened::ArmTried { key, tried } => arm(key, tried, false),
            Happened::ArmWon { key, tried } => arm(key, tried, true),
            Happened::WentOut { key, channel } => {
                Self::Sent { at: entry.at, key: key.clone(), channel: *channel }
            }
            Happened::Clicked { key } => Self::Followed { key: key.clone() },
            _ => return None,
        })
    }
}

impl Report {
    /// The message went out as it was cleared.
    #[must_use]
    pub fn sent(clearance: &Clearance) -> Self {
        // An offer that an earlier message gave is redeemed once, so it costs once.
        let fresh = clearance.grant().filter(|g| !g.again);
        Self {
            key: clearance.key().clone(),
            sent: true,
            spent: fresh.and_then(|g| Some((g.offer.clone(), g.cost_minor?))),
        }
    }

    /// Nothing went out: all comes back.
    #[must_use]
    pub const fn refused(key: SendKey) -> Self {
        Self { key, sent: false, spent: None }
    }
}

/// All that the shop's object keeps for offers and rollout.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// Budgets of the day.
    pub budgets: Budgets,
    /// What learners have learned.
    pub outcomes: Outcomes,
    /// Messages of the hour.
    pub meter: RunMeter,
    /// How often messages are followed.
    pub performance: Performance,
}

impl Ledger {
    /// Reserves for a send. Asking again under its key reserves nothing more.
    pub fn reserve(&mut self, now: Timestamp, key: &SendKey, needs: &Needs) -> Reserved {
        Reserved {
            leases: self.budgets.lease(now, key, &needs.wants),
            outcomes: needs.learners.iter().flat_map(|l| self.outcomes.of(l)).cloned().collect(),
            performance: if needs.performance { self.performance.counts(now) } else { BTreeMap::new() },
            room: needs.per_hour.map_or_else(Room::default, |most| self.meter.take(now, key, most)),
        }
    }

    /// A send ended. Telling it twice changes nothing.
    pub fn report(&mut self, now: Timestamp, report: &Report) {
        let spent = report.spent.as_ref().map(|(offer, minor)| (offer.as_str(), *minor));
        self.budgets.settle(now, &report.key, spent);
        if report.sent {
            self.meter.sent(&report.key);
        } else {
            self.meter.give_back(&report.key);
        }
    }

    /// What carts tell of arms and messages. Telling it twice changes nothing. Whether anything changed:
    /// most messages belong to no learner and are not of the sample by which channels are measured.
    pub fn learn(&mut self, news: &[Learned]) -> bool {
        let mut changed = false;
        for new in news {
            changed |= match new {
                Learned::Arm { key, tried, won: true } => self.outcomes.recovered(key, tried),
                Learned::Arm { key, tried, won: false } => self.outcomes.sent(key, tried),
                Learned::Sent { at, key, channel } => self.performance.sent(*at, key, *channel),
                Learned::Followed { key } => self.performance.followed(key),
            };
        }
        changed
    }
}
