//! The likely cause of an abandonment, with the reasons for thinking so. A guess that steers words
//! and offers; it never decides whether somebody may be written to.
//!
//! The rules, asked in this order; the first that holds names the cause. What checkout said comes
//! before what the shopper did, for it is a fact and the rest is a reading of signs.
//!
//! | cause | holds when | because |
//! |---|---|---|
//! | any | the shopper was asked what stopped them, and answered | they know best |
//! | `declined_card` | the last refusal by checkout names the card or the payment | they wanted to pay and could not |
//! | `out_of_stock` | it names the stock | what they wanted is not to be had |
//! | `shipping_cost` | it names shipping that is not offered to the address | a cost or a way that cannot be accepted |
//! | `validation` | it names a field, or comes with an unknown code from any step but payment | the form stood in the way |
//! | `declined_card` | it comes with an unknown code from the payment step | most refusals there are the bank's |
//! | `shipping_cost` | the price of shipping was looked at, and free shipping was missed or it was looked at twice | looked at again is weighed |
//! | `price` | a code was refused, or things were taken out twice, or several products were looked at for each that was added | a cheaper way was looked for |
//! | `distraction` | otherwise | nothing speaks for any of the others |
//!
//! An answer or a refusal counts for a day before the last sign of life: who shopped on after that got over it.

use serde::{Deserialize, Serialize};

use crate::policy::Policy;
use crate::recovery::Recovery;
use crate::signal::CheckoutError;
use crate::time::DAY;

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
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::DeclinedCard,
        Self::OutOfStock,
        Self::ShippingCost,
        Self::Validation,
        Self::Price,
        Self::Distraction,
    ];

    /// By its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }

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

/// Codes of a declined payment: Stripe's error and decline codes, Adyen's and Shopify's words, and
/// what shops commonly pass to GA4. Compared in lower case with `_` between the words.
const DECLINED: &[&str] = &[
    "3ds_failed",
    "authentication_failed",
    "authentication_required",
    "blocked_card",
    "call_issuer",
    "card_declined",
    "card_not_supported",
    "card_velocity_exceeded",
    "declined",
    "do_not_honor",
    "expired_card",
    "fraudulent",
    "generic_decline",
    "insufficient_funds",
    "issuer_not_available",
    "lost_card",
    "payment_declined",
    "payment_failed",
    "payment_intent_authentication_failure",
    "payment_method_not_available",
    "pickup_card",
    "processing_error",
    "refused",
    "stolen_card",
    "transaction_not_allowed",
    "withdrawal_count_limit_exceeded",
];
/// Codes of missing stock.
const STOCK: &[&str] = &[
    "insufficient_inventory",
    "insufficient_stock",
    "inventory_unavailable",
    "item_unavailable",
    "merchandise_out_of_stock",
    "not_enough_in_stock",
    "not_enough_stock",
    "out_of_stock",
    "sold_out",
    "unavailable",
];
/// Codes of shipping that is not to be had.
const SHIPPING: &[&str] = &[
    "delivery_no_delivery_available",
    "no_delivery_available",
    "no_shipping_rates",
    "shipping_cost",
    "shipping_not_available",
    "shipping_unavailable",
    "undeliverable_address",
];
/// Beginnings and ends of codes that name a field.
const FIELD: &[&str] =
    &["invalid", "incorrect", "incomplete", "missing", "required", "validation", "mismatch"];

/// Products looked at for each that was added, from which on it counts as comparing.
const COMPARING: u32 = 4;

/// Why a cart was probably left.
#[must_use]
pub fn infer(recovery: &Recovery, policy: &Policy) -> Likely {
    if let Some((at, cause)) = recovery.said
        && recovery.last_activity.since(at) <= DAY
    {
        return Likely { cause, reasons: vec!["the shopper said so when asked".to_owned()] };
    }
    let recent = recovery.trouble.as_ref().filter(|(at, _)| recovery.last_activity.since(*at) <= DAY);
    recent
        .map(|(_, error)| refused(error, recovery.facts.checkout_errors))
        .or_else(|| shipping(recovery, policy))
        .or_else(|| price(recovery))
        .unwrap_or_else(|| {
            let session = &recovery.facts;
            let (stage, pages) = (session.stage.as_str(), session.pages);
            let reason = format!("nothing stands out; stage {stage}, {}", times(pages, "page"));
            Likely { cause: Cause::Distraction, reasons: vec![reason] }
        })
}

/// What checkout said. Codes are a shop's own words: they are named in the reasons only where they
/// are known here, for a page can send anything.
fn refused(error: &CheckoutError, count: u32) -> Likely {
    let code = normal(&error.code);
    let (cause, known) = of_refusal(error);
    let told = if known && code.len() <= 40 { format!("code {code}") } else { "an unknown code".to_owned() };
    let at = match normal(&error.step).as_str() {
        step @ ("payment" | "shipping" | "contact" | "review") => format!(" at {step}"),
        _ => String::new(),
    };
    let mut reasons = vec![format!("checkout refused{at} with {told}")];
    if count > 1 {
        reasons.push(format!("{} by checkout", times(count, "refusal")));
    }
    Likely { cause, reasons }
}

/// What a refusal by checkout is about, and whether its code says so. The same in the page, where it chooses
/// the help, and at the edge, where it steers messages.
#[must_use]
pub fn of_refusal(error: &CheckoutError) -> (Cause, bool) {
    let (code, step) = (error.code.as_bytes(), error.step.as_bytes());
    let is_one_of = |codes: &[&str]| codes.iter().any(|known| is_written(code, known));
    let mut words = code.split(|byte| !byte.is_ascii_alphanumeric());
    if is_one_of(DECLINED) {
        (Cause::DeclinedCard, true)
    } else if is_one_of(STOCK) {
        (Cause::OutOfStock, true)
    } else if is_one_of(SHIPPING) {
        (Cause::ShippingCost, true)
    } else if words.any(|word| FIELD.iter().any(|known| is_written(word, known))) {
        (Cause::Validation, true)
    } else if is_written(step, "payment") {
        (Cause::DeclinedCard, false)
    } else {
        (Cause::Validation, false)
    }
}

/// Whether a code is this one, in whatever case and with whatever between its words. Without making a text of it:
/// the page pays for that.
fn is_written(code: &[u8], known: &str) -> bool {
    let plain = |byte: &u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'_' };
    code.len() == known.len() && code.iter().zip(known.bytes()).all(|(byte, known)| plain(byte) == known)
}

fn shipping(recovery: &Recovery, policy: &Policy) -> Option<Likely> {
    let looked = recovery.facts.shipping_estimates;
    let gap = recovery.shipping_gap(policy).filter(|gap| *gap > 0.0);
    if looked == 0 || (looked < 2 && gap.is_none()) {
        return None;
    }
    let mut reasons = vec![format!("the price of shipping was looked at {}", times(looked, "time"))];
    if let Some(gap) = gap {
        reasons.push(format!("{gap:.2} short of free shipping"));
    }
    Some(Likely { cause: Cause::ShippingCost, reasons })
}

fn price(recovery: &Recovery) -> Option<Likely> {
    let session = &recovery.facts;
    let mut reasons = vec![];
    if session.coupons_refused > 0 {
        reasons.push(format!("{} refused", times(session.coupons_refused, "code")));
    }
    if session.removes >= 2 {
        reasons.push(format!("something was taken out {}", times(session.removes, "time")));
    }
    if session.product_views >= COMPARING * session.adds.max(1) {
        reasons.push(format!(
            "{} looked at, {} added",
            times(session.product_views, "product"),
            session.adds
        ));
    }
    (!reasons.is_empty()).then_some(Likely { cause: Cause::Price, reasons })
}

fn times(count: u32, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// `Card-Declined` and `CARD DECLINED` are `card_declined`.
fn normal(code: &str) -> String {
    code.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}
