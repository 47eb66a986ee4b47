//! The consumer of the `sends` queue, one stage at a time, so that anything can come in between:
//! prepare (cart) -> claim (person) -> send (provider) -> mark sent (person) -> settle (cart).

use comeback_core::consent::Channel;
use comeback_core::decision::{Decision, DecisionRecord, Why};
use comeback_core::effect::SendJob;
use comeback_core::gate::ClaimRequest;
use comeback_core::id::{PersonId, SendKey};
use comeback_core::person::Person;
use comeback_core::recovery::{Outcome, Prepared};
use comeback_core::time::{MINUTE, Millis};

use super::{Breakage, World};
use crate::faults::Crash;
use crate::provider::Answer;
use crate::timeline::Fact;

/// How long to wait when the provider cannot be reached.
const PROVIDER_RETRY: Millis = 10 * MINUTE;

/// A job being worked on. Lost when the process dies.
#[derive(Debug, Clone)]
pub(super) struct Consumer {
    pub(super) job: SendJob,
    stage: Stage,
}

#[derive(Debug, Clone)]
enum Stage {
    Prepare,
    Claim(Box<Prepared>),
    Send(Box<Cleared>),
    MarkSent(Box<Cleared>),
    Release(Box<Cleared>, Outcome),
    Settle(Outcome, Option<Box<DecisionRecord>>),
}

#[derive(Debug, Clone)]
struct Cleared {
    person: PersonId,
    channel: Channel,
    address: String,
    record: Option<DecisionRecord>,
}

impl Consumer {
    pub(super) fn new(job: SendJob) -> Self {
        Self { job, stage: Stage::Prepare }
    }
}

impl World {
    /// One stage; `None` when the job is done with.
    pub(super) fn consume(&mut self, consumer: Consumer) -> Result<Option<Consumer>, Crash> {
        let Consumer { job, stage } = consumer;
        let key = job.key.clone();
        let next = match stage {
            Stage::Prepare => {
                // A job that no longer stands for anything is acknowledged and that is all.
                match self.load_cart(&job.cart).map(|cart| cart.prepare(self.now, &key, &self.policy)) {
                    Some(Ok(prepared)) => Some(Stage::Claim(Box::new(prepared))),
                    _ => None,
                }
            }
            Stage::Claim(prepared) => self.claim(&job, &prepared)?,
            Stage::Send(cleared) => Some(self.send(&key, cleared)?),
            Stage::MarkSent(cleared) => {
                let person = self.load_person(&self.resolve(&cleared.person));
                if let Some(mut person) = person {
                    person.mark_sent(&key, self.now);
                    self.commit_person(&person, None)?;
                }
                Some(Stage::Settle(Outcome::Sent, cleared.record.map(Box::new)))
            }
            Stage::Release(cleared, outcome) => {
                let person = self.load_person(&self.resolve(&cleared.person));
                if let Some(mut person) = person {
                    person.release(&key);
                    self.commit_person(&person, None)?;
                }
                Some(Stage::Settle(outcome, None))
            }
            Stage::Settle(outcome, record) => {
                if let Some(mut cart) = self.load_cart(&job.cart) {
                    let effects = cart.settle(self.now, &key, outcome, record.as_deref(), &self.policy);
                    self.commit_cart(cart, effects)?;
                }
                None
            }
        };
        Ok(next.map(|stage| Consumer { job, stage }))
    }

    fn claim(&mut self, job: &SendJob, prepared: &Prepared) -> Result<Option<Stage>, Crash> {
        let id = self.resolve(&prepared.person);
        let Some(mut person) = self.load_person(&id) else {
            return Ok(None);
        };
        if self.breakage == Breakage::ClaimsSkipped {
            return Ok(unasked(&person));
        }
        let request = self.request(prepared);
        let record = person.claim(self.now, &request, &self.policy, self.provider.idempotent);
        let Some(planned) = self.planned.get(&job.key).cloned() else {
            return Ok(None);
        };
        let subject = planned.subject.clone();
        let step = planned.step.clone();
        let (fact, stage) = match &record.decision {
            Decision::Send(clearance) => {
                let channel = clearance.channel();
                let address = clearance.address().to_owned();
                let fact = Fact::Claimed { key: job.key.clone(), planned, channel };
                let cleared = Cleared { person: id, channel, address, record: Some(record.clone()) };
                (Some(fact), Stage::Send(Box::new(cleared)))
            }
            refused => {
                let fact = match refused {
                    // Two deliveries of one job: noise of the queue, not a story.
                    Decision::Defer { why: Why::InFlight, .. } => None,
                    Decision::Defer { until, why } => Some(Fact::Waits { step, until: *until, why: *why }),
                    _ => None,
                };
                let Some(outcome) = refused.refusal() else {
                    return Ok(None);
                };
                (fact, Stage::Settle(outcome, Some(Box::new(record.clone()))))
            }
        };
        self.commit_person(&person, fact.map(|f| (subject.as_str(), f)))?;
        Ok(Some(stage))
    }

    fn request(&self, prepared: &Prepared) -> ClaimRequest {
        ClaimRequest {
            showable_lines: u32::try_from(prepared.lines.len()).unwrap_or(u32::MAX),
            stopped: self.stopped,
            capable: vec![Channel::Email, Channel::Sms],
            ..ClaimRequest::from(prepared)
        }
    }

    fn send(&mut self, key: &SendKey, cleared: Box<Cleared>) -> Result<Stage, Crash> {
        self.faults.step()?;
        let handed = if self.breakage == Breakage::NewKeyPerAttempt {
            SendKey::derive(&[key.as_str(), &self.now.millis().to_string()])
        } else {
            key.clone()
        };
        let answer = self.provider.take(&handed);
        if answer == Answer::Accepted
            && let Some(planned) = self.planned.get(key).cloned()
        {
            let subject = planned.subject.clone();
            let fact = Fact::Accepted {
                key: handed,
                planned,
                channel: cleared.channel,
                address: cleared.address.clone(),
            };
            self.tell(&subject, fact);
        }
        self.faults.step()?;
        Ok(match answer {
            Answer::Accepted | Answer::Repeated => Stage::MarkSent(cleared),
            Answer::Refused => Stage::Release(cleared, Outcome::Skipped { why: Why::ProviderRefused }),
            Answer::Down => {
                Stage::Release(cleared, Outcome::Deferred { until: self.now.plus(PROVIDER_RETRY) })
            }
        })
    }
}

/// What a shell would do that forgot the gate: the first address will do.
fn unasked(person: &Person) -> Option<Stage> {
    let contact = person.contacts.first()?;
    Some(Stage::Send(Box::new(Cleared {
        person: person.id.clone(),
        channel: contact.channel,
        address: contact.address.clone(),
        record: None,
    })))
}
