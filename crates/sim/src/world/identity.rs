//! From identifiers to persons, by the rules of the Worker: an address and a browser have persons of their own, only
//! the shop's word merges, always into the smaller id; a merge that was cut off is finished by whoever meets it.

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::id::PersonId;
use comeback_core::jurisdiction::Place;
use comeback_core::person::{Order, Person};
use comeback_core::time::Timestamp;

use super::{Due, MERGE_RETRY, World, person_through_text, place, word};
use crate::broken::Rule;
use crate::faults::{Crash, Fate};
use crate::journal::Input;

/// What leads to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identifier {
    Address(u16),
    Visitor(u16),
    Cart(u16),
    /// Leads to whoever had something sent there last; several people may live there.
    Postal(u16),
}

/// A stored person, or where they went.
#[derive(Debug)]
pub(super) enum Held {
    Here(Box<Person>),
    Moved { into: PersonId, pending: Option<Box<Person>> },
}

/// A change to a person.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Contact(Channel, u16, Source),
    Consent(Consent),
    OptOut(Option<Channel>),
    Pause(Timestamp),
    Order(Order),
    OrderedNear(Timestamp),
    LinkCart(u16),
    ForgetCart(u16),
    /// Where they live, by an address of theirs; country and region as well as the zone.
    Lives(u16, bool),
    Verified(comeback_core::id::SendKey),
}

impl World<'_> {
    /// The person an identifier leads to.
    pub(super) fn find(&self, identifier: Identifier) -> Option<PersonId> {
        self.aliases.get(&identifier).cloned()
    }

    /// Lets an identifier lead to a person, unless it leads to somebody already; to whom it leads.
    pub(super) fn bind(&mut self, identifier: Identifier, person: &PersonId) -> Result<PersonId, Crash> {
        if let Some(held) = self.aliases.get(&identifier) {
            return Ok(held.clone());
        }
        let fate = self.weather.fate();
        if fate == Fate::DiesBefore {
            return Err(Crash);
        }
        self.aliases.insert(identifier, person.clone());
        if fate == Fate::DiesAfter { Err(Crash) } else { Ok(person.clone()) }
    }

    /// Lets an identifier lead to a person, whoever it led to before.
    pub(super) fn rebind(&mut self, identifier: Identifier, person: &PersonId) -> Result<(), Crash> {
        let fate = self.weather.fate();
        if fate == Fate::DiesBefore {
            return Err(Crash);
        }
        self.aliases.insert(identifier, person.clone());
        if fate == Fate::DiesAfter { Err(Crash) } else { Ok(()) }
    }

    /// Whoever's cart this is, the browser in which it is born is theirs; and if it is somebody's already, that one's
    /// orders end the cart all the same. Another browser that comes upon it may be anybody's: links are forwarded.
    pub(super) fn theirs(&mut self, visitor: u16, cart: u16, person: &PersonId) -> Result<(), Crash> {
        if self.cart(cart).is_none_or(|c| c.visitor.is_none() || c.visitor != self.visitor_id(visitor)) {
            return Ok(());
        }
        let browser = self.bind(Identifier::Visitor(visitor), person)?;
        if browser != *person {
            self.apply(&browser, vec![Change::LinkCart(cart)])?;
        }
        Ok(())
    }

    pub(super) fn make_person(&mut self) -> PersonId {
        self.made += 1;
        let id = PersonId::parse(&format!("per_{:x}_{}", self.group.number, self.made));
        id.unwrap_or_else(|_| PersonId::derive(&["simulated"]))
    }

    /// The person of an address that somebody typed, and whether nobody had it before.
    pub(super) fn person_of_typed(&mut self, address: u16) -> Result<(PersonId, bool), Crash> {
        if let Some(person) = self.find(Identifier::Address(address)) {
            return Ok((person, false));
        }
        let fresh = self.make_person();
        let person = self.bind(Identifier::Address(address), &fresh)?;
        Ok((person, true))
    }

    /// The one person behind addresses, by the word of the shop.
    pub(super) fn person_of(&mut self, addresses: &[u16]) -> Result<PersonId, Crash> {
        let mut found: Vec<PersonId> = vec![];
        let mut unbound = vec![];
        for address in addresses {
            match self.find(Identifier::Address(*address)) {
                Some(person) => found.push(person),
                None => unbound.push(*address),
            }
        }
        let person = match self.unite(found)? {
            Some(person) => person,
            None => self.make_person(),
        };
        for address in unbound {
            self.bind(Identifier::Address(address), &person)?;
        }
        Ok(person)
    }

    fn unite(&mut self, persons: Vec<PersonId>) -> Result<Option<PersonId>, Crash> {
        let mut living: Vec<PersonId> = vec![];
        for person in persons {
            let end = self.survivor(&person)?;
            if !living.contains(&end) {
                living.push(end);
            }
        }
        living.sort_unstable();
        let Some((first, rest)) = living.split_first() else { return Ok(None) };
        for other in rest {
            self.apply(first, vec![])?;
            self.apply(other, vec![])?;
            let fate = self.weather.fate();
            if fate == Fate::DiesBefore {
                return Err(Crash);
            }
            if let Some(held) = self.people.get_mut(other)
                && let Held::Here(person) = held
            {
                let pending = match self.setup.broken {
                    // A merge that hands over nothing but the carts.
                    Some(Rule::Absorb) => {
                        let mut bare = Person::new(person.id.clone(), person.shop.clone());
                        bare.contacts.clone_from(&person.contacts);
                        bare.consents = person.consents.iter().filter(|c| c.granted).cloned().collect();
                        bare.carts.clone_from(&person.carts);
                        Box::new(bare)
                    }
                    _ => person.clone(),
                };
                *held = Held::Moved { into: first.clone(), pending: Some(pending) };
                // If whoever merges dies now, the alarm finishes the work.
                self.push(self.now.plus(MERGE_RETRY), Due::FinishMerge(other.clone()));
                self.note(|| Input::Merge { from: other.clone(), into: first.clone() });
            }
            if fate == Fate::DiesAfter {
                return Err(Crash);
            }
            self.survivor(other)?;
        }
        Ok(Some(first.clone()))
    }

    /// Follows tombstones to the living person, finishing on the way what a merge left undone.
    pub(super) fn survivor(&mut self, person: &PersonId) -> Result<PersonId, Crash> {
        let mut at = person.clone();
        loop {
            let (into, pending) = match self.people.get(&at) {
                Some(Held::Moved { into, pending }) => (into.clone(), pending.clone()),
                _ => return Ok(at),
            };
            if let Some(pending) = pending
                && matches!(self.people.get(&into), Some(Held::Here(_)))
            {
                self.change_person(&into, |p, _| p.absorb(&pending))?;
                let fate = self.weather.fate();
                if fate == Fate::DiesBefore {
                    return Err(Crash);
                }
                self.people.insert(at.clone(), Held::Moved { into: into.clone(), pending: None });
                if fate == Fate::DiesAfter {
                    return Err(Crash);
                }
            }
            at = into;
        }
    }

    /// Changes a person who is there, in one write.
    pub(super) fn change_person<R>(
        &mut self,
        id: &PersonId,
        change: impl FnOnce(&mut Person, Timestamp) -> R,
    ) -> Result<Option<R>, Crash> {
        let fate = self.weather.fate();
        if fate == Fate::DiesBefore {
            return Err(Crash);
        }
        let now = self.now;
        let Some(Held::Here(person)) = self.people.get_mut(id) else { return Ok(None) };
        self.outcome.events += 1;
        let answer = change(person, now);
        if self.group.through_text {
            person_through_text(person);
        }
        if fate == Fate::DiesAfter { Err(Crash) } else { Ok(Some(answer)) }
    }

    /// Changes a person, made if need be, in one write; their carts.
    pub(super) fn apply(&mut self, person: &PersonId, changes: Vec<Change>) -> Result<Vec<u16>, Crash> {
        let id = self.survivor(person)?;
        let fresh = || Held::Here(Box::new(Person::new(id.clone(), self.shop.clone())));
        self.people.entry(id.clone()).or_insert_with(fresh);
        for change in &changes {
            self.note_change(&id, change);
        }
        let texts: Vec<(u16, String)> = changes
            .iter()
            .filter_map(|c| match c {
                Change::Contact(_, address, _) => Some((*address, self.address_text(*address))),
                _ => None,
            })
            .collect();
        let ids: Vec<_> = changes
            .iter()
            .filter_map(|c| match c {
                Change::LinkCart(cart) | Change::ForgetCart(cart) => self.cart_id(*cart),
                _ => None,
            })
            .collect();
        let lives = |address| self.group.profile(address);
        let carts = self.change_person(&id, |p, now| {
            let mut ids = ids.iter();
            for change in changes {
                match change {
                    Change::Contact(channel, address, source) => {
                        if let Some((_, text)) = texts.iter().find(|(a, _)| *a == address) {
                            p.add_contact(channel, text, source, now);
                        }
                    }
                    Change::Consent(consent) => p.record_consent(consent),
                    Change::OptOut(channel) => p.opt_out(channel, now),
                    Change::Pause(until) => p.paused_until = p.paused_until.max(Some(until)),
                    Change::Order(order) => p.record_order(order),
                    Change::OrderedNear(at) => p.ordered_near(at),
                    Change::LinkCart(_) => ids.by_ref().take(1).for_each(|id| p.link_cart(id)),
                    Change::ForgetCart(_) => ids.by_ref().take(1).for_each(|id| p.forget_cart(id)),
                    Change::Lives(address, with_place) => {
                        p.zone = word(lives(address).zone).or_else(|| p.zone.take());
                        if with_place {
                            p.place = place(lives(address));
                        }
                    }
                    Change::Verified(key) => {
                        p.verify_sent(&key);
                        p.clicked(&key, now);
                    }
                }
            }
            p.carts.clone()
        })?;
        Ok(carts.unwrap_or_default().iter().filter_map(|id| self.number_of(id)).collect())
    }

    fn note_change(&mut self, id: &PersonId, change: &Change) {
        if !self.setup.journal {
            return;
        }
        let person = id.clone();
        let input = match change {
            Change::Contact(channel, address, source) => Input::Contact {
                person,
                channel: *channel,
                contact: format!("contact_{:x}_{address}", self.group.number),
                verified: *source != Source::Page,
                source: *source,
            },
            Change::Consent(consent) => Input::Consent { person, consent: consent.clone() },
            Change::OptOut(channel) => Input::OptOut { person, channel: *channel },
            Change::Pause(until) => Input::Pause { person, until: *until },
            Change::Lives(address, with_place) => {
                let home = self.group.profile(*address);
                Input::Whereabouts {
                    person,
                    zone: word(home.zone),
                    place: if *with_place { place(home) } else { Place::default() },
                }
            }
            // Told as an order, as a link and as a click.
            Change::Order(_)
            | Change::OrderedNear(_)
            | Change::LinkCart(_)
            | Change::ForgetCart(_)
            | Change::Verified(_) => return,
        };
        self.note(|| input);
    }
}
