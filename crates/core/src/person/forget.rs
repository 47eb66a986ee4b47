//! A person has a cart forgotten: no send of it is claimed any more. What was sent about it still counts
//! towards caps and fatigue, for it was read all the same.

use super::Person;
use crate::id::CartId;

/// Carts remembered as forgotten. By then the cart itself has long been closed to everything.
const MOST: usize = 20;

impl Person {
    /// From now on the gate refuses every send about this cart, and no event links it anew. Doing it again
    /// changes nothing.
    pub fn forget_cart(&mut self, cart: &CartId) {
        self.carts.retain(|held| held != cart);
        let abandonments: Vec<u32> =
            self.episodes.iter().filter(|e| e.cart == *cart).map(|e| e.abandonment).collect();
        for abandonment in abandonments {
            // Older carts need not wait for it; if it was written about, it still comes before them.
            self.returned(cart, abandonment);
        }
        if !self.has_forgotten(cart) {
            self.forgotten.push(cart.clone());
            self.forgotten.drain(..self.forgotten.len().saturating_sub(MOST));
        }
    }

    /// Whether they wanted this cart forgotten.
    #[must_use]
    pub fn has_forgotten(&self, cart: &CartId) -> bool {
        self.forgotten.contains(cart)
    }

    /// What another part of the same person forgot is forgotten here too.
    pub(super) fn unite_forgotten(&mut self, other: &Self) {
        for cart in &other.forgotten {
            self.forget_cart(cart);
        }
    }
}
