//! Whether a message should have gone out: by what was known when leave was given, and by what else went out.

use std::collections::{BTreeMap, BTreeSet};

use super::civil::{self, Local};
use super::fact::{Contact, Instant, Owner, Voice, Way};
use super::people::{Order, People};
use super::rules::{Holiday, Rules, Sheet};
use super::{Breach, DAY, Kind, LEAVE_IS_GOOD_FOR};

/// Leave that was given for a message, with what was wrong about it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) at: Instant,
    /// Its place among the facts: of two at one instant, which was first.
    place: usize,
    contact: Contact,
    pub(super) way: Way,
    pub(super) address: u16,
    browse: bool,
    /// All addresses known to be the same person's at that moment.
    person: BTreeSet<u16>,
    /// The owner or the shop stands for the address.
    proved: bool,
    began: Option<Instant>,
    pub(super) breaches: Vec<Breach>,
}

impl Asked {
    fn breach(&self, kind: Kind, what: &str) -> Breach {
        let Contact { cart, episode, step } = self.contact;
        Breach {
            kind,
            at: self.at,
            what: format!(
                "cart {cart}, episode {episode}, step {step}, {:?} to {}: {what}",
                self.way, self.address
            ),
        }
    }
}

/// Judges a message by what is known.
pub(super) fn of(
    people: &People,
    rules: &Rules,
    at: Instant,
    place: usize,
    (contact, way, address, browse): (Contact, Way, u16, bool),
) -> Asked {
    let cart = people.carts.get(&contact.cart);
    let mut asked = Asked {
        at,
        place,
        contact,
        way,
        address,
        browse,
        person: people.addresses_of(address),
        proved: people.proved.contains(&address),
        began: cart.and_then(|c| c.began.get(&contact.episode)).copied(),
        breaches: vec![],
    };
    let mut found: Vec<(Kind, String)> = vec![];
    for order in people.orders.iter().filter(|o| !o.cancelled) {
        if concerns(people, order, contact.cart, address) {
            found.push((Kind::AfterPurchase, format!("order {} was known since {}", order.number, order.at)));
        }
    }
    refusals(people, &asked, &mut found);
    let sheets: Vec<&Sheet> = people.owner(address).map_or(vec![], |o| sheets(rules, o));
    consent(people, rules, &sheets, &asked, &mut found);
    if people.stopped {
        found.push((Kind::Other, "the shop had stopped all messages".to_owned()));
    }
    // What a cart says is as fresh as its last word to whoever asks for leave.
    if cart.and_then(|c| c.automated).is_some_and(|since| at - since > LEAVE_IS_GOOD_FOR) {
        found.push((Kind::Other, "its cart is a program's".to_owned()));
    }
    if let Some(owner) = people.owner(address) {
        hours(rules, &sheets, owner, &asked, &mut found);
    }
    for sheet in &sheets {
        for (_, span) in sheet.within.iter().filter(|(w, _)| *w == way) {
            if asked.began.is_some_and(|began| at - began > *span) {
                found.push((Kind::Other, "later than the law allows".to_owned()));
            }
        }
    }
    asked.breaches = found.into_iter().map(|(kind, what)| asked.breach(kind, &what)).collect();
    asked
}

/// Whether an order is this cart's or this person's business.
fn concerns(people: &People, order: &Order, cart: u16, address: u16) -> bool {
    let Some(left) = people.carts.get(&cart) else { return false };
    if order.cart == Some(cart) {
        return true;
    }
    // What was begun after the order is another matter.
    if left.born.is_none_or(|born| born > order.placed) {
        return false;
    }
    let same_person = |other: u16| people.are_one(other, address);
    // An order in a browser of which nobody is known ends its own cart only; and a cart of which the edge hears, or of
    // whose person it hears, only after the order is ended by its person's orders, not by its browser's.
    let same_browser = order.known_browser.is_some_and(|v| {
        let both = left.known.max(left.person_since).filter(|_| left.person_since.is_some());
        let was_there = left.visitor == Some(v) && both.is_some_and(|at| at <= order.at);
        people.is_browser_of(v, address) || was_there
    });
    let behind_bought = order.behind.is_some_and(same_person);
    same_browser || behind_bought || order.addresses.iter().any(|a| same_person(*a))
}

/// No, or not now.
fn refusals(people: &People, asked: &Asked, found: &mut Vec<(Kind, String)>) {
    for (at, _, way) in people.opt_outs.iter().filter(|(_, a, _)| asked.person.contains(a)) {
        let is_about = way.is_none_or(|w| w == asked.way);
        // Only the owner or the shop takes a no back, and nobody one to everything.
        let lifted = way.is_some()
            && people.words.iter().any(|w| {
                w.granted
                    && w.voice != Voice::Page
                    && w.way == asked.way
                    && w.said > *at
                    && asked.person.contains(&w.address)
            });
        if is_about && !lifted {
            found.push((Kind::AfterOptOut, format!("they had said no at {at}")));
        }
    }
    for (_, until) in people.pauses.iter().filter(|(a, _)| asked.person.contains(a)) {
        if asked.at < *until {
            found.push((Kind::AfterOptOut, format!("they had asked for a pause until {until}")));
        }
    }
}

/// The yes on which a message rests.
fn consent(
    people: &People,
    rules: &Rules,
    sheets: &[&Sheet],
    asked: &Asked,
    found: &mut Vec<(Kind, String)>,
) {
    let about = |w: &&super::people::Word| w.way == asked.way && asked.person.contains(&w.address);
    let said: Vec<_> = people.words.iter().filter(about).collect();
    let stands = |words: &[&super::people::Word]| {
        words.iter().max_by_key(|w| (w.said, !w.granted)).is_some_and(|w| w.granted)
    };
    let heard = |w: &&super::people::Word| w.way == asked.way && people.may_be_one(w.address, asked.address);
    let standing = stands(&said) || stands(&people.words.iter().filter(heard).collect::<Vec<_>>());
    if !standing {
        let is_customer = |span: i64| {
            people.orders.iter().any(|o| {
                !o.cancelled
                    && asked.at - o.placed < span
                    && o.addresses.iter().any(|a| asked.person.contains(a))
            })
        };
        let soft = rules.soft_opt_in
            && said.is_empty()
            && sheets
                .iter()
                .any(|s| s.soft_opt_in.iter().any(|(way, span)| *way == asked.way && is_customer(*span)));
        if !soft {
            found.push((Kind::Other, "they had not agreed".to_owned()));
        }
        return;
    }
    let firmest = said.iter().filter(|w| w.granted).map(|w| w.voice).max();
    for sheet in sheets {
        for (_, least) in sheet.least_voice.iter().filter(|(w, _)| *w == asked.way) {
            let told = match firmest {
                Some(Voice::Owner) => 2,
                Some(Voice::Shop) => 1,
                _ => 0,
            };
            // Whoever follows a link in a message confirms the yes under which it came.
            if told < *least && !people.proved.contains(&asked.address) {
                found.push((Kind::Other, "the law asks for a firmer yes".to_owned()));
            }
        }
    }
}

fn sheets<'r>(rules: &'r Rules, owner: &Owner) -> Vec<&'r Sheet> {
    rules.laws.iter().filter(|s| s.covers(owner.country, owner.region)).collect()
}

/// The hour and the day where the recipient is.
fn hours(rules: &Rules, sheets: &[&Sheet], owner: &Owner, asked: &Asked, found: &mut Vec<(Kind, String)>) {
    let Some(clock) = civil::local(asked.at, owner.zone) else {
        found.push((Kind::Quiet, format!("no zone {} to judge by", owner.zone)));
        return;
    };
    let told = format!("{:02}:{:02} in {}", clock.minute / 60, clock.minute % 60, owner.zone);
    if rules.quiet.is_some_and(|(from, to)| within(clock.minute, from, to)) {
        found.push((Kind::Quiet, format!("it was {told}")));
    }
    for sheet in sheets {
        for night in &sheet.quiet {
            // The small hours belong to the night that began the day before.
            let is_morning = night.from > night.to && clock.minute < night.to;
            let begun = if is_morning { (clock.weekday + 6) % 7 } else { clock.weekday };
            let is_on = night.days.is_empty() || night.days.contains(&begun);
            if is_on && night.ways.contains(&asked.way) && within(clock.minute, night.from, night.to) {
                found.push((Kind::Quiet, format!("the law keeps quiet at {told}")));
            }
        }
        for (ways, sundays, holidays) in &sheet.no_days {
            let off = (*sundays && clock.weekday == 0)
                || (*holidays && sheet.holidays.iter().any(|h| is_holiday(*h, clock)));
            if off && ways.contains(&asked.way) {
                found.push((Kind::Quiet, format!("the law keeps quiet on {}-{}", clock.month, clock.day)));
            }
        }
    }
}

/// Whether a minute of the day lies in a window that may span midnight.
fn within(minute: i64, from: i64, to: i64) -> bool {
    if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
}

fn is_holiday(holiday: Holiday, day: Local) -> bool {
    match holiday {
        Holiday::Fixed(month, date) => (day.month, day.day) == (month, date),
        Holiday::Easter(offset) => civil::is_easter_plus(day, offset),
    }
}

/// All messages that reached somebody.
#[derive(Debug)]
pub(super) struct Ledger<'r> {
    rules: &'r Rules,
    messages: Vec<Asked>,
}

impl<'r> Ledger<'r> {
    pub(super) fn new(rules: &'r Rules) -> Self {
        Self { rules, messages: vec![] }
    }

    pub(super) fn add(&mut self, message: Asked) {
        self.messages.push(message);
    }

    /// What only shows when all messages are seen together.
    pub(super) fn breaches(&self, people: &People) -> Vec<Breach> {
        let mut found = vec![];
        for (n, message) in self.messages.iter().enumerate() {
            let again = self.messages.iter().take(n).any(|m| m.contact == message.contact);
            if again {
                found.push(message.breach(Kind::Duplicate, "reached them before"));
            }
            // A message that reached them twice is one breach, not two.
            if !again {
                self.caps(people, message, &mut found);
            }
        }
        found
    }

    /// Messages to the same person for which leave was given before, this one included.
    fn before<'m>(&'m self, message: &'m Asked) -> impl Iterator<Item = &'m Asked> {
        self.messages.iter().filter(|m| m.place <= message.place && message.person.contains(&m.address))
    }

    fn caps(&self, people: &People, message: &Asked, found: &mut Vec<Breach>) {
        let rules = self.rules;
        let mut most = |count: usize, cap: usize, what: &str| {
            if count > cap {
                found.push(message.breach(Kind::Cap, &format!("{count} {what}, {cap} allowed")));
            }
        };
        let recent = |span: i64| self.before(message).filter(move |m| message.at - m.at < span);
        let same_episode = |m: &&Asked| {
            (m.contact.cart, m.contact.episode) == (message.contact.cart, message.contact.episode)
        };
        most(recent(DAY).count(), rules.per_day, "messages in a day");
        most(recent(7 * DAY).count(), rules.per_week, "messages in a week");
        if message.way == Way::Text {
            let texts = self.before(message).filter(same_episode).filter(|m| m.way == Way::Text).count();
            most(texts, rules.texts_per_abandonment, "text messages for one abandonment");
        }
        if let (true, Some(cap)) = (message.browse, rules.browse_per_week) {
            most(recent(7 * DAY).filter(|m| m.browse).count(), cap, "messages about something looked at");
        }
        if !message.proved {
            // An abandonment counts from its first message.
            let mut begun: BTreeMap<(u16, u32), Instant> = BTreeMap::new();
            for m in self.before(message).filter(|m| m.address == message.address) {
                let first = begun.entry((m.contact.cart, m.contact.episode)).or_insert(m.at);
                *first = m.at.min(*first);
            }
            let this = (message.contact.cart, message.contact.episode);
            begun.retain(|about, at| *about == this || message.at - *at < rules.unverified_ms);
            most(begun.len(), 1, "abandonments at an address that nobody proved");
        }
        let newer = self.before(message).find(|m| {
            m.contact.cart != message.contact.cart && message.began.is_some() && m.began > message.began
        });
        if let Some(newer) = newer {
            most(2, 1, &format!("sequences at a time: cart {} was newer", newer.contact.cart));
        }
        let sheets = people.owner(message.address).map_or(vec![], |o| sheets(rules, o));
        for sheet in sheets {
            for (way, cap) in sheet.per_abandonment.iter().filter(|(w, _)| *w == message.way) {
                let count = self.before(message).filter(same_episode).filter(|m| m.way == *way).count();
                most(count, *cap, "messages that the law allows for one abandonment");
            }
            for (way, cap) in sheet.per_day.iter().filter(|(w, _)| *w == message.way) {
                most(
                    recent(DAY).filter(|m| m.way == *way).count(),
                    *cap,
                    "messages that the law allows a day",
                );
            }
        }
    }
}
