//! The object of one person, or of an alias that leads to one (or to the token behind a short
//! link). Which of the two it is, its first write decides; a person that was merged becomes a
//! tombstone that leads to the survivor and never comes to life again.

use comeback_core::consent::Channel;
use comeback_core::decision::Decision;
use comeback_core::gate;
use comeback_core::id::PersonId;
use comeback_core::person::Person;
use comeback_core::time::{MINUTE, Timestamp};
use comeback_wire::calls::{PersonAnswer, PersonCall, PersonChange};
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use worker::{Env, State, console_error, worker_sys};

use crate::failure::{Failure, Outcome};
use crate::store::Store;
use crate::{clock, config, objects, tasks};

/// What one of these objects can be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
enum Held {
    /// A person.
    Person { person: Box<Person> },
    /// An identifier that leads to a person.
    Alias { to: PersonId },
    /// A short code that stands for a text.
    Text { text: String },
    /// A merged person. `pending` is what the survivor has not yet confirmed to have taken in.
    Moved { into: PersonId, pending: Option<Box<Person>> },
}

/// The Rust side of `PersonDo`.
#[wasm_bindgen]
pub struct PersonObject(Rc<Object>);

struct Object {
    env: Env,
    store: Store,
}

#[wasm_bindgen]
impl PersonObject {
    /// Made by entry.js.
    #[wasm_bindgen(constructor)]
    pub fn new(state: worker_sys::DurableObjectState, env: Env) -> Result<Self, JsValue> {
        Ok(Self(Rc::new(Object { env, store: Store::open(State::from(state)) })))
    }

    /// A call, as JSON in and out, begun by entry.js under a number.
    pub fn call(&self, call: u32, now: f64, body: String) {
        let object = self.0.clone();
        tasks::begin(call, async move { object.call(tasks::instant(now), &body).await });
    }

    /// Time has passed.
    pub fn alarm(&self, call: u32) {
        let object = self.0.clone();
        tasks::begin(call, async move {
            object.alarm().await;
            Ok(String::new())
        });
    }
}

impl Object {
    async fn call(&self, now: Timestamp, body: &str) -> Outcome<String> {
        let answer = self.answer(now, serde_json::from_str(body)?).await?;
        Ok(serde_json::to_string(&answer)?)
    }

    /// A merge that was cut off is finished. Never fails.
    async fn alarm(&self) {
        let finished = async {
            let now = clock::now(&self.env).await?;
            self.finish_merge(now).await
        };
        if let Err(failure) = finished.await {
            console_error!(
                "{}",
                serde_json::json!({ "level": "error", "what": format!("merge: {failure:?}") })
            );
            let _ = self.store.platform().storage().set_alarm(MINUTE).await;
        }
    }

    async fn answer(&self, now: Timestamp, call: PersonCall) -> Outcome<PersonAnswer> {
        // The policy is fetched before the state is read: nothing may be awaited in between.
        let policy = match &call {
            PersonCall::Claim { policy, .. } | PersonCall::Peek { policy, .. } => {
                Some(config::policy(&self.env, policy).await?)
            }
            _ => None,
        };
        let held: Option<Held> = self.store.read()?;
        match (call, held) {
            (PersonCall::Tick, _) => {
                self.finish_merge(now).await?;
                Ok(PersonAnswer::Ok)
            }
            (PersonCall::Resolve, held) => Ok(leads(held)),
            (PersonCall::Bind { person, .. }, None)
            | (PersonCall::Bind { person, anew: true }, Some(Held::Alias { .. })) => {
                self.store.write(&Held::Alias { to: person.clone() }, &[])?;
                Ok(PersonAnswer::Leads { to: Some(person), text: None })
            }
            (PersonCall::Bind { .. }, held) => Ok(leads(held)),
            // The newest: the token of a first attempt may have died with its key.
            (PersonCall::Keep { text }, None | Some(Held::Text { .. })) => {
                self.store.write(&Held::Text { text }, &[])?;
                Ok(PersonAnswer::Ok)
            }
            (PersonCall::Keep { .. }, _) => Ok(PersonAnswer::Ok),
            (PersonCall::MergeDone, Some(Held::Moved { into, .. })) => {
                self.store.write(&Held::Moved { into, pending: None }, &[])?;
                self.store.platform().storage().delete_alarm().await?;
                Ok(PersonAnswer::Ok)
            }
            (_, Some(Held::Moved { into, pending })) => Ok(PersonAnswer::Moved { into, pending }),
            (PersonCall::Apply { shop, person, changes }, None) => {
                let mut fresh = Person::new(person, shop);
                let order = order_among(&changes);
                apply(&mut fresh, changes, now);
                self.keep(&fresh)?;
                Ok(applied(now, fresh, false, order.as_deref()))
            }
            (PersonCall::Apply { changes, .. }, Some(Held::Person { mut person })) => {
                let order = order_among(&changes);
                apply(&mut person, changes, now);
                self.keep(&person)?;
                Ok(applied(now, *person, true, order.as_deref()))
            }
            (PersonCall::Absorb { other }, Some(Held::Person { mut person })) => {
                person.absorb(&other);
                self.keep(&person)?;
                Ok(applied(now, *person, true, None))
            }
            (call, Some(Held::Person { person })) => {
                self.about_person(now, call, *person, policy.as_deref()).await
            }
            _ => Ok(PersonAnswer::Missing),
        }
    }

    async fn about_person(
        &self,
        now: Timestamp,
        call: PersonCall,
        mut person: Person,
        policy: Option<&comeback_core::policy::Policy>,
    ) -> Outcome<PersonAnswer> {
        match call {
            PersonCall::Claim { request, idempotent, .. } => {
                let policy = policy.ok_or_else(|| Failure::internal("a claim without a policy"))?;
                let before = person.clone();
                let is_idempotent = request.ways(policy).all(|channel| idempotent.contains(&channel));
                let record = person.claim(now, &request, policy, is_idempotent);
                // A refusal changes nothing as a rule; a clearance is stored before it is told.
                if matches!(record.decision, Decision::Send(_)) || person != before {
                    self.keep(&person)?;
                }
                Ok(PersonAnswer::Decided(Box::new(record)))
            }
            PersonCall::Peek { request, .. } => {
                let policy = policy.ok_or_else(|| Failure::internal("a question without a policy"))?;
                Ok(PersonAnswer::Decided(Box::new(gate::decide(now, &person, &request, policy))))
            }
            PersonCall::Sent { key } => {
                person.mark_sent(&key, now);
                self.keep(&person)?;
                Ok(PersonAnswer::Ok)
            }
            PersonCall::Release { key } => {
                person.release(&key);
                self.keep(&person)?;
                Ok(PersonAnswer::Ok)
            }
            PersonCall::MergeInto { into } => {
                let pending = Some(Box::new(person.clone()));
                self.store.write(&Held::Moved { into, pending }, &[])?;
                // If whoever merges dies now, the alarm finishes the work.
                self.store.platform().storage().set_alarm(MINUTE).await?;
                Ok(PersonAnswer::Snapshot(Box::new(person)))
            }
            PersonCall::Show => Ok(PersonAnswer::State(Box::new(person))),
            _ => Ok(PersonAnswer::Missing),
        }
    }

    fn keep(&self, person: &Person) -> Outcome<()> {
        self.store.write(&Held::Person { person: Box::new(person.clone()) }, &[])
    }

    /// Hands over what the survivor has not confirmed. Absorbing is idempotent, so doing it twice
    /// does no harm.
    async fn finish_merge(&self, now: Timestamp) -> Outcome<()> {
        let Some(Held::Moved { into, pending: Some(other) }) = self.store.read()? else { return Ok(()) };
        let shop = other.shop.clone();
        let answer =
            objects::person(&self.env, &shop, &into, now, &PersonCall::Absorb { other: other.clone() })
                .await?;
        let into = match answer {
            PersonAnswer::Applied { .. } => into,
            PersonAnswer::Moved { into: next, .. } => {
                // The survivor was merged in its turn: lead on, and try again there.
                self.store.write(&Held::Moved { into: next, pending: Some(other) }, &[])?;
                return Err(Failure::internal("the survivor has moved; again later"));
            }
            _ => return Err(Failure::internal("the survivor is missing")),
        };
        self.store.write(&Held::Moved { into, pending: None }, &[])
    }
}

/// The number of the order that a call tells of.
fn order_among(changes: &[PersonChange]) -> Option<String> {
    changes.iter().find_map(|change| match change {
        PersonChange::Order(order) => Some(order.id.clone()),
        _ => None,
    })
}

fn applied(now: Timestamp, person: Person, known: bool, order: Option<&str>) -> PersonAnswer {
    let told = order.and_then(|id| person.orders.iter().find(|held| held.id == id));
    PersonAnswer::Applied {
        ordered_at: told.map(|held| held.at),
        profile: person.profile(now),
        carts: person.carts,
        known,
        assignments: person.assignments,
    }
}

fn leads(held: Option<Held>) -> PersonAnswer {
    match held {
        Some(Held::Alias { to }) => PersonAnswer::Leads { to: Some(to), text: None },
        Some(Held::Text { text }) => PersonAnswer::Leads { to: None, text: Some(text) },
        _ => PersonAnswer::Leads { to: None, text: None },
    }
}

fn apply(person: &mut Person, changes: Vec<PersonChange>, now: Timestamp) {
    for change in changes {
        match change {
            PersonChange::Contact { channel, address, source } => {
                person.add_contact(channel, &address, source, now);
            }
            PersonChange::Consent(consent) => person.record_consent(consent),
            PersonChange::OptOut { channel } => person.opt_out(channel, now),
            PersonChange::Pause { until } => person.paused_until = person.paused_until.max(Some(until)),
            PersonChange::Order(order) => person.record_order(order),
            PersonChange::OrderedNear { at } => person.ordered_near(at),
            PersonChange::LinkCart { cart } => person.link_cart(&cart),
            PersonChange::Left(episode) => person.left(episode),
            PersonChange::Returned(episode) => person.returned(&episode.cart, episode.abandonment),
            PersonChange::Place { place } => person.place = place,
            PersonChange::Prefers { channel } => person.preferred = Some(channel),
            PersonChange::Tags { tags } => person.tags = tags,
            PersonChange::Zone { zone } => person.zone = Some(zone),
            PersonChange::Exposed { assignments } => person.exposed(&assignments),
            PersonChange::Subscribe { subscription, yes } => person.subscribe(*subscription, yes, now),
            PersonChange::Unsubscribe { endpoint, no } => person.unsubscribe(&endpoint, no, now),
            PersonChange::ForgetCart { cart } => person.forget_cart(&cart),
            PersonChange::Verified { key } => {
                person.verify_sent(&key);
                person.clicked(&key, now);
            }
        }
    }
}

/// Every channel, for opting in and out by name.
pub(crate) fn channel_named(name: &str) -> Option<Channel> {
    [Channel::Email, Channel::Sms, Channel::Push].into_iter().find(|c| c.as_str() == name)
}
