//! What people, shops and the weather do to the system, as data. Each act is delivered at least
//! once: when its handler crashes, its sender tries again with the same id and the same time.

use comeback_core::consent::{Channel, Source};
use comeback_core::time::Millis;

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
    /// The page alone reports a purchase.
    PageSaysBought,
    /// Follows the link of the last message for this cart.
    Clicks,
    /// Opts out of a channel, or of everything.
    OptsOut(Option<Channel>),
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
