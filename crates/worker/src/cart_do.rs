//! The object of one cart: loads its state, asks the core, stores state and log in one
//! transaction, sets the one alarm, then does what the core said. No rule is here.
//!
//! Between loading and storing nothing is awaited, so no other call can come between. Whatever is
//! lost after storing comes again: an offered send is pending in the state and is offered anew when
//! its lease is over; log entries stay unflushed until the queue has taken them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use comeback_core::consent::Source;
use comeback_core::effect::{Effect, Entry, Happened};
use comeback_core::experiment::Assignment;
use comeback_core::id::{CartId, EventId, PersonId, ShopId};
use comeback_core::money::Currency;
use comeback_core::policy::{Facts, Policy};
use comeback_core::recovery::{Phase, Recovery};
use comeback_core::release;
use comeback_core::signal::{Signal, SignalKind};
use comeback_core::time::{MINUTE, SECOND, Timestamp};
use comeback_wire::calls::{CartAnswer, CartCall, PageView, PersonChange, ScoreReason, ScoreView, Session};
use comeback_wire::cart_view::CartView;
use comeback_wire::jobs::LedgerJob;
use wasm_bindgen::prelude::*;
use worker::{Env, State, console_error, worker_sys};

use crate::failure::Outcome;
use crate::store::Store;
use crate::{clock, config, identity, platform, tasks};

/// When work could not be finished (something could not be asked, the ledger's queue is down), the
/// alarm comes back after this long. A test waits for it in real time, so a local run is quicker.
const RETRY: i64 = if cfg!(feature = "dev") { 2 * SECOND } else { MINUTE };

/// The Rust side of `CartDo`.
#[wasm_bindgen]
pub struct CartObject(Rc<Object>);

struct Object {
    env: Env,
    store: Store,
    /// The state as stored; empty until first needed and after a failed write.
    held: RefCell<Option<Recovery>>,
    /// The instant that the platform's alarm is set for, as far as this instance knows. An alarm that
    /// fired is spent, so it is set again even where the due time did not move. One that is set for
    /// earlier than needed stays: a shopper at work puts the due time off with every batch, moving
    /// the alarm costs a write of its own, and a wakeup that is early does nothing but set it anew.
    armed: Cell<Option<Timestamp>>,
}

#[wasm_bindgen]
impl CartObject {
    /// Made by entry.js, once per object and instance of the runtime.
    #[wasm_bindgen(constructor)]
    pub fn new(state: worker_sys::DurableObjectState, env: Env) -> Result<Self, JsValue> {
        Ok(Self(Rc::new(Object {
            env,
            store: Store::open(State::from(state)),
            held: RefCell::new(None),
            armed: Cell::new(None),
        })))
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

    /// Never fails: the platform gives up an alarm after six failures.
    async fn alarm(&self) {
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

    async fn wake(&self) -> Outcome<()> {
        #[cfg(feature = "dev")]
        crate::dev_do::fail_if(&self.env, "alarm").await?;
        let now = clock::now(&self.env).await?;
        self.answer(now, CartCall::Tick).await?;
        Ok(())
    }

    async fn answer(&self, now: Timestamp, call: CartCall) -> Outcome<CartAnswer> {
        let mut is_born = false;
        if let CartCall::Capture { shop, cart, currency: Some(currency), signals, .. } = &call
            && !self.load()?
        {
            // Born with the first thing that happened to it, not with the arrival of the news.
            let at = signals.iter().map(|s| s.at).min().unwrap_or(now).min(now);
            let born = Recovery::new(cart.clone(), shop.clone(), *currency, at);
            self.store.write(&born, &[Entry { at: now, what: Happened::Born }])?;
            *self.held.borrow_mut() = Some(born);
            is_born = true;
        }
        let (moments, brought) = about_panels(&call);
        let mut wanted = self.followed()?;
        let (policy, shadow, page_policy) = loop {
            let Some((shop, left_under, unit)) = &wanted else { return Ok(CartAnswer::Missing) };
            let policy = config::policy_of(&self.env, shop, left_under.as_deref(), unit).await?;
            let shadow = config::shadow_of(&self.env, shop).await;
            let page_policy = match moments || brought {
                true => Some(config::page_policy(&self.env, shop).await?),
                false => None,
            };
            // Another call may have come between and have ended the episode, or begun one.
            let now_wanted = self.followed()?;
            if now_wanted == wanted {
                break (policy, shadow, page_policy);
            }
            wanted = now_wanted;
        };
        // From here to the write nothing is awaited. The state is taken, not copied: what fails on the
        // way leaves nothing held, and the next call reads what is stored.
        let Some(mut cart) = self.held.take() else { return Ok(CartAnswer::Missing) };
        let mut score = None;
        let mut ordered_at = None;
        let is_tick = call == CartCall::Tick;
        let effects = match call {
            CartCall::View | CartCall::Click { .. } | CartCall::Replace { .. } if cart.is_forgotten() => {
                self.held.replace(Some(cart));
                return Ok(CartAnswer::Missing);
            }
            // It is closed, as an order closes one; nothing of who asks or what they did is kept.
            CartCall::Capture { .. } if cart.is_forgotten() => vec![],
            CartCall::Note { .. } if cart.is_forgotten() => vec![],
            CartCall::Forget => cart.forget(now),
            CartCall::View => {
                let view = CartView::of(&cart.id, &cart.cart, cart.phase.is_closed());
                let lines = cart.shown_lines();
                self.held.replace(Some(cart));
                return Ok(CartAnswer::View { view, lines });
            }
            CartCall::Explain => {
                return Ok(CartAnswer::Story { log: self.store.log()?, state: Box::new(cart) });
            }
            CartCall::Prepare { key } => {
                let prepared = cart.prepare(now, &key, &policy);
                self.held.replace(Some(cart));
                return Ok(match prepared {
                    Ok(prepared) => CartAnswer::Prepared(Box::new(prepared)),
                    Err(why) => CartAnswer::Moot { why },
                });
            }
            CartCall::Capture { signals, session, person, profile, assignments, .. } => {
                let mut effects = vec![];
                let visitor = session.as_ref().and_then(|s| s.visitor.clone());
                if let Some(person) = person {
                    effects.extend(match &session {
                        // That a browser comes back to a cart says nothing new of whose it is.
                        Some(_) if cart.person.is_some() => vec![],
                        Some(session) => cart.link_from_page(now, &person, session.visitor.as_ref()),
                        None => cart.link(now, &person),
                    });
                    effects.extend(know(
                        &mut cart,
                        &person,
                        profile.as_ref(),
                        &assignments,
                        page_policy.as_deref(),
                    ));
                }
                if let Some(session) = session {
                    note_session(&mut cart, session);
                }
                for signal in signals {
                    if let SignalKind::PanelMoment(moment) = signal.kind {
                        if let Some(policy) = &page_policy {
                            let (id, at) = (&signal.id, signal.at);
                            effects.extend(cart.exposed(now, id, at, moment, policy, visitor.as_ref()));
                        }
                        continue;
                    }
                    // Nothing would come of a look, and it would be written with every batch.
                    let signal = if policy.browse.is_some() { Some(signal) } else { signal.without_look() };
                    if let Some(signal) = signal {
                        effects.extend(cart.signal(now, signal));
                    }
                }
                score = Some(rate(&mut cart));
                effects
            }
            CartCall::Replace { .. } if cart.phase.is_closed() => {
                self.held.replace(Some(cart));
                return Ok(CartAnswer::Closed);
            }
            CartCall::Replace { if_version, lines } => {
                if cart.cart.version != if_version {
                    let version = cart.cart.version;
                    self.held.replace(Some(cart));
                    return Ok(CartAnswer::Conflict { version });
                }
                let id = EventId::derive(&[cart.id.as_str(), "replace", &if_version.to_string()]);
                let currency: Currency = cart.cart.currency;
                let change = comeback_core::cart::Change::Set(lines);
                cart.signal(now, Signal { id, at: now, kind: SignalKind::Cart { currency, change } })
            }
            CartCall::Link { person, source, visitor, profile, assignments } => {
                let mut effects = match source {
                    Source::Page => cart.link_from_page(now, &person, visitor.as_ref()),
                    _ => cart.link(now, &person),
                };
                let (profile, pages) = (profile.as_ref(), page_policy.as_deref());
                effects.extend(know(&mut cart, &person, profile, &assignments, pages));
                effects
            }
            CartCall::Relink { person, instead_of, visitor, profile, assignments } => {
                let mut effects = vec![];
                if cart.person.is_none() || cart.person == instead_of {
                    effects.extend(cart.link_from_page(now, &person, Some(&visitor)));
                }
                let (profile, pages) = (profile.as_ref(), page_policy.as_deref());
                effects.extend(know(&mut cart, &person, profile, &assignments, pages));
                effects
            }
            CartCall::Order { mut order, own } => {
                order.at = cart.first_told(&order.id, order.at);
                ordered_at = Some(order.at);
                let begun_since = !own && order.at < cart.born_at;
                if begun_since { vec![] } else { cart.ordered(now, &order, &policy) }
            }
            CartCall::Click { key } => cart.clicked(now, &key),
            CartCall::Settle { key, outcome, decision } => {
                cart.settle(now, &key, outcome, decision.as_deref(), &policy)
            }
            CartCall::Note { what } => vec![Effect::Record(Entry { at: now, what: *what })],
            CartCall::Tick => cart.handle_timeout(now, &policy),
        };
        let effects = with_shadow(effects, &cart, shadow.as_deref());
        let done = CartAnswer::Done {
            version: cart.cart.version,
            phase: cart.phase,
            person: cart.person.clone(),
            due: cart.next_wakeup(&policy),
            score,
            page: PageView::of(&cart),
            ordered_at,
            born: is_born,
        };
        let forgotten = effects.iter().any(|e| matches!(e, Effect::Forget));
        self.commit(now, cart, effects, &policy, is_tick).await?;
        Ok(if forgotten { CartAnswer::Missing } else { done })
    }

    /// What decides which policy this cart follows: its shop, the version its running episode was left
    /// under, and who or what a rollout counts it as.
    fn followed(&self) -> Outcome<Option<(ShopId, Option<String>, String)>> {
        self.load()?;
        Ok(self.held.borrow().as_ref().map(|cart| {
            let running = cart.episode.as_ref().filter(|_| cart.phase.is_running());
            let left_under = running.map(|e| e.policy.clone()).filter(|p| !p.is_empty());
            let unit = cart.person.as_ref().map_or(cart.id.as_str(), |p| p.as_str());
            (cart.shop.clone(), left_under, unit.to_owned())
        }))
    }

    /// Reads the state unless it is held; whether there is one.
    fn load(&self) -> Outcome<bool> {
        if self.held.borrow().is_none() {
            self.held.replace(self.store.read()?);
        }
        Ok(self.held.borrow().is_some())
    }

    /// Stores, sets the alarm, then acts.
    async fn commit(
        &self,
        now: Timestamp,
        cart: Recovery,
        effects: Vec<Effect>,
        policy: &Policy,
        is_tick: bool,
    ) -> Outcome<()> {
        let mut entries = vec![];
        let mut erase = false;
        let mut offers = vec![];
        let mut announced = vec![];
        let mut forget = false;
        for effect in effects {
            match effect {
                Effect::Record(entry) => entries.push(entry),
                Effect::OfferSend(job) => offers.push(job),
                Effect::Announce { person, episode, returned } => {
                    let change =
                        if returned { PersonChange::Returned(episode) } else { PersonChange::Left(episode) };
                    announced.push((person, with_exposures(&cart, change)));
                }
                Effect::Expose { person, assignments } => {
                    announced.push((person, vec![PersonChange::Exposed { assignments }]));
                }
                Effect::Erase => erase = true,
                Effect::Forget => forget = true,
            }
        }
        let due = cart.next_wakeup(policy);
        let shop = cart.shop.clone();
        match erase {
            true => self.store.write_anew(&cart, &entries)?,
            false => self.store.write(&cart, &entries)?,
        }
        let flush =
            (!entries.is_empty() || is_tick).then(|| (cart.shop.clone(), cart.id.clone(), cart.phase));
        #[cfg(feature = "dev")]
        let (name, under_way) = (crate::objects::cart_name(&cart.shop, &cart.id), is_under_way(&cart));
        self.held.replace(Some(cart));
        if let Some(due) = due
            && self.armed.get().is_none_or(|armed| due < armed)
        {
            // Issued in the same turn as the write, so the platform commits both or neither.
            self.armed.set(Some(due));
            self.store.platform().storage().set_alarm(due.since(now).max(0)).await?;
        }
        #[cfg(feature = "dev")]
        crate::dev_do::report(&self.env, &name, due, under_way).await?;
        for job in offers {
            if let Err(failure) = self.enqueue(&job).await {
                // The send is pending in the state and its lease is the alarm: it is offered again.
                console_error!(
                    "{}",
                    serde_json::json!({ "level": "warn", "what": format!("sends queue: {failure:?}") })
                );
            }
        }
        for (person, changes) in announced {
            if let Err(failure) = identity::apply(&self.env, &shop, &person, changes, now).await {
                // The gate hears of the episode with its first claim, of exposures with the next change.
                console_error!(
                    "{}",
                    serde_json::json!({ "level": "warn", "what": format!("announcement: {failure:?}") })
                );
            }
        }
        let flushed = match flush {
            Some((shop, cart, phase)) => self.flush(shop, cart, phase, due).await,
            None => true,
        };
        if !flushed {
            // The log waits in the object, and is not forgotten before it is in the ledger.
            self.armed.set(Some(now.plus(RETRY)));
            self.store.platform().storage().set_alarm(RETRY).await?;
        }
        if forget && flushed {
            self.store.forget().await?;
            self.held.take();
            #[cfg(feature = "dev")]
            crate::dev_do::forget(&self.env, &name).await?;
        }
        Ok(())
    }

    async fn enqueue(&self, job: &comeback_core::effect::SendJob) -> Outcome<()> {
        #[cfg(feature = "dev")]
        crate::dev_do::fail_if(&self.env, "sends_queue").await?;
        Ok(self.env.queue(platform::SENDS)?.send(job).await?)
    }

    /// Hands the log to the ledger; whether it was taken. What was not stays for the next time.
    async fn flush(&self, shop: ShopId, cart: CartId, phase: Phase, due: Option<Timestamp>) -> bool {
        let taken = async {
            #[cfg(feature = "dev")]
            crate::dev_do::fail_if(&self.env, "ledger_queue").await?;
            let entries = self.store.unflushed()?;
            let Some(last) = entries.last().map(|e| e.seq) else { return Ok(()) };
            let job = LedgerJob { shop, cart, phase, due, entries };
            self.env.queue(platform::LEDGER_QUEUE)?.send(&job).await?;
            self.store.flushed(last)
        };
        let taken: Outcome<()> = taken.await;
        if let Err(failure) = &taken {
            console_error!(
                "{}",
                serde_json::json!({ "level": "warn", "what": format!("ledger queue: {failure:?}") })
            );
        }
        taken.is_ok()
    }
}

/// Where the cart was left: beside it, what the candidate in shadow would have planned.
fn with_shadow(effects: Vec<Effect>, cart: &Recovery, shadow: Option<&Policy>) -> Vec<Effect> {
    let Some(candidate) = shadow else { return effects };
    let mut all = Vec::with_capacity(effects.len() + 1);
    for effect in effects {
        let planned = match &effect {
            Effect::Record(Entry { at, what: Happened::Left { trigger, facts, .. } }) => {
                let began =
                    cart.episode.as_ref().filter(|_| cart.phase.is_running()).map_or(*at, |e| e.began);
                let what = release::shadow_left(candidate, *trigger, facts, began);
                Some(Effect::Record(Entry { at: *at, what }))
            }
            _ => None,
        };
        all.push(effect);
        all.extend(planned);
    }
    all
}

/// Whether a send of this cart is on its way, for the virtual clock.
#[cfg(feature = "dev")]
fn is_under_way(cart: &Recovery) -> bool {
    cart.phase.is_running() && cart.pending.as_ref().is_some_and(|p| !p.deferred)
}

fn note_session(cart: &mut Recovery, session: Session) {
    if cart.visitor.is_none() && cart.cart.version == 0 {
        cart.visitor = session.visitor;
    }
    cart.automated |= session.automated;
    cart.facts.mobile |= session.mobile;
    if session.zone.is_some() {
        cart.zone = session.zone;
    }
    if let Some(place) = session.place {
        cart.place = place;
    }
    cart.home = session.home.or(cart.home);
}

/// What is told of an episode, and beside it what the cart knows of exposures: that may have been lost.
fn with_exposures(cart: &Recovery, change: PersonChange) -> Vec<PersonChange> {
    let assignments = cart.assignments.clone();
    let exposed = (!assignments.is_empty()).then_some(PersonChange::Exposed { assignments });
    [Some(change), exposed].into_iter().flatten().collect()
}

/// Whether a call tells of moments of panels that an experiment is on, and whether it links a person: to
/// both belongs the policy whose panels pages show.
fn about_panels(call: &CartCall) -> (bool, bool) {
    let (CartCall::Capture { assignments, .. }
    | CartCall::Link { assignments, .. }
    | CartCall::Relink { assignments, .. }) = call
    else {
        return (false, false);
    };
    let moments = match call {
        CartCall::Capture { signals, .. } => {
            signals.iter().any(|s| matches!(s.kind, SignalKind::PanelMoment(_)))
        }
        _ => false,
    };
    (moments, !assignments.is_empty())
}

/// Keeps what is known of the person behind the cart; of somebody who was named and is not, nothing.
/// What the cart knows of exposures is told to them.
fn know(
    cart: &mut Recovery,
    person: &PersonId,
    profile: Option<&Facts>,
    assignments: &[Assignment],
    pages: Option<&Policy>,
) -> Option<Effect> {
    if cart.person.as_ref() != Some(person) {
        return None;
    }
    if let Some(profile) = profile {
        cart.take_profile(profile);
    }
    cart.take_assignments(assignments, pages)
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
