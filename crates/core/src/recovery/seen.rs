//! Which events a cart has seen: the last 256, as 48-bit fingerprints. An event that comes again
//! after 256 others counts again in the session's facts; in the cart it is too old to matter.

use serde::{Deserialize, Serialize};

use crate::id::EventId;

/// Events remembered.
const KEPT: usize = 256;
/// Hexadecimal digits of a fingerprint. Two of 256 events share one by chance once in 2^32 carts.
const DIGITS: usize = 12;

/// A bounded set of event ids, stored as one string so that loading it costs one allocation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seen(String);

impl Seen {
    /// Remembers an event; `false` if it was seen before.
    pub fn insert(&mut self, id: &EventId) -> bool {
        let print = fingerprint(id.as_str());
        if self.0.as_bytes().chunks(DIGITS).any(|held| held == print.as_bytes()) {
            return false;
        }
        if self.0.len() >= KEPT * DIGITS {
            self.0.drain(..DIGITS);
        }
        self.0.push_str(&print);
        true
    }
}

/// FNV-1a, 64 bit, folded to 48: ids are random or hashed already, so spread is all that is asked.
fn fingerprint(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{:012x}", (hash ^ (hash >> 48)) & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_and_forgets_the_oldest() {
        let mut seen = Seen::default();
        let id = |n: usize| EventId::parse(&format!("evt_{n}")).unwrap();
        assert!(seen.insert(&id(0)));
        assert!(!seen.insert(&id(0)));
        for n in 1..=KEPT {
            assert!(seen.insert(&id(n)));
        }
        assert_eq!(seen.0.len(), KEPT * DIGITS);
        assert!(seen.insert(&id(0)), "the oldest was forgotten");
        assert!(!seen.insert(&id(KEPT)));
    }
}
