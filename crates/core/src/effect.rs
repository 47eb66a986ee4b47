//! Every way out of a cart's state machine. A shell is one `match` over this enum.

use serde::{Deserialize, Serialize};

use crate::decision::{Decision, DecisionRecord};
use crate::id::{CartId, PersonId, SendKey, ShopId};
use crate::recovery::Phase;
use crate::time::Timestamp;

/// What the shell must do after it has stored the state.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Put this job on the `sends` queue. If that fails nothing is lost: the send stays pending
    /// in the cart and is offered again when its lease is over.
    OfferSend(SendJob),
    /// Append to the cart's log, from where it goes to the ledger.
    Record(Entry),
    /// Delete everything about this cart.
    Forget,
}

/// One planned contact that came due. Says nothing that could have changed by the time it is
/// claimed: the consumer asks cart and person again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendJob {
    /// The key of the send, the same however often it is offered.
    pub key: SendKey,
    /// The shop.
    pub shop: ShopId,
    /// The cart that waits for the outcome.
    pub cart: CartId,
}

/// A line of a cart's log: pseudonymous, without addresses, codes or tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happened,
}

/// What can happen to a cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Happened {
    /// The cart was born.
    Born,
    /// The state changed.
    Moved {
        /// From this state.
        from: Phase,
        /// To this state.
        to: Phase,
        /// Because of this.
        because: String,
    },
    /// A person was found behind the cart.
    Linked {
        /// Who.
        person: PersonId,
    },
    /// A step came due and was offered to the queue.
    Offered {
        /// The send.
        key: SendKey,
        /// The step's name.
        step: String,
        /// 1 for the first offer.
        attempt: u32,
    },
    /// A send was decided on.
    Decided {
        /// The whole record, without the address.
        record: Box<DecisionSummary>,
    },
    /// A send ended.
    Settled {
        /// The send.
        key: SendKey,
        /// How.
        outcome: String,
    },
    /// The shopper followed a link.
    Clicked {
        /// From this send.
        key: SendKey,
    },
    /// An order was seen.
    Ordered {
        /// Whether it is paid.
        paid: bool,
    },
}

/// A decision record as it is logged: everything but the address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionSummary {
    /// The send.
    pub key: SendKey,
    /// `send`, `defer` or `skip`.
    pub verdict: String,
    /// In plain words: why.
    pub why: String,
    /// Policy version.
    pub policy: String,
    /// Model version.
    pub model: Option<String>,
    /// The gate's checks in order.
    pub checks: Vec<crate::decision::Check>,
    /// The consent it rested on.
    pub consent: Option<crate::consent::Consent>,
    /// The events it rested on.
    pub events: Vec<crate::id::EventId>,
}

impl From<&DecisionRecord> for DecisionSummary {
    fn from(record: &DecisionRecord) -> Self {
        let (verdict, why) = match &record.decision {
            Decision::Send(c) => ("send", format!("all checks passed; by {}", c.channel())),
            Decision::Defer { until, why } => {
                ("defer", format!("{why}; asked again at {}", until.to_rfc3339()))
            }
            Decision::Skip { why } => ("skip", why.to_string()),
        };
        Self {
            key: record.key.clone(),
            verdict: verdict.to_owned(),
            why,
            policy: record.policy.clone(),
            model: record.model.clone(),
            checks: record.checks.clone(),
            consent: record.consent.clone(),
            events: record.events.clone(),
        }
    }
}
