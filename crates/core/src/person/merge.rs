//! Two persons that turn out to be one. Nothing is loosened by it: opt-outs, orders, sends and claims
//! are united, and where the two differ the stricter side stays. Who decides that two are one is not
//! decided here.

use super::{KEPT, Person};
use crate::experiment;

impl Person {
    /// Takes in another person. Idempotent; the stricter side of everything wins.
    pub fn absorb(&mut self, other: &Self) {
        for contact in &other.contacts {
            if let Some(held) = self
                .contacts
                .iter_mut()
                .find(|c| c.channel == contact.channel && c.address == contact.address)
            {
                held.verified |= contact.verified;
                held.source = held.source.max(contact.source);
                for r in &contact.recoveries {
                    if !held.recoveries.contains(r) {
                        held.recoveries.push(r.clone());
                    }
                }
            } else {
                self.contacts.push(contact.clone());
            }
        }
        for consent in &other.consents {
            if !self.consents.contains(consent) {
                self.consents.push(consent.clone());
            }
        }
        self.consents.sort_by_key(|c| c.at);
        keep_newest(&mut self.consents);
        for (channel, at) in &other.opt_outs {
            self.opt_out(Some(*channel), *at);
        }
        if let Some(at) = other.opted_out_of_all {
            self.opt_out(None, at);
        }
        self.paused_until = self.paused_until.max(other.paused_until);
        self.ordered_near = self.ordered_near.max(other.ordered_near);
        for order in &other.orders {
            self.record_order(order.clone());
        }
        for sent in &other.sends {
            if !self.has_sent(&sent.key) {
                self.sends.push(sent.clone());
            } else if let Some(at) = sent.clicked {
                self.clicked(&sent.key, at);
            }
        }
        self.sends.sort_unstable();
        keep_newest(&mut self.sends);
        for (key, claim) in &other.claims {
            let held = self.claims.entry(key.clone()).or_insert_with(|| claim.clone());
            // The later and the more often tried of the two: it is held longer, and given back less easily. A
            // provider knows its key since the earlier.
            let begun = held.begun().min(claim.begun());
            held.at = held.at.max(claim.at);
            held.since = Some(begun).filter(|begun| *begun < held.at);
            held.attempts = held.attempts.max(claim.attempts);
        }
        let sends = &self.sends;
        self.claims.retain(|key, _| !sends.iter().any(|s| s.key == *key));
        self.forget_claims();
        for episode in &other.episodes {
            self.left(episode.clone());
        }
        for cart in &other.carts {
            self.link_cart(cart);
        }
        // After the carts and episodes, so that nothing of them brings a forgotten one back.
        self.unite_forgotten(other);
        self.unite_subscriptions(other);
        self.zone = self.zone.take().or_else(|| other.zone.clone());
        self.locale = self.locale.take().or_else(|| other.locale.clone());
        if self.place.country.is_none() {
            self.place = other.place.clone();
        }
        self.preferred = self.preferred.or(other.preferred);
        for tag in &other.tags {
            if !self.tags.contains(tag) {
                self.tags.push(tag.clone());
            }
        }
        for segment in &other.segments {
            if !self.segments.contains(segment) {
                self.segments.push(segment.clone());
            }
        }
        if self.worth.home.is_none() {
            self.worth = other.worth.clone();
        }
        // Held out on either side stays held out: contacting a held-out person would spoil the measure.
        self.holdout = match (self.holdout, other.holdout) {
            (Some(a), Some(b)) => Some(a || b),
            (a, b) => a.or(b),
        };
        experiment::merge(&mut self.assignments, &other.assignments);
    }
}

/// Cuts a list that is sorted by time to what is kept: a row that grew without end could one day
/// not be written any more, and with it no opt-out.
pub(super) fn keep_newest<T>(list: &mut Vec<T>) {
    list.drain(..list.len().saturating_sub(KEPT));
}
