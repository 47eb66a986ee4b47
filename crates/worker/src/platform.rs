//! Names of bindings and the few things read from the environment. Secrets are read here and
//! nowhere else, and never printed.

use std::collections::BTreeMap;

use comeback_core::id::ShopId;
use comeback_link::MasterKey;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use worker::Env;

use crate::failure::{Failure, Outcome};
use crate::tasks;

pub(crate) const CART: &str = "CART";
pub(crate) const PERSON: &str = "PERSON";
pub(crate) const SHOP: &str = "SHOP";
#[cfg(feature = "dev")]
pub(crate) const DEV: &str = "DEV";
pub(crate) const SENDS: &str = "SENDS";
pub(crate) const LEDGER_QUEUE: &str = "LEDGER_QUEUE";
pub(crate) const LEDGER: &str = "LEDGER";
pub(crate) const ARCHIVE: &str = "ARCHIVE";
pub(crate) const CONFIG: &str = "CONFIG";
pub(crate) const EVENTS_LIMIT: &str = "EVENTS_LIMIT";

/// A local run: the only place where `/dev` answers.
#[cfg(feature = "dev")]
pub(crate) fn is_local(env: &Env) -> bool {
    env.var("COMEBACK_ENV").is_ok_and(|v| v.to_string() == "local")
}

/// The master key, from which everything signed is derived.
pub(crate) fn master_key(env: &Env) -> Outcome<MasterKey> {
    let text = env
        .secret("COMEBACK_MASTER_KEY")
        .map_err(|_| Failure::internal("COMEBACK_MASTER_KEY is not set"))?
        .to_string();
    // Either alphabet of base64, with or without padding: people paste what `openssl rand` printed.
    let url: String = text
        .trim()
        .trim_end_matches('=')
        .chars()
        .map(|c| match c {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    MasterKey::from_base64url(&url)
        .map_err(|_| Failure::internal("COMEBACK_MASTER_KEY is not 32 bytes of base64"))
}

/// The administrator's token.
pub(crate) fn admin_token(env: &Env) -> Outcome<String> {
    Ok(env
        .secret("COMEBACK_ADMIN_TOKEN")
        .map_err(|_| Failure::internal("COMEBACK_ADMIN_TOKEN is not set"))?
        .to_string())
}

/// A shop's secret for one of its sources, from `SHOP_SECRETS`.
pub(crate) fn shop_secret(env: &Env, shop: &ShopId, name: &str) -> Option<String> {
    let text = env.secret("SHOP_SECRETS").ok()?.to_string();
    let all: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(&text).ok()?;
    all.get(shop.as_str())?.get(name).filter(|s| !s.is_empty()).cloned()
}

#[wasm_bindgen]
extern "C" {
    /// Asks a limiter about several keys at once; whether all of them are within its bounds.
    #[wasm_bindgen(js_namespace = comebackHost)]
    fn limit(limiter: &JsValue, keys: &str) -> Promise;
}

/// Whether these keys, a line each, are within the limit of events. Yes where there is no limiter.
pub(crate) async fn within_limit(env: &Env, keys: &str) -> bool {
    let Ok(limiter) = js_sys::Reflect::get(env, &JsValue::from_str(EVENTS_LIMIT)) else { return true };
    if limiter.is_undefined() {
        return true;
    }
    tasks::wait(&limit(&limiter, keys)).await.map_or(true, |fine| fine != JsValue::FALSE)
}
