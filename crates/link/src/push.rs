//! The P-256 key of a shop for web push (VAPID, RFC 8292), and the points that browsers hand us with
//! their subscriptions (RFC 8291). Signs and encrypts nothing yet: no push is sent.

use std::fmt;

use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::{PublicKey, SecretKey};
use zeroize::Zeroizing;

use crate::jws;

/// A shop's private key for web push; wiped when dropped, `Debug` shows its public half.
pub struct PushKey(SecretKey);

impl PushKey {
    /// The first candidate that is a scalar of the curve: from 1 to below the group's order (FIPS 186-5,
    /// A.2.2). One in 2^32 is not, so a second is all but never asked for.
    pub(crate) fn first_of(candidate: impl Fn(u32) -> Zeroizing<[u8; 32]>) -> Self {
        let mut attempt = 0;
        loop {
            if let Ok(key) = SecretKey::from_slice(candidate(attempt).as_slice()) {
                return Self(key);
            }
            attempt += 1;
        }
    }

    /// The other half, uncompressed (SEC 1, section 2.3.3): what a page gives to `PushManager.subscribe()` as
    /// `applicationServerKey`.
    #[must_use]
    pub fn public_key(&self) -> [u8; 65] {
        let mut bytes = [0; 65];
        bytes.copy_from_slice(self.0.public_key().to_sec1_point(false).as_bytes());
        bytes
    }

    /// The same as base64url without padding, 87 characters.
    #[must_use]
    pub fn public_key_base64url(&self) -> String {
        jws::encode(&self.public_key())
    }
}

impl fmt::Debug for PushKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PushKey({}, redacted)", self.public_key_base64url())
    }
}

/// Whether these are a point of the curve in its uncompressed form, and not its neutral element. A key that
/// is none would make every message to it fail, or worse.
#[must_use]
pub fn is_p256_point(bytes: &[u8]) -> bool {
    bytes.len() == 65 && bytes.first() == Some(&4) && PublicKey::from_sec1_bytes(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MasterKey;

    #[test]
    fn a_candidate_that_is_no_scalar_is_passed_over() {
        // Nought, the group's order and all ones are none; the order less one is the largest that is.
        let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
        let bytes = |hex: &str| {
            Zeroizing::new(std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()))
        };
        let last = bytes(&order.replace("2551", "2550"));
        let candidates = [bytes(&"0".repeat(64)), bytes(order), bytes(&"f".repeat(64)), last.clone()];
        let key = PushKey::first_of(|attempt| candidates[usize::try_from(attempt).unwrap()].clone());
        assert_eq!(key.public_key(), PushKey::first_of(|_| last.clone()).public_key());
        // (n - 1) * G is -G: the base point's x.
        let x = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
        assert_eq!(key.public_key()[1..33], bytes(x)[..]);
    }

    #[test]
    fn a_point_is_told_from_what_only_looks_like_one() {
        let good = MasterKey::from_bytes([7; 32]).derive_push_key("shop_demo").unwrap().public_key();
        assert!(is_p256_point(&good));
        let mut off = good;
        off[64] ^= 1;
        assert!(!is_p256_point(&off), "not on the curve");
        let mut compressed = good[..33].to_vec();
        compressed[0] = 2;
        let mut hybrid = good;
        hybrid[0] = 6;
        for bad in
            [&[][..], &[0], &[4; 65], &good[..64], &compressed, &hybrid, &[good.as_slice(), &[0]].concat()]
        {
            assert!(!is_p256_point(bad), "{bad:?}");
        }
    }

    #[test]
    fn debug_shows_the_public_half_only() {
        let master = MasterKey::from_bytes([7; 32]);
        let key = master.derive_push_key("shop_demo").unwrap();
        assert_eq!(format!("{key:?}"), format!("PushKey({}, redacted)", key.public_key_base64url()));
        assert_eq!(key.public_key_base64url().len(), 87);
        assert!(master.derive_push_key("shop/../x").is_err());
    }
}
