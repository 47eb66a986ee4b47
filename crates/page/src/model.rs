//! What the pages show. Plain text and ready-made amounts: nothing here is HTML except
//! [`InboxMessage::html`], and nothing is trusted.

use serde::Serialize;

/// The shop that a page speaks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Brand {
    /// What shoppers call the shop.
    pub shop_name: String,
    /// The shop's front page: http(s), or a path of this origin.
    pub home_url: String,
    /// Where a person answers; empty if none.
    pub support_email: String,
    /// Page about help, delivery and returns; empty if none.
    pub support_url: String,
    /// Language tag of the shop's own texts (BCP 47), such as `en-GB`.
    pub locale: String,
}

/// One line of the cart, as it can be bought now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LandingLine {
    /// Name of the product.
    pub title: String,
    /// Size, colour and the like.
    pub variant: Option<String>,
    /// Pieces.
    pub quantity: u32,
    /// Price of one, formatted.
    pub unit_price: String,
    /// Price of the line, formatted.
    pub line_total: String,
    /// Picture: http(s), or a path of this origin.
    pub image_url: Option<String>,
    /// Product page: http(s), or a path of this origin.
    pub item_url: Option<String>,
}

/// What differs from the cart that was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// The price of one piece moved. Both amounts formatted.
    PriceChanged {
        /// Name of the product.
        title: String,
        /// Price when the cart was left.
        was: String,
        /// Price now.
        now: String,
    },
    /// Sold out; the page says that it is not in the cart, so it must not be among the lines.
    SoldOut {
        /// Name of the product.
        title: String,
    },
    /// No longer sold; not among the lines either.
    Unavailable {
        /// Name of the product.
        name: String,
    },
    /// The offer of the link is over.
    OfferEnded,
}

/// The page behind a resume link. Looking at it changes nothing; its form does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Landing {
    /// The shop.
    pub brand: Brand,
    /// What the button brings back.
    pub lines: Vec<LandingLine>,
    /// Sum of the lines, formatted.
    pub total: String,
    /// What differs from the cart that was left.
    pub changes: Vec<Change>,
    /// Target of the form, `/r/{token}`: a path of this origin. Anything else leaves the button out.
    pub action: String,
    /// The offer that this link carries, in words.
    pub offer: Option<String>,
    /// Until when the prices of the cart as it was left hold, in words.
    pub prices_until: Option<String>,
    /// Nothing was put into a cart: the lines are what was looked at.
    pub is_look: bool,
    /// This cart has been ordered already.
    pub closed: bool,
}

/// Why a link leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkTrouble {
    /// Its time is over.
    Expired,
    /// The shop withdrew it, or its key.
    Revoked,
    /// Forged, broken or made for something else. The page does not tell which: that would help a
    /// forger and nobody else.
    NotOurs,
    /// The link is good, the cart has been deleted.
    CartGone,
    /// No such shop here.
    UnknownShop,
}

/// What somebody gets, and the ways to change that. Showing it changes nothing.
///
/// The form posts `do` = `unsubscribe` | `unsubscribe_all` | `pause_30d` | `resubscribe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preferences {
    /// The shop.
    pub brand: Brand,
    /// Target of the form, `/u/{token}`: a path of this origin.
    pub action: String,
    /// `email` or `sms`; anything else is spoken of as messages.
    pub channel: String,
    /// The address with its middle hidden, such as `a•••@example.com`.
    pub masked_address: Option<String>,
    /// Why this person gets messages: a whole sentence.
    pub why: String,
    /// Opted out of this channel.
    pub opted_out: bool,
    /// Opted out of every channel.
    pub opted_out_of_all: bool,
    /// End of a pause, formatted, if one is running.
    pub paused_until: Option<String>,
}

/// Something was done; this says what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Done {
    /// The shop.
    pub brand: Brand,
    /// What happened, in a few words.
    pub title: String,
    /// What follows from it.
    pub body: String,
    /// Label and address of one way on.
    pub back: Option<(String, String)>,
}

/// One rendered message, as the development inbox shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InboxMessage {
    /// The send, `snd_…`; its letters, digits, `_` and `-` make the anchor of the message.
    pub send_id: String,
    /// `email`, `sms` or another channel.
    pub channel: String,
    /// Recipient.
    pub to: String,
    /// Sender.
    pub from: String,
    /// Subject; empty for a text message.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML part: shown in a sandboxed frame, without scripts and with an origin of its own.
    pub html: Option<String>,
    /// Header fields in order.
    pub headers: Vec<(String, String)>,
    /// When it was sent, as text.
    pub at: String,
}
