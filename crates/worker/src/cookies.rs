//! The two first-party cookies: the visitor and the cart. `HttpOnly`, so that no script reads them.

use crate::http::Reply;
use comeback_core::id::{CartId, VisitorId};

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

/// Reads them from the header.
pub(crate) fn parse(text: &str) -> Cookies {
    let mut cookies = Cookies::default();
    for pair in text.split(';') {
        match pair.trim().split_once('=') {
            Some(("cb_vis", value)) => cookies.visitor = VisitorId::parse(value).ok(),
            Some(("cb_cart", value)) => cookies.cart = CartId::parse(value).ok(),
            _ => {}
        }
    }
    cookies
}

/// Sets the visitor.
pub(crate) fn set_visitor(reply: &mut Reply, visitor: &VisitorId, secure: bool) {
    set(reply, "cb_vis", visitor.as_str(), VISITOR_AGE, secure);
}

/// Sets the cart.
pub(crate) fn set_cart(reply: &mut Reply, cart: &CartId, secure: bool) {
    set(reply, "cb_cart", cart.as_str(), CART_AGE, secure);
}

/// Ends the cart, after an order or when it is forgotten.
pub(crate) fn clear_cart(reply: &mut Reply, secure: bool) {
    set(reply, "cb_cart", "", 0, secure);
}

/// Lets both go, after an agreement to storage was withdrawn. Sets nothing where nothing is held.
pub(crate) fn clear(reply: &mut Reply, held: &Cookies, secure: bool) {
    if held.visitor.is_some() {
        set(reply, "cb_vis", "", 0, secure);
    }
    if held.cart.is_some() {
        clear_cart(reply, secure);
    }
}

fn set(reply: &mut Reply, name: &str, value: &str, age: u32, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    reply
        .add("set-cookie", &format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"));
}
