//! JWS compact serialisation (RFC 7515 section 7.1) with EdDSA over Ed25519 (RFC 8037 section 3.1).
//!
//! Bytes only: three segments in their one canonical base64url form, and the signature over
//! `header.payload`. It knows no header members, no claims and no time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::error::LinkError;

/// Base64url without padding (RFC 7515 section 2).
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The inverse of [`encode`], and of nothing else: padding, the other alphabet, white space and
/// non-zero trailing bits are refused, so that one byte string has one text.
pub(crate) fn decode(text: &str, what: &'static str) -> Result<Vec<u8>, LinkError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| LinkError::Malformed { what })
}

/// Signs `payload` under `header`, both already in their final bytes.
pub(crate) fn sign(key: &SigningKey, header: &[u8], payload: &[u8]) -> String {
    let mut text = format!("{}.{}", encode(header), encode(payload));
    let signature = key.sign(text.as_bytes());
    text.push('.');
    text.push_str(&encode(&signature.to_bytes()));
    text
}

/// A compact JWS taken apart. Nothing in it has been verified.
pub(crate) struct Compact {
    payload: Vec<u8>,
    /// `header.payload` as it was sent: what the signature covers.
    signing_input: String,
    signature: Signature,
}

impl Compact {
    /// Takes `text` apart. `read_header` sees the header's bytes before anything else is looked at,
    /// so that a token of another algorithm is refused as such and not for its signature's length.
    pub(crate) fn parse<H>(
        text: &str,
        read_header: impl FnOnce(&[u8]) -> Result<H, LinkError>,
    ) -> Result<(H, Self), LinkError> {
        let mut segments = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (segments.next(), segments.next(), segments.next(), segments.next())
        else {
            return Err(LinkError::Malformed { what: "segment count" });
        };
        let signing_input = format!("{header}.{payload}");
        let header = read_header(&decode(header, "header encoding")?)?;
        let payload = decode(payload, "payload encoding")?;
        let signature = decode(signature, "signature encoding")?;
        let signature = Signature::from_slice(&signature)
            .map_err(|_| LinkError::Malformed { what: "signature length" })?;
        let compact = Self { payload, signing_input, signature };
        Ok((header, compact))
    }

    /// Hands out the payload if `key` signed it.
    ///
    /// `verify_strict` also refuses small-order keys and nonces and an S that is not reduced, so
    /// that nobody can make a second valid signature from a first one.
    pub(crate) fn verify(self, key: &VerifyingKey) -> Result<Vec<u8>, LinkError> {
        key.verify_strict(self.signing_input.as_bytes(), &self.signature)
            .map_err(|_| LinkError::BadSignature)?;
        Ok(self.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector() -> serde_json::Value {
        serde_json::from_str(include_str!("../../../tests/vectors/link/rfc8037.json")).unwrap()
    }

    fn bytes32(text: &str) -> [u8; 32] {
        decode(text, "test").unwrap().try_into().unwrap()
    }

    #[test]
    fn rfc_8037_appendix_a() {
        let vector = &vector()["rfc8037_A"];
        let text = |name: &str| vector[name].as_str().unwrap().to_owned();
        let key = SigningKey::from_bytes(&bytes32(vector["jwk_private"]["d"].as_str().unwrap()));
        let public = bytes32(vector["jwk_private"]["x"].as_str().unwrap());
        assert_eq!(key.verifying_key().to_bytes(), public);
        let jws = sign(&key, text("header").as_bytes(), text("payload").as_bytes());
        assert_eq!(jws, text("jws"));
        let (seen, compact) = Compact::parse(&jws, |header| Ok(header.to_owned())).unwrap();
        assert_eq!(seen, text("header").as_bytes());
        let payload = compact.verify(&key.verifying_key()).unwrap();
        assert_eq!(payload, text("payload").as_bytes());
    }

    #[test]
    fn one_byte_string_has_one_text() {
        assert_eq!(decode("AA", "x").unwrap(), [0]);
        for text in ["AB", "AA==", "AA=", "A", "A A", "+/8", "AA\n", "A\u{e9}"] {
            assert!(decode(text, "x").is_err(), "{text:?}");
        }
    }

    /// A small-order key verifies, without `verify_strict`, a signature over any message: the
    /// identity point as key and nonce, S = 0. The test first shows that the lax check is fooled.
    #[test]
    fn small_order_keys_verify_nothing() {
        use ed25519_dalek::Verifier as _;
        let mut identity = [0u8; 32];
        identity[0] = 1;
        let key = VerifyingKey::from_bytes(&identity).unwrap();
        let mut signature = [0u8; 64];
        signature[0] = 1;
        let input = format!("{}.{}", encode(b"{}"), encode(b"any"));
        assert!(key.verify(input.as_bytes(), &Signature::from_bytes(&signature)).is_ok());
        let text = format!("{input}.{}", encode(&signature));
        let ((), compact) = Compact::parse(&text, |_| Ok(())).unwrap();
        assert_eq!(compact.verify(&key), Err(LinkError::BadSignature));
    }
}
