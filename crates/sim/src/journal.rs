//! The journal: what came in at the edge, one event a line, as JSON. Input of replays, output of the
//! simulator. It holds no address and no name: persons, visitors, carts and contacts go by ids.
//!
//! The first line is a [`Header`], every other an [`Event`]. Lines are in the order of their arrival,
//! so a replay needs no memory of what is to come. Who is behind what was found out when it was
//! written: a journal names persons, not the identifiers that led to them.

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::id::{CartId, PersonId, SendKey, ShopId, VisitorId};
use comeback_core::jurisdiction::Place;
use comeback_core::money::Currency;
use comeback_core::person::Order;
use comeback_core::signal::Signal;
use comeback_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What the header's `journal` says.
pub const FORMAT: &str = "comeback";
/// The version this code writes, and the newest it reads.
pub const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub journal: String,
    /// [`VERSION`].
    pub version: u32,
    /// Whose events these are.
    pub shop: ShopId,
    /// No event is older.
    pub from: Timestamp,
    /// No event is newer.
    pub to: Timestamp,
    /// Where it comes from, in plain words: the seed of a simulation, a shop's export, what was assumed.
    pub source: String,
}

impl Header {
    /// A header of the present version.
    #[must_use]
    pub fn new(shop: ShopId, from: Timestamp, to: Timestamp, source: &str) -> Self {
        Self { journal: FORMAT.to_owned(), version: VERSION, shop, from, to, source: source.to_owned() }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it arrived at the edge. What it tells of may be older.
    pub at: Timestamp,
    /// What came in.
    pub what: Input,
}

/// What can come in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Signals of one cart from one session. The first of a cart gives birth to it.
    Capture(Box<Capture>),
    /// Somebody was found behind a cart.
    Link {
        /// The cart.
        cart: CartId,
        /// Who.
        person: PersonId,
        /// The shop's word ([`Source::Signed`]) goes before a page's.
        source: Source,
        /// In which browser, where it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        visitor: Option<VisitorId>,
    },
    /// A person has an address on a channel.
    Contact {
        /// Who.
        person: PersonId,
        /// For which channel.
        channel: Channel,
        /// A pseudonym that tells two addresses of a person apart; never the address.
        contact: String,
        /// Whether its owner proved it or the shop vouched for it.
        verified: bool,
        /// Who brought it.
        source: Source,
    },
    /// A yes or no.
    Consent {
        /// Who.
        person: PersonId,
        /// What they said.
        consent: Consent,
    },
    /// No more messages by a channel, or at all.
    OptOut {
        /// Who.
        person: PersonId,
        /// Which channel; all if absent.
        channel: Option<Channel>,
    },
    /// No messages for a while.
    Pause {
        /// Who.
        person: PersonId,
        /// Until when.
        until: Timestamp,
    },
    /// An order, or news of one. A page's word for one is two lines: the signal in a capture, which ends
    /// its cart, and this, which tells the persons.
    Order {
        /// The order.
        order: Order,
        /// Whether it is paid, for the cart that was bought.
        paid: bool,
        /// The cart that was bought, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cart: Option<CartId>,
        /// Whom it may concern.
        persons: Vec<PersonId>,
    },
    /// The link of a message was followed. It counts in a replay where that message was sent there too.
    Click {
        /// Of which cart.
        cart: CartId,
        /// Of which send.
        key: SendKey,
    },
    /// Where a person is, from a profile.
    Whereabouts {
        /// Who.
        person: PersonId,
        /// IANA zone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<String>,
        /// Country and region.
        #[serde(default)]
        place: Place,
    },
    /// Two persons turned out to be one.
    Merge {
        /// Who is no more.
        from: PersonId,
        /// Who takes everything in.
        into: PersonId,
    },
    /// The shop's stop switch.
    Stop {
        /// On or off.
        stopped: bool,
    },
}

impl Input {
    /// The carts and persons that it names: all that it can change, and those who are joined by it.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let (cart, first, second, more): (
            Option<&CartId>,
            Option<&PersonId>,
            Option<&PersonId>,
            &[PersonId],
        ) = match self {
            Self::Capture(capture) => (Some(&capture.cart), capture.person.as_ref(), None, &[]),
            Self::Link { cart, person, .. } => (Some(cart), Some(person), None, &[]),
            Self::Contact { person, .. }
            | Self::Consent { person, .. }
            | Self::OptOut { person, .. }
            | Self::Pause { person, .. }
            | Self::Whereabouts { person, .. } => (None, Some(person), None, &[]),
            Self::Order { cart, persons, .. } => (cart.as_ref(), None, None, persons),
            Self::Click { cart, .. } => (Some(cart), None, None, &[]),
            Self::Merge { from, into } => (None, Some(from), Some(into), &[]),
            Self::Stop { .. } => (None, None, None, &[]),
        };
        let persons = first.into_iter().chain(second).chain(more).map(PersonId::as_str);
        cart.into_iter().map(CartId::as_str).chain(persons)
    }

    /// Whether it is about the shop, and so about everybody.
    #[must_use]
    pub const fn is_for_all(&self) -> bool {
        matches!(self, Self::Stop { .. })
    }
}

/// Signals of one cart from one session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capture {
    /// The cart.
    pub cart: CartId,
    /// The browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitor: Option<VisitorId>,
    /// Who, where the edge knew already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Currency of a cart that is born with this.
    pub currency: Currency,
    /// IANA zone of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Where the session was.
    #[serde(default)]
    pub place: Place,
    /// On a phone.
    #[serde(default)]
    pub mobile: bool,
    /// Driven by a program.
    #[serde(default)]
    pub automated: bool,
    /// What happened.
    pub signals: Vec<Signal>,
}

/// Why a line cannot be used. Says what is wrong, never what stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The first line is no header.
    #[error("the first line is not the header of a journal")]
    NotAJournal,
    /// Written by a newer program.
    #[error("journal of version {found}; this program reads up to {VERSION}")]
    Newer {
        /// Its version.
        found: u32,
    },
    /// Not an event.
    #[error("column {column}: not an event of a journal")]
    NotAnEvent {
        /// Where it stops making sense.
        column: usize,
    },
    /// It would break a line in two.
    #[error("an event that cannot be written")]
    Unwritable,
}

/// Reads the first line.
pub fn read_header(line: &str) -> Result<Header, JournalError> {
    /// Enough of a header of any version.
    #[derive(Deserialize)]
    struct Outline {
        journal: String,
        version: u32,
    }
    let outline: Outline = serde_json::from_str(line).map_err(|_| JournalError::NotAJournal)?;
    if outline.journal != FORMAT {
        return Err(JournalError::NotAJournal);
    }
    if outline.version > VERSION {
        return Err(JournalError::Newer { found: outline.version });
    }
    serde_json::from_str(line).map_err(|_| JournalError::NotAJournal)
}

/// Reads any other line.
pub fn read_event(line: &str) -> Result<Event, JournalError> {
    serde_json::from_str(line).map_err(|e| JournalError::NotAnEvent { column: e.column() })
}

/// One line, without its end.
pub fn write_line<T: Serialize>(line: &T) -> Result<String, JournalError> {
    serde_json::to_string(line).map_err(|_| JournalError::Unwritable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let shop = ShopId::parse("shop_a").unwrap();
        Header::new(shop, Timestamp::from_millis(0), Timestamp::from_millis(9), "a test")
    }

    #[test]
    fn a_line_is_read_back_as_it_was_written() {
        let line = write_line(&header()).unwrap();
        assert_eq!(read_header(&line).unwrap(), header());
        let event = Event {
            at: Timestamp::from_millis(5),
            what: Input::OptOut { person: PersonId::parse("per_1").unwrap(), channel: Some(Channel::Sms) },
        };
        let line = write_line(&event).unwrap();
        assert_eq!(line, r#"{"at":5,"what":{"opt_out":{"person":"per_1","channel":"sms"}}}"#);
        assert_eq!(read_event(&line).unwrap(), event);
    }

    #[test]
    fn a_newer_journal_and_what_is_none_are_refused() {
        let newer = write_line(&Header { version: 2, ..header() }).unwrap();
        assert_eq!(read_header(&newer), Err(JournalError::Newer { found: 2 }));
        for text in ["", "{}", r#"{"journal":"other","version":1}"#, "[1]"] {
            assert_eq!(read_header(text), Err(JournalError::NotAJournal), "{text}");
        }
        let wrong = read_event(r#"{"at":5,"what":{"explode":{}}}"#);
        assert!(matches!(wrong, Err(JournalError::NotAnEvent { .. })));
        assert!(!wrong.unwrap_err().to_string().contains("explode"), "places, not contents");
    }
}
