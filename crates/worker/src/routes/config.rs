//! `GET /v1/config/{pk}`: on-site rules and copy. Cookieless and cacheable: the one request that is
//! lawful before anything was agreed to.

use worker::Response;

use super::Ask;
use crate::config;
use crate::failure::Outcome;

pub(super) async fn get(ask: &Ask, pk: &str) -> Outcome<Response> {
    let shop = config::shop_by_pk(&ask.env, pk).await?;
    let d = &shop.document;
    let body = serde_json::json!({
        "shop": { "name": d.name, "currency": d.currency.code(), "locale": d.locale },
        "consent": d.consent,
        "panels": d.panels,
        "exit": d.exit,
    });
    let response = Response::builder().fixed(serde_json::to_vec(&body)?);
    let headers = response.headers();
    headers.set("content-type", "application/json")?;
    headers.set("cache-control", "public, max-age=60, stale-while-revalidate=600")?;
    headers.set("access-control-allow-origin", "*")?;
    Ok(response)
}
