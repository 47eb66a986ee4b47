//! Everything else that comes in: addresses, words about messages, orders of the platform, links that are followed.
//! Who reports is answered when everything is written, and not before.

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::person::Order;
use comeback_core::time::{DAY, HOUR, Timestamp};

use super::identity::{Change, Identifier};
use super::orders::Placed;
use super::{Due, Task, World};
use crate::broken::Rule;
use crate::checker::{Fact, Voice, Way};
use crate::faults::Crash;
use crate::journal::Input;
use crate::life::{ADDRESSES, Act, Status};

/// What an order amounts to, in minor units.
const ORDERED: i64 = 6_000;

/// An order as a platform tells of it.
struct Bought {
    order: u32,
    cart: Option<u16>,
    status: Status,
    placed: Timestamp,
    postal: Option<u16>,
}

impl World<'_> {
    /// One stage of a call; `None` when it was answered.
    pub(super) fn work(&mut self, mut task: Task) -> Result<Option<Task>, Crash> {
        let Some(act) = self.acts.get(task.act).map(|p| p.act.clone()) else { return Ok(None) };
        if task.stage == 0 && task.at.is_none() {
            task.at = Some(self.now);
            if let Some(first) = self.first.get_mut(task.act) {
                first.get_or_insert(self.now);
            }
            self.begin(&act);
        }
        match act {
            Act::Batch { .. } => self.batch(task),
            Act::Types { visitor, cart, email, phone, agrees } => {
                self.types(task, visitor, cart, email, phone, agrees)
            }
            Act::SignsIn { cart, addresses, agrees } => self.signs_in(task, cart, &addresses, agrees),
            Act::Subscribes { visitor, cart, address } => self.subscribes(task, visitor, cart, address),
            Act::Says { visitor, address, granted } => self.says(&task, visitor, address, granted),
            Act::Orders { order, cart, addresses, status, placed, postal } => {
                let bought = Bought { order, cart, status, placed, postal };
                self.orders(task, &bought, &addresses)
            }
            Act::Ships { address, postal } => self.ships(&task, address, postal),
            Act::Forgets { visitor, cart } => self.forgets(task, visitor, cart),
            Act::Clicks { message } => self.clicks(task, message),
            Act::OptsOut { message, all } => self.opts_out(&task, message, all),
            Act::Pauses { message } => self.pauses(&task, message),
            Act::Returns { message } => self.returns(&task, message),
            Act::Stops(on) => {
                self.stopped = on;
                // Of this group's shop only: a journal is of one shop for all groups.
                self.answer(task.act, vec![Fact::Stopped { on }]);
                Ok(None)
            }
        }
    }

    /// Tells whom a call about who is who names.
    fn begin(&mut self, act: &Act) {
        let (visitor, addresses) = match act {
            Act::Types { visitor, email, phone, .. } => {
                (Some(*visitor), email.iter().chain(phone).copied().collect())
            }
            Act::SignsIn { addresses, .. } | Act::Orders { addresses, .. } => (None, addresses.clone()),
            Act::Subscribes { visitor, address, .. } => (Some(*visitor), vec![*address]),
            Act::Says { address, .. } | Act::Ships { address, .. } => (None, vec![*address]),
            _ => return,
        };
        self.tell(Fact::Begun { visitor, addresses });
    }

    pub(super) fn acknowledge(&mut self, act: usize) -> bool {
        match self.acknowledged.get_mut(act) {
            Some(held) => !core::mem::replace(held, true),
            None => false,
        }
    }

    /// Everything is written: whoever reported it hears so. Once; a copy is answered and says nothing new.
    pub(super) fn answer(&mut self, act: usize, facts: Vec<Fact>) {
        if self.acknowledge(act) {
            for fact in facts {
                self.tell(fact);
            }
        }
    }

    /// What allows more counts from its arrival on: the edge may know of it before it has answered.
    pub(super) fn arrive(&mut self, act: usize, facts: Vec<Fact>) {
        if self.arrived.get_mut(act).is_some_and(|held| !core::mem::replace(held, true)) {
            for fact in facts {
                self.tell(fact);
            }
        }
    }

    /// When an act was done, which the shop's word about it says.
    fn said(&self, act: usize) -> Timestamp {
        self.acts.get(act).map_or(self.now, |p| p.said.min(self.now))
    }

    /// The broken shell that answers now and writes hours later; a good one says `false`.
    pub(super) fn answers_first(&mut self, task: &Task, rule: Rule, facts: Vec<Fact>) -> bool {
        if self.setup.broken != Some(rule) || self.acknowledged.get(task.act).copied().unwrap_or(true) {
            return false;
        }
        self.answer(task.act, facts);
        self.push(self.now.plus(30 * HOUR), Due::Call(Box::new(Task { act: task.act, ..Task::default() })));
        true
    }

    /// The shop says when somebody said so, or its word, told twice, would take back what was said in between.
    fn consent(&self, act: usize, channel: Channel, granted: bool, source: Source) -> Change {
        let at = if source == Source::Signed { self.said(act) } else { self.now };
        Change::Consent(Consent { channel, granted, wording: "2026-01".to_owned(), at, source })
    }

    fn types(
        &mut self,
        mut task: Task,
        visitor: u16,
        cart: Option<u16>,
        email: Option<u16>,
        phone: Option<u16>,
        agrees: bool,
    ) -> Result<Option<Task>, Crash> {
        let Some(first) = email.or(phone) else { return Ok(None) };
        if task.stage == 0 {
            let yes = email.into_iter().chain(phone).filter(|_| agrees);
            let yes = yes.map(|a| self.yes(task.act, a, Voice::Page)).collect();
            self.arrive(task.act, yes);
            let (person, is_new) = self.person_of_typed(first)?;
            let candidate = if is_new { person.clone() } else { self.make_person() };
            let browser = self.bind(Identifier::Visitor(visitor), &candidate)?;
            let own = is_new || browser == person;
            let mut takes_phone = email.is_none();
            if let (Some(_), Some(phone), true) = (email, phone, own) {
                takes_phone = self.bind(Identifier::Address(phone), &person)? == person;
            }
            let mut changes: Vec<Change> = cart.into_iter().map(Change::LinkCart).collect();
            for address in email.into_iter().chain(phone.filter(|_| takes_phone)) {
                let channel = self.channel(address);
                changes.push(Change::Contact(channel, address, Source::Page));
                if agrees {
                    changes.push(self.consent(task.act, channel, true, Source::Page));
                }
            }
            if let (Some(cart), true) = (cart, browser != person) {
                self.apply(&browser, vec![Change::LinkCart(cart)])?;
            }
            self.apply(&person, changes)?;
            task.person = Some(person);
            task.stage = 1;
            return Ok(Some(task));
        }
        let Some(person) = task.person.clone() else { return Ok(None) };
        if let Some(cart) = cart {
            self.link(cart, &person, Source::Page, Some(visitor))?;
        }
        let mut facts = vec![Fact::Typed { visitor, cart, email, phone }];
        facts.extend(agrees.then(|| Fact::Agreed { addresses: vec![first] }));
        self.answer(task.act, facts);
        Ok(None)
    }

    /// A person was found behind a cart; one that is not born yet will ask for them.
    fn link(
        &mut self,
        cart: u16,
        person: &comeback_core::id::PersonId,
        source: Source,
        visitor: Option<u16>,
    ) -> Result<(), Crash> {
        if self.cart(cart).is_none() {
            if source == Source::Signed {
                // The shop's word goes before a page's, in one write: a process that died in between would leave a
                // cart that is born then to nobody.
                self.rebind(Identifier::Cart(cart), person)?;
            } else {
                self.bind(Identifier::Cart(cart), person)?;
            }
        }
        if self.cart(cart).is_none() {
            return Ok(());
        }
        let (now, browser) = (self.now, visitor.and_then(|v| self.visitor_id(v)));
        if let Some(id) = self.cart_id(cart) {
            let (person, visitor) = (person.clone(), browser.clone());
            self.note(|| Input::Link { cart: id, person, source, visitor });
        }
        self.change_cart(cart, |held| match source {
            Source::Page => held.link_from_page(now, person, browser.as_ref()),
            _ => held.link(now, person),
        })
    }

    fn yes(&self, act: usize, address: u16, voice: Voice) -> Fact {
        Fact::Said { address, way: self.way(address), granted: true, voice, said: self.word_at(act, voice) }
    }

    /// When a word counts as said.
    fn word_at(&self, act: usize, voice: Voice) -> i64 {
        if voice == Voice::Shop { self.said(act).millis() } else { self.now.millis() }
    }

    /// Whether the shop's word about a number includes that its owner confirmed the yes from there (double opt-in).
    fn is_confirmed(&self, address: u16) -> bool {
        self.way(address) == Way::Text
            && (self.group.number + u64::from(address / ADDRESSES)).is_multiple_of(2)
    }

    fn signs_in(
        &mut self,
        mut task: Task,
        cart: Option<u16>,
        addresses: &[u16],
        agrees: bool,
    ) -> Result<Option<Task>, Crash> {
        let Some(first) = addresses.first().copied() else { return Ok(None) };
        // A shop that knows several addresses of somebody knows where they live.
        let with_place = addresses.len() > 1;
        let lives = Fact::Lives { address: first, spot: self.group.profile(first), place: with_place };
        match task.stage {
            0 => {
                let mut facts: Vec<Fact> = addresses.iter().map(|a| Fact::Proved { address: *a }).collect();
                let said = self.said(task.act).millis();
                facts.extend(addresses.iter().filter(|_| agrees).map(|address| {
                    let voice = if self.is_confirmed(*address) { Voice::Owner } else { Voice::Shop };
                    Fact::Said { address: *address, way: self.way(*address), granted: true, voice, said }
                }));
                facts.push(Fact::Heard(Box::new(lives)));
                self.arrive(task.act, facts);
                task.person = Some(self.person_of(addresses)?);
            }
            1 => {
                let Some(person) = task.person.clone() else { return Ok(None) };
                let mut changes: Vec<Change> = cart.into_iter().map(Change::LinkCart).collect();
                changes.push(Change::Lives(first, with_place));
                for address in addresses {
                    let channel = self.channel(*address);
                    changes.push(Change::Contact(channel, *address, Source::Signed));
                    if agrees {
                        let consent = self.consent(task.act, channel, true, Source::Signed);
                        changes.push(match consent {
                            Change::Consent(told) if self.is_confirmed(*address) => {
                                Change::Consent(Consent { source: Source::Person, ..told })
                            }
                            told => told,
                        });
                    }
                }
                self.apply(&person, changes)?;
            }
            _ => {
                let Some(person) = task.person.clone() else { return Ok(None) };
                if let Some(cart) = cart {
                    self.link(cart, &person, Source::Signed, None)?;
                    let browser = self.cart(cart).and_then(|c| c.visitor.as_ref());
                    if let Some(visitor) = browser.and_then(|v| v.as_str().rsplit('_').next()?.parse().ok()) {
                        self.theirs(visitor, cart, &person)?;
                    }
                }
                let mut facts = vec![Fact::Vouched { cart, addresses: addresses.to_vec() }, lives];
                facts.extend(agrees.then(|| Fact::Agreed { addresses: addresses.to_vec() }));
                self.answer(task.act, facts);
                return Ok(None);
            }
        }
        task.stage += 1;
        Ok(Some(task))
    }

    fn subscribes(
        &mut self,
        mut task: Task,
        visitor: u16,
        cart: Option<u16>,
        address: u16,
    ) -> Result<Option<Task>, Crash> {
        if task.stage == 0 {
            self.arrive(task.act, vec![self.yes(task.act, address, Voice::Owner)]);
            let fresh = self.make_person();
            let person = self.bind(Identifier::Visitor(visitor), &fresh)?;
            // A subscription is of one browser, and proves itself.
            let mut changes: Vec<Change> = cart.into_iter().map(Change::LinkCart).collect();
            changes.push(Change::Contact(Channel::Push, address, Source::Person));
            changes.push(self.consent(task.act, Channel::Push, true, Source::Person));
            self.apply(&person, changes)?;
            task.person = Some(person);
            task.stage = 1;
            return Ok(Some(task));
        }
        let Some(person) = task.person.clone() else { return Ok(None) };
        // A subscription says which browser, not who: whoever is known behind the cart stays.
        if let Some(cart) = cart.filter(|c| self.cart(*c).is_none_or(|held| held.person.is_none())) {
            self.link(cart, &person, Source::Page, Some(visitor))?;
        }
        let agreed = Fact::Agreed { addresses: vec![address] };
        self.answer(task.act, vec![Fact::Subscribed { visitor, cart, address }, agreed]);
        Ok(None)
    }

    fn says(
        &mut self,
        task: &Task,
        visitor: Option<u16>,
        address: u16,
        granted: bool,
    ) -> Result<Option<Task>, Crash> {
        let channel = self.channel(address);
        let (source, voice) = match visitor {
            Some(_) => (Source::Page, Voice::Page),
            None => (Source::Signed, Voice::Shop),
        };
        let (person, _) = self.person_of_typed(address)?;
        let person = self.survivor(&person)?;
        if let Some(visitor) = visitor
            && !granted
        {
            // A stranger must not take somebody's yes away.
            let browser = self.find(Identifier::Visitor(visitor));
            let browser = browser.map(|b| self.survivor(&b)).transpose()?;
            if browser.as_ref() != Some(&person) {
                self.acknowledge(task.act);
                return Ok(None);
            }
        }
        let way = self.way(address);
        let mut facts = vec![];
        if granted {
            self.arrive(task.act, vec![self.yes(task.act, address, voice)]);
            facts.push(Fact::Agreed { addresses: vec![address] });
        } else {
            let said = self.word_at(task.act, voice);
            facts.push(Fact::Said { address, way, granted, voice, said });
            facts.push(Fact::OptedOut { address, way: Some(way), said });
            self.arrive(task.act, facts.iter().map(|f| Fact::Heard(Box::new(f.clone()))).collect());
            if self.answers_first(task, Rule::OptOutFirst, facts.clone()) {
                return Ok(None);
            }
        }
        let changes =
            vec![Change::Contact(channel, address, source), self.consent(task.act, channel, granted, source)];
        self.apply(&person, changes)?;
        self.answer(task.act, facts);
        Ok(None)
    }

    fn orders(&mut self, mut task: Task, bought: &Bought, addresses: &[u16]) -> Result<Option<Task>, Crash> {
        let Bought { order, cart, status, placed, postal } = *bought;
        let addresses: Vec<u16> = addresses.iter().copied().filter(|a| self.way(*a) != Way::Push).collect();
        let ordered = Fact::Ordered {
            order,
            placed: placed.millis(),
            cart,
            visitor: None,
            addresses: addresses.clone(),
            postal,
        };
        // Only a platform's word makes a customer.
        let mut known = Order { total_minor: Some(ORDERED), ..self.order(order, placed) };
        if task.stage == 0 {
            if status != Status::Cancelled {
                self.arrive(task.act, vec![Fact::Heard(Box::new(ordered.clone()))]);
            }
            if status != Status::Cancelled
                && self.answers_first(&task, Rule::OrderFirst, vec![ordered.clone()])
            {
                return Ok(None);
            }
            for address in &addresses {
                // Kept even where nobody is known by it yet: they may make themselves known later.
                task.persons.push(self.person_of_typed(*address)?.0);
            }
            // A contact that came before its cart knows whose it is.
            task.persons.extend(cart.and_then(|c| self.find(Identifier::Cart(c))));
            task.carts = cart.into_iter().collect();
            // Nobody is merged for it: several people may live there.
            task.near = match self.setup.broken {
                Some(Rule::OrderNear) => None,
                _ => postal.and_then(|p| self.find(Identifier::Postal(p))),
            };
            task.stage = 1;
            return Ok(Some(task));
        }
        if status == Status::Cancelled {
            known.cancelled = true;
            for person in task.persons.clone() {
                self.apply(&person, vec![Change::Order(known.clone())])?;
            }
            let (order, persons) = (known, task.persons);
            self.note(|| Input::Order { order, paid: false, cart: None, persons });
            self.answer(task.act, vec![Fact::Cancelled { order: self.number(task.act) }]);
            return Ok(None);
        }
        let near = task.near.clone();
        let placed = Placed { order: known, paid: status == Status::Paid, own: cart, near };
        if self.spread(&mut task, &placed)? {
            self.answer(task.act, vec![ordered]);
            return Ok(None);
        }
        Ok(Some(task))
    }

    /// A checkout that names a postal address: from now on it leads to whoever checks out.
    fn ships(&mut self, task: &Task, address: u16, postal: u16) -> Result<Option<Task>, Crash> {
        let ships = Fact::Ships { address, postal };
        self.arrive(task.act, vec![Fact::Heard(Box::new(ships.clone()))]);
        let (person, _) = self.person_of_typed(address)?;
        let person = self.survivor(&person)?;
        self.rebind(Identifier::Postal(postal), &person)?;
        self.answer(task.act, vec![ships]);
        Ok(None)
    }

    fn number(&self, act: usize) -> u32 {
        match self.acts.get(act).map(|p| &p.act) {
            Some(Act::Orders { order, .. }) => *order,
            _ => 0,
        }
    }

    fn clicks(&mut self, mut task: Task, message: usize) -> Result<Option<Task>, Crash> {
        let Some(reached) = self.reached.get(message).cloned() else { return Ok(None) };
        let now = self.now;
        if task.stage == 0 {
            if self.cart(reached.cart).is_none() {
                return Ok(None);
            }
            let address = reached.address;
            let clicked = Fact::Clicked { address, contact: reached.contact };
            self.arrive(task.act, vec![Fact::Proved { address }, clicked]);
            if let Some(cart) = self.cart_id(reached.cart) {
                let key = reached.key.clone();
                self.note(|| Input::Click { cart, key });
            }
            self.change_cart(reached.cart, |held| held.clicked(now, &reached.key))?;
            task.stage = 1;
            return Ok(Some(task));
        }
        if let Some(person) = self.cart(reached.cart).and_then(|c| c.person.clone()) {
            self.apply(&person, vec![Change::Verified(reached.key.clone())])?;
        }
        let touched = Fact::Touched {
            cart: reached.cart,
            visitor: u16::MAX,
            said: self.said(task.act).millis(),
            alive: true,
            pieces: 0,
            bought: false,
            automated: false,
        };
        self.answer(task.act, vec![touched, Fact::Followed { contact: reached.contact }]);
        Ok(None)
    }

    fn opts_out(&mut self, task: &Task, message: usize, all: bool) -> Result<Option<Task>, Crash> {
        let Some(reached) = self.reached.get(message).cloned() else { return Ok(None) };
        let way = (!all).then_some(reached.way);
        let fact = vec![Fact::OptedOut { address: reached.address, way, said: self.now.millis() }];
        self.arrive(task.act, fact.iter().map(|f| Fact::Heard(Box::new(f.clone()))).collect());
        if self.answers_first(task, Rule::OptOutFirst, fact.clone()) {
            return Ok(None);
        }
        let channel = (!all).then(|| self.channel(reached.address));
        let carts = self.apply(&reached.person, vec![Change::OptOut(channel)])?;
        let (now, policy) = (self.now, &self.setup.policy);
        for cart in carts {
            self.change_cart(cart, |held| held.handle_timeout(now, policy))?;
        }
        self.answer(task.act, fact);
        Ok(None)
    }

    fn pauses(&mut self, task: &Task, message: usize) -> Result<Option<Task>, Crash> {
        let Some(reached) = self.reached.get(message).cloned() else { return Ok(None) };
        let until = self.now.plus(30 * DAY);
        self.apply(&reached.person, vec![Change::Pause(until)])?;
        self.answer(task.act, vec![Fact::Paused { address: reached.address, until: until.millis() }]);
        Ok(None)
    }

    fn returns(&mut self, task: &Task, message: usize) -> Result<Option<Task>, Crash> {
        let Some(reached) = self.reached.get(message).cloned() else { return Ok(None) };
        let channel = self.channel(reached.address);
        let address = reached.address;
        self.arrive(task.act, vec![self.yes(task.act, address, Voice::Owner)]);
        let yes = self.consent(task.act, channel, true, Source::Person);
        self.apply(&reached.person, vec![yes])?;
        self.answer(task.act, vec![Fact::Agreed { addresses: vec![address] }]);
        Ok(None)
    }
}
