//! Properties: whatever is signed verifies, and no single changed character survives.
//!
//! Seeds are fixed, so a run is the same run everywhere; one test is exhaustive instead of sampled.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml's exemption covers #[test] functions, not what they call"
)]

use comeback_link::{
    LinkError, MasterKey, ResumeClaims, UnsubscribeClaims, UnverifiedToken, sign_resume, sign_unsubscribe,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

fn config(cases: u32) -> Config {
    Config {
        cases,
        rng_seed: RngSeed::Fixed(0x636f_6d65_6261_636b),
        failure_persistence: None,
        ..Config::default()
    }
}

prop_compose! {
    fn resume_claims()(
        issuer in "https?://[a-z0-9][a-z0-9.-]{0,40}(:[1-9][0-9]{0,3})?",
        cart in "cart_[A-Za-z0-9]{1,22}",
        send in "[A-Za-z0-9._~:-]{1,128}",
        issued_at in 0..i64::MAX - 1,
        life in 1..i64::MAX,
        offer in proptest::option::of("[a-z0-9_-]{1,30}"),
        ends in proptest::option::of(0..i64::MAX),
        prices_until in proptest::option::of(0..i64::MAX),
    ) -> ResumeClaims {
        let offer_until = ends.filter(|_| offer.is_some());
        let expires_at = issued_at.saturating_add(life);
        ResumeClaims { issuer, cart, send, issued_at, expires_at, offer, offer_until, prices_until }
    }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn what_is_signed_verifies(
        master: [u8; 32], shop in "[A-Za-z0-9_-]{1,80}", epoch: u32, claims in resume_claims(), channel in "[a-z]{1,8}",
    ) {
        let master = MasterKey::from_bytes(master);
        let key = master.derive_shop_key(&shop, epoch).unwrap();
        let keys = master.derive_shop_keys(&shop, &[epoch]).unwrap();
        let token = sign_resume(&key, &claims).unwrap();
        prop_assert_eq!(&token, &sign_resume(&key, &claims).unwrap());
        let parsed = UnverifiedToken::parse(&token).unwrap();
        prop_assert_eq!(parsed.kid().to_string(), format!("{shop}.{epoch}"));
        let seen = parsed.verify_resume(&keys, &claims.issuer, claims.issued_at);
        prop_assert_eq!(seen.as_ref(), Ok(&claims));
        let stop = UnsubscribeClaims {
            issuer: claims.issuer, person: claims.cart, send: claims.send, channel,
            issued_at: claims.issued_at, expires_at: claims.expires_at,
        };
        let token = sign_unsubscribe(&key, &stop).unwrap();
        let seen = UnverifiedToken::parse(&token).unwrap()
            .verify_unsubscribe(&keys, &stop.issuer, stop.issued_at);
        prop_assert_eq!(seen, Ok(stop));
    }

    #[test]
    fn a_changed_character_is_refused(
        claims in resume_claims(), at: prop::sample::Index, to in any::<char>(),
    ) {
        let master = MasterKey::from_bytes([7; 32]);
        let token = sign_resume(&master.derive_shop_key("shop_demo", 1).unwrap(), &claims).unwrap();
        let at = at.index(token.len());
        let changed = format!("{}{to}{}", &token[..at], &token[at + 1..]);
        prop_assume!(changed != token);
        let keys = master.derive_shop_keys("shop_demo", &[1, 2, 3]).unwrap();
        let seen = UnverifiedToken::parse(&changed)
            .and_then(|t| t.verify_resume(&keys, &claims.issuer, claims.issued_at));
        prop_assert!(seen.is_err());
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[ -~]{0,80}", json in "[{}\\[\\]\",:a-z0-9\\\\]{0,60}") {
        use base64::Engine as _;
        let b64 = |t: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(t);
        prop_assert!(UnverifiedToken::parse(&text).is_err());
        let token = format!("{}.{}.{}", b64(&json), b64(&json), b64(&text));
        prop_assert!(UnverifiedToken::parse(&token).is_err());
    }
}

/// Every position of one token, every other ASCII character, and every deletion and doubling.
#[test]
fn no_single_character_of_a_token_can_change() {
    let master = MasterKey::from_bytes([7; 32]);
    let claims = ResumeClaims {
        issuer: "https://a.b".into(),
        cart: "cart_a".into(),
        send: "snd_b".into(),
        issued_at: 1_700_000_000,
        expires_at: 1_700_604_800,
        offer: None,
        offer_until: None,
        prices_until: None,
    };
    let token = sign_resume(&master.derive_shop_key("shop_a", 1).unwrap(), &claims).unwrap();
    let keys = master.derive_shop_keys("shop_a", &[0, 1, 2, 3]).unwrap();
    let verify = |text: &str| -> Result<ResumeClaims, LinkError> {
        UnverifiedToken::parse(text)?.verify_resume(&keys, &claims.issuer, claims.issued_at)
    };
    assert_eq!(verify(&token).as_ref(), Ok(&claims));
    let mut bad_signatures = 0;
    for at in 0..token.len() {
        let (before, rest) = token.split_at(at);
        let (same, after) = rest.split_at(1);
        for other in (0u8..128).map(char::from) {
            if same.starts_with(other) {
                continue;
            }
            match verify(&format!("{before}{other}{after}")) {
                Ok(_) => panic!("position {at} can become {other:?}"),
                Err(LinkError::BadSignature) => bad_signatures += 1,
                Err(_) => {}
            }
        }
        assert!(verify(&format!("{before}{after}")).is_err(), "{at} can go");
        assert!(verify(&format!("{before}{same}{same}{after}")).is_err(), "{at} can double");
    }
    // Most changes of payload and signature must get as far as the signature and fail there: else
    // this test would only be about base64.
    assert!(bad_signatures > 10_000, "{bad_signatures}");
}
