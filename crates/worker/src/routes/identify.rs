//! `POST /v1/identify` and `POST /v1/consent`: who somebody is, and what they agreed to. From a page
//! a contact is unverified; from the shop's server, by signature, it is the shop's word.

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::id::{CartId, PersonId, ShopId, VisitorId};
use comeback_core::jurisdiction::Place;
use comeback_core::time::{Timestamp, Zone};
use comeback_wire::calls::{CartAnswer, CartCall, PersonChange, Session};
use comeback_wire::capture::clip;
use comeback_wire::shop::Shop;
use serde::Deserialize;
use worker::Env;

use super::events;
use crate::cookies::Scope;
use crate::failure::{Failure, Outcome};
use crate::http::{Ask, Reply};
use crate::identity::{self, Identifier};
use crate::person_do::channel_named;
use crate::{config, cookies, objects, platform};

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
    /// By signature only.
    #[serde(default)]
    profile: Option<Profile>,
}

/// What a shop knows of its customer. From a page it is refused: it would decide which law counts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    #[serde(default)]
    country: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    preferred_channel: Option<String>,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Profile {
    fn changes(self) -> Outcome<Vec<PersonChange>> {
        let mut changes = vec![];
        let code = |text: Option<String>, field: &str, lengths: core::ops::RangeInclusive<usize>| match text {
            None => Ok(None),
            Some(text) => {
                let fine = lengths.contains(&text.len())
                    && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
                let what =
                    || Failure::malformed(format!("profile.{field}: expected an ISO 3166 code in capitals"));
                fine.then_some(text).map(Some).ok_or_else(what)
            }
        };
        let country = code(self.country, "country", 2..=2)?;
        let region = code(self.region, "region", 1..=3)?;
        match (country, region) {
            (None, None) => {}
            (None, Some(_)) => return Err(Failure::malformed("profile.region: needs the country")),
            (country, region) => changes.push(PersonChange::Place { place: Place { country, region } }),
        }
        if let Some(name) = self.preferred_channel {
            let channel = channel_named(&name).ok_or_else(|| {
                Failure::malformed("profile.preferred_channel: expected email, sms or push")
            })?;
            changes.push(PersonChange::Prefers { channel });
        }
        if let Some(tags) = self.tags {
            let fine = tags.len() <= MOST_TAGS && tags.iter().all(|t| !t.is_empty() && t.len() <= 40);
            if !fine {
                return Err(Failure::malformed("profile.tags: at most 50, of 1 to 40 bytes"));
            }
            changes.push(PersonChange::Tags { tags: tags.iter().map(|t| clip(t, 40)).collect() });
        }
        Ok(changes)
    }
}

/// Tags of the shop kept with a person.
const MOST_TAGS: usize = 50;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Agreed {
    email: Option<bool>,
    sms: Option<bool>,
    wording: String,
    /// The owner confirmed it from the address itself (double opt-in). By signature only.
    confirmed: bool,
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
async fn speaker(ask: &mut Ask, body: &[u8], pk: &str) -> Outcome<(std::rc::Rc<Shop>, Source)> {
    let shop = config::shop_by_pk(&ask.env, pk).await?;
    let Some(signature) = ask.rare_header("x-comeback-signature") else {
        events::check_origin(ask, &shop)?;
        events::limit(ask, pk).await?;
        return Ok((shop, Source::Page));
    };
    let hex = signature.strip_prefix("sha256=").unwrap_or_default();
    let secret = platform::shop_secret(&ask.env, &shop.document.shop, "identity")
        .ok_or_else(|| Failure::unauthorized("the shop has no identity secret"))?;
    if !is_signed(body, hex, &secret) {
        return Err(Failure::unauthorized("the signature does not fit the body"));
    }
    Ok((shop, Source::Signed))
}

/// HMAC-SHA256 of the body under the shop's secret, compared in constant time.
fn is_signed(body: &[u8], hex: &str, secret: &str) -> bool {
    use hmac::{Hmac, KeyInit, Mac};
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(body);
    let expected: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), hex.to_ascii_lowercase().as_bytes()).into()
}

pub(super) async fn identify(ask: &mut Ask) -> Outcome<Reply> {
    let body = ask.body(MAX_BODY)?;
    let said: Identify = parse(&body)?;
    let (shop, source) = speaker(ask, &body, &said.pk).await?;
    let id = &shop.document.shop;
    let email = contact(said.email.as_deref(), "email", identity::email)?;
    let phone = contact(said.phone.as_deref(), "phone", identity::phone)?;
    if email.is_none() && phone.is_none() {
        return Err(Failure::malformed("email or phone: one of them is needed"));
    }
    if source == Source::Page && (said.profile.is_some() || said.consent.confirmed) {
        return Err(Failure::forbidden(
            "profile and consent.confirmed are the shop's to say, by a signed request",
        ));
    }
    let wording = clip(&said.consent.wording, 200);
    let agreed = said.consent.email == Some(true) || said.consent.sms == Some(true);
    let about = About::find(ask, &shop, said.cart, source == Source::Page && agreed).await?;
    let cart = about.cart();
    let mut changes: Vec<PersonChange> =
        cart.iter().map(|cart| PersonChange::LinkCart { cart: cart.clone() }).collect();
    let zone = said.tz.filter(|z| Zone::parse(z).is_some());
    // Whoever types an address into a page may be anybody, anywhere: what their browser says of the time is
    // their session's. For the person it would decide at which hour somebody else is written to.
    if let Some(zone) = zone.clone().filter(|_| source != Source::Page) {
        changes.push(PersonChange::Zone { zone });
    }
    let mut fresh_visitor = None;
    let person = if source == Source::Page {
        let visitor = match &ask.cookies.visitor {
            Some(visitor) => visitor.clone(),
            None => fresh_visitor.insert(events::make_visitor()?).clone(),
        };
        let typed = typed(ask, id, email.as_deref(), phone.as_deref(), &visitor).await?;
        if let (Some(email), true) = (email, typed.takes_email) {
            changes.extend(told(Channel::Email, email, source, said.consent.email, &wording, ask.now));
        }
        if let (Some(phone), true) = (phone, typed.takes_phone) {
            changes.extend(told(Channel::Sms, phone, source, said.consent.sms, &wording, ask.now));
        }
        // An order placed in this browser must end this cart, whosever address is on it.
        if let (Some(cart), true) = (&cart, typed.visitor != typed.person) {
            let link = vec![PersonChange::LinkCart { cart: cart.clone() }];
            identity::apply(&ask.env, id, &typed.visitor, link, ask.now).await?;
        }
        typed.person
    } else {
        let known: Vec<Identifier> = email
            .iter()
            .map(|e| Identifier::email(e))
            .chain(phone.iter().map(|p| Identifier::phone(p)))
            .collect();
        changes.extend(said.profile.map(Profile::changes).transpose()?.into_iter().flatten());
        // A yes that the owner confirmed from the address rests on more than the shop's word for it.
        let by = if said.consent.confirmed { Source::Person } else { source };
        if let Some(email) = email {
            changes.extend(told(Channel::Email, email, by, said.consent.email, &wording, ask.now));
        }
        if let Some(phone) = phone {
            changes.extend(told(Channel::Sms, phone, by, said.consent.sms, &wording, ask.now));
        }
        identity::person_of(&ask.env, id, &known, ask.now).await?
    };
    let applied = identity::apply(&ask.env, id, &person, changes, ask.now).await?;
    // A page must not learn from the answer whether an address is a customer's.
    let told = if applied.known && source == Source::Signed { "known" } else { "ok" };
    let visitor = fresh_visitor.as_ref().or(ask.cookies.visitor.as_ref()).cloned();
    about.tell(ask, &shop, Named { person: &person, applied, source, visitor, zone }).await?;
    let mut reply = Reply::json(&serde_json::json!({ "person": told }))?;
    if let Some(visitor) = fresh_visitor {
        cookies::set_visitor(&mut reply, &visitor, Scope::of(ask, &shop.document));
    }
    about.set_cookie(&mut reply, Scope::of(ask, &shop.document));
    Ok(reply)
}

/// The cart that somebody who names themselves has, may come to have, or gets by that.
pub(super) struct About {
    held: Option<CartId>,
    born: Option<CartId>,
}

/// Who was found behind a cart.
pub(super) struct Named<'a> {
    pub(super) person: &'a PersonId,
    pub(super) applied: identity::Applied,
    pub(super) source: Source,
    /// The browser. Without one the cart's first person stays, whichever browser it was born in.
    pub(super) visitor: Option<VisitorId>,
    pub(super) zone: Option<String>,
}

impl About {
    /// The cart that the page names, else the cookie's, else one of its own for somebody who `may_browse`
    /// under observation.
    pub(super) async fn find(
        ask: &Ask,
        shop: &Shop,
        named: Option<CartId>,
        may_browse: bool,
    ) -> Outcome<Self> {
        let held = named.or_else(|| ask.cookies.cart.clone());
        let born = match &held {
            None if may_browse => cart_for_browsing(ask, shop).await?,
            _ => None,
        };
        Ok(Self { held, born })
    }

    pub(super) fn cart(&self) -> Option<CartId> {
        self.held.as_ref().or(self.born.as_ref()).cloned()
    }

    /// Whether the browser gets it only now.
    pub(super) fn is_born(&self) -> bool {
        self.born.is_some()
    }

    /// Tells the cart whose it is. One that is not there yet is found by its alias when it comes.
    pub(super) async fn tell(&self, ask: &Ask, shop: &Shop, named: Named<'_>) -> Outcome<()> {
        let id = &shop.document.shop;
        let Named { person, applied, source, visitor, zone } = named;
        if let Some(cart) = &self.born {
            let session = Session {
                visitor,
                zone,
                mobile: false,
                automated: events::is_refused(ask, shop, false),
                place: Some(ask.place()),
                home: Some(shop.document.currency),
            };
            let birth = CartCall::Capture {
                shop: id.clone(),
                cart: cart.clone(),
                currency: Some(shop.document.currency),
                signals: vec![],
                session: Some(session),
                person: Some(person.clone()),
                profile: Some(applied.profile),
                assignments: applied.assignments,
            };
            objects::cart(&ask.env, id, cart, ask.now, &birth).await?;
        } else if let Some(cart) = &self.held {
            let link = CartCall::Link {
                person: person.clone(),
                source,
                visitor,
                profile: Some(applied.profile),
                assignments: applied.assignments,
            };
            if objects::cart(&ask.env, id, cart, ask.now, &link).await? == CartAnswer::Missing {
                // The contact came before the cart's first event: it will be asked for when that comes. The
                // shop's word goes before a page's.
                let alias = Identifier::cart(cart);
                if source == Source::Signed {
                    identity::rebind(&ask.env, id, &alias, person, ask.now).await?;
                } else {
                    identity::bind(&ask.env, id, &alias, person, ask.now).await?;
                }
                // A cart that was born meanwhile may have asked before there was an answer.
                objects::cart(&ask.env, id, cart, ask.now, &link).await?;
            }
        }
        Ok(())
    }

    /// Lets the browser keep a cart that it got.
    pub(super) fn set_cookie(&self, reply: &mut Reply, scope: Scope<'_>) {
        if let Some(cart) = &self.born {
            cookies::set_cart(reply, cart, scope);
        }
    }
}

/// A cart for somebody who may be written to and has none yet, where the shop's policy follows up what
/// was only looked at: from now on there is an object to tell of it. A visit without a contact has
/// none, and neither has one under a policy that would do nothing with it.
async fn cart_for_browsing(ask: &Ask, shop: &Shop) -> Outcome<Option<CartId>> {
    let policy = config::policy(&ask.env, &shop.policy_version).await?;
    policy.browse.is_some().then(events::make_cart).transpose()
}

/// Who is behind what was typed into a page.
struct Typed {
    /// The person of the address.
    person: PersonId,
    /// The person of this browser, for its orders.
    visitor: PersonId,
    /// Whether the addresses may be told to the person.
    takes_email: bool,
    takes_phone: bool,
}

/// An address has its own person, a browser its own. They are one only where the address was new,
/// or was when this browser brought it: nobody becomes another by typing their address, and no
/// second address is added to somebody by a browser that is not theirs.
async fn typed(
    ask: &Ask,
    shop: &ShopId,
    email: Option<&str>,
    phone: Option<&str>,
    visitor: &VisitorId,
) -> Outcome<Typed> {
    let (env, now) = (&ask.env, ask.now);
    let first = match (email, phone) {
        (Some(email), _) => Identifier::email(email),
        (None, Some(phone)) => Identifier::phone(phone),
        (None, None) => return Err(Failure::malformed("email or phone: one of them is needed")),
    };
    let browser = Identifier::visitor(visitor);
    let address = match nobody_yet(env, shop, &first, &browser, now).await? {
        // A browser that came without an address (it may be pushed to, say) takes its first one.
        Some(own) => identity::typed_first(env, shop, &first, &own, now).await?,
        None => identity::person_of_typed(env, shop, &first, now).await?,
    };
    let candidate = if address.is_new { address.person.clone() } else { identity::make_person()? };
    let browser = identity::bind(env, shop, &browser, &candidate, now).await?;
    let own = address.is_new || browser == address.person;
    let mut takes_phone = email.is_none();
    if let (Some(_), Some(phone), true) = (email, phone, own) {
        let held = identity::bind(env, shop, &Identifier::phone(phone), &address.person, now).await?;
        takes_phone = held == address.person;
    }
    Ok(Typed { person: address.person, visitor: browser, takes_email: email.is_some(), takes_phone })
}

/// The person of this browser, if they have no address yet and this one is nobody's.
async fn nobody_yet(
    env: &Env,
    shop: &ShopId,
    address: &Identifier,
    browser: &Identifier,
    now: Timestamp,
) -> Outcome<Option<PersonId>> {
    let Some(own) = identity::find(env, shop, browser, now).await? else { return Ok(None) };
    let is_free = identity::find(env, shop, address, now).await?.is_none();
    let takes = is_free && identity::has_no_address(env, shop, &own, now).await?;
    Ok(takes.then_some(own))
}

pub(super) async fn consent(ask: &mut Ask) -> Outcome<Reply> {
    let body = ask.body(MAX_BODY)?;
    let said: Consented = parse(&body)?;
    let (shop, source) = speaker(ask, &body, &said.pk).await?;
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
    let person = if source == Source::Page {
        let visitor = ask.cookies.visitor.as_ref();
        let visitor = visitor.ok_or_else(|| Failure::forbidden("no visitor: send an event first"))?;
        let browser = identity::find(&ask.env, id, &Identifier::visitor(visitor), ask.now).await?;
        let address = identity::person_of_typed(&ask.env, id, &identifier, ask.now).await?;
        // A stranger must not take somebody's consent away: a no counts from the browser that
        // brought the address, and from the links in our messages.
        if !said.granted && browser.as_ref() != Some(&address.person) {
            return Reply::json(&serde_json::json!({ "consent": "not recorded" }));
        }
        address.person
    } else {
        identity::person_of(&ask.env, id, &[identifier], ask.now).await?
    };
    let consent =
        Consent { channel, granted: said.granted, wording: clip(&said.wording, 200), at: ask.now, source };
    let changes = vec![PersonChange::Contact { channel, address, source }, PersonChange::Consent(consent)];
    identity::apply(&ask.env, id, &person, changes, ask.now).await?;
    Reply::json(&serde_json::json!({ "consent": "recorded" }))
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
    at: Timestamp,
) -> Vec<PersonChange> {
    let mut changes = vec![PersonChange::Contact { channel, address, source }];
    if let Some(granted) = agreed {
        let consent = Consent { channel, granted, wording: wording.to_owned(), at, source };
        // An unticked box in a page is no answer, not a no: only a signed no is an opt-out.
        if granted || source != Source::Page {
            changes.push(PersonChange::Consent(consent));
        }
    }
    changes
}
