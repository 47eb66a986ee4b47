//! `/dev/…`, in local runs only: the inbox, the virtual clock, and ways to break things on purpose.

use comeback_core::id::{CartId, ShopId};
use comeback_core::time::{SECOND, Timestamp};
use comeback_page::{INBOX_CSP, InboxMessage, inbox};
use comeback_wire::calls::CartCall;
use serde::Deserialize;
use worker::{Delay, Method, Response};

use super::{Ask, json_response, page_under};
use crate::dev_do::{self, DevCall};
use crate::failure::{Failure, Outcome};
use crate::objects;

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

pub(super) async fn answer(ask: &mut Ask, rest: &[&str]) -> Outcome<Response> {
    match (ask.request.method(), rest) {
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
            json_response(&serde_json::json!({ "messages": messages }))
        }
        (Method::Get, ["clock"]) => {
            json_response(&serde_json::json!({ "now": ask.now.to_rfc3339(), "now_ms": ask.now.millis() }))
        }
        (Method::Post, ["clock"]) => {
            let by: Advance = ask.json(MAX_BODY).await?;
            if !(0..=400 * 86_400).contains(&by.advance_s) {
                return Err(Failure::malformed("advance_s: 0 to 400 days"));
            }
            let woken = advance(ask, ask.now.plus(by.advance_s * SECOND)).await?;
            let now = dev_do::now(&ask.env).await?;
            json_response(&serde_json::json!({ "now": now.to_rfc3339(), "woken": woken }))
        }
        (Method::Post, ["reset"]) => {
            let wanted: Reset = ask.json(MAX_BODY).await?;
            let now = match wanted.now.as_deref() {
                None => crate::clock::platform_now(),
                Some(text) => Timestamp::parse_rfc3339(text)
                    .ok_or_else(|| Failure::malformed("now: expected RFC 3339"))?,
            };
            dev_do::call(&ask.env, &DevCall::Reset).await?;
            dev_do::call(&ask.env, &DevCall::Set { now }).await?;
            json_response(&serde_json::json!({ "now": now.to_rfc3339() }))
        }
        (Method::Post, ["faults"]) => {
            let fault: Fault = ask.json(MAX_BODY).await?;
            dev_do::call(&ask.env, &DevCall::Fault { name: fault.name, on: fault.on }).await?;
            json_response(&serde_json::json!({ "ok": true }))
        }
        (Method::Get, ["faults", name]) => {
            let answer = dev_do::call(&ask.env, &DevCall::IsFaulty { name: (*name).to_owned() }).await?;
            json_response(&serde_json::json!({ "on": answer.faulty }))
        }
        (Method::Get, ["panic"]) => trap(),
        _ => Err(Failure::not_found("no such route")),
    }
}

/// Proves that a panic costs one request.
#[expect(clippy::panic, reason = "this is what the route is for")]
fn trap() -> Outcome<Response> {
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
        Delay::from(std::time::Duration::from_millis(10)).await;
    }
    Ok(())
}
