//! Shopify: `checkouts/create`, `checkouts/update`, `orders/create`, `orders/paid`.
//!
//! Source: Shopify's webhook reference (HMAC-SHA256 of the raw body under the app's secret, base64,
//! in `X-Shopify-Hmac-Sha256`). Does not look at the shop's domain or the delivery id: that is
//! routing and deduplication.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use comeback_core::cart::{Line, MAX_LINES, MAX_QUANTITY, Trust};
use comeback_core::money::Currency;
use comeback_core::time::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use crate::MAX_BODY;
use crate::error::IntakeError;
use crate::json::Node;
use crate::model::{self, Checkout, Operation, Order, OrderStatus};

/// Longest product name kept.
const MAX_TITLE: usize = 255;
/// Longest address RFC 5321 lets a server take.
const MAX_EMAIL: usize = 254;
/// Longest link kept.
const MAX_URL: usize = 2048;

/// A body that the shop's platform signed. Only [`verify`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Verified<'a> {
    body: &'a [u8],
}

/// Checks `X-Shopify-Hmac-Sha256` against the bytes as they came. Takes the same time for any
/// wrong signature of the right length. An empty secret verifies nothing: it is a shop not set up.
pub fn verify<'a>(
    raw_body: &'a [u8],
    header_hmac_base64: &str,
    secret: &[u8],
) -> Result<Verified<'a>, IntakeError> {
    if raw_body.len() > MAX_BODY {
        return Err(IntakeError::TooLarge { bytes: raw_body.len() });
    }
    if secret.is_empty() {
        return Err(IntakeError::BadSignature);
    }
    let signature = STANDARD.decode(header_hmac_base64.trim()).map_err(|_| IntakeError::BadSignature)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| IntakeError::BadSignature)?;
    mac.update(raw_body);
    mac.verify_slice(&signature).map_err(|_| IntakeError::BadSignature)?;
    Ok(Verified { body: raw_body })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Topic {
    Checkout,
    OrderCreated,
    OrderPaid,
}

impl Verified<'_> {
    /// Reads the body as what `topic` (`X-Shopify-Topic`) says. `triggered_at` is
    /// `X-Shopify-Triggered-At`, if it came; `received_at` is when the request did.
    pub fn parse(
        self,
        topic: &str,
        triggered_at: Option<&str>,
        received_at: Timestamp,
    ) -> Result<Operation, IntakeError> {
        let topic = match topic {
            "checkouts/create" | "checkouts/update" => Topic::Checkout,
            "orders/create" => Topic::OrderCreated,
            "orders/paid" => Topic::OrderPaid,
            _ => return Err(IntakeError::UnsupportedTopic),
        };
        let whole = |what| IntakeError::Malformed { what, at: String::new() };
        let value: Value = serde_json::from_slice(self.body).map_err(|_| whole("expected JSON"))?;
        let body = Node::root(&value);
        if !body.is_object() {
            return Err(whole("expected an object"));
        }
        // The topic is not signed: a checkout sent again as `orders/paid` would end a sequence
        // with an order that nobody placed.
        let is_order = body.has("financial_status") || body.has("order_number");
        let is_checkout = body.has("abandoned_checkout_url");
        if (topic == Topic::Checkout) != is_checkout || (topic != Topic::Checkout) != is_order {
            return Err(whole("the body is not of its topic"));
        }
        let at = triggered_at
            .and_then(Timestamp::parse_rfc3339)
            .or_else(|| body.get("updated_at").time().ok().flatten())
            .unwrap_or(received_at)
            .min(received_at);
        match topic {
            Topic::Checkout => checkout(&body, at).map(Operation::Checkout),
            Topic::OrderCreated => order(&body, at, order_status(&body)?).map(Operation::Order),
            // The topic is the event; the body may have been written before the payment settled.
            Topic::OrderPaid => order(&body, at, OrderStatus::Paid).map(Operation::Order),
        }
    }
}

fn checkout(body: &Node<'_>, at: Timestamp) -> Result<Checkout, IntakeError> {
    let currency = body.get("currency").currency()?;
    let lines = body
        .get("line_items")
        .elements()?
        .map(|l| line(&l, currency))
        .filter_map(Result::transpose)
        .take(MAX_LINES)
        .collect::<Result<Vec<_>, _>>()?;
    let id = body.get("id");
    Ok(Checkout {
        cart_token: cart_token(body)?,
        checkout_id: id.id()?.ok_or_else(|| id.malformed("is missing"))?,
        checkout_token: body.get("token").id()?,
        email: email(body)?,
        phone: phone(body)?,
        postal: postal(body),
        currency,
        lines,
        total_minor: body.get("total_price").minor(currency)?,
        buyer_accepts_marketing: body.get("buyer_accepts_marketing").flag()?.unwrap_or(false),
        sms_marketing: sms_marketing(body)?,
        completed_at: body.get("completed_at").time()?,
        at,
        locale: body.get("customer_locale").text()?.filter(|l| l.len() <= 35).map(str::to_owned),
        recovery_url: body
            .get("abandoned_checkout_url")
            .text()?
            .filter(|u| u.len() <= MAX_URL && u.starts_with("https://") && !u.contains(char::is_control))
            .map(str::to_owned),
    })
}

fn order(body: &Node<'_>, at: Timestamp, status: OrderStatus) -> Result<Order, IntakeError> {
    let currency = body.get("currency").currency()?;
    let id = body.get("id");
    Ok(Order {
        order_id: id.id()?.ok_or_else(|| id.malformed("is missing"))?,
        cart_token: cart_token(body)?,
        checkout_id: body.get("checkout_id").id()?,
        checkout_token: body.get("checkout_token").id()?,
        email: email(body)?,
        phone: phone(body)?,
        postal: postal(body),
        currency,
        total_minor: body.get("total_price").minor(currency)?,
        status,
        at,
        lines: body
            .get("line_items")
            .elements()?
            .filter_map(|l| line(&l, currency).ok().flatten())
            .take(MAX_LINES)
            .collect(),
    })
}

fn order_status(body: &Node<'_>) -> Result<OrderStatus, IntakeError> {
    if !body.get("cancelled_at").is_absent() {
        return Ok(OrderStatus::Cancelled);
    }
    Ok(match body.get("financial_status").text()? {
        Some("paid" | "partially_refunded") => OrderStatus::Paid,
        Some("refunded") => OrderStatus::Refunded,
        Some("voided" | "expired") => OrderStatus::Cancelled,
        // `authorized`, `pending`, `partially_paid`, `unpaid`, and what Shopify adds next.
        _ => OrderStatus::Pending,
    })
}

/// One line, or `None` where nothing is left of it. `properties` (list, object, null or absent) is
/// what the shopper had engraved: not read.
fn line(node: &Node<'_>, currency: Currency) -> Result<Option<Line>, IntakeError> {
    if !node.is_object() {
        return Err(node.malformed("expected an object"));
    }
    let quantity = node.get("quantity").count()?.min(MAX_QUANTITY);
    if quantity == 0 {
        return Ok(None);
    }
    let product = node.get("product_id");
    // A custom line has no product; its own id keeps it apart from the others.
    let item_id = match product.id()? {
        Some(id) => id,
        None => node
            .get("id")
            .id()?
            .map(|id| format!("line:{id}"))
            .ok_or_else(|| product.malformed("is missing"))?,
    };
    let mut title = node.get("title").text()?.unwrap_or_default().to_owned();
    // Shopify's word for "there are no variants".
    if let Some(variant) = node.get("variant_title").text()?.filter(|v| *v != "Default Title") {
        title = if title.is_empty() { variant.to_owned() } else { format!("{title} - {variant}") };
    }
    Ok(Some(Line {
        item_id,
        item_variant: node.get("variant_id").id()?,
        quantity,
        unit_price_minor: node.get("price").minor(currency)?,
        title: title.chars().take(MAX_TITLE).collect(),
        image_url: None,
        item_url: None,
        class: None,
        trust: Trust::Signed,
    }))
}

/// The storefront's API writes `token?key=secret`; webhooks write the token. Only the token is kept.
fn cart_token(body: &Node<'_>) -> Result<Option<String>, IntakeError> {
    let token = body.get("cart_token").id()?;
    Ok(token.and_then(|t| t.split('?').next().filter(|t| !t.is_empty()).map(str::to_owned)))
}

/// The address of the contact, or else of the customer. Text that is no address is none: people
/// type halves of them into checkouts, and `checkouts/update` comes with each.
fn email(body: &Node<'_>) -> Result<Option<String>, IntakeError> {
    let is_address = |text: &&str| {
        text.len() <= MAX_EMAIL
            && !text.contains(|c: char| c.is_control() || c.is_whitespace())
            && text.split_once('@').is_some_and(|(l, d)| !l.is_empty() && !d.is_empty() && !d.contains('@'))
    };
    let own = body.get("email").text()?.filter(is_address);
    let customers = body.get("customer").get("email").text()?.filter(is_address);
    Ok(own.or(customers).map(str::to_lowercase))
}

/// E.164 or nothing: a number without its country cannot be compared or dialled. Numbers of postal
/// addresses are not read; they were given to the carrier.
fn phone(body: &Node<'_>) -> Result<Option<String>, IntakeError> {
    let e164 = |text: &str| {
        let kept: String =
            text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '\u{A0}')).collect();
        let digits = kept.strip_prefix('+')?;
        let plausible = (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        plausible.then_some(kept)
    };
    let own = [body.get("sms_marketing_phone"), body.get("phone"), body.get("customer").get("phone")];
    for node in own {
        if let Some(phone) = node.text()?.and_then(e164) {
            return Ok(Some(phone));
        }
    }
    Ok(None)
}

/// Where it goes. One that cannot be read is none: it must not keep a checkout or an order out.
fn postal(body: &Node<'_>) -> Option<String> {
    let address = body.get("shipping_address");
    let part = |key: &str| address.get(key).text().ok().flatten().unwrap_or_default();
    let street = [part("address1"), part("address2")];
    model::postal(part("country_code"), part("zip"), part("city"), street)
}

fn sms_marketing(body: &Node<'_>) -> Result<Option<bool>, IntakeError> {
    if let Some(flag) = body.get("buyer_accepts_sms_marketing").flag()? {
        return Ok(Some(flag));
    }
    let state = body.get("customer").get("sms_marketing_consent").get("state").text()?;
    Ok(state.map(|s| s == "subscribed"))
}
