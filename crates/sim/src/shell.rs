//! The replay: the core driven over a journal with a provider that takes everything. One process, one
//! thread, events in the order of their arrival; what is over is let go, so a journal may be longer than
//! memory. What a shop keeps of all its carts together is not kept here: budgets of offers are untouched,
//! learners have learned nothing, the bound per hour has room. The shop in bad weather, where processes
//! die and queues forget, is another module's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use comeback_core::consent::{Channel, Source};
use comeback_core::decision::{Decision, DecisionRecord};
use comeback_core::effect::{Effect, Entry, Happened, SendJob};
use comeback_core::gate::{Activation, ClaimRequest};
use comeback_core::id::{CartId, PersonId, ShopId};
use comeback_core::money::Currency;
use comeback_core::offer::Lease;
use comeback_core::person::Person;
use comeback_core::policy::{Facts, Offer, Policy};
use comeback_core::recovery::{CartOrder, Outcome, Phase, Recovery, Trigger};
use comeback_core::time::{DAY, Millis, Timestamp};

use crate::journal::{Capture, Event, Input};

/// What the shop around the policy is like.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The shop.
    pub shop: ShopId,
    /// Channels with a provider.
    pub capable: Vec<Channel>,
    /// Offers for which the shop has codes.
    pub offers: Vec<String>,
    /// Offers that somebody approved.
    pub approved: Vec<String>,
    /// When the policy came into force; `None` is fully, long ago.
    pub activation: Option<Activation>,
    /// A cart that is over, or of which nothing was heard for so long, is let go.
    pub forget_carts_after: Millis,
    /// A person of whom nothing was heard for so long, and who has no cart left, is let go. Longer than any
    /// window of the policy, or caps forget.
    pub forget_persons_after: Millis,
}

impl Settings {
    /// A shop that can do everything its policy asks for.
    #[must_use]
    pub fn of(shop: ShopId, policy: &Policy) -> Self {
        let offers: Vec<String> = policy.offers.iter().map(|o| o.name.clone()).collect();
        let longest = policy.sequences.iter().flat_map(|s| &s.steps).map(|s| s.at_ms).max().unwrap_or(0);
        Self {
            shop,
            capable: vec![Channel::Email, Channel::Sms, Channel::Push],
            approved: offers.clone(),
            offers,
            activation: None,
            forget_carts_after: longest + 14 * DAY,
            forget_persons_after: policy.caps.unverified_ms.max(longest + 14 * DAY),
        }
    }
}

/// What a replay tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// The gate was asked.
    Decided(Box<Decided>),
    /// A line of a cart's log.
    Logged {
        /// Whose.
        cart: CartId,
        /// The line.
        entry: Entry,
    },
}

/// One answer of the gate.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The cart.
    pub cart: CartId,
    /// The person.
    pub person: PersonId,
    /// Which episode.
    pub abandonment: u32,
    /// How the cart was left.
    pub trigger: Trigger,
    /// The sequence.
    pub sequence: String,
    /// The step.
    pub step: String,
    /// Value of the cart in minor units of its currency.
    pub value_minor: i64,
    /// The answer, with all it rests on.
    pub record: DecisionRecord,
}

impl Decided {
    /// By which channel it was sent, if it was.
    #[must_use]
    pub fn channel(&self) -> Option<Channel> {
        match &self.record.decision {
            Decision::Send(clearance) => Some(clearance.channel()),
            _ => None,
        }
    }
}

/// What a replay amounted to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events taken.
    pub events: u64,
    /// Carts born.
    pub carts: u64,
    /// Messages.
    pub sends: u64,
    /// Answers "later".
    pub deferred: u64,
    /// Answers "no".
    pub skipped: u64,
    /// Clicks on messages that were not sent in this replay: they count for nothing.
    pub clicks_without_send: u64,
    /// Most carts held at a time.
    pub most_carts: u64,
    /// Most persons held at a time.
    pub most_persons: u64,
}

#[derive(Debug)]
struct CartHeld {
    cart: Recovery,
    heard: Timestamp,
    due: Option<Timestamp>,
}

#[derive(Debug)]
enum PersonHeld {
    Here { person: Box<Person>, heard: Timestamp },
    MovedTo(PersonId),
}

/// A replay under way.
#[derive(Debug)]
pub struct Replay<'p> {
    policy: &'p Policy,
    settings: Settings,
    now: Timestamp,
    stopped: bool,
    carts: BTreeMap<CartId, CartHeld>,
    people: BTreeMap<PersonId, PersonHeld>,
    due: BTreeSet<(Timestamp, CartId)>,
    told: VecDeque<Told>,
    counts: Counts,
    swept: Timestamp,
}

impl<'p> Replay<'p> {
    /// A shop in which nothing has happened yet.
    #[must_use]
    pub fn new(policy: &'p Policy, settings: Settings) -> Self {
        Self {
            policy,
            settings,
            now: Timestamp::from_millis(i64::MIN),
            stopped: false,
            carts: BTreeMap::new(),
            people: BTreeMap::new(),
            due: BTreeSet::new(),
            told: VecDeque::new(),
            counts: Counts::default(),
            swept: Timestamp::from_millis(i64::MIN),
        }
    }

    /// What it amounted to so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The next thing to tell, in the order in which things happened.
    pub fn next_told(&mut self) -> Option<Told> {
        self.told.pop_front()
    }

    /// Takes an event; whatever was due before it happens first. An event that arrives out of order is
    /// taken as if it arrived now.
    pub fn event(&mut self, event: Event) {
        self.until(event.at);
        self.counts.events += 1;
        self.take(event.what);
    }

    /// Lets time pass: everything due until then happens.
    pub fn until(&mut self, end: Timestamp) {
        while self.advance(end) {}
    }

    /// The next thing that is due until then happens; `false` if there is none, and it is then. For who
    /// takes what is told in between: of many carts in a long silence it would be much at once.
    pub fn advance(&mut self, end: Timestamp) -> bool {
        let due = self.due.first().map(|(at, _)| *at).filter(|at| *at <= end);
        self.sweep_before(due.unwrap_or(end));
        self.now = self.now.max(due.unwrap_or(end));
        let Some((_, id)) = due.and_then(|_| self.due.pop_first()) else { return false };
        let (policy, now) = (self.policy, self.now);
        self.change(&id, |cart| cart.handle_timeout(now, policy));
        true
    }

    fn take(&mut self, what: Input) {
        let now = self.now;
        match what {
            Input::Capture(capture) => self.capture(*capture),
            Input::Link { cart, person, source, visitor } => {
                let person = self.resolve(&person);
                self.with_person(&person, |p, _| p.link_cart(&cart));
                self.change(&cart, |held| match source {
                    Source::Page => held.link_from_page(now, &person, visitor.as_ref()),
                    _ => held.link(now, &person),
                });
            }
            Input::Contact { person, channel, contact, verified, source } => {
                self.with_person(&person, |p, now| {
                    p.add_contact(channel, &contact, source, now);
                    if let Some(held) =
                        p.contacts.iter_mut().find(|c| c.channel == channel && c.address == contact)
                    {
                        held.verified |= verified;
                    }
                });
            }
            Input::Consent { person, consent } => self.with_person(&person, |p, _| p.record_consent(consent)),
            Input::OptOut { person, channel } => self.with_person(&person, |p, now| p.opt_out(channel, now)),
            Input::Pause { person, until } => {
                self.with_person(&person, |p, _| p.paused_until = p.paused_until.max(Some(until)));
            }
            Input::Order { order, paid, cart, persons } => {
                let mut carts: BTreeSet<CartId> = cart.iter().cloned().collect();
                for person in persons {
                    self.with_person(&person, |p, _| {
                        p.record_order(order.clone());
                        carts.extend(p.carts.iter().cloned());
                    });
                }
                if order.cancelled {
                    return;
                }
                for id in carts {
                    let own = cart.as_ref() == Some(&id);
                    let told = CartOrder { id: order.id.clone(), at: order.at, paid: paid && own };
                    let policy = self.policy;
                    self.change(&id, |held| {
                        let other = !own && order.at < held.born_at;
                        if other { vec![] } else { held.ordered(now, &told, policy) }
                    });
                }
            }
            Input::Click { cart, key } => {
                let person = self.carts.get(&cart).and_then(|c| c.cart.person.clone());
                let person = person.map(|p| self.resolve(&p));
                let was_sent = person.as_ref().and_then(|p| self.person(p)).is_some_and(|p| p.has_sent(&key));
                let Some(person) = person.filter(|_| was_sent) else {
                    self.counts.clicks_without_send += 1;
                    return;
                };
                self.with_person(&person, |p, _| {
                    p.verify_sent(&key);
                    p.clicked(&key, now);
                });
                self.change(&cart, |held| held.clicked(now, &key));
            }
            Input::Whereabouts { person, zone, place } => self.with_person(&person, |p, _| {
                p.zone = zone.or_else(|| p.zone.take());
                if place != comeback_core::jurisdiction::Place::default() {
                    p.place = place;
                }
            }),
            Input::Merge { from, into } => self.merge(&from, &into),
            Input::Stop { stopped } => self.stopped = stopped,
        }
    }

    fn capture(&mut self, capture: Capture) {
        let now = self.now;
        let Capture { cart, visitor, person, currency, zone, place, mobile, automated, signals } = capture;
        if !self.carts.contains_key(&cart) {
            let born = signals.iter().map(|s| s.at).min().unwrap_or(now).min(now);
            let fresh = Recovery::new(cart.clone(), self.settings.shop.clone(), currency, born);
            self.carts.insert(cart.clone(), CartHeld { cart: fresh, heard: now, due: None });
            self.counts.carts += 1;
            self.counts.most_carts =
                self.counts.most_carts.max(u64::try_from(self.carts.len()).unwrap_or(u64::MAX));
        }
        let person = person.map(|p| self.resolve(&p));
        if let Some(person) = &person {
            self.with_person(person, |p, _| p.link_cart(&cart));
        }
        self.change(&cart, |held| {
            let mut effects = vec![];
            if held.visitor.is_none() && held.cart.version == 0 {
                held.visitor.clone_from(&visitor);
            }
            if let Some(person) = &person {
                effects.extend(held.link_from_page(now, person, visitor.as_ref()));
            }
            held.automated |= automated;
            held.facts.mobile |= mobile;
            held.zone = zone.or_else(|| held.zone.take());
            if place != comeback_core::jurisdiction::Place::default() {
                held.place = place;
            }
            for signal in signals {
                effects.extend(held.signal(now, signal));
            }
            effects
        });
    }

    fn merge(&mut self, from: &PersonId, into: &PersonId) {
        let (from, into) = (self.resolve(from), self.resolve(into));
        if from == into {
            return;
        }
        let other = self.people.insert(from, PersonHeld::MovedTo(into.clone()));
        if let Some(PersonHeld::Here { person, .. }) = other {
            self.with_person(&into, |p, _| p.absorb(&person));
            let now = self.now;
            for cart in &person.carts {
                self.change(cart, |held| held.link(now, &into));
            }
        }
    }

    /// Changes a cart, sets its alarm, and does what follows until nothing does.
    fn change(&mut self, id: &CartId, change: impl FnOnce(&mut Recovery) -> Vec<Effect>) {
        let policy = self.policy;
        let Some(held) = self.carts.get_mut(id) else { return };
        held.heard = self.now;
        let mut effects = VecDeque::from(change(&mut held.cart));
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Record(entry) => self.log(id, entry),
                Effect::OfferSend(job) => effects.extend(self.consume(&job)),
                Effect::Announce { person, episode, returned } => {
                    self.with_person(&person, |p, _| {
                        if returned {
                            p.returned(&episode.cart, episode.abandonment);
                        } else {
                            p.left(episode);
                        }
                    });
                }
                Effect::Expose { person, assignments } => {
                    self.with_person(&person, |p, _| p.exposed(&assignments));
                }
                // Nobody has a cart forgotten here.
                Effect::Erase => {}
                Effect::Forget => {
                    self.let_go(id);
                    return;
                }
            }
        }
        let Some(held) = self.carts.get_mut(id) else { return };
        let due = held.cart.next_wakeup(policy);
        if due != held.due {
            if let Some(old) = held.due.take() {
                self.due.remove(&(old, id.clone()));
            }
            if let Some(due) = due {
                self.due.insert((due, id.clone()));
            }
            held.due = due;
        }
    }

    fn log(&mut self, id: &CartId, entry: Entry) {
        // What was decided is told in full by itself.
        if !matches!(entry.what, Happened::Decided { .. } | Happened::Offered { .. }) {
            self.told.push_back(Told::Logged { cart: id.clone(), entry });
        }
    }

    /// A job is taken from the queue at once, claimed, handed over and settled.
    fn consume(&mut self, job: &SendJob) -> Vec<Effect> {
        let (policy, now) = (self.policy, self.now);
        let Some(prepared) =
            self.carts.get(&job.cart).and_then(|c| c.cart.prepare(now, &job.key, policy).ok())
        else {
            return vec![];
        };
        let id = self.resolve(&prepared.person);
        let total = self.carts.get(&job.cart).map(|c| c.cart.cart.total());
        let value_minor = total.map_or(0, |t| t.minor);
        // A journal names no currency of the shop: the cart's.
        let home = prepared.home.or(total.map(|t| t.currency));
        let request = ClaimRequest {
            showable_lines: u32::try_from(prepared.lines.len()).unwrap_or(u32::MAX),
            stopped: self.stopped,
            capable: self.settings.capable.clone(),
            offers: self.settings.offers.clone(),
            approved: self.settings.approved.clone(),
            leases: untouched(policy, home),
            home,
            value_minor: Some(value_minor),
            activation: self.settings.activation.clone(),
            ..ClaimRequest::from(&prepared)
        };
        let Some(PersonHeld::Here { person, heard }) = self.people.get_mut(&id) else { return vec![] };
        *heard = now;
        let record = person.claim(now, &request, policy, true);
        let outcome = record.decision.refusal().unwrap_or(Outcome::Sent);
        match outcome {
            Outcome::Sent => {
                self.counts.sends += 1;
                person.mark_sent(&job.key, now);
            }
            Outcome::Deferred { .. } => self.counts.deferred += 1,
            Outcome::Skipped { .. } => self.counts.skipped += 1,
        }
        let profile = person.facts(now, &Facts::default());
        let Some(held) = self.carts.get_mut(&job.cart) else { return vec![] };
        held.cart.take_profile(&profile);
        let effects = held.cart.settle(now, &job.key, outcome, Some(&record), policy);
        self.told.push_back(Told::Decided(Box::new(Decided {
            cart: job.cart.clone(),
            person: id,
            abandonment: prepared.abandonment,
            trigger: prepared.trigger,
            sequence: prepared.sequence,
            step: prepared.step.name,
            value_minor,
            record,
        })));
        effects
    }

    fn resolve(&self, id: &PersonId) -> PersonId {
        let mut at = id;
        while let Some(PersonHeld::MovedTo(next)) = self.people.get(at) {
            at = next;
        }
        at.clone()
    }

    fn person(&self, id: &PersonId) -> Option<&Person> {
        match self.people.get(id)? {
            PersonHeld::Here { person, .. } => Some(person),
            PersonHeld::MovedTo(_) => None,
        }
    }

    fn with_person(&mut self, id: &PersonId, change: impl FnOnce(&mut Person, Timestamp)) {
        let (id, now) = (self.resolve(id), self.now);
        let shop = &self.settings.shop;
        let held = self.people.entry(id.clone()).or_insert_with(|| PersonHeld::Here {
            person: Box::new(Person::new(id, shop.clone())),
            heard: now,
        });
        if let PersonHeld::Here { person, heard } = held {
            *heard = now;
            change(person, now);
        }
        self.counts.most_persons =
            self.counts.most_persons.max(u64::try_from(self.people.len()).unwrap_or(u64::MAX));
    }

    fn let_go(&mut self, id: &CartId) {
        if let Some(held) = self.carts.remove(id)
            && let Some(due) = held.due
        {
            self.due.remove(&(due, id.clone()));
        }
    }

    /// What is over is let go at midnight in UTC, whatever happens in between: when a cart is let go then
    /// depends on nothing but what was heard of it and of its people, and those who have nothing to do
    /// with each other may be replayed one after the other.
    fn sweep_before(&mut self, at: Timestamp) {
        let midnight = Timestamp::from_millis(at.millis().saturating_sub(at.millis().rem_euclid(DAY)));
        if midnight > self.swept {
            self.swept = midnight;
            self.sweep(midnight);
        }
    }

    /// Lets go what is over. What a closed cart would do with a late event is nothing; one that was left
    /// alone for so long begins anew if its shopper comes back after all.
    fn sweep(&mut self, now: Timestamp) {
        let (carts_after, persons_after) =
            (self.settings.forget_carts_after, self.settings.forget_persons_after);
        let over: Vec<CartId> = self
            .carts
            .iter()
            .filter(|(_, held)| {
                let quiet = now.since(held.heard);
                let closed = held.cart.phase.is_closed();
                quiet > carts_after || (closed && quiet > DAY) || held.cart.phase == Phase::Expired
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in &over {
            self.let_go(id);
        }
        let (people, carts) = (&mut self.people, &self.carts);
        people.retain(|_, held| match held {
            PersonHeld::Here { person, heard } => {
                now.since(*heard) <= persons_after
                    || person.carts.iter().any(|c| carts.contains_key(c))
                    // A no holds however long nothing is heard.
                    || person.opted_out_of_all.is_some()
                    || !person.opt_outs.is_empty()
            }
            PersonHeld::MovedTo(_) => true,
        });
    }
}

/// Every offer's whole budget of a day. What one cart took of it is not missing for the next: who came
/// first would depend on carts that have nothing else to do with each other.
fn untouched(policy: &Policy, home: Option<Currency>) -> Vec<Lease> {
    let lease = |offer: &Offer| {
        let left_minor = home?.minor_from_number(offer.budget_day?)?;
        Some(Lease { offer: offer.name.clone(), left_minor })
    };
    policy.offers.iter().filter_map(lease).collect()
}

/// Drives the core over events in the order of their arrival and yields all it tells; after the last event
/// time goes on until `end`.
pub fn replay<'p, I>(
    policy: &'p Policy,
    settings: Settings,
    events: I,
    end: Timestamp,
) -> Replayed<'p, I::IntoIter>
where
    I: IntoIterator<Item = Event>,
{
    Replayed { replay: Replay::new(policy, settings), events: events.into_iter(), end, over: false }
}

/// See [`replay`].
#[derive(Debug)]
pub struct Replayed<'p, I> {
    replay: Replay<'p>,
    events: I,
    end: Timestamp,
    over: bool,
}

impl<I> Replayed<'_, I> {
    /// What it amounted to so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.replay.counts()
    }
}

impl<I: Iterator<Item = Event>> Iterator for Replayed<'_, I> {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.replay.next_told() {
                return Some(told);
            }
            match self.events.next() {
                Some(event) => self.replay.event(event),
                None if self.over => return None,
                None => {
                    self.over = true;
                    self.replay.until(self.end);
                }
            }
        }
    }
}
