//! What travels on the queues. A job says only what cannot change; the rest is asked when it runs.

use comeback_core::effect::Entry;
use comeback_core::id::{CartId, ShopId};
use comeback_core::recovery::Phase;
use comeback_core::time::Timestamp;
use serde::{Deserialize, Serialize};

pub use comeback_core::effect::SendJob;

/// A stretch of one cart's log on its way to the ledger. Delivered at least once: rows are keyed
/// by cart and number, so that a second delivery changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerJob {
    /// The shop.
    pub shop: ShopId,
    /// The cart.
    pub cart: CartId,
    /// The state after the last entry.
    pub phase: Phase,
    /// When the cart next has something to do; what the sweep compares with the clock.
    pub due: Option<Timestamp>,
    /// Entries with their numbers in the cart's log.
    pub entries: Vec<Numbered>,
}

/// A log entry with its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Numbered {
    /// Counts up from 1 within the cart.
    pub seq: u64,
    /// The entry.
    pub entry: Entry,
}
