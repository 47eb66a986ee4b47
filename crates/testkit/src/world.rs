//! The in-memory shell: one virtual clock, stored objects as JSON text, alarms, an agenda of what
//! the outside does. It obeys the core and decides nothing.
//!
//! Every write and every act has a numbered step before and after it, at which
//! [`crate::faults::Faults`] may end the process. What was not written is then lost; what drives
//! the system on is what drives the real one: senders that try again, a queue that delivers at
//! least once if it does not lose the job, alarms, and leases.

use std::collections::BTreeMap;

use comeback_core::cart::Change;
use comeback_core::consent::Channel;
use comeback_core::effect::{Effect, Happened, SendJob};
use comeback_core::id::{CartId, EventId, PersonId, SendKey, ShopId};
use comeback_core::money::Currency;
use comeback_core::person::Person;
use comeback_core::policy::Policy;
use comeback_core::recovery::{Outcome, Phase, Recovery};
use comeback_core::time::{Millis, SECOND, Timestamp};

use crate::act::Act;
use crate::faults::{Crash, Faults};
use crate::fixture::day_zero;
use crate::provider::Provider;
use crate::timeline::{Entry, Fact, Planned, Timeline};

mod acts;
mod consumer;

use consumer::Consumer;

/// How long a sender waits before it tries again, and the queue before it delivers again.
const RETRY: Millis = 30 * SECOND;
/// How long the platform waits before it runs a failed alarm again.
const ALARM_RETRY: Millis = 2 * SECOND;
/// More events than any scenario has: a run that gets here goes round in circles.
const MOST_EVENTS: u32 = 200_000;

/// A shell that is wrong on purpose, so that the judge can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Breakage {
    /// As it should be.
    #[default]
    None,
    /// Sends what is due without asking the person.
    ClaimsSkipped,
    /// Answers the sender of an order or opt-out long before it writes it down.
    AcknowledgesFirst,
    /// Hands the provider a new key with every attempt.
    NewKeyPerAttempt,
    /// Settles a send as soon as it is on the queue.
    FiresAndForgets,
}

/// A stored person, or where it went.
#[derive(Debug, Clone)]
enum PersonObject {
    Here(String),
    MergedInto(PersonId),
}

/// A stored cart.
#[derive(Debug, Clone)]
struct CartObject {
    subject: String,
    json: String,
    alarm: Option<Timestamp>,
}

/// What is to happen, in the order of the agenda.
#[derive(Debug, Clone)]
enum Due {
    Act(Doing),
    Deliver(SendJob),
    Work(Box<Consumer>),
    EndCarts { carts: Vec<CartId>, bought: CartId, doing: Doing },
}

/// An act on its way.
#[derive(Debug, Clone)]
pub(crate) struct Doing {
    pub(crate) subject: String,
    pub(crate) act: Act,
    /// The same for every repetition.
    pub(crate) id: u64,
    /// When it happened, which is not when it arrives.
    pub(crate) said: Timestamp,
    pub(crate) first: bool,
}

/// The whole world of a scenario.
#[derive(Debug, Clone)]
pub struct World {
    /// The virtual clock.
    pub now: Timestamp,
    /// The policy in force.
    pub policy: Policy,
    /// The provider.
    pub provider: Provider,
    /// What happened.
    pub timeline: Timeline,
    /// What goes wrong.
    pub faults: Faults,
    /// How the shell is wrong.
    pub breakage: Breakage,
    shop: ShopId,
    stopped: bool,
    carts: BTreeMap<CartId, CartObject>,
    people: BTreeMap<PersonId, PersonObject>,
    aliases: BTreeMap<String, PersonId>,
    planned: BTreeMap<SendKey, Planned>,
    /// When the order of a subject was placed.
    placed: BTreeMap<String, Timestamp>,
    agenda: BTreeMap<(Timestamp, u64), Due>,
    sequence: u64,
}

impl World {
    /// An empty world at day 0.
    #[must_use]
    pub fn new(policy: Policy, provider: Provider, faults: Faults, breakage: Breakage) -> Self {
        Self {
            now: day_zero(),
            policy,
            provider,
            timeline: vec![],
            faults,
            breakage,
            shop: ShopId::derive(&["story"]),
            stopped: false,
            carts: BTreeMap::new(),
            people: BTreeMap::new(),
            aliases: BTreeMap::new(),
            planned: BTreeMap::new(),
            placed: BTreeMap::new(),
            agenda: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// The stored state of a subject's cart.
    #[must_use]
    pub fn cart(&self, subject: &str) -> Option<Recovery> {
        self.carts.get(&cart_id(subject)).map(|object| load(&object.json))
    }

    /// The stored person behind a subject.
    #[must_use]
    pub fn person(&self, subject: &str) -> Option<Person> {
        let id = self.aliases.get(&visitor_alias(subject))?;
        self.load_person(&self.resolve(id))
    }

    /// Plans an act that happened at `said` and arrives at `at`.
    pub(crate) fn plan(&mut self, at: Timestamp, doing: Doing) {
        self.push(at, Due::Act(doing));
    }

    fn push(&mut self, at: Timestamp, due: Due) {
        self.sequence += 1;
        self.agenda.insert((at.max(self.now), self.sequence), due);
    }

    fn tell(&mut self, subject: &str, fact: Fact) {
        self.timeline.push(Entry { at: self.now, subject: subject.to_owned(), fact });
    }

    /// Lets everything happen up to an instant.
    ///
    /// # Panics
    /// When the run goes round in circles.
    pub fn run_until(&mut self, end: Timestamp) {
        for _ in 0..MOST_EVENTS {
            let event = self.agenda.first_key_value().map(|(key, _)| *key);
            let alarm = self
                .carts
                .iter()
                .filter_map(|(id, object)| object.alarm.map(|t| (t.max(self.now), id.clone())))
                .min();
            let alarm_first = match (&event, &alarm) {
                (Some((t, _)), Some((a, _))) => a < t,
                (None, Some(_)) => true,
                _ => false,
            };
            let next = if alarm_first { alarm.as_ref().map(|(t, _)| *t) } else { event.map(|(t, _)| t) };
            let Some(next) = next.filter(|t| *t <= end) else {
                self.now = self.now.max(end);
                return;
            };
            self.now = next;
            if alarm_first {
                if let Some((_, cart)) = alarm {
                    self.ring(&cart);
                }
            } else if let Some(key) = event
                && let Some(due) = self.agenda.remove(&key)
            {
                self.happen(due);
            }
        }
        panic!("{MOST_EVENTS} events and no end: two parts of the system wake each other");
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Act(mut doing) => {
                if self.act(&doing).is_err() {
                    self.crashed(&doing.subject.clone());
                    doing.first = false;
                    self.plan(self.now.plus(RETRY), doing);
                }
            }
            Due::EndCarts { carts, bought, doing } => {
                if self.end_carts(&carts, &bought, &doing).is_err() {
                    self.crashed(&doing.subject.clone());
                    self.push(self.now.plus(RETRY), Due::EndCarts { carts, bought, doing });
                }
            }
            Due::Deliver(job) => self.push(self.now, Due::Work(Box::new(Consumer::new(job)))),
            Due::Work(consumer) => {
                let job = consumer.job.clone();
                match self.consume(*consumer) {
                    Ok(Some(next)) => {
                        let delay = self.faults.dawdle();
                        self.push(self.now.plus(delay), Due::Work(Box::new(next)));
                    }
                    Ok(None) => {}
                    Err(Crash) => {
                        let subject =
                            self.carts.get(&job.cart).map_or_else(String::new, |c| c.subject.clone());
                        self.crashed(&subject);
                        if self.faults.redelivers() {
                            self.push(self.now.plus(RETRY), Due::Deliver(job));
                        }
                    }
                }
            }
        }
    }

    fn crashed(&mut self, subject: &str) {
        self.tell(subject, Fact::Crashed);
    }

    /// An alarm fires: the platform runs it again if it fails.
    fn ring(&mut self, cart: &CartId) {
        let Some(mut recovery) = self.load_cart(cart) else {
            return;
        };
        let effects = recovery.handle_timeout(self.now, &self.policy);
        if self.commit_cart(recovery, effects).is_err() {
            let subject = self.carts.get(cart).map_or_else(String::new, |c| c.subject.clone());
            self.crashed(&subject);
            let retry = self.now.plus(ALARM_RETRY);
            if let Some(object) = self.carts.get_mut(cart) {
                // What the crashed run had written stands, its new alarm too.
                object.alarm = object.alarm.map(|t| t.max(retry));
            }
        }
    }

    fn load_cart(&self, cart: &CartId) -> Option<Recovery> {
        self.carts.get(cart).map(|object| load(&object.json))
    }

    fn resolve(&self, person: &PersonId) -> PersonId {
        match self.people.get(person) {
            Some(PersonObject::MergedInto(next)) => self.resolve(next),
            _ => person.clone(),
        }
    }

    fn load_person(&self, person: &PersonId) -> Option<Person> {
        match self.people.get(person)? {
            PersonObject::Here(json) => Some(load(json)),
            PersonObject::MergedInto(_) => None,
        }
    }

    /// State, log and alarm in one transaction; then the effects.
    fn commit_cart(&mut self, mut recovery: Recovery, effects: Vec<Effect>) -> Result<(), Crash> {
        let id = recovery.id.clone();
        let subject = self.carts.get(&id).map_or_else(String::new, |c| c.subject.clone());
        if self.breakage == Breakage::FiresAndForgets
            && let Some(pending) = recovery.pending.clone().filter(|p| !p.deferred)
        {
            let policy = self.policy.clone();
            recovery.settle(self.now, &pending.key, Outcome::Sent, None, &policy);
        }
        self.faults.step()?;
        self.remember_plan(&subject, &recovery);
        let alarm = recovery.next_wakeup(&self.policy).map(|t| t.plus(self.faults.alarm_delay()));
        let object = CartObject { subject: subject.clone(), json: store(&recovery), alarm };
        self.carts.insert(id.clone(), object);
        for effect in &effects {
            if let Effect::Record(entry) = effect {
                self.log(&subject, &entry.what);
            }
        }
        self.faults.step()?;
        for effect in effects {
            match effect {
                Effect::Record(_) => {}
                Effect::OfferSend(job) => {
                    self.faults.step()?;
                    for delay in self.faults.deliveries() {
                        self.push(self.now.plus(delay), Due::Deliver(job.clone()));
                    }
                    self.faults.step()?;
                }
                Effect::Announce { person, episode, returned } => {
                    if let Some(mut person) = self.load_person(&self.resolve(&person)) {
                        if returned {
                            person.returned(&episode.cart, episode.abandonment);
                        } else {
                            person.left(episode);
                        }
                        self.commit_person(&person, None)?;
                    }
                }
                Effect::Expose { person, assignments } => {
                    if let Some(mut person) = self.load_person(&self.resolve(&person)) {
                        person.exposed(&assignments);
                        self.commit_person(&person, None)?;
                    }
                }
                // The timeline is the test's, not the cart's log.
                Effect::Erase => {}
                Effect::Forget => {
                    self.faults.step()?;
                    self.carts.remove(&id);
                    self.tell(&subject, Fact::Forgotten);
                    self.faults.step()?;
                }
            }
        }
        Ok(())
    }

    /// Which contact each key of the running episode stands for.
    fn remember_plan(&mut self, subject: &str, recovery: &Recovery) {
        let Some(episode) = &recovery.episode else {
            return;
        };
        let steps = self.policy.sequence(&episode.sequence).map_or(&[][..], |s| &s.steps);
        for (index, step) in (0_u32..).zip(steps) {
            let key = SendKey::of(&recovery.id, episode.number, index);
            let planned =
                Planned { subject: subject.to_owned(), episode: episode.number, step: step.name.clone() };
            self.planned.insert(key, planned);
        }
    }

    fn log(&mut self, subject: &str, what: &Happened) {
        match what {
            Happened::Moved { to, .. } => self.tell(subject, Fact::Moved { to: *to }),
            Happened::Forgotten => self.tell(subject, Fact::Moved { to: Phase::Forgotten }),
            Happened::Left { trigger, likely, sequence, facts, .. } => {
                let (likely, sequence, facts) = (likely.clone(), sequence.clone(), facts.clone());
                self.tell(subject, Fact::Left { trigger: *trigger, likely, sequence, facts });
            }
            Happened::Settled { key, outcome } if outcome != "sent" => {
                let step = self.planned.get(key).map_or_else(String::new, |p| p.step.clone());
                self.tell(subject, Fact::Dropped { step, how: outcome.clone() });
            }
            _ => {}
        }
    }

    /// Writes a person, and with the write what it means.
    fn commit_person(&mut self, person: &Person, means: Option<(&str, Fact)>) -> Result<(), Crash> {
        self.faults.step()?;
        self.people.insert(person.id.clone(), PersonObject::Here(store(person)));
        if let Some((subject, fact)) = means {
            self.tell(subject, fact);
        }
        self.faults.step()
    }

    fn cart_or_new(&mut self, subject: &str, said: Timestamp) -> Recovery {
        let id = cart_id(subject);
        if let Some(recovery) = self.load_cart(&id) {
            return recovery;
        }
        let recovery = Recovery::new(id.clone(), self.shop.clone(), currency(), said.min(self.now));
        // The name only; the state is stored by the commit that follows.
        let json = store(&recovery);
        self.carts.insert(id, CartObject { subject: subject.to_owned(), json, alarm: None });
        recovery
    }
}

/// What is stored is what is used: every load reads back the text of the last write.
fn store<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|e| panic!("state cannot be stored: {e}"))
}

fn load<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap_or_else(|e| panic!("state cannot be read back: {e}\n{json}"))
}

fn currency() -> Currency {
    Currency::parse("EUR").unwrap_or_else(|_| panic!("EUR is a currency"))
}

/// The cart of a subject: `ada` and `ada/phone` are two.
#[must_use]
pub fn cart_id(subject: &str) -> CartId {
    CartId::derive(&["story", subject])
}

/// Who is meant: `ada` of `ada/phone#2`.
#[must_use]
pub fn human(subject: &str) -> &str {
    subject.split(['/', '#']).next().unwrap_or(subject)
}

/// The browser: `ada/phone` of `ada/phone#2`, where `#2` is the second cart there.
#[must_use]
pub fn visitor(subject: &str) -> &str {
    subject.split('#').next().unwrap_or(subject)
}

fn visitor_alias(subject: &str) -> String {
    format!("visitor {}", visitor(subject))
}

fn event_id(id: u64) -> EventId {
    EventId::derive(&["story", &id.to_string()])
}

fn own_address(subject: &str, channel: Channel) -> String {
    match channel {
        Channel::Email => format!("{}@example.com", human(subject)),
        Channel::Sms => format!("+49 {}", human(subject)),
        Channel::Push => format!("push {}", visitor(subject)),
    }
}

fn cart_change(act: &Act) -> Option<Change> {
    match act {
        Act::Adds(item) => Some(Change::Add(vec![crate::fixture::line(item)])),
        Act::Removes(item) => Some(Change::Remove(vec![crate::fixture::line(item)])),
        Act::AddsOf { item, class } => Some(Change::Add(vec![crate::fixture::line_of(item, class)])),
        _ => None,
    }
}
