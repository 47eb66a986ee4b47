//! The one text form, its limits, and what may be shown of it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use comeback_link::{
    LinkError, MAX_TOKEN_BYTES, MasterKey, ResumeClaims, UnsubscribeClaims, UnverifiedToken, sign_resume,
    sign_unsubscribe,
};

use crate::forger::{CLAIMS, EXP, HEADER, IAT, ISSUER, MASTER, forge, malformed, resume};

#[test]
fn one_token_has_one_text() {
    let token = forge(HEADER, CLAIMS);
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let padded = |json: &str| {
        // A JSON text whose length makes base64 want padding.
        let json =
            (0..3).map(|n| format!("{json}{}", " ".repeat(n))).find(|json| json.len() % 3 == 1).unwrap();
        URL_SAFE.encode(json)
    };
    // 64 bytes leave four unused bits in the last character: set one.
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
    let trailing = format!("{}{next}", &signature[..signature.len() - 1]);
    let other_alphabet = STANDARD.encode([0xfb; 66]);
    for (token, what) in [
        (String::new(), "segment count"),
        (".".into(), "segment count"),
        (format!("{header}.{payload}"), "segment count"),
        (format!("{token}."), "segment count"),
        (format!("{token}.{signature}"), "segment count"),
        (format!(".{token}"), "segment count"),
        ("..".into(), "header"),
        (format!(".{payload}.{signature}"), "header"),
        (format!(" {token}"), "header encoding"),
        (format!("{}.{payload}.{signature}", padded(HEADER)), "header encoding"),
        (format!("{header}.{}.{signature}", padded(CLAIMS)), "payload encoding"),
        (format!("{header}.{payload}\n.{signature}"), "payload encoding"),
        (format!("{header}.{payload}%3D.{signature}"), "payload encoding"),
        (format!("{token}=="), "signature encoding"),
        (format!("{token}\n"), "signature encoding"),
        (format!("{token} "), "signature encoding"),
        (format!("{token}\u{e9}"), "signature encoding"),
        (format!("{header}.{payload}.{trailing}"), "signature encoding"),
        (format!("{header}.{payload}.{other_alphabet}"), "signature encoding"),
        (format!("{token}AAAA"), "signature length"),
        (token[..token.len() - 4].to_owned(), "signature encoding"),
        (token[..token.len() - 6].to_owned(), "signature length"),
    ] {
        assert_eq!(resume(&token), malformed(what), "{token}");
    }
    for end in 0..token.len() {
        assert!(matches!(resume(&token[..end]), Err(LinkError::Malformed { .. })), "{end}");
    }
}

#[test]
fn oversize_is_refused_before_anything_is_decoded() {
    // Spaces after the claims are harmless JSON, so only the size rule can refuse these.
    let of_length = |wanted: usize| {
        let spare = |n: usize| forge(HEADER, &format!("{CLAIMS}{}", " ".repeat(n)));
        (0..2 * wanted).map(spare).find(|token| token.len() >= wanted).unwrap()
    };
    let fits = of_length(MAX_TOKEN_BYTES - 2);
    assert!(fits.len() <= MAX_TOKEN_BYTES, "{}", fits.len());
    assert!(resume(&fits).is_ok());
    let over = of_length(MAX_TOKEN_BYTES + 1);
    assert_eq!(resume(&over), malformed("length"));
    assert_eq!(resume(&".".repeat(1 << 20)), malformed("length"));
    let deep = format!("{{\"alg\":{}", "[".repeat(1200));
    assert_eq!(resume(&forge(&deep, "{}")), malformed("header"));
}

#[test]
fn the_signer_refuses_what_the_verifier_would() {
    let master = MasterKey::from_bytes(MASTER);
    let key = master.derive_shop_key("shop_demo", 1).unwrap();
    let good = ResumeClaims {
        issuer: ISSUER.into(),
        cart: "cart_a".into(),
        send: "snd_b".into(),
        issued_at: IAT,
        expires_at: EXP,
        offer: None,
        offer_until: None,
        prices_until: None,
    };
    assert_eq!(sign_resume(&key, &good).unwrap(), forge(HEADER, CLAIMS));
    for (claims, what) in [
        (ResumeClaims { issuer: "https://shop.example/".into(), ..good.clone() }, "iss"),
        (ResumeClaims { issuer: "https://".into(), ..good.clone() }, "iss"),
        (ResumeClaims { cart: String::new(), ..good.clone() }, "sub"),
        (ResumeClaims { send: "a b".into(), ..good.clone() }, "jti"),
        (ResumeClaims { offer: Some("\"".into()), ..good.clone() }, "ofr"),
        (ResumeClaims { offer_until: Some(EXP), ..good.clone() }, "ofx"),
        (ResumeClaims { offer: Some("o".into()), offer_until: Some(-1), ..good.clone() }, "ofx"),
        (ResumeClaims { prices_until: Some(-1), ..good.clone() }, "prx"),
        (ResumeClaims { issued_at: -1, ..good.clone() }, "iat"),
        (ResumeClaims { expires_at: IAT, ..good.clone() }, "exp"),
    ] {
        assert_eq!(sign_resume(&key, &claims), malformed(what));
    }
    let stop = UnsubscribeClaims {
        issuer: ISSUER.into(),
        person: "per_a".into(),
        send: "snd_b".into(),
        channel: String::new(),
        issued_at: IAT,
        expires_at: EXP,
    };
    assert_eq!(sign_unsubscribe(&key, &stop), malformed("ch"));
    // The longest claims that pass still make a token that can be read.
    let long = "x".repeat(80);
    let key = master.derive_shop_key(&long, u32::MAX).unwrap();
    let longest = ResumeClaims {
        issuer: format!("https://{}", "a".repeat(253 + 6)),
        cart: "c".repeat(128),
        send: "s".repeat(128),
        issued_at: i64::MAX - 1,
        expires_at: i64::MAX,
        offer: Some("o".repeat(128)),
        offer_until: Some(i64::MAX),
        prices_until: Some(i64::MAX),
    };
    let token = sign_resume(&key, &longest).unwrap();
    assert!(token.len() < MAX_TOKEN_BYTES, "{}", token.len());
    let keys = master.derive_shop_keys(&long, &[u32::MAX]).unwrap();
    let seen = UnverifiedToken::parse(&token).unwrap().verify_resume(&keys, &longest.issuer, i64::MAX - 1);
    assert_eq!(seen, Ok(longest));
}

#[test]
fn nothing_secret_is_shown() {
    let master = MasterKey::from_bytes(MASTER);
    let key = master.derive_shop_key("shop_demo", 1).unwrap();
    assert_eq!(format!("{master:?}"), "MasterKey(redacted)");
    assert_eq!(format!("{key:?}"), "SigningKey(shop_demo.1, redacted)");
    let token = UnverifiedToken::parse(&forge(HEADER, CLAIMS)).unwrap();
    let shown = format!("{token:?}");
    assert!(shown.contains("shop_demo") && !shown.contains("cart_a"), "{shown}");
    assert!(!shown.contains("payload") && !shown.contains("eyJ"), "{shown}");
    // What a stranger wrote never comes back in an error's text.
    for (header, claims) in [
        (HEADER.replace("EdDSA", "SECRET"), CLAIMS.to_owned()),
        (HEADER.replace("shop_demo", "SECRET"), CLAIMS.to_owned()),
        (HEADER.replace("}", ",\"SECRET\":1}"), CLAIMS.to_owned()),
        (HEADER.to_owned(), CLAIMS.replace("shop.example", "SECRET")),
        (HEADER.to_owned(), CLAIMS.replace("}", ",\"SECRET\":1}")),
        (HEADER.to_owned(), CLAIMS.replace("\"resume\"", "\"SECRET\"")),
    ] {
        let error = resume(&forge(&header, &claims)).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error}");
    }
}
