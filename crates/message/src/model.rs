//! What a message is made of. Money, dates and links arrive as finished text; nothing here formats,
//! signs or translates. Fields may hold anything: they are cleaned when rendered, not when set.

use serde::{Deserialize, Serialize};

/// Everything a template may say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageModel {
    /// The shop as its customers know it. Needed.
    pub shop_name: String,
    /// The shop's front page; its host is also the right side of the `Message-ID`. Needed.
    pub home_url: String,
    /// Where a question goes by mail. Dropped when it is not a plain address.
    #[serde(default)]
    pub support_email: Option<String>,
    /// Where a question goes on the web. Dropped when it is not an https address.
    #[serde(default)]
    pub support_url: Option<String>,
    /// The postal address that CAN-SPAM and others ask for, on one line.
    #[serde(default)]
    pub postal_address: Option<String>,
    /// BCP 47 tag of the recipient. Only English ships, so it chooses nothing yet: `lang` in the
    /// HTML names the language the text really has.
    pub locale: String,
    /// The cart. Lines of quantity 0 are left out; at least one must remain. Only lines whose
    /// title, price and picture come from the catalogue or a signed source belong here.
    pub lines: Vec<ModelLine>,
    /// Total of the whole cart, formatted. Needed.
    pub total: String,
    /// The signed link that brings the cart back. Needed.
    pub resume_url: String,
    /// The page on which a person sees and stops what they get. Needed.
    pub unsubscribe_url: String,
    /// Takes the POST of RFC 8058. Needed.
    pub one_click_url: String,
    /// The page of finer choices, if it is another than `unsubscribe_url`.
    #[serde(default)]
    pub preferences_url: Option<String>,
    /// The reason for this message, a sentence: "You left this cart at X and agreed to
    /// reminders." Needed.
    pub why: String,
    /// What the gate granted; templates must read well without.
    #[serde(default)]
    pub offer: Option<Offer>,
    /// Until when the shop honours the prices of the cart as it was left, as the recipient reads it.
    #[serde(default)]
    pub prices_until: Option<String>,
    /// Used only where it looks like a name: anybody can type one into a page, and a greeting
    /// must not carry somebody's advertisement.
    #[serde(default)]
    pub first_name: Option<String>,
}

/// One line of the cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelLine {
    /// Product name. Needed; cut at 200 characters.
    pub title: String,
    /// Variant, "Red / M".
    #[serde(default)]
    pub variant: Option<String>,
    /// How many.
    pub quantity: u32,
    /// Price of one, formatted. Needed.
    pub unit_price: String,
    /// Price of the line, formatted. Needed.
    pub line_total: String,
    /// Picture. Dropped when not an absolute https address.
    #[serde(default)]
    pub image_url: Option<String>,
    /// Product page. Dropped when not an absolute https address.
    #[serde(default)]
    pub item_url: Option<String>,
}

/// What is given to whoever comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gives {
    /// Percent off, 1 to 100.
    Percent(u8),
    /// An amount off, formatted.
    Amount(String),
    /// Shipping is free.
    FreeShipping,
}

/// An offer that was granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// What is typed at checkout.
    pub code: String,
    /// What it gives.
    pub gives: Gives,
    /// "Friday, 3 April": the date as the recipient reads it.
    pub valid_until: String,
}
