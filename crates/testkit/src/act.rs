//! What people, shops and the weather do to the system, as data. Each act is delivered at least
//! once: when its handler crashes, its sender tries again with the same id and the same time.

use comeback_core::consent::{Channel, Source};
use comeback_core::time::{Millis, SECOND};

/// One thing that is done from outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Puts one piece of an item into the cart.
    Adds(&'static str),
    /// Takes one piece out.
    Removes(&'static str),
    /// Opens a page.
    Views,
    /// Hides the page, which is no sign of life.
    Hides,
    /// Moves as if to leave the page.
    TurnsToLeave,
    /// The platform says that the session is over.
    SessionEnds,
    /// Looks at a product of a class, if it has one, for so long.
    LooksAt {
        /// Which.
        item: &'static str,
        /// Of which class, by the shop's catalogue.
        class: Option<&'static str>,
        /// How long.
        dwell: Millis,
    },
    /// Puts one piece of an item of a class into the cart.
    AddsOf {
        /// Which.
        item: &'static str,
        /// Of which class, by the shop's catalogue.
        class: &'static str,
    },
    /// Begins checkout.
    BeginsCheckout,
    /// Looks at the price of shipping.
    EstimatesShipping,
    /// Tries a code, which the shop takes or refuses.
    TriesCoupon(bool),
    /// Checkout refuses something.
    IsRefused {
        /// Where.
        step: &'static str,
        /// With what.
        code: &'static str,
    },
    /// A signed checkout names the postal address that the cart is to go to.
    ShipsTo(&'static str),
    /// The page says it is driven by a program.
    IsAutomated,
    /// Leaves an address.
    LeavesContact {
        /// For which channel.
        channel: Channel,
        /// Which; the human's own if `None`.
        address: Option<&'static str>,
        /// Who vouches for it.
        source: Source,
        /// A yes or no given with it.
        consent: Option<bool>,
    },
    /// Says yes or no on a channel.
    Consents {
        /// Channel.
        channel: Channel,
        /// Yes or no.
        granted: bool,
        /// Who reports it.
        source: Source,
    },
    /// Is in this zone.
    IsIn(&'static str),
    /// The shop reports an order, paid or not, under this address (the human's own if `None`).
    Orders {
        /// Paid.
        paid: bool,
        /// The address on the order.
        address: Option<&'static str>,
    },
    /// The shop reports a paid order under a new address of email and this postal address.
    OrdersTo {
        /// The address on the order.
        address: &'static str,
        /// Where it goes.
        postal: &'static str,
    },
    /// The page alone reports a purchase.
    PageSaysBought,
    /// Follows the link of the last message for this cart.
    Clicks,
    /// Opts out of a channel, or of everything.
    OptsOut(Option<Channel>),
    /// Has the cart forgotten.
    HasItForgotten,
    /// Asks for a pause this long.
    PausesFor(Millis),
    /// The shop's stop switch goes on.
    ShopStops,
    /// The shop's stop switch goes off.
    ShopResumes,
    /// The provider cannot be reached from now on, or can again.
    ProviderDown(bool),
    /// The provider refuses whatever comes next for good, once.
    ProviderRefusesOnce,
    /// Everything the queue holds at that moment is lost.
    QueueForgets,
    /// The cart's alarm fires though nothing asked it to.
    SpuriousAlarm,
}

/// Puts one piece of an item into the cart.
#[must_use]
pub fn adds(item: &'static str) -> Act {
    Act::Adds(item)
}

/// Takes one piece out.
#[must_use]
pub fn removes(item: &'static str) -> Act {
    Act::Removes(item)
}

/// Signs in: the shop vouches for the email and for a yes to reminders.
#[must_use]
pub fn signs_in() -> Act {
    leaves(Channel::Email, Source::Signed, Some(true))
}

/// Leaves an address without anything more.
#[must_use]
pub fn leaves(channel: Channel, source: Source, consent: Option<bool>) -> Act {
    Act::LeavesContact { channel, address: None, source, consent }
}

/// Types an email into the page and agrees.
#[must_use]
pub fn types_email() -> Act {
    leaves(Channel::Email, Source::Page, Some(true))
}

/// The shop vouches for a number and a yes to text messages.
#[must_use]
pub fn gives_phone() -> Act {
    leaves(Channel::Sms, Source::Signed, Some(true))
}

/// A paid order.
#[must_use]
pub fn buys() -> Act {
    Act::Orders { paid: true, address: None }
}

/// An order that is not paid yet.
#[must_use]
pub fn orders() -> Act {
    Act::Orders { paid: false, address: None }
}

/// A paid order under another address.
#[must_use]
pub fn buys_as(address: &'static str) -> Act {
    Act::Orders { paid: true, address: Some(address) }
}

/// Opts out of everything.
#[must_use]
pub fn unsubscribes() -> Act {
    Act::OptsOut(None)
}

/// Looks at a product without a class for so many seconds.
#[must_use]
pub fn looks_at(item: &'static str, seconds: Millis) -> Act {
    Act::LooksAt { item, class: None, dwell: seconds * SECOND }
}

/// Checkout refuses the card.
#[must_use]
pub fn card_is_declined() -> Act {
    Act::IsRefused { step: "payment", code: "card_declined" }
}
