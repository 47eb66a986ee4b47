//! `POST /v1/events`: a capture batch. One call of one object if the shopper has a cart, none if
//! not. Anyone can post here, so the origin is checked, the rate is limited and nothing that a page
//! says about titles, prices or identity is believed for others.

use std::collections::BTreeMap;

use comeback_core::cart::Cart;
use comeback_core::experiment;
use comeback_core::id::{CartId, PersonId, ShopId, VisitorId};
use comeback_core::money::Currency;
use comeback_core::person::Order;
use comeback_core::recovery::Phase;
use comeback_core::signal::{SessionFacts, Signal, SignalKind};
use comeback_wire::calls::{CartAnswer, CartCall, PersonChange, ScoreView, Session};
use comeback_wire::capture::{Batch, CaptureError, MAX_BODY};
use comeback_wire::shop::{Automation, Shop};
use serde::Serialize;

use crate::cart_do::score_view;
use crate::cookies::Scope;
use crate::failure::{Failure, Outcome};
use crate::http::{Ask, Reply};
use crate::identity::{self, Identifier};
use crate::orders::{self, Placed};
use crate::{config, cookies, entropy, objects, platform};

#[derive(Serialize)]
struct Told {
    cart: Option<CartReply>,
    bucket: Option<u16>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    arms: BTreeMap<String, String>,
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    sequence: bool,
}

pub(super) async fn post(ask: &mut Ask) -> Outcome<Reply> {
    let body = ask.body(MAX_BODY)?;
    let batch = Batch::parse(&body, ask.now).map_err(|e| match e {
        CaptureError::TooLarge => Failure::too_large(MAX_BODY),
        other => Failure::malformed(other.to_string()),
    })?;
    let shop = config::shop_by_pk(&ask.env, &batch.pk).await?;
    check_origin(ask, &shop)?;
    limit(ask, &batch.pk).await?;

    let automated = is_refused(ask, &shop, batch.automated);
    if !batch.storage {
        // No agreement to storage, or one that was withdrawn: nothing is kept, and what was is let go.
        let mut reply = Reply::json(&stateless(&batch, shop.document.currency, automated))?;
        cookies::clear(&mut reply, &ask.cookies, Scope::of(ask, &shop.document));
        return Ok(reply);
    }
    let visitor = match &ask.cookies.visitor {
        Some(visitor) => visitor.clone(),
        None => make_visitor()?,
    };
    let cart = match batch.cart.clone().or_else(|| ask.cookies.cart.clone()) {
        Some(cart) => Some(cart),
        None if batch.bears_cart() => Some(make_cart()?),
        None => None,
    };
    let orders = reported(&batch);
    let reply = match cart {
        Some(cart) => with_cart(ask, &shop, batch, &cart, &visitor, automated, &orders).await?,
        None => {
            note_orders(ask, &shop, None, None, &orders).await?;
            stateless(&batch, shop.document.currency, automated)
        }
    };
    let mut response = Reply::json(&reply)?;
    if ask.cookies.visitor.as_ref() != Some(&visitor) {
        cookies::set_visitor(&mut response, &visitor, Scope::of(ask, &shop.document));
    }
    match &reply.cart {
        Some(cart) if cart.closed => cookies::clear_cart(&mut response, Scope::of(ask, &shop.document)),
        Some(cart) if ask.cookies.cart.as_ref() != Some(&cart.id) => {
            cookies::set_cart(&mut response, &cart.id, Scope::of(ask, &shop.document));
        }
        _ => {}
    }
    Ok(response)
}

/// A visit without a cart: scored here, kept nowhere.
fn stateless(batch: &Batch, currency: Currency, automated: bool) -> Told {
    let mut facts = SessionFacts { mobile: batch.mobile, ..SessionFacts::default() };
    for signal in &batch.signals {
        facts.observe(&signal.kind);
    }
    let empty = Cart::new(currency);
    Told {
        cart: None,
        bucket: None,
        arms: BTreeMap::new(),
        score: score_view(&facts, &empty),
        panel: panel(automated, false),
        ignored: batch.ignored,
    }
}

async fn with_cart(
    ask: &Ask,
    shop: &Shop,
    mut batch: Batch,
    cart: &CartId,
    visitor: &VisitorId,
    automated: bool,
    orders: &[String],
) -> Outcome<Told> {
    let id = &shop.document.shop;
    let env = &ask.env;
    let person = person_of_new(ask, id, cart).await?;
    let is_new = ask.cookies.cart.as_ref() != Some(cart);
    let session = Session {
        visitor: Some(visitor.clone()),
        zone: batch.zone.clone(),
        mobile: batch.mobile,
        automated,
        place: is_new.then(|| ask.place()),
        home: is_new.then_some(shop.document.currency),
    };
    // A purchase bears its cart as well: closed, so that what arrives after it finds it so.
    let bought = (!orders.is_empty()).then_some(shop.document.currency);
    let currency = batch.bears_cart().then(|| batch.currency()).flatten().or(bought);
    if let Some(classes) = config::classes(env, shop).await {
        classes.mark(&mut batch.signals);
    }
    // For the case that there is no such cart, scored before the batch is given away.
    let without = stateless(&batch, shop.document.currency, automated);
    let known = match &person {
        Some(person) => {
            let link = vec![PersonChange::LinkCart { cart: cart.clone() }];
            Some(identity::apply(env, id, person, link, ask.now).await?)
        }
        None => None,
    };
    let (profile, assignments) = known.map(|k| (k.profile, k.assignments)).unzip();
    let capture = CartCall::Capture {
        shop: id.clone(),
        cart: cart.clone(),
        currency,
        signals: batch.signals,
        session: Some(session),
        person: person.clone(),
        profile,
        assignments: assignments.unwrap_or_default(),
    };
    let answer = objects::cart(env, id, cart, ask.now, &capture).await?;
    let CartAnswer::Done { mut version, mut phase, person: mut linked, score, mut page, born, .. } = answer
    else {
        // The page names a cart that is not (retention, another shop): it will begin a new one.
        note_orders(ask, shop, None, None, orders).await?;
        return Ok(without);
    };
    if born
        && linked == person
        && let Some(again) = ask_again(ask, id, cart, visitor, person).await?
        && let CartAnswer::Done { version: v, phase: p, person, page: seen, .. } = again
    {
        (version, phase, linked, page) = (v, p, person, seen);
    }
    if let Some(standing) = note_orders(ask, shop, Some(cart), linked.as_ref(), orders).await? {
        (version, phase) = standing;
    }
    let unit = linked.as_ref().map_or(visitor.as_str(), PersonId::as_str);
    Ok(Told {
        cart: Some(CartReply { id: cart.clone(), version, closed: phase.is_closed() }),
        bucket: Some(experiment::page_bucket(id.as_str(), unit)),
        arms: page.arms,
        score: score.unwrap_or(without.score),
        panel: PanelReply { sequence: page.in_sequence, ..panel(automated, phase.is_ordered()) },
        ignored: without.ignored,
    })
}

/// A cart that this browser did not have before: if a contact came ahead of it, or its visitor is
/// known, so is its person. Asked once per cart, not per batch, and not for a visitor made just now.
async fn person_of_new(ask: &Ask, shop: &ShopId, cart: &CartId) -> Outcome<Option<PersonId>> {
    let Some(visitor) = ask.cookies.visitor.as_ref().filter(|_| ask.cookies.cart.as_ref() != Some(cart))
    else {
        return Ok(None);
    };
    if let Some(person) = identity::find(&ask.env, shop, &Identifier::cart(cart), ask.now).await? {
        return Ok(Some(person));
    }
    identity::find(&ask.env, shop, &Identifier::visitor(visitor), ask.now).await
}

/// Whose a cart is, asked once more when it was born by a batch that took it for `given`'s: a contact may
/// have come between the first question and the birth, too late for the one and too early to find the cart.
/// They know better than the browser; the cart itself sees to it that nobody else is replaced.
async fn ask_again(
    ask: &Ask,
    shop: &ShopId,
    cart: &CartId,
    visitor: &VisitorId,
    given: Option<PersonId>,
) -> Outcome<Option<CartAnswer>> {
    let behind = identity::find(&ask.env, shop, &Identifier::cart(cart), ask.now).await?;
    let Some(person) = behind.filter(|p| Some(p) != given.as_ref()) else { return Ok(None) };
    let link = vec![PersonChange::LinkCart { cart: cart.clone() }];
    let known = identity::apply(&ask.env, shop, &person, link, ask.now).await?;
    let relink = CartCall::Relink {
        person,
        instead_of: given,
        visitor: visitor.clone(),
        profile: Some(known.profile),
        assignments: known.assignments,
    };
    Ok(Some(objects::cart(&ask.env, shop, cart, ask.now, &relink).await?))
}

/// The order numbers that a batch reports.
fn reported(batch: &Batch) -> Vec<String> {
    let order = |s: &Signal| match &s.kind {
        SignalKind::Purchase { order } => Some(order.clone()),
        _ => None,
    };
    batch.signals.iter().filter_map(order).collect()
}

/// Spreads what a page says it bought; how the cart stands afterwards. Dated by its arrival: a wrong
/// clock in the page must not let a message out after the order was acknowledged.
async fn note_orders(
    ask: &Ask,
    shop: &Shop,
    cart: Option<&CartId>,
    person: Option<&PersonId>,
    orders: &[String],
) -> Outcome<Option<(u64, Phase)>> {
    if orders.is_empty() {
        return Ok(None);
    }
    let id = &shop.document.shop;
    let browser: Vec<Identifier> = ask.cookies.visitor.iter().map(Identifier::visitor).collect();
    let mut persons = identity::find_all(&ask.env, id, &browser, ask.now).await?;
    persons.extend(person.cloned());
    let mut standing = None;
    for order in orders {
        let order =
            Order { id: order.clone(), at: ask.now, total_minor: None, cancelled: false, currency: None };
        let paid = shop.document.trust_page_orders;
        let placed = Placed { order, paid, own: cart.cloned(), persons: persons.clone(), near: vec![] };
        standing = orders::spread(&ask.env, id, &placed, ask.now).await?.or(standing);
    }
    Ok(standing)
}

fn panel(automated: bool, ordered: bool) -> PanelReply {
    match (automated, ordered) {
        (true, _) => PanelReply { allowed: false, why: "automated", sequence: false },
        (_, true) => PanelReply { allowed: false, why: "ordered", sequence: false },
        _ => PanelReply { allowed: true, why: "open", sequence: false },
    }
}

pub(super) fn make_visitor() -> Outcome<VisitorId> {
    VisitorId::parse(&format!("vis_{}", entropy::make_tail()?)).map_err(|e| Failure::internal(e.to_string()))
}

pub(super) fn make_cart() -> Outcome<CartId> {
    CartId::parse(&format!("cart_{}", entropy::make_tail()?)).map_err(|e| Failure::internal(e.to_string()))
}

/// A page of the shop, or nobody. Browsers always name the origin of a POST. From here on the page
/// may read the answer, whatever it is.
pub(super) fn check_origin(ask: &mut Ask, shop: &Shop) -> Outcome<()> {
    match ask.header("origin") {
        Some(origin) if shop.allows_origin(origin) => {
            let own = origin.split_once("://").is_some_and(|(_, host)| host == ask.host);
            ask.reader = (!own).then(|| origin.to_owned());
            Ok(())
        }
        Some(_) => Err(Failure::forbidden("this origin is not one of the shop's; add it to `origins`")),
        None => Err(Failure::forbidden("an Origin header is needed; servers use signed requests")),
    }
}

/// Preflights name no shop, so they are answered for any origin; the request itself is checked.
pub(super) fn preflight(ask: &Ask) -> Reply {
    let mut reply = Reply::empty(204);
    if let Some(origin) = ask.header("origin") {
        for (name, value) in [
            ("access-control-allow-origin", origin),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "GET, POST, PUT, DELETE"),
            ("access-control-allow-headers", "content-type, if-match"),
            ("access-control-max-age", "86400"),
            ("vary", "Origin"),
        ] {
            reply.add(name, value);
        }
    }
    reply
}

/// Rate limit by address and, apart from it, by visitor: a client that changes its cookie with every
/// request still has one address. Where the limiter is out of order, events are let in: losing a
/// shopper's cart is worse than a burst.
pub(super) async fn limit(ask: &Ask, pk: &str) -> Outcome<()> {
    let address = ask.header("cf-connecting-ip").map(|ip| format!("{pk}|ip|{ip}"));
    let visitor = ask.cookies.visitor.as_ref().map(|v| format!("{pk}|{v}"));
    let keys: Vec<String> = address.into_iter().chain(visitor).collect();
    if keys.is_empty() || platform::within_limit(&ask.env, &keys.join("\n")).await {
        return Ok(());
    }
    Err(Failure::problem(429, "/problems/too-many", "Too many requests", "try again in a minute"))
}

/// Whether this is a program that the shop wants nothing to do with.
pub(super) fn is_refused(ask: &Ask, shop: &Shop, says_so: bool) -> bool {
    shop.document.automation == Automation::Refuse && (says_so || looks_automated(ask))
}

/// Crawlers say so. This only spares effort: what matters is that a bot has no consent.
fn looks_automated(ask: &Ask) -> bool {
    let agent = ask.header("user-agent").unwrap_or_default().to_ascii_lowercase();
    // A word that ends in it, as in Googlebot/2.1; a maker of phones is called Cubot.
    let bot = agent
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word.ends_with("bot") && word != "cubot");
    bot || ["crawl", "spider", "slurp", "headless", "preview", "fetch/", "curl/", "python-", "wget/"]
        .iter()
        .any(|word| agent.contains(word))
}
