//! Keys and signatures that must be refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use comeback_link::{KeyError, KeyId, LinkError, MasterKey, PublicKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::forger::{CLAIMS, HEADER, MASTER, b64, forge, key, malformed, resume, sign_input, unsupported};

#[test]
fn keys_of_others_and_keys_that_do_not_count() {
    let input = |kid: &str| format!("{}.{}", b64(HEADER.replace("shop_demo.1", kid)), b64(CLAIMS));
    let other = key("shop_other", 1);
    for (token, expected) in [
        // Another shop's genuine token.
        (sign_input(&other, &input("shop_other.1")), LinkError::UnknownKey),
        // Another shop's key, and another epoch's, under this shop's name.
        (sign_input(&other, &input("shop_demo.1")), LinkError::BadSignature),
        (sign_input(&key("shop_demo", 2), &input("shop_demo.1")), LinkError::BadSignature),
        // A key that is derivable but not among those that count.
        (sign_input(&key("shop_demo", 3), &input("shop_demo.3")), LinkError::UnknownKey),
        (sign_input(&key("Shop_demo", 1), &input("Shop_demo.1")), LinkError::UnknownKey),
    ] {
        assert_eq!(resume(&token), Err(expected));
    }
    assert!(resume(&sign_input(&key("shop_demo", 2), &input("shop_demo.2"))).is_ok());
}

#[test]
fn the_public_key_is_no_hmac_secret_and_no_signature_is_no_signature() {
    let public = key("shop_demo", 1).verifying_key();
    for (alg, reached) in [("HS256", unsupported("alg")), ("EdDSA", malformed("signature length"))] {
        let input = format!("{}.{}", b64(HEADER.replace("EdDSA", alg)), b64(CLAIMS));
        let mut mac = Hmac::<Sha256>::new_from_slice(&public.to_bytes()).unwrap();
        mac.update(input.as_bytes());
        let token = format!("{input}.{}", b64(mac.finalize().into_bytes()));
        assert_eq!(resume(&token), reached, "{alg}");
    }
    let none = format!("{}.{}.", b64(HEADER.replace("EdDSA", "none")), b64(CLAIMS));
    assert_eq!(resume(&none), unsupported("alg"));
    let empty = format!("{}.{}.", b64(HEADER), b64(CLAIMS));
    assert_eq!(resume(&empty), malformed("signature length"));
    for bytes in [[0u8; 64], [255u8; 64]] {
        assert_eq!(resume(&format!("{empty}{}", b64(bytes))), Err(LinkError::BadSignature));
    }
}

/// S and S + L satisfy the same equation; RFC 8032 section 5.1.7 accepts the smaller only.
#[test]
fn malleable_signatures() {
    const GROUP_ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let token = forge(HEADER, CLAIMS);
    let (input, signature) = token.rsplit_once('.').unwrap();
    let good = URL_SAFE_NO_PAD.decode(signature).unwrap();
    for times in 1..=7 {
        let mut bytes = good.clone();
        for _ in 0..times {
            let mut carry = 0u16;
            for (byte, order) in bytes[32..].iter_mut().zip(GROUP_ORDER) {
                let sum = u16::from(*byte) + u16::from(order) + carry;
                *byte = sum.to_le_bytes()[0];
                carry = sum >> 8;
            }
            assert_eq!(carry, 0);
        }
        let token = format!("{input}.{}", b64(&bytes));
        assert_eq!(resume(&token), Err(LinkError::BadSignature), "{times}");
    }
}

/// The eight points of small order in both encodings of those that have two (the list of
/// "Taming the many EdDSAs", Chalkias et al. 2020, table 1 and section 3).
#[test]
fn small_order_public_keys_are_not_keys() {
    for hex in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ] {
        let bytes = std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..][..2], 16).unwrap());
        assert_eq!(PublicKey::from_bytes(&bytes), Err(KeyError::PublicKey), "{hex}");
    }
    let good = key("shop_demo", 1).verifying_key().to_bytes();
    assert_eq!(PublicKey::from_bytes(&good).unwrap().to_bytes(), good);
}

#[test]
fn ids_that_would_make_keys_ambiguous_are_refused() {
    let master = MasterKey::from_bytes(MASTER);
    let long = "x".repeat(81);
    for shop in ["", "a/b", "a.b", "a b", "\u{e9}", "a\0", long.as_str()] {
        assert_eq!(master.derive_shop_key(shop, 1).unwrap_err(), KeyError::Shop, "{shop}");
        assert_eq!(master.derive_shop_keys(shop, &[]).unwrap_err(), KeyError::Shop);
        assert_eq!(master.derive_secret("a", shop).unwrap_err(), KeyError::Shop);
        assert_eq!(KeyId::new(shop, 1).unwrap_err(), KeyError::Shop);
    }
    for label in ["", "a/b", "A", "a_b", long.as_str()] {
        assert_eq!(master.derive_secret(label, "shop_demo").unwrap_err(), KeyError::Label);
    }
    for text in ["", "AAAA", &"A".repeat(42), &"A".repeat(44), &format!("{}B", "A".repeat(42))] {
        assert_eq!(MasterKey::from_base64url(text).unwrap_err(), KeyError::MasterKey, "{text}");
    }
}
