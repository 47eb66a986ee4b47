//! Browsers that a person may be pushed to. A subscription is an address of the channel, with the keys that
//! only its browser has the other half of; nobody can type one for somebody else. Sends nothing.

use serde::{Deserialize, Serialize};

use super::{Contact, Person};
use crate::consent::{Channel, Consent, Source};
use crate::time::Timestamp;

/// Subscriptions kept: of more browsers than this nobody is reading in all.
pub const MOST_SUBSCRIPTIONS: usize = 8;

/// A push subscription (W3C Push API) of one browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its endpoint as the address of the channel. Whoever knows it and the keys can push to it, so it is
    /// treated like one: never logged.
    pub contact: Contact,
    /// The browser's P-256 key, base64url of 65 bytes (RFC 8291).
    pub p256dh: String,
    /// Its authentication secret, base64url of 16 bytes.
    pub auth: String,
    /// The push service forgets it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Language tag of the browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// IANA zone of the browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl Subscription {
    /// One that a browser brought now. Its endpoint is a verified address: the push service gave it out when
    /// the owner of that browser said yes to the browser.
    #[must_use]
    pub fn new(endpoint: &str, p256dh: &str, auth: &str, now: Timestamp) -> Self {
        Self {
            contact: Contact {
                channel: Channel::Push,
                address: endpoint.to_owned(),
                verified: true,
                source: Source::Person,
                at: now,
                recoveries: vec![],
            },
            p256dh: p256dh.to_owned(),
            auth: auth.to_owned(),
            expires: None,
            locale: None,
            zone: None,
        }
    }

    /// Its endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.contact.address
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }
}

impl Person {
    /// A browser may be pushed to from now on, under this yes. `yes.source` is the person where this browser
    /// and they are one. Another browser that names an endpoint of theirs (the same one, whose cookies went
    /// away, say) is a page like any other, and does not change its keys, for a browser's keys never change
    /// under an endpoint.
    pub fn subscribe(&mut self, fresh: Subscription, yes: Consent, now: Timestamp) {
        self.drop_over(now);
        if fresh.is_over(now) {
            return;
        }
        let own = yes.source != Source::Page;
        let held = self.subscriptions.iter().position(|s| s.endpoint() == fresh.endpoint());
        let mut fresh = fresh;
        if let Some(at) = held {
            let held = &self.subscriptions[at];
            if !own && (&held.p256dh, &held.auth) != (&fresh.p256dh, &fresh.auth) {
                return;
            }
            let held = self.subscriptions.remove(at);
            fresh.contact.recoveries = held.contact.recoveries;
        }
        self.subscriptions.push(fresh);
        self.keep_newest_subscriptions();
        // A page tells its subscription with every visit. Each time a line would push older ones out of the
        // record of what was agreed to.
        let known = crate::consent::standing(&self.consents, Channel::Push)
            .is_some_and(|held| held.granted && held.source >= yes.source && held.wording == yes.wording);
        if !known || self.opt_outs.iter().any(|(channel, _)| *channel == Channel::Push) {
            self.record_consent(yes);
        }
    }

    /// A browser may not be pushed to any more. With the last of them goes the consent: `no` is recorded,
    /// which opts out of the channel.
    pub fn unsubscribe(&mut self, endpoint: &str, no: Consent, now: Timestamp) {
        self.drop_over(now);
        self.subscriptions.retain(|s| s.endpoint() != endpoint);
        if self.subscriptions.is_empty() {
            self.record_consent(no);
        }
    }

    /// The address to use on a channel at this instant: of push the newest subscription that is not over.
    #[must_use]
    pub fn reachable(&self, channel: Channel, now: Timestamp) -> Option<&Contact> {
        let live = || self.subscriptions.iter().filter(|s| !s.is_over(now)).map(|s| &s.contact).next_back();
        match channel {
            Channel::Push => live().or_else(|| self.contact(channel)),
            _ => self.contact(channel),
        }
    }

    /// The subscriptions of another part of the same person; of one endpoint the newer.
    pub(super) fn unite_subscriptions(&mut self, other: &Self) {
        for theirs in &other.subscriptions {
            match self.subscriptions.iter_mut().find(|s| s.endpoint() == theirs.endpoint()) {
                Some(held) if held.contact.at < theirs.contact.at => *held = theirs.clone(),
                Some(_) => {}
                None => self.subscriptions.push(theirs.clone()),
            }
        }
        self.keep_newest_subscriptions();
    }

    fn keep_newest_subscriptions(&mut self) {
        self.subscriptions.sort_by(|a, b| (a.contact.at, a.endpoint()).cmp(&(b.contact.at, b.endpoint())));
        let surplus = self.subscriptions.len().saturating_sub(MOST_SUBSCRIPTIONS);
        self.subscriptions.drain(..surplus);
    }

    fn drop_over(&mut self, now: Timestamp) {
        self.subscriptions.retain(|s| !s.is_over(now));
    }
}
