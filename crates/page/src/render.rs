//! From data to a document. Owns the one template environment and the formatter that every value
//! passes; holds no words and no markup, those are in `templates/`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{Environment, Error, Output, State, UndefinedBehavior, Value, context, escape_formatter};

use crate::address::{anchor, mail, page_language, shop_language};
use crate::linked::linked;
use crate::model::{Brand, Done, InboxMessage, Landing, LinkTrouble, Preferences};
use crate::readable::readable;
use crate::style::{INBOX_STYLESHEET, STYLESHEET};
use crate::web_url;

/// Shown where a template fails. Templates are part of the program and each is rendered by a test,
/// so this is a last resort, and still a page.
const FALLBACK: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <meta name=\"robots\" content=\"noindex\"><title>Something went wrong</title>\
    <h1>Something went wrong</h1><p>This page could not be shown. Nothing was changed. Please try again.</p>";

/// Before a mail's HTML in its frame: links open beside the inbox, out of the frame, since the pages
/// they lead to refuse to be framed.
const FRAME_HEAD: &str = "<base target=\"_blank\">";

static TEMPLATES: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(environment);

fn environment() -> Result<Environment<'static>, Error> {
    let mut env = Environment::new();
    env.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    // A name that is missing or misspelt must fail a test, not print nothing.
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_formatter(place);
    env.add_filter("web_url", |url: &str| web_url::parse(url).as_deref().map(written));
    env.add_filter("own_path", |url: &str| web_url::path(url).as_deref().map(written));
    env.add_filter("mail", |text: &str| mail(text).map(str::to_owned));
    env.add_filter("linked", |text: &str| Value::from_safe_string(linked(text)));
    env.add_filter("framed", |html: &str| format!("{FRAME_HEAD}{html}"));
    env.add_template("layout.html", include_str!("../templates/layout.html"))?;
    env.add_template("landing.html", include_str!("../templates/landing.html"))?;
    env.add_template("link_trouble.html", include_str!("../templates/link_trouble.html"))?;
    env.add_template("preferences.html", include_str!("../templates/preferences.html"))?;
    env.add_template("done.html", include_str!("../templates/done.html"))?;
    env.add_template("inbox.html", include_str!("../templates/inbox.html"))?;
    Ok(env)
}

/// An address that `web_url` let through, for an attribute: `&` is the only one of its characters
/// that means something in HTML.
fn written(url: &str) -> Value {
    Value::from_safe_string(url.replace('&', "&amp;"))
}

/// The one door of every value into a page: drops what is not text, then escapes.
fn place(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if value.kind() == ValueKind::String && !value.is_safe() => {
            escape_formatter(out, state, &Value::from(readable(text).as_ref()))
        }
        _ => escape_formatter(out, state, value),
    }
}

fn render(name: &str, values: Value) -> String {
    let Ok(env) = &*TEMPLATES else { return FALLBACK.to_owned() };
    env.get_template(name)
        .and_then(|template| template.render(values))
        .unwrap_or_else(|_| FALLBACK.to_owned())
}

/// What the layout asks for: the shop, if known, and the languages.
fn frame(brand: Option<&Brand>) -> Value {
    let locale = brand.map_or("", |brand| brand.locale.as_str());
    context! {
        brand => brand.map(Serde),
        lang => page_language(locale),
        shop_lang => shop_language(locale),
        stylesheet => Value::from_safe_string(STYLESHEET.to_owned()),
    }
}

/// The landing page of a resume link: this cart, what changed, one button.
#[must_use]
pub fn landing(l: &Landing) -> String {
    render("landing.html", context! { page => Serde(l), ..frame(Some(&l.brand)) })
}

/// What a dead link says. With the shop unknown it says how to find it.
#[must_use]
pub fn link_trouble(brand: Option<&Brand>, why: LinkTrouble) -> String {
    let why = match why {
        LinkTrouble::Expired => "expired",
        LinkTrouble::Revoked => "revoked",
        LinkTrouble::NotOurs => "not_ours",
        LinkTrouble::CartGone => "cart_gone",
        LinkTrouble::UnknownShop => "unknown_shop",
    };
    render("link_trouble.html", context! { why, ..frame(brand) })
}

/// What somebody gets, why, and the ways to stop, pause or start it. Only its form acts.
#[must_use]
pub fn preferences(p: &Preferences) -> String {
    render("preferences.html", context! { page => Serde(p), ..frame(Some(&p.brand)) })
}

/// Says that something was done.
#[must_use]
pub fn done(d: &Done) -> String {
    render("done.html", context! { page => Serde(d), ..frame(Some(&d.brand)) })
}

/// The inbox of a development build: every message as it went out, newest first as given.
#[must_use]
pub fn inbox(messages: &[InboxMessage]) -> String {
    let mut seen = BTreeSet::new();
    let anchors: Vec<String> =
        messages.iter().enumerate().map(|(n, m)| unique(&mut seen, n, &m.send_id)).collect();
    let messages: Vec<Value> = messages
        .iter()
        .zip(&anchors)
        .map(|(message, anchor)| context! { message => Serde(message), anchor })
        .collect();
    let stylesheet = Value::from_safe_string(INBOX_STYLESHEET.to_owned());
    render("inbox.html", context! { messages, stylesheet })
}

/// The anchor of a message: its id, with a letter first (a style rule wants that) and with its place
/// where ids are the same.
fn unique(seen: &mut BTreeSet<String>, place: usize, id: &str) -> String {
    let mut name = anchor(id);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name = format!("m-{name}");
    }
    while seen.contains(&name) {
        name = format!("{name}-{place}");
    }
    seen.insert(name.clone());
    name
}
