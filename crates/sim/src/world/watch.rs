//! What a cart's states say to the checker: when it was left, when its sequence runs and rests, how its steps ended.

use comeback_core::effect::{Effect, Happened};
use comeback_core::id::{PersonId, SendKey};
use comeback_core::recovery::{Phase, Trigger};

use super::World;
use crate::checker::{Contact, End, Fact};
use crate::reading::reason_told;

/// What was last told of a cart.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch {
    episode: u32,
    running: bool,
    person: Option<PersonId>,
}

impl World<'_> {
    /// Tells what a write of a cart means.
    pub(super) fn observe(&mut self, number: u16, effects: &[Effect]) {
        let Some(Some(held)) = self.carts.get_mut(usize::from(number)) else { return };
        let mut facts = vec![];
        if held.cart.person != held.watch.person {
            held.watch.person.clone_from(&held.cart.person);
            let person = held.cart.person.iter().map(|p| p.as_str().to_owned());
            facts.extend(person.map(|person| Fact::Behind { cart: number, person }));
        }
        let running = held.cart.phase.is_running();
        let steps = held.cart.episode.as_ref().and_then(|e| self.setup.policy.sequence(&e.sequence));
        let steps = steps.map(|s| s.steps.as_slice()).unwrap_or_default();
        if let Some(episode) = held.cart.episode.as_ref().filter(|e| e.number != held.watch.episode) {
            held.watch.episode = episode.number;
            facts.push(Fact::Left {
                cart: number,
                episode: episode.number,
                began: episode.began.millis(),
                browse: episode.trigger == Trigger::Browse,
                sequence: episode.sequence.clone(),
            });
            // It may have begun and ended in one write.
            held.watch.running = true;
            facts.push(Fact::Runs { cart: number });
        }
        for effect in effects {
            let Effect::Record(entry) = effect else { continue };
            match &entry.what {
                Happened::Moved {
                    from: Phase::Active,
                    to: Phase::Abandoned | Phase::Recovering | Phase::Exhausted,
                    ..
                } => {
                    facts.push(Fact::Considered { cart: number });
                }
                Happened::Settled { key, outcome } => {
                    let (cart, last) = (&held.cart.id, held.watch.episode);
                    let count = u32::try_from(steps.len()).unwrap_or(0);
                    let found = (1..=last).rev().find_map(|episode| {
                        let step = (0..count).find(|step| SendKey::of(cart, episode, *step) == *key)?;
                        Some(Contact { cart: number, episode, step })
                    });
                    if let Some(contact) = found {
                        let how = match outcome.strip_prefix("skipped: ") {
                            Some(why) => End::Skipped(reason_told(why)),
                            None => End::Sent,
                        };
                        facts.push(Fact::Ended { contact, how });
                    }
                }
                _ => {}
            }
        }
        if running != held.watch.running {
            held.watch.running = running;
            let episode = held.cart.episode.as_ref();
            let exhausted = held.cart.phase == Phase::Exhausted
                && episode.is_some_and(|e| usize::try_from(e.next_step).is_ok_and(|n| n >= steps.len()));
            facts.push(if running {
                Fact::Runs { cart: number }
            } else {
                Fact::Rests { cart: number, exhausted }
            });
        }
        for fact in facts {
            self.tell(fact);
        }
    }
}
