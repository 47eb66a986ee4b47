//! The Cloudflare Workers shell: routes, objects, queues, cron. It loads, asks the core, stores,
//! and obeys; it decides nothing. Every way in is in this file.

mod cart_do;
mod clock;
mod config;
mod cookies;
mod dead_queue;
#[cfg(feature = "dev")]
mod dev_do;
mod entropy;
mod failure;
mod identity;
mod ledger_queue;
mod links;
mod objects;
mod orders;
mod person_do;
mod platform;
mod present;
mod providers;
mod routes;
mod sends_queue;
mod shop_do;
mod store;
mod sweep_cron;

use wasm_bindgen::prelude::*;
use worker::{Context, Env, MessageBatch, Request, Response, ScheduleContext, ScheduledEvent, event};

/// HTTP.
#[event(fetch)]
async fn fetch(request: Request, env: Env, ctx: Context) -> worker::Result<Response> {
    Ok(routes::answer(request, env, ctx).await)
}

/// Queues. Bound by hand: the crate's own macro turns one bad message into a panic that takes the
/// whole batch to the dead letters.
#[wasm_bindgen(js_name = queue)]
pub async fn queue(
    batch: worker::worker_sys::MessageBatch,
    env: Env,
    _ctx: JsValue,
) -> Result<JsValue, JsValue> {
    let batch = MessageBatch::<JsValue>::from(batch);
    match batch.queue().as_str() {
        "sends" => sends_queue::consume(&batch, &env).await,
        "ledger" => ledger_queue::consume(&batch, &env).await,
        _ => dead_queue::consume(&batch, &env).await,
    }
    Ok(JsValue::UNDEFINED)
}

/// Cron.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _ctx: ScheduleContext) {
    sweep_cron::run(&env).await;
}
