//! Links in messages: made with the shop's key, believed only when the key, the shop, the purpose
//! and the revocations agree. A GET of any of them changes nothing.

use std::rc::Rc;

use comeback_core::id::{CartId, PersonId, SendKey, ShopId};
use comeback_core::offer::Grant;
use comeback_core::time::{DAY, Millis, Timestamp};
use comeback_link::{
    LinkError, ResumeClaims, ShopKeys, UnsubscribeClaims, UnverifiedToken, label, sign_resume,
    sign_unsubscribe,
};
use comeback_wire::calls::{PersonAnswer, PersonCall, ShopCall, Standing};
use comeback_wire::shop::Shop;
use worker::Env;

use crate::failure::{Failure, Outcome};
use crate::{config, objects, platform};

/// An unsubscribe link must work as long as anyone may still look at the message.
const UNSUBSCRIBE_TTL: Millis = 400 * DAY;
/// Characters of a short code: 60 bits, unguessable at the rate the edge allows.
const CODE_LENGTH: usize = 12;

/// The links of one message.
pub(crate) struct Links {
    pub(crate) resume: String,
    pub(crate) short: String,
    pub(crate) unsubscribe: String,
}

/// What the links of one message are made for.
pub(crate) struct Purpose<'a> {
    pub(crate) shop: &'a Shop,
    pub(crate) epoch: u32,
    pub(crate) cart: &'a CartId,
    pub(crate) person: &'a PersonId,
    pub(crate) key: &'a SendKey,
    pub(crate) channel: &'a str,
    pub(crate) grant: Option<&'a Grant>,
    pub(crate) ttl: Millis,
}

/// Signs the links of a message. The same send always gets the same short code.
pub(crate) async fn make(env: &Env, purpose: &Purpose<'_>, now: Timestamp) -> Outcome<Links> {
    let master = platform::master_key(env)?;
    let shop = &purpose.shop.document.shop;
    let signing =
        master.derive_shop_key(shop.as_str(), purpose.epoch).map_err(|e| Failure::internal(e.to_string()))?;
    let origin = purpose.shop.origin();
    let resume = sign_resume(
        &signing,
        &ResumeClaims {
            issuer: origin.clone(),
            cart: purpose.cart.to_string(),
            send: purpose.key.to_string(),
            issued_at: now.seconds(),
            expires_at: now.plus(purpose.ttl).seconds(),
            offer: purpose.grant.map(|grant| grant.offer.clone()),
            offer_until: purpose.grant.map(|grant| grant.valid_until.seconds()),
            prices_until: purpose.grant.and_then(|grant| grant.prices_until).map(Timestamp::seconds),
        },
    )
    .map_err(|e| Failure::internal(e.to_string()))?;
    let unsubscribe = sign_unsubscribe(
        &signing,
        &UnsubscribeClaims {
            issuer: origin.clone(),
            person: purpose.person.to_string(),
            send: purpose.key.to_string(),
            channel: purpose.channel.to_owned(),
            issued_at: now.seconds(),
            expires_at: now.plus(UNSUBSCRIBE_TTL).seconds(),
        },
    )
    .map_err(|e| Failure::internal(e.to_string()))?;
    let code = short_code(env, shop, purpose.key)?;
    objects::alias(env, shop, "short", &code, now, &PersonCall::Keep { text: resume.clone() }).await?;
    Ok(Links {
        resume: format!("{origin}/r/{resume}"),
        short: format!("{origin}/s/{code}"),
        unsubscribe: format!("{origin}/u/{unsubscribe}"),
    })
}

fn short_code(env: &Env, shop: &ShopId, key: &SendKey) -> Outcome<String> {
    let secret = platform::master_key(env)?
        .derive_secret(label::SHORT_CODE, shop.as_str())
        .map_err(|e| Failure::internal(e.to_string()))?;
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    Ok(secret
        .hmac(key.as_str().as_bytes())
        .iter()
        .take(CODE_LENGTH)
        .map(|b| char::from(ALPHABET.get(usize::from(b & 31)).copied().unwrap_or(b'0')))
        .collect())
}

/// The token behind a short code of this shop.
pub(crate) async fn long_form(
    env: &Env,
    shop: &ShopId,
    code: &str,
    now: Timestamp,
) -> Outcome<Option<String>> {
    if code.len() != CODE_LENGTH || !code.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Ok(None);
    }
    match objects::alias(env, shop, "short", code, now, &PersonCall::Resolve).await? {
        PersonAnswer::Leads { text, .. } => Ok(text),
        _ => Ok(None),
    }
}

/// Why a link is not believed, as far as its bearer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disbelief {
    /// Too old.
    Expired,
    /// Taken back by the shop.
    Revoked,
    /// Forged, broken, for something else, of another shop: the bearer is not told which.
    NotOurs,
}

/// A believed resume link.
pub(crate) struct Resume {
    pub(crate) shop: Rc<Shop>,
    pub(crate) cart: CartId,
    pub(crate) key: SendKey,
    /// The offer, while it holds.
    pub(crate) offer: Option<String>,
    /// When it ends, if it does before the link.
    pub(crate) offer_until: Option<Timestamp>,
    /// The offer, once it is over.
    pub(crate) ended: Option<String>,
    /// Until when the prices of the cart as it was left are honoured, while they are.
    pub(crate) prices_until: Option<Timestamp>,
}

/// A believed unsubscribe link.
pub(crate) struct Unsubscribe {
    pub(crate) shop: Rc<Shop>,
    pub(crate) person: PersonId,
    pub(crate) channel: String,
}

/// The shop of the host and a token that names its keys.
async fn addressed(
    env: &Env,
    host: &str,
    text: &str,
) -> Outcome<Result<(Rc<Shop>, UnverifiedToken), Disbelief>> {
    let Ok(token) = UnverifiedToken::parse(text) else { return Ok(Err(Disbelief::NotOurs)) };
    // The shop is that of the host, not the one the token names: a token of another shop is refused.
    let Some(shop) = config::shop_by_host(env, host).await? else { return Ok(Err(Disbelief::NotOurs)) };
    if token.kid().shop() != shop.document.shop.as_str() {
        return Ok(Err(Disbelief::NotOurs));
    }
    Ok(Ok((shop, token)))
}

/// The public keys of a shop: every epoch up to the present one that is not revoked.
pub(crate) fn keys(env: &Env, shop: &ShopId, standing: &Standing) -> Outcome<ShopKeys> {
    let epochs = (1..=standing.epoch.min(1_000)).filter(|e| !standing.revoked_epochs.contains(e));
    keys_of(env, shop, &epochs.collect::<Vec<u32>>())
}

fn keys_of(env: &Env, shop: &ShopId, epochs: &[u32]) -> Outcome<ShopKeys> {
    platform::master_key(env)?
        .derive_shop_keys(shop.as_str(), epochs)
        .map_err(|e| Failure::internal(e.to_string()))
}

fn disbelief(e: &LinkError) -> Disbelief {
    match e {
        LinkError::Expired { .. } => Disbelief::Expired,
        _ => Disbelief::NotOurs,
    }
}

/// Believes a resume link, or says why not. The signature is checked first, with the key that the
/// token's own epoch derives: whoever made a token up never gets as far as the shop's object, which
/// every send waits for.
pub(crate) async fn believe_resume(
    env: &Env,
    host: &str,
    text: &str,
    now: Timestamp,
) -> Outcome<Result<Resume, Disbelief>> {
    let (shop, token) = match addressed(env, host, text).await? {
        Ok(found) => found,
        Err(why) => return Ok(Err(why)),
    };
    let epoch = token.kid().epoch();
    let id = &shop.document.shop;
    let claims = match token.verify_resume(&keys_of(env, id, &[epoch])?, &shop.origin(), now.seconds()) {
        Ok(claims) => claims,
        Err(e) => return Ok(Err(disbelief(&e))),
    };
    let standing = objects::shop(env, id, now, &ShopCall::Standing).await?;
    if standing.revoked_epochs.contains(&epoch) || standing.revoked.contains(&claims.send) {
        return Ok(Err(Disbelief::Revoked));
    }
    let (Ok(cart), Ok(key)) = (CartId::parse(&claims.cart), SendKey::parse(&claims.send)) else {
        return Ok(Err(Disbelief::NotOurs));
    };
    let instant = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1_000));
    let offer_until = claims.offer_until.map(instant);
    let is_over = offer_until.is_some_and(|until| now >= until);
    let (offer, ended) = if is_over { (None, claims.offer) } else { (claims.offer, None) };
    let prices_until = claims.prices_until.map(instant).filter(|until| now < *until);
    Ok(Ok(Resume { shop, cart, key, offer, offer_until, ended, prices_until }))
}

/// Believes an unsubscribe link, or says why not. Revoking a send or a key does not take away the
/// right to unsubscribe: whoever forged such a link with a stolen key would have to know a random
/// person id, and could do no more than stop messages.
pub(crate) async fn believe_unsubscribe(
    env: &Env,
    host: &str,
    text: &str,
    now: Timestamp,
) -> Outcome<Result<Unsubscribe, Disbelief>> {
    let (shop, token) = match addressed(env, host, text).await? {
        Ok(found) => found,
        Err(why) => return Ok(Err(why)),
    };
    let keys = keys_of(env, &shop.document.shop, &[token.kid().epoch()])?;
    let claims = match token.verify_unsubscribe(&keys, &shop.origin(), now.seconds()) {
        Ok(claims) => claims,
        Err(e) => return Ok(Err(disbelief(&e))),
    };
    let Ok(person) = PersonId::parse(&claims.person) else { return Ok(Err(Disbelief::NotOurs)) };
    Ok(Ok(Unsubscribe { shop, person, channel: claims.channel }))
}
