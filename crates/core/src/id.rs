//! Prefixed ids as newtypes, checked once at the edge. This module never makes a random id: that
//! needs entropy, which is a shell's; it only derives ids from other values and parses them.
//!
//! A text is shared by its copies: an id is copied into every record of what is decided about it.

use core::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// An id text was not of the expected form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id of the form `{prefix}…`: 1 to 64 letters, digits, `-` or `_` after the prefix")]
pub struct IdError {
    /// The prefix that was expected, `cart_` for example.
    pub prefix: &'static str,
}

/// Longest tail after the prefix. Random ids use 22 characters; platform ids are hashed, not copied.
const MAX_TAIL: usize = 64;

fn tail_is_valid(tail: &str) -> bool {
    !tail.is_empty()
        && tail.len() <= MAX_TAIL
        && tail.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            #[doc = concat!("The prefix, `", $prefix, "`.")]
            pub const PREFIX: &'static str = $prefix;

            /// Checks the form and keeps the text.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                match text.strip_prefix($prefix) {
                    Some(tail) if tail_is_valid(tail) => Ok(Self(text.into())),
                    _ => Err(IdError { prefix: $prefix }),
                }
            }

            /// The id of something outside, hashed: the same parts always give the same id, and
            /// the parts cannot be read back from it.
            #[must_use]
            pub fn derive(parts: &[&str]) -> Self {
                Self(digest($prefix, parts))
            }

            /// The whole text, prefix included.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.as_str().to_owned()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

prefixed_id!(/** A shop: the tenant. */ ShopId, "shop_");
prefixed_id!(/** A cart, from its first item to its retention. */ CartId, "cart_");
prefixed_id!(/** A person behind one or more visitors and addresses. */ PersonId, "per_");
prefixed_id!(/** A browser, known by a first-party `HttpOnly` cookie. */ VisitorId, "vis_");
prefixed_id!(/** One event as the page or platform named it; the key of deduplication. */ EventId, "evt_");
prefixed_id!(
    /** The key of one send: cart, abandonment and step. It is the idempotency key handed to the
        provider and the `jti` of the links inside the message. */
    SendKey,
    "snd_"
);

impl SendKey {
    /// The one key of a planned contact. Offering the same step twice offers the same key.
    #[must_use]
    pub fn of(cart: &CartId, abandonment: u32, step: u32) -> Self {
        Self::derive(&[cart.as_str(), &abandonment.to_string(), &step.to_string()])
    }
}

/// The prefix and 128 bits of SHA-256 over the length-prefixed parts, as 26 characters of Crockford
/// base32. Length prefixes keep ("ab","c") and ("a","bc") apart.
fn digest(prefix: &str, parts: &[&str]) -> Arc<str> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    let mut bits: u32 = 0;
    let mut held = 0_u32;
    let mut id = String::with_capacity(prefix.len() + 26);
    id.push_str(prefix);
    for byte in digest.iter().take(16) {
        bits = (bits << 8) | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            id.push(char::from(ALPHABET[(bits >> held) as usize & 31]));
        }
    }
    id.push(char::from(ALPHABET[(bits << (5 - held)) as usize & 31]));
    id.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_its_own_prefix_only() {
        assert!(CartId::parse("cart_0Az-_").is_ok());
        for bad in ["", "cart_", "shop_1", "cart_ä", "cart_a b", "cart_a/b", "CART_1"] {
            assert!(CartId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(CartId::parse(&format!("cart_{}", "a".repeat(65))).is_err());
    }

    #[test]
    fn derivation_is_frozen_and_separates_parts() {
        // A changed derivation would orphan stored carts and repeat sends: never edit to go green.
        assert_eq!(CartId::derive(&["shop_demo", "shopify", "token"]).as_str(), FROZEN);
        assert_ne!(CartId::derive(&["ab", "c"]), CartId::derive(&["a", "bc"]));
    }

    const FROZEN: &str = "cart_s8865p8etc4m99cw2stfjkfev8";
}
