//! What can be wrong with a link or a key.
//!
//! No variant carries token text, claims or key material: the only data are static names and one
//! instant, so that every error may be logged as it is. The one thing this file does not do is map
//! errors to HTTP statuses; that is the shell's table.

/// Why a token was refused.
///
/// A shell may show every variant to a visitor as "this link is not valid" and `Expired` as "this
/// link is too old"; the precise variant is for logs and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Not a token at all, or not in the one form we write: wrong number of segments, text over
    /// [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES), non-canonical base64url, JSON that is not a
    /// flat object, a duplicate or missing or ill-formed member.
    #[error("malformed link: {what}")]
    Malformed {
        /// The part at fault: a fixed name, never text from the token.
        what: &'static str,
    },
    /// Well formed, but asks for something we never do: another `alg` or `typ`, `crit`, `b64`, or
    /// any header member but `alg`, `typ`, `kid`.
    #[error("unsupported link: {what}")]
    Unsupported {
        /// The header member at fault: a fixed name, never text from the token.
        what: &'static str,
    },
    /// The `kid` names a shop or an epoch for which there is no key: another shop's token, a key
    /// that was revoked or never existed.
    #[error("unknown link key")]
    UnknownKey,
    /// The signature does not verify under `verify_strict`. Also for signatures that are
    /// malleable (RFC 8032 section 5.1.7: S not below the group order) or use small-order points.
    #[error("bad link signature")]
    BadSignature,
    /// A genuine token, but `typ` or `aud` is for another purpose than the one asked for.
    #[error("link is for another purpose")]
    WrongPurpose,
    /// A genuine token, but `iss` is not the origin asked for.
    #[error("link is for another shop")]
    WrongShop,
    /// A genuine token whose time is over. `exp` itself is already too late (RFC 7519 section
    /// 4.1.4), and there is no leeway.
    #[error("link expired at {at}")]
    Expired {
        /// The token's `exp`, seconds since 1970-01-01T00:00:00Z.
        at: i64,
    },
    /// A genuine token issued in the future by more than
    /// [`ISSUED_AT_LEEWAY_S`](crate::ISSUED_AT_LEEWAY_S).
    #[error("link is not valid yet")]
    NotYet,
}

/// Why a key or secret could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A shop id must be 1 to 80 of `A-Z a-z 0-9 _ -` (every id of the core fits): anything else would make `kid` or an HKDF
    /// info string ambiguous.
    #[error("shop id is not 1 to 80 of A-Z a-z 0-9 _ -")]
    Shop,
    /// A label of a derived secret must be 1 to 64 of `a-z 0-9 -`.
    #[error("secret label is not 1 to 64 of a-z 0-9 -")]
    Label,
    /// A master key in text must be 43 characters of canonical base64url (32 bytes, no padding).
    #[error("master key is not 32 bytes of base64url")]
    MasterKey,
    /// The bytes are not an Ed25519 public key, or one of small order, under which anybody can
    /// make signatures.
    #[error("not a usable Ed25519 public key")]
    PublicKey,
}
