//! `POST /v1/intake/{shop}/{source}`: webhooks of platforms. The signature is checked over the raw
//! body before anything is read, and the sender gets its 2xx only when everything is stored: an order
//! is in the person's object, and on the cart, before the platform hears "yes".

use comeback_core::cart::Change;
use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::id::{CartId, EventId, ShopId};
use comeback_core::person::Order as KnownOrder;
use comeback_core::recovery::CartOrder;
use comeback_core::signal::{Signal, SignalKind};
use comeback_intake::model::{Checkout, Operation, Order, OrderStatus};
use comeback_intake::{IntakeError, shopify};
use comeback_wire::calls::{CartAnswer, CartCall, PersonChange};
use worker::Response;

use super::{Ask, json_response};
use crate::failure::{Failure, Outcome};
use crate::identity::{self, Identifier};
use crate::{config, objects, platform};

/// Largest webhook; Shopify's are below.
const MAX_BODY: usize = 1024 * 1024;

pub(super) async fn post(ask: &mut Ask, shop: &str, source: &str) -> Outcome<Response> {
    let shop = ShopId::parse(shop).map_err(|_| Failure::not_found("no such shop"))?;
    if source != "shopify" {
        return Err(Failure::not_found("no such source"));
    }
    let body = ask.body(MAX_BODY).await?;
    if config::shop(&ask.env, &shop).await?.is_none() {
        return Err(Failure::not_found("no such shop"));
    }
    let secret = platform::shop_secret(&ask.env, &shop, "shopify")
        .ok_or_else(|| Failure::unauthorized("the shop has no secret for this source"))?;
    let signature = ask.header("x-shopify-hmac-sha256").unwrap_or_default();
    let verified = shopify::verify(&body, &signature, secret.as_bytes())
        .map_err(|_| Failure::unauthorized("the signature does not fit the body"))?;
    let topic = ask.header("x-shopify-topic").unwrap_or_default();
    let triggered = ask.header("x-shopify-triggered-at");
    let told = match verified.parse(&topic, triggered.as_deref(), ask.now) {
        Ok(Operation::Checkout(checkout)) => {
            take_checkout(ask, &shop, &checkout).await?;
            "checkout"
        }
        Ok(Operation::Order(order)) => {
            take_order(ask, &shop, &order).await?;
            "order"
        }
        // A topic that was subscribed to by mistake: acknowledged, or it would be sent for two days.
        Err(IntakeError::UnsupportedTopic) => "ignored",
        Err(e) => {
            return Err(Failure::problem(
                422,
                "/problems/intake",
                "The webhook could not be used",
                e.to_string(),
            ));
        }
    };
    json_response(&serde_json::json!({ "accepted": told }))
}

/// The cart of a platform's cart or checkout, by the first name that checkout and order share.
fn cart_id(shop: &ShopId, names: [Option<&str>; 3]) -> Option<CartId> {
    let token = names.into_iter().flatten().next()?;
    Some(CartId::derive(&[shop.as_str(), "shopify", token]))
}

fn identifiers(cart: Option<&CartId>, email: Option<&str>, phone: Option<&str>) -> Vec<Identifier> {
    let email = email.and_then(identity::email).map(|e| Identifier::email(&e));
    let phone = phone.and_then(identity::phone).map(|p| Identifier::phone(&p));
    email.into_iter().chain(phone).chain(cart.map(Identifier::cart)).collect()
}

async fn take_checkout(ask: &Ask, shop: &ShopId, checkout: &Checkout) -> Outcome<()> {
    let names = [
        checkout.cart_token.as_deref(),
        checkout.checkout_token.as_deref(),
        Some(checkout.checkout_id.as_str()),
    ];
    let cart = cart_id(shop, names).ok_or_else(|| {
        Failure::problem(422, "/problems/intake", "The webhook could not be used", "no cart token")
    })?;
    let mut person = None;
    if checkout.email.is_some() || checkout.phone.is_some() {
        let known = identifiers(Some(&cart), checkout.email.as_deref(), checkout.phone.as_deref());
        let id = identity::person_of(&ask.env, shop, &known, ask.now).await?;
        identity::apply(&ask.env, shop, &id, contact_changes(checkout, &cart, ask), ask.now).await?;
        person = Some(id);
    }
    // The same checkout at the same instant is the same event, whatever the delivery's own id.
    let at = checkout.at;
    let id = EventId::derive(&[shop.as_str(), "shopify", &checkout.checkout_id, &at.millis().to_string()]);
    let begun = EventId::derive(&[id.as_str(), "begin_checkout"]);
    let change = Change::Set(checkout.lines.clone());
    let call = CartCall::Capture {
        shop: shop.clone(),
        cart: cart.clone(),
        currency: Some(checkout.currency),
        signals: vec![
            Signal { id, at, kind: SignalKind::Cart { currency: checkout.currency, change } },
            Signal { id: begun, at, kind: SignalKind::BeginCheckout },
        ],
        session: None,
        person,
    };
    objects::cart(&ask.env, shop, &cart, ask.now, &call).await?;
    if let Some(at) = checkout.completed_at {
        let order = CartOrder { id: format!("checkout:{}", checkout.checkout_id), at, paid: false };
        objects::cart(&ask.env, shop, &cart, ask.now, &CartCall::Order { order, own: true }).await?;
    }
    Ok(())
}

fn contact_changes(checkout: &Checkout, cart: &CartId, ask: &Ask) -> Vec<PersonChange> {
    let mut changes = vec![PersonChange::LinkCart { cart: cart.clone() }];
    let mut told = |channel, address: Option<String>, agreed: Option<bool>, wording: &str| {
        let Some(address) = address else { return };
        changes.push(PersonChange::Contact { channel, address, source: Source::Signed });
        if let Some(granted) = agreed {
            changes.push(PersonChange::Consent(Consent {
                channel,
                granted,
                wording: wording.to_owned(),
                at: checkout.at.min(ask.now),
                source: Source::Signed,
            }));
        }
    };
    told(
        Channel::Email,
        checkout.email.as_deref().and_then(identity::email),
        // `false` is the box's default, not a refusal, and says nothing.
        checkout.buyer_accepts_marketing.then_some(true),
        "shopify: buyer_accepts_marketing",
    );
    told(
        Channel::Sms,
        checkout.phone.as_deref().and_then(identity::phone),
        checkout.sms_marketing,
        "shopify: sms_marketing",
    );
    changes
}

async fn take_order(ask: &Ask, shop: &ShopId, order: &Order) -> Outcome<()> {
    let names = [order.cart_token.as_deref(), order.checkout_token.as_deref(), order.checkout_id.as_deref()];
    let cart = cart_id(shop, names);
    let known = identifiers(cart.as_ref(), order.email.as_deref(), order.phone.as_deref());
    let mut carts: Vec<CartId> = cart.iter().cloned().collect();
    if !known.is_empty() {
        // Whoever bought and whoever left the cart are one: a signed order may merge them.
        let person = identity::person_of(&ask.env, shop, &known, ask.now).await?;
        let change = PersonChange::Order(KnownOrder {
            id: order.order_id.clone(),
            at: order.at,
            total_minor: Some(order.total_minor),
            cancelled: matches!(order.status, OrderStatus::Cancelled),
        });
        let (theirs, _) = identity::apply(&ask.env, shop, &person, vec![change], ask.now).await?;
        carts.extend(theirs);
    }
    carts.sort_unstable();
    carts.dedup();
    if matches!(order.status, OrderStatus::Cancelled | OrderStatus::Refunded) {
        return Ok(());
    }
    for id in carts {
        // Paid for this cart; the person's other carts only stop.
        let own = cart.as_ref() == Some(&id);
        let paid = own && matches!(order.status, OrderStatus::Paid);
        let told =
            CartCall::Order { order: CartOrder { id: order.order_id.clone(), at: order.at, paid }, own };
        let answer = objects::cart(&ask.env, shop, &id, ask.now, &told).await?;
        if !matches!(answer, CartAnswer::Done { .. } | CartAnswer::Missing) {
            return Err(Failure::internal("a cart did not take an order"));
        }
    }
    Ok(())
}
