//! `POST /v1/identify` and `POST /v1/consent`: who somebody is, and what they agreed to. From a page
//! a contact is unverified; from the shop's server, by signature, it is the shop's word.

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::id::CartId;
use comeback_core::time::Zone;
use comeback_wire::calls::{CartCall, PersonChange};
use comeback_wire::capture::clip;
use comeback_wire::shop::Shop;
use serde::Deserialize;
use worker::Response;

use super::{Ask, events, json_response};
use crate::failure::{Failure, Outcome};
use crate::identity::{self, Identifier};
use crate::person_do::channel_named;
use crate::{config, objects, platform};

/// Largest body: a few addresses and a wording.
const MAX_BODY: usize = 4 * 1024;

#[derive(Deserialize)]
struct Identify {
    pk: String,
    #[serde(default)]
    cart: Option<CartId>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    consent: Agreed,
    #[serde(default)]
    tz: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Agreed {
    email: Option<bool>,
    sms: Option<bool>,
    wording: String,
}

#[derive(Deserialize)]
struct Consented {
    pk: String,
    channel: String,
    address: String,
    granted: bool,
    #[serde(default)]
    wording: String,
}

/// Who is speaking: a page of the shop, or its server by signature.
async fn speaker(ask: &Ask, body: &[u8], pk: &str) -> Outcome<(std::rc::Rc<Shop>, Source, Option<String>)> {
    let shop = config::shop_by_pk(&ask.env, pk).await?;
    let Some(signature) = ask.header("x-comeback-signature") else {
        let origin = events::check_origin(ask, &shop)?;
        events::limit(ask, pk).await?;
        return Ok((shop, Source::Page, origin));
    };
    let hex = signature.strip_prefix("sha256=").unwrap_or_default();
    let secret = platform::shop_secret(&ask.env, &shop.document.shop, "identity")
        .ok_or_else(|| Failure::unauthorized("the shop has no identity secret"))?;
    if !is_signed(body, hex, &secret) {
        return Err(Failure::unauthorized("the signature does not fit the body"));
    }
    Ok((shop, Source::Signed, None))
}

/// HMAC-SHA256 of the body under the shop's secret, compared in constant time.
fn is_signed(body: &[u8], hex: &str, secret: &str) -> bool {
    use hmac::{Hmac, KeyInit, Mac};
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(body);
    let expected: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), hex.to_ascii_lowercase().as_bytes()).into()
}

pub(super) async fn identify(ask: &mut Ask) -> Outcome<Response> {
    let body = ask.body(MAX_BODY).await?;
    let said: Identify = parse(&body)?;
    let (shop, source, origin) = speaker(ask, &body, &said.pk).await?;
    let id = &shop.document.shop;
    let email = contact(said.email.as_deref(), "email", identity::email)?;
    let phone = contact(said.phone.as_deref(), "phone", identity::phone)?;
    if email.is_none() && phone.is_none() {
        return Err(Failure::malformed("email or phone: one of them is needed"));
    }
    let mut identifiers = vec![];
    let mut changes = vec![];
    let wording = clip(&said.consent.wording, 200);
    if let Some(email) = email {
        identifiers.push(Identifier::email(&email));
        changes.extend(told(Channel::Email, email, source, said.consent.email, &wording, ask));
    }
    if let Some(phone) = phone {
        identifiers.push(Identifier::phone(&phone));
        changes.extend(told(Channel::Sms, phone, source, said.consent.sms, &wording, ask));
    }
    // The shop's server speaks for a person, not for the browser it happens to run in.
    if source == Source::Page
        && let Some(visitor) = &ask.cookies.visitor
    {
        identifiers.push(Identifier::visitor(visitor));
    }
    let person = identity::person_of(&ask.env, id, &identifiers, ask.now).await?;
    if let Some(zone) = said.tz.filter(|z| Zone::parse(z).is_some()) {
        changes.push(PersonChange::Zone { zone });
    }
    let cart = said.cart.or_else(|| ask.cookies.cart.clone());
    if let Some(cart) = &cart {
        changes.push(PersonChange::LinkCart { cart: cart.clone() });
    }
    let (_, known) = identity::apply(&ask.env, id, &person, changes, ask.now).await?;
    if let Some(cart) = &cart {
        objects::cart(&ask.env, id, cart, ask.now, &CartCall::Link { person, source }).await?;
    }
    // A page must not learn from the answer whether an address is a customer's.
    let told = if known && source == Source::Signed { "known" } else { "ok" };
    let response = json_response(&serde_json::json!({ "person": told }))?;
    events::allow_origin(&response, ask, origin.as_deref())?;
    Ok(response)
}

pub(super) async fn consent(ask: &mut Ask) -> Outcome<Response> {
    let body = ask.body(MAX_BODY).await?;
    let said: Consented = parse(&body)?;
    let (shop, source, origin) = speaker(ask, &body, &said.pk).await?;
    let id = &shop.document.shop;
    let channel = channel_named(&said.channel)
        .filter(|c| *c != Channel::Push)
        .ok_or_else(|| Failure::malformed("channel: expected email or sms"))?;
    let (address, identifier) = match channel {
        Channel::Email => {
            let address = contact(Some(&said.address), "address", identity::email)?.unwrap_or_default();
            let identifier = Identifier::email(&address);
            (address, identifier)
        }
        _ => {
            let address = contact(Some(&said.address), "address", identity::phone)?.unwrap_or_default();
            let identifier = Identifier::phone(&address);
            (address, identifier)
        }
    };
    // A stranger could otherwise take somebody's consent away, or lend them one: a page may speak
    // of an address only together with its own visitor, and is then held to be unverified.
    let mut identifiers = vec![identifier];
    if source == Source::Page {
        let visitor = ask.cookies.visitor.as_ref();
        let visitor = visitor.ok_or_else(|| Failure::forbidden("no visitor: send an event first"))?;
        identifiers.push(Identifier::visitor(visitor));
    }
    let person = identity::person_of(&ask.env, id, &identifiers, ask.now).await?;
    let wording = clip(&said.wording, 200);
    let changes = told(channel, address, source, Some(said.granted), &wording, ask);
    identity::apply(&ask.env, id, &person, changes, ask.now).await?;
    let response = json_response(&serde_json::json!({ "consent": "recorded" }))?;
    events::allow_origin(&response, ask, origin.as_deref())?;
    Ok(response)
}

fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Outcome<T> {
    serde_json::from_slice(body).map_err(|e| Failure::malformed(comeback_wire::capture::place(&e)))
}

fn contact(
    text: Option<&str>,
    field: &str,
    normalise: fn(&str) -> Option<String>,
) -> Outcome<Option<String>> {
    match text.map(str::trim).filter(|t| !t.is_empty()) {
        None => Ok(None),
        Some(text) => normalise(text)
            .map(Some)
            .ok_or_else(|| Failure::malformed(format!("{field}: not a usable address"))),
    }
}

fn told(
    channel: Channel,
    address: String,
    source: Source,
    agreed: Option<bool>,
    wording: &str,
    ask: &Ask,
) -> Vec<PersonChange> {
    let mut changes = vec![PersonChange::Contact { channel, address, source }];
    if let Some(granted) = agreed {
        let consent = Consent { channel, granted, wording: wording.to_owned(), at: ask.now, source };
        // An unticked box in a page is no answer, not a no: only a signed no is an opt-out.
        if granted || source != Source::Page {
            changes.push(PersonChange::Consent(consent));
        }
    }
    changes
}
