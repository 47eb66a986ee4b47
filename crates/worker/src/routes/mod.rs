//! The routes: who may ask what. One match over method and path; each handler has a file.

mod admin;
mod cart;
mod config;
#[cfg(feature = "dev")]
mod dev;
mod events;
mod identify;
mod intake;
mod jwks;
mod resume;
mod unsubscribe;

use comeback_core::time::Timestamp;
use worker::{Context, Env, Method, Request, Response};

use crate::failure::{Failure, Outcome};
use crate::{clock, cookies};

/// Longest path that is looked at. Tokens take a few hundred characters.
const MAX_PATH: usize = 4096;

/// One request and all that its handler may need.
pub(crate) struct Ask {
    pub(crate) request: Request,
    pub(crate) env: Env,
    pub(crate) now: Timestamp,
    /// `host[:port]` as the client named it.
    pub(crate) host: String,
    /// The connection is encrypted, so cookies may be `Secure`.
    pub(crate) secure: bool,
    pub(crate) cookies: cookies::Cookies,
}

impl Ask {
    /// A request header.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.request.headers().get(name).ok().flatten()
    }

    /// The body, refused above a size.
    pub(crate) async fn body(&mut self, most: usize) -> Outcome<Vec<u8>> {
        // What is announced too large is not read at all.
        if self.header("content-length").and_then(|l| l.parse::<usize>().ok()).is_some_and(|l| l > most) {
            return Err(Failure::too_large(most));
        }
        let bytes = self.request.bytes().await?;
        if bytes.len() > most {
            return Err(Failure::too_large(most));
        }
        Ok(bytes)
    }

    /// The body as JSON.
    pub(crate) async fn json<T: serde::de::DeserializeOwned>(&mut self, most: usize) -> Outcome<T> {
        let body = self.body(most).await?;
        serde_json::from_slice(&body).map_err(|e| Failure::malformed(comeback_wire::capture::place(&e)))
    }
}

/// Answers a request. Never fails: a failure is an answer.
pub(crate) async fn answer(request: Request, env: Env, _ctx: Context) -> Response {
    route(request, env).await.unwrap_or_else(Failure::into_response)
}

async fn route(request: Request, env: Env) -> Outcome<Response> {
    let url = request.url()?;
    let path = url.path().to_owned();
    if path.len() > MAX_PATH {
        return Err(Failure::problem(414, "/problems/too-long", "The address is too long", ""));
    }
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let cookies = cookies::read(request.headers())?;
    let now = clock::now(&env).await?;
    let method = request.method();
    let mut ask = Ask { secure: url.scheme() == "https", request, env, now, host, cookies };
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match (&method, segments.as_slice()) {
        (Method::Post, ["v1", "events"]) => events::post(&mut ask).await,
        (Method::Post, ["v1", "identify"]) => identify::identify(&mut ask).await,
        (Method::Post, ["v1", "consent"]) => identify::consent(&mut ask).await,
        (Method::Get, ["v1", "cart"]) => cart::get(&ask).await,
        (Method::Put, ["v1", "cart"]) => cart::put(&mut ask).await,
        (Method::Get, ["v1", "config", pk]) => config::get(&ask, pk).await,
        (Method::Get, ["v1", "restore", token]) => resume::restore(&ask, token).await,
        (Method::Post, ["v1", "intake", shop, source]) => intake::post(&mut ask, shop, source).await,
        (Method::Options, ["v1", ..]) => Ok(events::preflight(&ask).await),
        (Method::Get, ["r", token]) => resume::landing(&ask, token).await,
        (Method::Post, ["r", token]) => resume::proceed(&ask, token).await,
        (Method::Get, ["s", code]) => resume::short(&ask, code).await,
        (Method::Get, ["u", token]) => unsubscribe::show(&ask, token).await,
        (Method::Post, ["u", token]) => unsubscribe::act(&mut ask, token).await,
        (Method::Get, [".well-known", "jwks.json"]) => jwks::get(&ask).await,
        (_, ["v1", "admin", rest @ ..]) => admin::answer(&mut ask, rest).await,
        (Method::Get, ["healthz"]) => Ok(Response::ok("ok")?),
        (Method::Get, ["readyz"]) => ready(&ask).await,
        #[cfg(feature = "dev")]
        (_, ["dev", rest @ ..]) if crate::platform::is_local(&ask.env) => dev::answer(&mut ask, rest).await,
        (_, ["v1", "events" | "identify" | "consent" | "cart"])
        | (_, ["v1", "config" | "restore", _])
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
async fn ready(ask: &Ask) -> Outcome<Response> {
    let unready = |what: &str| Failure::problem(503, "/problems/not-ready", "Not ready", what);
    crate::platform::master_key(&ask.env).map_err(|_| unready("the master key is missing or malformed"))?;
    crate::platform::admin_token(&ask.env).map_err(|_| unready("the administrator's token is missing"))?;
    ask.env
        .d1(crate::platform::LEDGER)?
        .prepare("SELECT count(*) FROM carts WHERE due = -1")
        .run()
        .await
        .map_err(|_| unready("the ledger's migrations are not applied"))?;
    Ok(Response::ok("ready")?)
}

/// A page for a person. Pages hold carts and preferences: never cached, never indexed, never framed.
pub(crate) fn html_page(status: u16, html: String) -> Response {
    page_under(status, html, comeback_page::CSP)
}

pub(crate) fn page_under(status: u16, html: String, csp: &str) -> Response {
    let response = Response::builder().with_status(status).fixed(html.into_bytes());
    let headers = response.headers();
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", csp),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex"),
        ("x-content-type-options", "nosniff"),
    ] {
        // Constant headers cannot be refused; a page without one is better than none.
        let _ = headers.set(name, value);
    }
    response
}

/// A JSON answer that no cache may keep.
pub(crate) fn json_response<T: serde::Serialize>(body: &T) -> Outcome<Response> {
    let response = Response::builder().fixed(serde_json::to_vec(body)?);
    response.headers().set("content-type", "application/json")?;
    response.headers().set("cache-control", "no-store")?;
    Ok(response)
}
