//! Whether a message should have gone out, by what was known when leave was given.

use std::collections::BTreeSet;

use super::arms::{Arms, Variant};
use super::chance;
use super::conditions::Counts;
use super::fact::{Contact, Instant, Message, Story, Voice, Way};
use super::people::{Order, People};
use super::rules::Rules;
use super::whereabouts::{Atlas, Whereabouts};
use super::{Breach, Kind, LEAVE_IS_GOOD_FOR};
use super::{hours, law};

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
    pub(super) counts: &'a Counts,
    pub(super) rules: &'a Rules,
    pub(super) story: &'a Story,
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
    if let Some(since) = cart.and_then(|c| c.forgotten) {
        found.push((Kind::AfterOptOut, format!("their cart was to be forgotten since {since}")));
    }
    // What a cart says is as fresh as its last word to whoever asks for leave.
    if cart.and_then(|c| c.automated).is_some_and(|since| at - since > LEAVE_IS_GOOD_FOR) {
        found.push((Kind::Other, "its cart is a program's".to_owned()));
    }
    if scene.story.shadow {
        found.push((Kind::Other, "the policy is in shadow".to_owned()));
    }
    if scene.story.unshown.contains(&contact.cart) {
        found.push((Kind::Other, "there was nothing to show".to_owned()));
    }
    if scene.story.in_force_since.is_some_and(|since| asked.began.is_some_and(|began| began < since)) {
        found.push((Kind::Other, "its cart was left before the policy was in force".to_owned()));
    }
    if chance::bucket(&rules.shop, "rollout", &message.person) >= chance::upto(rules.rollout_percent) {
        found.push((Kind::Other, "the policy has not reached them".to_owned()));
    }
    planned(scene, &asked, &mut found);
    clock(rules, &whereabouts, &asked, &mut found);
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
    let when = scene.arms.step(message.contact).and_then(|step| step.when.as_ref());
    let cannot_hold =
        |when| !scene.counts.ask(scene.people, when, message.contact, &[message.address]).may_hold;
    if when.is_some_and(cannot_hold) {
        found.push((Kind::Other, "the condition of their step did not hold".to_owned()));
    }
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
    // Customers need no recorded yes, or none so firm, where the shop wants that and the law lets it be; not who said no, and
    // not by an address that anybody may have typed.
    let bought = people.bought(asked.message.address).max();
    let span = whereabouts.soft_opt_in(rules, asked.message.way);
    let is_customer = bought.zip(span).is_some_and(|(placed, span)| asked.at - placed < span);
    let soft = rules.soft_opt_in && is_customer && asked.proved;
    if !standing {
        if !(soft && said.is_empty()) {
            found.push((Kind::Other, "they had not agreed".to_owned()));
        }
        return;
    }
    let firmest = said.iter().filter(|w| w.granted).map(|w| w.voice).max();
    let by_law = whereabouts.surely.iter().flat_map(|s| &s.least_voice).map(|least| (least, "the law asks"));
    let by_policy = rules.least_voice.iter().map(|least| (least, "the policy asks"));
    for ((way, least), who) in by_law.chain(by_policy) {
        // Whoever follows a link in a message confirms the yes under which it came.
        let is_firm = firmest.map_or(0, law::firmness) >= *least || asked.proved;
        if *way == asked.message.way && !is_firm && !soft {
            found.push((Kind::Other, format!("{who} for a firmer yes")));
        }
    }
}

/// The hour and the day where the recipient is; wrong if it is so by every answer to where that may be.
fn clock(rules: &Rules, whereabouts: &Whereabouts<'_>, asked: &Asked, found: &mut Vec<(Kind, String)>) {
    let wrong = |zones: &Vec<&str>| {
        zones
            .iter()
            .find_map(|zone| hours::wrong(rules, &whereabouts.surely, zone, asked.message.way, asked.at))
    };
    let mut answers = whereabouts.clocks.iter().map(wrong);
    // Without an answer nobody could say that it was day.
    let first = answers.next().unwrap_or_else(|| Some("no clock to judge by".to_owned()));
    if let Some(what) = first.filter(|_| answers.all(|wrong| wrong.is_some())) {
        found.push((Kind::Quiet, what));
    }
}
