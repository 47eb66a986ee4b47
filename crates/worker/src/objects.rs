//! Typed calls to the objects, over the platform's RPC. Object names hold the shop, so that an id
//! of one shop never leads into another's.

use comeback_core::id::{CartId, PersonId, ShopId};
use comeback_core::time::Timestamp;
use comeback_wire::calls::{CartAnswer, CartCall, PersonAnswer, PersonCall, ShopAnswer, ShopCall, Standing};
use js_sys::Promise;
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::prelude::*;
use worker::Env;

use crate::failure::{Failure, Outcome};
use crate::platform::{CART, PERSON, SHOP};
use crate::tasks;

#[wasm_bindgen]
extern "C" {
    /// The stub of any of our objects, as entry.js defines their classes.
    type ObjectStub;

    #[wasm_bindgen(method, catch)]
    fn call(this: &ObjectStub, now: f64, body: &str) -> Result<Promise, JsValue>;
}

/// Calls an object by the name of its binding and its own name.
pub(crate) async fn call<C: Serialize, A: DeserializeOwned>(
    env: &Env,
    binding: &str,
    name: &str,
    now: Timestamp,
    body: &C,
) -> Outcome<A> {
    let stub = env.durable_object(binding)?.get_by_name(name)?.into_rpc::<ObjectStub>();
    let text = serde_json::to_string(body)?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of our era are exact in a double")]
    let promise = stub.call(now.millis() as f64, &text)?;
    let answer = tasks::wait(&promise).await?;
    let answer = answer.as_string().ok_or_else(|| Failure::internal("an object answered without text"))?;
    Ok(serde_json::from_str(&answer)?)
}

/// The name of a cart's object.
pub(crate) fn cart_name(shop: &ShopId, cart: &CartId) -> String {
    format!("{shop}:{cart}")
}

/// Calls a cart.
pub(crate) async fn cart(
    env: &Env,
    shop: &ShopId,
    cart: &CartId,
    now: Timestamp,
    body: &CartCall,
) -> Outcome<CartAnswer> {
    call(env, CART, &cart_name(shop, cart), now, body).await
}

/// Calls a person.
pub(crate) async fn person(
    env: &Env,
    shop: &ShopId,
    person: &PersonId,
    now: Timestamp,
    body: &PersonCall,
) -> Outcome<PersonAnswer> {
    call(env, PERSON, &format!("{shop}:{person}"), now, body).await
}

/// Calls an alias: an identifier of a kind, already hashed.
pub(crate) async fn alias(
    env: &Env,
    shop: &ShopId,
    kind: &str,
    hash: &str,
    now: Timestamp,
    body: &PersonCall,
) -> Outcome<PersonAnswer> {
    call(env, PERSON, &format!("{shop}:alias:{kind}:{hash}"), now, body).await
}

/// Calls a shop.
pub(crate) async fn shop(env: &Env, shop: &ShopId, now: Timestamp, body: &ShopCall) -> Outcome<Standing> {
    match shop_answer(env, shop, now, body).await? {
        ShopAnswer::Standing(standing) => Ok(*standing),
        _ => Err(Failure::internal("a shop answered something else than its standing")),
    }
}

/// Calls a shop about the versions of its policy.
pub(crate) async fn shop_answer(
    env: &Env,
    shop: &ShopId,
    now: Timestamp,
    body: &ShopCall,
) -> Outcome<ShopAnswer> {
    call(env, SHOP, shop.as_str(), now, body).await
}
