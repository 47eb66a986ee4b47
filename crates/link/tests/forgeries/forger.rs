//! The forger: writes header, payload and signature freely, mostly with the shop's real private key,
//! so that only the rule under test can be what refuses. It derives that key and signs without the
//! crate's help.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use comeback_link::{LinkError, MasterKey, ResumeClaims, ShopKeys, UnsubscribeClaims, UnverifiedToken};
use ed25519_dalek::Signer as _;
use sha2::Sha256;

pub(crate) const MASTER: [u8; 32] = [7; 32];
pub(crate) const ISSUER: &str = "https://shop.example";
pub(crate) const IAT: i64 = 1_700_000_000;
pub(crate) const EXP: i64 = 1_700_604_800;
pub(crate) const NOW: i64 = 1_700_000_100;
pub(crate) const HEADER: &str = r#"{"alg":"EdDSA","typ":"comeback-resume+jwt","kid":"shop_demo.1"}"#;
pub(crate) const CLAIMS: &str = r#"{"iss":"https://shop.example","aud":"resume","sub":"cart_a","jti":"snd_b","iat":1700000000,"exp":1700604800}"#;

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The private key of a shop, derived as the format says.
pub(crate) fn key(shop: &str, epoch: u32) -> ed25519_dalek::SigningKey {
    let mut seed = [0; 32];
    hkdf::Hkdf::<Sha256>::new(None, &MASTER)
        .expand(format!("comeback/link/v1/signing-key/{shop}/{epoch}").as_bytes(), &mut seed)
        .unwrap();
    ed25519_dalek::SigningKey::from_bytes(&seed)
}

pub(crate) fn sign_input(key: &ed25519_dalek::SigningKey, input: &str) -> String {
    format!("{input}.{}", b64(key.sign(input.as_bytes()).to_bytes()))
}

/// Signed with the key that `shop_demo.1` names.
pub(crate) fn forge(header: &str, claims: &str) -> String {
    let input = format!("{}.{}", b64(header), b64(claims));
    sign_input(&key("shop_demo", 1), &input)
}

pub(crate) fn keys() -> ShopKeys {
    MasterKey::from_bytes(MASTER).derive_shop_keys("shop_demo", &[1, 2]).unwrap()
}

pub(crate) fn resume(token: &str) -> Result<ResumeClaims, LinkError> {
    UnverifiedToken::parse(token)?.verify_resume(&keys(), ISSUER, NOW)
}

pub(crate) fn unsubscribe(token: &str) -> Result<UnsubscribeClaims, LinkError> {
    UnverifiedToken::parse(token)?.verify_unsubscribe(&keys(), ISSUER, NOW)
}

pub(crate) fn malformed<T>(what: &'static str) -> Result<T, LinkError> {
    Err(LinkError::Malformed { what })
}

pub(crate) fn unsupported<T>(what: &'static str) -> Result<T, LinkError> {
    Err(LinkError::Unsupported { what })
}
