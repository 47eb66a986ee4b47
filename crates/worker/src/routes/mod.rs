//! The routes: who may ask what. One match over method and path; each handler has a file.

mod admin;
mod admin_policies;
mod cart;
mod config;
#[cfg(feature = "dev")]
mod dev;
mod events;
mod identify;
mod intake;
mod jwks;
mod push;
mod resume;
mod unsubscribe;

use worker::{Env, Method};

use crate::clock;
use crate::failure::{Failure, Outcome};
use crate::http::{Ask, Reply};

/// Most bytes of a body that any route below an address reads: of a larger one nothing is kept.
pub(crate) fn most_body(url: &str) -> u32 {
    let path = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| rest.split_at(at).1));
    match path {
        Some(path) if path.starts_with("/v1/admin/") => 2 * 1024 * 1024,
        Some(path) if path.starts_with("/v1/intake/") => 1024 * 1024,
        _ => 16 * 1024,
    }
}

/// Answers a request. Never fails: a failure is an answer.
pub(crate) async fn answer(call: u32, env: Env, head: String, body: Vec<u8>) -> Reply {
    let now = match clock::now(&env).await {
        Ok(now) => now,
        Err(failure) => return failure.into_reply(),
    };
    let mut ask = match Ask::parse(call, env, now, &head, body) {
        Ok(ask) => ask,
        Err(failure) => return failure.into_reply(),
    };
    let mut reply = route(&mut ask).await.unwrap_or_else(Failure::into_reply);
    if ask.path.starts_with("/v1/") && !reply.has("vary") {
        reply.add("vary", "Origin");
    }
    if let Some(origin) = ask.reader.as_deref().filter(|_| !reply.has("access-control-allow-origin")) {
        reply.add("access-control-allow-origin", origin);
        reply.add("access-control-allow-credentials", "true");
        reply.add("access-control-expose-headers", "etag");
    }
    reply
}

async fn route(ask: &mut Ask) -> Outcome<Reply> {
    let path = ask.path.clone();
    let method = ask.method.clone();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match (&method, segments.as_slice()) {
        (Method::Post, ["v1", "events"]) => events::post(ask).await,
        (Method::Post, ["v1", "identify"]) => identify::identify(ask).await,
        (Method::Post, ["v1", "consent"]) => identify::consent(ask).await,
        (Method::Get, ["v1", "cart"]) => cart::get(ask).await,
        (Method::Put, ["v1", "cart"]) => cart::put(ask).await,
        (Method::Delete, ["v1", "cart"]) => cart::forget(ask).await,
        (Method::Post, ["v1", "push", "subscriptions"]) => push::post(ask).await,
        (Method::Get, ["v1", "config", pk]) => config::get(ask, pk).await,
        (Method::Get, ["v1", "check", pk]) => config::check(ask, pk).await,
        (Method::Get, ["v1", "restore", token]) => resume::restore(ask, token).await,
        (Method::Post, ["v1", "intake", shop, source]) => intake::post(ask, shop, source).await,
        (Method::Options, ["v1", ..]) => Ok(events::preflight(ask)),
        (Method::Get, ["r", token]) => resume::landing(ask, token).await,
        (Method::Post, ["r", token]) => resume::proceed(ask, token).await,
        (Method::Get, ["s", code]) => resume::short(ask, code).await,
        (Method::Get, ["u", token]) => unsubscribe::show(ask, token).await,
        (Method::Post, ["u", token]) => unsubscribe::act(ask, token).await,
        (Method::Get, [".well-known", "jwks.json"]) => jwks::get(ask).await,
        (_, ["v1", "admin", rest @ ..]) => admin::answer(ask, rest).await,
        (Method::Get, ["healthz"]) => Ok(Reply::text(200, "text/plain", "ok".to_owned())),
        (Method::Get, ["readyz"]) => ready(ask).await,
        #[cfg(feature = "dev")]
        (_, ["dev", rest @ ..]) if crate::platform::is_local(&ask.env) => dev::answer(ask, rest).await,
        (_, ["v1", "events" | "identify" | "consent" | "cart"])
        | (_, ["v1", "push", "subscriptions"])
        | (_, ["v1", "config" | "check" | "restore", _])
        | (_, ["v1", "intake", _, _])
        | (_, ["r" | "s" | "u", _]) => Err(Failure::problem(
            405,
            "/problems/method-not-allowed",
            "This method is not answered here",
            format!("{} {}", method.as_ref(), segments.first().copied().unwrap_or_default()),
        )),
        _ => Err(Failure::not_found("no such route")),
    }
}

/// Ready when what a request needs is there: keys, configuration, ledger.
async fn ready(ask: &Ask) -> Outcome<Reply> {
    let unready = |what: &str| Failure::problem(503, "/problems/not-ready", "Not ready", what);
    crate::platform::master_key(&ask.env).map_err(|_| unready("the master key is missing or malformed"))?;
    crate::platform::admin_token(&ask.env).map_err(|_| unready("the administrator's token is missing"))?;
    ask.env
        .d1(crate::platform::LEDGER)?
        .prepare("SELECT count(*) FROM carts WHERE due = -1")
        .run()
        .await
        .map_err(|_| unready("the ledger's migrations are not applied"))?;
    Ok(Reply::text(200, "text/plain", "ready".to_owned()))
}

/// A page for a person. Pages hold carts and preferences: never cached, never indexed, never framed.
pub(crate) fn html_page(status: u16, html: String) -> Reply {
    page_under(status, html, comeback_page::CSP)
}

pub(crate) fn page_under(status: u16, html: String, csp: &str) -> Reply {
    let mut reply = Reply::text(status, "text/html; charset=utf-8", html);
    for (name, value) in [
        ("content-security-policy", csp),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex"),
        ("x-content-type-options", "nosniff"),
    ] {
        reply.add(name, value);
    }
    reply
}
