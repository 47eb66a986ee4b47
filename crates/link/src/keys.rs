//! Keys: one master, from which every shop's signing keys and secrets are derived.
//!
//! HKDF-SHA256 (RFC 5869) with an empty salt; the input is the master key, 32 uniformly random
//! bytes, so a salt would add nothing (section 3.1). The info strings, fixed for ever by
//! `tests/vectors/link`:
//!
//! | for | info | out |
//! |---|---|---|
//! | signing key | `comeback/link/v1/signing-key/<shop>/<epoch>` | 32 bytes, the Ed25519 seed |
//! | other secret | `comeback/link/v1/secret/<label>/<shop>` | 32 bytes |
//! | web push key | `comeback/link/v1/push-key/<shop>/<try>` | 32 bytes, the P-256 scalar ([`crate::push`]) |
//!
//! Epoch and try are decimal without leading zeros. No part may hold a `/`, so two different requests never
//! share an info string. This file makes no random keys (there is no `make_*` here: the shell that
//! has entropy does that), stores nothing and does not know which epochs a shop has revoked.

use std::collections::BTreeMap;
use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::{KeyError, LinkError};
use crate::jws;
use crate::push::PushKey;
use crate::secret::Secret;

/// Labels of the secrets a shop has beside its signing keys. Each use has its own, so that a value
/// shown in one place says nothing about another.
pub mod label {
    /// Key of [`derive_identifier_hash`](crate::derive_identifier_hash). Never rotates.
    pub const IDENTIFIER_PEPPER: &str = "identifier-pepper";
    /// Key for the codes of short links (`/s/{code}`).
    pub const SHORT_CODE: &str = "short-code";
    /// The identity secret a shop's server signs request bodies with (`x-comeback-signature`).
    pub const IDENTITY_SIGNATURE: &str = "identity-signature";
}

/// What a `kid` names: a shop and the epoch of its key. Text form `<shop>.<epoch>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId {
    shop: String,
    epoch: u32,
}

impl KeyId {
    /// Checks the shop id.
    ///
    /// # Errors
    /// [`KeyError::Shop`].
    pub fn new(shop: &str, epoch: u32) -> Result<Self, KeyError> {
        check_shop(shop)?;
        Ok(Self { shop: shop.to_owned(), epoch })
    }

    /// Reads the text form; the epoch only in canonical decimal (`+1`, `01` are refused).
    ///
    /// # Errors
    /// [`LinkError::Malformed`] with `kid`.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let malformed = LinkError::Malformed { what: "kid" };
        let (shop, digits) = text.split_once('.').ok_or(malformed)?;
        let epoch: u32 = digits.parse().map_err(|_| malformed)?;
        if epoch.to_string() != digits {
            return Err(malformed);
        }
        Self::new(shop, epoch).map_err(|_| malformed)
    }

    /// The shop id.
    #[must_use]
    pub fn shop(&self) -> &str {
        &self.shop
    }

    /// Which of the shop's keys; later epochs have higher numbers.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.shop, self.epoch)
    }
}

fn check_shop(shop: &str) -> Result<(), KeyError> {
    let ok = (1..=80).contains(&shop.len())
        && shop.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    ok.then_some(()).ok_or(KeyError::Shop)
}

/// The 32 bytes everything else is derived from; wiped when dropped, redacted in `Debug`.
///
/// It cannot be rotated without breaking every link in flight and every alias: what rotates is a
/// shop's epoch.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// Takes 32 bytes of a cryptographic random source.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads the text a Worker secret holds: 43 characters of base64url, no padding.
    ///
    /// # Errors
    /// [`KeyError::MasterKey`].
    pub fn from_base64url(text: &str) -> Result<Self, KeyError> {
        let bytes = jws::decode(text, "master key").map_err(|_| KeyError::MasterKey)?;
        let bytes = Zeroizing::new(bytes);
        let array: [u8; 32] = bytes.as_slice().try_into().map_err(|_| KeyError::MasterKey)?;
        Ok(Self::from_bytes(array))
    }

    /// The signing key of a shop for an epoch.
    ///
    /// # Errors
    /// [`KeyError::Shop`].
    pub fn derive_shop_key(&self, shop: &str, epoch: u32) -> Result<SigningKey, KeyError> {
        let kid = KeyId::new(shop, epoch)?;
        let seed = self.expand(&format!("comeback/link/v1/signing-key/{shop}/{epoch}"));
        Ok(SigningKey { kid, key: ed25519_dalek::SigningKey::from_bytes(&seed) })
    }

    /// The secret of a shop for one use; `label` is one of [`label`].
    ///
    /// # Errors
    /// [`KeyError::Label`], [`KeyError::Shop`].
    pub fn derive_secret(&self, label: &str, shop: &str) -> Result<Secret, KeyError> {
        let label_ok = (1..=64).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !label_ok {
            return Err(KeyError::Label);
        }
        check_shop(shop)?;
        let bytes = self.expand(&format!("comeback/link/v1/secret/{label}/{shop}"));
        Ok(Secret::from_bytes(*bytes))
    }

    /// The public keys of a shop for these epochs.
    ///
    /// # Errors
    /// [`KeyError::Shop`].
    pub fn derive_shop_keys(&self, shop: &str, epochs: &[u32]) -> Result<ShopKeys, KeyError> {
        let mut keys = ShopKeys::new(shop)?;
        for &epoch in epochs {
            keys.insert(epoch, self.derive_shop_key(shop, epoch)?.public_key());
        }
        Ok(keys)
    }

    /// The key with which a shop's edge names itself to push services (VAPID, RFC 8292). It knows no epoch:
    /// a browser's subscription is bound to it for as long as that lives, so another key would silence
    /// every subscription.
    ///
    /// # Errors
    /// [`KeyError::Shop`].
    pub fn derive_push_key(&self, shop: &str) -> Result<PushKey, KeyError> {
        check_shop(shop)?;
        let candidate = |attempt| self.expand(&format!("comeback/link/v1/push-key/{shop}/{attempt}"));
        Ok(PushKey::first_of(candidate))
    }

    fn expand(&self, info: &str) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0u8; 32]);
        #[expect(
            clippy::expect_used,
            reason = "HKDF-SHA256 yields up to 255 * 32 bytes (RFC 5869 section 2.3); 32 is one block"
        )]
        Hkdf::<Sha256>::new(None, self.0.as_slice())
            .expand(info.as_bytes(), out.as_mut_slice())
            .expect("32 bytes is one block of HKDF-SHA256");
        out
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(redacted)")
    }
}

/// A shop's private key for one epoch; wiped when dropped, `Debug` shows its `kid` only.
pub struct SigningKey {
    kid: KeyId,
    pub(crate) key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// Which key this is.
    #[must_use]
    pub fn kid(&self) -> &KeyId {
        &self.kid
    }

    /// The other half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.key.verifying_key())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, redacted)", self.kid)
    }
}

/// An Ed25519 public key that is not of small order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(pub(crate) ed25519_dalek::VerifyingKey);

impl PublicKey {
    /// Reads the 32 bytes of RFC 8032 section 5.1.5.
    ///
    /// # Errors
    /// [`KeyError::PublicKey`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .ok()
            .filter(|key| !key.is_weak())
            .map(Self)
            .ok_or(KeyError::PublicKey)
    }

    /// The 32 bytes of RFC 8032 section 5.1.5.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }
}

/// The public keys of *one* shop that count now. An epoch that is not in here (revoked, too old,
/// never made) verifies nothing, nor does any key of another shop: revoking is leaving out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopKeys {
    shop: String,
    keys: BTreeMap<u32, PublicKey>,
}

impl ShopKeys {
    /// No keys yet.
    ///
    /// # Errors
    /// [`KeyError::Shop`].
    pub fn new(shop: &str) -> Result<Self, KeyError> {
        check_shop(shop)?;
        Ok(Self { shop: shop.to_owned(), keys: BTreeMap::new() })
    }

    /// Adds or replaces an epoch's key.
    pub fn insert(&mut self, epoch: u32, key: PublicKey) {
        self.keys.insert(epoch, key);
    }

    /// Takes an epoch out. Returns whether it was there.
    pub fn remove(&mut self, epoch: u32) -> bool {
        self.keys.remove(&epoch).is_some()
    }

    /// Whose keys these are.
    #[must_use]
    pub fn shop(&self) -> &str {
        &self.shop
    }

    /// The key a `kid` names, if it is this shop's and counts.
    #[must_use]
    pub fn get(&self, kid: &KeyId) -> Option<&PublicKey> {
        (kid.shop == self.shop).then(|| self.keys.get(&kid.epoch)).flatten()
    }

    /// The JWK Set (RFC 7517 section 5) for `/.well-known/jwks.json`: one OKP key (RFC 8037 section
    /// 2) per epoch in ascending order, no white space, so that equal sets are equal bytes.
    #[must_use]
    pub fn jwks(&self) -> String {
        // Every value is base64url, a checked shop id or a number, so nothing needs escaping.
        let keys: Vec<String> = self
            .keys
            .iter()
            .map(|(epoch, key)| {
                format!(
                    r#"{{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"{}.{epoch}","x":"{}"}}"#,
                    self.shop,
                    jws::encode(&key.to_bytes())
                )
            })
            .collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }
}
