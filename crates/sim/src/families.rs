//! Who has to do with whom: carts and persons that one event names belong to one family, and families
//! have nothing to do with each other, so a journal may be replayed family by family. Ids are hashed
//! into a fixed number of slots: what this holds does not grow with the journal, and two families that
//! meet in a slot are merely replayed together, which changes nothing. Reads no files.

use crate::journal::Event;
use crate::random::{Random, hash};

/// Families as they are found: a forest over slots, each pointing towards the first of its family.
#[derive(Debug, Clone)]
pub struct Families {
    above: Vec<u32>,
}

impl Families {
    /// Nobody has to do with anybody yet. Takes four bytes a slot; so many are used as the next power
    /// of two. Well above the number of carts and persons, or chance makes one family of all.
    #[must_use]
    pub fn new(slots: u32) -> Self {
        let slots = slots.clamp(1, 1 << 30).next_power_of_two();
        Self { above: (0..slots).collect() }
    }

    /// All whom an event names are one family from now on.
    pub fn join(&mut self, event: &Event) {
        let mut named = event.what.named();
        let Some(first) = named.next() else { return };
        let mut held = self.slot(first);
        for other in named {
            let other = self.slot(other);
            let (a, b) = (self.first(held), self.first(other));
            if let Some(above) = self.above.get_mut(index(a.max(b))) {
                *above = a.min(b);
            }
            held = a.min(b);
        }
    }

    /// The family of an event; nothing if it names nobody.
    pub fn of(&mut self, event: &Event) -> Option<u32> {
        let slot = self.slot(event.what.named().next()?);
        Some(self.first(slot))
    }

    /// In which of so many parts an event belongs. A family is never divided.
    pub fn part(&mut self, event: &Event, parts: usize) -> Option<usize> {
        let spread = Random::new(self.of(event)?.into()).below(parts.try_into().ok()?);
        spread.try_into().ok()
    }

    fn slot(&self, id: &str) -> u32 {
        let spread = Random::new(hash(0, id)).below(self.above.len().try_into().unwrap_or(1));
        u32::try_from(spread).unwrap_or(0)
    }

    /// The first slot of a family. What is walked over points further up afterwards.
    fn first(&mut self, slot: u32) -> u32 {
        let mut at = slot;
        loop {
            let above = self.above.get(index(at)).copied().unwrap_or(at);
            if above == at {
                return at;
            }
            let higher = self.above.get(index(above)).copied().unwrap_or(above);
            if let Some(held) = self.above.get_mut(index(at)) {
                *held = higher;
            }
            at = higher;
        }
    }
}

fn index(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Input;
    use comeback_core::consent::Source;
    use comeback_core::id::{CartId, PersonId};
    use comeback_core::time::Timestamp;

    fn event(what: Input) -> Event {
        Event { at: Timestamp::from_millis(0), what }
    }

    fn person(n: u32) -> PersonId {
        PersonId::parse(&format!("per_{n}")).unwrap()
    }

    fn link(cart: u32, of: u32) -> Event {
        let cart = CartId::parse(&format!("cart_{cart}")).unwrap();
        event(Input::Link { cart, person: person(of), source: Source::Page, visitor: None })
    }

    fn opted_out(n: u32) -> Event {
        event(Input::OptOut { person: person(n), channel: None })
    }

    #[test]
    fn a_chain_of_carts_and_persons_is_one_family() {
        let mut families = Families::new(1 << 12);
        let merge = event(Input::Merge { from: person(2), into: person(3) });
        for event in [&link(1, 1), &link(2, 1), &link(2, 2), &merge, &link(9, 9)] {
            families.join(event);
        }
        let one = families.of(&link(1, 1));
        assert!(one.is_some());
        for event in [&link(2, 1), &opted_out(2), &opted_out(3), &merge] {
            assert_eq!(families.of(event), one);
        }
        assert_ne!(families.of(&opted_out(9)), one);
        assert_eq!(families.of(&event(Input::Stop { stopped: true })), None);
    }

    #[test]
    fn strangers_are_spread_over_the_parts_and_kin_are_not() {
        let mut families = Families::new(1 << 16);
        let all: Vec<Event> = (0..4_000).map(|n| link(n, n / 2)).collect();
        all.iter().for_each(|event| families.join(event));
        let mut sizes = [0_u32; 8];
        for pair in all.chunks(2) {
            let [a, b] = [0, 1].map(|i| families.part(&pair[i], 8).unwrap());
            assert_eq!(a, b);
            sizes[a] += 1;
        }
        assert!(sizes.iter().all(|n| (180..330).contains(n)), "{sizes:?}");
    }

    #[test]
    fn too_few_slots_join_strangers_and_never_part_kin() {
        let mut families = Families::new(4);
        let all: Vec<Event> = (0..100).map(|n| link(n, n)).collect();
        all.iter().for_each(|event| families.join(event));
        assert!(all.iter().all(|event| families.of(event) == families.of(&all[0])));
    }
}
