//! Which events a cart has seen: the last 64, as 48-bit fingerprints. An event that comes again
//! after 64 others counts again in the session's facts; in the cart it is too old to matter.

use serde::{Deserialize, Serialize};

use crate::id::EventId;

/// Events remembered. A page sends again what it was not acknowledged, one flush as a rule, and the
/// whole list is written with every batch.
const KEPT: usize = 64;
/// Characters of a fingerprint: 48 bits in base64. Two of 64 events share one by chance once in
/// 2^36 carts.
const CHARS: usize = 8;
/// Opens the text, because the older form (12 hexadecimal digits each, no mark) may hold the same
/// characters. No digit of either form.
const MARK: char = '.';
/// The older form's digits of one fingerprint.
const OLD_DIGITS: usize = 12;
/// URL-safe base64, RFC 4648 section 5.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A bounded set of event ids, stored as one string so that loading it costs one allocation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Seen(String);

impl From<String> for Seen {
    fn from(text: String) -> Self {
        if text.is_empty() || text.starts_with(MARK) {
            return Self(text);
        }
        let mut seen = Self::default();
        for digits in text.as_bytes().chunks(OLD_DIGITS) {
            let print = core::str::from_utf8(digits).ok().and_then(|d| u64::from_str_radix(d, 16).ok());
            seen.push(print.unwrap_or_default());
        }
        seen
    }
}

impl Seen {
    /// Remembers an event; `false` if it was seen before.
    pub fn insert(&mut self, id: &EventId) -> bool {
        let print = fingerprint(id.as_str());
        let text = base64(print);
        if self.0.as_bytes().get(1..).unwrap_or_default().chunks(CHARS).any(|held| held == text) {
            return false;
        }
        self.push(print);
        true
    }

    fn push(&mut self, print: u64) {
        if self.0.is_empty() {
            // A session's events, as a rule.
            self.0.reserve(1 + KEPT / 4 * CHARS);
            self.0.push(MARK);
        }
        if self.0.len() > KEPT * CHARS {
            self.0.drain(1..=CHARS);
        }
        self.0.extend(base64(print).map(char::from));
    }

    /// Whether nothing was seen yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// FNV-1a, 64 bit, folded to 48: ids are random or hashed already, so spread is all that is asked.
fn fingerprint(text: &str) -> u64 {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 48)) & 0xffff_ffff_ffff
}

fn base64(print: u64) -> [u8; CHARS] {
    core::array::from_fn(|i| ALPHABET[usize::try_from((print >> (42 - 6 * i)) & 63).unwrap_or(0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> EventId {
        EventId::parse(&format!("evt_{n}")).unwrap()
    }

    #[test]
    fn remembers_and_forgets_the_oldest() {
        let mut seen = Seen::default();
        assert!(seen.insert(&id(0)));
        assert!(!seen.insert(&id(0)));
        for n in 1..=KEPT {
            assert!(seen.insert(&id(n)));
        }
        assert_eq!(seen.0.len(), 1 + KEPT * CHARS);
        assert!(seen.insert(&id(0)), "the oldest was forgotten");
        assert!(!seen.insert(&id(KEPT)));
    }

    #[test]
    fn the_older_form_is_read() {
        let old: String = (0..300).map(|n| format!("{:012x}", fingerprint(id(n).as_str()))).collect();
        let mut seen = Seen::from(old);
        assert!(!seen.insert(&id(299)));
        assert!(!seen.insert(&id(300 - KEPT)));
        assert!(seen.insert(&id(1000)));
        let again = Seen::from(seen.0.clone());
        assert_eq!(again, seen);
    }
}
