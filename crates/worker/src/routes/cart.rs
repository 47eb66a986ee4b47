//! `GET`, `PUT` and `DELETE /v1/cart`: the cart of this browser or app, by its cookie, with a version; and
//! that it is forgotten.

use comeback_core::cart::Change;
use comeback_core::signal::SignalKind;
use comeback_core::time::Timestamp;
use comeback_wire::calls::{CartAnswer, CartCall, PersonChange};
use comeback_wire::capture::Batch;

use super::events;
use crate::cookies::Scope;
use crate::failure::{Failure, Outcome};
use crate::http::{Ask, Reply};
use crate::identity::{self, Identifier};
use crate::{config, cookies, objects};

/// Largest body, as for events.
const MAX_BODY: usize = 16 * 1024;

fn key(ask: &Ask) -> Outcome<String> {
    ask.parameter("pk").map(str::to_owned).ok_or_else(|| Failure::malformed("pk: missing from the address"))
}

pub(super) async fn get(ask: &mut Ask) -> Outcome<Reply> {
    let pk = key(ask)?;
    let shop = config::shop_by_pk(&ask.env, &pk).await?;
    // A GET of the own origin names none; a foreign page's is checked.
    if ask.header("origin").is_some() {
        events::check_origin(ask, &shop)?;
    }
    let cart = ask.cookies.cart.as_ref().ok_or_else(|| Failure::not_found("no cart in this browser"))?;
    let CartAnswer::View { view, .. } =
        objects::cart(&ask.env, &shop.document.shop, cart, ask.now, &CartCall::View).await?
    else {
        return Err(Failure::not_found("the cart is gone"));
    };
    let mut reply = Reply::json(&view)?;
    reply.add("etag", &format!("\"{}\"", view.version));
    Ok(reply)
}

pub(super) async fn put(ask: &mut Ask) -> Outcome<Reply> {
    let pk = key(ask)?;
    let shop = config::shop_by_pk(&ask.env, &pk).await?;
    events::check_origin(ask, &shop)?;
    events::limit(ask, &pk).await?;
    let cart = ask.cookies.cart.clone().ok_or_else(|| Failure::not_found("no cart in this browser"))?;
    let if_version = ask
        .rare_header("if-match")
        .and_then(|v| v.trim().trim_matches('"').parse::<u64>().ok())
        .ok_or_else(|| {
            Failure::problem(
                428,
                "/problems/precondition-required",
                "If-Match is needed",
                "send the ETag of the cart you saw",
            )
        })?;
    let body = ask.body(MAX_BODY)?;
    let mut lines = lines(&body, shop.document.currency.code(), ask.now)?;
    if let Some(classes) = config::classes(&ask.env, &shop).await {
        classes.mark_lines(&mut lines);
    }
    let call = CartCall::Replace { if_version, lines };
    match objects::cart(&ask.env, &shop.document.shop, &cart, ask.now, &call).await? {
        CartAnswer::Done { version, .. } => {
            let mut reply = Reply::json(&serde_json::json!({ "id": cart, "version": version }))?;
            reply.add("etag", &format!("\"{version}\""));
            Ok(reply)
        }
        CartAnswer::Conflict { version } => Err(Failure::problem(
            412,
            "/problems/version-conflict",
            "The cart has changed",
            format!("its version is {version}; read it and try again"),
        )),
        CartAnswer::Closed => {
            Err(Failure::problem(409, "/problems/cart-closed", "An order ended this cart", "begin a new one"))
        }
        _ => Err(Failure::not_found("the cart is gone")),
    }
}

/// Forgets the cart of this browser. What tells of it is written in an order in which a shell that dies on
/// the way leaves nothing that goes on: the cart first, which from then on has nothing to send and says only
/// whose it was, then the persons, so that no claim that is under way is let through. Asked again, it
/// does all of it again.
pub(super) async fn forget(ask: &mut Ask) -> Outcome<Reply> {
    let pk = key(ask)?;
    let shop = config::shop_by_pk(&ask.env, &pk).await?;
    events::check_origin(ask, &shop)?;
    events::limit(ask, &pk).await?;
    let mut reply = Reply::empty(204);
    reply.add("cache-control", "no-store");
    let Some(cart) = ask.cookies.cart.clone() else { return Ok(reply) };
    let (env, id) = (&ask.env, &shop.document.shop);
    // A contact may have come before the cart: then nothing but its alias leads from one to the other.
    let known: Vec<Identifier> = [Identifier::cart(&cart)]
        .into_iter()
        .chain(ask.cookies.visitor.iter().map(Identifier::visitor))
        .collect();
    let mut persons = identity::find_all(env, id, &known, ask.now).await?;
    match objects::cart(env, id, &cart, ask.now, &CartCall::Forget).await? {
        CartAnswer::Done { person, .. } => persons.extend(person.filter(|p| !persons.contains(p))),
        CartAnswer::Missing => {}
        _ => return Err(Failure::internal("a cart did not take that it is forgotten")),
    }
    for person in persons {
        let change = vec![PersonChange::ForgetCart { cart: cart.clone() }];
        identity::apply(env, id, &person, change, ask.now).await?;
    }
    cookies::clear_cart(&mut reply, Scope::of(ask, &shop.document));
    Ok(reply)
}

/// Reads `{"currency"?, "items":[…]}` by the same rules as a `cart_set` event.
fn lines(body: &[u8], currency: &str, now: Timestamp) -> Outcome<Vec<comeback_core::cart::Line>> {
    let mut data: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(body).map_err(|e| Failure::malformed(comeback_wire::capture::place(&e)))?;
    if !data.contains_key("items") {
        // An event without items says nothing of them; this would empty the cart.
        return Err(Failure::malformed("items: missing"));
    }
    data.entry("currency").or_insert_with(|| currency.into());
    let batch = serde_json::json!({
        "v": 1, "pk": "", "events": [{ "id": "evt_put", "t": now.millis(), "name": "cart_set", "data": data }],
    });
    let batch =
        Batch::parse(&serde_json::to_vec(&batch)?, now).map_err(|e| Failure::malformed(e.to_string()))?;
    match batch.signals.into_iter().next().map(|s| s.kind) {
        Some(SignalKind::Cart { change: Change::Set(lines), .. }) => Ok(lines),
        _ => Err(Failure::malformed("items: missing")),
    }
}
