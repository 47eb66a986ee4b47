//! An email as bytes for SMTP and raw-message APIs: multipart/alternative by `mail-builder`.
//!
//! That crate would read the clock, the host name and an address in memory for `Date`,
//! `Message-ID` and the boundary; all three are set here, so the bytes depend on the arguments
//! alone. Does not sign (DKIM is the provider's) and does not send.

use comeback_core::id::SendKey;
use comeback_core::time::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::url::URL;
use mail_builder::mime::{BodyPart, MimePart};
use serde::{Deserialize, Serialize};

use crate::clean;
use crate::error::RenderError;
use crate::render::{Email, Header, MAX_NAME, MAX_SUBJECT};

/// Longest address RFC 5321 lets a server take.
const MAX_ADDRESS: usize = 254;

/// A name and an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Shown name.
    #[serde(default)]
    pub name: Option<String>,
    /// `local@domain`, ASCII.
    pub address: String,
}

/// Whether this is a plain ASCII address that can stand in a header, a link and an SMTP command.
/// Quoted local parts are refused: nobody has one, attackers do.
pub(crate) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let local_ok = (1..=64).contains(&local.len())
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`|~.".contains(&b))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let label_ok = |l: &str| {
        !l.is_empty() && !l.starts_with('-') && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    local_ok && text.len() <= MAX_ADDRESS && domain.split('.').all(label_ok)
}

/// The message as RFC 5322 bytes with CRLF line ends, all ASCII.
///
/// `seed` (the send key) makes the boundary; `date` is the one of the send, given by the caller.
pub fn to_mime(
    email: &Email,
    from: &Mailbox,
    to: &Mailbox,
    date: Timestamp,
    seed: &SendKey,
) -> Result<Vec<u8>, RenderError> {
    // `=_` occurs in neither base64 nor quoted-printable, so no encoded body contains it; and a
    // body that goes unencoded would need to hold this very send's key on a line of its own.
    let boundary = format!("=_{seed}");
    let mut message = MessageBuilder::new()
        .from(address(from, "from")?)
        .to(address(to, "to")?)
        .subject(clean::header(&email.subject, MAX_SUBJECT))
        .date(Date::new(date.seconds()));
    for header in &email.headers {
        message = message.header(header.name.clone(), value(header));
    }
    let parts = vec![
        MimePart::new("text/plain", BodyPart::Text(email.text.as_str().into())),
        MimePart::new("text/html", BodyPart::Text(email.html.as_str().into())),
    ];
    let body =
        MimePart::new(ContentType::new("multipart/alternative").attribute("boundary", boundary), parts);
    let mut bytes = Vec::new();
    message.body(body).serialize(&mut bytes);
    Ok(bytes)
}

fn address<'a>(mailbox: &'a Mailbox, field: &'static str) -> Result<Address<'a>, RenderError> {
    if !is_address(&mailbox.address) {
        return Err(RenderError::Address { field });
    }
    let name = mailbox.name.as_deref().map(|n| clean::header(n, MAX_NAME)).filter(|n| !n.is_empty());
    Ok(Address::new_address(name.map(std::borrow::Cow::from), mailbox.address.as_str()))
}

/// Each header in the form that must not be folded or encoded otherwise: a long unsubscribe
/// address as text would become an encoded word, which no mail client follows.
fn value(header: &Header) -> HeaderType<'_> {
    let inner = header.value.trim_start_matches('<').trim_end_matches('>');
    match header.name.as_str() {
        "Message-ID" => MessageId::new(inner).into(),
        "List-Unsubscribe" => URL::new(inner).into(),
        _ => Raw::new(header.value.as_str()).into(),
    }
}
