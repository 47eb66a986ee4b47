//! `POST /v1/intake/{shop}/{source}`: webhooks of platforms. The signature is checked over the raw
//! body before anything is read, and the sender gets its 2xx only when everything is stored: an order
//! is in the person's object, and on the cart, before the platform hears "yes".

use comeback_core::cart::Change;
use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::id::{CartId, EventId, PersonId, ShopId};
use comeback_core::person::Order as KnownOrder;
use comeback_core::recovery::CartOrder;
use comeback_core::signal::{Signal, SignalKind};
use comeback_core::time::Timestamp;
use comeback_intake::model::{Checkout, Operation, Order, OrderStatus};
use comeback_intake::{IntakeError, shopify};
use comeback_wire::calls::{CartCall, PersonChange};
use comeback_wire::classes::Classes;

use crate::failure::{Failure, Outcome};
use crate::http::{Ask, Reply};
use crate::identity::{self, Identifier};
use crate::orders::{self, Placed};
use crate::{config, objects, platform};

/// Largest webhook; Shopify's are below.
const MAX_BODY: usize = 1024 * 1024;

pub(super) async fn post(ask: &mut Ask, shop: &str, source: &str) -> Outcome<Reply> {
    let shop = ShopId::parse(shop).map_err(|_| Failure::not_found("no such shop"))?;
    if source != "shopify" {
        return Err(Failure::not_found("no such source"));
    }
    let body = ask.body(MAX_BODY)?;
    let record = config::shop(&ask.env, &shop).await?.ok_or_else(|| Failure::not_found("no such shop"))?;
    let secret = platform::shop_secret(&ask.env, &shop, "shopify")
        .ok_or_else(|| Failure::unauthorized("the shop has no secret for this source"))?;
    let signature = ask.rare_header("x-shopify-hmac-sha256").unwrap_or_default();
    let verified = shopify::verify(&body, &signature, secret.as_bytes())
        .map_err(|_| Failure::unauthorized("the signature does not fit the body"))?;
    let topic = ask.rare_header("x-shopify-topic").unwrap_or_default();
    let triggered = ask.rare_header("x-shopify-triggered-at");
    let told = match verified.parse(&topic, triggered.as_deref(), ask.now) {
        Ok(Operation::Checkout(checkout)) => {
            let classes = config::classes(&ask.env, &record).await;
            take_checkout(ask, &shop, &checkout, classes.as_deref()).await?;
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
    Reply::json(&serde_json::json!({ "accepted": told }))
}

/// The cart of a platform's cart or checkout, by the first name that checkout and order share.
fn cart_id(shop: &ShopId, names: [Option<&str>; 3]) -> Option<CartId> {
    let token = names.into_iter().flatten().next()?;
    Some(CartId::derive(&[shop.as_str(), "shopify", token]))
}

async fn take_checkout(
    ask: &Ask,
    shop: &ShopId,
    checkout: &Checkout,
    classes: Option<&Classes>,
) -> Outcome<()> {
    let names = [
        checkout.cart_token.as_deref(),
        checkout.checkout_token.as_deref(),
        Some(checkout.checkout_id.as_str()),
    ];
    let cart = cart_id(shop, names).ok_or_else(|| {
        Failure::problem(422, "/problems/intake", "The webhook could not be used", "no cart token")
    })?;
    let email = checkout.email.as_deref().and_then(identity::email);
    let phone = checkout.phone.as_deref().and_then(identity::phone);
    let (person, known) = contact(ask, shop, checkout, &cart, email, phone).await?.unzip();
    let (profile, assignments) = known.map(|k| (k.profile, k.assignments)).unzip();
    // The same checkout at the same instant is the same event, whatever the delivery's own id.
    let at = checkout.at;
    let id = EventId::derive(&[shop.as_str(), "shopify", &checkout.checkout_id, &at.millis().to_string()]);
    let begun = EventId::derive(&[id.as_str(), "begin_checkout"]);
    let mut lines = checkout.lines.clone();
    if let Some(classes) = classes {
        classes.mark_lines(&mut lines);
    }
    let change = Change::Set(lines);
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
        profile,
        assignments: assignments.unwrap_or_default(),
    };
    objects::cart(&ask.env, shop, &cart, ask.now, &call).await?;
    if let Some(at) = checkout.completed_at {
        let order = CartOrder { id: format!("checkout:{}", checkout.checkout_id), at, paid: false };
        objects::cart(&ask.env, shop, &cart, ask.now, &CartCall::Order { order, own: true }).await?;
    }
    Ok(())
}

/// The person of the address in a checkout. The signature says that the platform relays it, not that
/// whoever typed it owns it: so it is held like one typed into a page, merges nobody, and a second
/// address goes along only where the first was new.
async fn contact(
    ask: &Ask,
    shop: &ShopId,
    checkout: &Checkout,
    cart: &CartId,
    email: Option<String>,
    phone: Option<String>,
) -> Outcome<Option<(PersonId, identity::Applied)>> {
    let (env, now) = (&ask.env, ask.now);
    let first = match (&email, &phone) {
        (Some(email), _) => Identifier::email(email),
        (None, Some(phone)) => Identifier::phone(phone),
        (None, None) => return Ok(None),
    };
    let address = identity::person_of_typed(env, shop, &first, now).await?;
    let mut changes = vec![PersonChange::LinkCart { cart: cart.clone() }];
    let at = checkout.at.min(now);
    if let Some(phone) = phone {
        let own = email.is_none()
            || (address.is_new
                && identity::bind(env, shop, &Identifier::phone(&phone), &address.person, now).await?
                    == address.person);
        if own {
            changes.extend(told(Channel::Sms, phone, checkout.sms_marketing, at, "shopify: sms_marketing"));
        }
    }
    if let Some(email) = email {
        // `false` is the box's default, not a refusal, and says nothing.
        let agreed = checkout.buyer_accepts_marketing.then_some(true);
        changes.extend(told(Channel::Email, email, agreed, at, "shopify: buyer_accepts_marketing"));
    }
    let known = identity::apply(env, shop, &address.person, changes, now).await?;
    if let Some(postal) = &checkout.postal {
        identity::rebind(env, shop, &Identifier::postal(postal), &address.person, now).await?;
    }
    Ok(Some((address.person, known)))
}

fn told(
    channel: Channel,
    address: String,
    agreed: Option<bool>,
    at: Timestamp,
    wording: &str,
) -> Vec<PersonChange> {
    let source = Source::Page;
    let mut changes = vec![PersonChange::Contact { channel, address, source }];
    // A no that anybody can type for anybody is no opt-out; those come by link or from the shop.
    if agreed == Some(true) {
        let wording = wording.to_owned();
        changes.push(PersonChange::Consent(Consent { channel, granted: true, wording, at, source }));
    }
    changes
}

async fn take_order(ask: &Ask, shop: &ShopId, order: &Order) -> Outcome<()> {
    let names = [order.cart_token.as_deref(), order.checkout_token.as_deref(), order.checkout_id.as_deref()];
    let own = cart_id(shop, names);
    let mut persons = vec![];
    if let Some(email) = order.email.as_deref().and_then(identity::email) {
        // Kept even where nobody is known by it yet: its checkout may come after the order.
        persons.push(
            identity::person_of_typed(&ask.env, shop, &Identifier::email(&email), ask.now).await?.person,
        );
    }
    if let Some(phone) = order.phone.as_deref().and_then(identity::phone) {
        let phone = Identifier::phone(&phone);
        if persons.is_empty() {
            // The same for an order that has nothing but a number.
            persons.push(identity::person_of_typed(&ask.env, shop, &phone, ask.now).await?.person);
        } else {
            persons.extend(identity::find(&ask.env, shop, &phone, ask.now).await?);
        }
    }
    if let Some(own) = &own {
        // A contact that came before its cart knows whose it is.
        persons.extend(identity::find(&ask.env, shop, &Identifier::cart(own), ask.now).await?);
    }
    // Whoever had something sent there is not reminded of it any more, under whatever email they
    // bought. Nobody is merged: several people may live there.
    let place: Vec<Identifier> = order.postal.iter().map(|p| Identifier::postal(p)).collect();
    let near = identity::find_all(&ask.env, shop, &place, ask.now).await?;
    let cancelled = matches!(order.status, OrderStatus::Cancelled);
    let known = KnownOrder {
        id: order.order_id.clone(),
        at: order.at,
        total_minor: Some(order.total_minor),
        cancelled,
        currency: Some(order.currency),
    };
    if matches!(order.status, OrderStatus::Cancelled | OrderStatus::Refunded) {
        for person in persons {
            let change = vec![PersonChange::Order(known.clone())];
            identity::apply(&ask.env, shop, &person, change, ask.now).await?;
        }
        return Ok(());
    }
    let paid = matches!(order.status, OrderStatus::Paid);
    orders::spread(&ask.env, shop, &Placed { order: known, paid, own, persons, near }, ask.now).await?;
    Ok(())
}
