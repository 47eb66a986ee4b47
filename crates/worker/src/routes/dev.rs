//! `/dev/…`, in local runs only: the inbox, the virtual clock, and ways to break things on purpose.

use comeback_core::id::{CartId, ShopId};
use comeback_core::time::{SECOND, Timestamp};
use comeback_page::{INBOX_CSP, InboxMessage, inbox};
use comeback_wire::calls::CartCall;
use serde::Deserialize;
use worker::Method;

use super::page_under;
use crate::dev_do::{self, DevCall};
use crate::failure::{Failure, Outcome};
use crate::http::{Ask, Reply};
use crate::{objects, tasks};

const MAX_BODY: usize = 4 * 1024;
/// Objects woken by one move of the clock, as a bound against a runaway.
const MOST_WAKEUPS: usize = 20_000;
/// Waits of 10 ms for sends under way, before the clock goes on without them.
const MOST_WAITS: usize = 300;

#[derive(Deserialize)]
struct Advance {
    advance_s: i64,
}

#[derive(Deserialize)]
struct Reset {
    #[serde(default)]
    now: Option<String>,
}

#[derive(Deserialize)]
struct Fault {
    name: String,
    on: bool,
}

pub(super) async fn answer(ask: &mut Ask, rest: &[&str]) -> Outcome<Reply> {
    match (ask.method.clone(), rest) {
        (Method::Get, ["inbox"]) => {
            let messages = dev_do::call(&ask.env, &DevCall::Inbox).await?.messages;
            let shown: Vec<InboxMessage> = messages
                .into_iter()
                .rev()
                .map(|m| InboxMessage {
                    send_id: m.send_id,
                    channel: m.channel,
                    to: m.to,
                    from: m.from,
                    subject: m.subject,
                    text: m.text,
                    html: m.html,
                    headers: m.headers,
                    at: m.at,
                })
                .collect();
            Ok(page_under(200, inbox(&shown), INBOX_CSP))
        }
        (Method::Get, ["inbox.json"]) => {
            let messages = dev_do::call(&ask.env, &DevCall::Inbox).await?.messages;
            let messages: Vec<_> = messages
                .into_iter()
                .map(|m| {
                    let headers: serde_json::Map<_, _> = m.headers.into_iter().map(|(k, v)| (k, v.into())).collect();
                    serde_json::json!({
                        "send_id": m.send_id, "channel": m.channel, "to": m.to, "from": m.from, "subject": m.subject,
                        "text": m.text, "html": m.html, "headers": headers, "at": m.at, "mime": m.mime,
                    })
                })
                .collect();
            Reply::json(&serde_json::json!({ "messages": messages }))
        }
        (Method::Get, ["clock"]) => {
            Reply::json(&serde_json::json!({ "now": ask.now.to_rfc3339(), "now_ms": ask.now.millis() }))
        }
        (Method::Post, ["clock"]) => {
            let by: Advance = ask.json(MAX_BODY)?;
            if !(0..=400 * 86_400).contains(&by.advance_s) {
                return Err(Failure::malformed("advance_s: 0 to 400 days"));
            }
            let woken = advance(ask, ask.now.plus(by.advance_s * SECOND)).await?;
            let now = dev_do::now(&ask.env).await?;
            Reply::json(&serde_json::json!({ "now": now.to_rfc3339(), "woken": woken }))
        }
        (Method::Post, ["reset"]) => {
            let wanted: Reset = ask.json(MAX_BODY)?;
            let now = match wanted.now.as_deref() {
                None => crate::clock::platform_now(),
                Some(text) => Timestamp::parse_rfc3339(text)
                    .ok_or_else(|| Failure::malformed("now: expected RFC 3339"))?,
            };
            dev_do::call(&ask.env, &DevCall::Reset).await?;
            dev_do::call(&ask.env, &DevCall::Set { now }).await?;
            Reply::json(&serde_json::json!({ "now": now.to_rfc3339() }))
        }
        (Method::Post, ["faults"]) => {
            let fault: Fault = ask.json(MAX_BODY)?;
            dev_do::call(&ask.env, &DevCall::Fault { name: fault.name, on: fault.on }).await?;
            Reply::json(&serde_json::json!({ "ok": true }))
        }
        (Method::Get, ["faults", name]) => {
            let answer = dev_do::call(&ask.env, &DevCall::IsFaulty { name: (*name).to_owned() }).await?;
            Reply::json(&serde_json::json!({ "on": answer.faulty }))
        }
        (Method::Get, ["panic"]) => trap(),
        (Method::Get, ["panic", "later"]) => {
            // In a callback of the worker crate's, not in one of ours.
            ask.env.kv(crate::platform::CONFIG)?.get("nothing").text().await?;
            trap()
        }
        _ => Err(Failure::not_found("no such route")),
    }
}

/// Proves that a panic costs one request.
#[expect(clippy::panic, reason = "this is what the route is for")]
fn trap() -> Outcome<Reply> {
    panic!("on purpose")
}

/// Goes from due time to due time, waking each object at its instant, and lets what it queued
/// settle before going on.
async fn advance(ask: &Ask, target: Timestamp) -> Outcome<usize> {
    let mut woken = 0;
    settle(ask).await?;
    while woken < MOST_WAKEUPS {
        let answer = dev_do::call(&ask.env, &DevCall::Pop { upto: target }).await?;
        let Some(name) = answer.name else { return Ok(woken) };
        let (shop, cart) =
            name.split_once(':').ok_or_else(|| Failure::internal("a due object without a shop"))?;
        let (Ok(shop), Ok(cart)) = (ShopId::parse(shop), CartId::parse(cart)) else {
            return Err(Failure::internal("a due object with a broken name"));
        };
        objects::cart(&ask.env, &shop, &cart, answer.now, &CartCall::Tick).await?;
        woken += 1;
        settle(ask).await?;
    }
    Err(Failure::internal("too many wakeups for one move of the clock"))
}

async fn settle(ask: &Ask) -> Outcome<()> {
    for _ in 0..MOST_WAITS {
        if dev_do::call(&ask.env, &DevCall::UnderWay).await?.names.is_empty() {
            return Ok(());
        }
        tasks::sleep(10).await;
    }
    Ok(())
}
