//! Resume links. `GET` shows, `POST` continues and counts: a mail scanner that follows every link
//! twice changes nothing.

use comeback_core::cart::Line;
use comeback_page::{Landing, LinkTrouble, landing as landing_page, link_trouble};
use comeback_wire::calls::{CartAnswer, CartCall, PersonChange};
use comeback_wire::cart_view::{CartView, Difference};
use serde::Serialize;

use super::{events, html_page};
use crate::cookies::Scope;
use crate::failure::{Failure, Outcome};
use crate::http::{Ask, Reply};
use crate::links::{self, Disbelief, Resume};
use crate::{config, cookies, identity, objects, present};

#[derive(Serialize)]
struct Restored {
    cart: CartView,
    report: Vec<Difference>,
    offer: Option<String>,
}

pub(super) async fn landing(ask: &Ask, token: &str) -> Outcome<Reply> {
    let resume = believe(ask, token).await?;
    let (view, report, is_look) = shown(ask, &resume).await?;
    let page = landing_page(&Landing {
        brand: present::brand(&resume.shop),
        lines: present::landing_lines(&resume.shop, &view),
        total: present::total(&view),
        changes: present::changes(&view, &report),
        action: format!("/r/{token}"),
        offer: code(&resume).map(|code| match resume.offer_until {
            Some(until) => format!("The code {code}, until {}", present::moment(until)),
            None => format!("The code {code}"),
        }),
        prices_until: resume.prices_until.map(present::moment),
        is_look,
        closed: view.closed,
    });
    Ok(html_page(200, page))
}

pub(super) async fn proceed(ask: &Ask, token: &str) -> Outcome<Reply> {
    let resume = believe(ask, token).await?;
    let id = &resume.shop.document.shop;
    let click = CartCall::Click { key: resume.key.clone() };
    let CartAnswer::Done { person, .. } = objects::cart(&ask.env, id, &resume.cart, ask.now, &click).await?
    else {
        return Err(trouble(ask, LinkTrouble::CartGone).await);
    };
    if let Some(person) = person {
        let proven = vec![PersonChange::Verified { key: resume.key.clone() }];
        identity::apply(&ask.env, id, &person, proven, ask.now).await?;
    }
    let target = match looked_at(ask, &resume).await? {
        // What was only looked at is shown, not put into a cart that its shopper left empty.
        Some(product_page) => product_page,
        None => {
            let cart_page = resume.shop.absolute(&resume.shop.document.cart_url);
            let joint = if cart_page.contains('?') { '&' } else { '?' };
            format!("{cart_page}{joint}comeback_restore={token}")
        }
    };
    let mut reply = Reply::empty(303);
    reply.add("location", &target);
    reply.add("cache-control", "no-store");
    reply.add("referrer-policy", "no-referrer");
    // This browser now holds that cart: an order placed here ends its sequence.
    cookies::set_cart(&mut reply, &resume.cart, Scope::of(ask, &resume.shop.document));
    Ok(reply)
}

pub(super) async fn short(ask: &Ask, code: &str) -> Outcome<Reply> {
    let shop = config::shop_by_host(&ask.env, &ask.host).await?;
    let Some(shop) = shop else { return Err(trouble(ask, LinkTrouble::UnknownShop).await) };
    let Some(token) = links::long_form(&ask.env, &shop.document.shop, code, ask.now).await? else {
        return Err(trouble(ask, LinkTrouble::NotOurs).await);
    };
    let mut reply = Reply::empty(302);
    reply.add("location", &format!("/r/{token}"));
    reply.add("cache-control", "no-store");
    reply.add("referrer-policy", "no-referrer");
    Ok(reply)
}

/// For the SDK: the cart as it is now, and what changed since it was left.
pub(super) async fn restore(ask: &mut Ask, token: &str) -> Outcome<Reply> {
    // The link says which cart, and holding it is all that is asked; the origin only says who may read.
    if ask.header("origin").is_some()
        && let Some(shop) = config::shop_by_host(&ask.env, &ask.host).await?
    {
        events::check_origin(ask, &shop)?;
    }
    let resume = match links::believe_resume(&ask.env, &ask.host, token, ask.now).await? {
        Ok(resume) => resume,
        Err(why) => {
            let (status, detail) = match why {
                Disbelief::Expired => (410, "the link has expired"),
                Disbelief::Revoked => (410, "the link was taken back by the shop"),
                Disbelief::NotOurs => (400, "the link is not one of this shop's"),
            };
            return Err(Failure::problem(status, "/problems/link", "The link cannot be used", detail));
        }
    };
    let (mut view, mut report, is_look) = match shown(ask, &resume).await {
        Err(Failure::Page(..)) => {
            return Err(Failure::problem(
                410,
                "/problems/link",
                "The link cannot be used",
                "the cart is gone",
            ));
        }
        other => other?,
    };
    if is_look {
        // The cart is as empty as its shopper left it.
        view.lines.clear();
        view.retotal();
        report.clear();
    }
    let offer = code(&resume).map(str::to_owned);
    Reply::json(&Restored { cart: view, report, offer })
}

/// What is typed at checkout for the offer of the link, while that holds.
fn code(resume: &Resume) -> Option<&str> {
    let offer = resume.offer.as_deref()?;
    resume.shop.document.offer_codes.get(offer).map(String::as_str)
}

/// The page of the product that a message was about, where nothing is in the cart.
async fn looked_at(ask: &Ask, resume: &Resume) -> Outcome<Option<String>> {
    let (view, _, is_look) = shown(ask, resume).await?;
    let page = view.lines.into_iter().next().filter(|_| is_look).and_then(|l| l.item_url);
    Ok(page.map(|url| resume.shop.absolute(&url)))
}

/// The cart as others may see it, what changed since it was left, and whether it is empty and the lines
/// are what was only looked at.
async fn shown(ask: &Ask, resume: &Resume) -> Outcome<(CartView, Vec<Difference>, bool)> {
    let id = &resume.shop.document.shop;
    let answer = objects::cart(&ask.env, id, &resume.cart, ask.now, &CartCall::View).await?;
    let CartAnswer::View { mut view, lines } = answer else {
        return Err(trouble(ask, LinkTrouble::CartGone).await);
    };
    let catalogue = config::catalogue(&ask.env, &resume.shop.catalogue_version).await?;
    let lines: Vec<Line> = lines;
    let is_look = view.lines.is_empty() && !lines.is_empty();
    let mut report = catalogue.present(resume.shop.document.currency, &mut view, &lines);
    report.extend(resume.ended.clone().map(|offer| Difference::OfferEnded { offer }));
    report.extend(resume.prices_until.map(|until| Difference::PricesHeld { until_ms: until.millis() }));
    Ok((view, report, is_look))
}

async fn believe(ask: &Ask, token: &str) -> Outcome<Resume> {
    match links::believe_resume(&ask.env, &ask.host, token, ask.now).await? {
        Ok(resume) => Ok(resume),
        Err(why) => Err(trouble(ask, trouble_of(why)).await),
    }
}

/// What the bearer of a disbelieved link is shown.
pub(super) fn trouble_of(why: Disbelief) -> LinkTrouble {
    match why {
        Disbelief::Expired => LinkTrouble::Expired,
        Disbelief::Revoked => LinkTrouble::Revoked,
        Disbelief::NotOurs => LinkTrouble::NotOurs,
    }
}

/// A page that explains, and offers the shop if the host has one.
pub(super) async fn trouble(ask: &Ask, why: LinkTrouble) -> Failure {
    let shop = config::shop_by_host(&ask.env, &ask.host).await.ok().flatten();
    let status = match why {
        LinkTrouble::Expired | LinkTrouble::Revoked | LinkTrouble::CartGone => 410,
        LinkTrouble::NotOurs => 400,
        LinkTrouble::UnknownShop => 404,
    };
    Failure::Page(status, link_trouble(shop.as_deref().map(present::brand).as_ref(), why))
}
