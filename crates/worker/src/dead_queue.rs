//! The consumer of the dead-letter queues: notes every dead letter in the ledger, loudly. Nothing
//! is lost with a dead send: it is still pending in its cart and is offered again.

use wasm_bindgen::JsValue;
use worker::{Env, MessageBatch, MessageExt, console_error};

use crate::clock;
use crate::failure::Outcome;
use crate::ledger_queue::number;
use crate::platform::LEDGER;

/// Consumes a batch, message by message.
pub(crate) async fn consume(batch: &MessageBatch<JsValue>, env: &Env) {
    let queue = batch.queue();
    for message in batch.raw_iter() {
        console_error!("{}", serde_json::json!({ "level": "error", "what": "dead letter", "queue": queue }));
        match note(env, &queue, &message.id(), &message.body()).await {
            Ok(()) => message.ack(),
            Err(failure) => {
                console_error!(
                    "{}",
                    serde_json::json!({ "level": "error", "what": format!("dead letter: {failure:?}") })
                );
                message.retry();
            }
        }
    }
}

async fn note(env: &Env, queue: &str, id: &str, body: &JsValue) -> Outcome<()> {
    let now = clock::now(env).await?;
    let body = String::from(js_sys::JSON::stringify(body)?);
    env.d1(LEDGER)?
        .prepare("INSERT OR IGNORE INTO dead_letters (queue, id, at, body) VALUES (?1, ?2, ?3, ?4)")
        .bind(&[queue.into(), id.into(), number(now.millis()), body.into()])?
        .run()
        .await?;
    Ok(())
}
