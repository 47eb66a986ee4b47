//! The consumer of `ledger`: writes carts' logs into D1 (a query-side view that can be rebuilt) and
//! into R2 (the append-only archive). Rows are keyed by cart and number and archive objects by
//! their content, so a second delivery changes nothing. Entries hold no personal data. Of a cart that its
//! shopper wanted forgotten the view keeps that, and what comes after it; the archive keeps what it has.

use comeback_core::effect::Happened;
use comeback_core::offer::Learned;
use comeback_core::time::Timestamp;
use comeback_wire::calls::{LedgerCall, ShopCall};
use comeback_wire::jobs::LedgerJob;
use sha2::{Digest, Sha256};
use wasm_bindgen::JsValue;
use worker::{Env, MessageBatch, MessageExt, console_error};

use crate::failure::Outcome;
use crate::objects;
use crate::platform::{ARCHIVE, LEDGER};
use crate::sends_queue::decode;

/// Consumes a batch, message by message.
pub(crate) async fn consume(batch: &MessageBatch<JsValue>, env: &Env) {
    for message in batch.raw_iter() {
        let Ok(job) = decode::<LedgerJob>(&message.body()) else {
            console_error!("{}", serde_json::json!({ "level": "error", "what": "ledger: unreadable job" }));
            message.ack();
            continue;
        };
        match write(env, &job).await {
            Ok(()) => message.ack(),
            Err(failure) => {
                console_error!(
                    "{}",
                    serde_json::json!({ "level": "warn", "what": format!("ledger: {failure:?}") })
                );
                message.retry();
            }
        }
    }
}

async fn write(env: &Env, job: &LedgerJob) -> Outcome<()> {
    let Some(last) = job.entries.last() else { return Ok(()) };
    let mut lines = String::new();
    for numbered in &job.entries {
        lines.push_str(&serde_json::to_string(&serde_json::json!({
            "shop": job.shop, "cart": job.cart, "seq": numbered.seq, "entry": numbered.entry,
        }))?);
        lines.push('\n');
    }
    let digest: String =
        Sha256::digest(lines.as_bytes()).iter().take(12).map(|b| format!("{b:02x}")).collect();
    let day = last.entry.at.to_rfc3339();
    let day = day.split('T').next().unwrap_or("unknown");
    env.bucket(ARCHIVE)?
        .put(format!("ledger/{}/{day}/{}-{}-{digest}.ndjson", job.shop, job.cart, last.seq), lines)
        .execute()
        .await?;

    let db = env.d1(LEDGER)?;
    let mut statements = vec![];
    for numbered in &job.entries {
        let what = serde_json::to_value(&numbered.entry.what)?;
        let kind = what.get("type").and_then(|t| t.as_str()).unwrap_or("unknown").to_owned();
        statements.push(
            // A job that was on its way when its cart was forgotten comes too late.
            db.prepare(
                "INSERT OR IGNORE INTO entries (shop, cart, seq, at, kind, what) SELECT ?1, ?2, ?3, ?4, ?5, ?6 \
                 WHERE NOT EXISTS (SELECT 1 FROM entries WHERE shop = ?1 AND cart = ?2 AND seq > ?3 AND kind = 'forgotten')",
            )
            .bind(
                &[
                    job.shop.as_str().into(),
                    job.cart.as_str().into(),
                    number(i64::try_from(numbered.seq).unwrap_or(i64::MAX)),
                    number(numbered.entry.at.millis()),
                    kind.into(),
                    what.to_string().into(),
                ],
            )?,
        );
    }
    let forgotten = job.entries.iter().rfind(|n| n.entry.what == Happened::Forgotten);
    if let Some(forgotten) = forgotten {
        statements.push(db.prepare("DELETE FROM entries WHERE shop = ?1 AND cart = ?2 AND seq < ?3").bind(
            &[
                job.shop.as_str().into(),
                job.cart.as_str().into(),
                number(i64::try_from(forgotten.seq).unwrap_or(i64::MAX)),
            ],
        )?);
    }
    let phase = serde_json::to_value(job.phase)?;
    statements.push(
        db.prepare(
            "INSERT INTO carts (shop, cart, seq, phase, due, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT (shop, cart) DO UPDATE SET seq = excluded.seq, phase = excluded.phase, due = excluded.due, at = excluded.at \
             WHERE excluded.seq > carts.seq",
        )
        .bind(&[
            job.shop.as_str().into(),
            job.cart.as_str().into(),
            number(i64::try_from(last.seq).unwrap_or(i64::MAX)),
            phase.as_str().unwrap_or("unknown").into(),
            job.due.map_or(JsValue::NULL, |d| number(d.millis())),
            number(last.entry.at.millis()),
        ])?,
    );
    db.batch(statements).await?;
    learn(env, job, last.entry.at).await
}

/// Hands the shop what the log tells of the arms of learners. A failure brings the whole message again,
/// and what was known already changes nothing.
async fn learn(env: &Env, job: &LedgerJob, now: Timestamp) -> Outcome<()> {
    let news: Vec<Learned> = job.entries.iter().filter_map(|n| Learned::from(&n.entry)).collect();
    if !news.is_empty() {
        objects::shop_answer(env, &job.shop, now, &ShopCall::Ledger(LedgerCall::Learn(news))).await?;
    }
    Ok(())
}

/// D1 takes numbers as doubles; ours are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts and milliseconds of our era")]
pub(crate) fn number(value: i64) -> JsValue {
    JsValue::from_f64(value as f64)
}
