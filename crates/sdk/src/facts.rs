//! What the session did so far, counted by the core, and what is in its cart, summed in minor units. Knows neither
//! items nor where events come from.

use comeback_core::cart::Change;
use comeback_core::money::Currency;
use comeback_core::signal::{CheckoutError, SessionFacts, SignalKind, Stage};
use comeback_score::{Baseline, Context, Features, Model, Score};

use crate::number::{count, whole};

/// Counts that one page of a visit hands to the next, in this order.
pub(crate) const COUNTS: usize = 11;

/// A session and its cart.
pub(crate) struct Facts {
    pub(crate) session: SessionFacts,
    /// The shop's.
    pub(crate) currency: Currency,
    /// What is in the cart, minor units of its currency; `None` if nothing.
    pub(crate) cart_minor: Option<i64>,
    /// The cart is in the shop's currency.
    pub(crate) comparable: bool,
    pub(crate) pieces: u32,
    /// Value from which shipping is free, minor units of the shop's currency.
    pub(crate) free_from_minor: Option<i64>,
    /// When the shopper last did something.
    pub(crate) active_at: f64,
    /// The visitor was here before; `None` where that may not be known.
    pub(crate) returning: Option<bool>,
}

impl Facts {
    /// Counts an event by its GA4 name. `detail` is its dwell time in milliseconds, or whether a code was taken.
    pub(crate) fn observe(&mut self, at: f64, name: &str, detail: f64) {
        let cart = |change| SignalKind::Cart { currency: self.currency, change };
        let kind = match name {
            "page_view" => SignalKind::PageView,
            "view_item" => SignalKind::ViewItem { item: None, dwell_ms: Some(whole(detail)) },
            "view_cart" | "cart_set" => cart(Change::Set(Vec::new())),
            "add_to_cart" => cart(Change::Add(Vec::new())),
            "remove_from_cart" => cart(Change::Remove(Vec::new())),
            "begin_checkout" => SignalKind::BeginCheckout,
            "add_shipping_info" => SignalKind::AddShippingInfo,
            "add_payment_info" => SignalKind::AddPaymentInfo,
            "view_shipping_estimate" => SignalKind::ViewShippingEstimate,
            "try_coupon" => SignalKind::TryCoupon { accepted: detail > 0.0 },
            "checkout_error" => SignalKind::CheckoutError(CheckoutError {
                step: String::new(),
                code: String::new(),
                method: String::new(),
            }),
            "purchase" => SignalKind::Purchase { order: String::new() },
            "exit_intent" => SignalKind::ExitIntent,
            _ => SignalKind::Panel,
        };
        self.session.observe(&kind);
        if kind.is_activity() {
            self.active_at = self.active_at.max(at);
        }
    }

    /// What is in the cart: of each line the price of one, in major units, and how many.
    pub(crate) fn fill(&mut self, currency: &str, priced: &[f64]) {
        let currency = Currency::parse(currency).unwrap_or(self.currency);
        let (mut minor, mut pieces) = (0_i64, 0_u32);
        for line in priced.chunks_exact(2) {
            let [price, quantity] = line else { continue };
            let one = currency.minor_from_number(*price).unwrap_or(0);
            minor = minor.saturating_add(one.saturating_mul(whole(*quantity)));
            pieces = pieces.saturating_add(count(*quantity));
        }
        self.comparable = currency == self.currency;
        self.cart_minor = (pieces > 0).then_some(minor);
        self.pieces = pieces;
    }

    /// What is missing to free shipping, in minor units of the shop's currency.
    pub(crate) fn shipping_gap_minor(&self) -> Option<i64> {
        let (from, cart) = (self.free_from_minor?, self.cart_minor?);
        (self.comparable && cart < from).then_some(from - cart)
    }

    /// The score at `now`, by the same code as at the edge.
    pub(crate) fn score(&self, now: f64) -> Score {
        let value = self.cart_minor.filter(|_| self.comparable).unwrap_or(0);
        let context = Context {
            cart_value: self.comparable.then(|| major(value, self.currency)),
            cart_pieces: self.pieces,
            idle_ms: whole(now - self.active_at),
            returning: self.returning,
        };
        Baseline.predict(&Features::of(&self.session, &context))
    }

    /// The counts, as `recall` takes them.
    pub(crate) fn counts(&self) -> [f64; COUNTS] {
        let f = &self.session;
        let stage = f64::from(f.stage as u8);
        #[expect(clippy::cast_precision_loss, reason = "minutes in milliseconds")]
        let dwell_ms = f.dwell_ms as f64;
        let [a, b, c, d, e, g, h, i, j] = [
            f.pages,
            f.product_views,
            f.adds,
            f.removes,
            f.shipping_estimates,
            f.coupons_refused,
            f.coupons_accepted,
            f.checkout_errors,
            f.exit_intents,
        ]
        .map(f64::from);
        [stage, dwell_ms, a, b, c, d, e, g, h, i, j]
    }

    /// Adds what an earlier page of this visit counted.
    pub(crate) fn recall(&mut self, counts: &[f64]) {
        let f = &mut self.session;
        let [stage, dwell_ms, counts @ ..] = counts else { return };
        let stages = [Stage::Browse, Stage::Cart, Stage::Checkout, Stage::Shipping, Stage::Payment];
        f.stage = f.stage.max(stages.get(count(*stage) as usize).copied().unwrap_or_default());
        f.dwell_ms = f.dwell_ms.saturating_add(whole(*dwell_ms));
        let to = [
            &mut f.pages,
            &mut f.product_views,
            &mut f.adds,
            &mut f.removes,
            &mut f.shipping_estimates,
            &mut f.coupons_refused,
            &mut f.coupons_accepted,
            &mut f.checkout_errors,
            &mut f.exit_intents,
        ];
        for (to, more) in to.into_iter().zip(counts) {
            *to = to.saturating_add(count(*more));
        }
    }
}

/// Minor units as GA4's decimal number.
#[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53 minor units")]
fn major(minor: i64, currency: Currency) -> f64 {
    let factor = match currency.exponent() {
        0 => 1.0,
        3 => 1_000.0,
        _ => 100.0,
    };
    minor as f64 / factor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            session: SessionFacts::default(),
            currency: Currency::parse("EUR").unwrap(),
            cart_minor: None,
            comparable: true,
            pieces: 0,
            free_from_minor: Some(7_500),
            active_at: 0.0,
            returning: None,
        }
    }

    #[test]
    fn what_one_page_counted_is_added_to_by_the_next() {
        let mut first = facts();
        for name in
            ["page_view", "view_item", "add_to_cart", "add_to_cart", "remove_from_cart", "exit_intent"]
        {
            first.observe(1.0, name, 4_000.0);
        }
        first.observe(2.0, "try_coupon", 0.0);
        first.observe(2.0, "try_coupon", 1.0);
        let mut next = facts();
        next.observe(3.0, "page_view", f64::NAN);
        next.recall(&first.counts());
        assert_eq!(next.session, SessionFacts { pages: 2, ..first.session.clone() });
        next.recall(&[]);
        next.recall(&[f64::NAN; 30]);
        assert_eq!(next.session.adds, 2, "what is no count adds nothing");
    }

    #[test]
    fn a_cart_is_summed_exactly_and_compared_in_the_shops_currency_only() {
        let mut facts = facts();
        assert_eq!((facts.cart_minor, facts.shipping_gap_minor()), (None, None));
        facts.fill("EUR", &[19.99, 3.0, f64::NAN, 1.0]);
        assert_eq!(
            (facts.cart_minor, facts.pieces, facts.shipping_gap_minor()),
            (Some(5_997), 4, Some(1_503))
        );
        facts.fill("JPY", &[1_200.0, 2.0]);
        assert_eq!((facts.cart_minor, facts.shipping_gap_minor()), (Some(2_400), None));
        facts.fill("no currency", &[80.0, 1.0]);
        assert_eq!((facts.cart_minor, facts.shipping_gap_minor()), (Some(8_000), None), "free already");
    }

    #[test]
    fn only_what_the_shopper_does_is_a_sign_of_life() {
        let mut facts = facts();
        facts.observe(5.0, "view_item", f64::NAN);
        for name in ["page_hide", "exit_intent", "panel_shown", "survey_answer"] {
            facts.observe(9.0, name, f64::NAN);
        }
        assert!((facts.active_at - 5.0).abs() < f64::EPSILON);
    }
}
