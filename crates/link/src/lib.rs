//! Signed links: compact JWS over Ed25519, keys per shop and epoch.
//!
//! A link in a message is a bearer of rights: it opens a cart or stops messages. This crate writes
//! such links, believes or refuses them, and derives every key from one master. It is pure: time is
//! an argument, there is no randomness (Ed25519 and HKDF need none) and no I/O, and it builds for
//! wasm32 unchanged. It does not remember anything: revoked keys, revoked or used links and where
//! the master key is kept are the shell's business.
//!
//! The format: JWS compact serialisation (RFC 7515) with EdDSA (RFC 8037), JWT claims (RFC 7519)
//! under the rules of RFC 8725:
//!
//! | | resume | unsubscribe |
//! |---|---|---|
//! | header | `{"alg":"EdDSA","typ":"comeback-resume+jwt","kid":"<shop>.<epoch>"}` | `typ` `comeback-unsubscribe+jwt` |
//! | `iss` | origin of the shop | the same |
//! | `aud` | `resume` | `unsubscribe` |
//! | `sub` | cart id | person id |
//! | `jti` | send id | send id |
//! | `iat`, `exp` | seconds since 1970 | the same |
//! | more | `ofr` offer id, `ofx` its end, `prx` the end of held prices (seconds); all optional | `ch` channel |
//!
//! Nothing else is accepted: no other `alg`, `typ` or `aud`, no further header member or claim, no
//! duplicate member, no second spelling in base64url.
//!
//! ```
//! use comeback_link::{LinkError, MasterKey, ResumeClaims, UnverifiedToken, sign_resume};
//!
//! let master = MasterKey::from_bytes([7; 32]); // in production: 32 random bytes, kept secret
//! let claims = ResumeClaims {
//!     issuer: "https://shop.example".into(),
//!     cart: "cart_4Yh1".into(),
//!     send: "snd_9Zk2".into(),
//!     issued_at: 1_700_000_000,
//!     expires_at: 1_700_000_000 + 7 * 86_400,
//!     offer: None,
//!     offer_until: None,
//!     prices_until: None,
//! };
//! let token = sign_resume(&master.derive_shop_key("shop_demo", 1)?, &claims)?;
//!
//! // Later, elsewhere: the kid says whose keys to fetch, and nothing else is readable yet.
//! let unverified = UnverifiedToken::parse(&token)?;
//! assert_eq!(unverified.kid().shop(), "shop_demo");
//! let keys = master.derive_shop_keys(unverified.kid().shop(), &[1, 2])?;
//! let seen = unverified.verify_resume(&keys, "https://shop.example", 1_700_000_100)?;
//! assert_eq!(seen, claims);
//!
//! // A shop that revoked epoch 1 leaves it out.
//! let keys = master.derive_shop_keys("shop_demo", &[2])?;
//! assert_eq!(
//!     UnverifiedToken::parse(&token)?.verify_resume(&keys, "https://shop.example", 1_700_000_100),
//!     Err(LinkError::UnknownKey),
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod claims;
mod error;
mod jws;
mod keys;
mod members;
mod push;
mod secret;
mod token;

pub use claims::{Purpose, ResumeClaims, UnsubscribeClaims};
pub use error::{KeyError, LinkError};
pub use keys::{KeyId, MasterKey, PublicKey, ShopKeys, SigningKey, label};
pub use push::{PushKey, is_p256_point};
pub use secret::{Secret, derive_identifier_hash};
pub use token::{ISSUED_AT_LEEWAY_S, MAX_TOKEN_BYTES, UnverifiedToken, sign_resume, sign_unsubscribe};
