//! `/u/{token}`: preferences and unsubscribing. `GET` only shows; `POST` acts, also for the one-click
//! request that mail programs send (RFC 8058).

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::person::Person;
use comeback_core::time::DAY;
use comeback_page::{Done, Preferences, done, preferences};
use comeback_wire::calls::{CartCall, PersonAnswer, PersonCall, PersonChange};

use super::html_page;
use super::resume::{trouble, trouble_of};
use crate::failure::{Failure, Outcome};
use crate::http::{Ask, Reply};
use crate::links::{self, Unsubscribe};
use crate::person_do::channel_named;
use crate::{identity, objects, present};

/// Largest form.
const MAX_BODY: usize = 1024;

pub(super) async fn show(ask: &Ask, token: &str) -> Outcome<Reply> {
    let link = believe(ask, token).await?;
    let channel = channel(&link)?;
    let person = person(ask, &link).await?;
    let page = preferences(&Preferences {
        brand: present::brand(&link.shop),
        action: format!("/u/{token}"),
        channel: link.channel.clone(),
        masked_address: person.as_ref().and_then(|p| p.contact(channel)).map(|c| mask(&c.address)),
        why: format!("You left a cart at {} and agreed to be reminded of it.", link.shop.document.name),
        opted_out: person.as_ref().is_some_and(|p| p.opt_outs.iter().any(|(c, _)| *c == channel)),
        opted_out_of_all: person.as_ref().is_some_and(|p| p.opted_out_of_all.is_some()),
        paused_until: person
            .as_ref()
            .and_then(|p| p.paused_until)
            .filter(|t| *t > ask.now)
            .map(|t| t.to_rfc3339().split('T').next().unwrap_or_default().to_owned()),
    });
    Ok(html_page(200, page))
}

pub(super) async fn act(ask: &mut Ask, token: &str) -> Outcome<Reply> {
    let body = ask.body(MAX_BODY)?;
    let link = believe(ask, token).await?;
    let channel = channel(&link)?;
    // Our own forms say what they want. Everything else is a mail program's one-click request, in
    // either encoding of RFC 8058, or something broken; the kind reading of both is to stop.
    let form = String::from_utf8_lossy(&body);
    let wanted = form
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(name, value)| (name == "do").then_some(value))
        .unwrap_or("unsubscribe");
    let (changes, title, text) = match wanted {
        "unsubscribe" => (
            vec![PersonChange::OptOut { channel: Some(channel) }],
            "You are unsubscribed",
            format!("We will not remind you of carts by {} any more.", spoken(channel)),
        ),
        "unsubscribe_all" => (
            vec![PersonChange::OptOut { channel: None }],
            "You are unsubscribed from everything",
            "We will not remind you of carts any more, on any channel.".to_owned(),
        ),
        "pause_30d" => (
            vec![PersonChange::Pause { until: ask.now.plus(30 * DAY) }],
            "Reminders are paused",
            "You will hear nothing from us for 30 days.".to_owned(),
        ),
        "resubscribe" => (
            vec![PersonChange::Consent(Consent {
                channel,
                granted: true,
                wording: "preferences page".to_owned(),
                at: ask.now,
                source: Source::Person,
            })],
            "Welcome back",
            format!("We may remind you of carts by {} again.", spoken(channel)),
        ),
        _ => return Err(Failure::malformed("do: unsubscribe, unsubscribe_all, pause_30d or resubscribe")),
    };
    let id = &link.shop.document.shop;
    let carts = identity::apply(&ask.env, id, &link.person, changes, ask.now).await?.carts;
    // The gate refuses from now on; the carts learn it at their next step, which costs nothing.
    for cart in carts {
        objects::cart(&ask.env, id, &cart, ask.now, &CartCall::Tick).await?;
    }
    let brand = present::brand(&link.shop);
    let back = Some((format!("Back to {}", brand.shop_name), brand.home_url.clone()));
    Ok(html_page(200, done(&Done { brand, title: title.to_owned(), body: text, back })))
}

fn spoken(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "email",
        Channel::Sms => "text message",
        Channel::Push => "notification",
    }
}

async fn believe(ask: &Ask, token: &str) -> Outcome<Unsubscribe> {
    match links::believe_unsubscribe(&ask.env, &ask.host, token, ask.now).await? {
        Ok(link) => Ok(link),
        Err(why) => Err(trouble(ask, trouble_of(why)).await),
    }
}

fn channel(link: &Unsubscribe) -> Outcome<Channel> {
    channel_named(&link.channel).ok_or_else(|| Failure::malformed("the link names no channel"))
}

async fn person(ask: &Ask, link: &Unsubscribe) -> Outcome<Option<Person>> {
    let id = &link.shop.document.shop;
    match identity::call(&ask.env, id, &link.person, ask.now, &PersonCall::Show).await? {
        PersonAnswer::State(person) => Ok(Some(*person)),
        _ => Ok(None),
    }
}

/// `b•••@hostmail.com`, `•••• 4321`: enough to recognise one's own, too little to learn another's.
fn mask(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) => format!("{}•••@{domain}", local.chars().next().unwrap_or('•')),
        None => {
            let tail: String = address.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
            format!("•••• {tail}")
        }
    }
}
