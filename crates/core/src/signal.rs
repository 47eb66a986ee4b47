//! What a page or a platform saw a shopper do, and the running facts a score is made of.
//! Counting is here; weighing is the score's.

use serde::{Deserialize, Serialize};

use crate::cart::Change;
use crate::cause::Cause;
use crate::experiment::Exposure;
use crate::id::EventId;
use crate::money::Currency;
use crate::time::{Millis, Timestamp};

/// How far towards buying a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Looking around.
    #[default]
    Browse,
    /// Something is in the cart.
    Cart,
    /// Checkout was begun.
    Checkout,
    /// Shipping was chosen.
    Shipping,
    /// Payment details were given.
    Payment,
}

impl Stage {
    /// Its name in policies and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Browse => "browse",
            Self::Cart => "cart",
            Self::Checkout => "checkout",
            Self::Shipping => "shipping",
            Self::Payment => "payment",
        }
    }
}

/// One thing that happened, at the time its source says it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Deduplication key.
    pub id: EventId,
    /// When, by the source's clock, never later than its arrival.
    pub at: Timestamp,
    /// What.
    pub kind: SignalKind,
}

impl Signal {
    /// The signal without what only matters where looking is followed up; `None` if that was all.
    #[must_use]
    pub fn without_look(mut self) -> Option<Self> {
        match &mut self.kind {
            SignalKind::Dwelt { .. } => return None,
            SignalKind::ViewItem { item, .. } => *item = None,
            _ => {}
        }
        Some(self)
    }
}

/// The kinds of signals. GA4 names where GA4 has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// A page was opened.
    PageView,
    /// A product was looked at, for so long if it is known.
    ViewItem {
        /// What was looked at, where the page says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<Viewed>,
        /// Dwell time.
        dwell_ms: Option<Millis>,
    },
    /// A look at a product came to its end: told by the page that is left. No act of its own, and not
    /// counted: the look was.
    Dwelt {
        /// What was looked at.
        item: Viewed,
        /// How long.
        dwell_ms: Millis,
    },
    /// The cart was looked at, or changed, or both.
    Cart {
        /// Currency of the change.
        currency: Currency,
        /// What changed.
        change: Change,
    },
    /// Checkout was begun.
    BeginCheckout,
    /// Shipping was chosen.
    AddShippingInfo,
    /// Payment details were given.
    AddPaymentInfo,
    /// The price of shipping was looked at.
    ViewShippingEstimate,
    /// A discount code was tried.
    TryCoupon {
        /// Whether the shop took it.
        accepted: bool,
    },
    /// Checkout refused something.
    CheckoutError(CheckoutError),
    /// The page says an order was placed. Stops sending; is money only where the shop says so.
    Purchase {
        /// The shop's order number.
        order: String,
    },
    /// A gesture of leaving.
    ExitIntent,
    /// The page was hidden or closed.
    PageHide,
    /// The platform says that the session is over.
    SessionEnd,
    /// A panel was shown, closed or clicked. Not an act of shopping.
    Panel,
    /// The shopper was asked what stopped them, and said so.
    Said(Cause),
    /// A panel that an experiment is on came to its moment. Not an act of shopping either.
    PanelMoment(PanelMoment),
}

/// The moment of a panel that an experiment is on, as the page tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanelMoment {
    /// Kind of the panel.
    pub panel: String,
    /// Experiment and arm.
    pub exposure: Exposure,
    /// It was not shown: its arm shows nothing.
    #[serde(default)]
    pub withheld: bool,
}

/// A product that was looked at: what a browse message shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewed {
    /// GA4 `item_id`.
    pub item_id: String,
    /// GA4 `item_variant`, if the shop has variants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_variant: Option<String>,
    /// Product class, from the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// What checkout refused: the input of on-page help and of the likely cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutError {
    /// Where: `payment`, `shipping`, `contact`…
    pub step: String,
    /// What: `card_declined`, `out_of_stock`…
    pub code: String,
    /// Payment or shipping method, if any.
    pub method: String,
}

impl SignalKind {
    /// Whether the shopper was there and doing something. A closing page and our own panels are
    /// not signs of life: they must not put an abandonment off.
    #[must_use]
    pub fn is_activity(&self) -> bool {
        !matches!(
            self,
            Self::PageHide
                | Self::Panel
                | Self::PanelMoment(_)
                | Self::Said(_)
                | Self::ExitIntent
                | Self::SessionEnd
                | Self::Dwelt { .. }
        )
    }

    /// The stage this signal proves.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Cart { .. } => Stage::Cart,
            Self::BeginCheckout | Self::CheckoutError(_) => Stage::Checkout,
            Self::AddShippingInfo => Stage::Shipping,
            Self::AddPaymentInfo => Stage::Payment,
            _ => Stage::Browse,
        }
    }
}

/// What one session did, counted. Counts are sums and maxima, so order does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionFacts {
    /// Furthest stage.
    pub stage: Stage,
    /// Pages opened.
    pub pages: u32,
    /// Products looked at.
    pub product_views: u32,
    /// Time on products.
    pub dwell_ms: Millis,
    /// Times something was added.
    pub adds: u32,
    /// Times something was removed.
    pub removes: u32,
    /// Times the price of shipping was looked at.
    pub shipping_estimates: u32,
    /// Codes tried that the shop refused.
    pub coupons_refused: u32,
    /// Codes that worked.
    pub coupons_accepted: u32,
    /// Checkout errors.
    pub checkout_errors: u32,
    /// Gestures of leaving.
    pub exit_intents: u32,
    /// On a phone.
    pub mobile: bool,
}

impl SessionFacts {
    /// Counts a signal in. The caller has made sure it is new.
    pub fn observe(&mut self, kind: &SignalKind) {
        /// A tab left open overnight is not six hours of interest.
        const DWELL_CAP: Millis = 10 * crate::time::MINUTE;
        self.stage = self.stage.max(kind.stage());
        match kind {
            SignalKind::PageView => self.pages = self.pages.saturating_add(1),
            SignalKind::ViewItem { dwell_ms, .. } => {
                self.product_views = self.product_views.saturating_add(1);
                self.dwell_ms = self.dwell_ms.saturating_add(dwell_ms.unwrap_or(0).clamp(0, DWELL_CAP));
            }
            SignalKind::Cart { change: Change::Add(_), .. } => self.adds = self.adds.saturating_add(1),
            SignalKind::Cart { change: Change::Remove(_), .. } => {
                self.removes = self.removes.saturating_add(1);
            }
            SignalKind::ViewShippingEstimate => {
                self.shipping_estimates = self.shipping_estimates.saturating_add(1);
            }
            SignalKind::TryCoupon { accepted: true } => {
                self.coupons_accepted = self.coupons_accepted.saturating_add(1);
            }
            SignalKind::TryCoupon { accepted: false } => {
                self.coupons_refused = self.coupons_refused.saturating_add(1);
            }
            SignalKind::CheckoutError(_) => {
                self.checkout_errors = self.checkout_errors.saturating_add(1);
            }
            SignalKind::ExitIntent => self.exit_intents = self.exit_intents.saturating_add(1),
            _ => {}
        }
    }
}
