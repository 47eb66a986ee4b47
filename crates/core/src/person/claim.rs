//! Claims: the gate is asked and its leave written down before it is used, so that whoever holds it may die without
//! anybody being written to twice. What is claimed and not settled counts as if it had gone out.

use serde::{Deserialize, Serialize};

use super::{KEPT, KnownEpisode, Person, Recovered, Sent, Worth, merge};
use crate::consent::Channel;
use crate::decision::{Decision, DecisionRecord, Why};
use crate::experiment::{self, Exposure};
use crate::gate::{self, ClaimRequest};
use crate::id::{CartId, SendKey};
use crate::offer::{Grant, Tried};
use crate::policy::Policy;
use crate::recovery::Trigger;
use crate::time::{HOUR, MINUTE, Millis, Timestamp};

/// While a claim is held, a second delivery of the same job waits; afterwards it may try again
/// under the same key. Longer than any provider call, shorter than a shopper's patience.
pub const CLAIM_LEASE: Millis = 2 * MINUTE;
/// For so long after its first attempt a message may be tried again under its key. Providers forget a
/// key after a day; an hour is left for handing over.
pub const KEY_MEMORY: Millis = 23 * HOUR;

/// A claim that was let through and is not yet known to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// When, the last time.
    pub at: Timestamp,
    /// When the first time, if that was another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// By which channel.
    pub channel: Channel,
    /// For which cart.
    pub cart: CartId,
    /// For which episode.
    pub abandonment: u32,
    /// With an offer.
    pub offered: bool,
    /// How often.
    pub attempts: u32,
    /// Where to. A retry that would go elsewhere is another message, not the same again.
    #[serde(default)]
    pub address: String,
    /// With which template.
    #[serde(default)]
    pub template: String,
    /// It is about something looked at, not a cart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub browse: bool,
    /// The experiments it is part of, recorded when it is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exposures: Vec<Exposure>,
    /// The offer that goes along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// The arm that a learner chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<Tried>,
}

impl Claim {
    /// When it was first tried: a provider that took it then knows its key since.
    #[must_use]
    pub fn begun(&self) -> Timestamp {
        self.since.unwrap_or(self.at)
    }
}

impl Person {
    /// Asks the gate and, if it lets the send through, claims it. Claiming twice under one key
    /// gives the same answer again: `InFlight` while the first holder may be at work, then `Send`,
    /// because a holder that died left nothing behind but this claim. By another channel, to another
    /// address or after [`KEY_MEMORY`] it is not repeated: there the key protects nobody from a second
    /// message.
    ///
    /// A refusal changes the person too (episode, holdout): store it whatever the answer.
    ///
    /// `idempotent` says whether the provider of the chosen channel takes idempotency keys. If it
    /// does not, a text message whose first holder died is never repeated: it may have been sent.
    pub fn claim(
        &mut self,
        now: Timestamp,
        request: &ClaimRequest,
        policy: &Policy,
        idempotent: bool,
    ) -> DecisionRecord {
        let mut record = gate::decide(now, self, request, policy);
        if request.activation.as_ref().is_some_and(|a| a.shadow) {
            // A policy in shadow leaves no trace: neither claim nor episode, assignment nor count.
            return record;
        }
        self.remember(request, policy, &record.segments);
        let Decision::Send(clearance) = &record.decision else {
            match record.decision {
                Decision::Skip { why: Why::Holdout } => self.holdout = Some(true),
                // A message that would have gone out now: so much that others must not see a difference.
                Decision::Skip { why: Why::SilentArm } => {
                    for exposure in record.would.iter().flat_map(|w| &w.exposures) {
                        experiment::expose(&mut self.assignments, exposure, now);
                    }
                    self.note_episode(request);
                }
                // It waits for its turn, so older carts must not take it: the newest wins.
                Decision::Defer { .. } => self.note_episode(request),
                _ => {}
            }
            return record;
        };
        let channel = clearance.channel();
        let address = clearance.address().to_owned();
        let held = self.claims.get(&request.key);
        let since = held.map(Claim::begun);
        let attempts = match held {
            Some(held) if now.since(held.at) < CLAIM_LEASE => {
                record.decision = Decision::Defer { until: held.at.plus(CLAIM_LEASE), why: Why::InFlight };
                return record;
            }
            Some(held)
                if held.channel != channel
                    || held.address != address
                    || now.since(held.begun()) >= KEY_MEMORY
                    || (channel == Channel::Sms && !idempotent) =>
            {
                record.decision = Decision::Skip { why: Why::Unknown };
                return record;
            }
            Some(held) => held.attempts.saturating_add(1),
            None => 1,
        };
        let claim = Claim {
            at: now,
            since,
            channel,
            cart: request.cart.clone(),
            abandonment: request.abandonment,
            offered: clearance.offer().is_some(),
            attempts,
            address,
            template: clearance.template().to_owned(),
            browse: request.trigger == Trigger::Browse,
            exposures: clearance.exposures().to_vec(),
            grant: clearance.grant().cloned(),
            tried: clearance.choice().map(|c| c.tried.clone()),
        };
        // The gate has just asked, and let it through.
        self.holdout.get_or_insert(false);
        self.claims.insert(request.key.clone(), claim);
        self.forget_claims();
        self.note_episode(request);
        record
    }

    /// What a claim tells about the person, whatever its answer: the segments they are in, and what
    /// their orders are summed in.
    fn remember(&mut self, request: &ClaimRequest, policy: &Policy, segments: &[String]) {
        self.segments = segments.to_vec();
        self.worth = Worth { home: request.home.or(self.worth.home), rates: policy.rates.clone() };
    }

    /// Claims that nobody settles would be kept for ever: the oldest go.
    pub(super) fn forget_claims(&mut self) {
        while self.claims.len() > KEPT {
            let oldest = self.claims.iter().min_by_key(|(_, claim)| claim.at).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { return };
            self.claims.remove(&oldest);
        }
    }

    fn note_episode(&mut self, request: &ClaimRequest) {
        self.left(KnownEpisode {
            abandoned_at: request.abandoned_at,
            cart: request.cart.clone(),
            abandonment: request.abandonment,
            browse: request.trigger == Trigger::Browse,
            until: None,
        });
    }

    /// The provider took it. Doing so twice changes nothing.
    pub fn mark_sent(&mut self, key: &SendKey, now: Timestamp) {
        let Some(claim) = self.claims.remove(key) else {
            return;
        };
        if self.has_sent(key) {
            return;
        }
        let reached =
            self.contacts.iter_mut().find(|c| c.channel == claim.channel && c.address == claim.address);
        if let Some(held) = reached
            && !held.recoveries.iter().any(|r| r.cart == claim.cart && r.abandonment == claim.abandonment)
        {
            held.recoveries.push(Recovered {
                at: now,
                cart: claim.cart.clone(),
                abandonment: claim.abandonment,
            });
            merge::keep_newest(&mut held.recoveries);
        }
        self.sends.push(Sent {
            at: now,
            key: key.clone(),
            channel: claim.channel,
            cart: claim.cart,
            abandonment: claim.abandonment,
            offered: claim.offered,
            address: claim.address,
            template: claim.template,
            clicked: None,
            browse: claim.browse,
            grant: claim.grant,
            tried: claim.tried,
        });
        for exposure in &claim.exposures {
            experiment::expose(&mut self.assignments, exposure, now);
        }
        self.sends.sort_unstable();
        if self.sends.len() > KEPT {
            self.sends.remove(0);
        }
    }

    /// The provider did not take it: the claim is given back. Not when it was claimed more than
    /// once: then another holder may be at work, or died after the provider took it, and what may
    /// have gone out goes on counting.
    pub fn release(&mut self, key: &SendKey) {
        if self.claims.get(key).is_some_and(|claim| claim.attempts <= 1) {
            self.claims.remove(key);
        }
    }
}
