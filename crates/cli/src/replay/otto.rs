//! OTTO's session logs (otto-de/recsys-dataset, CC BY 4.0) as events. A line is everything one user did
//! in weeks: clicks, carts, orders of articles. It is cut into visits at half an hour of silence; a cart
//! begins with the first article put into it and ends with an order. There is no price, no contact and
//! no consent in it, and nothing is taken out of a cart.

use std::collections::BTreeSet;

use comeback_core::cart::{Change, Line, Trust};
use comeback_core::consent::{Consent, Source};
use comeback_core::id::{CartId, EventId, PersonId, ShopId, VisitorId};
use comeback_core::person::Order;
use comeback_core::signal::{Signal, SignalKind, Viewed};
use comeback_core::time::{MINUTE, Millis, Timestamp};
use comeback_sim::journal::{Capture, Event, Input};
use serde::Deserialize;

use super::assume::Assumed;
use super::source::{self, Head, Lines};
use crate::failure::Failure;

/// Silence that ends a visit.
const VISIT: Millis = 30 * MINUTE;
/// Views before a cart that are told with it.
const MOST_VIEWS: usize = 50;

#[derive(Deserialize)]
struct Session {
    session: u64,
    events: Vec<Did>,
}

#[derive(Deserialize)]
struct Did {
    aid: u64,
    ts: i64,
    #[serde(rename = "type")]
    kind: Kind,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Clicks,
    Carts,
    Orders,
}

/// Whether a line is one of OTTO's.
pub(super) fn is_session(line: &str) -> bool {
    serde_json::from_str::<Session>(line).is_ok()
}

/// Looks through the file once for its first and last instant: where the log ends, nothing more is told.
pub(super) fn survey(file: &str, assumed: &Assumed) -> Result<(Head, Lines), Failure> {
    let mut lines = Lines::open(file)?;
    let (mut from, mut to) = (i64::MAX, i64::MIN);
    while let Some(line) = lines.next()? {
        let source::Line::Text(_, text) = line else { continue };
        for did in serde_json::from_str::<Session>(text).map(|s| s.events).unwrap_or_default() {
            (from, to) = (from.min(did.ts), to.max(did.ts));
        }
    }
    if from > to {
        return Err(Failure::Found(format!("{file}: nothing happens in any of its sessions")));
    }
    let shop = ShopId::parse("shop_otto").map_err(|e| Failure::Found(e.to_string()))?;
    let head = Head {
        file: file.to_owned(),
        form: "OTTO sessions",
        source: "OTTO Recommender Systems Dataset, OTTO GmbH & Co KG, 2023, CC BY 4.0".to_owned(),
        shop,
        from: Timestamp::from_millis(from),
        to: Timestamp::from_millis(to),
        assumed: assumed.told(),
        unknown: [
            "what was taken out of a cart",
            "checkout, its errors, and the device",
            "who left more than one trail",
            "clicks on messages, for none were sent",
        ]
        .into_iter()
        .map(str::to_owned)
        .chain(assumed.untold())
        .collect(),
    };
    Ok((head, Lines::open(file)?))
}

/// One user's line as events, in order.
pub(super) fn read(text: &str, assumed: &Assumed) -> Result<Vec<Event>, &'static str> {
    let mut session: Session = serde_json::from_str(text).map_err(|_| "not a session of OTTO's")?;
    session.events.sort_by_key(|did| did.ts);
    let Some(first) = session.events.first() else { return Ok(vec![]) };
    let mut user = User::new(session.session, assumed).ok_or("a session number that makes no id")?;
    user.introduce(Timestamp::from_millis(first.ts));
    let mut events = session.events.into_iter().peekable();
    let mut last = None;
    while let Some(did) = events.next() {
        let at = Timestamp::from_millis(did.ts);
        if last.is_some_and(|last: Timestamp| at.since(last) > VISIT) {
            user.visit_over(last.unwrap_or(at));
        }
        last = Some(at);
        match did.kind {
            Kind::Clicks => user.looked(at, did.aid),
            Kind::Carts => user.added(at, did.aid),
            Kind::Orders => {
                let mut articles = vec![did.aid];
                while let Some(more) = events.next_if(|e| e.kind == Kind::Orders && e.ts - did.ts < MINUTE) {
                    articles.push(more.aid);
                }
                user.ordered(at, &articles);
            }
        }
    }
    if let Some(last) = last {
        user.visit_over(last);
    }
    // Ends of visits are told when the silence is over, which may be after the next event's line.
    user.events.sort_by_key(|e| e.at);
    Ok(user.events)
}

struct User<'a> {
    number: u64,
    person: PersonId,
    visitor: VisitorId,
    assumed: &'a Assumed,
    cart: Option<CartId>,
    carts: u32,
    views: Vec<Signal>,
    told: u64,
    in_cart: BTreeSet<u64>,
    events: Vec<Event>,
}

impl<'a> User<'a> {
    fn new(number: u64, assumed: &'a Assumed) -> Option<Self> {
        Some(Self {
            number,
            person: PersonId::parse(&format!("per_otto{number}")).ok()?,
            visitor: VisitorId::parse(&format!("vis_otto{number}")).ok()?,
            assumed,
            cart: None,
            carts: 0,
            views: vec![],
            told: 0,
            in_cart: BTreeSet::new(),
            events: vec![],
        })
    }

    /// What is assumed of everybody.
    fn introduce(&mut self, at: Timestamp) {
        for channel in &self.assumed.contact {
            let what = Input::Contact {
                person: self.person.clone(),
                channel: *channel,
                contact: format!("otto{}-{channel}", self.number),
                verified: true,
                source: Source::Signed,
            };
            self.events.push(Event { at, what });
        }
        for (channel, source) in &self.assumed.consent {
            let consent = Consent {
                channel: *channel,
                granted: true,
                wording: "assumed".to_owned(),
                at,
                source: *source,
            };
            self.events.push(Event { at, what: Input::Consent { person: self.person.clone(), consent } });
        }
    }

    fn signal(&mut self, at: Timestamp, kind: SignalKind) -> Signal {
        self.told += 1;
        let id = EventId::derive(&["otto", &self.number.to_string(), &self.told.to_string()]);
        Signal { id, at, kind }
    }

    fn capture(&mut self, at: Timestamp, cart: CartId, signals: Vec<Signal>) {
        let capture = Capture {
            cart,
            visitor: Some(self.visitor.clone()),
            person: Some(self.person.clone()),
            currency: self.assumed.currency,
            zone: Some(self.assumed.zone.clone()),
            place: self.assumed.place.clone(),
            mobile: false,
            automated: false,
            signals,
        };
        self.events.push(Event { at, what: Input::Capture(Box::new(capture)) });
    }

    fn looked(&mut self, at: Timestamp, article: u64) {
        let item = Viewed { item_id: article.to_string(), item_variant: None, class: None };
        let signal = self.signal(at, SignalKind::ViewItem { item: Some(item), dwell_ms: None });
        match self.cart.clone() {
            Some(cart) => self.capture(at, cart, vec![signal]),
            None if self.views.len() < MOST_VIEWS => self.views.push(signal),
            None => {}
        }
    }

    fn added(&mut self, at: Timestamp, article: u64) {
        let line = Line {
            item_id: article.to_string(),
            item_variant: None,
            quantity: 1,
            unit_price_minor: self.assumed.price_of(article),
            title: format!("Article {article}"),
            image_url: None,
            item_url: None,
            class: None,
            trust: Trust::Signed,
        };
        let kind = SignalKind::Cart { currency: self.assumed.currency, change: Change::Add(vec![line]) };
        let mut signals = std::mem::take(&mut self.views);
        signals.push(self.signal(at, kind));
        self.in_cart.insert(article);
        let cart = match self.cart.clone() {
            Some(cart) => cart,
            None => {
                self.carts += 1;
                CartId::derive(&["otto", &self.number.to_string(), &self.carts.to_string()])
            }
        };
        self.cart = Some(cart.clone());
        self.capture(at, cart, signals);
    }

    fn ordered(&mut self, at: Timestamp, articles: &[u64]) {
        let total = articles.iter().map(|a| self.assumed.price_of(*a)).sum();
        let order = Order {
            id: format!("otto{}-{}", self.number, at.millis()),
            at,
            total_minor: Some(total),
            cancelled: false,
            currency: Some(self.assumed.currency),
        };
        // An order of something that was never put into the cart is of another cart.
        let own = articles.iter().any(|a| self.in_cart.contains(a));
        let cart = if own { self.cart.take() } else { None };
        if own {
            self.in_cart.clear();
        }
        let what = Input::Order { order, paid: true, cart, persons: vec![self.person.clone()] };
        self.events.push(Event { at, what });
    }

    fn visit_over(&mut self, last: Timestamp) {
        self.views.clear();
        if let Some(cart) = self.cart.clone() {
            let at = last.plus(VISIT);
            let signal = self.signal(at, SignalKind::SessionEnd);
            self.capture(at, cart, vec![signal]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../../../tests/vectors/otto/sessions.jsonl");

    #[test]
    fn the_sample_becomes_events_in_order() {
        let assumed = Assumed::parse(Some("contact=email,consent=email,price=40")).unwrap();
        let (mut carts, mut orders, mut adds) = (BTreeSet::new(), 0, 0);
        for line in SAMPLE.lines() {
            assert!(is_session(line));
            let events = read(line, &assumed).unwrap();
            assert!(events.is_sorted_by_key(|e| e.at));
            for event in &events {
                match &event.what {
                    Input::Capture(capture) => {
                        carts.insert(capture.cart.clone());
                        adds += capture
                            .signals
                            .iter()
                            .filter(|s| matches!(s.kind, SignalKind::Cart { .. }))
                            .count();
                    }
                    Input::Order { .. } => orders += 1,
                    _ => {}
                }
            }
        }
        // PROVENANCE.md counts 27 additions in 5 sessions, 6 ordered articles in 2 of them.
        assert_eq!(adds, 27);
        assert!((2..=6).contains(&orders), "{orders}");
        assert!(carts.len() >= 5, "{}", carts.len());
    }

    #[test]
    fn what_is_no_session_is_refused_without_being_quoted() {
        let assumed = Assumed::parse(Some("contact=none,consent=none,price=1")).unwrap();
        let why = read(r#"{"session":1,"events":[{"aid":1,"ts":2,"type":"secret"}]}"#, &assumed).unwrap_err();
        assert_eq!(why, "not a session of OTTO's");
    }
}
