//! What the shell does when something comes in from outside: which objects it writes, in which
//! order, and when its sender hears of it. A person's object is written before anyone is answered.

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::id::{CartId, PersonId};
use comeback_core::person::{Order, Person};
use comeback_core::recovery::CartOrder;
use comeback_core::signal::{CheckoutError, Signal, SignalKind, Viewed};
use comeback_core::time::HOUR;

use super::{
    Breakage, Doing, Due, PersonObject, World, cart_change, cart_id, currency, event_id, own_address,
    visitor, visitor_alias,
};
use crate::act::Act;
use crate::faults::Crash;
use crate::timeline::Fact;

impl World {
    pub(super) fn act(&mut self, doing: &Doing) -> Result<(), Crash> {
        let subject = doing.subject.as_str();
        match &doing.act {
            Act::Adds(_)
            | Act::AddsOf { .. }
            | Act::Removes(_)
            | Act::Views
            | Act::Hides
            | Act::TurnsToLeave
            | Act::SessionEnds
            | Act::LooksAt { .. }
            | Act::BeginsCheckout
            | Act::EstimatesShipping
            | Act::TriesCoupon(_)
            | Act::IsRefused { .. }
            | Act::PageSaysBought => self.signal(doing),
            Act::ShipsTo(postal) => {
                if let Some(person) = self.person(subject) {
                    self.faults.step()?;
                    self.aliases.insert(postal_alias(postal), person.id);
                    self.faults.step()?;
                }
                Ok(())
            }
            Act::IsAutomated => {
                let mut recovery = self.cart_or_new(subject, doing.said);
                recovery.automated = true;
                self.commit_cart(recovery, vec![])
            }
            Act::LeavesContact { channel, address, source, consent } => {
                self.leaves_contact(doing, *channel, *address, *source, *consent)
            }
            Act::Consents { channel, granted, source } => {
                if doing.first {
                    self.tell(subject, Fact::Said { channel: *channel, granted: *granted, source: *source });
                }
                let Some(mut person) = self.person(subject) else {
                    return Ok(());
                };
                person.record_consent(consent(doing, *channel, *granted, *source));
                self.commit_person(&person, None)?;
                if !granted {
                    self.tell(subject, Fact::OptOutAcknowledged { channel: Some(*channel) });
                }
                Ok(())
            }
            Act::IsIn(zone) => {
                if let Some(mut person) = self.person(subject) {
                    person.zone = Some((*zone).to_owned());
                    self.commit_person(&person, None)?;
                }
                let mut recovery = self.cart_or_new(subject, doing.said);
                recovery.zone = Some((*zone).to_owned());
                self.commit_cart(recovery, vec![])
            }
            Act::Orders { address, .. } => self.orders(doing, *address, None),
            Act::OrdersTo { address, postal } => self.orders(doing, Some(*address), Some(*postal)),
            Act::Clicks => self.clicks(doing),
            Act::OptsOut(channel) => self.opts_out(doing, *channel),
            Act::HasItForgotten => self.forgets(subject),
            Act::PausesFor(span) => {
                let Some(mut person) = self.person(subject) else {
                    return Ok(());
                };
                person.paused_until = person.paused_until.max(Some(doing.said.plus(*span)));
                self.commit_person(&person, None)
            }
            Act::ShopStops => {
                self.stopped = true;
                self.tell(subject, Fact::Stopped);
                Ok(())
            }
            Act::ShopResumes => {
                self.stopped = false;
                self.tell(subject, Fact::Resumed);
                Ok(())
            }
            Act::ProviderDown(down) => {
                self.provider.down = *down;
                Ok(())
            }
            Act::ProviderRefusesOnce => {
                self.provider.refuse_next = true;
                Ok(())
            }
            Act::QueueForgets => {
                self.agenda.retain(|_, due| !matches!(due, Due::Deliver(_)));
                Ok(())
            }
            Act::SpuriousAlarm => {
                self.ring(&cart_id(subject));
                Ok(())
            }
        }
    }

    fn signal(&mut self, doing: &Doing) -> Result<(), Crash> {
        let kind = match &doing.act {
            Act::Hides => SignalKind::PageHide,
            Act::TurnsToLeave => SignalKind::ExitIntent,
            Act::SessionEnds => SignalKind::SessionEnd,
            Act::BeginsCheckout => SignalKind::BeginCheckout,
            Act::EstimatesShipping => SignalKind::ViewShippingEstimate,
            Act::TriesCoupon(accepted) => SignalKind::TryCoupon { accepted: *accepted },
            Act::IsRefused { step, code } => SignalKind::CheckoutError(CheckoutError {
                step: (*step).to_owned(),
                code: (*code).to_owned(),
                method: "card".to_owned(),
            }),
            Act::LooksAt { item, class, dwell } => {
                let class = class.map(str::to_owned);
                let item = Viewed { item_id: (*item).to_owned(), item_variant: None, class };
                SignalKind::ViewItem { item: Some(item), dwell_ms: Some(*dwell) }
            }
            Act::PageSaysBought => SignalKind::Purchase { order: format!("order of {}", doing.subject) },
            other => cart_change(other)
                .map_or(SignalKind::PageView, |change| SignalKind::Cart { currency: currency(), change }),
        };
        if doing.first {
            self.tell(&doing.subject, Fact::Touched { at: doing.said });
        }
        let mut recovery = self.cart_or_new(&doing.subject, doing.said);
        let mut effects = vec![];
        // A new cart in a browser that is known has its person from the start.
        if recovery.person.is_none()
            && let Some(mut person) = self.person(&doing.subject)
        {
            person.link_cart(&recovery.id);
            self.commit_person(&person, None)?;
            effects.extend(recovery.link(self.now, &person.id));
        }
        let signal = Signal { id: event_id(doing.id), at: doing.said, kind };
        effects.extend(recovery.signal(self.now, signal));
        self.commit_cart(recovery, effects)
    }

    fn leaves_contact(
        &mut self,
        doing: &Doing,
        channel: Channel,
        address: Option<&str>,
        source: Source,
        granted: Option<bool>,
    ) -> Result<(), Crash> {
        let subject = doing.subject.as_str();
        let address = address.map_or_else(|| own_address(subject, channel), str::to_owned);
        if doing.first {
            self.tell(subject, Fact::Brought { channel, address: address.clone(), source });
            if let Some(granted) = granted {
                self.tell(subject, Fact::Said { channel, granted, source });
            }
        }
        let mut person = self.unite(&[address_alias(&address), visitor_alias(subject)])?;
        person.add_contact(channel, &address, source, doing.said);
        if let Some(granted) = granted {
            person.record_consent(consent(doing, channel, granted, source));
        }
        self.commit_person(&person, None)?;
        // Every cart of this browser has its person now, not only the one at hand.
        self.cart_or_new(subject, doing.said);
        let here: Vec<CartId> = self
            .carts
            .iter()
            .filter(|(_, object)| visitor(&object.subject) == visitor(subject))
            .map(|(id, _)| id.clone())
            .collect();
        for id in here {
            person.link_cart(&id);
            self.commit_person(&person, None)?;
            let Some(mut recovery) = self.load_cart(&id) else {
                continue;
            };
            let effects = recovery.link(self.now, &person.id);
            self.commit_cart(recovery, effects)?;
        }
        self.tell(subject, Fact::Identified { address });
        Ok(())
    }

    fn orders(&mut self, doing: &Doing, address: Option<&str>, postal: Option<&str>) -> Result<(), Crash> {
        let subject = doing.subject.as_str();
        // An order is placed once, however often it is reported.
        let placed = *self.placed.entry(subject.to_owned()).or_insert(doing.said);
        if self.acknowledges_first(doing, &Fact::OrderAcknowledged { at: placed }) {
            return Ok(());
        }
        let address = address.map_or_else(|| own_address(subject, Channel::Email), str::to_owned);
        let mut person = self.unite(&[address_alias(&address), visitor_alias(subject)])?;
        let bought = cart_id(subject);
        person.link_cart(&bought);
        let order = Order {
            id: format!("order of {subject}"),
            at: placed,
            total_minor: None,
            cancelled: false,
            currency: None,
        };
        person.record_order(order);
        self.commit_person(&person, None)?;
        let mut carts = person.carts.clone();
        // Whoever is known at the postal address hears of the order too, and stays who they are.
        let there = postal.and_then(|p| self.aliases.get(&postal_alias(p))).map(|id| self.resolve(id));
        if let Some(mut other) = there.filter(|id| *id != person.id).and_then(|id| self.load_person(&id)) {
            other.ordered_near(placed);
            self.commit_person(&other, None)?;
            carts.extend(other.carts);
        }
        self.tell(subject, Fact::Identified { address });
        self.tell(subject, Fact::OrderAcknowledged { at: placed });
        // The carts hear of it in their own time; until then the gate holds.
        let due = Due::EndCarts { carts, bought, doing: doing.clone() };
        let delay = self.faults.dawdle();
        self.push(self.now.plus(delay), due);
        Ok(())
    }

    /// The bought cart is paid or ordered; the person's other carts of that time are over too, but
    /// nobody paid for what is in them.
    pub(super) fn end_carts(
        &mut self,
        carts: &[CartId],
        bought: &CartId,
        doing: &Doing,
    ) -> Result<(), Crash> {
        let placed = self.placed.get(&doing.subject).copied().unwrap_or(doing.said);
        for id in carts {
            let Some(mut recovery) = self.load_cart(id).filter(|r| r.born_at <= placed) else {
                continue;
            };
            let paid =
                id == bought && matches!(doing.act, Act::Orders { paid: true, .. } | Act::OrdersTo { .. });
            let order = CartOrder { id: format!("order of {}", doing.subject), at: doing.said, paid };
            let effects = recovery.ordered(self.now, &order, &self.policy);
            self.commit_cart(recovery, effects)?;
        }
        Ok(())
    }

    fn clicks(&mut self, doing: &Doing) -> Result<(), Crash> {
        let subject = doing.subject.as_str();
        let last = self.timeline.iter().rev().find_map(|e| match &e.fact {
            Fact::Accepted { key, address, .. } if e.subject == subject => {
                Some((key.clone(), address.clone()))
            }
            _ => None,
        });
        let (Some((key, address)), Some(mut recovery)) = (last, self.cart(subject)) else {
            return Ok(());
        };
        if doing.first {
            self.tell(subject, Fact::Touched { at: doing.said });
            self.tell(subject, Fact::Proved { address });
        }
        if let Some(mut person) = self.person(subject) {
            person.verify_sent(&key);
            person.clicked(&key, self.now);
            self.commit_person(&person, None)?;
        }
        let effects = recovery.clicked(self.now, &key);
        self.commit_cart(recovery, effects)
    }

    fn opts_out(&mut self, doing: &Doing, channel: Option<Channel>) -> Result<(), Crash> {
        let Some(mut person) = self.person(&doing.subject) else {
            return Ok(());
        };
        if self.acknowledges_first(doing, &Fact::OptOutAcknowledged { channel }) {
            return Ok(());
        }
        person.opt_out(channel, doing.said);
        self.commit_person(&person, None)?;
        self.tell(&doing.subject, Fact::OptOutAcknowledged { channel });
        Ok(())
    }

    /// The cart first: from then on it says whose it was and nothing else. Then its person, so that no claim
    /// that is under way is let through.
    fn forgets(&mut self, subject: &str) -> Result<(), Crash> {
        let Some(mut recovery) = self.load_cart(&cart_id(subject)) else { return Ok(()) };
        let effects = recovery.forget(self.now);
        let whose = recovery.person.clone();
        self.commit_cart(recovery, effects)?;
        let known = whose.and_then(|person| self.load_person(&self.resolve(&person)));
        for mut person in known.into_iter().chain(self.person(subject)) {
            person.forget_cart(&cart_id(subject));
            self.commit_person(&person, None)?;
        }
        Ok(())
    }

    /// The broken shell that answers now and writes in three hours; a good one says `false`.
    fn acknowledges_first(&mut self, doing: &Doing, fact: &Fact) -> bool {
        if self.breakage != Breakage::AcknowledgesFirst || !doing.first {
            return false;
        }
        self.tell(&doing.subject, fact.clone());
        self.plan(self.now.plus(3 * HOUR), Doing { first: false, ..doing.clone() });
        true
    }

    /// The one person behind these aliases; several are merged. Fixed order: the survivor takes
    /// everything in, then the others leave a tombstone, then aliases and carts follow. Doing it
    /// again after a crash changes nothing that was done.
    fn unite(&mut self, aliases: &[String]) -> Result<Person, Crash> {
        let mut found: Vec<PersonId> = vec![];
        for alias in aliases {
            if let Some(id) = self.aliases.get(alias).map(|id| self.resolve(id))
                && !found.contains(&id)
            {
                found.push(id);
            }
        }
        let first = aliases.first().map_or("", String::as_str);
        let survivor = found.first().cloned().unwrap_or_else(|| PersonId::derive(&["story", first]));
        let mut person =
            self.load_person(&survivor).unwrap_or_else(|| Person::new(survivor.clone(), self.shop.clone()));
        let merged: Vec<PersonId> = found.into_iter().filter(|id| *id != survivor).collect();
        for other in merged.iter().filter_map(|id| self.load_person(id)) {
            person.absorb(&other);
        }
        self.commit_person(&person, None)?;
        for id in merged {
            self.faults.step()?;
            self.people.insert(id, PersonObject::MergedInto(survivor.clone()));
            self.faults.step()?;
        }
        for alias in aliases {
            self.faults.step()?;
            self.aliases.insert(alias.clone(), survivor.clone());
            self.faults.step()?;
        }
        for cart in &person.carts {
            if let Some(mut recovery) = self.load_cart(cart).filter(|r| r.person.as_ref() != Some(&survivor))
            {
                let effects = recovery.link(self.now, &survivor);
                self.commit_cart(recovery, effects)?;
            }
        }
        Ok(person)
    }
}

fn postal_alias(postal: &str) -> String {
    format!("postal {postal}")
}

fn address_alias(address: &str) -> String {
    format!("address {address}")
}

fn consent(doing: &Doing, channel: Channel, granted: bool, source: Source) -> Consent {
    Consent { channel, granted, wording: "2026-01".to_owned(), at: doing.said, source }
}
