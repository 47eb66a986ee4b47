//! Whether every step that fell due found its end. A cart's own word that something was sent is not believed: the
//! provider's is.

use std::collections::{BTreeMap, BTreeSet};

use super::arms::Arms;
use super::fact::{Contact, End, Fact, Instant, Story};
use super::people::People;
use super::{Breach, Kind};

#[derive(Debug, Default)]
struct Watched {
    episode: u32,
    steps: u32,
    ended: BTreeMap<u32, Instant>,
    running: bool,
}

/// Steps that ended in nothing, and carts that were left and nobody noticed.
pub(super) fn lost(story: &Story, people: &People, arms: &Arms<'_>) -> Vec<Breach> {
    let mut breaches = vec![];
    let mut watched: BTreeMap<u16, Watched> = BTreeMap::new();
    let mut considered: BTreeMap<u16, Instant> = BTreeMap::new();
    let mut delivered: BTreeSet<Contact> = BTreeSet::new();
    for entry in &story.facts {
        let mut say = |what: String| breaches.push(Breach { kind: Kind::Lost, at: entry.at, what });
        match &entry.fact {
            Fact::Left { cart, episode, .. } => {
                let first = Contact { cart: *cart, episode: *episode, step: 0 };
                let steps = arms.episode(first).map_or(0, |e| u32::try_from(e.steps.len()).unwrap_or(0));
                watched.insert(*cart, Watched { episode: *episode, steps, ..Watched::default() });
            }
            Fact::Considered { cart } => {
                considered.insert(*cart, entry.at);
            }
            Fact::Delivered(message) => {
                delivered.insert(message.contact);
            }
            Fact::Ended { contact, how } => {
                if *how == End::Sent && !delivered.contains(contact) {
                    say(format!("{contact:?}: the cart says it was sent, no provider took it"));
                }
                let Some(held) = watched.get_mut(&contact.cart).filter(|w| w.episode == contact.episode)
                else {
                    continue;
                };
                held.ended.insert(contact.step, entry.at);
                let open: Vec<u32> = (0..contact.step).filter(|s| !held.ended.contains_key(s)).collect();
                for step in open {
                    say(format!("{contact:?} ended before step {step}, which has no end"));
                    // Once is enough.
                    held.ended.insert(step, entry.at);
                }
            }
            Fact::Runs { cart } => {
                if let Some(held) = watched.get_mut(cart) {
                    held.running = true;
                }
            }
            Fact::Rests { cart, exhausted } => {
                let Some(held) = watched.get_mut(cart) else { continue };
                held.running = false;
                let open = (0..held.steps).filter(|step| !held.ended.contains_key(step));
                for step in open.filter(|_| *exhausted) {
                    say(format!("cart {cart}, episode {}: over, and step {step} has no end", held.episode));
                }
            }
            _ => {}
        }
    }
    let end = story.facts.last().map_or(0, |e| e.at);
    for (cart, held) in watched.iter().filter(|(_, w)| w.running) {
        for step in (0..held.steps).filter(|step| !held.ended.contains_key(step)) {
            let contact = Contact { cart: *cart, episode: held.episode, step };
            if let Some(due) = arms.due(contact).filter(|due| *due <= end) {
                let what =
                    format!("cart {cart}, episode {}: step {step} was due and has no end", held.episode);
                breaches.push(Breach { kind: Kind::Lost, at: due, what });
            }
        }
    }
    for (cart, held) in &people.carts {
        let Some(alive) = held
            .alive
            .filter(|_| held.pieces > 0 && held.automated.is_none() && !held.ordered && !held.closing)
        else {
            continue;
        };
        // An order ends every cart it may concern, and somebody else's now and then.
        let closed = people.orders.iter().any(|o| held.seen.is_some_and(|seen| seen <= o.at));
        if !closed && considered.get(cart).is_none_or(|at| *at < alive) {
            let what = format!("cart {cart} was left and nobody noticed");
            breaches.push(Breach { kind: Kind::Lost, at: alive, what });
        }
    }
    breaches
}
