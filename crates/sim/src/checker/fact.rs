//! What truly happened, as plain data: numbers for people, carts and addresses, milliseconds for time. Written by
//! whoever runs a shop, read by the checker.

/// Milliseconds since the epoch, UTC.
pub type Instant = i64;

/// A way to reach somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Email.
    Email,
    /// Text message.
    Text,
    /// Push.
    Push,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Voice {
    /// A page: anybody.
    Page,
    /// The shop, by signature.
    Shop,
    /// The owner of the address.
    Owner,
}

/// A planned contact: step `step` of episode `episode` of cart `cart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contact {
    /// The cart.
    pub cart: u16,
    /// Its episode, from 1.
    pub episode: u32,
    /// The step, from 0.
    pub step: u32,
}

/// Somewhere on earth. What was not told is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// IANA zone.
    pub zone: &'static str,
    /// Country.
    pub country: &'static str,
    /// Region.
    pub region: &'static str,
}

/// What a message gives away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gift {
    /// Name of the offer.
    pub offer: String,
    /// Value of the cart, in minor units.
    pub value: i64,
    /// What the goods leave of the value, in thousandths, where their cost is known.
    pub margin: Option<i64>,
    /// Until when it holds.
    pub until: Instant,
    /// It is said to be what an earlier message gave.
    pub again: bool,
}

/// A message, as it was cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Of which contact.
    pub contact: Contact,
    /// By which way.
    pub way: Way,
    /// Where to.
    pub address: u16,
    /// It is about something looked at.
    pub browse: bool,
    /// Name of its text.
    pub text: String,
    /// The id under which the shop knows whom it is for.
    pub person: String,
    /// What it gives away.
    pub gift: Option<Gift>,
    /// When the shop was asked for budget and room: a message counts in that day and hour.
    pub asked: Instant,
}

/// Why a step was not sent, where the reason claims something that is so or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// They ordered.
    Ordered,
    /// They want nothing any more.
    OptedOut,
    /// They want nothing by these ways.
    WayOptedOut,
    /// A program's cart.
    Automated,
    /// Another of their carts was left later.
    Newer,
    /// The step has a condition, and it does not hold.
    Condition,
    /// The same text went out in this abandonment.
    Repeats,
    /// No address by any of the ways.
    NoAddress,
    /// No yes for any of the ways.
    NoYes,
    /// An address that nobody proved had its one recovery.
    Unproved,
    /// Enough text messages for this abandonment.
    Texts,
    /// The law forbids it.
    Law,
    /// They are not to be written to, so that the effect can be known.
    Holdout,
    /// The policy has not reached them.
    Rollout,
    /// The cart was left before the policy was in force.
    Older,
    /// They followed none of the last messages.
    Tired,
    /// Enough messages about things looked at.
    BrowseCap,
    /// It went out before.
    SentBefore,
    /// It may have gone out before.
    Unknown,
    /// The provider does not want it.
    Declined,
    /// The next step fell due.
    Superseded,
    /// Nobody is known behind the cart.
    Nobody,
    /// Its shopper wanted the cart forgotten.
    Forgotten,
    /// There is nothing in the cart that may be shown.
    Unshown,
    /// The policy only shows what it would do.
    Shadow,
    /// At no hour is it day wherever they may be.
    Night,
    /// An arm of an experiment that sends nothing.
    Silent,
    /// Something that never happens here.
    Never,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When.
    pub at: Instant,
    /// What.
    pub fact: Fact,
}

/// What can happen. What allows less (orders, a no, that two are one) stands at the moment at which the edge had
/// acknowledged it; what allows more (a yes, a proof) at that at which it arrived.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A shopper did something to a cart.
    Touched {
        /// The cart.
        cart: u16,
        /// In which browser.
        visitor: u16,
        /// When they did it.
        said: Instant,
        /// A sign of life; not a page that closes.
        alive: bool,
        /// Pieces put in, or taken out.
        pieces: i32,
        /// Something was bought.
        bought: bool,
        /// By a program.
        automated: bool,
    },
    /// A call about who is who began, for the first time or again. Calls may overtake each other and die half way, so
    /// who was new to the edge can only be told of a call that no other got in the way of.
    Begun {
        /// The browser it names.
        visitor: Option<u16>,
        /// The addresses it names.
        addresses: Vec<u16>,
    },
    /// Addresses were typed into a page.
    Typed {
        /// Where.
        visitor: u16,
        /// For which cart.
        cart: Option<u16>,
        /// An email address.
        email: Option<u16>,
        /// A number.
        phone: Option<u16>,
    },
    /// The shop vouched that these addresses are one person.
    Vouched {
        /// For which cart.
        cart: Option<u16>,
        /// All of them.
        addresses: Vec<u16>,
    },
    /// A browser took out a push subscription.
    Subscribed {
        /// Which browser.
        visitor: u16,
        /// For which cart.
        cart: Option<u16>,
        /// The subscription.
        address: u16,
    },
    /// A yes or a no.
    Said {
        /// Whose.
        address: u16,
        /// To what.
        way: Way,
        /// Yes.
        granted: bool,
        /// Who says so.
        voice: Voice,
        /// When it was said, which the shop's word tells; its arrival otherwise.
        said: Instant,
    },
    /// Somebody has something sent to a postal address; told when it is acknowledged.
    Ships {
        /// An address of theirs.
        address: u16,
        /// Where to.
        postal: u16,
    },
    /// The owner of an address followed a link that went there, and that is an answer.
    Clicked {
        /// Which address.
        address: u16,
        /// In which message.
        contact: Contact,
    },
    /// The same, once it is acknowledged.
    Followed {
        /// Which message.
        contact: Contact,
    },
    /// It is known whose an address is.
    Proved {
        /// Which address.
        address: u16,
    },
    /// The owner of an address wants no more, by one way or by any.
    OptedOut {
        /// Which address.
        address: u16,
        /// By which way; any if absent.
        way: Option<Way>,
        /// When it was said.
        said: Instant,
    },
    /// The owner of an address wants a pause.
    Paused {
        /// Which address.
        address: u16,
        /// Until when.
        until: Instant,
    },
    /// An order was placed or paid.
    Ordered {
        /// Its number.
        order: u32,
        /// When it was placed.
        placed: Instant,
        /// What was bought, where that was told.
        cart: Option<u16>,
        /// In which browser, where that was told.
        visitor: Option<u16>,
        /// Addresses on it.
        addresses: Vec<u16>,
        /// Where it is sent to, where that was told.
        postal: Option<u16>,
    },
    /// An order was cancelled.
    Cancelled {
        /// Its number.
        order: u32,
    },
    /// Its shopper wanted a cart forgotten.
    Forgotten {
        /// The cart.
        cart: u16,
    },
    /// The shop's stop switch.
    Stopped {
        /// On or off.
        on: bool,
    },
    /// Something arrived that allows less, and may be known before it is acknowledged.
    Heard(Box<Fact>),
    /// A page of a cart told where it is.
    Session {
        /// The cart.
        cart: u16,
        /// Which call told it: the same however often it is begun.
        call: usize,
        /// Where.
        spot: Spot,
        /// Country and region are told only by a browser that is new to the cart.
        is_new: bool,
    },
    /// The shop told where the owner of an address lives.
    Lives {
        /// Which address.
        address: u16,
        /// Where.
        spot: Spot,
        /// Country and region as well as the zone.
        place: bool,
    },
    /// A yes was acknowledged for these addresses.
    Agreed {
        /// Which.
        addresses: Vec<u16>,
    },
    /// Leave was given for a message.
    Leave(Message),
    /// Leave was written down, and whoever had asked died before they heard of it.
    Stored(Message),
    /// Leave was refused for good.
    Refused {
        /// For which contact.
        contact: Contact,
        /// Whose id was asked.
        person: String,
        /// Addresses that are held of them.
        addresses: Vec<u16>,
        /// Why.
        why: Reason,
    },
    /// The provider refused a message for good.
    Declined {
        /// Of which contact.
        contact: Contact,
    },
    /// The rest of the shop gave something away, or sent a message.
    Elsewhere {
        /// What was given, and how much in minor units; a message without a gift otherwise.
        gift: Option<(String, i64)>,
    },
    /// A provider took a message, and it reached the address.
    Delivered(Message),
    /// A cart knows its person by this id from now on.
    Behind {
        /// The cart.
        cart: u16,
        /// The id.
        person: String,
    },
    /// A cart was left, and a sequence is followed.
    Left {
        /// The cart.
        cart: u16,
        /// Its episode.
        episode: u32,
        /// When it began.
        began: Instant,
        /// It is about something looked at.
        browse: bool,
        /// Name of the sequence.
        sequence: String,
    },
    /// It was seen that a cart was left, whether or not a sequence is for it.
    Considered {
        /// The cart.
        cart: u16,
    },
    /// The cart says that a step ended.
    Ended {
        /// Which.
        contact: Contact,
        /// The cart believes that it was sent; else why not.
        how: End,
    },
    /// The cart's sequence no longer runs.
    Rests {
        /// The cart.
        cart: u16,
        /// Because every step had its end.
        exhausted: bool,
    },
    /// The cart's sequence runs, for the first time or again.
    Runs {
        /// The cart.
        cart: u16,
    },
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Sent.
    Sent,
    /// Not sent, with this reason.
    Skipped(Reason),
}

/// Who owns an address, and where they live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// By which way it is reached.
    pub way: Way,
    /// Their home, whose law a number falls under.
    pub home: Spot,
}

/// Everything about a group of people who may turn out to be one another.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// The owner of each address.
    pub owners: Vec<Owner>,
    /// No cart that was left before is to be touched.
    pub in_force_since: Option<Instant>,
    /// The policy is in shadow: nothing is sent.
    pub shadow: bool,
    /// Carts in which there is nothing that may be shown.
    pub unshown: Vec<u16>,
    /// Most messages in an hour, where whoever put the policy in force said so.
    pub per_hour: Option<usize>,
    /// Since when somebody stands by the offers that need it; never if absent.
    pub approved_since: Option<Instant>,
    /// What happened, in order.
    pub facts: Vec<Entry>,
}
