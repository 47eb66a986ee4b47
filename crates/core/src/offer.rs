//! Offers: what is granted, what it costs, what a learner chose, and what the shop's one object keeps
//! of all of them. Whether a message goes out at all is the gate's; a withheld offer does not withhold
//! the message.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

mod budget;
mod cost;
mod grant;
mod learner;
mod ledger;
mod meter;
mod outcomes;
mod performance;
mod sampler;

pub use budget::{Budgets, MOST_LEASES};
pub(crate) use grant::grant;
pub use learner::{NO_OFFER, Open, PRIOR, choose};
pub use ledger::{Learned, Ledger, Needs, Report, Reserved, Want};
pub use meter::{Room, RunMeter};
pub use outcomes::{MOST_ARMS, Outcomes, REMEMBERED};
pub use performance::Performance;
pub use sampler::Draws;

/// How often an arm of a learner was tried in a cohort, and how often the cart was recovered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmOutcome {
    /// Name of the learner.
    pub learner: String,
    /// Cohort, empty for everyone else.
    pub cohort: String,
    /// Name of the arm.
    pub arm: String,
    /// Times it was sent.
    pub tries: u64,
    /// Times an order followed.
    pub wins: u64,
}

/// What is left of an offer's budget for the day, leased from the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Name of the offer.
    pub offer: String,
    /// Left, minor units of the shop's currency.
    pub left_minor: i64,
}

/// What was granted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// Name of the offer.
    pub offer: String,
    /// What it gives away at most on this cart, minor units of the shop's currency; absent where that
    /// is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_minor: Option<i64>,
    /// Until when it is honoured: message, landing page and link say the same. A later message of the
    /// same abandonment says what the first one said.
    #[serde(default)]
    pub valid_until: Timestamp,
    /// Until when the prices of the message are honoured, if the policy promises that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices_until: Option<Timestamp>,
    /// An earlier message of the abandonment gave it already: it costs nothing more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// The learner that chose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learner: Option<String>,
    /// The cohort it was chosen for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cohort: Option<String>,
}

/// An arm of a learner that was tried: what its outcome is counted under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tried {
    /// Name of the learner.
    pub learner: String,
    /// The cohort.
    pub cohort: String,
    /// The arm: an offer, or `none`.
    pub arm: String,
    /// It is a try of its own, to be counted: no arm was closed to this cart alone, and no earlier
    /// message of the abandonment had made the choice.
    pub counts: bool,
}

/// A choice of a learner with all it rests on: drawn again from the same outcomes under the same key
/// it is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What was chosen.
    pub tried: Tried,
    /// The outcomes that were known, of the arms that were open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<ArmOutcome>,
    /// What was drawn for each of them, worth of one try in millionths of the cart's value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub draws: Vec<u32>,
    /// It was an arm's least share that chose, not what was drawn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_share: bool,
}
