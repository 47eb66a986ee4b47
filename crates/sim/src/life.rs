//! Shoppers: what a group of people who have to do with one another does over some weeks, as data. A function of the
//! seed and nothing else; what they do about the messages they get is decided when they get them (`react`).

mod react;
mod write;

use comeback_core::time::Timestamp;

use crate::checker::{Owner, Spot, Voice, Way};
use crate::place::{Home, NOWHERE};

pub use react::{Reached, react};
pub use write::{BEGINNING, group};

/// Addresses of each person of a group, who has two browsers.
pub const ADDRESSES: u16 = 5;

/// Something a shopper does in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Do {
    /// Opens a page.
    View,
    /// Looks at a product, so many seconds.
    Look(u16),
    /// Puts a piece in.
    Add(u8),
    /// Takes a piece out.
    Remove(u8),
    /// Begins checkout.
    Checkout,
    /// Chooses shipping.
    Shipping,
    /// Gives payment details.
    Payment,
    /// Checkout refuses something: 0 the card, 1 the stock, 2 a field.
    Error(u8),
    /// Looks at what shipping costs.
    Estimate,
    /// Tries a code.
    Coupon(bool),
    /// Moves to leave.
    Exit,
    /// Hides the page.
    Hide,
    /// The platform says that the session is over.
    End,
    /// The page says that they bought, under this number.
    Bought(u32),
}

impl Do {
    /// Pieces that it puts in or takes out.
    #[must_use]
    pub const fn pieces(self) -> i32 {
        match self {
            Self::Add(_) => 1,
            Self::Remove(_) => -1,
            _ => 0,
        }
    }

    /// Whether somebody is there.
    #[must_use]
    pub const fn is_alive(self) -> bool {
        !matches!(self, Self::Exit | Self::Hide | Self::End)
    }
}

/// How an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Placed, not paid.
    Pending,
    /// Paid.
    Paid,
    /// Cancelled.
    Cancelled,
}

/// Something done from outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// A batch of a page: what was done, each so many milliseconds after the first.
    Batch {
        /// Which cart.
        cart: u16,
        /// In which browser.
        visitor: u16,
        /// What.
        deeds: Vec<(i64, Do)>,
        /// On a phone.
        mobile: bool,
        /// By a program.
        automated: bool,
        /// From where they travel.
        abroad: bool,
    },
    /// Types addresses into a page, and ticks a box or not.
    Types {
        /// Where.
        visitor: u16,
        /// For which cart.
        cart: Option<u16>,
        /// An email address.
        email: Option<u16>,
        /// A number.
        phone: Option<u16>,
        /// The box.
        agrees: bool,
    },
    /// Signs in: the shop vouches for the addresses, and for the answer about reminders.
    SignsIn {
        /// With which cart.
        cart: Option<u16>,
        /// Whose.
        addresses: Vec<u16>,
        /// A yes; no answer otherwise.
        agrees: bool,
    },
    /// Takes out a push subscription.
    Subscribes {
        /// In which browser.
        visitor: u16,
        /// With which cart.
        cart: Option<u16>,
        /// Which.
        address: u16,
    },
    /// Says yes or no about an address.
    Says {
        /// In which browser, if a page reports it; the shop otherwise.
        visitor: Option<u16>,
        /// Which address.
        address: u16,
        /// Yes.
        granted: bool,
    },
    /// The platform reports an order.
    Orders {
        /// Its number.
        order: u32,
        /// What was bought, where it says so.
        cart: Option<u16>,
        /// Addresses on it.
        addresses: Vec<u16>,
        /// How it stands.
        status: Status,
        /// When it was placed.
        placed: Timestamp,
        /// Where it is sent to, where it says so.
        postal: Option<u16>,
    },
    /// The platform reports a checkout with a postal address.
    Ships {
        /// By whom.
        address: u16,
        /// Where to.
        postal: u16,
    },
    /// Wants a cart forgotten, in a browser that has it.
    Forgets {
        /// Which browser.
        visitor: u16,
        /// Which cart.
        cart: u16,
    },
    /// Follows the link of a message.
    Clicks {
        /// The how-manieth message that reached this group.
        message: usize,
    },
    /// Says no by the link of a message: to its channel, or to all.
    OptsOut {
        /// The how-manieth message.
        message: usize,
        /// To everything.
        all: bool,
    },
    /// Asks for 30 days of peace by the link of a message.
    Pauses {
        /// The how-manieth message.
        message: usize,
    },
    /// Says yes again by the link of a message.
    Returns {
        /// The how-manieth message.
        message: usize,
    },
    /// The shop's stop switch.
    Stops(bool),
}

/// An act, when it was done and when it arrives.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// When it was done.
    pub said: Timestamp,
    /// When it arrives, copies included.
    pub arrives: Vec<Timestamp>,
    /// What.
    pub act: Act,
}

/// What is told of where somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Their browser tells its zone.
    pub zone: bool,
    /// The edge sees the country of a session.
    pub country: bool,
    /// It sees the region as well, and the shop knows it.
    pub region: bool,
    /// The shop tells their zone.
    pub profile: bool,
}

impl Default for Told {
    fn default() -> Self {
        Self { zone: true, country: true, region: true, profile: true }
    }
}

impl Told {
    /// Country and region of a place.
    fn place(self, at: Home) -> Spot {
        let region = self.country && self.region;
        Spot { zone: "", country: told(self.country, at.country), region: told(region, at.region) }
    }
}

const fn told(is_told: bool, word: &'static str) -> &'static str {
    if is_told { word } else { "" }
}

/// A group of people who may turn out to be one another.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its number.
    pub number: u64,
    /// Its own seed.
    pub seed: u64,
    /// Where each of them lives.
    pub homes: Vec<Home>,
    /// Where they travel.
    pub abroad: Home,
    /// What is told of where each of them is; everything of those who are not in it.
    pub told: Vec<Told>,
    /// Their addresses.
    pub owners: Vec<Owner>,
    /// Their browsers.
    pub visitors: u16,
    /// Their carts.
    pub carts: u16,
    /// What they do.
    pub acts: Vec<Planned>,
    /// Whether the provider of text messages knows keys.
    pub texts_idempotent: bool,
    /// How much may go wrong around them.
    pub trouble: u32,
    /// Every state goes through text and back.
    pub through_text: bool,
    /// Most messages in an hour, where whoever put the policy in force said so.
    pub per_hour: Option<u32>,
    /// The policy decides among them, and nothing is sent.
    pub shadow: bool,
    /// Since when somebody stands by the offers that need it; never if absent.
    pub approved_since: Option<Timestamp>,
    /// The rest of the shop sends messages and gives things away, too.
    pub elsewhere: bool,
    /// Since when the policy is in force, where it was activated among them: no cart that was left before is touched.
    pub in_force_since: Option<Timestamp>,
}

impl Group {
    /// Where the owner of an address lives.
    #[must_use]
    pub fn home_of(&self, address: u16) -> Home {
        self.homes.get(usize::from(address / ADDRESSES)).copied().unwrap_or(NOWHERE)
    }

    /// Whether there is anything in a cart that may be shown: some hold only what no source stands for.
    #[must_use]
    pub const fn is_shown(&self, cart: u16) -> bool {
        (self.number + cart as u64) % 40 != 33
    }

    /// What a browser tells of where it is.
    #[must_use]
    pub fn session(&self, visitor: u16, abroad: bool) -> Spot {
        let who = usize::from(visitor / 2);
        let home = || self.homes.get(who).copied().unwrap_or(NOWHERE);
        let at = if abroad { self.abroad } else { home() };
        let told = self.told.get(who).copied().unwrap_or_default();
        Spot { zone: self::told(told.zone, at.zone), ..told.place(at) }
    }

    /// What the shop tells of where the owner of an address lives.
    #[must_use]
    pub fn profile(&self, address: u16) -> Spot {
        let at = self.home_of(address);
        let told = self.told.get(usize::from(address / ADDRESSES)).copied().unwrap_or_default();
        let place = Told { country: true, ..told }.place(at);
        Spot { zone: self::told(told.profile, at.zone), ..place }
    }
}

/// Who says something, to the checker.
#[must_use]
pub const fn voice_of(page: bool) -> Voice {
    if page { Voice::Page } else { Voice::Shop }
}

/// By which way an address is reached.
#[must_use]
pub fn way_of(owners: &[Owner], address: u16) -> Way {
    owners.get(usize::from(address)).map_or(Way::Email, |o| o.way)
}
