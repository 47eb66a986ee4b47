//! Headers and claims that must be refused though the signature is good.

use comeback_link::{LinkError, UnverifiedToken};

use crate::forger::{
    CLAIMS, EXP, HEADER, IAT, ISSUER, NOW, b64, forge, key, keys, malformed, resume, sign_input, unsubscribe,
    unsupported,
};

/// Everything below rests on this: the forger can also make a good token.
#[test]
fn the_forger_can_sign() {
    let claims = resume(&forge(HEADER, CLAIMS)).unwrap();
    assert_eq!(claims.cart, "cart_a");
    assert_eq!(claims.offer, None);
    // Member order and white space are free: other signers need not write as we do.
    let spaced = r#" { "kid":"shop_demo.1", "typ":"comeback-resume+jwt", "alg":"EdDSA" } "#;
    assert_eq!(resume(&forge(spaced, CLAIMS)), Ok(claims));
}

#[test]
fn forged_headers() {
    let with = |more: &str| HEADER.replace('}', &format!(",{more}}}"));
    let without = |part: &str| HEADER.replacen(part, "", 1);
    let alg = |alg: &str| HEADER.replace("\"EdDSA\"", alg);
    let typ = |typ: &str| HEADER.replace("comeback-resume+jwt", typ);
    let kid = |kid: &str| HEADER.replace("shop_demo.1", kid);
    for (header, expected) in [
        (alg("\"none\""), unsupported("alg")),
        (alg("\"None\""), unsupported("alg")),
        (alg("\"HS256\""), unsupported("alg")),
        (alg("\"ES256\""), unsupported("alg")),
        (alg("\"Ed25519\""), unsupported("alg")),
        (alg("\"EDDSA\""), unsupported("alg")),
        (alg("\"EdDSA \""), unsupported("alg")),
        (alg("null"), malformed("alg")),
        (alg("[\"EdDSA\"]"), malformed("alg")),
        (without(r#""alg":"EdDSA","#), malformed("alg")),
        (typ("JWT"), unsupported("typ")),
        (typ("application/comeback-resume+jwt"), unsupported("typ")),
        (typ("Comeback-Resume+JWT"), unsupported("typ")),
        (without(r#""typ":"comeback-resume+jwt","#), malformed("typ")),
        (without(r#","kid":"shop_demo.1""#), malformed("kid")),
        (kid("shop_demo"), malformed("kid")),
        (kid("shop_demo."), malformed("kid")),
        (kid(".1"), malformed("kid")),
        (kid("shop_demo.01"), malformed("kid")),
        (kid("shop_demo.+1"), malformed("kid")),
        (kid("shop_demo.-1"), malformed("kid")),
        (kid("shop_demo.1.1"), malformed("kid")),
        (kid("shop_demo.4294967296"), malformed("kid")),
        (kid("shop/demo.1"), malformed("kid")),
        (kid("shop_demo/../x.1"), malformed("kid")),
        (with(r#""crit":["exp"]"#), unsupported("crit")),
        (with(r#""crit":[]"#), unsupported("crit")),
        (with(r#""crit":null"#), unsupported("crit")),
        (with(r#""b64":false,"crit":["b64"]"#), unsupported("crit")),
        (with(r#""b64":true"#), unsupported("b64")),
        (with(r#""b64":false"#), unsupported("b64")),
        (with(r#""jwk":{"kty":"OKP"}"#), unsupported("header member")),
        (with(r#""jku":"https://evil.example""#), unsupported("header member")),
        (with(r#""x5c":[]"#), unsupported("header member")),
        (with(r#""cty":"JWT""#), unsupported("header member")),
        (with(r#""":"""#), unsupported("header member")),
        (with(r#""alg":"EdDSA""#), malformed("duplicate member")),
        (with(r#""alg":"none""#), malformed("duplicate member")),
        (with(r#""\u006bid":"shop_demo.1""#), malformed("duplicate member")),
        (r#"["EdDSA","comeback-resume+jwt","shop_demo.1"]"#.into(), malformed("header")),
        (format!("{HEADER}x"), malformed("header")),
        (format!("\u{feff}{HEADER}"), malformed("header")),
        (String::new(), malformed("header")),
    ] {
        assert_eq!(resume(&forge(&header, CLAIMS)), expected, "{header}");
    }
}

#[test]
fn forged_claims_under_the_real_key() {
    let swap = |from: &str, to: &str| {
        assert!(CLAIMS.contains(from), "{from}");
        CLAIMS.replacen(from, to, 1)
    };
    let with = |more: &str| CLAIMS.replace('}', &format!(",{more}}}"));
    let wrong_purpose = || Err(LinkError::WrongPurpose);
    for (claims, expected) in [
        (swap(r#""resume""#, r#""unsubscribe""#), wrong_purpose()),
        (swap(r#""resume""#, r#""Resume""#), wrong_purpose()),
        (swap(r#""resume""#, r#"["resume"]"#), malformed("aud")),
        (swap(r#""aud":"resume","#, ""), malformed("aud")),
        (swap("shop.example", "evil.example"), Err(LinkError::WrongShop)),
        (swap("shop.example", "shop.example:443"), Err(LinkError::WrongShop)),
        (swap("https:", "http:"), Err(LinkError::WrongShop)),
        (swap("shop.example", "shop.example/"), malformed("iss")),
        (swap("shop.example", "Shop.example"), malformed("iss")),
        (swap("shop.example", "a@shop.example"), malformed("iss")),
        (swap("https://shop.example", "shop.example"), malformed("iss")),
        (swap(r#""iss":"https://shop.example","#, ""), malformed("iss")),
        (swap("cart_a", ""), malformed("sub")),
        (swap("cart_a", "cart/../a"), malformed("sub")),
        (swap("cart_a", "cart_\\u0000"), malformed("sub")),
        (swap("cart_a", &"c".repeat(129)), malformed("sub")),
        (swap(r#""jti":"snd_b","#, ""), malformed("jti")),
        (swap("snd_b", "<b>"), malformed("jti")),
        (with(r#""ofr":null"#), malformed("ofr")),
        (with(r#""ofr":"""#), malformed("ofr")),
        (with(r#""ch":"email""#), malformed("claims")),
        (with(r#""nbf":0"#), malformed("claims")),
        (with(r#""admin":true"#), malformed("claims")),
        (with(r#""sub":"cart_a""#), malformed("duplicate member")),
        (with(r#""\u0073ub":"cart_z""#), malformed("duplicate member")),
        (swap("1700604800", "1700604800.0"), malformed("exp")),
        (swap("1700604800", "1.7006048e9"), malformed("exp")),
        (swap("1700604800", "\"1700604800\""), malformed("exp")),
        (swap("1700604800", "99999999999999999999"), malformed("exp")),
        (swap("1700604800", "9223372036854775808"), malformed("exp")),
        (swap("1700604800", "1700000000"), malformed("exp")),
        (swap(r#","exp":1700604800"#, ""), malformed("exp")),
        (swap("1700000000", "-1"), malformed("iat")),
        (swap(r#""iat":1700000000,"#, ""), malformed("iat")),
        ("[]".into(), malformed("claims")),
        ("null".into(), malformed("claims")),
        (String::new(), malformed("claims")),
        (format!("{CLAIMS}{CLAIMS}"), malformed("claims")),
    ] {
        assert_eq!(resume(&forge(HEADER, &claims)), expected, "{claims}");
    }
    let raw = [b"{\"sub\":\"\xff\"}".as_slice()].concat();
    let input = format!("{}.{}", b64(HEADER), b64(raw));
    let token = sign_input(&key("shop_demo", 1), &input);
    assert_eq!(resume(&token), malformed("claims"));
}

#[test]
fn one_purpose_never_passes_for_another() {
    let typ = "comeback-unsubscribe+jwt";
    let header = HEADER.replace("comeback-resume+jwt", typ);
    let claims = CLAIMS.replace("\"resume\"", "\"unsubscribe\"").replace('}', r#","ch":"sms"}"#);
    let good = forge(&header, &claims);
    assert_eq!(unsubscribe(&good).unwrap().channel, "sms");
    // A genuine token of the other purpose; each half of the purpose alone.
    assert_eq!(resume(&good), Err(LinkError::WrongPurpose));
    assert_eq!(unsubscribe(&forge(HEADER, CLAIMS)), Err(LinkError::WrongPurpose));
    assert_eq!(resume(&forge(&header, CLAIMS)), Err(LinkError::WrongPurpose));
    assert_eq!(unsubscribe(&forge(&header, CLAIMS)), Err(LinkError::WrongPurpose));
    assert_eq!(unsubscribe(&forge(HEADER, &claims)), Err(LinkError::WrongPurpose));
    // An unsubscribe link has no offer and must name its channel.
    let offer = claims.replace("\"ch\":\"sms\"", "\"ch\":\"sms\",\"ofr\":\"ten\"");
    assert_eq!(unsubscribe(&forge(&header, &offer)), malformed("claims"));
    let silent = claims.replace(",\"ch\":\"sms\"", "");
    assert_eq!(unsubscribe(&forge(&header, &silent)), malformed("ch"));
}

#[test]
fn time_has_exact_edges() {
    let token = forge(HEADER, CLAIMS);
    let at = |now: i64| UnverifiedToken::parse(&token)?.verify_resume(&keys(), ISSUER, now);
    assert!(at(IAT).is_ok());
    assert!(at(IAT - 60).is_ok());
    assert_eq!(at(IAT - 61), Err(LinkError::NotYet));
    assert_eq!(at(i64::MIN), Err(LinkError::NotYet));
    assert!(at(EXP - 1).is_ok());
    assert_eq!(at(EXP), Err(LinkError::Expired { at: EXP }));
    assert_eq!(at(i64::MAX), Err(LinkError::Expired { at: EXP }));
    let last =
        CLAIMS.replace("1700604800", "9223372036854775807").replace("1700000000", "9223372036854775806");
    let far = forge(HEADER, &last);
    let at = |now: i64| UnverifiedToken::parse(&far)?.verify_resume(&keys(), ISSUER, now);
    assert_eq!(at(NOW), Err(LinkError::NotYet));
    assert!(at(i64::MAX - 1).is_ok());
    assert_eq!(at(i64::MAX), Err(LinkError::Expired { at: i64::MAX }));
}
