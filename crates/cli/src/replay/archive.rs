//! The edge's archive (ledger objects of R2, JSON lines) as events. It holds what was decided and why,
//! not what came in: what a cart's value was when it was left, who agreed to what, orders and clicks
//! stand in it, the articles and the visits do not. What is derived is said in the head.

use std::collections::BTreeMap;

use comeback_core::cart::{Change, Line, Trust};
use comeback_core::consent::{Channel, Source};
use comeback_core::effect::{Entry, Happened};
use comeback_core::id::{CartId, EventId, PersonId, ShopId};
use comeback_core::jurisdiction::Place;
use comeback_core::money::Currency;
use comeback_core::person::Order;
use comeback_core::policy::{Facts, Field};
use comeback_core::recovery::Phase;
use comeback_core::signal::{Signal, SignalKind};
use comeback_core::time::{MINUTE, Timestamp};
use comeback_sim::journal::{Capture, Event, Input};
use serde::Deserialize;

use super::source::{self, Broken, Head, Lines};
use crate::failure::Failure;

/// An archive is put in order in memory, so it is bounded; a longer one is a question for months apart.
const MOST: usize = 5_000_000;

/// A line of the archive.
#[derive(Deserialize)]
pub(crate) struct Archived {
    /// Whose.
    pub(crate) shop: ShopId,
    /// Of which cart.
    pub(crate) cart: CartId,
    /// Number within the cart's log.
    pub(crate) seq: u64,
    /// What happened.
    pub(crate) entry: Entry,
}

/// Whether a first line is an archive's.
pub(crate) fn is_entry(line: &str) -> bool {
    serde_json::from_str::<Archived>(line).is_ok()
}

/// What is gathered of one cart.
#[derive(Default)]
struct Known {
    person: Option<PersonId>,
    episodes: u32,
    log: BTreeMap<u64, Entry>,
}

/// Reads an archive and derives events.
pub(super) fn load(
    file: &str,
    assume: Option<&str>,
    broken: &mut Broken,
) -> Result<(Head, Vec<Event>), Failure> {
    let currency = match assume.map(|a| a.split_once('=')) {
        None => "EUR",
        Some(Some(("currency", code))) => code,
        _ => return Err(Failure::Usage("--assume: for an archive only currency=… is taken".to_owned())),
    };
    let currency =
        Currency::parse(currency).map_err(|e| Failure::Usage(format!("--assume currency: {e}")))?;
    let mut lines = Lines::open(file)?;
    let mut carts: BTreeMap<CartId, Known> = BTreeMap::new();
    let (mut shop, mut count) = (None::<ShopId>, 0_usize);
    while let Some(line) = lines.next()? {
        let (number, text) = match line {
            source::Line::Text(number, text) => (number, text),
            source::Line::Unreadable(number, why) => {
                broken.note(number, why);
                continue;
            }
        };
        let Ok(archived) = serde_json::from_str::<Archived>(text) else {
            broken.note(number, "not an entry of an archive that this version knows");
            continue;
        };
        if shop.get_or_insert_with(|| archived.shop.clone()) != &archived.shop {
            broken.note(number, "an entry of another shop");
            continue;
        }
        count += 1;
        if count > MOST {
            return Err(Failure::Found(format!("{file}: more than {MOST} entries; take a shorter span")));
        }
        // A queue delivers at least once: the same number is the same entry.
        carts.entry(archived.cart).or_default().log.insert(archived.seq, archived.entry);
    }
    let shop = shop.ok_or_else(|| Failure::Found(format!("{file}: no entries")))?;
    let times = || carts.values().flat_map(|k| k.log.values()).map(|e| e.at);
    let head = Head {
        file: file.to_owned(),
        form: "archive",
        source: "the edge's archive of what was decided".to_owned(),
        shop,
        from: times().min().unwrap_or_default(),
        to: times().max().unwrap_or_default(),
        assumed: vec![
            "a cart is one article at its value when it was left".to_owned(),
            format!("amounts are {}", currency.code()),
            "the last sign of life was 15 minutes before a cart counted as left".to_owned(),
        ],
        unknown: vec![
            "articles, classes and visits".to_owned(),
            "addresses and consents of people whom no step ever asked about".to_owned(),
            "recipients' zones and places".to_owned(),
        ],
    };
    let mut events: Vec<Event> =
        carts.into_iter().flat_map(|(cart, known)| derive(&cart, known, currency)).collect();
    events.sort_by_key(|e| e.at);
    Ok((head, events))
}

fn derive(cart: &CartId, mut known: Known, currency: Currency) -> Vec<Event> {
    let mut events = vec![];
    let facts = known.log.values().find_map(|e| match &e.what {
        Happened::Left { facts, .. } => Some(facts.clone()),
        Happened::Decided { record } => Some(record.facts.clone()),
        _ => None,
    });
    let facts = facts.unwrap_or_default();
    let log = std::mem::take(&mut known.log);
    for (seq, entry) in log {
        match entry.what {
            Happened::Linked { person } => {
                known.person = Some(person.clone());
                let link = Input::Link { cart: cart.clone(), person, source: Source::Signed, visitor: None };
                events.push(Event { at: entry.at, what: link });
            }
            Happened::Moved { to: Phase::Abandoned, .. } => {
                known.episodes += 1;
                let at = entry.at.plus(-15 * MINUTE);
                let kind = if known.episodes == 1 { filled(&facts, currency) } else { SignalKind::PageView };
                events.push(capture(cart, &known, seq, at, kind, currency));
            }
            Happened::Moved { from: Phase::Abandoned | Phase::Recovering, to: Phase::Active, .. } => {
                events.push(capture(cart, &known, seq, entry.at, SignalKind::PageView, currency));
            }
            Happened::Decided { record } => {
                let Some((person, consent)) = known.person.clone().zip(record.consent) else { continue };
                let channel: Channel = consent.channel;
                let contact = Input::Contact {
                    person: person.clone(),
                    channel,
                    contact: format!("{person}-{channel}"),
                    verified: consent.source != Source::Page,
                    source: consent.source,
                };
                // Known at the time of the decision at the latest; when it came is not archived.
                let at = consent.at.min(entry.at);
                events.push(Event { at, what: contact });
                events.push(Event { at, what: Input::Consent { person, consent } });
            }
            Happened::Clicked { key } => {
                events.push(Event { at: entry.at, what: Input::Click { cart: cart.clone(), key } });
            }
            Happened::Ordered { paid } => {
                let order = Order {
                    id: format!("{cart}-order"),
                    at: entry.at,
                    total_minor: None,
                    cancelled: false,
                    currency: Some(currency),
                };
                let persons = known.person.iter().cloned().collect();
                let what = Input::Order { order, paid, cart: Some(cart.clone()), persons };
                events.push(Event { at: entry.at, what });
            }
            _ => {}
        }
    }
    events
}

fn filled(facts: &Facts, currency: Currency) -> SignalKind {
    let scale = 10_f64.powi(i32::try_from(currency.exponent()).unwrap_or(2));
    #[expect(clippy::cast_possible_truncation, reason = "amounts far below 2^52")]
    let minor = (facts.number(Field::CartValue).unwrap_or(0.0) * scale).round() as i64;
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
    SignalKind::Cart { currency, change: Change::Set(vec![line]) }
}

fn capture(
    cart: &CartId,
    known: &Known,
    seq: u64,
    at: Timestamp,
    kind: SignalKind,
    currency: Currency,
) -> Event {
    let id = EventId::derive(&["archive", cart.as_str(), &seq.to_string()]);
    let capture = Capture {
        cart: cart.clone(),
        visitor: None,
        person: known.person.clone(),
        currency,
        zone: None,
        place: Place::default(),
        mobile: false,
        automated: false,
        signals: vec![Signal { id, at, kind }],
    };
    Event { at, what: Input::Capture(Box::new(capture)) }
}
