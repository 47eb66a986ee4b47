//! What an offer gives away on a cart, in whole minor units. Rounded up, because a budget that is kept
//! only to the nearest cent is not kept.

use crate::gate::ClaimRequest;
use crate::money::Currency;
use crate::policy::{Facts, Field, Offer, OfferKind};

/// Parts of a share that are told apart: policies have six digits after the point.
const MILLION: i128 = 1_000_000;

/// The cart's value in minor units of the shop's currency, if it is known.
#[must_use]
pub(crate) fn value_minor(request: &ClaimRequest) -> Option<i64> {
    let told = || request.home?.minor_from_number(request.facts.number(Field::CartValue)?);
    request.value_minor.or_else(told).filter(|v| *v >= 0)
}

/// What an offer gives away at most. Free shipping is worth what the cart lacks of having it anyway.
/// `None` where value, currency or the shop's threshold are unknown.
#[must_use]
pub(crate) fn cost_minor(
    offer: &Offer,
    value: Option<i64>,
    currency: Option<Currency>,
    facts: &Facts,
) -> Option<i64> {
    match offer.kind {
        OfferKind::Percent => {
            let given = i128::from(value?) * i128::from(offer.percent);
            i64::try_from((given + 99) / 100).ok()
        }
        OfferKind::Amount => Some(currency?.minor_from_number(offer.amount)?.min(value?)),
        OfferKind::FreeShipping => currency?.minor_from_number(facts.number(Field::CartShippingGap)?),
    }
}

/// Whether at least this share of the value is left after the offer, given the margin before it.
/// Compared as whole millionths: 0.35 less a tenth is 0.25, not a hair below it.
#[must_use]
pub(crate) fn leaves(offer: &Offer, margin: f64, least: f64, value: i64, cost: i64) -> Option<bool> {
    let (margin, least, value) = (millionths(margin)?, millionths(least)?, i128::from(value));
    let given = match offer.kind {
        // The share itself: a cent of rounding up is no matter of margin.
        OfferKind::Percent => value * i128::from(offer.percent) * (MILLION / 100),
        OfferKind::Amount | OfferKind::FreeShipping => i128::from(cost) * MILLION,
    };
    Some(margin * value - given >= least * value)
}

/// A share as whole millionths, to the nearest.
fn millionths(share: f64) -> Option<i128> {
    if !share.is_finite() || share.abs() > 1e6 {
        return None;
    }
    let scaled = share * 1e6;
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    Some(if scaled < 0.0 { (scaled - 0.5) as i128 } else { (scaled + 0.5) as i128 })
}
