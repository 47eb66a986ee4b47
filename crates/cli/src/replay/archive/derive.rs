//! One cart's entries as events. An episode is told by `left`, where the build that wrote the archive had
//! it, else by the move to `abandoned`; what was in the cart by its value then. What is said of a person is
//! told when it was said, where an entry tells that, else when an entry first knows of it.

use std::collections::{BTreeMap, BTreeSet};

use comeback_core::cart::{Change, Line, Trust};
use comeback_core::consent::{Consent, Source};
use comeback_core::effect::{Entry, Happened};
use comeback_core::id::{CartId, EventId, PersonId};
use comeback_core::jurisdiction::Place;
use comeback_core::money::Currency;
use comeback_core::person::Order;
use comeback_core::policy::{Facts, Field, Value};
use comeback_core::recovery::{Phase, Trigger};
use comeback_core::signal::{Signal, SignalKind};
use comeback_core::time::{DAY, MINUTE, Millis, Timestamp};
use comeback_sim::journal::{Capture, Event, Input};

use super::told::{self, Told};

/// The last sign of life is taken to be so long before a cart counted as left.
const IDLE: Millis = 15 * MINUTE;
/// A replay lets a person go of whom nothing is heard for weeks and who has no cart. What was said longer
/// than this before a cart was born is said again with it.
const REMEMBERED: Millis = 7 * DAY;

/// What one cart's entries amount to.
pub(super) struct Derived {
    /// The events, not in order.
    pub(super) events: Vec<Event>,
    /// Episodes of looking that were left out.
    pub(super) looked: u64,
    /// Episodes in which nothing tells what the cart was worth.
    pub(super) unvalued: u64,
    /// The shopper wanted it forgotten, and it is.
    pub(super) forgotten: bool,
}

/// One episode.
struct Left {
    browse: bool,
    /// Goes on with one before.
    again: bool,
    value: Option<f64>,
}

/// Episodes by the number of the entry that begins them.
fn episodes(log: &BTreeMap<u64, Entry>) -> BTreeMap<u64, Left> {
    let mut found: BTreeMap<u64, (Timestamp, Left)> = BTreeMap::new();
    for (seq, entry) in log {
        let last = found.last_entry().map(std::collections::btree_map::OccupiedEntry::into_mut);
        match &entry.what {
            Happened::Left { trigger, facts, .. } => {
                let left = Left { browse: *trigger == Trigger::Browse, again: false, value: value_of(facts) };
                found.insert(*seq, (entry.at, left));
            }
            Happened::Moved { to: Phase::Abandoned, because, .. } => {
                // Told already, by what it follows from.
                if last.as_ref().is_some_and(|(at, _)| *at == entry.at) {
                    continue;
                }
                let browse = Trigger::Browse;
                let again = because.starts_with("left again");
                let browse = match last {
                    Some((_, before)) if again => before.browse,
                    _ => *because == browse.story() || *because == browse.as_str(),
                };
                found.insert(*seq, (entry.at, Left { browse, again, value: None }));
            }
            Happened::Decided { record } => {
                if let Some((_, left)) = last {
                    left.value = left.value.or_else(|| value_of(&record.facts));
                    left.browse |= is_browse(&record.facts);
                }
            }
            _ => {}
        }
    }
    found.into_iter().map(|(seq, (_, left))| (seq, left)).collect()
}

fn value_of(facts: &Facts) -> Option<f64> {
    facts.number(Field::CartValue)
}

fn is_browse(facts: &Facts) -> bool {
    matches!(facts.get(Field::AbandonmentTrigger), Some(Value::Word(word)) if word == Trigger::Browse.as_str())
}

/// A cart on its way through its entries.
struct Walk<'c> {
    cart: &'c CartId,
    currency: Currency,
    person: Option<PersonId>,
    /// First entry.
    begun: Timestamp,
    /// What is in it, minor units; nothing before it is born.
    held: Option<i64>,
    heard: Timestamp,
    opted_out: BTreeSet<PersonId>,
    ordered: bool,
    out: Derived,
}

/// Derives events from a cart's log.
pub(super) fn derive(cart: &CartId, log: BTreeMap<u64, Entry>, currency: Currency) -> Derived {
    let begun = log.values().next().map(|e| e.at).unwrap_or_default();
    let episodes = episodes(&log);
    let out = Derived { events: vec![], looked: 0, unvalued: 0, forgotten: false };
    let mut walk = Walk {
        cart,
        currency,
        person: None,
        begun,
        held: None,
        heard: Timestamp::from_millis(i64::MIN),
        opted_out: BTreeSet::new(),
        ordered: false,
        out,
    };
    for (seq, entry) in log {
        if let Some(left) = episodes.get(&seq) {
            walk.left(seq, entry.at, left);
        }
        let next = episodes.range(seq + 1..).next().map(|(_, left)| left);
        walk.entry(seq, entry, next.is_some_and(|left| left.browse));
    }
    let mut out = walk.out;
    if out.forgotten {
        // What was said of its person stays said.
        out.events.retain(|e| !matches!(e.what, Input::Capture(_) | Input::Click { .. }));
        (out.looked, out.unvalued) = (0, 0);
    }
    out
}

impl Walk<'_> {
    fn left(&mut self, seq: u64, at: Timestamp, left: &Left) {
        let at = at.plus(-IDLE).max(self.heard);
        if left.browse {
            self.out.looked += u64::from(!left.again);
            self.emptied(seq, at);
            return;
        }
        let value = left.value.and_then(|value| self.currency.minor_from_number(value));
        self.out.unvalued += u64::from(value.is_none() && !left.again);
        let minor = value.or(self.held).unwrap_or(0);
        let kind = if self.held == Some(minor) { SignalKind::PageView } else { self.filled(minor) };
        self.held = Some(minor);
        self.capture(seq, at, vec![kind]);
    }

    /// Whoever only looked had nothing in their cart.
    fn emptied(&mut self, seq: u64, at: Timestamp) {
        if self.held.take().is_some() {
            let kind = SignalKind::Cart { currency: self.currency, change: Change::Set(vec![]) };
            self.capture(seq, at, vec![kind]);
        }
    }

    fn entry(&mut self, seq: u64, entry: Entry, looks_next: bool) {
        let at = entry.at;
        match entry.what {
            Happened::Linked { person } => {
                self.person = Some(person.clone());
                let cart = self.cart.clone();
                self.push(at, Input::Link { cart, person, source: Source::Signed, visitor: None });
            }
            Happened::Moved { to: Phase::Active, .. } if looks_next => self.emptied(seq, at),
            Happened::Moved { to: Phase::Active, .. } if self.held.is_some() => {
                self.capture(seq, at, vec![SignalKind::PageView]);
            }
            Happened::Moved { to: Phase::OptedOut, .. } => self.told(seq, at, Told::OptedOut(None)),
            Happened::Decided { record } => {
                for told in self.person.iter().flat_map(|p| told::by(&record.checks, p)).collect::<Vec<_>>() {
                    self.told(seq, at, told);
                }
                if let Some(consent) = record.consent {
                    self.consent(at, consent);
                }
            }
            // What a candidate found of the person is as true.
            Happened::Shadowed { record: Some(record), .. } => {
                for told in self.person.iter().flat_map(|p| told::by(&record.checks, p)).collect::<Vec<_>>() {
                    self.told(seq, at, told);
                }
            }
            Happened::Clicked { key } => {
                let cart = self.cart.clone();
                self.push(at, Input::Click { cart, key });
            }
            Happened::Ordered { paid } => self.order(at, paid, Some(self.cart.clone())),
            Happened::Forgotten => self.out.forgotten = true,
            _ => {}
        }
    }

    fn told(&mut self, seq: u64, at: Timestamp, told: Told) {
        let Some(person) = self.person.clone() else { return };
        match told {
            Told::OptedOut(since) => {
                // The first to tell tells since when; the move that follows from it does not.
                if self.opted_out.insert(person.clone()) {
                    let what = Input::OptOut { person, channel: None };
                    self.said(since.unwrap_or(at).min(at), what);
                }
            }
            Told::Person(since, what) => self.said(since.unwrap_or(at).min(at), what),
            Told::Ordered if !self.ordered => self.order(at, false, None),
            Told::Automated if self.held.is_some() => {
                self.capture(seq, at, vec![]);
                if let Some(Event { what: Input::Capture(capture), .. }) = self.out.events.last_mut() {
                    capture.automated = true;
                }
            }
            Told::Ordered | Told::Automated => {}
        }
    }

    fn consent(&mut self, at: Timestamp, consent: Consent) {
        let Some(person) = self.person.clone() else { return };
        // Known at the time of the decision at the latest; when the address came is not archived.
        let since = consent.at.min(at);
        let contact = Input::Contact {
            person: person.clone(),
            channel: consent.channel,
            contact: format!("{person}-{}", consent.channel),
            verified: consent.source != Source::Page,
            source: consent.source,
        };
        self.said(since, contact);
        self.said(since, Input::Consent { person, consent });
    }

    fn order(&mut self, at: Timestamp, paid: bool, cart: Option<CartId>) {
        self.ordered = true;
        let order = Order {
            id: format!("{}-order", self.cart),
            at,
            total_minor: None,
            cancelled: false,
            currency: Some(self.currency),
        };
        let persons = self.person.iter().cloned().collect();
        self.push(at, Input::Order { order, paid, cart, persons });
    }

    fn said(&mut self, at: Timestamp, what: Input) {
        if self.begun.since(at) > REMEMBERED {
            self.push(self.begun, what.clone());
        }
        self.push(at, what);
    }

    fn push(&mut self, at: Timestamp, what: Input) {
        self.out.events.push(Event { at, what });
    }

    fn filled(&self, minor: i64) -> SignalKind {
        let line = Line {
            item_id: "archived".to_owned(),
            item_variant: None,
            quantity: 1,
            unit_price_minor: minor,
            title: "A cart of the archive".to_owned(),
            image_url: None,
            item_url: None,
            class: None,
            trust: Trust::Signed,
        };
        SignalKind::Cart { currency: self.currency, change: Change::Set(vec![line]) }
    }

    fn capture(&mut self, seq: u64, at: Timestamp, kinds: Vec<SignalKind>) {
        self.heard = self.heard.max(at);
        let id = EventId::derive(&["archive", self.cart.as_str(), &seq.to_string()]);
        let capture = Capture {
            cart: self.cart.clone(),
            visitor: None,
            person: self.person.clone(),
            currency: self.currency,
            zone: None,
            place: Place::default(),
            mobile: false,
            automated: false,
            signals: kinds.into_iter().map(|kind| Signal { id: id.clone(), at, kind }).collect(),
        };
        self.push(at, Input::Capture(Box::new(capture)));
    }
}
