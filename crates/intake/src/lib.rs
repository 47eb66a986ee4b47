//! Platform webhooks: the signature is checked, the body parsed, and what it says normalised to one
//! operational model of checkouts and orders. One module per platform.
//!
//! The way through is fixed by types: raw bytes, then a `Verified` body that only a right signature
//! makes, then an [`Operation`]. Deliberately not here: what an operation means for a cart or a
//! person (the core), deduplication by delivery id, storing, answering the platform.
//!
//! Invariant: the signature covers the body alone. Headers (topic, trigger time) come from whoever
//! sent the request, so a body is checked to be of its topic, and no time is taken from the future.

mod error;
mod json;
pub mod model;
pub mod shopify;

pub use error::IntakeError;
pub use model::{Checkout, Operation, Order, OrderStatus};

/// Largest body that is looked at. Shopify's orders of a hundred lines have some 300 KB.
pub const MAX_BODY: usize = 1 << 20;
