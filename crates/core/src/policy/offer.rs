//! Offers as a policy defines them, and learned choices between them. Whether one is granted is
//! [`crate::offer`]'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Expr, is_default};
use crate::time::Millis;

/// What an offer gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferKind {
    /// Percent off, [`Offer::percent`].
    #[default]
    Percent,
    /// An amount off, [`Offer::amount`].
    Amount,
    /// Shipping is free.
    FreeShipping,
}

/// Something given to bring a cart back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// Its name, bound into the link as `ofr`.
    pub name: String,
    /// What it gives.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: OfferKind,
    /// Percent off; 0 unless that is its kind.
    pub percent: u8,
    /// Amount off, major units of the shop's currency; 0 unless that is its kind.
    #[serde(default, skip_serializing_if = "is_default")]
    pub amount: f64,
    /// How long it is honoured.
    pub valid_ms: Millis,
    /// To whom it may go.
    pub when: Option<Expr>,
    /// Share of the value that must be left after it. Where unit costs are unknown it is withheld.
    #[serde(default, skip_serializing_if = "is_default")]
    pub min_margin: Option<f64>,
    /// Product classes that it must not touch: a cart with one of them does not get it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub not_for: Vec<String>,
    /// To one person at most so often in 90 days, whatever the cart: who leaves carts for the sake of
    /// offers stops getting them. No bound if absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub per_90d: Option<u32>,
    /// What all of them may give away in a day (UTC), major units of the shop's currency. No bound if absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub budget_day: Option<f64>,
    /// It may go along with the first message of an abandonment. Otherwise it is withheld there: whoever
    /// comes back by themselves needs none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub first_message: bool,
    /// A person must have approved it for this policy version.
    #[serde(default, skip_serializing_if = "is_default")]
    pub approval: bool,
    /// The prices of the message are honoured for so long.
    #[serde(default, skip_serializing_if = "is_default")]
    pub honour_price_ms: Option<Millis>,
}

/// A choice between offers that is learned from outcomes, by Thompson sampling within guard rails.
/// Every arm is still subject to its offer's own conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learner {
    /// Its name; a step names it as its offer.
    pub name: String,
    /// Names of offers, or `none`.
    pub arms: Vec<String>,
    /// Each arm keeps at least this share of the choices, 0 to 1 over the number of arms.
    pub least_share: f64,
    /// Outcomes are kept apart by these segments; the first that matches is the cohort.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cohorts: Vec<String>,
    /// What one recovered order is worth less by each arm, share of its value. Learned rates are
    /// weighed with it: an arm that wins only by giving more away does not win.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cost: BTreeMap<String, f64>,
}
