//! `GET /v1/config/{pk}` and `GET /v1/check/{pk}`: on-site rules and copy, and whether lines of a cart are
//! to be had. Cookieless and cacheable: the requests that are lawful before anything was agreed to.

use comeback_wire::{check, onsite};

use crate::failure::{Failure, Outcome};
use crate::http::{Ask, Reply};
use crate::{config, platform, samples};

/// Longest list of lines, as it stands in the address.
const MAX_LINES_TEXT: usize = 8 * 1024;

pub(super) async fn get(ask: &Ask, pk: &str) -> Outcome<Reply> {
    let shop = config::shop_by_pk(&ask.env, pk).await?;
    let policy = config::policy(&ask.env, shop.page_policy()).await?;
    let mut body = onsite::page_config(&shop.document, &policy, ask.text_parameter("lang").as_deref());
    if let Some(locale) = body["shop"]["locale"].as_str()
        && let Some(samples) = samples::of(locale, shop.document.currency.code())
    {
        body["shop"]["samples"] = samples;
    }
    onsite::tell_push_key(&mut body, || config::push_key(&ask.env, &shop.document.shop))?;
    open(&body, "public, max-age=60, stale-while-revalidate=600")
}

pub(super) async fn check(ask: &Ask, pk: &str) -> Outcome<Reply> {
    let shop = config::shop_by_pk(&ask.env, pk).await?;
    let address = ask.header("cf-connecting-ip").map(|ip| format!("{pk}|check|{ip}"));
    if let Some(address) = address
        && !platform::within_limit(&ask.env, &address).await
    {
        return Err(Failure::problem(
            429,
            "/problems/too-many",
            "Too many requests",
            "try again in a minute",
        ));
    }
    let text = ask.text_parameter("lines").filter(|text| text.len() <= MAX_LINES_TEXT).unwrap_or_default();
    let asked = check::parse(&text).map_err(|_| {
        Failure::malformed("lines: expected [[item_id, item_variant, quantity, price_minor], …]")
    })?;
    let catalogue = config::catalogue(&ask.env, &shop.catalogue_version).await?;
    let findings = check::check(&catalogue, &asked);
    let body = serde_json::json!({ "currency": shop.document.currency.code(), "findings": findings });
    open(&body, "public, max-age=15")
}

/// An answer that every page may read, because it is the same for all.
fn open(body: &serde_json::Value, cache: &str) -> Outcome<Reply> {
    let mut reply = Reply::text(200, "application/json", serde_json::to_string(body)?);
    reply.add("cache-control", cache);
    reply.add("access-control-allow-origin", "*");
    Ok(reply)
}
