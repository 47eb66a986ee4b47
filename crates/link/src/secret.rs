//! Per-shop secrets for keyed hashes: the pepper of identifiers, short codes, shop signatures.
//!
//! HMAC-SHA256 (RFC 2104) under 32 bytes that come from the master key. It does not derive them
//! ([`MasterKey::derive_secret`](crate::MasterKey::derive_secret) does), normalise what it hashes,
//! or sign links.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// 32 secret bytes; wiped when dropped, redacted in `Debug`.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    /// Takes secret bytes from elsewhere (a test, a shop that brought its own).
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for showing a shop its own secret once. Never log them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn mac(&self) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104 section 2)")]
        Hmac::new_from_slice(self.0.as_slice()).expect("HMAC takes keys of every length")
    }

    /// HMAC-SHA256 of `message`, 32 bytes.
    #[must_use]
    pub fn hmac(&self, message: &[u8]) -> [u8; 32] {
        self.mac().chain_update(message).finalize().into_bytes().into()
    }

    /// HMAC-SHA256 of `message` as 64 lower-case hex characters.
    #[must_use]
    pub fn hmac_hex(&self, message: &[u8]) -> String {
        hex(&self.hmac(message))
    }

    /// Whether `hex` is [`hmac_hex`](Self::hmac_hex) of `message`. Upper-case hex is accepted, and
    /// the time taken depends on the length of `hex` only.
    #[must_use]
    pub fn verify_hmac_hex(&self, message: &[u8], hex: &str) -> bool {
        let expected = self.hmac_hex(message);
        expected.as_bytes().ct_eq(hex.to_ascii_lowercase().as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The name under which an identifier (email address, phone number, device …) is stored: 32
/// lower-case hex characters, the first 128 bits of
/// `HMAC-SHA256(pepper, len(kind) as u32 big-endian || kind || normalised)`.
///
/// The length in front keeps two kinds from meeting. Equal inputs give equal hashes for as long as
/// the pepper lives, and the pepper never rotates: alias objects are found by this name. The caller
/// normalises; 128 bits leave no room for a chance collision among any number of shoppers.
#[must_use]
pub fn derive_identifier_hash(pepper: &Secret, kind: &str, normalised: &str) -> String {
    // A kind is a short literal of ours; saturating keeps the function total all the same.
    let kind_length = u32::try_from(kind.len()).unwrap_or(u32::MAX);
    let mac =
        pepper.mac().chain_update(kind_length.to_be_bytes()).chain_update(kind).chain_update(normalised);
    let full: [u8; 32] = mac.finalize().into_bytes().into();
    hex(&full[..16])
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_is_compared_whole_and_in_any_case() {
        let secret = Secret::from_bytes([7; 32]);
        let good = secret.hmac_hex(b"body");
        assert!(secret.verify_hmac_hex(b"body", &good));
        assert!(secret.verify_hmac_hex(b"body", &good.to_uppercase()));
        for bad in ["", &good[..63], &format!("{good}0"), &"0".repeat(64), "\u{e9}"] {
            assert!(!secret.verify_hmac_hex(b"body", bad), "{bad}");
        }
        assert!(!secret.verify_hmac_hex(b"bodY", &good));
        assert!(!Secret::from_bytes([8; 32]).verify_hmac_hex(b"body", &good));
    }

    #[test]
    fn identifier_kinds_never_meet() {
        let pepper = Secret::from_bytes([1; 32]);
        let hash = derive_identifier_hash(&pepper, "email", "a@example.com");
        assert_eq!(hash.len(), 32);
        assert_eq!(hash, derive_identifier_hash(&pepper, "email", "a@example.com"));
        assert_ne!(hash, derive_identifier_hash(&pepper, "phone", "a@example.com"));
        assert_ne!(hash, derive_identifier_hash(&pepper, "emaila", "@example.com"));
        assert_ne!(hash, derive_identifier_hash(&Secret::from_bytes([2; 32]), "email", "a@example.com"));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::from_bytes([9; 32])), "Secret(redacted)");
    }
}
