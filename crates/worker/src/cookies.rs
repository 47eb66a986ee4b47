//! The two first-party cookies: the visitor and the cart. `HttpOnly`, so that no script reads them.

use comeback_core::id::{CartId, VisitorId};
use worker::Headers;

use crate::failure::Outcome;

/// One year.
const VISITOR_AGE: u32 = 365 * 86_400;
/// As long as a cart is kept.
const CART_AGE: u32 = 90 * 86_400;

/// What the request's cookies say, if they are well-formed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cookies {
    /// `cb_vis`.
    pub(crate) visitor: Option<VisitorId>,
    /// `cb_cart`.
    pub(crate) cart: Option<CartId>,
}

/// Reads them.
pub(crate) fn read(headers: &Headers) -> Outcome<Cookies> {
    let mut cookies = Cookies::default();
    let Some(text) = headers.get("cookie")? else { return Ok(cookies) };
    for pair in text.split(';') {
        match pair.trim().split_once('=') {
            Some(("cb_vis", value)) => cookies.visitor = VisitorId::parse(value).ok(),
            Some(("cb_cart", value)) => cookies.cart = CartId::parse(value).ok(),
            _ => {}
        }
    }
    Ok(cookies)
}

/// Sets the visitor.
pub(crate) fn set_visitor(headers: &Headers, visitor: &VisitorId, secure: bool) -> Outcome<()> {
    set(headers, "cb_vis", visitor.as_str(), VISITOR_AGE, secure)
}

/// Sets the cart.
pub(crate) fn set_cart(headers: &Headers, cart: &CartId, secure: bool) -> Outcome<()> {
    set(headers, "cb_cart", cart.as_str(), CART_AGE, secure)
}

/// Ends the cart, after an order.
pub(crate) fn clear_cart(headers: &Headers, secure: bool) -> Outcome<()> {
    set(headers, "cb_cart", "", 0, secure)
}

/// Lets both go, after an agreement to storage was withdrawn. Sets nothing where nothing is held.
pub(crate) fn clear(headers: &Headers, held: &Cookies, secure: bool) -> Outcome<()> {
    if held.visitor.is_some() {
        set(headers, "cb_vis", "", 0, secure)?;
    }
    if held.cart.is_some() {
        clear_cart(headers, secure)?;
    }
    Ok(())
}

fn set(headers: &Headers, name: &str, value: &str, age: u32, secure: bool) -> Outcome<()> {
    let secure = if secure { "; Secure" } else { "" };
    headers.append(
        "set-cookie",
        &format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"),
    )?;
    Ok(())
}
