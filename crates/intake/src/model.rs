//! The one model that every platform is normalised to. Money in minor units, times as instants,
//! addresses in the one form in which they are compared. Holds personal data: not for logs.

use comeback_core::cart::Line;
use comeback_core::money::Currency;
use comeback_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What a webhook said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A checkout as it stands now.
    Checkout(Checkout),
    /// An order as it stands now.
    Order(Order),
}

/// A checkout that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    /// The platform's cart, if it names one; also what the storefront's cart API calls it.
    pub cart_token: Option<String>,
    /// The platform's id of the checkout.
    pub checkout_id: String,
    /// The platform's token of the checkout, which orders refer to.
    pub checkout_token: Option<String>,
    /// Lower-cased address, if one was given that is one.
    pub email: Option<String>,
    /// E.164, if a number was given with its country.
    pub phone: Option<String>,
    /// Where it goes, in the one form in which postal addresses are compared ([`postal`]).
    #[serde(default)]
    pub postal: Option<String>,
    /// Currency of all amounts.
    pub currency: Currency,
    /// At most [`comeback_core::cart::MAX_LINES`], signed.
    pub lines: Vec<Line>,
    /// Total with shipping, tax and discounts, as the platform said.
    pub total_minor: i64,
    /// Whether the box for marketing email is ticked. `false` is no opt-out: most never saw it.
    pub buyer_accepts_marketing: bool,
    /// Whether text messages were agreed to; `None` where the platform does not say.
    pub sms_marketing: Option<bool>,
    /// When it became an order.
    pub completed_at: Option<Timestamp>,
    /// When this state came about, by the platform's clock; never after it was received.
    pub at: Timestamp,
    /// BCP 47 tag of the shopper.
    pub locale: Option<String>,
    /// The platform's own link back to this checkout.
    pub recovery_url: Option<String>,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The platform's id.
    pub order_id: String,
    /// The cart it was made from.
    pub cart_token: Option<String>,
    /// The checkout it was made from, by id.
    pub checkout_id: Option<String>,
    /// The checkout it was made from, by token.
    pub checkout_token: Option<String>,
    /// Lower-cased address, if one was given that is one.
    pub email: Option<String>,
    /// E.164, if a number was given with its country.
    pub phone: Option<String>,
    /// Where it goes, in the one form in which postal addresses are compared ([`postal`]).
    #[serde(default)]
    pub postal: Option<String>,
    /// Currency of all amounts.
    pub currency: Currency,
    /// Total with shipping, tax and discounts.
    pub total_minor: i64,
    /// Where it stands.
    pub status: OrderStatus,
    /// When this state came about, by the platform's clock; never after it was received.
    pub at: Timestamp,
    /// What was bought, as far as it can be read: an unreadable line must not keep an order from
    /// stopping the reminders.
    pub lines: Vec<Line>,
}

/// Where an order stands. Each of them stops sending; only `Paid` is a recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Placed, perhaps authorised, not paid in full.
    Pending,
    /// Paid in full, possibly refunded in part since.
    Paid,
    /// Called off, or the authorisation was.
    Cancelled,
    /// Paid back in full.
    Refunded,
}

/// A postal address in one form: country, postal code (or else the city) and street with house
/// number, letters and digits only, in lower case. The name on the door is left out: what is compared
/// is the place. `None` unless all three are there.
#[must_use]
pub fn postal(country: &str, code: &str, city: &str, street: [&str; 2]) -> Option<String> {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(MAX_PART).collect()
    };
    let place = if plain(code).is_empty() { plain(city) } else { plain(code) };
    let parts = [plain(country), place, plain(&street.concat())];
    parts.iter().all(|p| !p.is_empty()).then(|| parts.join(" "))
}

/// Longest part of a postal address that is compared.
const MAX_PART: usize = 200;
