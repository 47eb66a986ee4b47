//! The features that every model sees, computed here and nowhere else: training and serving cannot
//! disagree. Raw counts in natural units; bending and weighing them is a model's.

use comeback_core::signal::{SessionFacts, Stage};
use comeback_core::time::{MINUTE, Millis, SECOND};

/// One input of a model. The order is part of every trained model: add at the end, never reorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Feature {
    /// Furthest stage reached: 0 browse, 1 cart, 2 checkout, 3 shipping, 4 payment.
    Stage,
    /// Pages opened.
    Pages,
    /// Products looked at.
    ProductViews,
    /// Seconds on products.
    DwellS,
    /// Times something was added.
    Adds,
    /// Times something was removed.
    Removes,
    /// Times the price of shipping was looked at.
    ShippingEstimates,
    /// Codes that the shop refused.
    CouponsRefused,
    /// Codes that worked.
    CouponsAccepted,
    /// Checkout errors.
    CheckoutErrors,
    /// Gestures of leaving.
    ExitIntents,
    /// 1 on a phone, else 0.
    Mobile,
    /// Value of the cart, major units of the shop's currency. Unknown in another currency.
    CartValue,
    /// Pieces in the cart.
    CartPieces,
    /// Minutes since the last act of shopping.
    IdleMin,
    /// 1 for someone who was here before, else 0. Unknown without consent to profiling.
    Returning,
}

/// Every feature with its name, in order.
pub const FEATURES: [(Feature, &str); 16] = [
    (Feature::Stage, "stage"),
    (Feature::Pages, "pages"),
    (Feature::ProductViews, "product_views"),
    (Feature::DwellS, "dwell_s"),
    (Feature::Adds, "adds"),
    (Feature::Removes, "removes"),
    (Feature::ShippingEstimates, "shipping_estimates"),
    (Feature::CouponsRefused, "coupons_refused"),
    (Feature::CouponsAccepted, "coupons_accepted"),
    (Feature::CheckoutErrors, "checkout_errors"),
    (Feature::ExitIntents, "exit_intents"),
    (Feature::Mobile, "mobile"),
    (Feature::CartValue, "cart_value"),
    (Feature::CartPieces, "cart_pieces"),
    (Feature::IdleMin, "idle_min"),
    (Feature::Returning, "returning"),
];

impl Feature {
    /// Its name in reasons, training data and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        FEATURES[self as usize].1
    }
}

/// What a score depends on besides the session's own counts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Context {
    /// Value of the cart in major units of the shop's currency, if it is in that currency.
    pub cart_value: Option<f64>,
    /// Pieces in the cart.
    pub cart_pieces: u32,
    /// Time since the last act of shopping; the caller read the clock.
    pub idle_ms: Millis,
    /// Whether the visitor was here before. `None` unless profiling was consented to: without that
    /// no feature of a person may enter a score.
    pub returning: Option<bool>,
}

/// The values of all features. An unknown value is NaN, which is what trees call missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Features([f64; FEATURES.len()]);

impl Features {
    /// Computes the features of a session.
    #[must_use]
    pub fn of(session: &SessionFacts, context: &Context) -> Self {
        // In the order of `Feature`.
        Self([
            match session.stage {
                Stage::Browse => 0.0,
                Stage::Cart => 1.0,
                Stage::Checkout => 2.0,
                Stage::Shipping => 3.0,
                Stage::Payment => 4.0,
            },
            f64::from(session.pages),
            f64::from(session.product_views),
            ratio(session.dwell_ms, SECOND),
            f64::from(session.adds),
            f64::from(session.removes),
            f64::from(session.shipping_estimates),
            f64::from(session.coupons_refused),
            f64::from(session.coupons_accepted),
            f64::from(session.checkout_errors),
            f64::from(session.exit_intents),
            flag(session.mobile),
            context.cart_value.unwrap_or(f64::NAN),
            f64::from(context.cart_pieces),
            ratio(context.idle_ms, MINUTE),
            context.returning.map_or(f64::NAN, flag),
        ])
    }

    /// The value of a feature; NaN is unknown.
    #[must_use]
    pub const fn get(&self, feature: Feature) -> f64 {
        self.0[feature as usize]
    }

    /// These features with one value replaced, for imported rows and what-if questions.
    #[must_use]
    pub const fn with(mut self, feature: Feature, value: f64) -> Self {
        self.0[feature as usize] = value;
        self
    }

    /// All values, in the order of [`FEATURES`].
    #[must_use]
    pub const fn values(&self) -> &[f64; FEATURES.len()] {
        &self.0
    }
}

/// A span in a larger unit; a clock that went backwards is no time at all.
fn ratio(span: Millis, unit: Millis) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "exact below 285,000 years of milliseconds")]
    let (span, unit) = (span.max(0) as f64, unit as f64);
    span / unit
}

const fn flag(on: bool) -> f64 {
    if on { 1.0 } else { 0.0 }
}
