//! The object of one cart: loads its state, asks the core, stores state and log in one
//! transaction, sets the one alarm, then does what the core said. No rule is here.
//!
//! Between loading and storing nothing is awaited, so no other call can come between. Whatever is
//! lost after storing comes again: an offered send is pending in the state and is offered anew when
//! its lease is over; log entries stay unflushed until the queue has taken them.

use std::cell::{Cell, RefCell};

use comeback_core::consent::Source;
use comeback_core::effect::{Effect, Entry, Happened};
use comeback_core::id::EventId;
use comeback_core::money::Currency;
use comeback_core::policy::Policy;
use comeback_core::recovery::Recovery;
use comeback_core::signal::{Signal, SignalKind};
use comeback_core::time::{MINUTE, Timestamp};
use comeback_wire::calls::{CartAnswer, CartCall, ScoreReason, ScoreView, Session};
use comeback_wire::cart_view::CartView;
use comeback_wire::jobs::LedgerJob;
use wasm_bindgen::prelude::*;
use worker::{Env, State, console_error, worker_sys};

use crate::failure::{Failure, Outcome};
use crate::store::Store;
use crate::{clock, config, platform};

/// When work could not be finished (a queue is down), the alarm comes back after this long.
const RETRY: i64 = MINUTE;

/// The Rust side of `CartDo`.
#[wasm_bindgen]
pub struct CartObject {
    env: Env,
    store: Store,
    /// The state as stored; empty until first needed and after a failed write.
    held: RefCell<Option<Recovery>>,
    /// The due time that the platform's alarm was last set for, as far as this instance knows. An
    /// alarm that fired is spent, so it is set again even where the due time did not move.
    armed: Cell<Option<Timestamp>>,
}

#[wasm_bindgen]
impl CartObject {
    /// Made by entry.js, once per object and instance of the runtime.
    #[wasm_bindgen(constructor)]
    pub fn new(state: worker_sys::DurableObjectState, env: Env) -> Result<Self, JsValue> {
        Ok(Self {
            env,
            store: Store::open(State::from(state))?,
            held: RefCell::new(None),
            armed: Cell::new(None),
        })
    }

    /// A call, as JSON in and out.
    pub async fn call(&self, now: f64, body: String) -> Result<String, JsValue> {
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of our era")]
        let now = Timestamp::from_millis(now as i64);
        let call: CartCall = serde_json::from_str(&body).map_err(Failure::from)?;
        let answer = self.answer(now, call).await?;
        Ok(serde_json::to_string(&answer).map_err(Failure::from)?)
    }

    /// Time has passed. Never fails: the platform gives up an alarm after six failures.
    pub async fn alarm(&self) {
        self.armed.set(None);
        if let Err(failure) = self.wake().await {
            console_error!(
                "{}",
                serde_json::json!({ "level": "error", "what": format!("cart alarm: {failure:?}") })
            );
            // Nothing was lost: the state is as it was. Come back.
            let _ = self.store.platform().storage().set_alarm(RETRY).await;
        }
    }
}

impl CartObject {
    async fn wake(&self) -> Outcome<()> {
        let now = clock::now(&self.env).await?;
        self.answer(now, CartCall::Tick).await?;
        Ok(())
    }

    async fn answer(&self, now: Timestamp, call: CartCall) -> Outcome<CartAnswer> {
        if let CartCall::Capture { shop, cart, currency: Some(currency), signals, .. } = &call
            && self.load()?.is_none()
        {
            // Born with the first thing that happened to it, not with the arrival of the news.
            let at = signals.iter().map(|s| s.at).min().unwrap_or(now).min(now);
            let born = Recovery::new(cart.clone(), shop.clone(), *currency, at);
            self.store.write(&born, &[Entry { at: now, what: Happened::Born }])?;
            *self.held.borrow_mut() = Some(born);
        }
        let Some(shop) = self.load()?.map(|r| r.shop) else { return Ok(CartAnswer::Missing) };
        let policy = config::policy_of(&self.env, &shop).await?;
        // From here to the write nothing is awaited.
        let Some(mut cart) = self.held.borrow().clone() else { return Ok(CartAnswer::Missing) };
        let mut score = None;
        let effects = match call {
            CartCall::View => {
                let view = CartView::of(&cart.id, &cart.cart, cart.phase.is_closed());
                return Ok(CartAnswer::View { view, lines: cart.cart.lines().to_vec() });
            }
            CartCall::Explain => {
                return Ok(CartAnswer::Story { log: self.store.log()?, state: Box::new(cart) });
            }
            CartCall::Prepare { key } => {
                return Ok(match cart.prepare(&key, &policy) {
                    Ok(prepared) => CartAnswer::Prepared(Box::new(prepared)),
                    Err(why) => CartAnswer::Moot { why },
                });
            }
            CartCall::Capture { signals, session, person, .. } => {
                let mut effects = vec![];
                if let Some(person) = person {
                    effects.extend(match session {
                        Some(_) => cart.link_from_page(now, &person),
                        None => cart.link(now, &person),
                    });
                }
                if let Some(session) = session {
                    note_session(&mut cart, session);
                }
                for signal in signals {
                    effects.extend(cart.signal(now, signal));
                }
                score = Some(rate(&mut cart));
                effects
            }
            CartCall::Replace { if_version, lines } => {
                if cart.cart.version != if_version {
                    return Ok(CartAnswer::Conflict { version: cart.cart.version });
                }
                let id = EventId::derive(&[cart.id.as_str(), "replace", &if_version.to_string()]);
                let currency: Currency = cart.cart.currency;
                let change = comeback_core::cart::Change::Set(lines);
                cart.signal(now, Signal { id, at: now, kind: SignalKind::Cart { currency, change } })
            }
            CartCall::Link { person, source: Source::Page } => cart.link_from_page(now, &person),
            CartCall::Link { person, .. } => cart.link(now, &person),
            CartCall::Order { order, own: false } if order.at < cart.born_at => vec![],
            CartCall::Order { order, .. } => cart.ordered(now, &order, &policy),
            CartCall::Click { key } => cart.clicked(now, &key),
            CartCall::Settle { key, outcome, decision } => {
                cart.settle(now, &key, outcome, decision.as_deref(), &policy)
            }
            CartCall::Tick => cart.handle_timeout(now, &policy),
        };
        self.commit(now, cart, effects, &policy).await?;
        let held = self.held.borrow();
        let Some(cart) = held.as_ref() else { return Ok(CartAnswer::Missing) };
        Ok(CartAnswer::Done {
            version: cart.cart.version,
            phase: cart.phase,
            person: cart.person.clone(),
            score,
        })
    }

    fn load(&self) -> Outcome<Option<Recovery>> {
        if let Some(held) = self.held.borrow().as_ref() {
            return Ok(Some(held.clone()));
        }
        let read: Option<Recovery> = self.store.read()?;
        self.held.borrow_mut().clone_from(&read);
        Ok(read)
    }

    /// Stores, sets the alarm, then acts.
    async fn commit(
        &self,
        now: Timestamp,
        cart: Recovery,
        effects: Vec<Effect>,
        policy: &Policy,
    ) -> Outcome<()> {
        let mut entries = vec![];
        let mut offers = vec![];
        let mut forget = false;
        for effect in effects {
            match effect {
                Effect::Record(entry) => entries.push(entry),
                Effect::OfferSend(job) => offers.push(job),
                Effect::Forget => forget = true,
            }
        }
        let due = cart.next_wakeup(policy);
        if let Err(failure) = self.store.write(&cart, &entries) {
            // What memory holds may differ from what is stored: read anew next time.
            *self.held.borrow_mut() = None;
            return Err(failure);
        }
        let flush = !entries.is_empty();
        *self.held.borrow_mut() = Some(cart.clone());
        if let Some(due) = due
            && self.armed.get() != Some(due)
        {
            // Issued in the same turn as the write, so the platform commits both or neither.
            self.armed.set(Some(due));
            self.store.platform().storage().set_alarm(due.since(now).max(0)).await?;
        }
        #[cfg(feature = "dev")]
        self.report(&cart, due).await?;
        for job in offers {
            if let Err(failure) = self.enqueue(&job).await {
                // The send is pending in the state and its lease is the alarm: it is offered again.
                console_error!(
                    "{}",
                    serde_json::json!({ "level": "warn", "what": format!("sends queue: {failure:?}") })
                );
            }
        }
        if flush {
            self.flush(&cart, due).await;
        }
        if forget {
            self.store.forget().await?;
            *self.held.borrow_mut() = None;
            #[cfg(feature = "dev")]
            crate::dev_do::forget(&self.env, &crate::objects::cart_name(&cart.shop, &cart.id)).await?;
        }
        Ok(())
    }

    async fn enqueue(&self, job: &comeback_core::effect::SendJob) -> Outcome<()> {
        #[cfg(feature = "dev")]
        crate::dev_do::fail_if(&self.env, "sends_queue").await?;
        Ok(self.env.queue(platform::SENDS)?.send(job).await?)
    }

    /// Hands the log to the ledger. What the queue does not take stays for the next time.
    async fn flush(&self, cart: &Recovery, due: Option<Timestamp>) {
        let taken = async {
            let entries = self.store.unflushed()?;
            let Some(last) = entries.last().map(|e| e.seq) else { return Ok(()) };
            let job =
                LedgerJob { shop: cart.shop.clone(), cart: cart.id.clone(), phase: cart.phase, due, entries };
            self.env.queue(platform::LEDGER_QUEUE)?.send(&job).await?;
            self.store.flushed(last)
        };
        let taken: Outcome<()> = taken.await;
        if let Err(failure) = taken {
            console_error!(
                "{}",
                serde_json::json!({ "level": "warn", "what": format!("ledger queue: {failure:?}") })
            );
        }
    }

    /// Tells the virtual clock when this cart is due and whether a send is under way.
    #[cfg(feature = "dev")]
    async fn report(&self, cart: &Recovery, due: Option<Timestamp>) -> Outcome<()> {
        let under_way = cart.phase.is_running() && cart.pending.as_ref().is_some_and(|p| !p.deferred);
        let name = crate::objects::cart_name(&cart.shop, &cart.id);
        crate::dev_do::report(&self.env, &name, due, under_way).await
    }
}

fn note_session(cart: &mut Recovery, session: Session) {
    cart.automated |= session.automated;
    cart.facts.mobile |= session.mobile;
    if session.zone.is_some() {
        cart.zone = session.zone;
    }
}

/// Scores the session as it is now, and keeps the score for the conditions of the policy.
fn rate(cart: &mut Recovery) -> ScoreView {
    let view = score_view(&cart.facts, &cart.cart);
    cart.score = Some((view.buy, view.model.clone()));
    view
}

/// A score of a session, with or without a cart object.
pub(crate) fn score_view(
    facts: &comeback_core::signal::SessionFacts,
    cart: &comeback_core::cart::Cart,
) -> ScoreView {
    let score = crate::present::score(facts, cart);
    ScoreView {
        model: score.model.into_owned(),
        buy: score.buy,
        reasons: score
            .reasons
            .iter()
            .map(|r| ScoreReason { feature: r.feature.to_owned(), effect: r.effect })
            .collect(),
    }
}
