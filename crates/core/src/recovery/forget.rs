//! A shopper wants a cart forgotten. What is left says only that: an empty, closed cart that late events
//! find until its retention is over, so that they do not bring it back. Who is told of it besides is the
//! shell's; that no send of it is claimed any more is the person's ([`crate::person::Person::forget_cart`]).

use super::{Phase, Recovery, record};
use crate::effect::{Effect, Happened};
use crate::time::Timestamp;

impl Recovery {
    /// Forgets what was in it, what was done with it and what was planned, whatever state it is in. Doing it
    /// again changes nothing. Its person stays named: a shell that died before it told them asks here when
    /// it is asked again.
    pub fn forget(&mut self, now: Timestamp) -> Vec<Effect> {
        if self.is_forgotten() || self.phase == Phase::Expired {
            return vec![];
        }
        let empty = Self::new(self.id.clone(), self.shop.clone(), self.cart.currency, now);
        // The number goes on, so that nobody takes the empty cart for one they saw.
        let version = self.cart.version.saturating_add(1);
        *self = Self { phase: Phase::Forgotten, person: self.person.take(), ..empty };
        self.cart.version = version;
        vec![Effect::Erase, record(now, Happened::Forgotten)]
    }

    /// Whether its shopper wanted it forgotten.
    #[must_use]
    pub fn is_forgotten(&self) -> bool {
        self.phase == Phase::Forgotten
    }
}
