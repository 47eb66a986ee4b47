//! The consumer of the `sends` queue, one call at a time, so that anything can come in between: prepare (cart), reserve
//! (shop), claim (person), hand over (provider), sent (person), settled (cart), reported (shop).

use comeback_core::consent::Channel;
use comeback_core::decision::{Decision, DecisionRecord, Why};
use comeback_core::effect::SendJob;
use comeback_core::gate::{Activation, ClaimRequest};
use comeback_core::id::{PersonId, SendKey};
use comeback_core::offer::{Needs, Report};
use comeback_core::person::Person;
use comeback_core::policy::Field;
use comeback_core::recovery::{Outcome, Prepared, Trigger};
use comeback_core::time::{MINUTE, Millis, Timestamp};

use super::{Reached, World};
use crate::broken::Rule;
use crate::checker::{Contact, Fact, Gift, Message};
use crate::faults::Crash;
use crate::life::{self, ADDRESSES, react};
use crate::provider::Answer;
use crate::reading::{reason, way};

/// A provider that is down is asked again after this long.
const PROVIDER_RETRY: Millis = 2 * MINUTE;

/// A job being worked on. Lost when the process dies.
#[derive(Debug)]
pub(super) struct Consumer {
    job: SendJob,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Prepare,
    Reserve(Box<Prepared>),
    Claim(Box<Ready>),
    Send(Box<Cleared>),
    MarkSent(Box<Cleared>),
    Release(Box<Cleared>, Outcome),
    Settle(Outcome, Option<Box<DecisionRecord>>, Option<Report>),
}

/// What a claim is about, with what its shop reserved for it.
#[derive(Debug)]
struct Ready {
    prepared: Prepared,
    /// When the shop was asked.
    asked: Timestamp,
    request: ClaimRequest,
    /// The shop waits for a report.
    is_open: bool,
}

#[derive(Debug)]
struct Cleared {
    person: PersonId,
    channel: Channel,
    message: Message,
    record: DecisionRecord,
    is_open: bool,
}

impl Consumer {
    pub(super) fn new(job: SendJob) -> Self {
        Self { job, stage: Stage::Prepare }
    }

    pub(super) fn job(&self) -> &SendJob {
        &self.job
    }
}

impl World<'_> {
    /// One call; `None` when the job is done with.
    pub(super) fn consume(&mut self, consumer: Consumer) -> Result<Option<Consumer>, Crash> {
        let Consumer { job, stage } = consumer;
        let Some(number) = self.number_of(&job.cart) else { return Ok(None) };
        let policy = &self.setup.policy;
        let now = self.now;
        let next = match stage {
            // A job that no longer stands for anything is acknowledged and that is all.
            Stage::Prepare => match self.cart(number).map(|cart| cart.prepare(now, &job.key, policy)) {
                Some(Ok(prepared)) => Some(Stage::Reserve(Box::new(prepared))),
                _ => None,
            },
            Stage::Reserve(prepared) => {
                let mut request = self.request(number, &prepared);
                let needs = Needs::of(&request, policy);
                if let Some(needs) = &needs {
                    self.reserve(&job.key, needs)?.fill(&mut request);
                }
                let is_open = needs.is_some();
                Some(Stage::Claim(Box::new(Ready { prepared: *prepared, asked: now, request, is_open })))
            }
            Stage::Claim(ready) => self.claim(number, &job.key, *ready)?,
            Stage::Send(cleared) => self.send(&job.key, cleared)?,
            Stage::MarkSent(cleared) => {
                let person = self.survivor(&cleared.person)?;
                self.change_person(&person, |p, now| p.mark_sent(&job.key, now))?;
                let report = match &cleared.record.decision {
                    Decision::Send(clearance) => cleared.is_open.then(|| Report::sent(clearance)),
                    _ => None,
                };
                Some(Stage::Settle(Outcome::Sent, Some(Box::new(cleared.record)), report))
            }
            Stage::Release(cleared, outcome) => {
                let person = self.survivor(&cleared.person)?;
                self.change_person(&person, |p, _| p.release(&job.key))?;
                let mut record = cleared.record;
                record.decision = match outcome {
                    Outcome::Deferred { until } => Decision::Defer { until, why: Why::ProviderDown },
                    _ => Decision::Skip { why: Why::ProviderRefused },
                };
                let report = cleared.is_open.then(|| Report::refused(job.key.clone()));
                Some(Stage::Settle(outcome, Some(Box::new(record)), report))
            }
            Stage::Settle(outcome, record, report) => {
                self.change_cart(number, |cart| {
                    cart.settle(now, &job.key, outcome, record.as_deref(), policy)
                })?;
                if let Some(report) = report {
                    self.report(&report);
                }
                None
            }
        };
        Ok(next.map(|stage| Consumer { job, stage }))
    }

    fn claim(&mut self, cart: u16, key: &SendKey, ready: Ready) -> Result<Option<Stage>, Crash> {
        let Ready { prepared, asked: asked_at, mut request, is_open } = ready;
        let prepared = &prepared;
        let id = self.survivor(&prepared.person)?;
        // The switch is asked last.
        request.stopped = self.stopped;
        // Asked of text messages only, and an arm may bring them to a step that has none.
        let idempotent = self.texts.is_idempotent();
        let setup = self.setup;
        // What was decided, and of whom: also where the process dies before it hears of it.
        let mut written = None;
        let asked = self.change_person(&id, |person, now| {
            let record = match setup.broken {
                Some(rule) => ask_broken(rule, now, person, &request, setup, idempotent),
                None => person.claim(now, &request, &setup.policy, idempotent),
            };
            let held: Vec<u16> =
                person.contacts.iter().filter_map(|c| Self::address_number(&c.address)).collect();
            written = Some((record.clone(), held));
            record
        });
        let contact = self.contact(cart, key, prepared);
        let mut message = None;
        match written.as_ref().map(|(record, held)| (&record.decision, held)) {
            Some((Decision::Send(clearance), _)) => {
                let Some(address) = Self::address_number(clearance.address()) else { return Ok(None) };
                let cleared = Message {
                    contact,
                    way: way(clearance.channel()),
                    address,
                    browse: prepared.trigger == Trigger::Browse,
                    text: clearance.template().to_owned(),
                    person: id.as_str().to_owned(),
                    gift: clearance.grant().map(|grant| Gift {
                        offer: grant.offer.clone(),
                        value: request.value_minor.unwrap_or(0),
                        margin: margin(self.group.number, cart),
                        until: grant.valid_until.millis(),
                        again: grant.again,
                    }),
                    asked: asked_at.millis(),
                };
                message = Some(cleared.clone());
                self.tell(if asked.is_ok() { Fact::Leave(cleared) } else { Fact::Stored(cleared) });
            }
            Some((Decision::Skip { why }, held)) => {
                let (person, addresses, why) = (id.as_str().to_owned(), held.clone(), reason(*why));
                self.tell(Fact::Refused { contact, person, addresses, why });
            }
            _ => {}
        }
        let Some(record) = asked? else { return Ok(None) };
        match (&record.decision, message) {
            (Decision::Send(clearance), Some(message)) => {
                let channel = clearance.channel();
                let cleared = Cleared { person: id, channel, message, record, is_open };
                Ok(Some(Stage::Send(Box::new(cleared))))
            }
            // Two deliveries of one job: the other is at work.
            (Decision::Defer { why: Why::InFlight, .. }, _) => Ok(None),
            (refused, _) => {
                match refused {
                    Decision::Defer { .. } => self.outcome.deferred += 1,
                    _ => self.outcome.skipped += 1,
                }
                let outcome = refused.refusal();
                let report = is_open.then(|| Report::refused(key.clone()));
                Ok(outcome.map(|outcome| Stage::Settle(outcome, Some(Box::new(record)), report)))
            }
        }
    }

    fn contact(&self, cart: u16, key: &SendKey, prepared: &Prepared) -> Contact {
        let episode = prepared.abandonment;
        let step = self.cart(cart).and_then(|c| c.pending.as_ref()).filter(|p| p.key == *key).map(|p| p.step);
        let step = step.unwrap_or_else(|| {
            (0..64).find(|step| SendKey::of(&prepared.cart, episode, *step) == *key).unwrap_or(u32::MAX)
        });
        Contact { cart, episode, step }
    }

    fn request(&self, cart: u16, prepared: &Prepared) -> ClaimRequest {
        let offers: Vec<String> = self.setup.policy.offers.iter().map(|o| o.name.clone()).collect();
        let approved = self.group.approved_since.is_some_and(|since| since <= self.now);
        let mut facts = prepared.facts.clone();
        #[expect(clippy::cast_precision_loss, reason = "thousandths")]
        facts.set_known(Field::CartMargin, margin(self.group.number, cart).map(|m| m as f64 / 1_000.0));
        ClaimRequest {
            facts,
            home: Some(self.currency),
            value_minor: self.cart(cart).map(|held| held.cart.total().minor),
            showable_lines: u32::from(self.group.is_shown(cart)),
            stopped: self.stopped,
            capable: vec![Channel::Email, Channel::Sms, Channel::Push],
            // Always, as at the edge: the gate reads a policy's own bound of the hour only beside one.
            activation: Some(Activation {
                at: self.group.in_force_since.unwrap_or_default(),
                shadow: self.group.shadow,
                sent_this_hour: 0,
                room_at: None,
                per_hour: self.group.per_hour,
            }),
            approved: if approved { offers.clone() } else { vec![] },
            offers,
            ..ClaimRequest::from(prepared)
        }
    }

    fn send(&mut self, key: &SendKey, cleared: Box<Cleared>) -> Result<Option<Stage>, Crash> {
        let now = self.now;
        if self.weather.is_down() {
            let until = now.plus(PROVIDER_RETRY);
            return Ok(Some(Stage::Release(cleared, Outcome::Deferred { until })));
        }
        if self.weather.refuses() {
            self.tell(Fact::Declined { contact: cleared.message.contact });
            return Ok(Some(Stage::Release(cleared, Outcome::Skipped { why: Why::ProviderRefused })));
        }
        let handed = match self.setup.broken {
            Some(Rule::SameKey) => SendKey::derive(&[key.as_str(), &now.millis().to_string()]),
            _ => key.clone(),
        };
        let provider = if cleared.channel == Channel::Sms { &mut self.texts } else { &mut self.mail };
        if provider.take(&handed, now) == Answer::Taken {
            self.deliver(key, &cleared);
        }
        if self.weather.loses_answer() {
            // It took it, and nobody heard: whoever waited for the answer is gone.
            return Err(Crash);
        }
        Ok(Some(Stage::MarkSent(cleared)))
    }

    fn deliver(&mut self, key: &SendKey, cleared: &Cleared) {
        let Message { contact, way, address, .. } = cleared.message;
        self.outcome.sends += 1;
        self.tell(Fact::Delivered(cleared.message.clone()));
        let message = self.reached.len();
        self.reached.push(Reached {
            key: key.clone(),
            cart: contact.cart,
            person: cleared.person.clone(),
            way,
            address,
            contact,
        });
        let about = u32::from(contact.cart) * 4_096 + contact.episode * 64 + contact.step;
        let reached = life::Reached {
            message,
            cart: contact.cart,
            visitor: (address / ADDRESSES) * 2,
            address,
            order: 100_000 + about,
        };
        for planned in react(self.group.seed, self.now, reached) {
            self.acts.push(planned);
            self.arrived.push(false);
            self.first.push(None);
            self.acknowledged.push(false);
            self.call(self.acts.len() - 1);
        }
    }
}

/// What the goods of a cart leave of its value, in thousandths, where the shop knows what they cost.
fn margin(group: u64, cart: u16) -> Option<i64> {
    match (group + u64::from(cart)) % 4 {
        0 => None,
        1 => Some(250),
        _ => Some(450),
    }
}

/// What the gate would say if it had no such rule, with the claim it would then write down.
fn ask_broken(
    rule: Rule,
    now: Timestamp,
    person: &mut Person,
    request: &ClaimRequest,
    setup: &super::Setup,
    idempotent: bool,
) -> DecisionRecord {
    if rule == Rule::Claim {
        // The answer is obeyed and forgotten.
        return person.clone().claim(now, request, &setup.policy, idempotent);
    }
    if !rule.doctors_the_claim() {
        return person.claim(now, request, &setup.policy, idempotent);
    }
    let (mut other, mut request, mut policy) = (person.clone(), request.clone(), setup.policy.clone());
    let idempotent = rule.doctor(now, &mut other, &mut request, &mut policy, idempotent);
    let record = other.claim(now, &request, &policy, idempotent);
    if let Some(mut claim) = other.claims.get(&request.key).cloned() {
        if rule == Rule::NumberLaw && claim.channel == Channel::Sms {
            // Under its true number, or the next attempt would be to another.
            let held = person.contacts.iter().find(|c| c.channel == Channel::Sms);
            claim.address = held.map_or(claim.address, |c| c.address.clone());
        }
        person.claims.insert(request.key.clone(), claim);
    }
    for episode in other.episodes {
        if !person.episodes.contains(&episode) {
            person.episodes.push(episode);
        }
    }
    person.holdout = other.holdout;
    if rule != Rule::FirstArm {
        person.assignments = other.assignments;
    }
    record
}
