//! One group of shoppers and the shop around them, in memory, on a virtual clock: carts and persons as objects,
//! alarms, the queue, leases and claims, with the same order of writes as the Worker's, and a process that can die
//! before or after any of them. Objects are changed in place; that a process died before a write is settled before
//! the write, so nothing has to be copied in case it did.

mod batch;
mod books;
mod consumer;
mod forget;
mod identity;
mod intake;
mod orders;
mod watch;

use std::collections::BTreeMap;

use comeback_core::consent::Channel;
use comeback_core::effect::{Effect, SendJob};
use comeback_core::id::{CartId, EventId, PersonId, ShopId, VisitorId};
use comeback_core::jurisdiction::Place;
use comeback_core::money::Currency;
use comeback_core::offer::{Learned, Ledger};
use comeback_core::person::Person;
use comeback_core::policy::Policy;
use comeback_core::recovery::Recovery;
use comeback_core::time::{MINUTE, Millis, SECOND, Timestamp};

use crate::broken::{Rule, without_times};
use crate::checker::{Contact, Entry, Fact, Spot, Story, Way};
use crate::faults::{Crash, Fate, Weather};
use crate::journal::{Event, Input};
use crate::life::{Group, Planned};
use crate::provider::Provider;
use crate::random::Random;

use consumer::Consumer;
use identity::{Held, Identifier};
use watch::Watch;

/// The platform runs a failed alarm again so much later.
const ALARM_RETRY: Millis = 30 * SECOND;
/// Whoever was not answered tries again so much later; the queue too.
const RETRY: Millis = 20 * SECOND;
/// A merge that was cut off is finished so much later.
const MERGE_RETRY: Millis = MINUTE;
/// The sweep comes by so often,
const SWEEP_EVERY: Millis = 5 * MINUTE;
/// and takes an alarm that is so late for lost.
const SWEEP_GRACE: Millis = 10 * MINUTE;
/// More events than any group has: beyond, something wakes itself.
const MOST_EVENTS: u32 = 200_000;

/// What is the same for all groups of a run.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The policy.
    pub policy: Policy,
    /// The rule that is switched off.
    pub broken: Option<Rule>,
    /// How bad the weather is: 0 is fair, 1 is usual, more is worse.
    pub trouble: u32,
    /// Whether what comes in is written down.
    pub journal: bool,
    /// Over how many days shoppers come; what they do goes on for some weeks more.
    pub days: u32,
}

impl Setup {
    /// A year of bad weather under a policy, every rule in force.
    #[must_use]
    pub fn of(policy: Policy) -> Self {
        Self { policy, broken: None, trouble: 1, journal: false, days: 365 }
    }
}

/// What came of a group.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What truly happened.
    pub story: Story,
    /// What came in, where it was asked for.
    pub journal: Vec<Event>,
    /// Messages that providers took.
    pub sends: u64,
    /// Answers "later".
    pub deferred: u64,
    /// Answers "no".
    pub skipped: u64,
    /// Times the core was called.
    pub events: u64,
    /// Carts born.
    pub carts: u64,
    /// The run did not come to rest.
    pub restless: bool,
}

#[derive(Debug)]
struct CartObject {
    cart: Recovery,
    alarm: Option<Timestamp>,
    watch: Watch,
}

/// A message that reached somebody: what its links know.
#[derive(Debug, Clone)]
struct Reached {
    key: comeback_core::id::SendKey,
    cart: u16,
    person: PersonId,
    way: Way,
    address: u16,
    contact: Contact,
}

/// A call from outside on its way through the shell.
#[derive(Debug, Clone, Default)]
struct Task {
    /// Which act.
    act: usize,
    /// When this call arrived: its one reading of the clock, however long it takes.
    at: Option<Timestamp>,
    stage: u8,
    /// Persons an order is still to be told to.
    persons: Vec<PersonId>,
    /// Persons who know of it.
    told: Vec<PersonId>,
    /// Whoever lives where it is sent, and that they know of it.
    near: Option<PersonId>,
    near_told: bool,
    /// The browser of a batch did not have its cart before.
    is_new: bool,
    /// The cart of a batch was there, or was born by it.
    reached: bool,
    /// Carts it is still to end.
    carts: Vec<u16>,
    seen: Vec<u16>,
    person: Option<PersonId>,
    /// When the order was placed, as the persons it was told to know it.
    placed: Option<Timestamp>,
}

#[derive(Debug)]
enum Due {
    Call(Box<Task>),
    Deliver(SendJob),
    Work(Box<Consumer>),
    FinishMerge(PersonId),
    /// The sweep finds this cart overdue.
    Sweep(u16),
}

/// The world of one group.
pub(crate) struct World<'s> {
    setup: &'s Setup,
    group: &'s Group,
    acts: Vec<Planned>,
    /// Which acts have arrived, and which were answered.
    arrived: Vec<bool>,
    /// When each first arrived.
    first: Vec<Option<Timestamp>>,
    acknowledged: Vec<bool>,
    now: Timestamp,
    weather: Weather,
    shop: ShopId,
    currency: Currency,
    stopped: bool,
    carts: Vec<Option<CartObject>>,
    cookies: Vec<Option<u16>>,
    people: BTreeMap<PersonId, Held>,
    aliases: BTreeMap<Identifier, PersonId>,
    made: u32,
    mail: Provider,
    texts: Provider,
    reached: Vec<Reached>,
    books: Ledger,
    /// Chance of what the rest of the shop does, and the last day on which it gave things away.
    elsewhere: (Random, i64),
    agenda: BTreeMap<(Timestamp, u64), Due>,
    sequence: u64,
    outcome: Outcome,
}

/// Lets a group live, until nothing is left to do.
#[must_use]
pub fn run(group: &Group, setup: &Setup) -> Outcome {
    let unvaried;
    let setup = if setup.broken == Some(Rule::ArmTime) {
        unvaried = Setup { policy: without_times(&setup.policy), ..setup.clone() };
        &unvaried
    } else {
        setup
    };
    let mut world = World::new(group, setup);
    for act in 0..group.acts.len() {
        world.call(act);
    }
    world.live();
    world.outcome.story.owners.clone_from(&group.owners);
    world.outcome.story.approved_since = group.approved_since.map(Timestamp::millis);
    world.outcome.story.per_hour = group.per_hour.and_then(|n| usize::try_from(n).ok());
    world.outcome.story.shadow = group.shadow;
    world.outcome.story.unshown = (0..group.carts).filter(|cart| !group.is_shown(*cart)).collect();
    world.outcome.story.in_force_since = group.in_force_since.map(Timestamp::millis);
    world.outcome
}

impl<'s> World<'s> {
    fn new(group: &'s Group, setup: &'s Setup) -> Self {
        let trouble = group.trouble.saturating_mul(setup.trouble);
        Self {
            setup,
            group,
            acts: group.acts.clone(),
            arrived: vec![false; group.acts.len()],
            first: vec![None; group.acts.len()],
            acknowledged: vec![false; group.acts.len()],
            now: Timestamp::from_millis(0),
            weather: if trouble > 0 { Weather::foul(group.seed, trouble) } else { Weather::fair() },
            shop: shop(),
            currency: currency(),
            stopped: false,
            carts: (0..group.carts).map(|_| None).collect(),
            cookies: vec![None; usize::from(group.visitors)],
            people: BTreeMap::new(),
            aliases: BTreeMap::new(),
            made: 0,
            mail: Provider::new(true),
            texts: Provider::new(group.texts_idempotent),
            reached: vec![],
            books: Ledger::default(),
            elsewhere: (Random::new(group.seed), i64::MIN),
            agenda: BTreeMap::new(),
            sequence: 0,
            outcome: Outcome::default(),
        }
    }

    fn call(&mut self, act: usize) {
        let arrives = self.acts.get(act).map(|a| a.arrives.clone()).unwrap_or_default();
        for at in arrives {
            self.push(at, Due::Call(Box::new(Task { act, ..Task::default() })));
        }
    }

    fn push(&mut self, at: Timestamp, due: Due) {
        self.sequence += 1;
        self.agenda.insert((at.max(self.now), self.sequence), due);
    }

    fn tell(&mut self, fact: Fact) {
        self.outcome.story.facts.push(Entry { at: self.now.millis(), fact });
    }

    fn note(&mut self, what: impl FnOnce() -> Input) {
        if self.setup.journal {
            self.outcome.journal.push(Event { at: self.now, what: what() });
        }
    }

    fn live(&mut self) {
        for _ in 0..MOST_EVENTS {
            let event = self.agenda.first_key_value().map(|(key, _)| *key);
            let alarm = (0_u16..)
                .zip(&self.carts)
                .filter_map(|(n, held)| Some((held.as_ref()?.alarm?.max(self.now), n)))
                .min();
            match (event, alarm) {
                (Some((at, _)), Some((alarm, cart))) if alarm < at => self.ring(alarm, cart),
                (Some(key), _) => {
                    self.now = self.now.max(key.0);
                    if let Some(due) = self.agenda.remove(&key) {
                        self.happen(due);
                    }
                }
                (None, Some((alarm, cart))) => self.ring(alarm, cart),
                (None, None) => return,
            }
        }
        self.outcome.restless = true;
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Call(task) => {
                let act = task.act;
                match self.work(*task) {
                    Ok(Some(next)) => {
                        let delay = self.weather.dawdle();
                        self.push(self.now.plus(delay), Due::Call(Box::new(next)));
                    }
                    Ok(None) => {}
                    Err(Crash) => {
                        let again = Task { act, ..Task::default() };
                        self.push(self.now.plus(RETRY), Due::Call(Box::new(again)));
                    }
                }
            }
            Due::Deliver(job) => {
                let consumer = Consumer::new(job);
                self.push(self.now, Due::Work(Box::new(consumer)));
            }
            Due::Work(consumer) => {
                let job = consumer.job().clone();
                match self.consume(*consumer) {
                    Ok(Some(next)) => {
                        let delay = self.weather.dawdle();
                        self.push(self.now.plus(delay), Due::Work(Box::new(next)));
                    }
                    Ok(None) => {}
                    Err(Crash) => {
                        if self.weather.redelivers() {
                            self.push(self.now.plus(RETRY), Due::Deliver(job));
                        }
                    }
                }
            }
            Due::Sweep(cart) => {
                let policy = &self.setup.policy;
                let overdue =
                    self.cart(cart).and_then(|c| c.next_wakeup(policy)).is_some_and(|at| at <= self.now);
                if overdue {
                    self.ring(self.now, cart);
                }
            }
            Due::FinishMerge(person) => {
                if self.survivor(&person).is_err() {
                    self.push(self.now.plus(MERGE_RETRY), Due::FinishMerge(person));
                }
            }
        }
    }

    /// An alarm fires; the platform runs it again if it fails.
    fn ring(&mut self, at: Timestamp, cart: u16) {
        self.now = self.now.max(at);
        let now = self.now;
        let setup = self.setup;
        if let Some(Some(held)) = self.carts.get_mut(usize::from(cart)) {
            // It has fired: what comes next is set by the write, or by the platform's retry.
            held.alarm = None;
        }
        let rung = self.change_cart(cart, |held| held.handle_timeout(now, &setup.policy));
        if rung.is_err()
            && let Some(Some(held)) = self.carts.get_mut(usize::from(cart))
        {
            let retry = now.plus(ALARM_RETRY);
            held.alarm = Some(held.alarm.map_or(retry, |t| t.max(retry)));
        }
    }

    fn cart(&self, cart: u16) -> Option<&Recovery> {
        Some(&self.carts.get(usize::from(cart))?.as_ref()?.cart)
    }

    /// Which cart of the group an id is of.
    fn number_of(&self, id: &CartId) -> Option<u16> {
        id.as_str().rsplit('_').next()?.parse().ok()
    }

    /// One write of a cart with its alarm, then what follows from it.
    fn change_cart(
        &mut self,
        number: u16,
        change: impl FnOnce(&mut Recovery) -> Vec<Effect>,
    ) -> Result<(), Crash> {
        let fate = self.weather.fate();
        if fate == Fate::DiesBefore {
            return Err(Crash);
        }
        let late = self.weather.alarm_delay();
        let mut swept = None;
        let Some(Some(held)) = self.carts.get_mut(usize::from(number)) else { return Ok(()) };
        self.outcome.events += 1;
        let effects = change(&mut held.cart);
        if self.group.through_text {
            held.cart = through_text(&held.cart);
        }
        if self.setup.broken == Some(Rule::Settle) || self.setup.broken == Some(Rule::Pending) {
            self.forget_pending(number);
        }
        if let Some(Some(held)) = self.carts.get_mut(usize::from(number)) {
            held.alarm = match self.setup.broken {
                // Set when it is born, never again.
                Some(Rule::Alarm) => held.alarm.filter(|_| held.cart.episode.is_none()),
                _ => {
                    let due = held.cart.next_wakeup(&self.setup.policy);
                    if late.is_none() {
                        // By the whole five minutes after the grace is over, whatever the hour.
                        swept = due.map(|t| {
                            let overdue = t.max(self.now).plus(SWEEP_GRACE).millis();
                            Timestamp::from_millis((overdue.div_euclid(SWEEP_EVERY) + 1) * SWEEP_EVERY)
                        });
                    }
                    late.and_then(|late| due.map(|t| t.plus(late)))
                }
            };
        }
        if let Some(at) = swept {
            self.push(at, Due::Sweep(number));
        }
        self.observe(number, &effects);
        if fate == Fate::DiesAfter {
            return Err(Crash);
        }
        for effect in effects {
            match effect {
                Effect::Record(entry) => {
                    self.books.learn(Learned::from(&entry).as_slice());
                }
                // Nobody keeps a log here.
                Effect::Erase => {}
                Effect::OfferSend(job) => {
                    for delay in self.weather.deliveries() {
                        self.push(self.now.plus(delay), Due::Deliver(job.clone()));
                    }
                }
                Effect::Announce { person, episode, returned } => {
                    let living = self.survivor(&person)?;
                    self.change_person(&living, |p, _| {
                        if returned {
                            p.returned(&episode.cart, episode.abandonment);
                        } else {
                            p.left(episode);
                        }
                    })?;
                }
                Effect::Expose { person, assignments } => {
                    let living = self.survivor(&person)?;
                    self.change_person(&living, |p, _| p.exposed(&assignments))?;
                }
                Effect::Forget => {
                    if let Some(held) = self.carts.get_mut(usize::from(number)) {
                        *held = None;
                    }
                }
            }
        }
        Ok(())
    }

    /// The shell that forgets what it has put on the queue: it takes it for sent, or for nothing at all.
    fn forget_pending(&mut self, number: u16) {
        let (now, setup) = (self.now, self.setup);
        let Some(Some(held)) = self.carts.get_mut(usize::from(number)) else { return };
        let Some(pending) = held.cart.pending.clone().filter(|p| !p.deferred) else { return };
        if setup.broken == Some(Rule::Settle) {
            let sent = comeback_core::recovery::Outcome::Sent;
            let effects = held.cart.settle(now, &pending.key, sent, None, &setup.policy);
            self.observe(number, &effects);
        } else if pending.attempts > 1 {
            held.cart.pending = None;
            if let Some(episode) = &mut held.cart.episode {
                episode.next_step += 1;
            }
        }
    }

    fn visitor_id(&self, visitor: u16) -> Option<VisitorId> {
        VisitorId::parse(&format!("vis_{:x}_{visitor}", self.group.number)).ok()
    }

    fn cart_id(&self, cart: u16) -> Option<CartId> {
        CartId::parse(&format!("cart_{:x}_{cart}", self.group.number)).ok()
    }

    fn event_id(&self, act: usize, deed: usize) -> Option<EventId> {
        EventId::parse(&format!("evt_{:x}_{act}_{deed}", self.group.number)).ok()
    }

    /// The text of an address. Nobody is written to: it only has to be one.
    fn address_text(&self, address: u16) -> String {
        match self.way(address) {
            Way::Email => format!("{address}@{:x}.example", self.group.number),
            Way::Text => {
                format!("+{}{:04}{address:03}", self.group.home_of(address).dial, self.group.number % 10_000)
            }
            Way::Push => format!("push {:x} {address}", self.group.number),
        }
    }

    fn address_number(text: &str) -> Option<u16> {
        if let Some((local, _)) = text.split_once('@') {
            return local.parse().ok();
        }
        match text.strip_prefix('+') {
            Some(digits) => digits.get(digits.len().checked_sub(3)?..)?.parse().ok(),
            None => text.rsplit(' ').next()?.parse().ok(),
        }
    }

    fn way(&self, address: u16) -> Way {
        crate::life::way_of(&self.group.owners, address)
    }

    fn channel(&self, address: u16) -> Channel {
        match self.way(address) {
            Way::Email => Channel::Email,
            Way::Text => Channel::Sms,
            Way::Push => Channel::Push,
        }
    }
}

/// A place as the edge and the shop tell it.
fn place(spot: Spot) -> Place {
    Place { country: word(spot.country), region: word(spot.region) }
}

/// A word that was told.
fn word(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The one shop of a simulation.
#[must_use]
pub fn shop() -> ShopId {
    ShopId::derive(&["simulated"])
}

/// Its currency.
#[expect(clippy::expect_used, reason = "three capitals are a currency")]
fn currency() -> Currency {
    Currency::parse("EUR").expect("EUR is a currency")
}

/// What is stored is what is used: a state that goes through text and back must be the same.
fn through_text<T: serde::Serialize + serde::de::DeserializeOwned + Clone>(state: &T) -> T {
    let text = serde_json::to_string(state).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_else(|_| state.clone())
}

/// The same for a person.
fn person_through_text(person: &mut Person) {
    *person = through_text(person);
}
