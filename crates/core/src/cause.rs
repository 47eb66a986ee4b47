//! The likely cause of an abandonment, with the reasons for thinking so. A guess that steers words
//! and offers; it never decides whether somebody may be written to.

use serde::{Deserialize, Serialize};

/// Why a cart was probably left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The card was declined.
    DeclinedCard,
    /// Something was sold out.
    OutOfStock,
    /// Shipping cost more than was thought.
    ShippingCost,
    /// The form would not take an entry.
    Validation,
    /// The price.
    Price,
    /// Nothing speaks for any of the others.
    Distraction,
}

impl Cause {
    /// Its name in policies and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeclinedCard => "declined_card",
            Self::OutOfStock => "out_of_stock",
            Self::ShippingCost => "shipping_cost",
            Self::Validation => "validation",
            Self::Price => "price",
            Self::Distraction => "distraction",
        }
    }
}

/// A cause and what speaks for it, in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Likely {
    /// The cause.
    pub cause: Cause,
    /// What speaks for it, the strongest first.
    pub reasons: Vec<String>,
}
