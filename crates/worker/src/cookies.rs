//! The two first-party cookies: the visitor and the cart. `HttpOnly`, so that no script reads them.

use crate::http::{Ask, Reply};
use comeback_core::id::{CartId, VisitorId};
use comeback_wire::shop::ShopDocument;

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

/// Whom a browser gives them to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'d> {
    /// By https only.
    secure: bool,
    /// All hosts of this domain; none: the one that set them.
    domain: Option<&'d str>,
}

impl<'d> Scope<'d> {
    /// As the shop has it, where the request came to.
    pub(crate) fn of(ask: &Ask, shop: &'d ShopDocument) -> Self {
        Self { secure: ask.secure, domain: shop.cookie_domain_at(&ask.host) }
    }
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
pub(crate) fn set_visitor(reply: &mut Reply, visitor: &VisitorId, scope: Scope<'_>) {
    set(reply, "cb_vis", visitor.as_str(), VISITOR_AGE, scope);
}

/// Sets the cart.
pub(crate) fn set_cart(reply: &mut Reply, cart: &CartId, scope: Scope<'_>) {
    set(reply, "cb_cart", cart.as_str(), CART_AGE, scope);
}

/// Ends the cart, after an order or when it is forgotten.
pub(crate) fn clear_cart(reply: &mut Reply, scope: Scope<'_>) {
    set(reply, "cb_cart", "", 0, scope);
}

/// Lets both go, after an agreement to storage was withdrawn. Sets nothing where nothing is held.
pub(crate) fn clear(reply: &mut Reply, held: &Cookies, scope: Scope<'_>) {
    if held.visitor.is_some() {
        set(reply, "cb_vis", "", 0, scope);
    }
    if held.cart.is_some() {
        clear_cart(reply, scope);
    }
}

fn set(reply: &mut Reply, name: &str, value: &str, age: u32, scope: Scope<'_>) {
    let secure = if scope.secure { "; Secure" } else { "" };
    let domain = scope.domain.map(|domain| format!("; Domain={domain}")).unwrap_or_default();
    reply.add(
        "set-cookie",
        &format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}{domain}"),
    );
}
