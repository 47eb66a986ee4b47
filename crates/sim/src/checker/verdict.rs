//! Whether a message should have gone out, by what was known when leave was given.

use std::collections::BTreeSet;

use super::arms::{Arms, Variant};
use super::chance;
use super::civil::{self, Local};
use super::fact::{Contact, Instant, Message, Voice, Way};
use super::people::{Order, People};
use super::rules::{Holiday, Rules, Sheet};
use super::whereabouts::{Atlas, Whereabouts};
use super::{Breach, Kind, LEAVE_IS_GOOD_FOR};

/// Leave that was given for a message, with what was wrong about it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) at: Instant,
    /// Its place among the facts: of two at one instant, which was first.
    pub(super) place: usize,
    pub(super) message: Message,
    /// All addresses known to be the same person's at that moment.
    pub(super) person: BTreeSet<u16>,
    /// The owner or the shop stands for the address.
    pub(super) proved: bool,
    pub(super) began: Option<Instant>,
    /// Messages that the law allows by its way: for one abandonment, or else in a day.
    pub(super) most: Vec<(usize, bool)>,
    pub(super) breaches: Vec<Breach>,
}

impl Asked {
    pub(super) fn breach(&self, kind: Kind, what: &str) -> Breach {
        let Contact { cart, episode, step } = self.message.contact;
        Breach {
            kind,
            at: self.at,
            what: format!(
                "cart {cart}, episode {episode}, step {step}, {:?} to {}: {what}",
                self.message.way, self.message.address
            ),
        }
    }
}

/// What is known at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) people: &'a People,
    pub(super) atlas: &'a Atlas,
    pub(super) arms: &'a Arms<'a>,
    pub(super) rules: &'a Rules,
    pub(super) in_force_since: Option<Instant>,
}

/// Judges a message by what is known.
pub(super) fn of(scene: &Scene<'_>, at: Instant, place: usize, message: &Message) -> Asked {
    let Scene { people, rules, .. } = *scene;
    let Message { contact, way, address, .. } = *message;
    let cart = people.carts.get(&contact.cart);
    let mut asked = Asked {
        at,
        place,
        message: message.clone(),
        person: people.addresses_of(address),
        proved: people.proved.contains(&address),
        began: cart.and_then(|c| c.began.get(&contact.episode)).copied(),
        most: vec![],
        breaches: vec![],
    };
    let mut found: Vec<(Kind, String)> = vec![];
    for order in people.orders.iter().filter(|o| !o.cancelled) {
        if concerns(people, order, contact.cart, address) {
            found.push((Kind::AfterPurchase, format!("order {} was known since {}", order.number, order.at)));
        }
    }
    refusals(people, &asked, &mut found);
    let whereabouts = scene.atlas.find(people, rules, at, (contact.cart, way, address));
    consent(people, rules, &whereabouts, &asked, &mut found);
    if people.stopped {
        found.push((Kind::Other, "the shop had stopped all messages".to_owned()));
    }
    // What a cart says is as fresh as its last word to whoever asks for leave.
    if cart.and_then(|c| c.automated).is_some_and(|since| at - since > LEAVE_IS_GOOD_FOR) {
        found.push((Kind::Other, "its cart is a program's".to_owned()));
    }
    if scene.in_force_since.is_some_and(|since| asked.began.is_some_and(|began| began < since)) {
        found.push((Kind::Other, "its cart was left before the policy was in force".to_owned()));
    }
    if chance::bucket(&rules.shop, "rollout", &message.person) >= chance::upto(rules.rollout_percent) {
        found.push((Kind::Other, "the policy has not reached them".to_owned()));
    }
    planned(scene, &asked, &mut found);
    hours(rules, &whereabouts, &asked, &mut found);
    for sheet in &whereabouts.surely {
        let of_way = |caps: &[(Way, usize)]| -> Vec<usize> {
            caps.iter().filter(|(w, _)| *w == way).map(|(_, cap)| *cap).collect()
        };
        asked.most.extend(of_way(&sheet.per_abandonment).into_iter().map(|cap| (cap, true)));
        asked.most.extend(of_way(&sheet.per_day).into_iter().map(|cap| (cap, false)));
        for (_, span) in sheet.within.iter().filter(|(w, _)| *w == way) {
            if asked.began.is_some_and(|began| at - began > *span) {
                found.push((Kind::Other, "later than the law allows".to_owned()));
            }
        }
    }
    asked.breaches = found.into_iter().map(|(kind, what)| asked.breach(kind, &what)).collect();
    asked
}

/// Whether it is what was planned for them, by any of the arms in which they may be.
fn planned(scene: &Scene<'_>, asked: &Asked, found: &mut Vec<(Kind, String)>) {
    let message = &asked.message;
    let other_than = |plan: &Variant<'_>| {
        let gift = message.gift.as_ref().filter(|gift| !gift.again);
        [
            (plan.silent, "their arm is that nothing is sent"),
            (!plan.ways.contains(&message.way), "not by a way of their step"),
            (plan.text != message.text, "not the text of their step"),
            (scene.arms.is_early(message.contact, plan, asked.at), "before their step was due"),
            (
                gift.is_some_and(|gift| !plan.gifts.contains(&gift.offer)),
                "with an offer that their step has not",
            ),
        ]
        .into_iter()
        .find_map(|(is_so, what)| is_so.then_some(what))
    };
    let plans = scene.arms.variants(scene.people, message.contact, &message.person, &[message.address]);
    let wrong = plans.iter().map(other_than).reduce(Option::and);
    match wrong {
        Some(None) => {}
        Some(Some(what)) => found.push((Kind::Other, what.to_owned())),
        None => found.push((Kind::Other, "no such step was planned".to_owned())),
    }
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
    let near = order.near.is_some_and(same_person);
    same_browser || behind_bought || near || order.addresses.iter().any(|a| same_person(*a))
}

/// No, or not now.
fn refusals(people: &People, asked: &Asked, found: &mut Vec<(Kind, String)>) {
    for (at, _, way) in people.opt_outs.iter().filter(|(_, a, _)| asked.person.contains(a)) {
        let is_about = way.is_none_or(|w| w == asked.message.way);
        // Only the owner or the shop takes a no back, and nobody one to everything.
        let lifted = way.is_some()
            && people.words.iter().any(|w| {
                w.granted
                    && w.voice != Voice::Page
                    && w.way == asked.message.way
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
    whereabouts: &Whereabouts<'_>,
    asked: &Asked,
    found: &mut Vec<(Kind, String)>,
) {
    let about = |w: &&super::people::Word| w.way == asked.message.way && asked.person.contains(&w.address);
    let said: Vec<_> = people.words.iter().filter(about).collect();
    let stands = |words: &[&super::people::Word]| {
        words.iter().max_by_key(|w| (w.said, !w.granted)).is_some_and(|w| w.granted)
    };
    let heard = |w: &&super::people::Word| {
        w.way == asked.message.way && people.may_be_one(w.address, asked.message.address)
    };
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
            && whereabouts.perhaps.iter().any(|s| {
                s.soft_opt_in.iter().any(|(way, span)| *way == asked.message.way && is_customer(*span))
            });
        if !soft {
            found.push((Kind::Other, "they had not agreed".to_owned()));
        }
        return;
    }
    let firmest = said.iter().filter(|w| w.granted).map(|w| w.voice).max();
    for sheet in &whereabouts.surely {
        for (_, least) in sheet.least_voice.iter().filter(|(w, _)| *w == asked.message.way) {
            let told = match firmest {
                Some(Voice::Owner) => 2,
                Some(Voice::Shop) => 1,
                _ => 0,
            };
            // Whoever follows a link in a message confirms the yes under which it came.
            if told < *least && !people.proved.contains(&asked.message.address) {
                found.push((Kind::Other, "the law asks for a firmer yes".to_owned()));
            }
        }
    }
}

/// The hour and the day where the recipient is; wrong if it is so in every zone in which they may be.
fn hours(rules: &Rules, whereabouts: &Whereabouts<'_>, asked: &Asked, found: &mut Vec<(Kind, String)>) {
    let wrong = |zone: &&'static str| wrong_hour(rules, &whereabouts.surely, zone, asked);
    let wrongs: Vec<String> = whereabouts.zones.iter().filter_map(wrong).collect();
    if wrongs.len() == whereabouts.zones.len() {
        found.extend(wrongs.first().map(|what| (Kind::Quiet, what.clone())));
    }
}

/// What is wrong with the hour or the day in a zone.
fn wrong_hour(rules: &Rules, sheets: &[&Sheet], zone: &str, asked: &Asked) -> Option<String> {
    let Some(clock) = civil::local(asked.at, zone) else {
        return Some(format!("no zone {zone} to judge by"));
    };
    let told = format!("{:02}:{:02} in {zone}", clock.minute / 60, clock.minute % 60);
    if rules.quiet.is_some_and(|(from, to)| within(clock.minute, from, to)) {
        return Some(format!("it was {told}"));
    }
    for sheet in sheets {
        for night in &sheet.quiet {
            // The small hours belong to the night that began the day before.
            let is_morning = night.from > night.to && clock.minute < night.to;
            let begun = if is_morning { (clock.weekday + 6) % 7 } else { clock.weekday };
            let is_on = night.days.is_empty() || night.days.contains(&begun);
            if is_on && night.ways.contains(&asked.message.way) && within(clock.minute, night.from, night.to)
            {
                return Some(format!("the law keeps quiet at {told}"));
            }
        }
        for (ways, sundays, holidays) in &sheet.no_days {
            let off = (*sundays && clock.weekday == 0)
                || (*holidays && sheet.holidays.iter().any(|h| is_holiday(*h, clock)));
            if off && ways.contains(&asked.message.way) {
                return Some(format!("the law keeps quiet on {}-{} in {zone}", clock.month, clock.day));
            }
        }
    }
    None
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
