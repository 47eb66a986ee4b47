//! Whether an offer goes along with a step, and which. A withheld offer does not withhold the message.

use serde::{Deserialize, Serialize};

use crate::decision::Check;
use crate::gate::ClaimRequest;
use crate::person::Person;
use crate::policy::{Policy, Step};
use crate::time::Timestamp;

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Name of the offer.
    pub offer: String,
    /// What it gives away at most on this cart, minor units of the shop's currency.
    pub cost_minor: i64,
    /// The learner that chose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learner: Option<String>,
    /// The cohort it was chosen for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cohort: Option<String>,
}

/// The offer that goes along with a step, if any; what was checked is noted.
pub(crate) fn grant(
    now: Timestamp,
    person: &Person,
    step: &Step,
    request: &ClaimRequest,
    policy: &Policy,
    checks: &mut Vec<Check>,
) -> Option<Grant> {
    let name = step.offer.as_deref()?;
    let facts = person.facts(now, &request.facts);
    let (passed, found) = match policy.offer(name) {
        None => (false, "not in this policy".to_owned()),
        Some(_) if !request.offers.iter().any(|o| o == name) => {
            (false, format!("{name}: the shop honours no such code now"))
        }
        Some(offer) => match &offer.when {
            Some(when) if !policy.holds(when, &facts) => {
                (false, format!("{name}: its condition does not hold"))
            }
            _ => (true, format!("{name} granted")),
        },
    };
    checks.push(Check { rule: "offer".to_owned(), found, passed });
    passed.then(|| Grant { offer: name.to_owned(), cost_minor: 0, learner: None, cohort: None })
}
