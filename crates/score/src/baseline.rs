//! `baseline-1`: a logistic model set by hand, so that a shop has a sensible score on its first day
//! and every trained model has something to beat. It learns nothing, and no weight is a measurement
//! of any one shop: each is a judgment whose reason stands beside it.
//!
//! Effects are on the log odds: +0.7 doubles the odds of buying, -0.7 halves them. Counts are capped,
//! because the fifth exit gesture says little that the third did not.

use crate::feature::{FEATURES, Feature, Features};
use crate::model::{Model, Score, additive};

/// Log odds of a session that has filled a cart and done nothing else: odds of 3 to 7. About seven
/// in ten carts are abandoned (Baymard Institute's mean over some fifty studies is 70 %).
const BASE: f64 = -0.847;

/// Added by the furthest stage: browse, cart, checkout, shipping, payment. They put the probability
/// at about 3 % (the usual conversion of all visits), 30 %, 45 %, 60 % and 75 %: each step of checkout
/// is work that people mostly do when they mean to buy. Rising, so that going on never lowers a score.
const STAGE: [f64; 5] = [-2.63, 0.0, 0.65, 1.25, 1.95];

/// Per minute spent on products, at most five: reading is interest, but a tab left open is not.
const DWELL_PER_MIN: f64 = 0.10;
const DWELL_MAX_MIN: f64 = 5.0;

/// Per product looked at, at most six: looking is interest, but comparing many is not yet choosing,
/// so the weight is small.
const PRODUCT_VIEW: f64 = 0.04;
const PRODUCT_VIEWS_MAX: f64 = 6.0;

/// Per look at the price of shipping, at most two: extra costs are the reason for leaving that
/// shoppers name most often (Baymard), and a second look is doubt about them.
const SHIPPING_ESTIMATE: f64 = -0.25;
const SHIPPING_ESTIMATES_MAX: f64 = 2.0;

/// Per refused code, at most two: someone told that a discount exists and does not apply goes
/// looking for one elsewhere.
const COUPON_REFUSED: f64 = -0.35;
const COUPONS_REFUSED_MAX: f64 = 2.0;

/// Once, for a code that worked: the price is now better than it will be.
const COUPON_ACCEPTED: f64 = 0.40;

/// Per checkout error, at most three: a refused card or a sold-out size stops people who wanted to
/// buy, the strongest single sign there is. Outweighs the step from cart to checkout (0.65), so that
/// an error that is itself the first proof of a checkout still lowers the score of a cart.
const CHECKOUT_ERROR: f64 = -0.80;
const CHECKOUT_ERRORS_MAX: f64 = 3.0;

/// Per gesture of leaving, at most three: a gesture is often only a look at another tab.
const EXIT_INTENT: f64 = -0.30;
const EXIT_INTENTS_MAX: f64 = 3.0;

/// Per removal, at most three: taking something out is second thoughts, or tidying up.
const REMOVE: f64 = -0.25;
const REMOVES_MAX: f64 = 3.0;

/// On a phone: visits there end in a purchase about half as often as on a desk, and part of that
/// difference is already in the stage.
const MOBILE: f64 = -0.35;

/// For someone who was here before, where that may be known: people come back to buy.
const RETURNING: f64 = 0.35;

/// Per minute without an act of shopping, at most thirty: attention fades, and after half an hour it
/// is gone.
const IDLE_PER_MIN: f64 = -0.06;
const IDLE_MAX_MIN: f64 = 30.0;

/// What each feature adds per unit, and how many units count. A table and a loop, because every page pays for lines.
const WEIGHTS: [(Feature, f64, f64); 11] = [
    (Feature::ProductViews, PRODUCT_VIEW, PRODUCT_VIEWS_MAX),
    (Feature::DwellS, DWELL_PER_MIN / 60.0, DWELL_MAX_MIN * 60.0),
    (Feature::Removes, REMOVE, REMOVES_MAX),
    (Feature::ShippingEstimates, SHIPPING_ESTIMATE, SHIPPING_ESTIMATES_MAX),
    (Feature::CouponsRefused, COUPON_REFUSED, COUPONS_REFUSED_MAX),
    (Feature::CouponsAccepted, COUPON_ACCEPTED, 1.0),
    (Feature::CheckoutErrors, CHECKOUT_ERROR, CHECKOUT_ERRORS_MAX),
    (Feature::ExitIntents, EXIT_INTENT, EXIT_INTENTS_MAX),
    (Feature::Mobile, MOBILE, 1.0),
    (Feature::IdleMin, IDLE_PER_MIN, IDLE_MAX_MIN),
    (Feature::Returning, RETURNING, 1.0),
];

/// The hand-set model. The value of the cart and its pieces carry no weight: what is much differs
/// from shop to shop and only outcomes can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Baseline;

impl Baseline {
    /// Name and version. New weights are a new version.
    pub const NAME: &'static str = "baseline-1";
}

impl Model for Baseline {
    fn predict(&self, features: &Features) -> Score {
        let mut effects = [0.0; FEATURES.len()];
        for (feature, weight, most) in WEIGHTS {
            effects[feature as usize] = capped(features.get(feature), most) * weight;
        }
        effects[Feature::Stage as usize] = stage_effect(features.get(Feature::Stage));
        additive(Self::NAME, BASE, &effects)
    }
}

/// An unknown stage is the base's own, a cart.
fn stage_effect(stage: f64) -> f64 {
    let [browse, cart, checkout, shipping, payment] = STAGE;
    match stage {
        s if s.is_nan() => cart,
        s if s < 1.0 => browse,
        s if s < 2.0 => cart,
        s if s < 3.0 => checkout,
        s if s < 4.0 => shipping,
        _ => payment,
    }
}

/// Within 0 and `most`; an unknown value has no effect.
fn capped(value: f64, most: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, most) }
}
