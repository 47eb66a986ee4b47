//! The person behind carts: contacts, consent, opt-outs, orders, what was sent, what is claimed.
//! Merging two persons never loosens anything: opt-outs, orders and sends are united.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::consent::{Channel, Consent, Source};
use crate::experiment::{self, Assignment};
use crate::id::{CartId, PersonId, SendKey, ShopId};
use crate::jurisdiction::Place;
use crate::money::Currency;
use crate::offer::{Grant, Tried};
use crate::time::Timestamp;

mod claim;
mod facts;
mod forget;
mod merge;
mod push;

pub use claim::{CLAIM_LEASE, Claim, KEY_MEMORY};
pub use push::{MOST_SUBSCRIPTIONS, Subscription};

/// Sends, orders and claims kept. The longest window any rule looks back is 90 days.
const KEPT: usize = 200;

/// An address on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Which channel it is for.
    pub channel: Channel,
    /// Normalised address or number.
    pub address: String,
    /// Its owner clicked, confirmed or bought, or the shop vouched for it.
    pub verified: bool,
    /// Who brought it.
    pub source: Source,
    /// When.
    pub at: Timestamp,
    /// Episodes in which it was written to, for the limit on unverified addresses.
    #[serde(default)]
    pub recoveries: Vec<Recovered>,
}

/// An episode in which an address was written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// First message.
    pub at: Timestamp,
    /// The cart.
    pub cart: CartId,
    /// The episode.
    pub abandonment: u32,
}

/// An order, as far as it matters for not writing to people who have bought.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Order {
    /// The shop's id of it.
    pub id: String,
    /// When it was placed.
    pub at: Timestamp,
    /// Minor units, where the source was signed.
    pub total_minor: Option<i64>,
    /// It was cancelled.
    pub cancelled: bool,
    /// What `total_minor` counts in; the shop's currency if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
}

/// A message that went out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sent {
    /// When.
    pub at: Timestamp,
    /// The send.
    pub key: SendKey,
    /// By which channel.
    pub channel: Channel,
    /// For which cart.
    pub cart: CartId,
    /// For which episode.
    pub abandonment: u32,
    /// With an offer.
    pub offered: bool,
    /// Where to.
    #[serde(default)]
    pub address: String,
    /// With which template.
    #[serde(default)]
    pub template: String,
    /// Its link was followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clicked: Option<Timestamp>,
    /// It was about something looked at, not a cart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub browse: bool,
    /// The offer that went along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// The arm that a learner chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<Tried>,
}

/// An episode of one of the person's carts of which a step was claimed, or waits to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KnownEpisode {
    /// When it began.
    pub abandoned_at: Timestamp,
    /// The cart.
    pub cart: CartId,
    /// Which episode.
    pub abandonment: u32,
    /// It is about something looked at, not a cart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub browse: bool,
    /// Nothing of it was claimed yet: older carts wait for it until then. Absent once a step was
    /// claimed or waits to be; then older carts are over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Random id.
    pub id: PersonId,
    /// The shop. Persons are never shared between shops.
    pub shop: ShopId,
    /// Addresses, newest last.
    pub contacts: Vec<Contact>,
    /// Every yes and no, newest last.
    pub consents: Vec<Consent>,
    /// Opt-outs per channel.
    pub opt_outs: Vec<(Channel, Timestamp)>,
    /// Opted out of everything.
    pub opted_out_of_all: Option<Timestamp>,
    /// Asked for a pause until then.
    pub paused_until: Option<Timestamp>,
    /// Orders.
    pub orders: Vec<Order>,
    /// The last order to a postal address of theirs under somebody else's name. It may be theirs under
    /// another email, so it ends what was begun before it; it counts for nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_near: Option<Timestamp>,
    /// Messages that went out.
    pub sends: Vec<Sent>,
    /// Claims that are not settled.
    pub claims: BTreeMap<SendKey, Claim>,
    /// Episodes seen by the gate.
    pub episodes: Vec<KnownEpisode>,
    /// Carts of this person that an order must end.
    pub carts: Vec<CartId>,
    /// IANA zone, where known.
    pub zone: Option<String>,
    /// Language tag, where known.
    pub locale: Option<String>,
    /// Holdout assignment, fixed at the first time it counted.
    pub holdout: Option<bool>,
    /// Where they live, where a signed source said so.
    #[serde(default)]
    pub place: Place,
    /// The channel they asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred: Option<Channel>,
    /// Tags of the shop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The segments of the last claim. Conditions and hand-offs see them as tags; kept apart, because
    /// a shop may have a tag of the same name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
    /// Arms of experiments they were exposed to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignments: Vec<Assignment>,
    /// In what orders are summed.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub worth: Worth,
    /// Browsers that may be pushed to, newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscriptions: Vec<Subscription>,
    /// Carts that they wanted forgotten, newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forgotten: Vec<CartId>,
}

/// In what the orders of a person are summed: the shop's currency, and what others are worth in it,
/// as the last claim told.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Worth {
    /// The shop's currency.
    pub home: Option<Currency>,
    /// What one unit of another currency is worth in it, by ISO 4217 code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rates: BTreeMap<String, f64>,
}

fn is_unknown(worth: &Worth) -> bool {
    *worth == Worth::default()
}

impl Person {
    /// Somebody of whom nothing is known yet.
    #[must_use]
    pub fn new(id: PersonId, shop: ShopId) -> Self {
        Self {
            id,
            shop,
            contacts: vec![],
            consents: vec![],
            opt_outs: vec![],
            opted_out_of_all: None,
            paused_until: None,
            orders: vec![],
            ordered_near: None,
            sends: vec![],
            claims: BTreeMap::new(),
            episodes: vec![],
            carts: vec![],
            zone: None,
            locale: None,
            holdout: None,
            place: Place::default(),
            preferred: None,
            tags: vec![],
            segments: vec![],
            assignments: vec![],
            worth: Worth::default(),
            subscriptions: vec![],
            forgotten: vec![],
        }
    }

    /// The address to use on a channel: a verified one before others, the newest of those.
    #[must_use]
    pub fn contact(&self, channel: Channel) -> Option<&Contact> {
        self.contacts.iter().filter(|c| c.channel == channel).max_by_key(|c| (c.verified, c.at))
    }

    /// Whether this send went out before.
    #[must_use]
    pub fn has_sent(&self, key: &SendKey) -> bool {
        self.sends.iter().any(|s| s.key == *key)
    }

    /// Adds or strengthens an address. Never weakens: verified stays verified.
    pub fn add_contact(&mut self, channel: Channel, address: &str, source: Source, now: Timestamp) {
        let verified = source != Source::Page;
        if let Some(held) = self.contacts.iter_mut().find(|c| c.channel == channel && c.address == address) {
            held.verified |= verified;
            if verified {
                held.source = source;
            }
            // Said again, it is the newest. A page's word does not choose among verified ones.
            if verified || !held.verified {
                held.at = held.at.max(now);
            }
            return;
        }
        // A visitor who types address after address must not fill the object, nor keep the shop's own
        // word out of it.
        const MOST: usize = 10;
        if self.contacts.len() >= if verified { 2 * MOST } else { MOST } {
            // One that was written to stays: forgetting it would forget that it had its one recovery.
            let Some(weakest) = self.contacts.iter().position(|c| !c.verified && c.recoveries.is_empty())
            else {
                return;
            };
            self.contacts.remove(weakest);
        }
        self.contacts.push(Contact {
            channel,
            address: address.to_owned(),
            verified,
            source,
            at: now,
            recoveries: vec![],
        });
    }

    /// Records a yes or no. A no from any source is an opt-out of the channel; a yes lifts it only
    /// when a signed source or the person says so: a page cannot undo an unsubscribe.
    pub fn record_consent(&mut self, consent: Consent) {
        if consent.granted {
            if consent.source != Source::Page {
                self.opt_outs.retain(|(c, at)| *c != consent.channel || *at >= consent.at);
            }
        } else {
            self.opt_out(Some(consent.channel), consent.at);
        }
        // A page's yes adds nothing to one that stands on firmer ground, and would weaken it.
        let stands_firmer = crate::consent::standing(&self.consents, consent.channel)
            .is_some_and(|held| held.granted && held.source != Source::Page);
        if consent.granted && consent.source == Source::Page && stands_firmer {
            return;
        }
        if !self.consents.contains(&consent) {
            self.consents.push(consent);
            self.consents.sort_by_key(|c| c.at);
            if self.consents.len() > KEPT {
                self.consents.remove(0);
            }
        }
    }

    /// Opts out of a channel, or of everything. The latest counts: an older yes that comes in late
    /// must not lift it.
    pub fn opt_out(&mut self, channel: Option<Channel>, now: Timestamp) {
        let Some(channel) = channel else {
            self.opted_out_of_all = Some(self.opted_out_of_all.map_or(now, |t| t.max(now)));
            return;
        };
        match self.opt_outs.iter_mut().find(|(held, _)| *held == channel) {
            Some((_, at)) => *at = now.max(*at),
            None => self.opt_outs.push((channel, now)),
        }
    }

    /// Records an order once; a later report of the same order may cancel it or add its total.
    pub fn record_order(&mut self, order: Order) {
        if let Some(held) = self.orders.iter_mut().find(|o| o.id == order.id) {
            held.cancelled |= order.cancelled;
            if order.total_minor.is_some() {
                held.total_minor = order.total_minor;
                held.currency = order.currency.or(held.currency);
            }
            held.at = held.at.min(order.at);
            return;
        }
        self.orders.push(order);
        self.orders.sort_by_key(|o| o.at);
        if self.orders.len() > KEPT {
            self.orders.remove(0);
        }
    }

    /// Somebody ordered to a postal address of theirs.
    pub fn ordered_near(&mut self, at: Timestamp) {
        self.ordered_near = self.ordered_near.max(Some(at));
    }

    /// Remembers a cart that an order of this person must end.
    pub fn link_cart(&mut self, cart: &CartId) {
        /// The oldest is forgotten; the gate still refuses it by the order itself.
        const MOST: usize = 20;
        if self.carts.contains(cart) || self.has_forgotten(cart) {
            return;
        }
        if self.carts.len() >= MOST {
            self.carts.remove(0);
        }
        self.carts.push(cart.clone());
    }

    /// The owner of the address that a send went to proved it by following its link. Asks which
    /// send it was: otherwise a stranger could type another address and prove it with an old link.
    pub fn verify_sent(&mut self, key: &SendKey) {
        let Some(sent) = self.sends.iter().find(|s| s.key == *key) else {
            return;
        };
        let reached =
            self.contacts.iter_mut().find(|c| c.channel == sent.channel && c.address == sent.address);
        let Some(held) = reached else { return };
        held.verified = true;
        held.source = Source::Person;
        // Whoever reads the messages and follows them confirms the yes under which they came.
        for consent in
            self.consents.iter_mut().filter(|c| c.channel == sent.channel && c.granted && c.at <= sent.at)
        {
            consent.source = consent.source.max(Source::Person);
        }
    }

    /// The owner of the address in use on a channel proved it in some other way than by a link in
    /// one of our messages; for those there is [`Self::verify_sent`].
    pub fn verify_contact(&mut self, channel: Channel) {
        let Some(address) = self.contact(channel).map(|c| c.address.clone()) else {
            return;
        };
        for held in self.contacts.iter_mut().filter(|c| c.channel == channel && c.address == address) {
            held.verified = true;
            held.source = Source::Person;
        }
    }

    /// One of their carts was left: an older one waits for it, or gives way.
    pub fn left(&mut self, episode: KnownEpisode) {
        if self.has_forgotten(&episode.cart) {
            // Its announcement was under way. Nobody waits for it.
            return;
        }
        let same = |e: &KnownEpisode| e.cart == episode.cart && e.abandonment == episode.abandonment;
        if let Some(held) = self.episodes.iter_mut().find(|e| same(e)) {
            // What was claimed stays claimed.
            held.until = held.until.zip(episode.until).map(|(a, b)| a.max(b));
            return;
        }
        self.episodes.push(episode);
        self.episodes.sort_unstable();
        merge::keep_newest(&mut self.episodes);
    }

    /// The shopper is back at a cart of which nothing went out: older ones need not wait for it.
    pub fn returned(&mut self, cart: &CartId, abandonment: u32) {
        let written = self.sends.iter().any(|s| s.cart == *cart && s.abandonment == abandonment)
            || self.claims.values().any(|c| c.cart == *cart && c.abandonment == abandonment);
        let held = self.episodes.iter_mut().find(|e| e.cart == *cart && e.abandonment == abandonment);
        // It was left all the same, and is counted: only nobody waits for it any more.
        if let Some(held) = held.filter(|_| !written) {
            held.until = Some(held.abandoned_at);
        }
    }

    /// What one of their carts knows of exposures to panels. Repeating it changes nothing.
    pub fn exposed(&mut self, assignments: &[Assignment]) {
        experiment::merge(&mut self.assignments, assignments);
    }
}
