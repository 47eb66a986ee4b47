//! `POST /v1/events`: a capture batch. One call of one object if the shopper has a cart, none if
//! not. Anyone can post here, so the origin is checked, the rate is limited and nothing that a page
//! says about titles, prices or identity is believed for others.

use comeback_core::cart::Cart;
use comeback_core::experiment;
use comeback_core::id::{CartId, PersonId, VisitorId};
use comeback_core::money::Currency;
use comeback_core::person::Order;
use comeback_core::recovery::CartOrder;
use comeback_core::signal::{SessionFacts, SignalKind};
use comeback_wire::calls::{CartAnswer, CartCall, PersonChange, ScoreView, Session};
use comeback_wire::capture::{Batch, CaptureError, MAX_BODY};
use comeback_wire::shop::{Automation, Shop};
use serde::Serialize;
use worker::Response;

use super::{Ask, json_response};
use crate::cart_do::score_view;
use crate::failure::{Failure, Outcome};
use crate::identity::{self, Identifier};
use crate::{config, cookies, entropy, objects, platform};

#[derive(Serialize)]
struct Reply {
    cart: Option<CartReply>,
    bucket: Option<u16>,
    score: ScoreView,
    panel: PanelReply,
    ignored: u32,
}

#[derive(Serialize)]
struct CartReply {
    id: CartId,
    version: u64,
    closed: bool,
}

#[derive(Serialize)]
struct PanelReply {
    allowed: bool,
    why: &'static str,
}

pub(super) async fn post(ask: &mut Ask) -> Outcome<Response> {
    let body = ask.body(MAX_BODY).await?;
    let batch = Batch::parse(&body, ask.now).map_err(|e| match e {
        CaptureError::TooLarge => Failure::too_large(MAX_BODY),
        other => Failure::malformed(other.to_string()),
    })?;
    let shop = config::shop_by_pk(&ask.env, &batch.pk).await?;
    let origin = check_origin(ask, &shop)?;
    limit(ask, &batch.pk).await?;

    let automated =
        shop.document.automation == Automation::Refuse && (batch.automated || looks_automated(ask));
    let visitor = match (&ask.cookies.visitor, batch.storage) {
        (Some(visitor), _) => Some(visitor.clone()),
        (None, true) => Some(make_visitor()?),
        (None, false) => None,
    };
    let cart = match batch.cart.clone().or_else(|| ask.cookies.cart.clone()) {
        Some(cart) => Some(cart),
        None if batch.bears_cart() => Some(make_cart()?),
        None => None,
    };
    let reply = match cart {
        Some(cart) => with_cart(ask, &shop, batch, &cart, visitor.as_ref(), automated).await?,
        None => stateless(&batch, shop.document.currency, automated),
    };
    let response = json_response(&reply)?;
    if let Some(visitor) = visitor {
        if ask.cookies.visitor.as_ref() != Some(&visitor) {
            cookies::set_visitor(response.headers(), &visitor, ask.secure)?;
        }
        match &reply.cart {
            Some(cart) if cart.closed => cookies::clear_cart(response.headers(), ask.secure)?,
            Some(cart) if ask.cookies.cart.as_ref() != Some(&cart.id) => {
                cookies::set_cart(response.headers(), &cart.id, ask.secure)?;
            }
            _ => {}
        }
    }
    allow_origin(&response, ask, origin.as_deref())?;
    Ok(response)
}

/// A visit without a cart: scored here, kept nowhere.
fn stateless(batch: &Batch, currency: Currency, automated: bool) -> Reply {
    let mut facts = SessionFacts { mobile: batch.mobile, ..SessionFacts::default() };
    for signal in &batch.signals {
        facts.observe(&signal.kind);
    }
    let empty = Cart::new(currency);
    Reply {
        cart: None,
        bucket: None,
        score: score_view(&facts, &empty),
        panel: panel(automated, false),
        ignored: batch.ignored,
    }
}

async fn with_cart(
    ask: &Ask,
    shop: &Shop,
    batch: Batch,
    cart: &CartId,
    visitor: Option<&VisitorId>,
    automated: bool,
) -> Outcome<Reply> {
    let id = &shop.document.shop;
    let env = &ask.env;
    // A cart that this browser did not have before: if its visitor is known, so is its person.
    // Asked once per cart, not per batch.
    let is_new_here = ask.cookies.cart.as_ref() != Some(cart);
    let mut person = None;
    if is_new_here && let Some(visitor) = visitor {
        person = identity::find(env, id, &Identifier::visitor(visitor), ask.now).await?;
    }
    let orders: Vec<(String, comeback_core::time::Timestamp)> = batch
        .signals
        .iter()
        .filter_map(|s| match &s.kind {
            SignalKind::Purchase { order } => Some((order.clone(), s.at)),
            _ => None,
        })
        .collect();
    let others = note_orders(ask, shop, visitor, &orders).await?;

    let session = Session { zone: batch.zone.clone(), mobile: batch.mobile, automated };
    let currency = batch.bears_cart().then(|| batch.currency()).flatten();
    let ignored = batch.ignored;
    let mut facts = SessionFacts { mobile: batch.mobile, ..SessionFacts::default() };
    for signal in &batch.signals {
        facts.observe(&signal.kind);
    }
    let capture = CartCall::Capture {
        shop: id.clone(),
        cart: cart.clone(),
        currency,
        signals: batch.signals,
        session: Some(session),
        person: person.clone(),
    };
    let answer = objects::cart(env, id, cart, ask.now, &capture).await?;
    let CartAnswer::Done { mut version, mut phase, person: linked, score } = answer else {
        // The page names a cart that is not (retention, another shop): it will begin a new one.
        let empty = Cart::new(shop.document.currency);
        return Ok(Reply {
            cart: None,
            bucket: None,
            score: score_view(&facts, &empty),
            panel: panel(automated, false),
            ignored,
        });
    };
    if is_new_here && let Some(person) = &person {
        let link = vec![PersonChange::LinkCart { cart: cart.clone() }];
        identity::apply(env, id, person, link, ask.now).await?;
    }
    // The order itself, after the person knows of it: on this cart and on all others of the person.
    let page_is_trusted = shop.document.trust_page_orders;
    for (order, at) in &orders {
        let order = CartOrder { id: order.clone(), at: *at, paid: page_is_trusted };
        for other in others.iter().filter(|c| *c != cart) {
            let order = CartOrder { paid: false, ..order.clone() };
            objects::cart(env, id, other, ask.now, &CartCall::Order { order, own: false }).await?;
        }
        if let CartAnswer::Done { version: v, phase: p, .. } =
            objects::cart(env, id, cart, ask.now, &CartCall::Order { order, own: true }).await?
        {
            (version, phase) = (v, p);
        }
        if let Some(person) = linked.as_ref().or(person.as_ref()) {
            tell_person(ask, shop, person, &orders).await?;
        }
    }
    let unit = linked.as_ref().map(PersonId::as_str).or(visitor.map(VisitorId::as_str));
    Ok(Reply {
        cart: Some(CartReply { id: cart.clone(), version, closed: phase.is_closed() }),
        bucket: unit.map(|u| experiment::bucket(id.as_str(), "page", u)),
        score: score.unwrap_or_else(|| score_view(&facts, &Cart::new(shop.document.currency))),
        panel: panel(automated, phase.is_closed()),
        ignored,
    })
}

/// Orders are written to the person behind this browser before anything else happens with them;
/// returns that person's carts.
async fn note_orders(
    ask: &Ask,
    shop: &Shop,
    visitor: Option<&VisitorId>,
    orders: &[(String, comeback_core::time::Timestamp)],
) -> Outcome<Vec<CartId>> {
    let (false, Some(visitor)) = (orders.is_empty(), visitor) else { return Ok(vec![]) };
    let id = &shop.document.shop;
    let Some(person) = identity::find(&ask.env, id, &Identifier::visitor(visitor), ask.now).await? else {
        return Ok(vec![]);
    };
    tell_person(ask, shop, &person, orders).await
}

async fn tell_person(
    ask: &Ask,
    shop: &Shop,
    person: &PersonId,
    orders: &[(String, comeback_core::time::Timestamp)],
) -> Outcome<Vec<CartId>> {
    let changes = orders
        .iter()
        .map(|(order, at)| {
            PersonChange::Order(Order { id: order.clone(), at: *at, total_minor: None, cancelled: false })
        })
        .collect();
    let (carts, _) = identity::apply(&ask.env, &shop.document.shop, person, changes, ask.now).await?;
    Ok(carts)
}

fn panel(automated: bool, closed: bool) -> PanelReply {
    match (automated, closed) {
        (true, _) => PanelReply { allowed: false, why: "automated" },
        (_, true) => PanelReply { allowed: false, why: "ordered" },
        _ => PanelReply { allowed: true, why: "open" },
    }
}

fn make_visitor() -> Outcome<VisitorId> {
    VisitorId::parse(&format!("vis_{}", entropy::make_tail()?)).map_err(|e| Failure::internal(e.to_string()))
}

fn make_cart() -> Outcome<CartId> {
    CartId::parse(&format!("cart_{}", entropy::make_tail()?)).map_err(|e| Failure::internal(e.to_string()))
}

/// A page of the shop, or nobody. Browsers always name the origin of a POST.
pub(super) fn check_origin(ask: &Ask, shop: &Shop) -> Outcome<Option<String>> {
    match ask.header("origin") {
        Some(origin) if shop.allows_origin(&origin) => Ok(Some(origin)),
        Some(_) => Err(Failure::forbidden("this origin is not one of the shop's; add it to `origins`")),
        None => Err(Failure::forbidden("an Origin header is needed; servers use signed requests")),
    }
}

/// Lets a page of another origin of the shop read the answer.
pub(super) fn allow_origin(response: &Response, ask: &Ask, origin: Option<&str>) -> Outcome<()> {
    response.headers().append("vary", "Origin")?;
    let Some(origin) = origin else { return Ok(()) };
    let own = origin.split_once("://").is_some_and(|(_, host)| host == ask.host);
    if !own {
        response.headers().set("access-control-allow-origin", origin)?;
        response.headers().set("access-control-allow-credentials", "true")?;
    }
    Ok(())
}

/// Preflights name no shop, so they are answered for any origin; the request itself is checked.
pub(super) async fn preflight(ask: &Ask) -> Response {
    let response = Response::builder().with_status(204).empty();
    let headers = response.headers();
    if let Some(origin) = ask.header("origin") {
        for (name, value) in [
            ("access-control-allow-origin", origin.as_str()),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "GET, POST, PUT"),
            ("access-control-allow-headers", "content-type, if-match"),
            ("access-control-max-age", "86400"),
            ("vary", "Origin"),
        ] {
            let _ = headers.set(name, value);
        }
    }
    response
}

/// Rate limit by address and visitor. Where the limiter is out of order, events are let in: losing
/// a shopper's cart is worse than a burst.
pub(super) async fn limit(ask: &Ask, pk: &str) -> Outcome<()> {
    let address = ask.header("cf-connecting-ip").unwrap_or_default();
    let visitor = ask.cookies.visitor.as_ref().map_or("", VisitorId::as_str);
    let Ok(limiter) = ask.env.rate_limiter(platform::EVENTS_LIMIT) else { return Ok(()) };
    let Ok(outcome) = limiter.limit(format!("{pk}|{address}|{visitor}")).await else { return Ok(()) };
    if outcome.success {
        return Ok(());
    }
    Err(Failure::problem(429, "/problems/too-many", "Too many requests", "try again in a minute"))
}

/// Crawlers say so. This only spares effort: what matters is that a bot has no consent.
fn looks_automated(ask: &Ask) -> bool {
    let agent = ask.header("user-agent").unwrap_or_default().to_ascii_lowercase();
    ["bot", "crawl", "spider", "slurp", "headless", "preview", "fetch/", "curl/", "python-", "wget/"]
        .iter()
        .any(|word| agent.contains(word))
}
