//! `POST /v1/push/subscriptions`: a browser of the shop's pages may be pushed to, or may not any more.
//!
//! A subscription belongs to the person of its browser. One that is known already keeps its person, and
//! another visitor who names it does not become them: nobody is merged here.

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::id::{PersonId, ShopId, VisitorId};
use comeback_wire::calls::PersonChange;
use comeback_wire::push::{self, MAX_BODY, PushError, Reach, Told, Wish};
use comeback_wire::shop::Shop;

use super::events;
use super::identify::{About, Named};
use crate::cookies::Scope;
use crate::failure::{Failure, Outcome};
use crate::http::{Ask, Reply};
use crate::identity::{self, Identifier};
use crate::{config, cookies};

pub(super) async fn post(ask: &mut Ask) -> Outcome<Reply> {
    let body = ask.body(MAX_BODY)?;
    let told =
        push::parse(&body, reach(ask), ask.now).map_err(|e: PushError| Failure::malformed(e.to_string()))?;
    if let Wish::Yes { point, .. } = &told.wish
        && !comeback_link::is_p256_point(point)
    {
        return Err(Failure::malformed("subscription.keys.p256dh: not a point of P-256"));
    }
    let shop = config::shop_by_pk(&ask.env, &told.pk).await?;
    events::check_origin(ask, &shop)?;
    events::limit(ask, &told.pk).await?;
    if events::is_refused(ask, &shop, told.automated) {
        return answer(false);
    }
    if matches!(told.wish, Wish::No { .. }) {
        no(ask, &shop, &told).await
    } else {
        yes(ask, &shop, told).await
    }
}

/// In a local run pushes may go to this machine, where tests listen.
fn reach(ask: &Ask) -> Reach {
    #[cfg(feature = "dev")]
    if crate::platform::is_local(&ask.env) {
        return Reach::OrThisMachine;
    }
    let _ = ask;
    Reach::Public
}

/// The same whoever has the subscription: a page learns nothing of it.
fn answer(recorded: bool) -> Outcome<Reply> {
    let told = if recorded { "recorded" } else { "not recorded" };
    Reply::json(&serde_json::json!({ "push": told }))
}

async fn yes(ask: &mut Ask, shop: &Shop, told: Told) -> Outcome<Reply> {
    let Wish::Yes { subscription, .. } = told.wish else { return answer(false) };
    let (env, id) = (&ask.env, &shop.document.shop);
    let about = About::find(ask, shop, told.cart, true).await?;
    let cart = about.cart();
    let mut fresh_visitor = None;
    let visitor = match &ask.cookies.visitor {
        Some(visitor) => visitor.clone(),
        None => fresh_visitor.insert(events::make_visitor()?).clone(),
    };
    let (browser, person) = owner(ask, id, &visitor, subscription.endpoint()).await?;
    // The browser asked its owner and the push service gave out the endpoint: more than a page's word, but
    // only of whoever this browser is.
    let source = if browser == person { Source::Person } else { Source::Page };
    let yes = Consent { channel: Channel::Push, granted: true, wording: told.wording, at: ask.now, source };
    let link = |cart| PersonChange::LinkCart { cart };
    // An order placed in this browser must end this cart, whosever subscription it is.
    if let (Some(cart), true) = (&cart, browser != person) {
        identity::apply(env, id, &browser, vec![link(cart.clone())], ask.now).await?;
    }
    let mut changes: Vec<PersonChange> = cart.into_iter().map(link).collect();
    changes.push(PersonChange::Subscribe { subscription, yes });
    let applied = identity::apply(env, id, &person, changes, ask.now).await?;
    // The browser is not named to the cart: a cart whose owner told an address keeps that.
    let visitor = about.is_born().then(|| visitor.clone());
    let named = Named { person: &person, applied, source: Source::Page, visitor, zone: told.zone };
    about.tell(ask, shop, named).await?;
    let mut reply = answer(true)?;
    if let Some(visitor) = fresh_visitor {
        cookies::set_visitor(&mut reply, &visitor, Scope::of(ask, &shop.document));
    }
    about.set_cookie(&mut reply, Scope::of(ask, &shop.document));
    Ok(reply)
}

/// The person of this browser and the person of the subscription, each made if there is none. They are one
/// unless somebody else had the endpoint before.
async fn owner(
    ask: &Ask,
    shop: &ShopId,
    visitor: &VisitorId,
    endpoint: &str,
) -> Outcome<(PersonId, PersonId)> {
    let (env, now) = (&ask.env, ask.now);
    let browser = Identifier::visitor(visitor);
    let browser = match identity::find(env, shop, &browser, now).await? {
        Some(known) => known,
        None => identity::bind(env, shop, &browser, &identity::make_person()?, now).await?,
    };
    let person = identity::bind(env, shop, &Identifier::endpoint(endpoint), &browser, now).await?;
    Ok((browser, person))
}

/// A no counts where this browser and the subscription are one person, as everywhere in pages.
async fn no(ask: &Ask, shop: &Shop, told: &Told) -> Outcome<Reply> {
    let (env, id) = (&ask.env, &shop.document.shop);
    let Some(visitor) = &ask.cookies.visitor else { return answer(false) };
    let endpoint = told.wish.endpoint();
    let browser = identity::find(env, id, &Identifier::visitor(visitor), ask.now).await?;
    let person = identity::find(env, id, &Identifier::endpoint(endpoint), ask.now).await?;
    let Some(person) = person.filter(|person| Some(person) == browser.as_ref()) else {
        return answer(false);
    };
    let no = Consent {
        channel: Channel::Push,
        granted: false,
        wording: told.wording.clone(),
        at: ask.now,
        source: Source::Page,
    };
    let change = vec![PersonChange::Unsubscribe { endpoint: endpoint.to_owned(), no }];
    identity::apply(env, id, &person, change, ask.now).await?;
    answer(true)
}
