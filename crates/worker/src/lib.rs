//! The Cloudflare Workers shell: routes, objects, queues, cron. It loads, asks the core, stores,
//! and obeys; it decides nothing. Every way in is in this file.

mod books;
mod cart_do;
mod clock;
mod config;
mod cookies;
mod dead_queue;
#[cfg(feature = "dev")]
mod dev_do;
mod entropy;
mod failure;
mod http;
mod identity;
mod ledger_queue;
mod links;
mod objects;
mod orders;
mod person_do;
mod platform;
mod present;
mod providers;
mod release;
mod routes;
mod samples;
mod sends_queue;
mod shop_do;
mod store;
mod sweep_cron;
mod tasks;

use wasm_bindgen::prelude::*;
use worker::{Env, MessageBatch, ScheduleContext, ScheduledEvent, event};

/// HTTP, and what the waiting of [`tasks`] needs from outside. See entry.js for the other side.
#[wasm_bindgen]
pub struct Edge {
    env: Env,
}

#[wasm_bindgen]
impl Edge {
    /// Made by entry.js, once per instance of the runtime.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(env: Env) -> Self {
        Self { env }
    }

    /// The headers that requests are handed over with, a line each.
    #[must_use]
    pub fn headers() -> String {
        http::header_names()
    }

    /// Most bytes of a body that are handed over.
    #[must_use]
    pub fn most_body(url: &str) -> u32 {
        routes::most_body(url)
    }

    /// Begins a request: lines of its head, its body. The answer is [`http::Reply::into_lines`].
    pub fn fetch(&self, call: u32, head: String, body: Option<Vec<u8>>) {
        let env = self.env.clone();
        tasks::begin(call, async move {
            Ok(routes::answer(call, env, head, body.unwrap_or_default()).await.into_lines())
        });
    }

    /// A promise settled that is waited for by this number.
    pub fn settled(wait: u32, fine: bool, value: JsValue) {
        tasks::settled(wait, if fine { Ok(value) } else { Err(value) });
    }
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
