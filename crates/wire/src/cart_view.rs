//! A cart as its shopper's browser or app sees it, and the report of what changed since.

use comeback_core::cart::{Cart, Line};
use comeback_core::id::CartId;
use serde::{Deserialize, Serialize};

/// `GET /v1/cart` and the cart of `GET /v1/restore/{token}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CartView {
    /// The cart's id.
    pub id: CartId,
    /// Counts up with every change; the `ETag`.
    pub version: u64,
    /// ISO 4217.
    pub currency: String,
    /// Decimal places of its minor unit. Browsers have no table of their own that is ISO's: theirs says of
    /// forints and dinars what is usual in shops.
    #[serde(default = "hundredths")]
    pub exponent: u32,
    /// The lines.
    pub lines: Vec<LineView>,
    /// Sum in minor units.
    pub total_minor: i64,
    /// An order ended it; a new cart should begin.
    pub closed: bool,
}

/// What a view of a build before had.
const fn hundredths() -> u32 {
    2
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineView {
    /// GA4 `item_id`.
    pub item_id: String,
    /// GA4 `item_variant`.
    pub item_variant: Option<String>,
    /// Name.
    pub title: String,
    /// How many.
    pub quantity: u32,
    /// Price of one in minor units.
    pub unit_price_minor: i64,
    /// Picture.
    pub image_url: Option<String>,
    /// Product page.
    pub item_url: Option<String>,
}

impl From<&Line> for LineView {
    fn from(line: &Line) -> Self {
        Self {
            item_id: line.item_id.clone(),
            item_variant: line.item_variant.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
            unit_price_minor: line.unit_price_minor,
            image_url: line.image_url.clone(),
            item_url: line.item_url.clone(),
        }
    }
}

impl CartView {
    /// The view of a cart.
    #[must_use]
    pub fn of(id: &CartId, cart: &Cart, closed: bool) -> Self {
        Self {
            id: id.clone(),
            version: cart.version,
            currency: cart.currency.code().to_owned(),
            exponent: cart.currency.exponent(),
            lines: cart.lines().iter().map(LineView::from).collect(),
            total_minor: cart.total().minor,
            closed,
        }
    }

    /// Sums the lines again after they were changed.
    pub fn retotal(&mut self) {
        self.total_minor = self.lines.iter().fold(0_i64, |sum, l| {
            sum.saturating_add(l.unit_price_minor.saturating_mul(i64::from(l.quantity)))
        });
    }
}

/// Something that is no longer as it was when the cart was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Difference {
    /// The price is another now.
    PriceChanged {
        /// Which item.
        item_id: String,
        /// Which variant.
        item_variant: Option<String>,
        /// Its name.
        title: String,
        /// Then, minor units.
        was_minor: i64,
        /// Now, minor units.
        now_minor: i64,
    },
    /// Not in stock now.
    SoldOut {
        /// Which item.
        item_id: String,
        /// Which variant.
        item_variant: Option<String>,
        /// Its name.
        title: String,
    },
    /// Not in the catalogue any more.
    Unavailable {
        /// Which item.
        item_id: String,
        /// Which variant.
        item_variant: Option<String>,
    },
    /// The offer that the link carried is over.
    OfferEnded {
        /// Its name.
        offer: String,
    },
    /// Not a loss: the shop promised to honour the prices of the cart as it was left, and still does.
    PricesHeld {
        /// Until when, milliseconds since the epoch.
        until_ms: i64,
    },
}
