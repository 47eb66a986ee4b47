//! What a token says once it is believed: the claims of each purpose, and the rules both the signer
//! and the verifier hold them to.
//!
//! Whatever [`sign_resume`](crate::sign_resume) and [`sign_unsubscribe`](crate::sign_unsubscribe)
//! accept has the shape the verifier accepts: one `check` serves both. Ids are opaque text here;
//! their prefixes belong to the core. Nothing in this file reads a clock or compares with one.

use serde::Serialize;

use crate::error::LinkError;
use crate::members::Members;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Bring a cart back: `/r/{token}`.
    Resume,
    /// Stop messages, or show preferences: `/u/{token}`.
    Unsubscribe,
}

impl Purpose {
    /// The header's `typ`. A type of its own per purpose keeps one kind of token from passing for
    /// another (RFC 8725 section 3.11).
    #[must_use]
    pub fn typ(self) -> &'static str {
        match self {
            Self::Resume => "comeback-resume+jwt",
            Self::Unsubscribe => "comeback-unsubscribe+jwt",
        }
    }

    /// The claim `aud`.
    #[must_use]
    pub fn audience(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::Unsubscribe => "unsubscribe",
        }
    }

    pub(crate) fn from_typ(typ: &str) -> Option<Self> {
        [Self::Resume, Self::Unsubscribe].into_iter().find(|purpose| purpose.typ() == typ)
    }
}

/// The claims of a resume token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumeClaims {
    /// `iss`: the shop's origin, `https://shop.example` (scheme, host, port; no slash at the end).
    pub issuer: String,
    /// `sub`: the cart id.
    pub cart: String,
    /// `jti`: the id of the send that carried the link.
    pub send: String,
    /// `iat`, seconds since 1970-01-01T00:00:00Z.
    pub issued_at: i64,
    /// `exp`, seconds since 1970-01-01T00:00:00Z; the first second at which the link is dead.
    pub expires_at: i64,
    /// `ofr`: the offer the message promised, if any.
    pub offer: Option<String>,
    /// `ofx`: the first second at which that offer is over, if it ends before the link.
    pub offer_until: Option<i64>,
    /// `prx`: the first second at which the prices of the cart as it was left are honoured no more, if
    /// the shop promised any.
    pub prices_until: Option<i64>,
}

/// The claims of an unsubscribe token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsubscribeClaims {
    /// `iss`: the shop's origin, written as in [`ResumeClaims`].
    pub issuer: String,
    /// `sub`: the person id.
    pub person: String,
    /// `jti`: the id of the send that carried the link.
    pub send: String,
    /// `ch`: the channel to stop, in the core's words (`email`, `sms`, `push`).
    pub channel: String,
    /// `iat`, seconds since 1970-01-01T00:00:00Z.
    pub issued_at: i64,
    /// `exp`, seconds since 1970-01-01T00:00:00Z; the first second at which the link is dead.
    pub expires_at: i64,
}

/// The payload in the order in which we write it.
#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    jti: &'a str,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ofr: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ofx: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prx: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ch: Option<&'a str>,
}

/// Claims of one purpose, to and from the payload's bytes.
pub(crate) trait Claims: Sized {
    const PURPOSE: Purpose;

    fn issuer(&self) -> &str;
    fn issued_at(&self) -> i64;
    fn expires_at(&self) -> i64;

    /// Takes its own members; `aud` has been taken and compared by the caller.
    fn from_members(members: &mut Members) -> Result<Self, LinkError>;

    fn check(&self) -> Result<(), LinkError>;

    fn to_json(&self) -> Result<Vec<u8>, LinkError>;

    fn from_json(json: &[u8]) -> Result<Self, LinkError> {
        let mut members = Members::parse(json, "claims")?;
        if members.text("aud")? != Self::PURPOSE.audience() {
            return Err(LinkError::WrongPurpose);
        }
        let claims = Self::from_members(&mut members)?;
        members.finish()?;
        claims.check()?;
        Ok(claims)
    }
}

impl Claims for ResumeClaims {
    const PURPOSE: Purpose = Purpose::Resume;

    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn issued_at(&self) -> i64 {
        self.issued_at
    }

    fn expires_at(&self) -> i64 {
        self.expires_at
    }

    fn from_members(members: &mut Members) -> Result<Self, LinkError> {
        Ok(Self {
            issuer: members.text("iss")?,
            cart: members.text("sub")?,
            send: members.text("jti")?,
            issued_at: members.integer("iat")?,
            expires_at: members.integer("exp")?,
            offer: members.optional_text("ofr")?,
            offer_until: members.optional_integer("ofx")?,
            prices_until: members.optional_integer("prx")?,
        })
    }

    fn check(&self) -> Result<(), LinkError> {
        check_origin(&self.issuer)?;
        check_id(&self.cart, "sub")?;
        check_id(&self.send, "jti")?;
        if let Some(offer) = &self.offer {
            check_id(offer, "ofr")?;
        }
        // An end without what ends says nothing.
        if self.offer_until.is_some_and(|until| until < 0 || self.offer.is_none()) {
            return Err(LinkError::Malformed { what: "ofx" });
        }
        if self.prices_until.is_some_and(|until| until < 0) {
            return Err(LinkError::Malformed { what: "prx" });
        }
        check_times(self.issued_at, self.expires_at)
    }

    fn to_json(&self) -> Result<Vec<u8>, LinkError> {
        write(&Payload {
            iss: &self.issuer,
            aud: Self::PURPOSE.audience(),
            sub: &self.cart,
            jti: &self.send,
            iat: self.issued_at,
            exp: self.expires_at,
            ofr: self.offer.as_deref(),
            ofx: self.offer_until,
            prx: self.prices_until,
            ch: None,
        })
    }
}

impl Claims for UnsubscribeClaims {
    const PURPOSE: Purpose = Purpose::Unsubscribe;

    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn issued_at(&self) -> i64 {
        self.issued_at
    }

    fn expires_at(&self) -> i64 {
        self.expires_at
    }

    fn from_members(members: &mut Members) -> Result<Self, LinkError> {
        Ok(Self {
            issuer: members.text("iss")?,
            person: members.text("sub")?,
            send: members.text("jti")?,
            channel: members.text("ch")?,
            issued_at: members.integer("iat")?,
            expires_at: members.integer("exp")?,
        })
    }

    fn check(&self) -> Result<(), LinkError> {
        check_origin(&self.issuer)?;
        check_id(&self.person, "sub")?;
        check_id(&self.send, "jti")?;
        check_id(&self.channel, "ch")?;
        check_times(self.issued_at, self.expires_at)
    }

    fn to_json(&self) -> Result<Vec<u8>, LinkError> {
        write(&Payload {
            iss: &self.issuer,
            aud: Self::PURPOSE.audience(),
            sub: &self.person,
            jti: &self.send,
            iat: self.issued_at,
            exp: self.expires_at,
            ofr: None,
            ofx: None,
            prx: None,
            ch: Some(&self.channel),
        })
    }
}

fn write(payload: &Payload<'_>) -> Result<Vec<u8>, LinkError> {
    // Strings and integers always serialise; the error path only keeps the function total.
    serde_json::to_vec(payload).map_err(|_| LinkError::Malformed { what: "claims" })
}

/// Ids go into URLs, logs and object names, so they are short and of unreserved characters
/// (RFC 3986 section 2.3) plus `:`.
fn check_id(id: &str, what: &'static str) -> Result<(), LinkError> {
    let ok = (1..=128).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:".contains(&b));
    ok.then_some(()).ok_or(LinkError::Malformed { what })
}

/// The form of the `Origin` header (RFC 6454 section 6.2): compared byte by byte later, so another
/// spelling of the same origin must not get in.
fn check_origin(origin: &str) -> Result<(), LinkError> {
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).unwrap_or_default();
    let ok = (1..=253 + 6).contains(&host.len())
        && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:[]_".contains(&b));
    ok.then_some(()).ok_or(LinkError::Malformed { what: "iss" })
}

fn check_times(issued_at: i64, expires_at: i64) -> Result<(), LinkError> {
    if issued_at < 0 {
        return Err(LinkError::Malformed { what: "iat" });
    }
    if expires_at <= issued_at {
        return Err(LinkError::Malformed { what: "exp" });
    }
    Ok(())
}
