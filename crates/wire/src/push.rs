//! The body of `POST /v1/push/subscriptions`: what `PushSubscription.toJSON()` gives (W3C Push API), inside
//! ours. The endpoint is an address that the edge will one day post to on a stranger's word, so only names
//! that anybody could reach are taken. Whether the key is a point of its curve is the caller's to ask.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use comeback_core::id::CartId;
use comeback_core::person::Subscription;
use comeback_core::time::{Timestamp, Zone};
use serde::Deserialize;

use crate::capture::clip;

/// Largest body, in bytes.
pub const MAX_BODY: usize = 4 * 1024;
/// Longest endpoint, in bytes. Those of today's push services have up to about 500.
pub const MAX_ENDPOINT: usize = 1024;
/// Bytes of an uncompressed point of P-256.
pub const POINT_BYTES: usize = 65;
/// Bytes of the authentication secret (RFC 8291, section 3.2).
const AUTH_BYTES: usize = 16;
/// Longest language tag kept: RFC 5646 asks for room for 35 characters.
const MAX_TAG: usize = 35;

/// Last labels of names that no public server has: reserved (RFC 6761, 7686, 8375, 9476, and `.internal`), or in
/// use inside of houses.
const PRIVATE: [&str; 13] = [
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "arpa",
    "onion",
    "test",
    "invalid",
];

/// Which servers an endpoint may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public ones, by https on its own port.
    Public,
    /// This machine as well, by either protocol on any port: a local run and its tests.
    OrThisMachine,
}

/// Why a body was refused. Says where, never what was there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// Not the JSON that was expected.
    #[error("{0}")]
    Malformed(String),
    /// A field is there and cannot be used.
    #[error("{at}: {what}")]
    Field {
        /// Which.
        at: &'static str,
        /// What is expected of it.
        what: &'static str,
    },
}

const fn field(at: &'static str, what: &'static str) -> PushError {
    PushError::Field { at, what }
}

/// What a page says of its subscription, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The shop's public key.
    pub pk: String,
    /// The cart as the page knows it.
    pub cart: Option<CartId>,
    /// Version of the wording that was shown.
    pub wording: String,
    /// IANA zone of the browser.
    pub zone: Option<String>,
    /// The page says it is driven by a program.
    pub automated: bool,
    /// What is wanted.
    pub wish: Wish,
}

/// What is wanted of a subscription.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// It may be pushed to.
    Yes {
        /// The subscription.
        subscription: Box<Subscription>,
        /// Its `p256dh`, to be asked whether it is a point of the curve.
        point: Vec<u8>,
    },
    /// It may not, or not any more.
    No {
        /// Which.
        endpoint: String,
    },
}

impl Wish {
    /// The endpoint it is about.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        match self {
            Self::Yes { subscription, .. } => subscription.endpoint(),
            Self::No { endpoint } => endpoint,
        }
    }
}

#[derive(Deserialize)]
struct Raw {
    pk: String,
    #[serde(default)]
    cart: Option<CartId>,
    subscription: RawSubscription,
    consent: RawConsent,
    #[serde(default)]
    locale: Option<String>,
    #[serde(default)]
    tz: Option<String>,
    #[serde(default)]
    automated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSubscription {
    endpoint: String,
    #[serde(default)]
    expiration_time: Option<f64>,
    #[serde(default)]
    keys: Option<RawKeys>,
}

#[derive(Deserialize)]
struct RawKeys {
    p256dh: String,
    auth: String,
}

#[derive(Deserialize)]
struct RawConsent {
    push: bool,
    #[serde(default)]
    wording: String,
}

/// Reads a body.
///
/// # Errors
/// [`PushError`], naming the place.
pub fn parse(body: &[u8], reach: Reach, now: Timestamp) -> Result<Told, PushError> {
    let raw: Raw =
        serde_json::from_slice(body).map_err(|e| PushError::Malformed(crate::capture::place(&e)))?;
    let endpoint = raw.subscription.endpoint;
    check_endpoint(&endpoint, reach)?;
    let zone = raw.tz.filter(|zone| Zone::parse(zone).is_some());
    let wish = if raw.consent.push {
        let keys = raw.subscription.keys.ok_or(field("subscription.keys", "missing"))?;
        let point = bytes(&keys.p256dh, POINT_BYTES).ok_or(field(
            "subscription.keys.p256dh",
            "expected base64url of a 65-byte uncompressed point of P-256",
        ))?;
        bytes(&keys.auth, AUTH_BYTES)
            .ok_or(field("subscription.keys.auth", "expected base64url of 16 bytes"))?;
        let expires = raw.subscription.expiration_time.map(|ms| until(ms, now)).transpose()?;
        let locale = raw.locale.filter(|tag| is_tag(tag));
        let plain = Subscription::new(&endpoint, &keys.p256dh, &keys.auth, now);
        let subscription = Box::new(Subscription { expires, locale, zone: zone.clone(), ..plain });
        Wish::Yes { subscription, point }
    } else {
        Wish::No { endpoint }
    };
    let wording = clip(&raw.consent.wording, 200);
    Ok(Told { pk: raw.pk, cart: raw.cart, wording, zone, automated: raw.automated, wish })
}

/// Exactly so many bytes of unpadded base64url, in the one spelling they have.
fn bytes(text: &str, length: usize) -> Option<Vec<u8>> {
    let fits = text.len() == (length * 8).div_ceil(6);
    let bytes = fits.then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten()?;
    (bytes.len() == length).then_some(bytes)
}

fn until(ms: f64, now: Timestamp) -> Result<Timestamp, PushError> {
    let wrong = |what| field("subscription.expirationTime", what);
    if !(0.0..=9e15).contains(&ms) {
        return Err(wrong("expected milliseconds since 1970, or null"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "between nought and 2^53")]
    let at = Timestamp::from_millis(ms as i64);
    if at > now { Ok(at) } else { Err(wrong("the subscription is over")) }
}

fn is_tag(tag: &str) -> bool {
    (1..=MAX_TAG).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// An absolute https address at a public DNS name. Read by hand, and stricter than browsers read: whatever
/// two readers could take for different servers is refused.
fn check_endpoint(text: &str, reach: Reach) -> Result<(), PushError> {
    let wrong = |what| field("subscription.endpoint", what);
    if text.len() > MAX_ENDPOINT {
        return Err(wrong("at most 1024 bytes"));
    }
    // No space, no control, no backslash (which browsers read as a slash), no fragment.
    if !text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'#') {
        return Err(wrong("expected an address in ASCII without spaces, backslashes and fragment"));
    }
    let scheme = |name: &str| {
        let (head, rest) = text.split_at_checked(name.len())?;
        head.eq_ignore_ascii_case(name).then(|| rest.strip_prefix("://")).flatten()
    };
    let (rest, plain) = match (scheme("https"), scheme("http")) {
        (Some(rest), _) => (rest, false),
        (None, Some(rest)) => (rest, true),
        (None, None) => return Err(wrong("expected an https address")),
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(wrong("a user or password is not taken"));
    }
    if reach == Reach::OrThisMachine && is_this_machine(authority) {
        return Ok(());
    }
    if plain {
        return Err(wrong("expected an https address"));
    }
    let host = match authority.split_once(':') {
        None => authority,
        Some((host, "443")) => host,
        Some(_) => return Err(wrong("no port but 443, and no address of the network")),
    };
    if is_public_name(host) { Ok(()) } else { Err(wrong("expected a public DNS name")) }
}

/// `localhost` and the loopback addresses in their plain forms, with any port.
fn is_this_machine(authority: &str) -> bool {
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| {
        authority
            .strip_prefix(host)
            .is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
    })
}

/// A DNS name of at least two labels whose last is no number (such a host is an IPv4 address, in whatever
/// spelling) and none of [`PRIVATE`]. What it resolves to is not asked here.
fn is_public_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((_, last)) = host.rsplit_once('.') else { return false };
    host.len() <= 253
        && host.split('.').all(is_label)
        // `0x7f` is a number too; every top-level domain begins with a letter.
        && last.starts_with(|c: char| c.is_ascii_alphabetic())
        && !PRIVATE.iter().any(|private| private.eq_ignore_ascii_case(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW: Timestamp = Timestamp::from_millis(1_780_000_000_000);

    fn body() -> Value {
        json!({
            "pk": "pk_demo", "cart": "cart_1",
            "subscription": {
                "endpoint": "https://push.example/send/abc?x=1", "expirationTime": null,
                "keys": { "p256dh": URL_SAFE_NO_PAD.encode([4; 65]), "auth": URL_SAFE_NO_PAD.encode([7; 16]) },
            },
            "consent": { "push": true, "wording": "w1" }, "locale": "en-IE", "tz": "Europe/Dublin",
        })
    }

    fn read(body: &Value) -> Result<Told, PushError> {
        parse(body.to_string().as_bytes(), Reach::Public, NOW)
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut body = body();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    }

    #[test]
    fn what_a_browser_gives_is_read() {
        let told = read(&body()).unwrap();
        assert_eq!((told.wording.as_str(), told.zone.as_deref()), ("w1", Some("Europe/Dublin")));
        let Wish::Yes { subscription, point } = told.wish else { panic!("a yes") };
        assert_eq!(subscription.endpoint(), "https://push.example/send/abc?x=1");
        assert_eq!((subscription.expires, subscription.locale.as_deref()), (None, Some("en-IE")));
        assert_eq!(point, [4; 65]);
        let over = f64::from(u32::MAX) * 1_000.0 + 0.5;
        let told = read(&with("/subscription/expirationTime", json!(over))).unwrap();
        let Wish::Yes { subscription, .. } = told.wish else { panic!("a yes") };
        assert_eq!(subscription.expires, Some(Timestamp::from_millis(4_294_967_295_000)));
    }

    #[test]
    fn a_no_needs_the_endpoint_and_no_keys() {
        let said = json!({ "pk": "pk_demo", "subscription": { "endpoint": "https://push.example/a" }, "consent": { "push": false } });
        assert_eq!(read(&said).unwrap().wish, Wish::No { endpoint: "https://push.example/a".to_owned() });
    }

    #[test]
    fn an_error_names_the_place_and_quotes_nothing() {
        let secret = "s3cr3t";
        for (pointer, value, place) in [
            ("/subscription/endpoint", json!(format!("http://{secret}.example/")), "subscription.endpoint: "),
            (
                "/subscription/endpoint",
                json!(format!("https://push.example/{}", secret.repeat(400))),
                "subscription.endpoint: ",
            ),
            ("/subscription/keys", Value::Null, "subscription.keys: "),
            ("/subscription/keys/p256dh", json!(secret), "subscription.keys.p256dh: "),
            (
                "/subscription/keys/p256dh",
                json!(URL_SAFE_NO_PAD.encode([4; 64])),
                "subscription.keys.p256dh: ",
            ),
            (
                "/subscription/keys/p256dh",
                json!(URL_SAFE_NO_PAD.encode([4; 66])),
                "subscription.keys.p256dh: ",
            ),
            (
                "/subscription/keys/p256dh",
                json!(format!("{}=", URL_SAFE_NO_PAD.encode([4; 65]))),
                "subscription.keys.p256dh: ",
            ),
            ("/subscription/keys/auth", json!(URL_SAFE_NO_PAD.encode([4; 15])), "subscription.keys.auth: "),
            ("/subscription/keys/auth", json!("+/+/+/+/+/+/+/+/+/+/+w"), "subscription.keys.auth: "),
            ("/subscription/expirationTime", json!(-1), "subscription.expirationTime: "),
            ("/subscription/expirationTime", json!(1e300), "subscription.expirationTime: "),
            ("/subscription/expirationTime", json!(NOW.millis()), "subscription.expirationTime: "),
            (
                "/subscription/expirationTime",
                json!(secret),
                "a field is missing or of the wrong type at line 1",
            ),
            ("/consent", json!({}), "a field is missing or of the wrong type at line 1"),
            ("/cart", json!("../x"), "a field is missing or of the wrong type at line 1"),
        ] {
            let said = read(&with(pointer, value)).unwrap_err().to_string();
            assert!(said.starts_with(place), "{pointer}: {said}");
            assert!(!said.contains(secret), "{said}");
        }
        let whole = body().to_string();
        for cut in 0..whole.len() {
            assert!(parse(&whole.as_bytes()[..cut], Reach::Public, NOW).is_err(), "{cut}");
        }
    }

    #[test]
    fn only_servers_that_anybody_reaches_are_pushed_to() {
        let good = [
            "https://fcm.googleapis.com/fcm/send/abc:APA91b-_",
            "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
            "https://web.push.apple.com/QGx?a=https://localhost/",
            "HTTPS://db5p.notify.windows.com:443/w/?token=BQ%3d",
            "https://xn--bcher-kva.example",
        ];
        for endpoint in good {
            assert_eq!(check_endpoint(endpoint, Reach::Public), Ok(()), "{endpoint}");
        }
        let bad = [
            "",
            "https:",
            "https://",
            "https:///x",
            "//push.example/x",
            "push.example/x",
            "ftp://push.example/",
            "javascript:alert(1)",
            "http://push.example/x",
            "https:push.example",
            "https:/push.example",
            "https://localhost/",
            "https://localhost:8787/x",
            "https://a.localhost/",
            "https://metadata/",
            "https://metadata.google.internal/computeMetadata/v1/",
            "https://printer.local/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://017700000001/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://192.168.0.1:443/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]:443/",
            "https://[fd00:ec2::254]/",
            "https://user@push.example/",
            "https://user:pass@push.example/",
            "https://push.example@169.254.169.254/",
            "https://push.example:8443/",
            "https://push.example:0443/",
            "https://push.example:443:80/",
            "https://push.example:/",
            "https://push.example\\@127.0.0.1/",
            "https://push.example#@127.0.0.1/",
            "https://push.example /",
            "https://push.example\t/",
            "https://push.example\r\nx: y/",
            "https://púsh.example/",
            "https://push.example./",
            "https://.push.example/",
            "https://push..example/",
            "https://-push.example/",
            "https://push_.example/",
            "https://push.example%2f/",
            "https://1.0.0.127.in-addr.arpa/",
            "https://x.onion/",
            "https://x.LOCAL/",
            "https://1.2.3.4.5/",
            "https://x.0x1/",
            "https://x.1a/",
        ];
        for endpoint in bad {
            assert!(check_endpoint(endpoint, Reach::Public).is_err(), "{endpoint}");
        }
        assert!(check_endpoint(&format!("https://{}.example/", "a".repeat(64)), Reach::Public).is_err());
        assert!(
            check_endpoint(&format!("https://push.example/{}", "a".repeat(MAX_ENDPOINT)), Reach::Public)
                .is_err()
        );
    }

    #[test]
    fn a_local_run_reaches_this_machine_and_nothing_else_besides() {
        for endpoint in [
            "http://localhost:9999/push/1",
            "http://127.0.0.1:1/",
            "https://[::1]:8443/x",
            "https://push.example/x",
            "https://localhost",
        ] {
            assert_eq!(check_endpoint(endpoint, Reach::OrThisMachine), Ok(()), "{endpoint}");
        }
        for endpoint in [
            "http://push.example/",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://10.0.0.1/",
            "http://localhost:99999/",
            "http://u@localhost/",
        ] {
            assert!(check_endpoint(endpoint, Reach::OrThisMachine).is_err(), "{endpoint}");
        }
    }
}
