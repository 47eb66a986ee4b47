//! The sweep: finds carts whose due time is long past, for whatever alarm was lost, and wakes them.
//! Waking a cart that has nothing to do does nothing.

use comeback_core::id::{CartId, ShopId};
use comeback_core::time::{MINUTE, Timestamp};
use comeback_wire::calls::{CartAnswer, CartCall};
use serde::Deserialize;
use wasm_bindgen::JsValue;
use worker::{Env, console_error};

use crate::failure::Outcome;
use crate::ledger_queue::number;
use crate::platform::LEDGER;
use crate::{clock, objects};

/// An alarm that is this late is presumed lost.
const GRACE: i64 = 10 * MINUTE;
/// Carts woken in one sweep; the next sweep takes the next ones.
const MOST: u32 = 500;

#[derive(Deserialize)]
struct Late {
    shop: ShopId,
    cart: CartId,
}

/// Runs one sweep. Never fails as a whole.
pub(crate) async fn run(env: &Env) {
    if let Err(failure) = sweep(env).await {
        console_error!("{}", serde_json::json!({ "level": "error", "what": format!("sweep: {failure:?}") }));
    }
}

async fn sweep(env: &Env) -> Outcome<()> {
    let now = clock::now(env).await?;
    let late: Vec<Late> = env
        .d1(LEDGER)?
        .prepare("SELECT shop, cart FROM carts WHERE due IS NOT NULL AND due < ?1 ORDER BY due LIMIT ?2")
        .bind(&[number(now.plus(-GRACE).millis()), number(i64::from(MOST))])?
        .all()
        .await?
        .results()?;
    for Late { shop, cart } in late {
        if let Err(failure) = wake(env, &shop, &cart, now).await {
            console_error!(
                "{}",
                serde_json::json!({ "level": "warn", "what": format!("sweep: {failure:?}") })
            );
        }
    }
    Ok(())
}

async fn wake(env: &Env, shop: &ShopId, cart: &CartId, now: Timestamp) -> Outcome<()> {
    let woken = objects::cart(env, shop, cart, now, &CartCall::Tick).await;
    let due = match &woken {
        Ok(CartAnswer::Done { due, .. }) => due.map_or(JsValue::NULL, |d| number(d.millis())),
        Ok(_) => JsValue::NULL,
        // Behind the others, so that five hundred that fail do not keep the rest waiting for ever.
        Err(_) => number(now.millis()),
    };
    // Whatever it did that left a log entry comes after this by the ledger's queue.
    env.d1(LEDGER)?
        .prepare("UPDATE carts SET due = ?4 WHERE shop = ?1 AND cart = ?2 AND due < ?3")
        .bind(&[shop.as_str().into(), cart.as_str().into(), number(now.millis()), due])?
        .run()
        .await?;
    woken.map(|_| ())
}
