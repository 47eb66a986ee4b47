//! Tokens: signing typed claims, and the only way back to them.
//!
//! `&str` -> [`UnverifiedToken`] -> (keys, purpose, issuer, now) -> [`ResumeClaims`] or
//! [`UnsubscribeClaims`]. The payload of a token is not reachable before it is verified. What is not
//! decided here: whether the send or the key was revoked (leave the key out of [`ShopKeys`], look
//! the `send` up), whether a link was used before, and what the cart still holds.

use std::fmt;

use serde::Serialize;

use crate::claims::{Claims, Purpose, ResumeClaims, UnsubscribeClaims};
use crate::error::LinkError;
use crate::jws::{self, Compact};
use crate::keys::{KeyId, ShopKeys, SigningKey};
use crate::members::Members;

/// The longest token that is looked at. Ours are about 450 bytes, and the longest claims that the
/// signer lets through make about 1,300; the limit bounds what a stranger can make us parse.
pub const MAX_TOKEN_BYTES: usize = 2048;

/// How far, in seconds, `iat` may lie in the future: two machines' clocks, not a grace period.
pub const ISSUED_AT_LEEWAY_S: i64 = 60;

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

/// Signs a resume token. The same key and claims always give the same text (Ed25519 is
/// deterministic, RFC 8032 section 5.1.6).
///
/// # Errors
/// [`LinkError::Malformed`] if a claim has a shape the verifier would refuse.
pub fn sign_resume(key: &SigningKey, claims: &ResumeClaims) -> Result<String, LinkError> {
    sign(key, claims)
}

/// Signs an unsubscribe token; see [`sign_resume`].
///
/// # Errors
/// [`LinkError::Malformed`] if a claim has a shape the verifier would refuse.
pub fn sign_unsubscribe(key: &SigningKey, claims: &UnsubscribeClaims) -> Result<String, LinkError> {
    sign(key, claims)
}

fn sign<C: Claims>(key: &SigningKey, claims: &C) -> Result<String, LinkError> {
    claims.check()?;
    let header =
        serde_json::to_vec(&Header { alg: "EdDSA", typ: C::PURPOSE.typ(), kid: &key.kid().to_string() })
            .map_err(|_| LinkError::Malformed { what: "header" })?;
    Ok(jws::sign(&key.key, &header, &claims.to_json()?))
}

/// A token that is well formed and not yet believed.
///
/// Only the `kid` can be read, to find the keys to verify with. `Debug` shows nothing else.
pub struct UnverifiedToken {
    kid: KeyId,
    purpose: Purpose,
    compact: Compact,
}

impl UnverifiedToken {
    /// Takes a token apart and refuses every form and header but ours.
    ///
    /// # Errors
    /// [`LinkError::Malformed`], [`LinkError::Unsupported`].
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(LinkError::Malformed { what: "length" });
        }
        let ((purpose, kid), compact) = Compact::parse(text, read_header)?;
        Ok(Self { kid, purpose, compact })
    }

    /// The key the token *claims* to be signed with: for looking up the shop and its keys, nothing
    /// else. Anybody can write any `kid`.
    #[must_use]
    pub fn kid(&self) -> &KeyId {
        &self.kid
    }

    /// The purpose the token *claims*: for choosing which error page to show, never for deciding
    /// what to do. Anybody can write any `typ`.
    #[must_use]
    pub fn unverified_purpose_guess(&self) -> Purpose {
        self.purpose
    }

    /// Believes the token as a resume link of the shop at `issuer`, or says why not.
    ///
    /// `now` is seconds since 1970-01-01T00:00:00Z. Valid from `iat` - [`ISSUED_AT_LEEWAY_S`] up to,
    /// not including, `exp`.
    ///
    /// # Errors
    /// In this order: [`LinkError::UnknownKey`], [`LinkError::BadSignature`],
    /// [`LinkError::WrongPurpose`], [`LinkError::Malformed`], [`LinkError::WrongShop`],
    /// [`LinkError::NotYet`], [`LinkError::Expired`].
    pub fn verify_resume(self, keys: &ShopKeys, issuer: &str, now: i64) -> Result<ResumeClaims, LinkError> {
        self.verify(keys, issuer, now)
    }

    /// Believes the token as an unsubscribe link; as [`verify_resume`](Self::verify_resume).
    ///
    /// # Errors
    /// As [`verify_resume`](Self::verify_resume).
    pub fn verify_unsubscribe(
        self,
        keys: &ShopKeys,
        issuer: &str,
        now: i64,
    ) -> Result<UnsubscribeClaims, LinkError> {
        self.verify(keys, issuer, now)
    }

    fn verify<C: Claims>(self, keys: &ShopKeys, issuer: &str, now: i64) -> Result<C, LinkError> {
        let key = keys.get(&self.kid).ok_or(LinkError::UnknownKey)?;
        let payload = self.compact.verify(&key.0)?;
        if self.purpose != C::PURPOSE {
            return Err(LinkError::WrongPurpose);
        }
        let claims = C::from_json(&payload)?;
        if claims.issuer() != issuer {
            return Err(LinkError::WrongShop);
        }
        if claims.issued_at() > now.saturating_add(ISSUED_AT_LEEWAY_S) {
            return Err(LinkError::NotYet);
        }
        if now >= claims.expires_at() {
            return Err(LinkError::Expired { at: claims.expires_at() });
        }
        Ok(claims)
    }
}

fn read_header(json: &[u8]) -> Result<(Purpose, KeyId), LinkError> {
    let mut header = Members::parse(json, "header")?;
    // `alg` first: whatever else such a header says, it is not ours.
    if header.text("alg")? != "EdDSA" {
        return Err(LinkError::Unsupported { what: "alg" });
    }
    // RFC 7515 section 4.1.11: a critical extension one does not know must be refused. We know
    // none. RFC 7797's `b64` would change what is signed.
    for name in ["crit", "b64"] {
        if header.has(name) {
            return Err(LinkError::Unsupported { what: name });
        }
    }
    let purpose = Purpose::from_typ(&header.text("typ")?).ok_or(LinkError::Unsupported { what: "typ" })?;
    let kid = KeyId::parse(&header.text("kid")?)?;
    // Also `jwk`, `jku`, `x5c`: a token must not bring its own key.
    if !header.is_empty() {
        return Err(LinkError::Unsupported { what: "header member" });
    }
    Ok((purpose, kid))
}

impl fmt::Debug for UnverifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedToken").field("kid", &self.kid).finish_non_exhaustive()
    }
}
