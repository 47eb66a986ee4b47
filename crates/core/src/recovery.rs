//! The life of one cart: from its first item to recovered, completed, or forgotten.
//!
//! | from | on | to |
//! |---|---|---|
//! | `Active` | something in the cart, a real shopper, a trigger is due | `Abandoned`, a new episode |
//! | `Active` | nothing in the cart, a known person, a product looked at for long, `browse` is due | `Abandoned`, a new episode |
//! | `Active` | the same, and no sequence is for it | `Exhausted`, no episode |
//! | `Abandoned` | a message of its sequence went out | `Recovering` |
//! | `Abandoned`, `Recovering` | a sign of life from after it was left | `Active`, the episode paused |
//! | `Abandoned`, `Recovering` | a late change that leaves the cart empty | `Active`, the episode paused |
//! | `Active`, paused | left again, the same in it, back at most the idle time | `Abandoned` or `Recovering`, the same episode |
//! | `Active`, paused | left again, something else in it or a longer stay | `Abandoned`, a new episode |
//! | `Abandoned`, `Recovering` | every step settled | `Exhausted` |
//! | `Abandoned`, `Recovering` | the gate says: opted out of everything | `OptedOut` |
//! | `Abandoned`, `Recovering` | the gate says: ordered | `Ordered` |
//! | `Abandoned`, `Recovering` | the gate says: never (a newer cart, the holdout, automated…) | `Exhausted` |
//! | `Exhausted`, `OptedOut` | a sign of life | `Active` |
//! | all but `Recovered`, `Completed`, `Expired` | an order, not yet paid, or a page's word for one | `Ordered` |
//! | all but `Expired` | a paid order, a click at most so long before it | `Recovered` |
//! | all but `Expired` | a paid order otherwise | `Completed` |
//! | all but `Expired` | the shopper wants it forgotten | `Forgotten`: empty, and closed for good |
//! | all | retention over | `Expired`, then deleted |
//!
//! The triggers, each with when it is due. The first that is due wins; of those due at the same
//! instant the first in this table. What a policy does not name is off; idling never is.
//!
//! | trigger | rests on | due |
//! |---|---|---|
//! | `checkout_error` | a refusal by checkout that nothing followed | so long after it |
//! | `page_exit` | the page hidden, or a gesture of leaving, that no sign of life followed | so long after it |
//! | `platform_end` | the platform's word that the session is over, that no sign of life followed | so long after it |
//! | `abrupt_end` | checkout begun, and the page not hidden since the last sign of life | so long after that sign |
//! | `idle` | no sign of life; with several product classes in the cart the longest time counts | so long after the last |
//! | `browse` | see above; the idle time of `[browse]` | so long after the last sign of life |
//!
//! A sign of life is a return if it is later than what the trigger rests on: for `idle` and `browse`
//! than the instant at which the time was over, for the others than the exit, the refusal, the end of
//! the session or the last sign before the silence.
//!
//! The contract of a shell: load the state, call one method, store the state in one transaction,
//! set one alarm for [`Recovery::next_wakeup`], then carry out the effects. A wakeup that is
//! early, late or repeated does nothing. Effects that were lost come again: a send stays pending
//! here until it is settled and is offered anew, under the same key, when its lease is over.

use serde::{Deserialize, Serialize};

use crate::cart::Cart;
use crate::cause::{Cause, Likely};
use crate::effect::{Effect, Entry, Happened};
use crate::experiment::Assignment;
use crate::id::{CartId, PersonId, SendKey, ShopId, VisitorId};
use crate::jurisdiction::Place;
use crate::money::Currency;
use crate::offer::Tried;
use crate::person::KnownEpisode;
use crate::policy::{Facts, Policy};
use crate::signal::{CheckoutError, SessionFacts, Signal, SignalKind};
use crate::time::{DAY, Millis, Timestamp};

mod browse;
mod exposed;
mod facts;
mod forget;
mod leaving;
mod schedule;
mod seen;
mod settle;

pub use browse::{Look, Looks};
pub use leaving::Ends;
pub use schedule::OFFER_LEASE;
pub use seen::Seen;
pub use settle::{Outcome, Prepared};

/// Where a cart stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The shopper is at work on it, or it is empty.
    Active,
    /// Left with something in it.
    Abandoned,
    /// Left, and we have written.
    Recovering,
    /// An order is placed and not yet paid: nothing is sent any more.
    Ordered,
    /// Paid after our contact, within the attribution window.
    Recovered,
    /// Paid without us.
    Completed,
    /// The sequence has ended.
    Exhausted,
    /// The person wants no messages.
    OptedOut,
    /// Past retention.
    Expired,
    /// Its shopper wanted it forgotten: nothing is in it, nothing comes into it, nothing is sent.
    Forgotten,
}

impl Phase {
    /// Whether a sequence is running.
    #[must_use]
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Abandoned | Self::Recovering)
    }

    /// Whether the cart's story is over and the page should begin a new one.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        self.is_ordered() || matches!(self, Self::Expired | Self::Forgotten)
    }

    /// Whether an order has ended it, paid or not.
    #[must_use]
    pub const fn is_ordered(self) -> bool {
        matches!(self, Self::Ordered | Self::Recovered | Self::Completed)
    }
}

/// How a cart was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Nothing happened for a while.
    #[default]
    Idle,
    /// The page was left with something in the cart.
    PageExit,
    /// Checkout refused something and nothing followed.
    CheckoutError,
    /// The platform said that the session is over.
    PlatformEnd,
    /// A checkout fell silent without being left.
    AbruptEnd,
    /// A product was looked at for long, and nothing was put into a cart.
    Browse,
}

impl Trigger {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Idle, Self::PageExit, Self::CheckoutError, Self::PlatformEnd, Self::AbruptEnd, Self::Browse];

    /// Its name in policies and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::PageExit => "page_exit",
            Self::CheckoutError => "checkout_error",
            Self::PlatformEnd => "platform_end",
            Self::AbruptEnd => "abrupt_end",
            Self::Browse => "browse",
        }
    }

    /// How a cart was left, in plain words.
    #[must_use]
    pub const fn story(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::PageExit => "the page was left",
            Self::CheckoutError => "checkout refused something and nothing followed",
            Self::PlatformEnd => "the platform ended the session",
            Self::AbruptEnd => "checkout fell silent",
            Self::Browse => "a product was looked at for long, and the cart is empty",
        }
    }
}

/// One episode of a cart, from its being left to return, purchase or the end of its sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// 1 for the cart's first.
    pub number: u32,
    /// When it began: the instant at which its trigger was due, whatever the alarm's delay.
    pub began: Timestamp,
    /// Name of the sequence it follows.
    pub sequence: String,
    /// Index of the step that is due next.
    pub next_step: u32,
    /// What was in the cart; of a browse episode the product.
    pub contents: String,
    /// The shopper came back at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Timestamp>,
    /// A message went out.
    pub contacted: bool,
    /// Version of the policy it was left under, and follows to its end unless that is withdrawn.
    /// Empty in state from before versions were noted: the one in force.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub policy: String,
    /// How the cart was left.
    #[serde(default)]
    pub trigger: Trigger,
    /// Why, probably.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likely: Option<Likely>,
    /// The arm of a learner that went out with one of its messages, and under which key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<(SendKey, Tried)>,
    /// A sign of life from up to then is no return; `began` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What was looked at; of a browse episode only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<Look>,
}

/// A send that was offered and is not settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Its key.
    pub key: SendKey,
    /// Index of its step.
    pub step: u32,
    /// Not before this instant: the end of a lease, or what the gate asked for.
    pub again_at: Timestamp,
    /// Times offered.
    pub attempts: u32,
    /// It waits because the gate deferred it, not because its outcome is unknown.
    pub deferred: bool,
}

/// An order as a cart sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartOrder {
    /// The shop's id of it.
    pub id: String,
    /// When it was placed or paid.
    pub at: Timestamp,
    /// Whether it is paid; an authorised or pending order is not.
    pub paid: bool,
}

/// The whole state of one cart. It is written with every batch of events, so what is not there, or
/// is as it was at the cart's birth, is not written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// Which cart.
    pub id: CartId,
    /// Which shop.
    pub shop: ShopId,
    /// What is in it.
    pub cart: Cart,
    /// Where it stands.
    pub phase: Phase,
    /// When it was born.
    pub born_at: Timestamp,
    /// Last sign of life.
    pub last_activity: Timestamp,
    /// What the session did.
    #[serde(default, with = "facts::lean", skip_serializing_if = "is_default")]
    pub facts: SessionFacts,
    /// Signs that the shopper left, unless a sign of life followed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ends: Ends,
    /// What was looked at longest since the cart was last left.
    #[serde(default, skip_serializing_if = "Looks::is_empty")]
    pub looks: Looks,
    /// The last checkout error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<(Timestamp, CheckoutError)>,
    /// What the shopper said had stopped them, when asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<(Timestamp, Cause)>,
    /// Who is behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The browser it was born in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitor: Option<VisitorId>,
    /// The session was automated.
    #[serde(default, skip_serializing_if = "is_default")]
    pub automated: bool,
    /// Zone of the last session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Where the last session was, as the edge saw it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub place: Place,
    /// The shop's currency; the cart's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<Currency>,
    /// What was known of the person when they were last asked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub profile: Facts,
    /// Last score, with its model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<(f64, String)>,
    /// The episode that runs, is paused, or was last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode: Option<Episode>,
    /// The send that was offered and is not settled. One at a time: steps never pile up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// The order that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<CartOrder>,
    /// Last click on one of our links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clicked: Option<(Timestamp, SendKey)>,
    /// Arms of panels that its shopper was exposed to, here or before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignments: Vec<Assignment>,
    #[serde(default, skip_serializing_if = "Seen::is_empty")]
    seen: Seen,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// How long older carts of a person wait for one whose person was found after it was left.
const FOUND_LATE: Millis = DAY;

impl Recovery {
    /// A cart at its birth.
    #[must_use]
    pub fn new(id: CartId, shop: ShopId, currency: Currency, now: Timestamp) -> Self {
        Self {
            id,
            shop,
            cart: Cart::new(currency),
            phase: Phase::Active,
            born_at: now,
            last_activity: now,
            facts: SessionFacts::default(),
            ends: Ends::default(),
            looks: Looks::default(),
            trouble: None,
            said: None,
            person: None,
            visitor: None,
            automated: false,
            zone: None,
            place: Place::default(),
            home: None,
            profile: Facts::default(),
            score: None,
            episode: None,
            pending: None,
            order: None,
            clicked: None,
            assignments: vec![],
            seen: Seen::default(),
        }
    }

    /// A signal from page or platform. One seen before does nothing.
    pub fn signal(&mut self, now: Timestamp, signal: Signal) -> Vec<Effect> {
        let mut effects = vec![];
        if self.is_forgotten() || !self.seen.insert(&signal.id) {
            return effects;
        }
        let at = signal.at.min(now);
        self.born_at = self.born_at.min(at);
        // What comes after the order belongs to another cart; the page is told to begin one.
        if self.phase.is_closed() && signal.kind.is_activity() {
            return effects;
        }
        self.facts.observe(&signal.kind);
        let activity = signal.kind.is_activity();
        let mut bought = None;
        match signal.kind {
            SignalKind::Cart { currency, change } => {
                self.cart.currency = currency;
                self.cart.apply(at, &signal.id, change);
            }
            SignalKind::ViewItem { item: Some(item), dwell_ms } => {
                self.looks.note(at, signal.id, item, dwell_ms.unwrap_or(0));
            }
            SignalKind::Dwelt { item, dwell_ms } => self.looks.note(at, signal.id, item, dwell_ms),
            SignalKind::PageHide => self.ends.hidden = self.ends.hidden.max(Some(at)),
            SignalKind::ExitIntent => self.ends.intent = self.ends.intent.max(Some(at)),
            SignalKind::SessionEnd => self.ends.session = self.ends.session.max(Some(at)),
            SignalKind::CheckoutError(error) if self.trouble.as_ref().is_none_or(|(t, _)| *t <= at) => {
                self.trouble = Some((at, error));
            }
            SignalKind::Said(cause) if self.said.is_none_or(|(t, _)| t <= at) => {
                self.said = Some((at, cause));
            }
            SignalKind::Purchase { order } => bought = Some(order),
            _ => {}
        }
        if activity {
            self.sign_of_life(now, at, "the shopper is back", &mut effects);
        }
        self.ends.forget_before(self.last_activity);
        if self.phase.is_running() && self.cart.is_empty() && !self.is_browsing() {
            // A change from before the cart was left came late: there is nothing to come back to.
            self.pause(now, at, "nothing is left in the cart", &mut effects);
        }
        if let Some(id) = bought {
            // A page's word stops sending; it is not money, so the order is not paid. Nor is its clock believed: the
            // order is dated by its arrival, so that it ends whatever was begun before anybody here knew of it.
            self.place(now, &CartOrder { id, at: now, paid: false }, Phase::Ordered, &mut effects);
        }
        effects
    }

    /// A sign of life at `at`: idle time starts over, and a running episode pauses.
    fn sign_of_life(&mut self, now: Timestamp, at: Timestamp, because: &str, effects: &mut Vec<Effect>) {
        let fresh = at > self.last_activity;
        self.last_activity = self.last_activity.max(at);
        // An event that was held back from before the cart was left is no return.
        let after_episode = self.episode.as_ref().is_none_or(|e| at > e.since.unwrap_or(e.began));
        if !fresh || !after_episode {
            return;
        }
        if self.phase.is_running() {
            self.pause(now, at, because, effects);
        } else if matches!(self.phase, Phase::Exhausted | Phase::OptedOut) {
            // Who opted out is asked for by the gate at every claim, not remembered by the cart.
            self.move_to(now, Phase::Active, because, effects);
        }
    }

    /// A running episode stops until the cart is left again.
    fn pause(&mut self, now: Timestamp, at: Timestamp, because: &str, effects: &mut Vec<Effect>) {
        if let Some(episode) = &mut self.episode {
            episode.paused = Some(at);
            if !episode.contacted {
                effects.extend(self.announcement(None, true));
            }
        }
        // A message under way is stopped by `prepare`, which no longer finds a running episode.
        self.pending = None;
        self.move_to(now, Phase::Active, because, effects);
    }

    /// A page names the person behind the cart. Whoever knows a cart's id (its link was forwarded,
    /// say) could name themselves, so the first person stays, unless the browser in which the cart
    /// was born corrects itself; a signed source goes by [`Self::link`].
    pub fn link_from_page(
        &mut self,
        now: Timestamp,
        person: &PersonId,
        visitor: Option<&VisitorId>,
    ) -> Vec<Effect> {
        let owns = self.visitor.is_some() && self.visitor.as_ref() == visitor;
        if self.person.is_none() || owns { self.link(now, person) } else { vec![] }
    }

    /// A person was found behind the cart, by a source that is believed.
    pub fn link(&mut self, now: Timestamp, person: &PersonId) -> Vec<Effect> {
        if self.person.as_ref() == Some(person) || self.is_forgotten() {
            return vec![];
        }
        self.person = Some(person.clone());
        let mut effects = vec![record(now, Happened::Linked { person: person.clone() })];
        if self.phase.is_running() {
            // The policy is not at hand: for so long, unless a step is claimed before.
            effects.extend(self.announcement(Some(now.plus(FOUND_LATE)), false));
        }
        effects
    }

    /// The running episode, told to its person: an older cart of theirs waits for it `until` then.
    fn announcement(&self, until: Option<Timestamp>, returned: bool) -> Option<Effect> {
        let (person, episode) = (self.person.clone()?, self.episode.as_ref()?);
        let known = KnownEpisode {
            abandoned_at: episode.began,
            cart: self.id.clone(),
            abandonment: episode.number,
            browse: episode.trigger == Trigger::Browse,
            until,
        };
        Some(Effect::Announce { person, episode: known, returned })
    }

    /// Whether the episode is about something looked at, not about a cart.
    fn is_browsing(&self) -> bool {
        self.episode.as_ref().is_some_and(|e| e.trigger == Trigger::Browse)
    }

    /// The shopper followed the link of a send: a return, and the touch that attribution asks for.
    /// After an order it is neither: what was ordered before the click was not brought by it.
    pub fn clicked(&mut self, now: Timestamp, key: &SendKey) -> Vec<Effect> {
        if self.is_forgotten() {
            return vec![];
        }
        let mut effects = vec![record(now, Happened::Clicked { key: key.clone() })];
        if self.phase.is_closed() {
            return effects;
        }
        self.clicked = Some((now, key.clone()));
        self.sign_of_life(now, now, "the shopper followed a link", &mut effects);
        effects
    }

    /// When an order was placed, by what this cart knows of it: a report that comes again, dated by its
    /// arrival, is of the order as it was first told.
    #[must_use]
    pub fn first_told(&self, order: &str, at: Timestamp) -> Timestamp {
        self.order.as_ref().filter(|held| held.id == order).map_or(at, |held| held.at.min(at))
    }

    /// An order, placed or paid. Repeating it changes nothing; paid never becomes unpaid again.
    pub fn ordered(&mut self, now: Timestamp, order: &CartOrder, policy: &Policy) -> Vec<Effect> {
        let mut effects = vec![];
        if matches!(self.phase, Phase::Recovered | Phase::Completed | Phase::Expired | Phase::Forgotten) {
            return effects;
        }
        let to = if !order.paid {
            Phase::Ordered
        } else if self
            .clicked
            .as_ref()
            .is_some_and(|(t, _)| (0..=policy.attribution_click_ms).contains(&order.at.since(*t)))
        {
            Phase::Recovered
        } else {
            Phase::Completed
        };
        self.place(now, order, to, &mut effects);
        effects
    }

    fn place(&mut self, now: Timestamp, order: &CartOrder, to: Phase, effects: &mut Vec<Effect>) {
        if self.phase == Phase::Ordered && to == Phase::Ordered {
            return;
        }
        self.order = Some(order.clone());
        self.pending = None;
        effects.push(record(now, Happened::Ordered { paid: order.paid }));
        let because = match to {
            Phase::Ordered => "an order was placed",
            Phase::Recovered => "a paid order after a click on our link",
            _ => "a paid order without a click on our link",
        };
        self.move_to(now, to, because, effects);
        // Whether or not the link was followed: people also come back by what they remember, and a learner
        // that saw only clicks would favour the arms that need one.
        if to != Phase::Ordered
            && let Some((key, tried)) = self.episode.as_mut().and_then(|e| e.tried.take())
        {
            effects.push(record(now, Happened::ArmWon { key, tried }));
        }
    }

    fn move_to(&mut self, now: Timestamp, to: Phase, because: &str, effects: &mut Vec<Effect>) {
        let from = self.phase;
        if from == to {
            return;
        }
        self.phase = to;
        effects.push(record(now, Happened::Moved { from, to, because: because.to_owned() }));
    }
}

fn record(at: Timestamp, what: Happened) -> Effect {
    Effect::Record(Entry { at, what })
}
