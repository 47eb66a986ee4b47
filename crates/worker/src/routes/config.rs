//! `GET /v1/config/{pk}`: on-site rules and copy. Cookieless and cacheable: the one request that is
//! lawful before anything was agreed to.

use crate::config;
use crate::failure::Outcome;
use crate::http::{Ask, Reply};

pub(super) async fn get(ask: &Ask, pk: &str) -> Outcome<Reply> {
    let shop = config::shop_by_pk(&ask.env, pk).await?;
    let d = &shop.document;
    let body = serde_json::json!({
        "shop": { "name": d.name, "currency": d.currency.code(), "locale": d.locale },
        "consent": d.consent,
        "panels": d.panels,
        "exit": d.exit,
    });
    let mut reply = Reply::text(200, "application/json", serde_json::to_string(&body)?);
    reply.add("cache-control", "public, max-age=60, stale-while-revalidate=600");
    reply.add("access-control-allow-origin", "*");
    Ok(reply)
}
