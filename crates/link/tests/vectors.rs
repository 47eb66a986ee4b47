//! Our own frozen vectors: what was signed once must verify for ever, and is signed the same today.
//! The files are never edited to go green; see `tests/vectors/link/README.md`.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml's exemption covers #[test] functions, not what they call"
)]

use comeback_link::{
    MasterKey, Purpose, ResumeClaims, UnsubscribeClaims, UnverifiedToken, derive_identifier_hash,
    sign_resume, sign_unsubscribe,
};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/link/tokens.json")).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn number(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap()
}

fn list(value: &Value) -> &[Value] {
    let list = value.as_array().unwrap();
    assert!(!list.is_empty());
    list
}

fn master(vectors: &Value) -> MasterKey {
    let master = MasterKey::from_base64url(text(vectors, "master_key")).unwrap();
    let bytes = MasterKey::from_bytes(std::array::from_fn(|i| u8::try_from(i).unwrap()));
    let seen = |key: &MasterKey| key.derive_shop_key("shop_x", 0).unwrap().public_key();
    assert_eq!(seen(&master), seen(&bytes), "the master key is bytes 0..31");
    master
}

fn resume_claims(claims: &Value) -> ResumeClaims {
    ResumeClaims {
        issuer: text(claims, "iss").into(),
        cart: text(claims, "sub").into(),
        send: text(claims, "jti").into(),
        issued_at: number(claims, "iat"),
        expires_at: number(claims, "exp"),
        offer: claims.get("ofr").map(|ofr| ofr.as_str().unwrap().into()),
        offer_until: claims.get("ofx").map(|ofx| ofx.as_i64().unwrap()),
        prices_until: claims.get("prx").map(|prx| prx.as_i64().unwrap()),
    }
}

fn unsubscribe_claims(claims: &Value) -> UnsubscribeClaims {
    UnsubscribeClaims {
        issuer: text(claims, "iss").into(),
        person: text(claims, "sub").into(),
        send: text(claims, "jti").into(),
        channel: text(claims, "ch").into(),
        issued_at: number(claims, "iat"),
        expires_at: number(claims, "exp"),
    }
}

#[test]
fn tokens_are_signed_and_verified_as_frozen() {
    let vectors = vectors();
    let master = master(&vectors);
    let mut purposes = Vec::new();
    for vector in list(&vectors["tokens"]) {
        let name = text(vector, "name");
        let (shop, claims) = (text(vector, "shop"), &vector["claims"]);
        let epoch = u32::try_from(number(vector, "epoch")).unwrap();
        let key = master.derive_shop_key(shop, epoch).unwrap();
        assert_eq!(key.kid().to_string(), text(&vector["header"], "kid"));
        let keys = master.derive_shop_keys(shop, &[epoch]).unwrap();
        assert!(keys.jwks().contains(text(vector, "x")), "{name}");

        let frozen = text(vector, "token");
        let issuer = text(claims, "iss");
        let last_second = number(claims, "exp") - 1;
        let token = UnverifiedToken::parse(frozen).unwrap();
        assert_eq!(token.kid(), key.kid(), "{name}");
        let purpose = token.unverified_purpose_guess();
        assert_eq!(purpose.typ(), text(&vector["header"], "typ"), "{name}");
        assert_eq!(purpose.audience(), text(claims, "aud"), "{name}");
        match purpose {
            Purpose::Resume => {
                let claims = resume_claims(claims);
                assert_eq!(sign_resume(&key, &claims).as_deref(), Ok(frozen), "{name}");
                assert_eq!(token.verify_resume(&keys, issuer, last_second), Ok(claims));
            }
            Purpose::Unsubscribe => {
                let claims = unsubscribe_claims(claims);
                assert_eq!(sign_unsubscribe(&key, &claims).as_deref(), Ok(frozen), "{name}");
                assert_eq!(token.verify_unsubscribe(&keys, issuer, last_second), Ok(claims));
            }
        }
        purposes.push(purpose);
    }
    assert!(purposes.contains(&Purpose::Resume) && purposes.contains(&Purpose::Unsubscribe));
}

#[test]
fn secrets_and_hashes_are_derived_as_frozen() {
    let vectors = vectors();
    let master = master(&vectors);
    let secret = |label: &str, shop: &str| master.derive_secret(label, shop).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    for vector in list(&vectors["secrets"]) {
        let secret = secret(text(vector, "label"), text(vector, "shop"));
        assert_eq!(hex(secret.as_bytes()), text(vector, "hex"));
    }
    let pepper = secret(comeback_link::label::IDENTIFIER_PEPPER, "shop_demo");
    for vector in list(&vectors["identifiers"]) {
        assert_eq!(
            derive_identifier_hash(&pepper, text(vector, "kind"), text(vector, "normalised")),
            text(vector, "hash")
        );
    }
    for vector in list(&vectors["hmacs"]) {
        let secret = secret(text(vector, "label"), text(vector, "shop"));
        let message = text(vector, "message").as_bytes();
        assert_eq!(secret.hmac_hex(message), text(vector, "hex"));
        assert_eq!(hex(&secret.hmac(message)), text(vector, "hex"));
        assert!(secret.verify_hmac_hex(message, text(vector, "hex")));
    }
}

#[test]
fn the_jwk_set_is_written_as_frozen() {
    let vectors = vectors();
    let frozen = &vectors["jwks"];
    // The order in which epochs are asked for, and asking twice, must not show.
    let keys = master(&vectors).derive_shop_keys(text(frozen, "shop"), &[2, 1, 2]).unwrap();
    assert_eq!(keys.jwks(), text(frozen, "set"));
    let set: Value = serde_json::from_str(&keys.jwks()).unwrap();
    assert_eq!(list(&set["keys"]).len(), 2);
    let mut keys = keys;
    assert!(keys.remove(1) && keys.remove(2) && !keys.remove(2));
    assert_eq!(keys.jwks(), r#"{"keys":[]}"#);
}

#[test]
fn web_push_keys_are_derived_as_frozen() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/link/push_keys.json")).unwrap();
    let master = master(&vectors);
    for vector in list(&vectors["keys"]) {
        let key = master.derive_push_key(text(vector, "shop")).unwrap();
        assert_eq!(key.public_key_base64url(), text(vector, "public_key"));
    }
}
